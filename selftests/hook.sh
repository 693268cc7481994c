#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# There is one online-page hook, and other drivers want it too. This script uses
# virtio-mem, and needs a guest that has such a device: see README.md.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"

# The other driver comes first: marks work, and onlining is refused until it is gone.
taken() {
	expect_status "modprobe virtio_pci" 0 modprobe virtio_pci
	virtio_mem on
	expect_eq "hook without a mark" free "$(stat_value hook)"
	mark_shape "$B2"
	expect_eq "hook with marks" taken "$(stat_value hook)"
	expect_eq "the log says so" 1 "$(dmesg -c | grep -c 'fake_offline: another driver has the online-page hook')"
	check_all "when marked"
	expect_eq "arm" ok "$(tryio write "$FO"/inject "offline late -16 1")"
	refuse "$B2" offline EBUSY
	check_all "after a failed offline"
	go "$B2" offline
	check_all "while offline"

	dmesg -c >/dev/null
	stats_mark
	refuse "$B2" online_movable EBUSY sysfs
	refuse "$B2" online EBUSY debugfs
	refuse "$B2" online_kernel EBUSY sysfs
	expect_stats "online_vetoed 3" "online_attempts 3" "online_done 0" \
		"withheld_pages 0"
	dmesg | sed 's/^/#   /'
	expect_eq "the log has the reason" 3 \
		"$(dmesg | grep -c 'fake_offline: .*another driver has the online-page hook')"
	check_all "after onlining was refused"
	# The module lets blocks without marks come online.
	go "$B3" offline
	go "$B3" online_movable
	check_all "after a cycle of another block"

	virtio_mem off
	go "$B2" online_movable debugfs
	expect_eq "hook after that" held "$(stat_value hook)"
	check_all "after online"
	check_hog "after online" "$B2"
	unmark_all
	expect_eq "hook without a mark" free "$(stat_value hook)"
	check_all "after unmark"
}

# A new mark takes the slot when it has become free.
freed() {
	virtio_mem on
	mark "$(block_pfn "$B2" 5)" 10 canary
	expect_eq "hook" taken "$(stat_value hook)"
	go "$B2" offline
	refuse "$B2" online_movable EBUSY
	virtio_mem off
	mark "$(block_pfn "$B1" 5)" 1
	expect_eq "hook after another mark" held "$(stat_value hook)"
	go "$B2" online_movable sysfs
	check_all "after online"
	unmark_all
	check_all "after unmark"
}

# When the marks are given back, the block can come online.
forgotten() {
	virtio_mem on
	mark "$(block_pfn "$B2" 5)" 10
	go "$B2" offline
	refuse "$B2" online_movable EBUSY
	unmark_all
	go "$B2" online_movable
	check_all "after online"
	expect_eq "MemTotal in kB" "$BASE_TOTAL" "$(mem_total)"
	mark "$(block_pfn "$B2" 5)" 10
	go "$B2" offline
	refuse "$B2" online_movable EBUSY
	expect_status "rmmod" 0 rmmod fake_offline
	: >"$MARKS"
	go "$B2" online_movable
	check_accounts "after rmmod and online"
	check_everywhere "after rmmod and online"
	virtio_mem off
}

# The module comes first: the other driver gets no device until the last mark is gone.
first() {
	mark "$(block_pfn "$B2" 5)" 10 canary
	expect_eq "hook" held "$(stat_value hook)"
	expect_status "modprobe virtio_mem" 0 modprobe virtio_mem
	expect_eq "devices of virtio_mem" 0 \
		"$(find "$VIRTIO_MEM" -name 'virtio*' -type l | wc -l)"
	go "$B2" offline
	go "$B2" online_movable
	check_all "after offline and online"
	unmark_all
	expect_eq "hook" free "$(stat_value hook)"
	virtio_mem off
	# 6.1 leaves the device's queues enabled after the failed probe. A new probe
	# needs a device that was reset.
	first_pci=$(readlink -f /sys/bus/virtio/devices/virtio*/..)
	echo 1 >"$first_pci/remove"
	echo 1 >/sys/bus/pci/rescan
	virtio_mem on
	mark "$(block_pfn "$B2" 5)" 10 canary
	expect_eq "hook" taken "$(stat_value hook)"
	check_all "when marked"
	unmark_all
	virtio_mem off
	check_all "at last"
}

# millis: the uptime in milliseconds, in steps of ten
millis() {
	read -r mi_up _ </proc/uptime
	echo "${mi_up%.*}${mi_up#*.}0"
}

# as_fast WHEN COMMAND…: the command takes at most 20 times as long as a release without
# an obstacle. If that release is too short for the clock, the limit is 2 s.
as_fast() {
	fast_when=$1 fast_start=$(millis)
	shift
	"$@"
	expect_at_most "milliseconds of $fast_when" \
		$((20 * (released_in > 100 ? released_in : 100))) \
		$(($(millis) - fast_start))
}

# six: marks six pages of $B3, each as a range
six() {
	awk -v s="$(block_pfn "$B3" 4096)" 'BEGIN {
		for (i = 0; i < 6; i++) print s + 8 * i, 1 }' >"$TMP/batch"
	mark_batch "$TMP/batch"
}

release_six() {
	expect_eq "unmark, six lines" ok "$(tryio write "$FO"/unmark <"$TMP/batch")"
	: >"$MARKS"
}

# Another driver has the slot, and an offlining does not end. A release does not wait for
# a slot that it does not need.
released() {
	virtio_mem on
	six
	expect_eq "hook" taken "$(stat_value hook)"
	released_start=$(millis)
	release_six
	released_in=$(($(millis) - released_start))
	pin_page "$B2"
	six
	hang_start "$B2" sysfs
	expect_eq "memory$B2 meanwhile" going-offline "$(block_state "$B2")"
	as_fast "a release during an offlining" release_six
	expect_failing "a release that takes long" as_fast "none at all" \
		sleep $((released_in / 40 + 4))
	check_listed "during an offlining"
	kill -USR1 "$hang_pid"
	wait "$hang_pid"
	expect_eq "the offlining" EINTR "$(cat "$TMP/hang")"
	tenant_stop
	virtio_mem off
	check_all "at last"
}

drop_virtio_mem
run_tests taken freed forgotten first released
