#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# No task of the module waits for something that may never end, and a signal ends every
# wait of a user's task. Meanwhile, a page that a process has pinned makes an offlining go
# on endlessly.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"

# in_d: names of tasks in state D that may wait for the module
in_d() {
	for d_status in /proc/[0-9]*/status; do
		awk '$1 == "Name:" { n = $2 } $1 == "State:" { s = $2 }
			END { if (s == "D") print n }' "$d_status" 2>/dev/null
	done | grep -E 'fake_off|modprobe|tryio' | tr '\n' ' '
}

some_in_d() {
	[ -n "$(in_d)" ]
}

none_in_d() {
	expect_eq "tasks in state D $1" "" "$(in_d)"
}

# The module is loaded during an offlining that it has not seen. It is loaded at once, a
# mark waits until a signal, and the module can be unloaded.
loading() {
	expect_status "rmmod" 0 modprobe -r fake_offline
	hanging
	expect_status "modprobe" 0 load_module
	none_in_d "after modprobe"
	tryio write "$FO"/mark "$(block_pfn "$B3" 1050) 1" >"$TMP/waits" 2>&1 &
	waits_pid=$!
	wait_for "a mark to begin" in_write "$waits_pid"
	sleep 2
	expect_status "a mark waits" 0 kill -0 "$waits_pid"
	none_in_d "while a mark waits"
	kill -KILL "$waits_pid"
	wait "$waits_pid"
	expect_eq "exit status of the mark that was killed" 137 $?
	expect_status "rmmod meanwhile" 0 modprobe -r fake_offline
	expect_status "modprobe again" 0 load_module
	tryio write "$FO"/mark "$(block_pfn "$B3" 1050) 1" >"$TMP/waits" 2>&1 &
	waits_pid=$!
	sleep 1
	end_hanging
	wait "$waits_pid"
	expect_eq "the mark, when the offlining has ended" ok "$(cat "$TMP/waits")"
	note_mark "$(block_pfn "$B3" 1050)" 1
	check_all "at last"
	unmark_all
}

# An offlining that the module has seen holds it: rmmod reports that, and nothing is lost.
unloading() {
	mark "$(block_pfn "$B3" 50)" 7
	hanging
	expect_failing "rmmod" expect_status "" 0 rmmod fake_offline
	expect_status "the files are still there" 0 test -f "$FO"/stats
	check_listed "after rmmod was refused"
	# The twin shows that a task in state D is seen. The kernel's own soft_offline_page
	# waits for the offlining, and nothing ends that wait. Afterwards it does nothing to
	# a marked page.
	tryio write "$SYSMEM"/soft_offline_page $(($(block_pfn "$B3" 50) * 4096)) \
		>"$TMP/soft" 2>&1 &
	soft_pid=$!
	wait_for "a task in state D" some_in_d
	expect_failing "a task in state D is noticed" none_in_d "now"
	end_hanging
	wait "$soft_pid"
	expect_eq "soft-offlining a marked page" EIO "$(cat "$TMP/soft")"
	none_in_d "after the offlining has ended"
	check_all "after the offlining has ended"
	unmark_all
}

# The first mark does not need to wait for an offlining elsewhere, and no task of the
# module hangs behind it.
first_mark() {
	hung_was=$(cat /proc/sys/kernel/hung_task_timeout_secs)
	echo 3 >/proc/sys/kernel/hung_task_timeout_secs
	dmesg -c >/dev/null
	hanging
	mark "$(block_pfn "$B3" 50)" 7
	sleep 10
	none_in_d "after the first mark"
	expect_eq "hung tasks in the log" 0 "$(dmesg | grep -c 'blocked for more')"
	unmark_all
	end_hanging
	echo "$hung_was" >/proc/sys/kernel/hung_task_timeout_secs
	# The module gets the slot when the offlining has ended.
	mark_shape "$B2"
	go "$B2" offline
	go "$B2" online_movable
	check_all "with the slot"
	unmark_all
}

listed() {
	[ "$(awk -v s="$1" '$1 == s { print $7 }' "$FO"/ranges)" = "$2" ]
}

# The undo of a failed mark waits for an offlining of a block from which it took a page. A
# kill ends that wait. The page is an orphan then, and is given back when the offlining has
# ended.
undo() {
	pin_page "$B2"
	undo_at=$(block_pfn "$B2" 50)
	# The second line is for the pinned page, which the module tries for a second.
	printf '%d 1\n%d 1\n' "$undo_at" "$PIN" >"$TMP/batch"
	undo_left=20
	while :; do
		tryio write "$FO"/mark <"$TMP/batch" >"$TMP/waits" 2>&1 &
		waits_pid=$!
		wait_for "the first line" listed "$undo_at" debugfs
		hang_start "$B2" sysfs
		undo_left=$((undo_left - 1))
		if kill -0 "$hang_pid" 2>/dev/null || [ "$undo_left" = 0 ]; then
			break
		fi
		# The allocation of the second line undid its isolation.
		wait "$hang_pid" "$waits_pid"
		note "once more: $(cat "$TMP/hang" "$TMP/waits" | tr '\n' ' ')"
	done
	# The offlining has waited for the second line to fail.
	expect_status "the write has not returned" 0 kill -0 "$waits_pid"
	expect_status "its page is listed" 0 listed "$undo_at" debugfs
	kill -KILL "$waits_pid"
	wait "$waits_pid"
	expect_eq "exit status of the write that was killed" 137 $?
	expect_status "its page is an orphan" 0 listed "$undo_at" orphan
	end_hanging
	wait_for "the orphan to go" listed "$undo_at" ""
	check_all "at last"
}

