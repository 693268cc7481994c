#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The device /dev/fake_offline: who may use it, what it takes and gives back, how long marks
# last, and what it answers when it refuses.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"

DEV=/dev/fake_offline

# Reasons, as numbers of <linux/fake_offline.h>.
R_ALREADY=1 R_NO_MEMORY=2 R_NOT_PLUGGABLE=4 R_KERNEL_MEMORY=5 R_PINNED=7 R_RESERVE=13 R_NOT_FOUND=14
R_NOT_MARKED=16 R_NOT_OWNER=17

# dev WHAT WANT COMMAND…: the last line of the answer
dev() {
	dev_what=$1 dev_want=$2
	shift 2
	fodev "$@" >"$TMP/dev"
	expect_eq "$dev_what" "$dev_want" "$(tail -n 1 "$TMP/dev")"
}

# The mode is 0600. CAP_SYS_ADMIN in the initial user namespace is needed to open it.
rights() {
	expect_eq "type, mode and owner" "character special file 600 0 0" "$(stat -c '%F %a %u %g' "$DEV")"
	expect_eq "root without CAP_SYS_ADMIN" open:EPERM "$(tryio -c open "$DEV" r)"
	expect_eq "another user" open:EACCES "$(tryio -u 65534 open "$DEV" r)"
	expect_eq "root of a user namespace" open:EPERM "$(unshare -U -r tryio open "$DEV" r)"
	expect_eq "root" ok "$(tryio open "$DEV" r)"
	expect_eq "read, which the device does not have" read:EINVAL "read:$(tryio read "$DEV")"
	check_all "at last"
}

# Marks that stay belong to "admin". They survive a failed offlining, offline and online.
# Only the device gives them back.
marks_stay() {
	marks_start=$(block_pfn "$B2" 5000)
	dev "take" ok take "$marks_start" 300 canary
	note_mark "$marks_start" 300 canary
	dev "take pages that are unskippable" ok take "$(block_pfn "$B1" 77)" 1 unskippable
	note_mark "$(block_pfn "$B1" 77)" 1 unskippable
	check_all "when marked"
	expect_eq "the owner" "admin 2" "$(awk '!/^#/ { n[$7]++ } END { for (o in n) print o, n[o] }' "$FO"/ranges)"
	refuse "$B1" offline EBUSY
	dev "make it skippable" ok skippable "$(block_pfn "$B1" 77)" 1 1
	forget "$(block_pfn "$B1" 77)" 1
	note_mark "$(block_pfn "$B1" 77)" 1
	check_all "when skippable"
	arm_late
	refuse "$B2" offline EBUSY
	check_all "after a failure"
	go "$B2" offline
	check_all "while offline"
	go "$B2" online_movable
	check_all "after online"
	check_hog "after online" "$B2"
	expect_eq "debugfs releases them" EPERM "$(tryio write "$FO"/unmark "$marks_start 300")"
	expect_eq "debugfs releases all of its own" ok "$(tryio write "$FO"/unmark all)"
	check_all "after debugfs has released its own"
	dev "release a part" ok release "$((marks_start + 100))" 10
	forget "$((marks_start + 100))" 10
	check_all "without that part"
	dev "release all" ok release all
	: >"$MARKS"
	check_all "after all were released"
}

arm_late() {
	expect_eq "arm offline late" ok "$(tryio write "$FO"/inject "offline late -16 1")"
}

