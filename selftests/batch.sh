#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Tests one write to the debugfs file "mark" with many requests. Requests of one page block
# whose pages are at most 128 pages apart are taken with one alloc_contig_range(). Each of
# them is a range of its own. Either all are marked, or none is. Free pages between them go
# back to the buddy allocator at once. Pages in use between them are not migrated.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"

# fresh BLOCK: makes the block free, in chunks as large as possible
fresh() {
	go "$1" offline
	go "$1" online_movable
}

# lines START NR STEP [OPTION…]: puts NR marks of one to three pages into $TMP/batch;
# without OPTION, marks of each kind
lines() {
	awk -v s="$1" -v n="$2" -v step="$3" -v all="${4+$*}" 'BEGIN {
		split(",canary,unskippable,unskippable canary", kind, ",")
		if (all) sub("^[^ ]* [^ ]* [^ ]* ", "", all)
		for (i = 0; i < n; i++)
			print s + i * step, 1 + i % 3, all ? all : kind[1 + i % 4]
	}' >"$TMP/batch"
}

# between: puts the pages between the marks of $TMP/batch into $TMP/between
between() {
	awk 'NR > 1 && $1 > end { print end, $1 - end } { end = $1 + $2 }' \
		"$TMP/batch" >"$TMP/between"
}

# free_again WHEN FILE: these pages are in the buddy allocator. A few of them may be in
# use again by now.
free_again() {
	counted oracle count "@$2"
	free_nr=$(marks_pages <"$2")
	expect_eq "pages between: PageOffline, reserved, $1" "0 0" \
		"$C_offline $C_reserved"
	expect_at_least "pages between in the buddy allocator, $1" \
		$((free_nr * 3 / 4)) "$C_buddy"
}

# The kernel's own event counts the calls of alloc_contig_range(), which looks once
# whether all pages are isolated.
calls_start() {
	trace_start
	echo 1 >"$TRACE/events/page_isolation/enable"
	echo >"$TRACE/trace"
}

calls() {
	grep -c ': test_pages_isolated: ' "$TRACE/trace"
}

calls_stop() {
	echo 0 >"$TRACE/events/page_isolation/enable"
	trace_stop
}

# expect_noted WHEN: the list of ranges is $MARKS, range by range
expect_noted() {
	expect_eq "ranges $1" "$(sort -n "$MARKS")" \
		"$(awk '!/^#/ { print $1, $2, $3, $4 }' "$FO"/ranges)"
}

# 40 marks, of all kinds, lie in eight page blocks.
together() {
	fresh "$B1"
	lines "$(block_pfn "$B1" 3079)" 40 101
	between
	stats_mark
	calls_start
	mark_batch "$TMP/batch"
	calls_made=$(calls)
	calls_stop
	free_again "after the write" "$TMP/between"
	expect_failing "marked pages do not pass for free ones" \
		free_again "of the marks themselves" "$MARKS"
	expect_at_most "calls for 40 marks in 8 page blocks" 20 "$calls_made"
	expect_at_least "calls for 8 page blocks" 8 "$calls_made"
	expect_stats "marks 40" "mark_failures 0" "injected 0"
	expect_noted "after the write"
	check_all "after the write"
	refuse "$B1" offline EBUSY
	check_hog "after the write" "$B1"

	# All but the unskippable ones stay while the block goes offline and online.
	awk '$3 == 0 { print $1, $2 }' "$MARKS" >"$TMP/unskippable"
	expect_eq "unmark the unskippable" ok \
		"$(tryio write "$FO"/unmark <"$TMP/unskippable")"
	awk '$3 == 1' "$MARKS" >"$MARKS.new"
	mv "$MARKS.new" "$MARKS"
	expect_noted "without the unskippable"
	go "$B1" offline
	check_all "while the block is offline"
	go "$B1" online_movable
	check_all "when it is back"
	unmark_all
	check_all "after unmark"
	# If a page between the marks were lost, the block could not go offline.
	fresh "$B1"
	check_all "at last"
}

# The module emits one trace event for each request, in the order of the requests.
events() {
	fresh "$B1"
	events_s=$(block_pfn "$B1" 1024)
	lines "$events_s" 3 50
	trace_start
	mark_batch "$TMP/batch"
	expect_trace "of three marks" "$(traced take "$events_s" 1 0)" \
		"$(traced take $((events_s + 50)) 2 0)" \
		"$(traced take $((events_s + 100)) 3 0)"
	trace_stop
	unmark_all
}

