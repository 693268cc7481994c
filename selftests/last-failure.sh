#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Why an offlining or onlining failed. The words, and the page that was in the way, are in
# last_failure, in the last line of "verify", in the kernel's log, in the trace, and in the
# output of offctl. The test knows the page by itself: it has marked the page, or a process
# of the test has it.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"

# Nothing has failed, and no file has a reason.
nothing() {
	trace_start
	mark_shape "$B2"
	expect_eq "last_failure" "" "$(cat "$FO"/last_failure)"
	expect_eq "last line of verify" "last_failure " "$(tail -n 1 "$FO"/verify)"
	go "$B2" offline
	go "$B2" online_movable
	expect_eq "last_failure after a cycle" "" "$(cat "$FO"/last_failure)"
	expect_eq "vetoes in the trace" "" "$(trace_read | grep ^veto:)"
	expect_failing "a reason of a failure that was not" \
		expect_reason "never" "$B2" -125 -1 "vetoed by another notifier, after this module's"
	unmark_all
	trace_stop
}

# said WHEN BLOCK RESULT PFN TEXT ERRNO: it fails by sysfs, by debugfs and by offctl, each
# time for the same reason, and nothing changes
said() {
	refuse "$2" offline "$6" sysfs
	expect_reason "$1, sysfs" "$2" "$3" "$4" "$5"
	refuse "$2" offline "$6" debugfs
	expect_reason "$1, debugfs" "$2" "$3" "$4" "$5"
	expect_offctl "$1" "$2" "$5"
	expect_reason "$1, offctl" "$2" "$3" "$4" "$5"
	check_all "$1"
}

client() {
	trace_start
	balloon_load pages=2000 chunk=50
	balloon_note
	expect_at_least "its pages in memory$B2" 50 "$(balloon_noted "$B2")"
	balloon_set refuse 1
	said "after a client's veto" "$B2" -16 -1 \
		"vetoed by balloon: the balloon was told to refuse" EBUSY
	balloon_set refuse 0
	go "$B2" offline
	go "$B2" online_movable
	# An operation that works does not change the last failure.
	expect_reason "after a cycle" "$B2" -16 -1 \
		"vetoed by balloon: the balloon was told to refuse"
	expect_failing "another block" expect_reason "of another block" "$B1" -16 -1 \
		"vetoed by balloon: the balloon was told to refuse"
	balloon_unload
	check_all "after the balloon was unloaded"
	trace_stop
}

# Another notifier: the kernel's own error injection.
notifiers() {
	trace_start
	mark_shape "$B2"
	load_notifier_errors 1
	notifier_error MEM_GOING_OFFLINE -12
	said "after a veto before the module" "$B2" -125 -1 \
		"vetoed by another notifier, before this module's" ENOMEM
	notifier_error MEM_GOING_OFFLINE 0
	go "$B2" offline
	notifier_error MEM_GOING_ONLINE -12
	refuse "$B2" online_movable ENOMEM
	expect_reason "after an onlining vetoed before the module" "$B2" -125 -1 \
		"vetoed by another notifier, before this module's"
	unload_notifier_errors

	load_notifier_errors -1
	notifier_error MEM_GOING_ONLINE -12
	refuse "$B2" online_movable ENOMEM debugfs
	expect_reason "after an onlining vetoed after the module" "$B2" -125 -1 \
		"vetoed by another notifier, after this module's"
	check_all "while offline"
	notifier_error MEM_GOING_ONLINE 0
	go "$B2" online_movable
	notifier_error MEM_GOING_OFFLINE -12
	said "after a veto after the module" "$B2" -125 -1 \
		"vetoed by another notifier, after this module's" ENOMEM
	unload_notifier_errors
	unmark_all
	trace_stop
}

# injected POINT ERRNO NAME PFN TEXT
injected() {
	expect_eq "arm offline $1 $2" ok \
		"$(tryio write "$FO"/inject "offline $1 $2 3")"
	said "injected $1, $3" "$B2" "$2" "$4" "$5" "$3"
}