# The listing has what debugfs lists, in batches of any size. The counts are those of verify.
listing() {
	sparse_lines "$B2" 100 | awk '{ print $1, $2 }' >"$TMP/list"
	mark_batch "$TMP/list"
	dev "take" ok take "$(block_pfn "$B1" 40)" 7
	note_mark "$(block_pfn "$B1" 40)" 7
	awk '!/^#/ { print $1, $2, $3, $4, $7, $9 }' "$FO"/ranges >"$TMP/debugfs"
	for room in 1 3 256 257 4096; do
		fodev list "$room" >"$TMP/dev"
		expect_eq "the listing, $room at a time" "$(cat "$TMP/debugfs")
ok" "$(awk 'NF == 8 { print $1, $2, $3, $4, $7, $8; next } { print }' "$TMP/dev")"
	done
	expect_eq "only its own" "$(block_pfn "$B1" 40) 7 1 0 admin in_force
ok" "$(fodev list own | awk 'NF == 8 { print $1, $2, $3, $4, $7, $8; next } { print }')"
	look_at_marks
	expect_eq "verify" "ranges $(wc -l <"$MARKS") pages $ALL_MARKED page_offline $ON skippable $ON_SKIPPABLE buddy 0 wrong_count 0 canary $ON_CANARY canary_broken 0 first_bad_pfn -1
ok" "$(fodev verify)"
	go "$B2" offline
	expect_eq "ranges that wait" "$(wc -l <"$TMP/list")" "$(fodev list | grep -c ' waiting$')"
	go "$B2" online_movable
	dev "release all" ok release all
	forget "$(block_pfn "$B1" 40)" 7
	unmark_all
	check_all "at last"
}

# session_start NAME: starts a process with a session. session_ask COMMAND: prints the
# first line of its answer. session_end: the process ends.
session_start() {
	companion_start "a process has the device open" ready fodev
	session_pid=$companion_pid
	# A tenant may run beside it, on the descriptors of a companion.
	exec 6>&8 7<&9 8>&- 9<&-
	expect_eq "session $1" ok "$(session_ask "session $1")"
}

session_ask() {
	echo "$1" >&6
	read -r session_line <&7
	echo "$session_line"
}

session_end() {
	echo quit >&6
	exec 6>&- 7<&-
	wait "$session_pid"
	expect_eq "that process ends" 0 $?
}

# The pages of a session are given back with the last reference to the open file, also
# after SIGKILL.
session() {
	session_start agent
	expect_eq "a second session" EEXIST "$(session_ask "session other")"
	expect_eq "take" ok "$(session_ask "take $(block_pfn "$B2" 10) 5000 canary")"
	note_mark "$(block_pfn "$B2" 10)" 5000 canary
	check_all "in a session"
	expect_eq "the owner" agent "$(awk '!/^#/ { print $7 }' "$FO"/ranges)"
	dev "another descriptor releases them" \
		"EPERM request 0 pfn $(block_pfn "$B2" 10) reason $R_NOT_OWNER owner agent" \
		release "$(block_pfn "$B2" 10)" 5000
	dev "another descriptor releases all of its own" ok release all
	check_all "after that"
	session_end
	: >"$MARKS"
	check_all "after the descriptor was closed"

	session_start agent
	expect_eq "take" ok "$(session_ask "take $(block_pfn "$B2" 10) 5000")"
	note_mark "$(block_pfn "$B2" 10)" 5000
	session_child=$(session_ask fork)
	read -r _ <&7
	session_end
	check_all "while a child has the descriptor"
	expect_eq "rmmod meanwhile" "1 yes" \
		"$(rmmod fake_offline 2>/dev/null; echo $?) $([ -d "$FO" ] && echo yes)"
	check_all "after rmmod was refused"
	kill -9 "$session_child"
	: >"$MARKS"
	session_gone "after SIGKILL of the child"
}

# session_gone WHEN: no page is marked, in a moment
session_gone() {
	wait_for "$1: nothing is marked" nothing_marked
	check_all "$1"
}

nothing_marked() {
	[ "$(wc -l <"$FO"/ranges)" = 1 ]
}

# A session that ends during a hotplug operation waits for nothing. Its pages are given back
# when the operation has ended.
session_ends_during() {
	mark "$(block_pfn "$B1" 9)" 1
	session_start agent
	expect_eq "take" ok "$(session_ask "take $(block_pfn "$B2" 100) 64")"
	hanging
	session_end
	expect_eq "the owner meanwhile" "debugfs orphan" \
		"$(awk '!/^#/ { print $7 }' "$FO"/ranges | sort -u | tr '\n' ' ' | sed 's/ $//')"
	end_hanging
	wait_for "the orphan is released" no_orphan
	check_all "after the operation"
	unmark_all
}

no_orphan() {
	! grep -q ' orphan ' "$FO"/ranges
}