# Requests are carried out one by one if their pages are more than 128 pages apart, or if
# their PFNs descend.
apart() {
	fresh "$B1"
	apart_s=$(block_pfn "$B1" 4096)
	calls_start
	lines "$apart_s" 12 150 canary
	mark_batch "$TMP/batch"
	expect_at_least "calls for marks 150 pages apart" 12 "$(calls)"
	echo >"$TRACE/trace"
	lines $((apart_s + 13)) 12 20 canary
	sort -rn "$TMP/batch" >"$TMP/down"
	# Some of these lie between the marks from above.
	mv "$TMP/down" "$TMP/batch"
	mark_batch "$TMP/batch"
	expect_at_least "calls for marks that descend" 12 "$(calls)"
	calls_stop
	expect_noted "of both"
	check_all "when marked"
	unmark_all
	check_all "after unmark"
}

# Pages in use between the marks stay where they are.
in_use() {
	fresh "$B1"
	companion_start "a process has pages in the middle of a page block" "pages 40" \
		tenant 40 "$(block_pfn "$B1" 2100)+40"
	in_use_was=$(tenant_ask list)
	# The page before and the page behind each run of them are marked.
	echo "$in_use_was" | tr ' ' '\n' | sort -n | awk '
	function out() {
		if (!n || n > 100 || s - 1 <= seen ||
		    int((s - 1) / 512) != int((s + n) / 512)) return
		print s - 1, 1
		print s + n, 1, "canary"
		seen = s + n
	}
	n && $1 == s + n { n++; next }
	{ out(); s = $1; n = 1 }
	END { out() }' >"$TMP/batch"
	expect_at_least "marks around pages in use" 2 "$(wc -l <"$TMP/batch")"
	mark_batch "$TMP/batch"
	expect_eq "pages of the process, after marks around them" "$in_use_was" \
		"$(tenant_ask list)"
	check_all "with marks around pages in use"
	# The negative twin: a mark of one of these pages migrates it, and the comparison fails.
	mark "${in_use_was%% *}" 1
	expect_failing "a page that moves is seen" expect_eq "pages of the process" \
		"$in_use_was" "$(tenant_ask list)"
	expect_eq "its content" "broken 0" "$(tenant_ask check)"
	tenant_stop
	check_all "at last"
	unmark_all
}

# Existing marks between the new ones stay as they are.
marked_between() {
	fresh "$B1"
	mb=$(block_pfn "$B1" 8192)
	mark $((mb + 75)) 1 unskippable canary
	mark $((mb + 175)) 2
	lines $((mb + 50)) 9 50
	mark_batch "$TMP/batch"
	expect_noted "with marks between"
	check_all "with marks between"
	unmark_all
	check_all "after unmark"
}

# In ZONE_NORMAL, a marked page with a reference prevents the isolation of its page block. So
# the module drops the references of the existing marks while it takes the new ones. The
# kernel may allocate the free pages between the marks, and then the block cannot go offline.
# So the test uses $SINK, a block that stays online, or boot memory in ZONE_DMA32.
normal_zone() {
	normal_left=10
	until mark_normal; do
		expect_eq "a mark in ZONE_NORMAL that does not work" EBUSY "$RESULT" &&
			expect_at_least "tries left" 1 "$normal_left" || return
		normal_left=$((normal_left - 1))
		unmark_all
	done
	expect_noted "in ZONE_NORMAL"
	check_all "twice in ZONE_NORMAL"
	expect_eq "their zone" "10 $normal_in" "$(awk '!/^#/ { print $6 }' "$FO"/ranges |
		uniq -c | awk '{ print $1, $2 }')"
	unmark_all
	check_all "after unmark"
}

# mark_normal: makes marks in a free page block of ZONE_NORMAL, and more between them. Sets
# RESULT, which is EBUSY if the kernel has a page that cannot move between them. If $SINK has
# no free page block, the marks are in ZONE_DMA32.
mark_normal() {
	normal_in=Normal
	normal_s=$(free_page_block "$SINK")
	if [ "$normal_s" = 0 ]; then
		normal_in=DMA32
		# shellcheck disable=SC2046  # numbers
		normal_s=$(free_page_block $(boot_blocks))
	fi
	RESULT=none
	expect_at_least "a free page block of the kernel's" 1 "$normal_s" || return
	lines "$normal_s" 5 30 unskippable
	result mark_file "$TMP/batch"
	[ "$RESULT" = ok ] || return
	note_batch "$TMP/batch"
	check_all "in ZONE_NORMAL"
	lines $((normal_s + 15)) 5 30
	result mark_file "$TMP/batch"
	[ "$RESULT" = ok ] || return
	note_batch "$TMP/batch"
}

