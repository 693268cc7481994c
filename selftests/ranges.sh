#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Any range of pages can be marked: from one page up, at any alignment, in one block or
# several, in one zone or several. It is marked as a whole or not at all. Ranges are split
# and given back together.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# cycle BLOCK: offline and online, with all checks after each step
cycle() {
	go "$1" offline sysfs
	check_all "while memory$1 is offline"
	go "$1" online_movable debugfs
	check_all "after memory$1 came back"
}

# odd_shapes: single pages and ranges, at odd places and of odd lengths
odd_shapes() {
	odd_s=$(block_start "$B1")
	# The first page of the block, its last page, and pages between them.
	for odd_range in "0 1" "3 5" "511 3" "1023 1025" "4095 4097" "9999 2" \
		"16384 1" "20480 512" "$((BLOCK_PAGES - 3)) 3"; do
		# shellcheck disable=SC2086  # two words
		set -- $odd_range
		mark $((odd_s + $1)) "$2" canary
	done
	check_all "when marked"
	cycle "$B1"
	for odd_range in "0 1" "511 3" "4095 4097" "$((BLOCK_PAGES - 3)) 3"; do
		# shellcheck disable=SC2086  # two words
		set -- $odd_range
		unmark $((odd_s + $1)) "$2"
		check_all "after unmark of $odd_range"
	done
	check_hog "with half of them given back" "$B1"
	cycle "$B1"
	unmark_all
	check_all "after unmark"
}

# Numbers may be hexadecimal. Lines may have blanks and tabs, and options in any order.
writing() {
	writing_s=$(block_start "$B1")
	printf '%#x\t%#x   canary unskippable\n \t%d 1 unskippable\tcanary \n' \
		$((writing_s + 10)) 2 $((writing_s + 20)) >"$TMP/batch"
	expect_eq "a batch with blanks, tabs and hexadecimal numbers" ok \
		"$(tryio write "$FO"/mark <"$TMP/batch")"
	note_mark $((writing_s + 10)) 2 canary unskippable
	note_mark $((writing_s + 20)) 1 canary unskippable
	expect_ranges "as written" "$((writing_s + 10)) 2 0 1" \
		"$((writing_s + 20)) 1 0 1"
	check_all "when marked"
	expect_eq "unmark in hexadecimal" ok \
		"$(tryio write "$FO"/unmark "$(printf '%#x 0x2' $((writing_s + 10)))")"
	expect_ranges "after that" "$((writing_s + 20)) 1 0 1"
	unmark_all
}

# A range crosses the boundary of two blocks: each can go offline without the other.
two_blocks() {
	two_s=$(block_pfn "$B2" -300)
	mark "$two_s" 801 canary
	expect_ranges "of one range over two blocks" "$two_s 801 1 1"
	check_all "when marked"
	cycle "$B1"
	cycle "$B2"
	go "$B1" offline
	go "$B2" offline
	check_all "with both blocks offline"
	expect_ranges "with both blocks offline" "$two_s 801 1 1"
	expect_eq "node and zone of a range in an offline block" "-1 -" \
		"$(awk '!/^#/ { print $5, $6 }' "$FO"/ranges)"
	go "$B2" online_movable
	check_all "with the second block online"
	# It is given back while one half is offline. Its online pages go to the buddy
	# allocator, and the others are forgotten.
	unmark $((two_s + 250)) 100
	expect_ranges "after the middle was given back" "$two_s 250 1 1" \
		"$((two_s + 350)) 451 1 1"
	check_all "after the middle was given back"
	go "$B1" online_movable
	check_all "with both blocks online"
	check_hog "with both blocks online" "$B1"
	unmark_all
	check_all "after unmark"
}

# All of two blocks, and half of a third, as one range.
three_blocks() {
	three_n=$((2 * BLOCK_PAGES + BLOCK_PAGES / 2 + 1))
	three_s=$(block_start "$B1")
	mark "$three_s" "$three_n"
	expect_ranges "of one range over three blocks" "$three_s $three_n 1 0"
	check_all "when marked"
	for three_b in $BLOCKS; do
		go "$three_b" offline
	done
	check_all "with all blocks offline"
	# ZONE_MOVABLE is empty now, and its first pages are marked ones.
	for three_b in $BLOCKS; do
		go "$three_b" online_movable
		check_all "with memory$three_b online"
	done
	unmark "$three_s" "$BLOCK_PAGES"
	check_all "with the first block given back"
	check_hog "with the first block given back" "$B1"
	unmark_all
	check_all "after unmark"
}

