#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Marks leave each zone that serves kernel allocations above its floor. The test
# computes the floors by itself, from /proc/zoneinfo. A mark does not shrink the
# pool of hugetlb pages, and all of a DIMM in ZONE_MOVABLE can be held.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-floors.sh
. "$(dirname "$0")/lib-floors.sh"

RATIO=/proc/sys/vm/lowmem_reserve_ratio

# expect_refused WHEN ZONE: the last mark would have brought this zone below its
# floor; sets POSSIBLE to what could have been marked
expect_refused() {
	zone_look "$2"
	expect_eq "errno, code and page of the refusal $1" "-28 floor -1" \
		"$(refusal errno) $(refusal code) $(refusal pfn)"
	refused_text=$(refusal reason)
	expect_eq "the reason $1" \
		"zone $2 of node 0 must keep $ZONE_FLOOR pages and has N left: N of these N pages could be marked" \
		"$(echo "$refused_text" | sed 's/has -*[0-9]* left: [0-9]* of these [0-9]* pages/has N left: N of these N pages/')"
	POSSIBLE=$(echo "$refused_text" | sed 's/.*left: \([0-9]*\) of these.*/\1/')
}

# note_listed: what "any" took is noted
note_listed() {
	awk '!/^#/ { print $1, $2, $3, $4 }' "$FO"/ranges >"$MARKS"
}

# fill ZONE: marks pages anywhere in the zone until it is refused
fill() {
	fill_left=40
	while :; do
		zone_look "$1"
		fill_nr=$((ZONE_ROOM / 2))
		[ "$fill_nr" -gt "$OTHERS" ] || break
		result mark_raw "any $fill_nr zone=$1"
		[ "$RESULT" = ok ] || break
		expect_floor "after $fill_nr pages" "$1"
		fill_left=$((fill_left - 1))
		[ "$fill_left" -gt 0 ] || break
	done
	note_listed
	expect_at_least "attempts left" 1 "$fill_left"
	note "zone $1: $ZONE_ROOM pages above its floor of $ZONE_FLOOR, last $RESULT"
}

# files: makes 25 000 of them, each of which takes memory of the kernel's own
files() {
	files_n=0
	mkdir "$TMP/files" || failed "mkdir"
	while [ "$files_n" -lt 25000 ] && : >"$TMP/files/$files_n"; do
		files_n=$((files_n + 1))
	done
	rm -rf "$TMP/files"
	expect_eq "files that could be made" 25000 "$files_n"
	expect_eq "lines in the log about memory that is lacking" 0 "$(dmesg | no_memory)"
}

# The request takes as many pages of DMA32 as it can, anywhere. Pages in use there move
# to Normal, so that more may be marked than were free at first.
anywhere() {
	zone_look DMA32
	anywhere_room=$ZONE_ROOM
	anywhere_total=$(mem_total)
	anywhere_managed=$(zones | awk '$2 == "DMA32" { print $4 }')
	unchanged "more than the zone can spare" ENOSPC \
		mark_raw "any $((anywhere_managed - ZONE_FLOOR + OTHERS)) zone=DMA32"
	expect_refused "of too many anywhere" DMA32
	fill DMA32
	anywhere_nr=$(marks_pages <"$MARKS")
	expect_at_least "pages that were marked, of those that the floor allows, in percent" 90 \
		$((anywhere_nr * 100 / anywhere_room))
	expect_eq "MemTotal in kB" $((anywhere_total - 4 * anywhere_nr)) "$(mem_total)"
	expect_failing "a zone that is not twice above its floor" \
		expect_floor "at last" DMA32 2
	check_all "with all that the floor allows"
	files
	check_all "after many files"
	unmark_all
	check_all "after unmark"
}

# ram_end: the page behind the RAM below 4 GiB that begins at 1 MiB
ram_end() {
	ram_last=$(sed -n 's/^00100000-\([0-9a-f]*\) : System RAM$/\1/p' /proc/iomem)
	echo $(((0x$ram_last + 1) / 4096))
}

