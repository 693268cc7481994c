#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Marks in an offline memory block are records. Their pages, down to single ones, are
# withheld when the block comes online the next time, whatever brings it online.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# states_of BLOCK: the states in which ranges of the block are listed
states_of() {
	awk -v from="$(block_start "$1")" -v to="$(block_start $(($1 + 1)))" '
	$1 >= from && $1 < to { print $9 }' "$FO"/ranges | sort -u | tr '\n' ' '
}

# expect_withheld NR: since stats_mark, NR pages were withheld, and no page was taken from
# the kernel, so only records can have done it
expect_withheld() {
	expect_stats "withheld_pages $1" "mark_failures 0"
}

# first_online TYPE VIA: marks of all kinds in an offline block
first_online() {
	go "$B2" offline
	stats_mark
	mark_shape "$B2"
	mark "$(block_pfn "$B2" 30001)" 1 unskippable
	expect_eq "states while offline" "waiting " "$(states_of "$B2")"
	check_all "while offline"
	go "$B2" "$1" "$2"
	expect_withheld "$(marks_pages <"$MARKS")"
	expect_eq "states when online" "in_force " "$(states_of "$B2")"
	check_all "at the first onlining"
	check_hog "at the first onlining" "$B2"
	# The canaries were filled on the way, and a broken one is found.
	expect_at_least "canaries that were checked" 4096 "$(verify_value canary)"
	refuse "$B2" offline EBUSY
	check_all "after the unskippable page refused"
	unmark "$(block_pfn "$B2" 30001)" 1
	go "$B2" offline
	go "$B2" online_movable
	check_all "after a cycle"
	unmark_all
	check_all "after unmark"
}

# A whole block is withheld: its zone has no page of it.
whole() {
	go "$B2" offline
	whole_total=$(mem_total)
	mark "$(block_start "$B2")" "$BLOCK_PAGES" canary
	check_all "while offline"
	go "$B2" online_movable
	expect_eq "MemTotal is as without the block" "$whole_total" "$(mem_total)"
	check_all "when online"
	expect_eq "pages of the block in the buddy allocator" 0 \
		"$(count_of buddy "$(oracle count "$(block_range "$B2")")")"
	unmark "$(block_pfn "$B2" 100)" 1000
	check_all "after a part was given back"
	unmark_all
	check_all "after unmark"
	check_hog_free "$B2"
}

# check_hog_free BLOCK: every page of it can be allocated again, but for a few
check_hog_free() {
	expect_at_least "pages of memory$1 in the buddy allocator" \
		$((BLOCK_PAGES - 2048)) \
		"$(count_of buddy "$(oracle count "$(block_range "$1")")")"
}

# Records can be changed and given back, in part, before they ever come into force.
forgotten() {
	go "$B2" offline
	mark "$(block_pfn "$B2" 1000)" 5000 canary
	mark "$(block_pfn "$B2" 20000)" 10 unskippable
	unmark "$(block_pfn "$B2" 2000)" 100
	unmark "$(block_pfn "$B2" 1000)" 1
	check_all "after parts were given back"
	expect_eq "make some skippable" ok \
		"$(tryio write "$FO"/skippable "$(block_pfn "$B2" 20000) 10 1")"
	sed -i "s/^$(block_pfn "$B2" 20000) 10 0 0\$/$(block_pfn "$B2" 20000) 10 1 0/" "$MARKS"
	check_all "after some were made skippable"
	expect_failing "a mark that is not there" expect_eq "a second mark of the same" \
		ok "$(mark_raw "$(block_pfn "$B2" 1500) 1")"
	go "$B2" online_movable
	check_all "when online"
	unmark_all
	go "$B2" offline
	mark "$(block_pfn "$B2" 1)" 32000 canary
	unmark_all
	stats_mark
	go "$B2" online_movable
	expect_withheld 0
	check_all "when all was given back while offline"
}

# A range covers two blocks, of which one is offline: both halves are in force.
mixed() {
	go "$B2" offline
	mark "$(block_pfn "$B2" -300)" 801 canary
	expect_eq "states in the online block" "in_force " "$(states_of "$B1")"
	expect_eq "states in the offline block" "waiting " "$(states_of "$B2")"
	check_all "when marked"
	go "$B2" online_movable
	expect_ranges "of one range, all in force" "$(block_pfn "$B2" -300) 801 1 1"
	check_all "when online"
	go "$B1" offline
	go "$B2" offline
	unmark_all
	go "$B1" online_movable
	go "$B2" online_movable
	check_all "after unmark"
}

# Onlining fails and leaves the records. The pages are withheld the next time.
fails() {
	go "$B2" offline
	mark_shape "$B2"
	for fails_point in before after; do
		expect_eq "arm" ok "$(tryio write "$FO"/inject "online $fails_point -12 1")"
		refuse "$B2" online_movable ENOMEM
		expect_eq "states after that" "waiting " "$(states_of "$B2")"
		check_all "after a failed onlining ($fails_point)"
	done
	go "$B2" online_movable
	check_all "when online"
	check_hog "when online" "$B2"
	unmark_all
}

# A mark waits for an operation on its block, and then does what the new state needs.
meanwhile() {
	tenant_start 20 "$B2"
	pin_answer=$(tenant_ask pin)
	expect_eq "a page is pinned" pfn "${pin_answer% *}"
	tryio write "$SYSMEM/memory$B2/state" offline >"$TMP/hang" 2>&1 &
	while_pid=$!
	until [ "$(tenant_ask where)" = "inside 1" ]; do usleep 10000; done
	tryio write "$FO"/mark "$(block_pfn "$B2" 5) 3" >"$TMP/waits" 2>&1 &
	waits_pid=$!
	sleep 1
	expect_status "the mark waits" 0 kill -0 "$waits_pid"
	expect_eq "unpin" unpinned "$(tenant_ask unpin)"
	wait "$while_pid"
	expect_eq "the offlining" ok "$(cat "$TMP/hang")"
	wait "$waits_pid"
	expect_eq "the mark" ok "$(cat "$TMP/waits")"
	note_mark "$(block_pfn "$B2" 5)" 3
	expect_eq "its state" "waiting " "$(states_of "$B2")"
	check_all "while offline"
	go "$B2" online_movable
	check_all "when online"
	tenant_stop
	unmark_all
}

# The twin: without a mark, nothing is withheld, and the checks show that.
unmarked() {
	go "$B2" offline
	note_mark "$(block_pfn "$B2" 700)" 3 canary
	go "$B2" online_movable
	expect_failing "pages that were never marked" check_pages "without a mark"
	expect_failing "pages that were never marked" check_accounts "without a mark"
	: >"$MARKS"
}

run_tests "first_online online_movable sysfs" "first_online online_kernel sysfs" \
	"first_online online debugfs" whole forgotten mixed fails meanwhile unmarked
