#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The tracepoints: every operation is in the trace once, with its PFN, count, block and
# result. Nothing else is.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"

# All events, and the fields that trace-cmd and perf find.
formats() {
	expect_eq "events" "fake_offline_cancel
fake_offline_going_offline
fake_offline_inject
fake_offline_offline
fake_offline_release
fake_offline_take
fake_offline_veto
fake_offline_withhold" "$(cd "$TRACE/events/fake_offline" && ls -d fake_offline_*)"
	for formats_event in take release going_offline cancel offline withhold; do
		expect_eq "fields of $formats_event" \
			"pfn count block result flags owner" \
			"$(fields "fake_offline_$formats_event")"
	done
	expect_eq "fields of veto" "pfn count block culprit result reason" \
		"$(fields fake_offline_veto)"
	expect_eq "fields of inject" "pfn count block result action point" \
		"$(fields fake_offline_inject)"
}

# fields EVENT: its own fields
fields() {
	sed -n 's/^	field:[a-z ]* \([a-z_]*\)\(\[[0-9]*\]\)*;.*/\1/p' \
		"$TRACE/events/fake_offline/$1/format" |
		grep -v ^common_ | tr '\n' ' ' | sed 's/ $//'
}

# Pages are taken and given back.
marking() {
	trace_start
	marking_s=$(block_pfn "$B2" 5000)
	mark "$marking_s" 100 canary
	expect_trace "of a mark" "$(traced take "$marking_s" 100 0)"
	expect_eq "mark again" EEXIST "$(mark_raw "$((marking_s + 99)) 2")"
	expect_trace "of a mark refused before anything was tried"
	expect_eq "arm" ok "$(tryio write "$FO"/inject "mark stray -16 1")"
	expect_eq "mark with a stray reference" EBUSY "$(mark_raw "$((marking_s + 200)) 9")"
	expect_trace "of a mark that failed" \
		"$(traced inject $((marking_s + 200)) 9 -16) action=mark point=stray" \
		"$(traced take $((marking_s + 200)) 9 -16)"
	expect_eq "arm" ok "$(tryio write "$FO"/inject "mark corrupt -5 1")"
	expect_eq "mark with a broken canary" ok "$(mark_raw "$((marking_s + 200)) 9 canary")"
	expect_trace "of a corrupt one" \
		"$(traced inject $((marking_s + 200)) 9 -5) action=mark point=corrupt" \
		"$(traced take $((marking_s + 200)) 9 0)"
	expect_eq "canaries broken" 1 "$(verify_value canary_broken)"
	expect_eq "unmark it" ok "$(tryio write "$FO"/unmark "$((marking_s + 200)) 9")"
	expect_trace "of an unmark" "$(traced release $((marking_s + 200)) 9 0)"
	# A range in two blocks makes one event.
	mark "$(block_pfn "$B2" -30)" 50
	expect_trace "of a range in two blocks" \
		"$(traced take "$(block_pfn "$B2" -30)" 50 0)"
	unmark $((marking_s + 10)) 20
	expect_trace "of a part" "$(traced release $((marking_s + 10)) 20 0)"
	expect_eq "unmark a page without a mark" ENOENT \
		"$(tryio write "$FO"/unmark "$((marking_s + 10)) 20")"
	expect_trace "of an unmark that was refused"
	unmark_all
	expect_trace "of \"unmark all\"" \
		"$(traced release "$(block_pfn "$B2" -30)" 50 0)" \
		"$(traced release "$marking_s" 10 0)" \
		"$(traced release $((marking_s + 30)) 70 0)"
	check_all "after unmark"
	trace_stop
}

# marks_for_trace: makes three ranges in $B2, one of them with canaries. So the withheld
# runs do not depend on the kernel's largest order.
marks_for_trace() {
	tm=$(block_pfn "$B2" 0)
	mark $((tm + 1)) 3 canary
	mark $((tm + 700)) 11
	mark $((tm + BLOCK_PAGES - 1)) 1 canary
}

# withheld: the events of such a block when it comes online
withheld() {
	traced withhold $((tm + 1)) 3 0
	echo
	traced withhold $((tm + 700)) 11 0
	echo
	traced withhold $((tm + BLOCK_PAGES - 1)) 1 0
}

# cycle VIA
cycle() {
	marks_for_trace
	trace_start
	go "$B2" offline "$1"
	expect_trace "of an offlining" "$(traced_block going_offline "$B2" 0)" \
		"$(traced_block offline "$B2" 0)"
	go "$B2" online_movable "$1"
	expect_trace "of an onlining" "$(withheld)"
	# A block without marks has its events, too, and withholds nothing.
	go "$B1" offline "$1"
	go "$B1" online_movable "$1"
	expect_trace "of a block without marks" \
		"$(traced_block going_offline "$B1" 0)" \
		"$(traced_block offline "$B1" 0)"
	unmark_all
	trace_stop
}

