#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Marks of places without memory. They need the word "absent" and stay with the place.
# They are in force from the first onlining of any memory that is plugged there, also if
# the kernel itself brings it online.
#
# This script needs a guest of its own, like unplug.sh.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"
four_movable

new_block() {
	[ -f "$SYSMEM/memory$D/state" ] && [ "$(block_state "$D")" = "$plug_state" ]
}

no_block() {
	[ ! -d "$SYSMEM/memory$D" ]
}

# plug STATE: plugs one more block, memory$D, which comes up in this state
plug() {
	plug_state=$1
	qemu-monitor "object_add memory-backend-ram,id=abmem,size=$((BLOCK_PAGES * 4096))"
	qemu-monitor "device_add pc-dimm,id=abdimm,memdev=abmem"
	wait_for "memory$D" new_block
}

unplug() {
	[ "$(block_state "$D")" = offline ] || go "$D" offline
	qemu-monitor "device_del abdimm"
	wait_for "memory$D to go" no_block
	qemu-monitor "object_del abmem"
	usleep 500000
}

# counted_there: the numbers of PageOffline and of free pages in memory$D
there() {
	counted oracle count "$(block_range "$D")"
	echo "$C_offline $C_buddy"
}

# accounts PAGES: MemTotal has the new block, less this number of pages
accounts() {
	expect_eq "MemTotal in kB, with a new block but for $1 pages" \
		$((BASE_TOTAL + 4 * (BLOCK_PAGES - $1))) "$(mem_total)"
}

state_there() {
	awk -v s="$1" '$1 == s { print $9 }' "$FO"/ranges
}

begin() {
	D=$((B4 + 1))
	no_block || failed "memory$D is there"
	auto=/sys/devices/system/memory/auto_online_blocks
	auto_was=$(cat "$auto")
}

# The word is required, and it does not help where no memory can ever be.
word() {
	begin
	unchanged "a mark in the void" ENXIO mark_raw "$(block_pfn "$D" 9) 1"
	expect_eq "its code" "code no_memory" "$(grep ^code "$FO"/last_refusal)"
	unchanged "a mark beyond all memory" ENXIO mark_raw "68719476736 1 absent"
	expect_eq "its code" "code not_pluggable" "$(grep ^code "$FO"/last_refusal)"
	expect_eq "with the word" ok "$(mark_raw "$(block_pfn "$D" 9) 1 absent")"
	expect_eq "its state" waiting "$(state_there "$(block_pfn "$D" 9)")"
	expect_eq "unmark" ok "$(tryio write "$FO"/unmark "$(block_pfn "$D" 9) 1")"
	check_all "after unmark"
}

# kernel_onlines MARKED…: the kernel itself brings the new block online, in
# ZONE_MOVABLE. No marked page is in the buddy allocator at any time.
kernel_onlines() {
	begin
	echo online_movable >"$auto"
	start=$(block_start "$D")
	printf '%d 1 absent\n%d 5 absent\n%d 4096 canary absent\n%d 1 absent unskippable\n' \
		"$start" $((start + 1021)) $((start + 8192)) $((start + BLOCK_PAGES - 1)) \
		>"$TMP/absent"
	expect_eq "marks" ok "$(mark_file "$TMP/absent")"
	stats_mark
	plug online
	expect_stats "withheld_pages 4103"
	expect_eq "PageOffline pages there" 4103 "$(there | cut -d' ' -f1)"
	expect_eq "marked pages in the buddy allocator" 0 \
		"$(count_of buddy "$(oracle count "$start+1" "$((start + 1021))+5" \
			"$((start + 8192))+4096" "$((start + BLOCK_PAGES - 1))+1")")"
	accounts 4103
	expect_eq "its state" in_force "$(state_there "$start")"
	expect_eq "canaries broken, and checked" "0 4096" \
		"$(verify_value canary_broken) $(verify_value canary)"
	# Another DIMM comes in its place. The marks have stayed with the place.
	expect_eq "unmark the unskippable page" ok \
		"$(tryio write "$FO"/unmark "$((start + BLOCK_PAGES - 1)) 1")"
	unplug
	expect_eq "states without the DIMM" waiting "$(state_there "$start")"
	plug online
	expect_eq "PageOffline pages of another DIMM there" 4102 "$(there | cut -d' ' -f1)"
	accounts 4102
	expect_eq "canaries broken, and checked" "0 4096" \
		"$(verify_value canary_broken) $(verify_value canary)"
	expect_eq "unmark all" ok "$(tryio write "$FO"/unmark all)"
	accounts 0
	unplug
	echo "$auto_was" >"$auto"
	check_all "without the DIMM"
}

# A mark without the word is gone with its DIMM. A mark with the word stays, also if the
# memory was there when it was made.
goes_or_stays() {
	begin
	plug offline
	start=$(block_start "$D")
	expect_eq "a mark that goes" ok "$(mark_raw "$((start + 100)) 10")"
	expect_eq "a mark that stays" ok "$(mark_raw "$((start + 200)) 10 absent")"
	go "$D" online_movable
	accounts 20
	unplug
	expect_eq "ranges left" "$((start + 200)) 10" \
		"$(awk '!/^#/ { print $1, $2 }' "$FO"/ranges)"
	plug offline
	go "$D" online_movable
	accounts 10
	expect_eq "PageOffline pages" 10 "$(there | cut -d' ' -f1)"
	expect_failing "the mark that went" expect_eq "PageOffline pages" 20 \
		"$(there | cut -d' ' -f1)"
	expect_eq "unmark all" ok "$(tryio write "$FO"/unmark all)"
	unplug
	check_all "without the DIMM"
}

run_tests word kernel_onlines goes_or_stays
