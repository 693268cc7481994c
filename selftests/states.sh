#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Tests the table "What each page does" of docs/design.md. A page is free, in use and movable,
# marked skippable, marked unskippable, pinned, or boot memory. The state of each page is
# checked at first, after an offline operation has failed, while the block is offline, and
# after it has come online. The tests with marked pages run in ZONE_MOVABLE and ZONE_NORMAL.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# arm HOW: makes the next offline operations fail. Sets ERRNO to the errno that they must have.
# HOW is one of:
#
#   kernel-before, kernel-after    a memory notifier of the kernel refuses, which is called
#                                  before or after the module's notifier
#   before, after    the module's notifier refuses, before or after its own work
#   late             the last skippable page of the block refuses during migration
#   signal           a signal seems to be pending during migration
arm() {
	ERRNO=ENOMEM
	case $1 in
	kernel-before)
		load_notifier_errors 1
		notifier_error MEM_GOING_OFFLINE -12 ;;
	kernel-after)
		load_notifier_errors -1
		notifier_error MEM_GOING_OFFLINE -12 ;;
	before | after)
		expect_eq "arm offline $1" ok \
			"$(tryio write "$FO"/inject "offline $1 -12 2")" ;;
	late)
		ERRNO=EBUSY
		expect_eq "arm offline late" ok \
			"$(tryio write "$FO"/inject "offline late -16 2")" ;;
	signal)
		ERRNO=EINTR
		expect_eq "arm offline late, by a signal" ok \
			"$(tryio write "$FO"/inject "offline late -4 2")" ;;
	*) failed "unknown way to fail: $1" ;;
	esac
}

# disarm HOW: ends a kernel-* of arm(). For the others, checks that the failures are used up.
disarm() {
	case $1 in
	kernel-*)
		notifier_error MEM_GOING_OFFLINE 0
		unload_notifier_errors ;;
	esac
	expect_eq "nothing is armed any more" "" "$(sed /^#/d "$FO"/inject)"
}

# rollback ZONE HOW TYPE: a block in ZONE has marks of many shapes. Two attempts to take it
# offline fail as HOW of arm() says, one by sysfs and one by debugfs. Then it goes offline and
# comes online with the online type TYPE.
rollback() {
	mark_shape "$B2"
	check_all "when marked"
	to_zone "$B2" "$1"
	check_all "in zone $1"

	arm "$2"
	stats_mark
	refuse "$B2" offline "$ERRNO" sysfs
	check_all "after the first failure"
	refuse "$B2" offline "$ERRNO" debugfs
	check_all "after the second failure"
	case $2 in
	kernel-before)
		expect_stats "offline_attempts 0" "offline_cancelled 0" \
			"offline_cancelled_early 2" "injected 0" ;;
	kernel-after)
		expect_stats "offline_attempts 2" "offline_cancelled 2" \
			"offline_cancelled_early 0" "injected 0" ;;
	*)
		expect_stats "offline_attempts 2" "injected 2" ;;
	esac
	disarm "$2"
	check_hog "after two failures" "$B2"

	stats_mark
	go "$B2" offline
	check_all "while offline"
	rollback_zone=Movable
	case $3 in
	online) rollback_zone=$(block_zone "$B2") ;;
	online_kernel) rollback_zone=Normal ;;
	esac
	go "$B2" "$3" debugfs
	expect_eq "the zone after $3" "$rollback_zone" "$(block_zone "$B2")"
	check_all "after $3"
	expect_stats "offline_attempts 1" "offline_done 1" \
		"online_attempts 1" "online_done 1" \
		"withheld_pages $(marks_pages <"$MARKS")"
	case $2 in
	kernel-before | late) check_hog "after $3" "$B2" ;;
	esac

	to_zone "$B2" Movable
	check_all "back in ZONE_MOVABLE"
	unmark_all
	check_all "after unmark"
}

