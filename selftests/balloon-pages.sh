#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The pages of the kernel's own balloon driver are movable PageOffline pages. Offlining
# migrates them, and skips the marked pages beside them. The new pages are PageOffline
# and the old ones are free; no page is lost, and none is there twice.
#
# The machine needs a virtio balloon, whose size QEMU's monitor sets:
# vm/run --qemu '-device virtio-balloon-pci,id=balloon0'.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

INFLATED=0	# the number of pages that the balloon must have

# vm_event NAME: a counter of /proc/vmstat
vm_event() {
	awk -v name="$1" '$1 == name { print $2 }' /proc/vmstat
}

# The balloon takes its pages out of the managed pages one by one, and has no event for
# the last one.
balloon_is_there() {
	[ $(($(vm_event balloon_inflate) - $(vm_event balloon_deflate))) = "$INFLATED" ] &&
		[ "$(mem_total)" = $((BASE_TOTAL - 4 * (INFLATED + $(marks_online | marks_pages)))) ]
}

# balloon PAGES: gives the balloon this size
balloon() {
	INFLATED=$1
	qemu-monitor balloon $((RAM_MIB - INFLATED / 256))
	balloon_left=3000
	until balloon_is_there; do
		balloon_left=$((balloon_left - 1))
		[ "$balloon_left" -gt 0 ] || break
		sleep 0.1
	done
	expect_status "a balloon of $INFLATED pages" 0 balloon_is_there
}

# all_ranges: all memory, block by block
all_ranges() {
	for ar_block in $(block_numbers); do
		[ "$(block_state "$ar_block")" = offline ] || block_range "$ar_block"
	done
}

