#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# While their block goes offline, free pages are isolated. They are on a list of their
# own, where the allocator does not see them, and the count of free pages does not have
# them. After an offlining that failed, there are exactly as many free pages as before,
# and each can be allocated.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# block_free BLOCK: the number of its pages in the buddy allocator
block_free() {
	count_of buddy "$(oracle count "$(block_range "$1")")"
}

# zone_counter: the free pages of ZONE_MOVABLE by the kernel's counter, without isolated
# ones. zone_lists: the same by the lengths of its lists, with isolated ones.
zone_counter() {
	echo 1 >/proc/sys/vm/stat_refresh
	awk '
	$1 == "Node" { on = $4 == "Movable" }
	on && $1 == "pages" && $2 == "free" { print $3 }' /proc/zoneinfo
}

zone_lists() {
	awk '
	BEGIN { size = 1 }
	$4 == "Movable" {
		for (i = 5; i <= NF; i++) {
			sum += $i * size
			size *= 2
		}
		print sum
	}' /proc/buddyinfo
}

# zone_pages: the same by a look at each page of the zone
zone_pages() {
	set --
	block_states
	for zp_block in $ONLINE; do
		[ "$(block_zone "$zp_block")" != Movable ] ||
			set -- "$@" "$(block_range "$zp_block")"
	done
	count_of buddy "$(oracle count "$@")"
}

# check_free WHEN: the three agree. Other tasks allocate, too. So the three are read until
# they agree and the first one has not changed meanwhile.
check_free() {
	free_left=100
	while :; do
		free_counter=$(zone_counter)
		free_lists=$(zone_lists)
		free_pages=$(zone_pages)
		[ "$(zone_counter) $free_lists $free_pages" != \
		  "$free_counter $free_counter $free_counter" ] || break
		free_left=$((free_left - 1))
		[ "$free_left" -gt 0 ] || break
	done
	expect_eq "free pages of the zone, by its counter, lists and pages $1" \
		"$((free_counter + ${free_error:-0})) $((free_counter + ${free_error:-0})) $((free_counter + ${free_error:-0}))" \
		"$free_counter $free_lists $free_pages"
}

# The twin: the counts while a block is isolated, with one page too many.
off_by_one() {
	free_error=1
	check_free "and one more"
}

# fail HOW: makes an attempt to take $B2 offline fail
fail() {
	case $1 in
	unskippable) refuse "$B2" offline EBUSY ;;
	*) refuse_once "$B2" "$1" ;;
	esac
}

# All pages of a block are free when it has come online, and the allocator uses that block
# last. So no other task has pages there. For the same reason, the marks leave whole
# chunks of the largest order free.
quiet_block() {
	mark "$(block_pfn "$B2" 8192)" 4096 canary
	mark "$(block_pfn "$B2" 24576)" 1024
	go "$B2" offline
	go "$B2" online_movable
	quiet_free=$((BLOCK_PAGES - 4096 - 1024))
	expect_eq "free pages of a fresh block" "$quiet_free" "$(block_free "$B2")"
	check_all "when it is fresh"
	check_free "when it is fresh"
	expect_failing "a page more is noticed" off_by_one
}

# allocatable WHEN: every free page of $B2 can be taken, and is given back
allocatable() {
	mark "$(block_start "$B2")" 8192
	mark "$(block_pfn "$B2" 12288)" 12288 canary
	mark "$(block_pfn "$B2" 25600)" 7168
	expect_eq "PageOffline pages of the block $1" "$BLOCK_PAGES" \
		"$(count_of offline "$(oracle count "$(block_range "$B2")")")"
	check_all "when all of it is taken, $1"
	check_free "when all of it is taken, $1"
	unmark "$(block_start "$B2")" 8192
	unmark "$(block_pfn "$B2" 12288)" 12288
	unmark "$(block_pfn "$B2" 25600)" 7168
	expect_eq "free pages of the block $1" "$quiet_free" "$(block_free "$B2")"
	check_free "when it was given back, $1"
}

exact() {
	quiet_block
	for exact_how in kernel-before kernel-after before after late signal; do
		fail "$exact_how"
		expect_eq "free pages of the block after a failure ($exact_how)" \
			"$quiet_free" "$(block_free "$B2")"
		check_isolated "after a failure ($exact_how)"
		check_free "after a failure ($exact_how)"
		check_accounts "after a failure ($exact_how)"
	done
	check_all "after all failures"
	allocatable "after all failures"
	check_hog "after all failures" "$B2"
	expect_at_most "free pages of the block that could not be allocated" 256 \
		"$(count_of block_free "$hog_got")"
	unmark_all
	check_all "after unmark"
	check_free "after unmark"
}

# The same with a page for which the kernel itself refuses. There are so many attempts
# that a small loss in each becomes large.
again_and_again() {
	quiet_block
	mark "$(block_pfn "$B2" 25600)" 1024 unskippable
	quiet_free=$((quiet_free - 1024))
	again=0
	while [ "$again" -lt 20 ]; do
		again=$((again + 1))
		fail unskippable
		[ "$FAILED" = 0 ] || break
	done
	expect_eq "free pages of the block after $again refusals" "$quiet_free" \
		"$(block_free "$B2")"
	check_free "after refusals"
	check_all "after refusals"
	unmark "$(block_pfn "$B2" 25600)" 1024
	quiet_free=$((quiet_free + 1024))
	allocatable "after refusals"
	unmark_all
	check_all "after unmark"
}

# The marks leave free pages of all orders.
small_chunks() {
	mark_shape "$B2"
	check_free "when marked"
	for small_how in kernel-after late signal; do
		fail "$small_how"
		check_isolated "after a failure ($small_how)"
		check_free "after a failure ($small_how)"
	done
	check_all "after failures"
	go "$B2" offline
	check_free "while offline"
	go "$B2" online_movable
	# Chunks of all orders are free again, except for pages that were taken at once by
	# the lists of the CPUs or by other tasks.
	small_got=$(oracle count "$(block_range "$B2")")
	expect_at_least "free pages of a fresh block" \
		$((BLOCK_PAGES - $(count_of offline "$small_got") - HOG_LEAVES)) \
		"$(count_of buddy "$small_got")"
	check_free "after online"
	check_all "after online"
	unmark_all
	check_free "after unmark"
}

run_tests exact again_and_again small_chunks