injections() {
	trace_start
	# The last page of the block is marked: it is the one that refuses, late.
	mark_shape "$B2"
	injected before -12 ENOMEM -1 "vetoed: injected before the module's own work, errno -12"
	injected after -5 EIO -1 "vetoed: injected after the module's own work, errno -5"
	injections_pfn=$(block_pfn "$B2" $((BLOCK_PAGES - 1)))
	injected late -16 EBUSY "$injections_pfn" \
		"PFN $(hex "$injections_pfn") refused: injected"
	injected late -4 EINTR -1 "interrupted: injected"
	go "$B2" offline
	for injections_point in before after; do
		expect_eq "arm online $injections_point" ok \
			"$(tryio write "$FO"/inject "online $injections_point -12 1")"
		refuse "$B2" online_movable ENOMEM
		expect_reason "injected online $injections_point" "$B2" -12 -1 \
			"vetoed: injected $injections_point the module's own work, errno -12"
	done
	go "$B2" online_movable
	unmark_all
	trace_stop
}

# The log names the source of these words.
log_prefix() {
	mark "$(block_pfn "$B2" 5)" 1 unskippable
	refuse "$B2" offline EBUSY
	expect_eq "the line in the kernel's log" \
		"fake_offline: $(log_reason "$B2" "$(failure_value reason)")" \
		"$(dmesg | grep ' refused: ' | tail -n 1 | sed 's/^\(<[0-9]*>\)*\[[ 0-9.]*\] //')"
	unmark_all
}

# Marked pages are not skippable: the lowest one is named, with its owner.
unskippable() {
	trace_start
	mark_shape "$B2"
	unskippable_pfn=$(block_pfn "$B2" 30000)
	mark "$unskippable_pfn" 5 unskippable
	mark $((unskippable_pfn + 600)) 5 unskippable canary
	unskippable_text="PFN $(hex "$unskippable_pfn") refused: marked unskippable by debugfs"
	said "with unskippable pages" "$B2" -16 "$unskippable_pfn" "$unskippable_text" EBUSY
	expect_failing "the page beside it" expect_reason "of the page beside it" \
		"$B2" -16 $((unskippable_pfn + 1)) "$unskippable_text"
	unmark "$unskippable_pfn" 5
	unskippable_pfn=$((unskippable_pfn + 600))
	said "with the second range only" "$B2" -16 "$unskippable_pfn" \
		"PFN $(hex "$unskippable_pfn") refused: marked unskippable by debugfs" EBUSY
	unmark "$unskippable_pfn" 5
	go "$B2" offline
	go "$B2" online_movable
	unmark_all
	trace_stop
}

# flag_of TEXT: the kernel's own flags of such a page
flag_of() {
	case $1 in
	*"reserved: boot memory or the kernel itself") echo reserved ;;
	*"kernel memory (slab)") echo slab ;;
	*"a page table") echo pgtable ;;
	*) echo plain ;;
	esac
}

