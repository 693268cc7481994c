#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Memory blocks hold their own memmap in their first pages. These pages cannot be marked,
# the others can, and all accounts are exact.
#
# vm/run --dimm 128M --dimm 128M --dimm 128M --dimm 128M \
#	--append memory_hotplug.memmap_on_memory=1
# The DIMMs have one block each, since 6.1 does it for such DIMMs alone.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# The size of a struct page is 64 bytes.
memmap_pages() {
	echo $((BLOCK_PAGES * 64 / 4096))
}

# As in lib.sh, but the pages of the memmap are present and never managed.
check_accounts() {
	marks_online >"$TMP/marks-online"
	for acc_block in $BLOCKS; do
		echo "block $acc_block $(block_state "$acc_block") $(block_zone "$acc_block")"
	done >"$TMP/blocks"
	echo "$BASE_ZONES" | awk -v bp="$BLOCK_PAGES" -v mm="$(memmap_pages)" '
	FILENAME == "-" {
		order[n++] = $2
		present[$2] = $3
		managed[$2] = $4
		next
	}
	$1 == "block" {
		# At first this block was in ZONE_MOVABLE.
		present["Movable"] -= bp
		managed["Movable"] -= bp - mm
		if ($3 == "online") {
			present[$4] += bp
			managed[$4] += bp - mm
			zone[$2] = $4
		}
		next
	}
	{ managed[$5 in zone ? zone[$5] : "DMA32"] -= $2 }
	END {
		for (i = 0; i < n; i++)
			print 0, order[i], present[order[i]], managed[order[i]]
	}' - "$TMP/blocks" "$TMP/marks-online" >"$TMP/zones"
	expect_eq "zones (node, zone, present, managed) $1" \
		"$(cat "$TMP/zones")" "$(zones)"
	expect_eq "MemTotal in kB $1" \
		"$(awk '{ sum += 4 * $4 } END { print sum }' "$TMP/zones")" \
		"$(mem_total)"
}

# own_memmap WHEN: each online block begins with its memmap, whose pages are neither free
# nor in use by a process
own_memmap() {
	block_states
	for own_block in $ONLINE; do
		own_got=$(oracle count "$(block_start "$own_block")+$(memmap_pages)")
		expect_eq "first pages of memory$own_block: free, PageOffline, LRU, mapped, self-hosted $1" \
			"0 0 0 0 $(memmap_pages)" \
			"$(count_of buddy "$own_got") $(count_of offline "$own_got") $(count_of lru "$own_got") $(count_of mapped "$own_got") $(count_of owner_private "$own_got")"
	done
}

check_both() {
	check_all "$1"
	own_memmap "$1"
}

# shape_of BLOCK: marks the first page behind the memmap, the last page of the block, one
# page in each page block (so that ZONE_NORMAL keeps no data there), and longer ranges
shape_of() {
	shape=$(block_start "$1") shape_mm=$(memmap_pages)
	{
		echo "$((shape + shape_mm)) 1 canary"
		echo "$((shape + shape_mm + 2)) 1 canary"
		echo "$((shape + BLOCK_PAGES - 1)) 1 canary"
		echo "$((shape + 8192)) 4096 canary"
		echo "$((shape + 20001)) 777"
		sparse_lines "$1" $((shape_mm + 300))
	} >"$TMP/batch"
	mark_batch "$TMP/batch"
}

# needed: skips the test where blocks do not hold their memmap
needed() {
	[ "$(cat /sys/module/memory_hotplug/parameters/memmap_on_memory 2>/dev/null)" = Y ] ||
		skip "the kernel's command line has no memory_hotplug.memmap_on_memory=1"
}

# The pages of the memmap cannot be marked, alone or with others.
refused() {
	needed
	own_memmap "at first"
	refused_mm=$(memmap_pages)
	refused_s=$(block_start "$B2")
	for refused_range in "$refused_s 1" "$refused_s $refused_mm" \
			"$((refused_s + refused_mm - 1)) 1" \
			"$((refused_s + refused_mm - 1)) 2" \
			"$((refused_s + 100)) 50" \
			"$((refused_s - 10)) 20" \
			"$refused_s $BLOCK_PAGES"; do
		expect_eq "mark $refused_range" EBUSY "$(mark_raw "$refused_range")"
		expect_eq "mark $refused_range unskippable canary" EBUSY \
			"$(mark_raw "$refused_range unskippable canary")"
	done
	check_both "after marks were refused"
	# The twin: every page but the memmap can be marked.
	mark $((refused_s + refused_mm)) 1
	mark $((refused_s - 10)) 10
	check_both "with pages beside the memmap marked"
	expect_failing "one page more is noticed" refused_twin
	unmark_all
	check_both "after unmark"
}

