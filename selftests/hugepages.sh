#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Pages in use of other kinds than plain anonymous ones, in a block with marks: hugetlb,
# transparent huge pages, locked memory, page cache. An offlining migrates them, also one
# that fails late, and so does a mark of their place. Their content stays, and so do the
# marks beside them.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Flags of /proc/kpageflags that tell these kinds
KPF_HUGE=17 KPF_UNEVICTABLE=18 KPF_THP=22 KPF_SWAPBACKED=14

# lodger_start KIND COUNT BLOCK: companion_ask and companion_stop work for it, too
lodger_start() {
	companion_start "a process has $1 pages in memory$3" "units $2" \
		lodger "$1" "$2" "$(block_range "$3")"
}

# lodger_is WHEN INSIDE: this number of its units is in the block, with the right content
lodger_is() {
	expect_eq "its units in the block $1" "inside $2" "$(companion_ask where)"
	expect_eq "its content $1" "broken 0" "$(companion_ask check)"
}

# pool PAGES: gives the pool of hugetlb this size
pool() {
	echo "$1" >/proc/sys/vm/nr_hugepages
	expect_eq "pages in the pool of hugetlb" "$1" "$(pool_now)"
}

pool_now() {
	awk '$1 == "HugePages_Total:" { print $2 }' /proc/meminfo
}

# alone: the allocator takes a fresh block last. So its neighbours go offline until the
# process has its pages.
alone() {
	go "$B1" offline
	go "$B3" offline
}

together() {
	go "$B1" online_movable
	go "$B3" online_movable
}

# place_units KIND COUNT: a process with COUNT units of that KIND in $B2
place_units() {
	alone
	[ "$1" != hugetlb ] || pool $(($2 + 20))
	lodger_start "$1" "$2" "$B2"
	[ "$1" != hugetlb ] || pool "$2"
	together
	case $1 in
	hugetlb) kind_flag=$KPF_HUGE ;;
	thp) kind_flag=$KPF_THP ;;
	mlock) kind_flag=$KPF_UNEVICTABLE ;;
	file) kind_flag=$KPF_SWAPBACKED ;;
	esac
	# A page reaches the right list of the LRU with a delay, which ends when a range is
	# taken. compact_memory would end it, too, but it moves pages.
	mark "$(block_pfn "$B3" 1)" 1
	unmark "$(block_pfn "$B3" 1)" 1
	expect_eq "units that are of that kind" "flag $2" \
		"$(companion_ask "flag $kind_flag")"
	lodger_is "at first" "$2"
	check_all "with $1 pages"
}

broken_is_noticed() {
	lodger_is "with one unit spoiled" "$1"
}

# moved KIND COUNT
moved() {
	[ "$1" != thp ] || [ -d /sys/kernel/mm/transparent_hugepage ] ||
		skip "this kernel has no transparent huge pages"
	# The marks leave 2 MiB of neighbouring pages free.
	mark "$(block_pfn "$B2" 8192)" 4096 canary
	mark "$(block_pfn "$B2" 1)" 1 canary
	mark "$(block_pfn "$B2" 20001)" 777
	mark "$(block_pfn "$B2" $((BLOCK_PAGES - 1)))" 1 canary
	place_units "$1" "$2"

	expect_eq "spoil" spoiled "$(companion_ask spoil)"
	expect_failing "a wrong word is noticed" broken_is_noticed "$2"
	expect_eq "mend" mended "$(companion_ask mend)"

	# An early failure moves no page.
	load_notifier_errors -1
	notifier_error MEM_GOING_OFFLINE -12
	refuse "$B2" offline ENOMEM
	unload_notifier_errors
	lodger_is "after an early failure" "$2"
	check_all "after an early failure"

	# At a late failure all pages have moved, and they stay where they are.
	expect_eq "arm late" ok "$(tryio write "$FO"/inject "offline late -16 1")"
	refuse "$B2" offline EBUSY
	lodger_is "after a late failure" 0
	check_all "after a late failure"
	companion_stop
	[ "$1" != hugetlb ] || pool 0

	# A mark takes their place.
	place_units "$1" "$2"
	moved_nr=1
	case $1 in hugetlb | thp) moved_nr=512 ;; esac
	for moved_pfn in $(companion_ask list | tr ' ' '\n' | head -n 3); do
		mark "$moved_pfn" "$moved_nr" canary
	done
	expect_eq "its content after marks" "broken 0" "$(companion_ask check)"
	expect_eq "units that are where the marks are" 0 \
		"$(companion_ask list | tr ' ' '\n' | awk '
		NR == FNR { for (i = 0; i < $2; i++) marked[$1 + i] = 1; next }
		$1 in marked { n++ }
		END { print n + 0 }' "$MARKS" -)"
	check_all "after marks took their place"

	# The block goes offline.
	go "$B2" offline
	lodger_is "while offline" 0
	[ "$1" != hugetlb ] ||
		expect_eq "pages in the pool of hugetlb" "$2" "$(pool_now)"
	check_all "while offline"
	go "$B2" online_movable
	lodger_is "after online" 0
	check_all "after online"
	companion_stop
	[ "$1" != hugetlb ] || pool 0
	unmark_all
	check_all "after unmark"
}

# The whole block is marked, with all kinds of pages in it.
whole_block() {
	place_units "$1" "$2"
	mark "$(block_start "$B2")" "$BLOCK_PAGES" canary
	lodger_is "when all of its place is marked" 0
	check_all "when all is marked"
	companion_stop
	[ "$1" != hugetlb ] || pool 0
	go "$B2" offline
	go "$B2" online_movable
	check_all "after offline and online"
	unmark_all
	check_all "after unmark"
}

run_tests "moved hugetlb 4" "moved thp 4" "moved mlock 200" "moved file 200" \
	"whole_block hugetlb 4"