# An online operation fails at each place where a notifier can refuse it. The block has marks,
# and every failure leaves it offline. Then it comes online.
online_fails() {
	mark_shape "$B2"
	go "$B2" offline
	for online_point in before after; do
		stats_mark
		expect_eq "arm online $online_point" ok \
			"$(tryio write "$FO"/inject "online $online_point -12 1")"
		refuse "$B2" online_movable ENOMEM sysfs
		check_all "after an online operation failed $online_point the module's own work"
		expect_stats "online_attempts 1" "online_done 0" "injected 1"
	done
	for online_priority in -1 1; do
		load_notifier_errors "$online_priority"
		notifier_error MEM_GOING_ONLINE -12
		stats_mark
		refuse "$B2" online_kernel ENOMEM debugfs
		check_all "after an online operation failed by a notifier of priority $online_priority"
		case $online_priority in
		-1) expect_stats "online_attempts 1" "online_cancelled 1" \
			"online_cancelled_early 0" ;;
		1) expect_stats "online_attempts 0" "online_cancelled 0" \
			"online_cancelled_early 1" ;;
		esac
		unload_notifier_errors
	done
	go "$B2" online_movable
	check_all "after a successful online operation"
	check_hog "after failed online operations" "$B2"
	unmark_all
	check_all "after unmark"
}

# unskippable ZONE: the block has five unskippable pages. It refuses to go offline, and
# nothing changes. It goes offline after these pages were released.
unskippable() {
	mark_shape "$B2"
	to_zone "$B2" "$1"
	mark "$(block_pfn "$B2" 30000)" 5 unskippable canary
	# With notifier and native, these five pages have a reference. Outside ZONE_MOVABLE,
	# alloc_contig_range() then refuses their page block. This mark in the same page block
	# must work nevertheless, because the module drops these references for a moment.
	mark "$(block_pfn "$B2" 30010)" 7
	check_all "when marked"
	refuse "$B2" offline EBUSY sysfs
	check_all "after the first refusal"
	refuse "$B2" offline EBUSY debugfs
	check_all "after the second refusal"
	check_hog "after two refusals" "$B2"
	unmark "$(block_pfn "$B2" 30000)" 5
	check_all "without the unskippable pages"
	to_zone "$B2" Movable
	go "$B2" offline
	go "$B2" online_movable
	check_all "after offline and online"
	unmark_all
	check_all "after unmark"
}

# Free pages: an offline operation of a block without marks fails. Its free pages must be free
# again, and a process must be able to allocate them.
free_pages() {
	mark "$(block_pfn "$B1" 7)" 3
	for free_how in kernel-before kernel-after; do
		arm "$free_how"
		refuse "$B2" offline ENOMEM
		check_all "after $free_how"
		check_hog "after $free_how" "$B2"
		disarm "$free_how"
	done
	go "$B2" offline
	check_all "while offline"
	go "$B2" online_movable
	check_all "after online"
	check_hog "after online" "$B2"
	free_got=$(oracle count "$(block_range "$B2")")
	expect_at_least "free pages of a block that came back" \
		$((BLOCK_PAGES - 1024)) "$(count_of buddy "$free_got")"
	unmark_all
}

# in_use anonymous|tmpfs: a process has pages beside marked pages. An early failure migrates no
# page. A late failure comes after the migration, so the pages stay at their new places. The
# block then goes offline. The content of the pages never changes.
in_use() {
	mark_shape "$B2"
	case $1 in
	anonymous) tenant_start 600 "$B2" ;;
	tmpfs) tenant_start 600 "$B2" -s ;;
	esac
	expect_eq "its pages in the block" "inside 600" "$(tenant_ask where)"
	check_all "with a process's pages"

	arm kernel-after
	refuse "$B2" offline ENOMEM
	disarm kernel-after
	expect_eq "after a failure before migration: content" "broken 0" \
		"$(tenant_ask check)"
	check_all "after a failure before migration"

	arm late
	refuse "$B2" offline EBUSY
	expect_eq "clear" ok "$(tryio write "$FO"/inject clear)"
	expect_eq "after a failure in migration: place" "inside 0" \
		"$(tenant_ask where)"
	expect_eq "after a failure in migration: content" "broken 0" \
		"$(tenant_ask check)"
	check_all "after a failure in migration"
	check_hog "after a failure in migration" "$B2"

	go "$B2" offline
	expect_eq "while offline: place" "inside 0" "$(tenant_ask where)"
	go "$B2" online_movable
	expect_eq "after online: content" "broken 0" "$(tenant_ask check)"
	check_all "after online"
	tenant_stop
	unmark_all
	check_all "after unmark"
}

# in_use_marked: a mark of the whole block migrates the pages of a process, with their content
in_use_marked() {
	tenant_start 600 "$B2"
	mark "$(block_start "$B2")" "$BLOCK_PAGES" canary
	expect_eq "pages of the process in the block" "inside 0" "$(tenant_ask where)"
	expect_eq "content of its pages" "broken 0" "$(tenant_ask check)"
	check_all "when all of the block is marked"
	go "$B2" offline
	check_all "while offline"
	go "$B2" online_movable
	check_all "after online"
	expect_eq "content of its pages" "broken 0" "$(tenant_ask check)"
	tenant_stop
	unmark_all
	check_all "after unmark"
	check_isolated "after unmark"
}