# Each refusal has its errno, the request, the page, the reason and the owner.
answers() {
	start=$(block_pfn "$B2" 2000)
	mark "$start" 10
	dev "a page that is marked" "EEXIST request 1 pfn $((start + 3)) reason $R_ALREADY owner debugfs" \
		batch "$((start - 100))" 5 "$((start + 3))" 2
	dev "no memory" "ENXIO request 0 pfn $((BLOCK_PAGES * 1000)) reason $R_NO_MEMORY owner -" \
		take "$((BLOCK_PAGES * 1000))" 1
	dev "memory that cannot be plugged" \
		"ENXIO request 0 pfn $((1 << 46)) reason $R_NOT_PLUGGABLE owner -" \
		take "$((1 << 46))" 1 absent
	kernel_pfn=$((0x$(sed -n 's/^ *\([0-9a-f]*\)-.* : Kernel code$/\1/p' /proc/iomem) / 4096))
	dev "memory of the kernel" \
		"EBUSY request 0 pfn $kernel_pfn reason $R_KERNEL_MEMORY owner -" \
		take "$kernel_pfn" 1
	dev "a range that wraps" ERANGE take "$((start))" 18446744073709551615
	dev "no pages" EINVAL take "$start" 0
	dev "more pages than there are" "ENOSPC request 0 pfn -1 reason $R_RESERVE owner -" \
		take any 10000000 100
	dev "more ranges than asked for" "ENOSPC request 0 pfn -1 reason $R_NOT_FOUND owner -" \
		take any 60000 1
	pin_page "$B2" longpin
	dev "a pinned page" "EBUSY request 1 pfn $PIN reason $R_PINNED owner -" \
		batch "$((start - 100))" 5 "$PIN" 1
	tenant_stop
	dev "release a page that is not marked" \
		"ENOENT request 0 pfn $((start + 10)) reason $R_NOT_MARKED owner -" \
		release "$((start + 10))" 1
	dev "release pages of another owner" \
		"EPERM request 0 pfn $((start + 2)) reason $R_NOT_OWNER owner debugfs" \
		release "$((start + 2))" 2
	dev "change them" "EPERM request 0 pfn $((start + 2)) reason $R_NOT_OWNER owner debugfs" \
		skippable "$((start + 2))" 2 0
	dev "ranges that overlap" EINVAL release "$start" 5 "$((start + 4))" 2
	dev "names that are taken" EINVAL session orphan
	dev "a name that is too long" EINVAL session 12345678901234567890123456789012
	dev "a name with a control character" EINVAL session "$(printf 'a\001')"
	check_all "after all refusals"
	# The twin: the same device takes what it should.
	dev "pages anywhere" ok take any 600 100
	awk 'NF == 2' "$TMP/dev" | while read -r line; do
		# shellcheck disable=SC2086  # a line of words
		note_mark $line
	done
	check_all "with pages anywhere"
	dev "release all" ok release all
	: >"$MARKS"
	note_mark "$start" 10
	unmark_all
}

# every WANT: one line for each ioctl
every() {
	for name in info take release skippable list verify session; do
		echo "$name $1"
	done
}

# Structures of other sizes, unknown flags, and pointers that do not work.
malformed() {
	for pair in short:EINVAL empty:EINVAL newer:E2BIG huge:E2BIG flags:EINVAL null:EFAULT; do
		expect_eq "${pair%:*}" "$(every "${pair#*:}")" "$(fodev bad "${pair%:*}")"
	done
	# An ioctl without a result does not write.
	expect_eq "arguments that cannot be written" "info EFAULT
take EINVAL
release EINVAL
skippable EINVAL
list EFAULT
verify EFAULT
session EINVAL" "$(fodev bad readonly)"
	# The twin: with a size that is known, and with a larger one whose end is 0.
	for how in good long; do
		expect_eq "$how" "info ok
take EINVAL
release EINVAL
skippable EINVAL
list ok
verify ok
session EINVAL" "$(fodev bad "$how")"
	done
	dev "a result that cannot be told" EFAULT lost 700
	check_all "after all that"
}

run_tests rights marks_stay listing session session_ends_during answers malformed
