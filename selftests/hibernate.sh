#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Suspend keeps the content of marked pages. A hibernation whose image is read back in the
# same boot keeps it, too. The image does not hold that content. After a resume in another
# boot, the marks and the accounts are as before, and the canaries are filled anew.
#
# This script needs a guest of its own that has a disk for swap and boots twice:
# checks/hibernate. The second boot reads the image, and the test continues there.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

DISK=/dev/vda
POWER=/sys/power

# needed: skips the test on a machine or a kernel without what it needs
needed() {
	[ -b "$DISK" ] || insmod /files/virtio_blk.ko 2>/dev/null
	wait_for "$DISK" test -b "$DISK"
	grep -qw disk "$POWER/state" || skip "this kernel cannot hibernate"
}

swap_on() {
	mkswap "$DISK" >/dev/null
	expect_status "swapon" 0 swapon "$DISK"
	# The image is to be as small as possible.
	echo 0 >"$POWER/image_size"
}

swap_off() {
	expect_status "swapoff" 0 swapoff "$DISK"
}

# shapes [BLOCK]: makes marks of all kinds: in force, and waiting in a place without
# memory; with BLOCK also in that block, which is offline
shapes() {
	mark_shape "$B2"
	mark "$(block_pfn "$B1" 30000)" 3 unskippable canary
	mark "$(block_pfn "$SINK" $((BLOCK_PAGES + 300)))" 40 canary absent
	if [ $# -gt 0 ]; then
		go "$1" offline
		mark "$(block_pfn "$1" 77)" 500 canary
	fi
	check_all "when marked"
	grep '^canary' "$FO"/verify >"$TMP/canaries"
}

# exact WHEN: nothing has changed
exact() {
	expect_eq "canaries: number, broken, unchecked, $1" "$(cat "$TMP/canaries")" \
		"$(grep '^canary' "$FO"/verify)"
	check_all "$1"
	check_everywhere "$1"
}

# cycles: the blocks still go offline and online, and waiting marks become withheld pages
cycles() {
	block_look "$B3"
	[ "$BLOCK_STATE" = online ] || go "$B3" online_movable
	check_all "with memory$B3 online"
	go "$B2" offline
	check_all "while memory$B2 is offline"
	go "$B2" online_movable
	check_all "after a cycle"
	check_hog "after a cycle" "$B2"
	unmark_all
	check_all "after unmark"
}

# spoiled WHEN: one canary is broken, and the module has not repaired it
spoiled() {
	expect_eq "canaries broken $1" 1 "$(verify_value canary_broken)"
}

spoil() {
	expect_eq "arm" ok "$(tryio write "$FO"/inject "mark corrupt -5 1")"
	expect_eq "a mark with a broken canary" ok \
		"$(mark_raw "$(block_pfn "$B1" 5000) 4 canary")"
	spoiled "when marked"
}

unspoil() {
	expect_eq "unmark it" ok \
		"$(tryio write "$FO"/unmark "$(block_pfn "$B1" 5000) 4")"
}

# power STATE: prints the result of going to sleep in that way
power() {
	tryio write "$POWER/state" "$1"
}

# The machine suspends its devices only, and wakes up by itself. A broken canary stays
# broken, so the module has read the content and not filled it anew.
suspend() {
	needed
	[ -f "$POWER/pm_test" ] || skip "this kernel has no pm_test"
	shapes "$B3"
	spoil
	for suspend_test in freezer devices; do
		echo "$suspend_test" >"$POWER/pm_test"
		expect_eq "suspend, test $suspend_test" ok "$(power freeze)"
		spoiled "after that"
	done
	echo none >"$POWER/pm_test"
	unspoil
	exact "after suspend"
	cycles
}

# The same boot writes the image and reads it back. The pages that the image does not
# hold are still there.
test_resume() {
	needed
	case $(uname -r) in
	6.1.*) skip "6.1 fails with EBUSY here, without the module, too" ;;
	esac
	swap_on
	shapes "$B3"
	spoil
	echo test_resume >"$POWER/disk"
	expect_eq "hibernate, and resume in the same boot" ok "$(power disk)"
	spoiled "after that"
	unspoil
	exact "after a resume in the same boot"
	swap_off
	cycles
}

# The machine is off in between, so all content is lost. No canary is broken, and a canary
# that was broken is filled anew. The second boot must have the same memory online, or
# the kernel does not take the image.
off() {
	needed
	swap_on
	shapes
	spoil
	expect_failing "a broken canary is noticed" exact "with a broken canary"
	off_id=$(cat /proc/sys/kernel/random/boot_id)
	off_start=$(cut -d. -f1 /proc/uptime)
	echo shutdown >"$POWER/disk"
	note "the machine is off from here on"
	# The output so far must reach the port. vm/run is told that this boot has ended
	# as it should; if it continues here, vm/run is told twice, which is an error.
	usleep 2000000
	[ ! -c /dev/ttyS2 ] || echo "status 0" >/dev/ttyS2
	result power disk
	note "and on again"
	expect_eq "hibernate" ok "$RESULT"
	expect_eq "the same kernel goes on" "$off_id" \
		"$(cat /proc/sys/kernel/random/boot_id)"
	note "$(($(cut -d. -f1 /proc/uptime) - off_start)) s, as the kernel counts them"
	# Tasks run again before the canaries are filled.
	wait_for "canaries to be checked again" checked
	expect_eq "canaries broken after a resume in another boot" 0 \
		"$(verify_value canary_broken)"
	unspoil
	exact "after a resume in another boot"
	swap_off
	cycles
}

checked() {
	[ "$(verify_value canary_unchecked)" = 0 ]
}

run_tests suspend test_resume off