# A mark of a whole block never changes its state, also when other tasks want the hotplug
# lock at the same time.
no_state() {
	hanging
	state_asking='' state_tries=25
	while [ "$(echo "$state_asking" | wc -w)" -lt 16 ]; do
		tryio write "$SYSMEM/memory$B2/state" offline >/dev/null 2>&1 &
		state_asking="$state_asking $!"
	done
	# The kernel counts each event of the block's device.
	state_was=$(state_events)
	while [ "$state_tries" -gt 0 ]; do
		state_tries=$((state_tries - 1))
		mark "$(block_start "$B3")" "$BLOCK_PAGES"
		expect_eq "memory$B3 when marked" online "$(block_state "$B3")" || break
		unmark_all
	done
	expect_eq "uevents meanwhile" "$state_was" "$(state_events)"
	# shellcheck disable=SC2086  # numbers
	kill -KILL $state_asking
	# shellcheck disable=SC2086  # numbers
	wait $state_asking
	end_hanging
	check_all "after that"
	# The twin: an offlining and an onlining of a block are seen there.
	go "$B3" offline
	go "$B3" online_movable
	expect_failing "a block that was away" expect_eq "uevents" "$state_was" \
		"$(state_events)"
}

# state_events: the number of uevents that the kernel has sent; each block that goes
# offline or comes online sends one
state_events() {
	cat /sys/kernel/uevent_seqnum
}

# A release of pages that the caller's own operation covers would wait for itself.
own_notifier() {
	expect_status "load the test module" 0 \
		modprobe own-notifier pfn="$(block_pfn "$B2" 77)"
	own=/sys/module/own_notifier/parameters
	expect_eq "releases so far" 0 "$(cat "$own/tried")"
	refuse_once "$B2" kernel-after
	expect_eq "releases in its own notifier: their number and result" \
		"1 -35" "$(cat "$own/tried") $(cat "$own/result")"
	go "$B2" offline
	go "$B2" online_movable
	expect_status "unload it" 0 rmmod own_notifier
	check_all "without it"
}

# no_ranges: the module lists none
no_ranges() {
	[ -z "$(awk '!/^#/' "$FO"/ranges)" ]
}

# A signal ends a request over so much memory that it would take long, and nothing of it is
# marked. Meanwhile the other files can be used.
long_request() {
	long_s=$((64 << 18))
	tryio write "$FO"/mark "$long_s $((60 << 28)) absent" >"$TMP/waits" 2>&1 &
	waits_pid=$!
	# The task runs all the time, so /proc does not show that it is in write(2).
	usleep 300000
	expect_eq "a file that is read meanwhile" "ranges" \
		"$(sed -n 's/^\(ranges\) .*/\1/p' "$FO"/stats)"
	expect_status "the mark lasts" 0 kill -KILL "$waits_pid"
	wait "$waits_pid"
	expect_eq "exit status of the mark that was killed" 137 $?
	wait_for "its pages to be released" no_ranges
	expect_status "no ranges" 0 no_ranges
	check_all "after a mark that was killed"
	expect_eq "a mark of 1 GiB there" ok "$(mark_raw "$long_s $((1 << 18)) absent")"
	expect_failing "ranges are noticed" expect_status "no ranges" 0 no_ranges
	expect_eq "unmark all" ok "$(tryio write "$FO"/unmark all)"
}

# With a reference to each marked page, a range is busy while pages of its page block are
# taken. If its client goes away then, the range is released afterwards.
busy_orphan() {
	pin_page "$B2"
	expect_status "modprobe fake_offline_caller" 0 modprobe fake_offline_caller
	orphan_block=$((PIN / 512 * 512))
	orphan_n=0
	while [ "$orphan_n" -lt 512 ]; do
		orphan_pfn=$((orphan_block + (PIN + 3 + orphan_n) % 512))
		orphan_n=$((orphan_n + 1))
		result tryio write /sys/kernel/debug/fake_offline_caller/take "$orphan_pfn 1"
		[ "$RESULT" != ok ] || break
	done
	expect_eq "a page beside the pinned one" ok "$RESULT"
	for orphan_n in 1 2 3 4 5 6; do
		tryio write "$FO"/mark "$PIN 1"
	done >"$TMP/waits" 2>&1 &
	waits_pid=$!
	usleep 300000
	expect_status "rmmod fake_offline_caller" 0 rmmod fake_offline_caller
	wait "$waits_pid"
	expect_eq "marks of the pinned page" "EBUSY" "$(sort -u "$TMP/waits")"
	wait_for "the range to be released" no_ranges
	expect_status "no ranges" 0 no_ranges
	check_all "after the range was released"
	mark "$orphan_pfn" 1
	expect_failing "ranges are noticed" expect_status "no ranges" 0 no_ranges
	unmark_all
	tenant_stop
}

set -- loading unloading first_mark undo no_state own_notifier long_request
case $FO_SKIP in
frozen) ;;
*) set -- "$@" busy_orphan ;;
esac
run_tests "$@"
