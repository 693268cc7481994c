#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A block with marks also has pages in use. Here these are hugetlb pages, transparent huge
# pages, locked pages or pages of the page cache. states.sh tests anonymous and tmpfs pages. An
# offline operation migrates these pages, even if it fails late. A mark of their place migrates
# them as well. In each case their content and the marks beside them must stay.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# The flags of /proc/kpageflags that distinguish these kinds
KPF_HUGE=17 KPF_UNEVICTABLE=18 KPF_THP=22 KPF_SWAPBACKED=14

# lodger_start KIND COUNT BLOCK: starts the program lodger with COUNT units of that kind in the
# block. A unit is one page, or one huge page. companion_ask and companion_stop talk to it.
lodger_start() {
	companion_start "a process has $1 pages in memory$3" "units $2" \
		lodger "$1" "$2" "$(block_range "$3")"
}

# expect_lodger WHEN INSIDE: this number of its units is in the block, and the content of all
# is right
expect_lodger() {
	expect_eq "units in the block $1" "inside $2" "$(companion_ask where)"
	expect_eq "content of the units $1" "broken 0" "$(companion_ask check)"
}

# pool PAGES: sets the size of the pool of hugetlb pages
pool() {
	echo "$1" >/proc/sys/vm/nr_hugepages
	expect_eq "pages in the pool of hugetlb" "$1" "$(pool_now)"
}

pool_now() {
	awk '$1 == "HugePages_Total:" { print $2 }' /proc/meminfo
}

# only_b2: takes $B1 and $B3 offline, so that the allocator takes pages of $B2. It would
# otherwise take pages of a block last that has just come online.
only_b2() {
	go "$B1" offline
	go "$B3" offline
}

# all_blocks: brings $B1 and $B3 online again
all_blocks() {
	go "$B1" online_movable
	go "$B3" online_movable
}

# place_units KIND COUNT: starts a process with COUNT units of that KIND in $B2, and checks
# that it has them there
place_units() {
	only_b2
	[ "$1" != hugetlb ] || pool $(($2 + 20))
	lodger_start "$1" "$2" "$B2"
	[ "$1" != hugetlb ] || pool "$2"
	all_blocks
	case $1 in
	hugetlb) kind_flag=$KPF_HUGE ;;
	thp) kind_flag=$KPF_THP ;;
	mlock) kind_flag=$KPF_UNEVICTABLE ;;
	file) kind_flag=$KPF_SWAPBACKED ;;
	esac
	# A locked page reaches the unevictable list of the LRU with a delay. A mark drains the
	# per-CPU lists, which ends this delay. compact_memory would also end it, but moves pages.
	mark "$(block_pfn "$B3" 1)" 1
	unmark "$(block_pfn "$B3" 1)" 1
	expect_eq "units that are of that kind" "flag $2" \
		"$(companion_ask "flag $kind_flag")"
	expect_lodger "at first" "$2"
	check_all "with $1 pages"
}

# For expect_failing: the content of one unit is wrong
spoiled_unit() {
	expect_lodger "with one unit spoiled" "$1"
}

# moved KIND COUNT: the units are migrated by a late failure, by a mark of their place and by an
# offline operation
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
	expect_failing "a wrong word is noticed" spoiled_unit "$2"
	expect_eq "mend" mended "$(companion_ask mend)"

	# An early failure moves no page.
	load_notifier_errors -1
	notifier_error MEM_GOING_OFFLINE -12
	refuse "$B2" offline ENOMEM
	unload_notifier_errors
	expect_lodger "after an early failure" "$2"
	check_all "after an early failure"

	# A late failure comes after the migration. The pages stay at their new places.
	expect_eq "arm late" ok "$(tryio write "$FO"/inject "offline late -16 1")"
	refuse "$B2" offline EBUSY
	expect_lodger "after a late failure" 0
	check_all "after a late failure"
	companion_stop
	[ "$1" != hugetlb ] || pool 0

	# Marks take the pages of the first three units.
	place_units "$1" "$2"
	moved_nr=1
	case $1 in hugetlb | thp) moved_nr=512 ;; esac
	for moved_pfn in $(companion_ask list | tr ' ' '\n' | head -n 3); do
		mark "$moved_pfn" "$moved_nr" canary
	done
	expect_eq "content of the units after the marks" "broken 0" "$(companion_ask check)"
	expect_eq "units in marked pages" 0 \
		"$(companion_ask list | tr ' ' '\n' | awk '
		NR == FNR { for (i = 0; i < $2; i++) marked[$1 + i] = 1; next }
		$1 in marked { n++ }
		END { print n + 0 }' "$MARKS" -)"
	check_all "after marks of their place"

	# The block goes offline.
	go "$B2" offline
	expect_lodger "while offline" 0
	[ "$1" != hugetlb ] ||
		expect_eq "pages in the pool of hugetlb" "$2" "$(pool_now)"
	check_all "while offline"
	go "$B2" online_movable
	expect_lodger "after online" 0
	check_all "after online"
	companion_stop
	[ "$1" != hugetlb ] || pool 0
	unmark_all
	check_all "after unmark"
}

# whole_block KIND COUNT: the units are in a block without marks. One mark takes the whole block.
whole_block() {
	place_units "$1" "$2"
	mark "$(block_start "$B2")" "$BLOCK_PAGES" canary
	expect_lodger "when the whole block is marked" 0
	check_all "when the whole block is marked"
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
