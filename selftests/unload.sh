#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The module is unloaded. Pages in online blocks return to the kernel. Pages in offline
# blocks are forgotten and come online with their block. MemTotal is as at first, no page
# is PageOffline, and the online-page hook is free.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# unload_now: runs rmmod, after which nothing is marked
unload_now() {
	expect_status "rmmod" 0 rmmod fake_offline
	expect_eq "the directory in debugfs after that" gone \
		"$([ -d "$FO" ] && echo there || echo gone)"
	: >"$MARKS"
	check_accounts "after rmmod"
	check_everywhere "after rmmod"
	check_isolated "after rmmod"
}

# back [hog]: all blocks come online, all memory is there and can be allocated, and the
# module can be loaded and used again
back() {
	block_states
	for back_b in $OFFLINE; do
		go "$back_b" online_movable
	done
	expect_eq "MemTotal in kB" "$BASE_TOTAL" "$(mem_total)"
	check_everywhere "with everything online"
	# "mark" only makes pages that the hog must not get.
	expect_status "modprobe again" 0 load_module
	expect_eq "hook" free "$(stat_value hook)"
	mark "$(block_pfn "$B1" 55)" 1
	expect_eq "hook with a mark" held "$(stat_value hook)"
	if [ "${1-}" = hog ]; then
		check_hog "after another modprobe" "$B2"
	fi
	go "$B1" offline
	go "$B1" online_movable
	check_all "after another offline and online"
	unmark_all
	expect_eq "hook without a mark" free "$(stat_value hook)"
	check_all "at last"
}

nothing_marked() {
	expect_eq "hook" free "$(stat_value hook)"
	unload_now
	back
}

ranges_online() {
	mark_shape "$B2"
	mark "$(block_pfn "$B1" 3)" 5 unskippable canary
	check_all "before rmmod"
	unload_now
	back hog
}

ranges_normal() {
	mark_shape "$B2"
	to_zone "$B2" Normal
	check_all "before rmmod"
	# The block returns to ZONE_MOVABLE before rmmod. The kernel may take pages that
	# become free in ZONE_NORMAL at once, and the block could not leave that zone. A
	# range of the sink shows that pages return to ZONE_NORMAL.
	to_zone "$B2" Movable
	expect_eq "any 100 zone=Normal" ok "$(mark_raw "any 100 zone=Normal canary")"
	awk '!/^#/ && $6 == "Normal" { print $1, $2, $3, $4 }' "$FO"/ranges >>"$MARKS"
	check_all "with marks in ZONE_NORMAL"
	unload_now
	back
}

ranges_offline() {
	mark_shape "$B2"
	go "$B2" offline
	check_all "before rmmod"
	unload_now
	back hog
}

half_half() {
	mark_shape "$B1"
	mark_shape "$B2"
	go "$B1" offline
	check_all "before rmmod"
	unload_now
	back
}

# One range, half of it in an offline block.
split_range() {
	mark "$(block_pfn "$B2" -300)" 700 canary
	go "$B2" offline
	check_all "before rmmod"
	unload_now
	back hog
}

# The same, the other way round.
split_range_first() {
	mark "$(block_pfn "$B2" -300)" 700
	go "$B1" offline
	check_all "before rmmod"
	unload_now
	back
}

after_failed_offline() {
	mark_shape "$B2"
	expect_eq "arm" ok "$(tryio write "$FO"/inject "offline late -16 1
offline after -12 1")"
	refuse "$B2" offline ENOMEM
	refuse "$B2" offline EBUSY
	check_all "before rmmod"
	unload_now
	back hog
}

after_failed_online() {
	mark_shape "$B2"
	go "$B2" offline
	expect_eq "arm" ok "$(tryio write "$FO"/inject "online after -12 1")"
	refuse "$B2" online_movable ENOMEM
	check_all "before rmmod"
	unload_now
	back
}

# The last range gives the hook back, also when it is in an offline block.
hook_slot() {
	expect_eq "hook without a range" free "$(stat_value hook)"
	mark "$(block_pfn "$B2" 5)" 1
	expect_eq "hook with a range" held "$(stat_value hook)"
	mark "$(block_pfn "$B1" 5)" 1
	unmark "$(block_pfn "$B1" 5)" 1
	expect_eq "hook with one of two ranges given back" held "$(stat_value hook)"
	go "$B2" offline
	unmark "$(block_pfn "$B2" 5)" 1
	expect_eq "hook without a range" free "$(stat_value hook)"
	check_all "with a range forgotten"
	go "$B2" online_movable
	check_all "with everything online"
}

# Unloading fails while a file is open and while an operation runs; see interrupt.sh, too.
refused() {
	mark "$(block_pfn "$B2" 5)" 3 canary
	for refused_file in ranges verify stats; do
		exec 7<"$FO/$refused_file"
		expect_status "rmmod with $refused_file open" 1 \
			rmmod fake_offline 2>/dev/null
		exec 7<&-
		check_all "after rmmod was refused"
	done
	for refused_file in mark unmark block_offline inject; do
		exec 7>>"$FO/$refused_file"
		expect_status "rmmod with $refused_file open" 1 \
			rmmod fake_offline 2>/dev/null
		exec 7>&-
	done
	check_all "after rmmod was refused"
	unload_now
	back
}

run_tests nothing_marked ranges_online ranges_normal ranges_offline half_half \
	split_range split_range_first after_failed_offline after_failed_online \
	hook_slot refused
