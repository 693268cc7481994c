#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A DIMM with marks is unplugged: its marks are gone with it, and those of another DIMM
# stay. The same DIMM is plugged again: its pages are ordinary memory, whether or not the
# list of ranges was read in between.
#
# This script needs a guest of its own with two DIMMs of two blocks each, and qemu-monitor:
#	vm/run --dimm 256M --dimm 256M -- unplug.sh
# $B1 and $B2 are dimm1, $B3 and $B4 dimm2.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"
four_movable

dimm_gone() {
	[ ! -e "$SYSMEM/memory$B1" ] && [ ! -e "$SYSMEM/memory$B2" ]
}

dimm_there() {
	[ -e "$SYSMEM/memory$B1/state" ] && [ -e "$SYSMEM/memory$B2/state" ] &&
		return
	# QEMU refuses until the firmware has finished the removal.
	qemu-monitor device_add pc-dimm,id=dimm1,memdev=mem1
	usleep 500000
	return 1
}

unplug() {
	qemu-monitor device_del dimm1
	wait_for "dimm1 to go" dimm_gone
}

plug() {
	wait_for "dimm1 to come back" dimm_there
	for plug_b in $B1 $B2; do
		expect_eq "memory$plug_b" offline "$(block_state "$plug_b")"
	done
}

# drop_marks: $MARKS loses the marks in dimm1
drop_marks() {
	forget "$(block_start "$B1")" $((2 * BLOCK_PAGES))
}

# Both clients have marks in both DIMMs, some across blocks, and one across DIMMs.
marked() {
	mark_shape "$B2"
	unmark "$(block_pfn "$B3" -1)" 1
	mark "$(block_pfn "$B2" -50)" 51 canary
	mark "$(block_pfn "$B3" -20)" 40 canary
	mark "$(block_pfn "$B3" 9000)" 300
	mark "$(block_pfn "$B4" 9000)" 3 canary
	balloon_load pages=2000 chunk=50
	balloon_note
	for marked_b in $B1 $B2 $B3; do
		expect_at_least "pages of the balloon in memory$marked_b" 50 \
			"$(balloon_noted "$marked_b")"
	done
	check_all "when marked"
}

