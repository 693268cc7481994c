#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A mark may begin and end anywhere in a large folio that is in use. The folio is a
# transparent huge page of anonymous or of shared memory, which is page cache, or a
# smaller one where the kernel has such. Exactly the requested pages are marked, and the
# content of the process stays.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

THP=/sys/kernel/mm/transparent_hugepage

# thp_set FILE VALUE: writes VALUE, and keeps the old value for thp_restore
thp_set() {
	thp_was=$(sed 's/.*\[\(.*\)\].*/\1/' "$THP/$1")
	echo "$1 $thp_was" >>"$TMP/thp"
	echo "$2" >"$THP/$1"
}

thp_restore() {
	while read -r thp_file thp_was; do
		echo "$thp_was" >"$THP/$thp_file"
	done <"$TMP/thp"
	rm -f "$TMP/thp"
}

# kind_on KIND: the kernel makes such folios for those who ask; sets UNIT to the number of
# pages of one
kind_on() {
	UNIT=512
	[ -d "$THP" ] || skip "this kernel has no transparent huge pages"
	thp_set enabled madvise
	thp_set shmem_enabled advise
	case $1 in
	mthp)
		[ -f "$THP/hugepages-64kB/enabled" ] ||
			skip "this kernel has no anonymous folios of 64 KiB"
		UNIT=16
		thp_set hugepages-2048kB/enabled never
		thp_set hugepages-64kB/enabled madvise ;;
	cache)
		[ -f "$THP/hugepages-64kB/shmem_enabled" ] ||
			skip "this kernel has no folios of 64 KiB in shared memory"
		UNIT=16
		thp_set hugepages-2048kB/shmem_enabled never
		thp_set hugepages-64kB/shmem_enabled advise ;;
	esac
}

# place_folios KIND COUNT RANGE: a process with this number of folios there
place_folios() {
	companion_start "a process has large folios ($1)" "units $2" lodger "$1" "$2" "$3"
	companion_ask list | tr ' ' '\n' >"$TMP/heads"
	expect_eq "places of its folios" "$2" "$(wc -l <"$TMP/heads")"
	expect_eq "of these, at a multiple of their size" "$2" \
		"$(awk -v unit="$UNIT" '$1 % unit == 0 { n++ } END { print n + 0 }' "$TMP/heads")"
}

# head_of N: the first page of its N-th folio
head_of() {
	sed -n "$1p" "$TMP/heads"
}

content() {
	expect_eq "its content $1" "broken 0" "$(companion_ask check)"
}

# mark_in N FIRST NR [OPTION…]: marks pages of the N-th folio
mark_in() {
	mark_in_head=$(head_of "$1") mark_in_first=$2
	shift 2
	mark $((mark_in_head + mark_in_first)) "$@"
	content "after a mark of $1 pages from page $mark_in_first of a folio on"
}

# moved N: the process has no page any more in the first N folios that it had
moved() {
	companion_ask list | tr ' ' '\n' >"$TMP/now"
	expect_eq "folios that are where they were, of those that were marked" 0 \
		"$(head -n "$1" "$TMP/heads" | grep -cxFf "$TMP/now")"
}

# The twin: a head that is not marked is noted as marked.
one_more() {
	MARKS=$MARKS.twin
	awk '{ print $1, $2, $3, $4 }' "$TMP/marks-online" >"$MARKS"
	note_mark "$(head_of 1)" 1
	check_pages "with a head that is not marked"
}

# shapes: marks of each shape, each in a folio of its own
shapes() {
	mark_in 1 1 1 canary
	mark_in 2 $((UNIT / 2 + 1)) 1
	mark_in 3 $((UNIT - 1)) 1 canary
	mark_in 4 0 $((UNIT / 4))
	mark_in 5 $((UNIT / 4)) $((UNIT - UNIT / 4)) canary
	mark_in 6 3 5 unskippable
	mark_in 7 0 "$UNIT"
	mark_in 8 0 1
	check_all "with marks of each shape"
	moved 8
	expect_failing "a head that was not asked for" one_more

	# Tails of several folios in one write, the last ones first.
	{
		echo "$(($(head_of 10) + UNIT - 2)) 1 canary"
		echo "$(($(head_of 10) + 5)) 2"
		echo "$(($(head_of 9) + 7)) 1 canary"
	} >"$TMP/batch"
	mark_batch "$TMP/batch"
	content "after marks in one write"
	check_all "after marks in one write"
}

# in_movable KIND: the folios are in the block under test, which goes offline with them
in_movable() {
	kind_on "$1"
	go "$B1" offline
	go "$B3" offline
	place_folios "$1" 12 "$(block_range "$B2")"
	go "$B1" online_movable
	go "$B3" online_movable
	shapes

	expect_eq "spoil" spoiled "$(companion_ask spoil)"
	expect_failing "a wrong word is noticed" content "with one word spoiled"
	expect_eq "mend" mended "$(companion_ask mend)"

	unmark "$(($(head_of 6) + 3))" 5
	go "$B2" offline
	check_all "while offline"
	content "while offline"
	go "$B2" online_movable
	check_all "after online"
	companion_stop
	unmark_all
	check_all "after unmark"
	thp_restore
}

# in_boot KIND: the folios are in boot memory, which the kernel uses, too
in_boot() {
	kind_on "$1"
	boot_first=$(boot_blocks | head -n 1)
	boot_last=$(boot_blocks | tail -n 1)
	place_folios "$1" 12 \
		"$(block_start "$boot_first")+$(((boot_last - boot_first + 1) * BLOCK_PAGES))"
	shapes
	companion_stop
	unmark_all
	check_all "after unmark"
	thp_restore
}

run_tests "in_movable thp" "in_movable shmem" "in_movable mthp" "in_movable cache" \
	"in_boot thp" "in_boot shmem"