# pinned: a process has pinned a page. No mark can take this page, alone or among others, and
# a refused mark changes nothing. After the process has unpinned the page, the mark succeeds.
pinned() {
	tenant_start 3 "$B2"
	pin=$(tenant_ask pin)
	pin=${pin#pfn }
	expect_eq "marking a pinned page" EBUSY "$(mark_raw "$pin 1")"
	expect_eq "marking a pinned page among others" EBUSY \
		"$(mark_raw "$((pin - pin % 512)) 512")"
	check_all "after two refused marks"
	expect_eq "unpin" "unpinned" "$(tenant_ask unpin)"
	expect_eq "content of its pages" "broken 0" "$(tenant_ask check)"
	mark "$((pin - pin % 512))" 512 canary
	check_all "without the pin"
	tenant_stop
	unmark_all
}

# Boot memory: a block with kernel data refuses to go offline. A slab page and a reserved page
# cannot be marked. A block with holes refuses with EINVAL. Free boot memory can be marked.
boot_memory() {
	mark "$(block_pfn "$B1" 5)" 1
	# Finds a block of boot RAM without holes that has slab or reserved pages. A kernel that
	# has just booted may have no such block. So the lane has a large log_buf_len=, and the
	# log buffer puts reserved pages into one.
	boot_block=
	for boot_i in $(boot_blocks); do
		boot_got=$(oracle count "$(block_range "$boot_i")")
		if [ "$(count_of slab "$boot_got")" -gt 50 ] ||
		   [ "$(count_of reserved "$boot_got")" -gt 0 ]; then
			boot_block=$boot_i
			break
		fi
	done
	expect_at_least "a block of boot memory with the kernel's own data" 1 \
		"${boot_block:-0}" || return
	stats_mark
	refuse "$boot_block" offline EBUSY sysfs
	refuse "$boot_block" offline EBUSY debugfs
	check_all "after boot memory refused"
	# Tries to mark a slab page, up to five times. If the slab is freed meanwhile, the mark
	# succeeds. It takes a page of the longest run of slab pages, which is probably old.
	boot_tries=5
	until
		boot_slab=$(oracle runs slab "0+$((8 * BLOCK_PAGES))" | sort -k2n | tail -n 1)
		result mark_raw "${boot_slab% *} 1"
		boot_tries=$((boot_tries - 1))
		[ "$RESULT" != ok ] || [ "$boot_tries" -eq 0 ]
	do
		tryio write "$FO"/unmark "${boot_slab% *} 1" >/dev/null
	done
	expect_eq "marking a slab page" EBUSY "$RESULT"

	boot_pfn=$((0x$(sed -n 's/^ *\([0-9a-f]*\)-.* : Kernel code$/\1/p' /proc/iomem) / 4096))
	expect_eq "the kernel's code is a reserved page" 1 \
		"$(count_of reserved "$(oracle count "$boot_pfn+1")")"
	expect_eq "marking a reserved page" EBUSY "$(mark_raw "$boot_pfn 1")"
	check_all "after refused marks"

	# The first block has holes, for which the kernel itself returns EINVAL.
	refuse 0 offline EINVAL sysfs
	refuse 0 offline EINVAL debugfs
	check_all "after a block with holes refused"

	# Free boot memory can be marked like any other.
	expect_eq "mark 64 pages of DMA32" ok "$(mark_raw "any 64 zone=DMA32 canary")"
	sed '/^#/d' "$FO"/ranges | awk '$6 == "DMA32" { print $1, $2, $3, $4 }' >>"$MARKS"
	check_all "with marks in boot memory"
	unmark_all
	check_all "after unmark"
}

# Each way to fail is tested in each zone. The online types take turns.
set --
for zone in Movable Normal; do
	type=online_movable
	for how in kernel-before kernel-after before after late signal; do
		set -- "$@" "rollback $zone $how $type"
		case $type in
		online_movable) type=online ;;
		online) type=online_kernel ;;
		online_kernel) type=online_movable ;;
		esac
	done
	set -- "$@" "unskippable $zone"
done
run_tests "$@" online_fails free_pages "in_use anonymous" "in_use tmpfs" \
	in_use_marked pinned boot_memory