# After drop_marks the balloon's list has only the marks that are left.
drop_all() {
	drop_marks
	drop_size=$(awk -v from="$B1" -v to="$B2" -v bp="$BLOCK_PAGES" '
	{ b = int($1 / bp); if (b < from || b > to) sum += $2 }
	END { print sum + 0 }' "$TMP/balloon")
}

finish() {
	check_hog "at last" "$B2"
	expect_events "at last" "$@"
	balloon_unload
	unmark_all
	check_all "after unmark"
	check_everywhere "after unmark"
	expect_eq "MemTotal in kB" "$BASE_TOTAL" "$(mem_total)"
	expect_eq "zones" "$BASE_ZONES" "$(zones)"
}

# The list of ranges is read while the DIMM is unplugged.
look() {
	marked
	go "$B1" offline
	go "$B2" offline
	check_all "while offline"
	expect_events "while offline" 2 0 2 0 0
	unplug
	check_accounts "without the DIMM" 2>/dev/null
	drop_all
	check_listed "without the DIMM"
	expect_events "without the DIMM" 2 0 2 0 2
	expect_eq "the balloon's size" "$drop_size" "$(balloon_pages)"
	check_verify "without the DIMM" 2>/dev/null
	expect_events "after another look" 2 0 2 0 2
	expect_eq "mark a page that is not there" ENXIO \
		"$(mark_raw "$(block_pfn "$B2" 100) 1")"
	plug
	check_all "with the DIMM, offline"
	for look_b in $B1 $B2; do
		go "$look_b" online_movable
		check_all "with memory$look_b online"
	done
	check_everywhere "with the DIMM online"
	finish 2 0 2 0 2
}

# Only the kernel's files are read until the blocks are online again.
blind() {
	marked
	go "$B1" offline
	go "$B2" offline debugfs
	unplug
	check_accounts "without the DIMM" 2>/dev/null
	plug
	expect_events "with the DIMM, offline" 2 0 2 0 0
	drop_all
	go "$B2" online_movable
	check_accounts "with memory$B2 online"
	check_everywhere "with memory$B2 online"
	expect_events "with memory$B2 online" 2 0 2 0 1
	go "$B1" online_movable
	check_accounts "with the DIMM online"
	check_everywhere "with the DIMM online"
	expect_events "with the DIMM online" 2 0 2 0 2
	check_all "with the DIMM online"
	expect_eq "the balloon's size" "$drop_size" "$(balloon_pages)"
	finish 2 0 2 0 2
}

# All marks were in the DIMM. The hook is given back when it is unplugged, and the module
# is as if freshly loaded.
all_of_it() {
	mark_shape "$B2"
	unmark "$(block_pfn "$B3" -1)" 1
	mark "$(block_pfn "$B1" 77)" 1
	go "$B1" offline
	go "$B2" offline
	unplug
	: >"$MARKS"
	check_listed "without the DIMM"
	expect_eq "hook" free "$(stat_value hook)"
	expect_eq "unmark all" ok "$(tryio write "$FO"/unmark all)"
	plug
	go "$B1" online_movable
	go "$B2" online_movable
	check_all "with the DIMM online"
	mark_shape "$B2"
	expect_eq "hook" held "$(stat_value hook)"
	go "$B2" offline
	go "$B2" online_movable
	check_all "after a cycle"
	check_hog "after a cycle" "$B2"
	unmark_all
	check_all "after unmark"
}

# The twin: the same without the unplugging. The marks stay.
stays() {
	mark "$(block_pfn "$B2" 100)" 5 canary
	go "$B1" offline
	go "$B2" offline
	go "$B1" online_movable
	go "$B2" online_movable
	check_all "after a cycle"
	drop_marks
	expect_failing "a DIMM that was not away" check_listed "as if it had been"
	expect_failing "a DIMM that was not away, by the kernel's flags" \
		check_everywhere "as if it had been"
	unmark_all
}

# ejected: the kernel has refused the firmware's request for the removal once more than
# before
refusals() {
	dmesg | grep -c 'Offline failed'
}

refused_again() {
	[ "$(refusals)" -gt "$refusals_before" ]
}

b2_online() {
	[ "$(block_state "$B2")" = online ]
}

# One block of the DIMM refuses: the DIMM stays, with all of its marks. If no block
# refuses, the kernel takes the blocks offline by itself when the firmware asks for the
# DIMM.
refusing() {
	mark_shape "$B2"
	unmark "$(block_pfn "$B3" -1)" 1
	mark "$(block_pfn "$B2" 30001)" 5 unskippable canary
	mark "$(block_pfn "$B3" 9000)" 3 canary
	go "$B1" offline
	check_all "with one block offline"
	refusals_before=$(refusals)
	qemu-monitor device_del dimm1
	wait_for "the removal to be refused" refused_again
	wait_for "memory$B2 to be online again" b2_online
	expect_eq "the blocks" "offline online" "$(block_state "$B1") $(block_state "$B2")"
	check_all "after the refusal"
	check_hog "after the refusal" "$B2"
	expect_eq "the page in the way" \
		"PFN $(hex "$(block_pfn "$B2" 30001)") refused: marked unskippable by debugfs" \
		"$(failure_value reason)"

	unmark "$(block_pfn "$B2" 30001)" 5
	stats_mark
	unplug
	expect_stats "offline_done 1"
	drop_marks
	check_listed "without the DIMM"
	plug
	go "$B1" online_movable
	go "$B2" online_movable
	check_all "with the DIMM online"
	check_everywhere "with the DIMM online"
	check_hog "with the DIMM online" "$B2"
	unmark_all
	check_all "after unmark"
	expect_eq "MemTotal in kB" "$BASE_TOTAL" "$(mem_total)"
	expect_eq "zones" "$BASE_ZONES" "$(zones)"
}

run_tests look blind all_of_it stays refusing
