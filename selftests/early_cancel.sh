#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# MEM_CANCEL_OFFLINE and MEM_CANCEL_ONLINE reach every notifier. If a notifier of higher
# priority has refused, the module gets a CANCEL without a GOING. It must undo no step
# that it did not take. Accounts that count one undo for each CANCEL drift silently.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# offline TIMES: as many cancels without a going, then a cycle
offline() {
	load_notifier_errors 1
	mark_shape "$B2"
	mark "$(block_pfn "$B1" 17)" 1000 canary
	check_all "before"
	notifier_error MEM_GOING_OFFLINE -12
	stats_mark
	early=0
	while [ "$early" -lt "$1" ]; do
		early=$((early + 1))
		refuse "$B2" offline ENOMEM sysfs
		refuse "$B1" offline ENOMEM debugfs
		check_accounts "after $early"
	done
	expect_stats "offline_attempts 0" "offline_cancelled 0" \
		"offline_cancelled_early $((2 * $1))" "offline_done 0"
	check_all "after that"
	notifier_error MEM_GOING_OFFLINE 0
	stats_mark
	go "$B2" offline
	expect_stats "offline_attempts 1" "offline_cancelled 0" \
		"offline_cancelled_early 0" "offline_done 1"
	check_all "while offline"

	# One block is offline, and the offlining of another one is cancelled early.
	notifier_error MEM_GOING_OFFLINE -12
	refuse "$B1" offline ENOMEM
	check_all "with another block cancelled"
	notifier_error MEM_GOING_OFFLINE 0

	notifier_error MEM_GOING_ONLINE -12
	stats_mark
	early=0
	while [ "$early" -lt "$1" ]; do
		early=$((early + 1))
		refuse "$B2" online_movable ENOMEM
		check_accounts "after $early"
	done
	expect_stats "online_attempts 0" "online_cancelled 0" \
		"online_cancelled_early $1" "online_done 0" "withheld_pages 0"
	notifier_error MEM_GOING_ONLINE 0
	go "$B2" online_movable
	check_all "at last"
	check_hog "at last" "$B2"
	unmark_all
	check_all "after unmark"
}

# Both take turns: a failure of the module after a GOING, and one before it.
alternating() {
	load_notifier_errors 1
	mark_shape "$B2"
	stats_mark
	for alternating_i in 1 2 3 4 5; do
		notifier_error MEM_GOING_OFFLINE -12
		refuse "$B2" offline ENOMEM
		check_accounts "after an early cancel, $alternating_i"
		notifier_error MEM_GOING_OFFLINE 0
		expect_eq "arm" ok "$(tryio write "$FO"/inject "offline after -5 1
offline late -16 1")"
		refuse "$B2" offline EIO
		refuse "$B2" offline EBUSY
		check_accounts "after a late one, $alternating_i"
	done
	expect_stats "offline_attempts 10" "offline_cancelled_early 5" "injected 10"
	check_all "after that"
	go "$B2" offline
	check_all "while offline"
	go "$B2" online_movable
	check_all "at last"
	unmark_all
}

# The kernel's injector has the same priority as the module, but was loaded first.
same_priority() {
	expect_status "rmmod" 0 rmmod fake_offline
	load_notifier_errors 0
	expect_status "modprobe" 0 load_module
	mark_shape "$B2"
	notifier_error MEM_GOING_OFFLINE -12
	stats_mark
	refuse "$B2" offline ENOMEM
	expect_stats "offline_attempts 0" "offline_cancelled_early 1"
	check_all "after that"
	notifier_error MEM_GOING_OFFLINE 0
	go "$B2" offline
	go "$B2" online_movable
	check_all "at last"
	unmark_all
}

run_tests "offline 3" alternating same_priority