# The same for a range that is named: it is refused before a page is touched.
explicit() {
	explicit_end=$(ram_end)
	stats_mark
	unchanged "all of DMA32" ENOSPC mark_raw "4096 $((explicit_end - 4096))"
	expect_refused "of a range" DMA32
	expect_eq "the range that was refused" "4096 $((explicit_end - 4096))" \
		"$(refusal start_pfn) $(refusal nr_pages)"
	zone_look DMA32
	expect_at_most "what it said could be marked, and what the test counts, differ by" \
		"$OTHERS" $((POSSIBLE > ZONE_ROOM ? POSSIBLE - ZONE_ROOM : ZONE_ROOM - POSSIBLE))
	expect_stats "marks 0" "mark_failures 0"

	# The twin: two free page blocks, which the floor allows.
	explicit_run=$(oracle runs buddy "4096+$((explicit_end - 4096))" | awk '
		{ s = int(($1 + 511) / 512) * 512 }
		$1 + $2 - s >= 1024 { found = s }
		END { print found + 0 }')
	expect_at_least "two free page blocks of DMA32" 4096 "$explicit_run" || return
	mark "$explicit_run" 1024 canary
	expect_floor "with a range marked" DMA32
	check_all "with a range marked"
	unmark_all
	check_all "after unmark"
}

# Pages in use are migrated. The zones that they would go to keep their floors.
targets() {
	# The reserve of the whole machine would refuse the marks first.
	targets_reserve=$(cat "$RESERVE")
	targets_ratio=$(cat "$RATIO")
	targets_min=$(cat /proc/sys/vm/min_free_kbytes)
	echo 0 >"$RESERVE"
	echo "0 0 0 0" >"$RATIO"
	echo 2048 >/proc/sys/vm/min_free_kbytes
	targets_half=$((BLOCK_PAGES / 2))
	targets_range="$(block_start "$B1") $targets_half"
	mark "$(block_pfn "$B1" "$targets_half")" $((targets_half + 2 * BLOCK_PAGES))
	companion_start "a process has pages in half of memory$B1" "pages 12000" \
		tenant 12000 "$(block_start "$B1")+$targets_half"
	fill Normal
	fill DMA32
	check_all "with little left anywhere"
	unchanged "pages that find no place" ENOSPC mark_raw "$targets_range"
	expect_eq "the code" floor "$(refusal code)"
	expect_eq "the zone in the reason" 1 \
		"$(refusal reason | grep -cE '^zone (Normal|DMA32) of node 0 must keep ')"
	expect_eq "its pages" "inside 12000" "$(tenant_ask where)"
	# The twin: with room elsewhere in ZONE_MOVABLE, it works.
	unmark "$(block_start "$B3")" "$BLOCK_PAGES"
	# shellcheck disable=SC2086  # two words
	mark $targets_range
	expect_eq "its pages" "inside 0" "$(tenant_ask where)"
	expect_eq "its content" "broken 0" "$(tenant_ask check)"
	expect_floor "after that" DMA32
	expect_floor "after that" Normal
	tenant_stop
	unmark_all
	# shellcheck disable=SC2086  # words with tabs
	echo $targets_ratio >"$RATIO"
	echo "$targets_min" >/proc/sys/vm/min_free_kbytes
	echo "$targets_reserve" >"$RESERVE"
	check_all "after unmark"
}

# no_reserve on|off: what the machine as a whole must keep is not in the way
no_reserve() {
	case $1 in
	on)
		no_reserve_was=$(cat "$RESERVE")
		echo 0 >"$RESERVE" ;;
	off) echo "$no_reserve_was" >"$RESERVE" ;;
	esac
}

# fill_up ZONE: marks pages anywhere in the zone until some 100 more would be refused
fill_up() {
	fill "$1"
	fill_up_nr=1024
	while zone_look "$1"; [ "$ZONE_ROOM" -gt 300 ] && [ "$fill_up_nr" -gt 0 ]; do
		[ "$fill_up_nr" -lt "$ZONE_ROOM" ] || fill_up_nr=$((ZONE_ROOM - 100))
		result mark_raw "any $fill_up_nr zone=$1"
		[ "$RESULT" = ok ] || fill_up_nr=$((fill_up_nr / 2))
	done
	# Single pages between those of the kernel may be left.
	expect_at_most "room left in zone $1" 2048 "$ZONE_ROOM"
	note_listed
}

# With all other zones full, pages in use have no place outside DMA32. A request for
# pages anywhere skips those that would need one, and continues.
others_full() {
	no_reserve on
	mark "$(block_start "$B1")" $((3 * BLOCK_PAGES))
	fill_up Normal
	zone_look DMA32
	others_room=$ZONE_ROOM
	others_was=$(marks_pages <"$MARKS")
	fill DMA32
	others_nr=$(($(marks_pages <"$MARKS") - others_was))
	expect_at_least "pages of DMA32 that were marked, of the $others_room that its floor allows, in percent" \
		90 $((others_nr * 100 / others_room))
	expect_floor "at last" Normal
	expect_floor "at last" DMA32
	check_all "with all that the floors allow"
	unmark_all
	no_reserve off
	check_all "after unmark"
}