# Every way to fail.
failures() {
	marks_for_trace
	trace_start
	failures_last=$((tm + BLOCK_PAGES - 1))
	expect_eq "arm" ok "$(tryio write "$FO"/inject "offline before -12 1
offline after -5 1
offline late -16 1")"
	expect_trace "of arming"
	refuse "$B2" offline ENOMEM
	expect_trace "of a failure before" \
		"$(traced_inject "$B2" -12 offline before)" \
		"$(traced_veto "$B2" -12 -1 "vetoed: injected before the module's own work, errno -12")" \
		"$(traced_block cancel "$B2" 1)"
	refuse "$B2" offline EIO
	expect_trace "of a failure after" \
		"$(traced_inject "$B2" -5 offline after)" \
		"$(traced_veto "$B2" -5 -1 "vetoed: injected after the module's own work, errno -5")" \
		"$(traced_block going_offline "$B2" -5)" \
		"$(traced_block cancel "$B2" 0)"
	refuse "$B2" offline EBUSY
	expect_trace "of a late failure" \
		"$(traced_inject "$B2" -16 offline late)" \
		"$(traced_block going_offline "$B2" 0)" \
		"$(traced_block cancel "$B2" 0)" \
		"$(traced_veto "$B2" -16 "$failures_last" "PFN $(hex "$failures_last") refused: injected")"
	expect_eq "arm" ok "$(tryio write "$FO"/inject "offline late -4 1")"
	refuse "$B2" offline EINTR
	expect_trace "of an interruption" \
		"$(traced_inject "$B2" -4 offline late)" \
		"$(traced_block going_offline "$B2" 0)" \
		"$(traced_block cancel "$B2" 0)" \
		"$(traced_veto "$B2" -4 -1 "interrupted: injected")"
	load_notifier_errors 1
	notifier_error MEM_GOING_OFFLINE -12
	refuse "$B2" offline ENOMEM
	expect_trace "of a veto before the module" \
		"$(traced_block cancel "$B2" 1)" \
		"$(traced_veto "$B2" -125 -1 "vetoed by another notifier, before this module's")"
	unload_notifier_errors
	go "$B2" offline
	echo >"$TRACE/trace"
	expect_eq "arm" ok "$(tryio write "$FO"/inject "online after -12 1")"
	refuse "$B2" online_movable ENOMEM
	expect_trace "of an onlining that failed" \
		"$(traced_inject "$B2" -12 online after)" \
		"$(traced_veto "$B2" -12 -1 "vetoed: injected after the module's own work, errno -12")"
	go "$B2" online_movable
	expect_trace "of one that worked" "$(withheld)"
	unmark_all
	trace_stop
}

# A client's veto has the client's name and words.
client() {
	balloon_load pages=2000 chunk=50
	balloon_note
	balloon_set refuse 1
	trace_start
	refuse "$B2" offline EBUSY
	expect_trace "of a client's veto" \
		"$(traced_veto "$B2" -16 -1 "vetoed by balloon: the balloon was told to refuse")" \
		"$(traced_block going_offline "$B2" -16)" \
		"$(traced_block cancel "$B2" 0)"
	balloon_set refuse 0
	balloon_unload
	check_all "after the balloon was unloaded"
	trace_stop
}

# The twins: events that are off are not in the trace, and a wrong expectation is found.
off() {
	trace_start
	mark "$(block_pfn "$B2" 9)" 4
	expect_failing "a trace that is expected to be empty" expect_trace "none"
	mark "$(block_pfn "$B2" 20)" 4
	expect_failing "a count that is wrong" expect_trace "of a mark" \
		"$(traced take "$(block_pfn "$B2" 20)" 5 0)"
	echo 0 >"$TRACE/events/fake_offline/enable"
	echo >"$TRACE/trace"
	go "$B2" offline
	go "$B2" online_movable
	unmark_all
	expect_trace "with all events off"
	echo 1 >"$TRACE/events/fake_offline/fake_offline_release/enable"
	mark "$(block_pfn "$B2" 9)" 4
	unmark "$(block_pfn "$B2" 9)" 4
	expect_trace "with one event on" "$(traced release "$(block_pfn "$B2" 9)" 4 0)"
	trace_stop
}

# owners "EVENT OWNER FLAGS"…: the events since then that have worked
owners() {
	expect_eq "owner and flags in the trace" "$(printf '%s\n' "$@")" \
		"$(sed -n 's/^[^#].*: fake_offline_\([a-z_]*\): .* result=0 owner=\([^ ]*\) flags=\(0x[0-9a-f]*\)$/\1 \2 \3/p' "$TRACE/trace")"
	echo >"$TRACE/trace"
}

# The trace names the owner of a range and its flags: skippable is 0x1, a canary 0x2.
owner() {
	trace_start
	mark "$(block_pfn "$B2" 9)" 4
	mark "$(block_pfn "$B2" 700)" 4 unskippable canary
	unmark "$(block_pfn "$B2" 9)" 4
	owners "take debugfs 0x1" "take debugfs 0x2" "release debugfs 0x1"
	balloon_load pages=10 chunk=50
	owners "take balloon 0x3"
	balloon_unload
	echo >"$TRACE/trace"
	expect_failing "no owner" owners "release debugfs 0x1"
	unmark_all
	trace_stop
}

run_tests owner formats marking "cycle sysfs" "cycle debugfs" failures client off