# A range over two neighbouring blocks in different zones.
two_zones() {
	# A page is marked in each page block: see mark_shape().
	awk -v s="$(block_start "$B2")" -v n="$BLOCK_PAGES" 'BEGIN {
		for (i = 300; i < n; i += 512) print s + i, 1
	}' >"$TMP/batch"
	mark_batch "$TMP/batch"
	to_zone "$B2" Normal
	check_all "with a block in ZONE_NORMAL"
	zones_s=$(block_pfn "$B3" -37)
	mark "$zones_s" 78 canary
	expect_eq "zone of a range over two zones" "$zones_s 78 Normal" \
		"$(awk -v s="$zones_s" '$1 == s { print $1, $2, $6 }' "$FO"/ranges)"
	check_all "with a range over two zones"
	cycle "$B3"
	unmark "$(block_pfn "$B3" -2)" 4
	check_all "with the middle given back"
	check_hog "with the middle given back" "$B3"
	go "$B2" offline
	check_all "with the first block offline"
	go "$B2" online_movable
	check_all "with both blocks in ZONE_MOVABLE"
	unmark_all
	check_all "after unmark"
}

# Adjacent ranges stay two. Several ranges can be given back in one request.
adjacent() {
	adj=$(block_pfn "$B1" 5000)
	mark "$adj" 10
	mark $((adj + 10)) 10
	mark $((adj + 20)) 10 canary
	mark $((adj + 30)) 10 unskippable
	expect_ranges "of four neighbours" "$adj 10 1 0" "$((adj + 10)) 10 1 0" \
		"$((adj + 20)) 10 1 1" "$((adj + 30)) 10 0 0"
	check_all "when marked"
	unmark $((adj + 5)) 30
	expect_ranges "with the middle of them given back" "$adj 5 1 0" \
		"$((adj + 35)) 5 0 0"
	check_all "with the middle of them given back"
	mark $((adj + 5)) 30
	expect_ranges "with the gap marked again" "$adj 5 1 0" \
		"$((adj + 5)) 30 1 0" "$((adj + 35)) 5 0 0"
	check_all "with the gap marked again"
	unmark "$adj" 40
	expect_ranges "after unmark"
	check_all "after unmark"
}

# A part that is given back splits a range. The rest keeps its properties.
split() {
	split_s=$(block_pfn "$B1" 6001)
	mark "$split_s" 101 canary
	unmark $((split_s + 50)) 1
	expect_ranges "split in two" "$split_s 50 1 1" "$((split_s + 51)) 50 1 1"
	unmark "$split_s" 1
	unmark $((split_s + 100)) 1
	unmark $((split_s + 20)) 3
	expect_ranges "split in three" "$((split_s + 1)) 19 1 1" \
		"$((split_s + 23)) 27 1 1" "$((split_s + 51)) 49 1 1"
	check_all "when split"
	cycle "$B1"
	expect_ranges "after offline and online" "$((split_s + 1)) 19 1 1" \
		"$((split_s + 23)) 27 1 1" "$((split_s + 51)) 49 1 1"
	mark "$(block_pfn "$B2" 77)" 7 unskippable canary
	unmark "$(block_pfn "$B2" 80)" 1
	check_all "with an unskippable range split"
	refuse "$B2" offline EBUSY
	unmark_all
	check_all "after unmark"
}

# A range that overlaps a marked page is refused, and changes nothing.
overlap() {
	over=$(block_pfn "$B1" 7000)
	mark "$over" 10 canary
	mark $((over + 20)) 10 unskippable
	for over_range in "0 10" "0 1" "9 1" "3 4" "-5 6" "9 5" "-5 20" "5 20" \
		"-1000 2000"; do
		# shellcheck disable=SC2086  # two words
		set -- $over_range
		unchanged "overlap at $1, $2 pages" EEXIST mark_raw "$((over + $1)) $2"
	done
	unchanged "overlap, unskippable" EEXIST mark_raw "$over 10 unskippable"
	printf '%d 1\n%d 1\n' $((over + 100)) $((over + 100)) >"$TMP/batch"
	unchanged "overlap within a write" EEXIST tryio write "$FO"/mark <"$TMP/batch"
	check_all "at last"
	unmark_all
}