# Boot memory is refused before any notifier is asked, so debugfs looks at the pages. The
# kernel's own flags must confirm which page is the first that cannot move.
boot_memory() {
	trace_start
	mark "$(block_pfn "$B1" 5)" 1
	boot_seen=''
	# The sink has the kernel's own data, see record_base().
	for boot_block in $(boot_blocks) "$SINK"; do
		boot_flags=$(oracle count "$(block_range "$boot_block")")
		[ "$(count_of reserved "$boot_flags")" -gt 0 ] ||
			[ "$(count_of slab "$boot_flags")" -gt 50 ] || continue
		# The page table of a process that ends, or a slab, may be free before the
		# test looks at it. The next attempt then meets another page.
		boot_tries=20
		until
			refuse "$boot_block" offline EBUSY debugfs
			boot_pfn=$(failure_value pfn)
			boot_text=$(failure_value reason)
			boot_flag=$(flag_of "$boot_text")
			boot_is=$(count_of "$boot_flag" "$(oracle count "$boot_pfn+1")")
			boot_tries=$((boot_tries - 1))
			[ "$boot_is" = 1 ] || [ "$boot_tries" -eq 0 ]
		do :; done
		case $boot_text in
		"PFN $(hex "$boot_pfn") refused: reserved: boot memory or the kernel itself" | \
		"PFN $(hex "$boot_pfn") refused: kernel memory (slab)" | \
		"PFN $(hex "$boot_pfn") refused: a page table" | \
		"PFN $(hex "$boot_pfn") refused: kernel memory") ;;
		*) failed "words for memory$boot_block: $boot_text" ;;
		esac
		expect_reason "of memory$boot_block" "$boot_block" -16 "$boot_pfn" "$boot_text"
		expect_eq "PFN $boot_pfn is in memory$boot_block" "$boot_block" \
			$((boot_pfn / BLOCK_PAGES))
		expect_eq "PFN $boot_pfn is $boot_flag, says the kernel" 1 "$boot_is"
		# No reserved page comes before it.
		boot_first=$(oracle runs reserved "$(block_range "$boot_block")" | head -n 1)
		[ -z "$boot_first" ] ||
			expect_at_most "the first page, of those that are reserved" \
				"${boot_first% *}" "$boot_pfn"
		expect_offctl "of memory$boot_block" "$boot_block" \
			" refused: "
		boot_seen="$boot_seen $boot_flag"
	done
	note "seen:$boot_seen"
	expect_at_least "blocks with the kernel's data" 1 "$(echo "$boot_seen" | wc -w)"

	refuse 0 offline EINVAL debugfs
	expect_reason "of a block with holes" 0 -22 -1 \
		"in that state already, or the block has holes or several zones"
	go "$B1" offline
	expect_eq "offline again" EINVAL "$(block_try "$B1" offline debugfs)"
	expect_reason "of a block that is offline" "$B1" -22 -1 \
		"in that state already, or the block has holes or several zones"
	go "$B1" online_movable
	check_all "at last"
	unmark_all
	trace_stop
}

