#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A module allocates a page by its number, in a memory block that goes offline and has
# just been isolated. alloc_contig_range() fails then. On a stock kernel it also ends the
# isolation of that page block, which another task began, so the offlining repeats without
# end. fake_offline prevents that. A kernel with the series in kernel/ leaves the
# isolation alone.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"

RIVAL=/sys/module/rival/parameters

# fixed: this kernel has the series in kernel/
fixed() {
	case $(uname -r) in
	*-native*) true ;;
	*) false ;;
	esac
}

rival_start() {
	expect_status "modprobe rival" 0 modprobe rival pfn="$(block_pfn "$B2" 9000)"
}

# rival_stop TRIED: the rival tried this often, and did not get the page
rival_stop() {
	expect_eq "tries of the rival, and its last errno" "$1 -16" \
		"$(cat "$RIVAL"/tried) $(cat "$RIVAL"/result)"
	expect_status "rmmod rival" 0 rmmod rival
}

# With fake_offline, the block goes offline, or is refused at once and is as before.
noticed() {
	mark_shape "$B2"
	trace_start
	rival_start
	if fixed; then
		go "$B2" offline
		rival_stop 1
		check_all "while offline"
		go "$B2" online_movable
	else
		refuse "$B2" offline EBUSY
		expect_reason "after it was refused" "$B2" -16 -1 \
			"another task was allocating pages there at the same time, and undid the isolation"
		rival_stop 1
	fi
	trace_stop
	check_all "after the tries of the rival"
	check_isolated "after the tries of the rival"
	# Nothing of the attempt is left.
	go "$B2" offline
	go "$B2" online_movable
	check_all "after a cycle"
	unmark_all
	check_all "after unmark"
}

# Without fake_offline, the offlining does not end. A signal ends it.
without_us() {
	expect_status "modprobe -r fake_offline" 0 modprobe -r fake_offline
	rival_start
	if fixed; then
		go "$B2" offline
		rival_stop 1
		go "$B2" online_movable
	else
		# On a slow machine the time limit may come before the attempt.
		without_limit=2
		until [ "$without_limit" -gt 500 ]; do
			timeout -s KILL "$without_limit" \
				tryio write "$SYSMEM/memory$B2/state" offline
			without_status=$?
			[ "$(cat "$RIVAL"/tried)" = 0 ] || break
			without_limit=$((without_limit * 3))
		done
		expect_eq "status of an offlining that does not end" 137 "$without_status"
		expect_eq "memory$B2 after that" online "$(block_state "$B2")"
		rival_stop 1
	fi
	check_isolated "after the tries of the rival"
	go "$B2" offline
	go "$B2" online_movable
	expect_status "modprobe fake_offline" 0 load_module
	check_all "after a cycle without fake_offline"
}

run_tests noticed without_us