# balloon_pages [RANGE…]: the PageOffline pages of online blocks that are not
# marked, "START NR" a line
balloon_pages() {
	# shellcheck disable=SC2046  # a list of ranges
	[ $# -gt 0 ] || set -- $(all_ranges)
	oracle runs offline "$@" >"$TMP/offline"
	marks_online | merged >"$TMP/marked"
	awk '
	function out(s, e) { if (e > s) print s, e - s }
	BEGIN { n = i = 0 }
	NR == FNR { start[n] = $1; end[n++] = $1 + $2; next }
	{
		s = $1; e = $1 + $2
		while (i < n && end[i] <= s) i++
		for (j = i; j < n && start[j] < e; j++) {
			out(s, start[j])
			s = end[j]
		}
		out(s, e)
	}' "$TMP/marked" "$TMP/offline"
}

sum_pages() {
	awk '{ sum += $2 } END { print sum + 0 }'
}

# pages_in FIRST END <LIST: the number of pages of a list that lie there
pages_in() {
	awk -v first="$1" -v end="$2" '
	{
		s = $1; e = $1 + $2
		if (s < first) s = first
		if (e > end) e = end
		if (e > s) sum += e - s
	}
	END { print sum + 0 }'
}

# check_mixed WHEN: as check_all(), for a world in which the balloon has pages
check_mixed() {
	balloon_pages >"$TMP/balloon"
	expect_eq "pages of the balloon $1" "$INFLATED" "$(sum_pages <"$TMP/balloon")"
	mixed_total=$BASE_TOTAL mixed_zones=$BASE_ZONES
	BASE_TOTAL=$((BASE_TOTAL - 4 * INFLATED))
	# Pages of the balloon are not managed either, each in its own zone.
	mixed_dma=$(pages_in 0 4096 <"$TMP/balloon")
	mixed_dma32=$(pages_in 4096 1048576 <"$TMP/balloon")
	mixed_blocks=0
	for mixed_block in $BLOCKS; do
		mixed_blocks=$((mixed_blocks + $(pages_in "$(block_start "$mixed_block")" \
			"$(block_start $((mixed_block + 1)))" <"$TMP/balloon")))
	done
	mixed_sink=$(pages_in "$(block_start "$SINK")" \
		"$(block_start $((SINK + 1)))" <"$TMP/balloon")
	BASE_ZONES=$(echo "$BASE_ZONES" | awk -v dma="$mixed_dma" \
		-v dma32="$mixed_dma32" -v movable="$mixed_blocks" -v normal="$mixed_sink" '
		$2 == "DMA" { $4 -= dma }
		$2 == "DMA32" { $4 -= dma32 }
		$2 == "Movable" { $4 -= movable }
		$2 == "Normal" { $4 -= normal }
		{ print }')
	check_accounts "$1"
	BASE_TOTAL=$mixed_total BASE_ZONES=$mixed_zones

	marks_online >"$TMP/marks-online"
	if [ -s "$TMP/marks-online" ]; then
		mixed_marked=$(marks_pages <"$TMP/marks-online")
		mixed_got=$(oracle count "@$TMP/marks-online")
		expect_eq "marked pages: PageOffline, skippable, in the buddy allocator, mapped, on the LRU $1" \
			"$mixed_marked $mixed_marked 0 0 0" \
			"$(count_of offline "$mixed_got") $(count_of "$SKIP_BIT" "$mixed_got") $(count_of buddy "$mixed_got") $(count_of mapped "$mixed_got") $(count_of lru "$mixed_got")"
		mixed_got=$(refs "@$TMP/marks-online")
		expect_eq "marked pages with reference count 0, 1, more $1" \
			"$(refs_wanted "$mixed_marked" 0) 0" \
			"$(count_of ref0 "$mixed_got") $(count_of ref1 "$mixed_got") $(count_of refmore "$mixed_got")"
	fi
	if [ -s "$TMP/balloon" ]; then
		mixed_got=$(refs "@$TMP/balloon")
		expect_eq "the balloon's pages with reference count 0, 1, more $1" \
			"0 $INFLATED 0" \
			"$(count_of ref0 "$mixed_got") $(count_of ref1 "$mixed_got") $(count_of refmore "$mixed_got")"
		expect_eq "the balloon's pages in the buddy allocator $1" 0 \
			"$(count_of buddy "$(oracle count "@$TMP/balloon")")"
	fi
	check_isolated "$1"
	check_listed "$1"
	check_verify "$1"
}

# in_block BLOCK: the number of the balloon's pages there now
in_block() {
	balloon_pages "$(block_range "$1")"
}

one_too_many() {
	INFLATED=$((INFLATED + 1))
	check_mixed "with one page more"
}

# fail_early HOW: an offlining fails before any page is migrated
fail_early() {
	in_block "$B2" >"$TMP/before"
	case $1 in
	kernel-before) load_notifier_errors 1 ;;
	kernel-after) load_notifier_errors -1 ;;
	esac
	case $1 in
	kernel-*) notifier_error MEM_GOING_OFFLINE -12 ;;
	*) expect_eq "arm $1" ok "$(tryio write "$FO"/inject "offline $1 -12 1")" ;;
	esac
	refuse "$B2" offline ENOMEM
	unload_notifier_errors
	expect_eq "the balloon's pages in memory$B2 after that" \
		"$(cat "$TMP/before")" "$(in_block "$B2")"
	check_mixed "after an early failure ($1)"
}

# migrated_from WHEN EVENTS: the balloon no longer has the pages of $TMP/before. Each was
# migrated once, and is free or in use.
migrated_from() {
	migrated_pages=$(sum_pages <"$TMP/before")
	expect_eq "pages that were migrated $1" "$migrated_pages" \
		$(($(vm_event balloon_migrate) - $2))
	expect_eq "the balloon's pages left in memory$B2 $1" "" "$(in_block "$B2")"
	if [ "$(block_state "$B2")" = online ]; then
		migrated_got=$(oracle count "@$TMP/before")
		expect_eq "their old places that are PageOffline $1" 0 \
			"$(count_of offline "$migrated_got")"
		# A few of them are in use again.
		expect_at_least "their old places that are free $1" \
			$((migrated_pages - 1024)) "$(count_of buddy "$migrated_got")"
	fi
}