# with_last LINE: 20 marks near each other, and then this line
with_last() {
	lines "$none_s" 20 60
	echo "$1" >>"$TMP/batch"
	mark_file "$TMP/batch"
}

# The last of many marks fails. None of them is left, and the errno is that of the last.
all_or_none() {
	fresh "$B1"
	none_s=$(block_pfn "$B1" 12288)
	mark $((none_s + 1230)) 1 unskippable
	unchanged "the last one is marked" EEXIST with_last "$((none_s + 1230)) 1"
	unchanged "the last line repeats the line before it" EEXIST \
		with_last "$((none_s + 1140)) 1"
	unchanged "the last one overlaps the one before it" EEXIST \
		with_last "$((none_s + 1141)) 5"
	unchanged "the last one is beyond the last block" ENXIO \
		with_last "$(block_pfn "$SINK" "$BLOCK_PAGES") 1"

	tenant_start 1 "$B2"
	pin=$(tenant_ask pin)
	pin=${pin#pfn }
	unchanged "the last one is pinned" EBUSY with_last "$pin 1"
	awk -v p="$pin" 'BEGIN { for (i = 9; i >= 0; i--) print p - 3 * i, 1, "canary" }' \
		>"$TMP/batch"
	unchanged "the last one is pinned, and near" EBUSY mark_file "$TMP/batch"
	expect_eq "unpin" unpinned "$(tenant_ask unpin)"
	tenant_stop

	param=/sys/module/fake_offline/parameters/reserve_mib
	none_reserve=$(cat "$param")
	echo 100000 >"$param"
	unchanged "there is no memory to spare" ENOSPC with_last "$((none_s + 1240)) 1"
	echo "$none_reserve" >"$param"
	expect_failing "without that, nothing fails" expect_eq "that write" ENOSPC \
		"$(with_last "$((none_s + 1240)) 1")"
	while read -r none_line; do
		# shellcheck disable=SC2086  # a line of words
		note_mark $none_line
	done <"$TMP/batch"
	expect_noted "at last"
	check_all "at last"
	unmark_all
	check_all "after unmark"
}

# One request uses up an armed failure, also if a write has several requests.
on_demand() {
	fresh "$B1"
	none_s=$(block_pfn "$B1" 20480)
	expect_eq "arm" ok "$(tryio write "$FO"/inject "mark stray -16 1")"
	stats_mark
	unchanged "one has a stray reference" EBUSY with_last "$((none_s + 1240)) 1"
	expect_stats "injected 1" "stray_references 1" "mark_failures 1" "marks 0"

	expect_eq "arm" ok "$(tryio write "$FO"/inject "mark corrupt -5 2")"
	stats_mark
	lines "$none_s" 20 60 canary
	expect_eq "marks, two of them broken" ok "$(mark_file "$TMP/batch")"
	expect_stats "injected 2" "mark_failures 0" "marks 20"
	expect_eq "canaries broken" 2 "$(verify_value canary_broken)"
	expect_eq "unmark all" ok "$(tryio write "$FO"/unmark all)"

	stats_mark
	mark_batch "$TMP/batch"
	expect_stats "injected 0" "mark_failures 0" "marks 20"
	check_all "with nothing armed"
	unmark_all
	check_all "after unmark"
}

# A request that is undone counts once, also if it is several ranges.
undone() {
	fresh "$B1"
	fresh "$B2"
	undone_s=$(block_pfn "$B2" -4)
	[ "$B2" -gt "$B1" ] || undone_s=$(block_pfn "$B1" -4)
	stats_mark
	unchanged "the second request overlaps the first" EEXIST mark_raw "$undone_s 8
$((undone_s + 5)) 1"
	expect_stats "marks 1" "unmarks 1" "mark_failures 0"
	expect_failing "two unmarks" expect_stats "unmarks 2"
	check_all "when undone"
}

run_tests undone together events apart in_use marked_between normal_zone all_or_none \
	on_demand