# A range is taken as a whole or not at all.
whole_or_not() {
	mark "$(block_pfn "$B1" 100)" 3 canary
	# A reserved page.
	code=$((0x$(sed -n 's/^ *\([0-9a-f]*\)-.* : Kernel code$/\1/p' /proc/iomem) / 4096))
	unchanged "a reserved page" EBUSY mark_raw "$code 1"
	unchanged "reserved pages" EBUSY mark_raw "$code 512"

	# A pinned page among free ones, in the second of two blocks.
	tenant_start 1 "$B2"
	pin=$(tenant_ask pin)
	pin=${pin#pfn }
	whole_n=$((pin + 5 - $(block_pfn "$B2" -700)))
	unchanged "free pages, and a pinned one far behind" EBUSY \
		mark_raw "$(block_pfn "$B2" -700) $whole_n canary"
	expect_eq "unpin" unpinned "$(tenant_ask unpin)"
	tenant_stop

	# The range ends behind the last block.
	unchanged "a range beyond the last block" ENXIO \
		mark_raw "$(block_pfn "$SINK" $((BLOCK_PAGES - 1))) 2"
	check_isolated "after refused marks"
	unmark_all
}

# All lines of one write are carried out or none, for mark and unmark.
batches() {
	batch_s=$(block_pfn "$B1" 3000)
	mark "$batch_s" 10 canary
	printf '%d 5\n%d 5 canary\n%d 1\n' $((batch_s + 100)) \
		"$(block_pfn "$B2" 1)" $((batch_s + 3)) >"$TMP/batch"
	unchanged "the third line overlaps" EEXIST tryio write "$FO"/mark <"$TMP/batch"
	printf '%d 5\nany 99999999\n' $((batch_s + 100)) >"$TMP/batch"
	unchanged "the second line wants too much" ENOSPC \
		tryio write "$FO"/mark <"$TMP/batch"
	printf '%d 5\n%d 5 nonsense\n' $((batch_s + 100)) $((batch_s + 200)) >"$TMP/batch"
	unchanged "the second line is malformed" EINVAL \
		tryio write "$FO"/mark <"$TMP/batch"
	printf '%d 2\n%d 1\n' "$batch_s" $((batch_s + 10)) >"$TMP/batch"
	unchanged "unmark: the second line is not marked" ENOENT \
		tryio write "$FO"/unmark <"$TMP/batch"
	printf '%d 2\n%d 2 1\n' "$batch_s" $((batch_s + 5)) >"$TMP/batch"
	unchanged "unmark: the second line is malformed" EINVAL \
		tryio write "$FO"/unmark <"$TMP/batch"

	# 600 lines in one write.
	awk -v s="$batch_s" 'BEGIN { for (i = 0; i < 600; i++) print s + 1000 + 3 * i, 2 }' \
		>"$TMP/batch"
	mark_batch "$TMP/batch"
	check_all "with 601 ranges"
	# "ranges" reads the same in small parts.
	expect_eq "ranges, read 7 bytes at a time" "$(awk '{ print $1, $2 }' "$FO"/ranges)" \
		"$(dd if="$FO"/ranges bs=7 2>/dev/null | awk '{ print $1, $2 }')"
	cycle "$B1"
	expect_eq "unmark, 600 lines" ok "$(tryio write "$FO"/unmark <"$TMP/batch")"
	: >"$MARKS"
	note_mark "$batch_s" 10 canary
	check_all "after unmark of 600 ranges"
	unmark_all
}

# Every second page is marked: pages are withheld exactly, down to order 0.
interleaved() {
	inter=$(block_pfn "$B1" 4096)
	awk -v s="$inter" 'BEGIN { for (i = 1; i < 64; i += 2) print s + i, 1, "canary" }' \
		>"$TMP/batch"
	mark_batch "$TMP/batch"
	check_all "when marked"
	go "$B1" offline
	check_all "while offline"
	stats_mark
	go "$B1" online_movable
	check_all "after online"
	expect_stats "withheld_pages 32"
	inter_free=$(awk -v s="$inter" 'BEGIN { for (i = 0; i < 64; i += 2) print s + i, 1 }' \
		>"$TMP/between"; oracle count "@$TMP/between")
	expect_eq "pages between them: PageOffline, reserved" "0 0" \
		"$(count_of offline "$inter_free") $(count_of reserved "$inter_free")"
	check_hog "after online" "$B1"
	go "$B1" offline
	# ZONE_NORMAL is left out: the kernel would first take the single pages between
	# the marks, and the block could not go offline any more.
	go "$B1" online_movable
	check_all "after another cycle"
	unmark_all
	check_all "after unmark"
}

# any_taken NR: notes the pages that "any" took in $MARKS; there are NR of them
any_taken() {
	awk '!/^#/ { print $1, $2, $3, $4 }' "$FO"/ranges >"$MARKS"
	expect_eq "pages taken anywhere" "$1" "$(marks_pages <"$MARKS")"
}

# NR pages anywhere, on this node or in this zone.
any() {
	expect_eq "any 1" ok "$(mark_raw "any 1")"
	any_taken 1
	check_all "any 1"
	expect_eq "any 777 zone=Movable canary" ok "$(mark_raw "any 777 zone=Movable canary")"
	any_taken 778
	check_all "any in ZONE_MOVABLE"
	expect_eq "they are in ZONE_MOVABLE" 777 \
		"$(awk '$4 == 1 && $6 == "Movable" { n += $2 } END { print n }' "$FO"/ranges)"
	expect_eq "any 100 node=0 zone=DMA32" ok "$(mark_raw "any 100 node=0 zone=DMA32")"
	any_taken 878
	check_all "any in DMA32"
	expect_eq "any 3 zone=DMA" ok "$(mark_raw "any 3 zone=DMA")"
	any_taken 881
	check_all "any in DMA"
	expect_eq "any 3 zone=Normal unskippable" ok \
		"$(mark_raw "any 3 unskippable zone=Normal")"
	any_taken 884
	check_all "any in ZONE_NORMAL"
	expect_eq "any $((2 * BLOCK_PAGES)), more than a block has" ok \
		"$(mark_raw "any $((2 * BLOCK_PAGES)) zone=Movable")"
	any_taken $((884 + 2 * BLOCK_PAGES))
	check_all "any, more than a block has"
	expect_at_most "ranges that is: few" 8 \
		"$(awk '$2 > 1000 { n++ } END { print n + 0 }' "$FO"/ranges)"

	unchanged "no such node" ENXIO mark_raw "any 1 node=1"
	unchanged "no such node at all" ENXIO mark_raw "any 1 node=9999"
	unchanged "no such zone" ENXIO mark_raw "any 1 zone=HighMem"
	unchanged "more than the zone has" ENOSPC \
		mark_raw "any $((2 * BLOCK_PAGES)) zone=Movable"
	unchanged "more than there is" ENOSPC mark_raw "any 99999999"
	check_isolated "after refused marks"
	unmark_all
	check_all "after unmark"
}

# A mark must leave reserve_mib of available memory.
reserve() {
	mark "$(block_pfn "$B1" 9)" 1
	param=/sys/module/fake_offline/parameters/reserve_mib
	expect_eq "reserve_mib in stats" "$(cat "$param")" "$(stat_value reserve_mib)"
	reserve_was=$(cat "$param")
	avail=$(awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo)
	echo $((avail - 20)) >"$param"
	expect_eq "reserve_mib as set" $((avail - 20)) "$(stat_value reserve_mib)"
	unchanged "40 MiB, 20 more than the reserve leaves" ENOSPC \
		mark_raw "$(block_start "$B2") 10240"
	unchanged "the same anywhere" ENOSPC mark_raw "any 10240"
	mark "$(block_start "$B2")" 256
	check_all "with 1 MiB marked"
	echo "$reserve_was" >"$param"
	mark "$(block_start "$B3")" 10240
	check_all "with the old reserve"
	unmark_all
	check_all "after unmark"
}

run_tests odd_shapes writing two_blocks three_blocks two_zones adjacent split \
	overlap whole_or_not batches interleaved any reserve