refused_twin() {
	MARKS=$MARKS.twin
	awk '{ print $1, $2, $3, $4 }' "$TMP/marks-online" >"$MARKS"
	note_mark $((refused_s + refused_mm - 1)) 1
	check_accounts "with a page that is not marked"
}

# fail_offline HOW
fail_offline() {
	refuse_once "$B2" "$1"
	check_both "after a failed offlining ($1)"
}

# cycle ZONE
cycle() {
	needed
	shape_of "$B2"
	check_both "when marked"
	to_zone "$B2" "$1"
	check_both "in zone $1"
	for cycle_how in kernel-before kernel-after before after late; do
		fail_offline "$cycle_how"
	done
	stats_mark
	go "$B2" offline
	check_both "while offline"
	expect_eq "arm online" ok "$(tryio write "$FO"/inject "online after -12 1")"
	refuse "$B2" online ENOMEM
	check_both "after a failed onlining"
	go "$B2" online debugfs
	check_both "after online"
	expect_stats "offline_done 1" "online_done 1" \
		"withheld_pages $(marks_pages <"$MARKS")"
	to_zone "$B2" Movable
	check_both "back in ZONE_MOVABLE"
	[ "$1" = Normal ] || check_hog "at the end" "$B2"
	unmark_all
	check_both "after unmark"
}

# reason: the reason for which the last onlining failed
reason() {
	sed -n 's/^reason //p' "$FO"/last_failure
}

# A record in the memmap of an offline block cannot come into force, since these pages
# never pass the hook. The block does not come online, and the reason names the record.
in_memmap() {
	needed
	go "$B2" offline
	in_s=$(block_start "$B2") in_mm=$(memmap_pages)
	for in_first in 0 100 $((in_mm - 1)); do
		in_pfn=$((in_s + in_first))
		mark "$in_pfn" 3 canary
		check_listed "with a record in the memmap"
		stats_mark
		refuse "$B2" online_movable EBUSY sysfs
		expect_eq "the reason" \
			"refusing to online: PFN $(printf '%#x' "$in_pfn"), marked by debugfs, is in the block's own memmap" \
			"$(reason)"
		expect_eq "code, page and owner" "own_memmap $in_pfn debugfs" \
			"$(awk '$1 == "code" || $1 == "pfn" || $1 == "owner" { v[$1] = $2 }
			END { print v["code"], v["pfn"], v["owner"] }' "$FO"/last_failure)"
		refuse "$B2" online EBUSY debugfs
		expect_stats "online_vetoed 2" "online_done 0" "withheld_pages 0"
		check_accounts "after the block was refused"
		unmark "$in_pfn" 3
	done
	# The twin: the first page behind the memmap is withheld.
	mark $((in_s + in_mm)) 3 canary
	stats_mark
	go "$B2" online_movable
	expect_stats "online_vetoed 0" "withheld_pages 3"
	check_both "with a mark behind the memmap"
	unmark_all
	check_both "after unmark"
}

# All pages of a block but its memmap are marked, and pages of two neighbours.
whole() {
	needed
	mark $(($(block_start "$B2") + $(memmap_pages))) $((BLOCK_PAGES - $(memmap_pages))) canary
	mark $(($(block_start "$B1") + $(memmap_pages))) $((BLOCK_PAGES - $(memmap_pages)))
	check_both "when all is marked"
	go "$B2" offline
	go "$B1" offline
	check_both "while offline"
	go "$B1" online_movable
	go "$B2" online
	check_both "after online"
	go "$B2" offline
	unmark_all
	check_both "when forgotten while offline"
	go "$B2" online_movable
	check_both "after online without marks"
}

run_tests refused in_memmap "cycle Movable" "cycle Normal" whole
