#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The main job on a kernel that is locked down, without debugfs: marks are made through the
# device, an offlining fails and rolls back, the block goes offline and comes back, and the
# marks are given back.
#
# A lockdown cannot be lifted, and under it no unsigned module can be loaded. So the module is
# loaded once, before the first test, and each test tightens the lockdown. The script needs
# a guest that was booted with debugfs=off: the lane lockdown.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"

LOCKDOWN=/sys/kernel/security/lockdown

# reset_world: the version of this script. Only the first call loads the module.
reset_world() {
	[ -d /sys/module/fake_offline ] || expect_status "modprobe fake_offline" 0 load_module
	expect_eq "marked pages at first" "" "$(listed)"
	[ "$FAILED" = 0 ]
}

# dev COMMAND…: the result of a command to the device
dev() {
	fodev "$@" | tail -n 1
}

# listed: the ranges that the device lists, as lines of $MARKS
listed() {
	fodev list | awk 'NF == 8 { print $1, $2, $3, $4 }'
}

# check_listed WHEN, check_verify WHEN: the versions of this script, with the device
check_listed() {
	look_at_marks
	listed | extents >"$TMP/listed"
	expect_same_file "pages that the device lists $1" "$TMP/marks-wanted" "$TMP/listed"
}

check_verify() {
	look_at_marks
	expect_eq "verify $1" "$ALL_MARKED $ON $ON_SKIPPABLE 0 0 $ON_CANARY 0 -1" \
		"$(fodev verify | awk 'NF == 18 { print $4, $6, $8, $10, $12, $14, $16, $18 }')"
}

# main_job MODE: all of it under this lockdown
main_job() {
	[ -f "$LOCKDOWN" ] || mount -t securityfs none /sys/kernel/security 2>/dev/null ||
		skip "this kernel has no lockdown"
	[ -f "$LOCKDOWN" ] || skip "this kernel has no lockdown"
	echo "$1" >"$LOCKDOWN"
	expect_eq "the lockdown" "[$1]" "$(grep -o '\[.*\]' "$LOCKDOWN")"
	# shellcheck disable=SC2034  # for check_pages()
	[ "$1" != confidentiality ] || REFS_READABLE=no
	# The twins: the kernel is locked down, and there is no debugfs.
	expect_eq "an unsigned module is refused" 1 "$(modprobe kernel-page pfn=1 2>/dev/null; echo $?)"
	expect_eq "the debugfs file" open:ENOENT "$(tryio write "$FO"/mark "1 1")"

	job_start=$(block_pfn "$B2" 5000)
	expect_eq "take" ok "$(dev take "$job_start" 4096 canary)"
	note_mark "$job_start" 4096 canary
	expect_eq "take unskippable pages" ok "$(dev take "$(block_pfn "$B2" 77)" 3 unskippable)"
	note_mark "$(block_pfn "$B2" 77)" 3 unskippable
	check_all "when marked"
	refuse "$B2" offline EBUSY
	check_all "after a failure"
	check_hog "after a failure" "$B2"
	expect_eq "make them skippable" ok "$(dev skippable "$(block_pfn "$B2" 77)" 3 1)"
	forget "$(block_pfn "$B2" 77)" 3
	note_mark "$(block_pfn "$B2" 77)" 3
	go "$B2" offline
	check_all "while offline"
	go "$B2" online_movable
	check_all "after online"
	check_hog "after online" "$B2"
	expect_eq "release" ok "$(dev release all)"
	: >"$MARKS"
	check_all "at last"
}

run_tests "main_job integrity" "main_job confidentiality"