# interrupted VIA SIGNAL [longpin]: a process holds a page, and a signal ends the attempt. A
# long pin is 1024 references, and only ZONE_NORMAL has it.
interrupted() {
	trace_start
	mark_shape "$B2"
	interrupted_as="in use, 2 references"
	if [ $# -gt 2 ]; then
		to_zone "$B2" Normal
		interrupted_as="pinned, 1025 references"
	fi
	pin_page "$B2" "${3-}"
	interrupted_text="interrupted by a signal; PFN $(hex "$PIN") was in the way: $interrupted_as"
	hang_start "$B2" "$1"
	expect_eq "memory$B2 meanwhile" going-offline "$(block_state "$B2")"
	kill -"$2" "$hang_pid"
	wait "$hang_pid"
	expect_eq "memory$B2 after that" online "$(block_state "$B2")"
	expect_reason "after SIG$2" "$B2" -4 "$PIN" "$interrupted_text"
	expect_failing "another page" expect_reason "of another page" "$B2" -4 \
		$((PIN + 1)) "$interrupted_text"
	check_all "after SIG$2"
	expect_eq "its content" "broken 0" "$(tenant_ask check)"
	tenant_stop
	go "$B2" offline
	go "$B2" online_movable
	check_all "at last"
	unmark_all
	trace_stop
}

# A hugetlb page that a process holds.
hugetlb() {
	command -v hugepin >/dev/null || skip "no program hugepin"
	trace_start
	mark "$(block_pfn "$B2" 7)" 3 canary
	# The pool has three quarters of the blocks under test, so that $B2 has some.
	echo $((9 * BLOCK_PAGES / 4 / 512)) >/proc/sys/vm/nr_hugepages
	note "hugetlb pages: $(cat /proc/sys/vm/nr_hugepages)"
	mkfifo "$TMP/huge-in" "$TMP/huge-out"
	hugepin "$(block_range "$B2")" <"$TMP/huge-in" >"$TMP/huge-out" &
	huge_pid=$!
	exec 8>"$TMP/huge-in" 9<"$TMP/huge-out"
	read -r huge_line <&9
	expect_eq "a process holds a hugetlb page in memory$B2" pfn "${huge_line% *}"
	huge_pfn=${huge_line#pfn }
	echo 1 >/proc/sys/vm/nr_hugepages
	tryio write "$SYSMEM/memory$B2/state" offline >"$TMP/hang" 2>&1 &
	hang_pid=$!
	# It waits until all other pages have gone.
	while kill -0 "$hang_pid" 2>/dev/null &&
	      [ "$(oracle runs buddy "$(block_range "$B2")" | awk '{ n += $2 } END { print n + 0 }')" != \
		$((BLOCK_PAGES - 512 - 3)) ]; do
		usleep 200000
	done
	kill -USR1 "$hang_pid"
	wait "$hang_pid"
	expect_eq "the interrupted offlining" EINTR "$(cat "$TMP/hang")"
	huge_text=$(failure_value reason)
	expect_eq "the words, but for the number of references" \
		"interrupted by a signal; PFN $(hex "$huge_pfn") was in the way: hugetlb, N references" \
		"$(echo "$huge_text" | sed 's/[0-9]* references/N references/')"
	expect_reason "after a signal" "$B2" -4 "$huge_pfn" "$huge_text"
	exec 8>&- 9<&-
	wait "$huge_pid"
	expect_eq "the process ends" 0 $?
	echo 0 >/proc/sys/vm/nr_hugepages
	check_all "after that"
	go "$B2" offline
	go "$B2" online_movable
	unmark_all
	check_all "after unmark"
	trace_stop
}

# A free hugetlb page that is reserved cannot be dissolved, so its block cannot go offline.
# The reason is the page, and not a veto.
reserved() {
	command -v hugepin >/dev/null || skip "no program hugepin"
	trace_start
	echo $((9 * BLOCK_PAGES / 4 / 512)) >/proc/sys/vm/nr_hugepages
	reserved_nr=$(cat /proc/sys/vm/nr_hugepages)
	mkfifo "$TMP/res-in" "$TMP/res-out"
	hugepin -r "$reserved_nr" <"$TMP/res-in" >"$TMP/res-out" &
	huge_pid=$!
	exec 8>"$TMP/res-in" 9<"$TMP/res-out"
	read -r huge_line <&9
	expect_eq "all hugetlb pages are" reserved "$huge_line"
	expect_eq "offline" EBUSY "$(tryio write "$SYSMEM/memory$B2/state" offline)"
	huge_pfn=$(failure_value pfn)
	expect_eq "the page is in memory$B2, and of the hugetlb pool" "1 $huge_pfn 1" \
		"$((huge_pfn / BLOCK_PAGES == B2)) $(oracle runs huge "$huge_pfn+1")"
	expect_reason "of a reserved page" "$B2" -16 "$huge_pfn" \
		"PFN $(hex "$huge_pfn") could not be dissolved: a free huge page that the hugetlb pool needs"
	expect_failing "a veto" expect_reason "of a veto" "$B2" -16 -1 \
		"vetoed by another notifier, after this module's"
	exec 8>&- 9<&-
	wait "$huge_pid"
	echo 0 >/proc/sys/vm/nr_hugepages
	check_all "after that"
	go "$B2" offline
	go "$B2" online_movable
	trace_stop
}

run_tests nothing log_prefix client notifiers injections unskippable boot_memory \
	"interrupted sysfs USR1" "interrupted debugfs TERM" \
	"interrupted sysfs HUP longpin" hugetlb reserved