# needed: skips the test on a machine or a kernel without what it needs
needed() {
	command -v qemu-monitor >/dev/null ||
		skip "QEMU tells the balloon its size: vm/run"
	[ -n "$(vm_event balloon_inflate)" ] || skip "this kernel has no balloons"
	[ -n "$(vm_event balloon_migrate)" ] ||
		skip "this kernel is built without CONFIG_BALLOON_COMPACTION: a balloon's pages do not move"
	modprobe virtio_balloon 2>/dev/null
	grep -qs '^0x0005$' /sys/bus/virtio/devices/*/device ||
		skip "there is no virtio balloon: vm/run --qemu '-device virtio-balloon-pci,id=balloon0'"
}

# fill_blocks: marks pages in two blocks, and gives the balloon pages in all three
fill_blocks() {
	mark_shape "$B2"
	mark "$(block_pfn "$B1" 5)" 1000 canary
	check_all "without a balloon"
	balloon $((260 * 256))
	for fill_block in $BLOCKS; do
		expect_at_least "pages of the balloon in memory$fill_block" 1000 \
			"$(in_block "$fill_block" | sum_pages)"
	done
	check_mixed "with a balloon"
	expect_failing "a page too many is noticed" one_too_many
}

deflate() {
	balloon 0
	check_all "without the balloon, $1"
	expect_at_least "free memory in pages, as before the balloon" \
		$((deflate_free - 8192)) "$(vm_event nr_free_pages)"
}

migrated() {
	needed
	deflate_free=$(($(vm_event nr_free_pages) - 16 * 1024))
	fill_blocks

	for migrated_how in kernel-before kernel-after before after; do
		fail_early "$migrated_how"
	done

	# A late failure comes when all of them have been migrated.
	in_block "$B2" >"$TMP/before"
	migrated_events=$(vm_event balloon_migrate)
	expect_eq "arm late" ok "$(tryio write "$FO"/inject "offline late -16 1")"
	refuse "$B2" offline EBUSY
	migrated_from "after a late failure" "$migrated_events"
	check_mixed "after a late failure"

	# The block gets new pages of the balloon, which leave it when it goes offline.
	balloon $((200 * 256))
	balloon $((290 * 256))
	in_block "$B2" >"$TMP/before"
	expect_at_least "pages of the balloon in memory$B2 again" 1000 \
		"$(sum_pages <"$TMP/before")"
	check_mixed "after the balloon was blown up again"
	migrated_events=$(vm_event balloon_migrate)
	go "$B2" offline
	migrated_from "after offlining" "$migrated_events"
	check_mixed "while offline"
	go "$B2" online_movable
	expect_eq "pages of the balloon in a fresh block" "" "$(in_block "$B2")"
	check_mixed "after online"

	deflate "after online"
	unmark_all
	check_all "after unmark"
}

# A mark of pages of the balloon migrates them, too.
marked() {
	needed
	deflate_free=$(($(vm_event nr_free_pages) - 16 * 1024))
	fill_blocks
	in_block "$B3" >"$TMP/before"
	marked_first=$(sort -k2n "$TMP/before" | tail -n 1)
	marked_nr=${marked_first#* }
	marked_first=${marked_first% *}
	[ "$marked_nr" -le 4096 ] || marked_nr=4096
	marked_events=$(vm_event balloon_migrate)
	mark "$marked_first" "$marked_nr" canary
	expect_eq "pages that were migrated" "$marked_nr" \
		$(($(vm_event balloon_migrate) - marked_events))
	check_mixed "when they are marked"
	go "$B3" offline
	check_mixed "while their block is offline"
	go "$B3" online_movable
	check_mixed "when it is online again"
	unmark "$marked_first" "$marked_nr"
	check_mixed "when they are given back"
	deflate "at the end"
	unmark_all
	check_all "after unmark"
}

# QEMU counts the DIMM as memory of the machine.
RAM_MIB=$(($(block_numbers | wc -l) * 0x$(cat "$SYSMEM/block_size_bytes") / 1048576))
run_tests migrated marked
