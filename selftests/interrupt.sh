#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A pinned page makes an offlining that never finishes. A signal ends it with EINTR, and
# everything is as before. While it hangs, marking elsewhere works. A request that has to
# wait for it can be interrupted, too.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# hang VIA: takes $B2 offline in the background, which cannot end
hang() {
	case $1 in
	sysfs) tryio write "$SYSMEM/memory$B2/state" offline >"$TMP/hang" 2>&1 & ;;
	debugfs) tryio write "$FO"/block_offline "$B2" >"$TMP/hang" 2>&1 & ;;
	esac
	hang_pid=$!
	while [ "$(block_state "$B2")" = online ] && kill -0 "$hang_pid" 2>/dev/null; do
		usleep 10000
	done
	# It waits until all pages but this one have been migrated.
	while kill -0 "$hang_pid" 2>/dev/null &&
	      [ "$(tenant_ask where)" != "inside 1" ]; do
		usleep 10000
	done
	expect_eq "memory$B2 meanwhile" going-offline "$(block_state "$B2")"
	expect_status "the offlining goes on" 0 kill -0 "$hang_pid"
}

# hung: sends the signal, and checks the result
hung() {
	kill -USR1 "$hang_pid"
	wait "$hang_pid"
	expect_eq "the interrupted offlining" EINTR "$(cat "$TMP/hang")"
	expect_eq "memory$B2 after that" online "$(block_state "$B2")"
}

pin_a_page() {
	tenant_start 20 "$B2"
	pin_answer=$(tenant_ask pin)
	expect_eq "a page is pinned" pfn "${pin_answer% *}"
}

# signal VIA
signal() {
	mark_shape "$B2"
	pin_a_page
	check_all "before"
	stats_mark
	hang "$1"
	hung
	check_all "after the signal"
	expect_stats "offline_attempts 1" "offline_cancelled 1" "offline_done 0"
	expect_eq "its content" "broken 0" "$(tenant_ask check)"
	check_hog "after the signal" "$B2"

	# SIGKILL ends it as well.
	hang "$1"
	kill -KILL "$hang_pid"
	wait "$hang_pid"
	expect_eq "exit status of who was killed" 137 $?
	expect_eq "memory$B2 after that" online "$(block_state "$B2")"
	check_all "after the kill"

	expect_eq "unpin" unpinned "$(tenant_ask unpin)"
	go "$B2" offline "$1"
	check_all "while offline"
	expect_eq "its content" "broken 0" "$(tenant_ask check)"
	go "$B2" online_movable "$1"
	check_all "after online"
	tenant_stop
	unmark_all
}

# try_bg FILE TEXT: makes a write that has to wait, and interrupts it
interrupted() {
	tryio write "$FO/$1" "$2" >"$TMP/waits" 2>&1 &
	waits_pid=$!
	# A signal before its write(2), system call 1, would be missed.
	until [ "$(sed 's/ .*//' "/proc/$waits_pid/syscall" 2>/dev/null)" = 1 ] ||
	      ! kill -0 "$waits_pid" 2>/dev/null; do
		usleep 10000
	done
	sleep 1
	expect_status "'$2' into $1 waits" 0 kill -0 "$waits_pid"
	kill -USR1 "$waits_pid"
	wait "$waits_pid"
	expect_eq "'$2' into $1, interrupted" EINTR "$(cat "$TMP/waits")"
}

meanwhile() {
	mark_shape "$B2"
	pin_a_page
	# The module already holds the hook. Taking it needs the lock that is held now.
	hang debugfs
	# Marks elsewhere are made and given back.
	mark "$(block_pfn "$B1" 50)" 7 canary
	mark "$(block_pfn "$B3" 50)" 700
	unmark "$(block_pfn "$B3" 100)" 100
	check_listed "while it hangs"
	expect_eq "pages in verify" "$(marks_pages <"$MARKS")" "$(verify_value pages)"
	expect_eq "canaries broken" 0 "$(verify_value canary_broken)"
	# A request for this block waits.
	interrupted mark "$(block_pfn "$B2" 50) 1"
	interrupted unmark "$(block_pfn "$B2" 8192) 1"
	expect_status "rmmod meanwhile" 1 rmmod fake_offline 2>/dev/null
	check_listed "after that"
	expect_eq "the block meanwhile" going-offline "$(block_state "$B2")"
	hung
	check_all "after the signal"
	tenant_stop
	unmark_all
	check_all "after unmark"
}

# An unmark that waits is carried out when the offlining has ended.
waiting() {
	mark_shape "$B2"
	pin_a_page
	hang debugfs
	tryio write "$FO"/unmark "$(block_pfn "$B2" 8192) 4096" >"$TMP/waits" 2>&1 &
	waits_pid=$!
	sleep 1
	expect_status "unmark waits" 0 kill -0 "$waits_pid"
	check_listed "while it waits"
	hung
	wait "$waits_pid"
	expect_eq "unmark after the wait" ok "$(cat "$TMP/waits")"
	awk -v s="$(block_pfn "$B2" 8192)" '$1 != s' "$MARKS" >"$MARKS.new"
	mv "$MARKS.new" "$MARKS"
	check_all "after that"
	tenant_stop
	unmark_all
	check_all "after unmark"
}

run_tests "signal debugfs" "signal sysfs" meanwhile waiting
