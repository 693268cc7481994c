#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Free pages while their block goes offline are isolated: on a list of their own,
# out of the allocator's sight and out of the count of free pages. After an
# offlining that failed there are exactly as many free pages as before, and
# every one can be allocated.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# block_free BLOCK: its pages in the buddy allocator
block_free() {
	count_of buddy "$(oracle count "$(block_range "$1")")"
}

# zone_counter: free pages of ZONE_MOVABLE by the kernel's counter, which leaves
# isolated ones out. zone_lists: by the lengths of its lists, which do not.
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

# zone_pages: and by looking at each page of the zone
zone_pages() {
	set --
	block_states
	for zp_block in $ONLINE; do
		[ "$(block_zone "$zp_block")" != Movable ] ||
			set -- "$@" "$(block_range "$zp_block")"
	done
	count_of buddy "$(oracle count "$@")"
}

# check_free WHEN: the three agree. The machine is not quiet, and so they are
# read until they do, and the first has not changed meanwhile.
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

# Counts as they are while a block is isolated: one page of it too many.
off_by_one() {
	free_error=1
	check_free "and one more"
}

# fail HOW: an attempt to take $B2 offline that fails
fail() {
	case $1 in
	unskippable) refuse "$B2" offline EBUSY ;;
	*) refuse_once "$B2" "$1" ;;
	esac
}

# A block that has come online is free as a whole, and the last to be allocated
# from: nobody else has pages there. Marks leave whole chunks of the largest
# order free, for the same reason.
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

# allocatable WHEN: every free page of $B2 is taken, and given back
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
	expect_at_most "free pages of the block that nobody could get" 256 \
		"$(count_of block_free "$hog_got")"
	unmark_all
	check_all "after unmark"
	check_free "after unmark"
}

# The same with a page that makes the kernel refuse by itself, and with as many
# attempts as make a small loss large.
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

# Marks that leave free pages of all orders.
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
	# Chunks of all orders are free again, but for what the CPUs' lists, and others,
	# were quick to take.
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