# A page that is outside ZONE_MOVABLE is never migrated to it, however much is free
# there. So pages in use of DMA32 go to Normal, and that must keep its floor.
outside_movable() {
	no_reserve on
	mark "$(block_start "$B1")" $((3 * BLOCK_PAGES))
	fill_up Normal
	# Page blocks that are free, so that the kernel has none of their pages.
	outside_blocks=$(oracle runs buddy "4096+$(($(ram_end) - 4096))" | awk '{
		s = int(($1 + 511) / 512) * 512
		n = int(($1 + $2 - s) / 512) * 512
		if (n > 0) print s "+" n
	}')
	# shellcheck disable=SC2086  # a list of ranges
	companion_start "a process has pages in DMA32" "pages 6000" \
		tenant 6000 $outside_blocks
	tenant_ask list | tr ' ' '\n' | sort -n | sed 's/$/ 1/' >"$TMP/batch"
	unmark "$(block_start "$B1")" $((3 * BLOCK_PAGES))
	# The kernel passes over a zone that is below its low watermark. On 7.3, the zones
	# below ZONE_MOVABLE have larger lowmem reserves, and floors, when that has pages.
	unmark "$(awk '$2 >= 2048 && !n++ { print $1 }' "$MARKS")" 2048
	check_all "with ZONE_MOVABLE free"
	zone_look Normal
	expect_at_most "room in Normal for 6000 pages" 5000 "$ZONE_ROOM"
	unchanged "pages that may not go to ZONE_MOVABLE" ENOSPC \
		mark_raw "$(cat "$TMP/batch")"
	# Requests before the one that was refused have migrated their pages.
	outside_moved=$((6000 - $(tenant_ask where | sed 's/inside //')))
	expect_at_most "pages that went to Normal, which had room for $ZONE_ROOM" \
		$((ZONE_ROOM > 0 ? ZONE_ROOM + OTHERS : 0)) "$outside_moved"
	expect_refused "of pages in use" Normal

	# The twin: with room in Normal, it works.
	unmark_all
	mark_batch "$TMP/batch"
	expect_eq "its pages" "inside 0" "$(tenant_ask where)"
	expect_eq "its content" "broken 0" "$(tenant_ask check)"
	expect_floor "after that" Normal
	expect_floor "after that" DMA32
	tenant_stop
	unmark_all
	no_reserve off
	check_all "after unmark"
}

# ZONE_MOVABLE has no floor: all of it can be held.
movable() {
	mark "$(block_start "$B1")" $((3 * BLOCK_PAGES)) canary
	expect_eq "managed pages of ZONE_MOVABLE" 0 \
		"$(zones | awk '$2 == "Movable" { print $4 }')"
	check_all "when all is held"
	files
	unmark_all
	check_all "after unmark"
}

# pool_is WHEN PAGES
pool_is() {
	expect_eq "pages in the pool of hugetlb $1" "$2" \
		"$(awk '$1 == "HugePages_Total:" { print $2 }' /proc/meminfo)"
}

# free_huge BLOCK: pages of the pool that lie in the block, in small pages
free_huge() {
	oracle used "$(block_range "$1")" | marks_pages
}

# Free hugetlb pages in a block that is marked are replaced, and none is lost.
hugetlb() {
	hugetlb_was=$(cat /proc/sys/vm/nr_hugepages)
	echo 64 >/proc/sys/vm/nr_hugepages
	pool_is "at first" 64
	hugetlb_block=''
	for hugetlb_b in $BLOCKS; do
		[ "$(free_huge "$hugetlb_b")" -lt 512 ] || hugetlb_block=$hugetlb_b
	done
	expect_at_least "a block with hugetlb pages" 1 "${hugetlb_block:-0}" || return
	mark "$(block_start "$hugetlb_block")" "$BLOCK_PAGES"
	pool_is "after a whole block was marked" 64
	expect_eq "the block" online "$(block_state "$hugetlb_block")"
	check_all "after a whole block was marked"
	unmark_all
	pool_is "after unmark" 64

	# The twin: an offlining dissolves them, and the pool is smaller.
	for hugetlb_b in $BLOCKS; do
		[ "$(free_huge "$hugetlb_b")" -lt 512 ] || hugetlb_block=$hugetlb_b
	done
	go "$hugetlb_block" offline
	expect_failing "a pool that has shrunk" pool_is "after an offlining" 64
	go "$hugetlb_block" online_movable
	echo "$hugetlb_was" >/proc/sys/vm/nr_hugepages
	check_all "at last"
}

run_tests anywhere explicit targets others_full outside_movable movable hugetlb
