#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Hardware-poisoned pages beside marked ones and among them. A marked page stays marked
# in every case, and the block follows this kernel's rule. Up to 6.1, a block with
# poisoned pages comes online again and has forgotten them. Later kernels refuse it with
# EHWPOISON for good. So the block is on a DIMM of its own, which is plugged and unplugged.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-poison.sh
. "$(dirname "$0")/lib-poison.sh"

# fail_offline HOW: makes an attempt to take memory$D offline fail
fail_offline() {
	refuse_once "$D" "$1"
	check_both "after a failed offlining ($1)"
}

fail_all_ways() {
	for fail_how in kernel-before kernel-after before after late signal; do
		fail_offline "$fail_how"
	done
}

# fail_all_ways_but_list: the same, with marks that are not in $MARKS
fail_all_ways_but_list() {
	for fail_how in kernel-before kernel-after before after late signal; do
		refuse_once "$D" "$fail_how"
		check_accounts "after a failed offlining ($fail_how)"
		check_poison "after a failed offlining ($fail_how)"
	done
}

# there_and_back: memory$D goes offline, and online if the kernel's rule allows it. Then
# the DIMM is unplugged.
there_and_back() {
	stats_mark
	go "$D" offline
	check_both "while offline"
	if poison_keeps_blocks_offline; then
		refuse "$D" online_movable EHWPOISON sysfs
		refuse "$D" online EHWPOISON debugfs
		check_both "after the kernel refused to online"
		expect_stats "offline_done 1" "online_done 0" "withheld_pages 0"
		# Marks in an offline block can be given back, in part and whole.
		unmark "$(awk 'NR == 1 { print $1 }' "$MARKS")" 1
		check_both "after a part was given back"
	else
		: >"$POISON"
		go "$D" online_movable
		check_both "when back online"
		expect_stats "offline_done 1" "online_done 1" \
			"withheld_pages $(marks_pages <"$MARKS")"
		go "$D" offline
		go "$D" online_movable debugfs
		check_both "after a second cycle"
	fi
	dimm_unplug
}

off_by_one() {
	BASE_TOTAL=$((BASE_TOTAL + 4))
	check_accounts "with one page more"
}

# Poisoned pages lie between marked ones: free pages, and one that was in use.
beside() {
	dimm_plug || return
	# The allocator uses small chunks first, so a page in a large one stays free.
	poison corrupt "$(free_page 4608)" ok
	poison hard "$(free_page 7680)" ok
	poison soft "$(free_page 12288)" ok
	tenant_start 20 "$D"
	beside_pfn=$(tenant_ask list)
	poison soft "${beside_pfn%% *}" ok
	expect_eq "content of the pages of a process" "broken 0" "$(tenant_ask check)"
	check_both "when poisoned"
	expect_failing "one page more in MemTotal is noticed" off_by_one
	fail_offline kernel-after
	fail_offline late

	beside_pfn=$(awk 'NR == 1 { print $1 }' "$POISON")
	expect_failing "not marked, it is not listed" retired_listed "" "$beside_pfn" 1
	expect_eq "marking a poisoned page" ok "$(mark_raw "$beside_pfn 1")"
	expect_retired "when marked" "$beside_pfn" 1
	check_accounts "with a poisoned page marked"
	check_poison "with a poisoned page marked"
	fail_all_ways_but_list
	expect_retired "after failed attempts" "$beside_pfn" 1
	expect_eq "unmarking it" ok "$(tryio write "$FO"/unmark "$beside_pfn 1")"
	check_both "after a poisoned page was unmarked"
	unpoison "$beside_pfn"
	check_both "without one of them"
	mark "$beside_pfn" 1 canary
	check_both "when that one is marked"
	tenant_stop
	there_and_back
}

# poison_ours WAY PFN: the kernel cannot isolate this marked page, says so, and keeps the
# flag
poison_ours() {
	poison "$1" "$2" EBUSY
	expect_eq "a second time" EHWPOISON "$(poison_try corrupt "$2")"
	expect_eq "softly" ok "$(poison_try soft "$2")"
}

# Poisoned pages are marked: single ones, in ranges, and the last one of the block.
among() {
	dimm_plug || return
	expect_failing "pages are not poisoned before they are" \
		poison_missing "$(block_pfn "$D" 1)"
	poison_ours corrupt "$(block_pfn "$D" 1)"
	poison_ours hard "$(block_pfn "$D" 8192)"
	poison_ours corrupt "$(block_pfn "$D" 9000)"
	poison_ours hard "$(block_pfn "$D" 9001)"
	poison_ours corrupt "$(block_pfn "$D" 20500)"
	poison_ours hard "$(block_pfn "$D" $((BLOCK_PAGES - 1)))"
	check_both "when poisoned"
	expect_failing "one page more in MemTotal is noticed" off_by_one
	fail_all_ways
	check_hog "with poison" "$D"
	there_and_back
}

poison_missing() {
	echo "$1 1" >"$POISON.twin"
	POISON=$POISON.twin
	check_poison "in the record of the test only"
}

# The same in ZONE_NORMAL, with two cycles before the poison.
among_later() {
	dimm_plug || return
	to_zone "$D" Normal
	to_zone "$D" Movable
	to_zone "$D" Normal
	poison_ours hard "$(block_pfn "$D" 10000)"
	poison_ours hard "$(block_pfn "$D" 300)"
	check_both "when poisoned"
	fail_offline late
	there_and_back
}

# A page that was poisoned before it was marked has no canary. If the kernel forgets the
# poison, the page comes back with one.
canary_later() {
	dimm_plug || return
	later_pfn=$(block_pfn "$D" 9000)
	unmark_all
	poison soft "$later_pfn" ok
	mark "$later_pfn" 1 canary
	expect_eq "canaries when poisoned" "0 0" \
		"$(verify_value canary) $(verify_value canary_broken)"
	go "$D" offline
	if poison_keeps_blocks_offline; then
		refuse "$D" online_movable EHWPOISON sysfs
	else
		: >"$POISON"
		go "$D" online_movable
		check_both "when the kernel has forgotten the poison"
		expect_eq "canaries then" "1 0" \
			"$(verify_value canary) $(verify_value canary_broken)"
		expect_failing "no canary" expect_eq "canaries" 0 "$(verify_value canary)"
	fi
	dimm_unplug
}

# The page is marked, not skippable and poisoned: the block still refuses.
unskippable() {
	dimm_plug || return
	unskippable_pfn=$(block_pfn "$D" 30000)
	mark "$unskippable_pfn" 3 unskippable canary
	poison_ours corrupt $((unskippable_pfn + 1))
	check_both "when poisoned"
	refuse "$D" offline EBUSY sysfs
	check_both "after the first refusal"
	refuse "$D" offline EBUSY debugfs
	check_both "after the second refusal"
	# When the page is skippable, the block can go offline.
	expect_eq "make them skippable" ok \
		"$(tryio write "$FO"/skippable "$unskippable_pfn 3 1")"
	sed -i "s/^$unskippable_pfn 3 0 1\$/$unskippable_pfn 3 1 1/" "$MARKS"
	check_both "when skippable"
	fail_offline late
	there_and_back
}

# Poisoned pages that are marked are given back. They have no owner then, and stay out of
# the buddy allocator. MemTotal counts them, as it counts every poisoned page.
released() {
	dimm_plug || return
	released_pfn=$(block_pfn "$D" 9000)
	poison_ours corrupt "$released_pfn"
	poison_ours hard $((released_pfn + 1))
	poison_ours hard $((released_pfn + 64))
	check_both "when poisoned"
	unmark $((released_pfn - 10)) 100
	check_both "after they were given back"
	expect_eq "PageOffline pages left there" 0 \
		"$(count_of offline "$(oracle count "$((released_pfn - 10))+100")")"
	# A few may be on another CPU's list or in use. It tries them once.
	released_left=10
	until
		hog_sysctls lower
		hog_patiently -b "$released_pfn+65" "@$POISON"
		hog_sysctls restore
		released_got=$hog_got
		released_left=$((released_left - 1))
		[ "$(count_of hits "$released_got")" != 0 ] ||
			[ "$(count_of block_hog "$released_got")" -ge 60 ] ||
			[ "$released_left" -eq 0 ]
	do :; done
	expect_eq "poisoned pages that the hog got" "0 -1" \
		"$(count_of hits "$released_got") $(count_of first_hit "$released_got")"
	expect_at_least "pages between them that the hog got" 60 \
		$(($(count_of block_hog "$released_got")))
	check_both "after the hog took all memory"

	# Their neighbours are marked with them, and they count as marked.
	expect_eq "marking them again" ok \
		"$(mark_raw "$((released_pfn - 10)) 100")"
	expect_retired "when marked again" "$released_pfn" 2
	expect_eq "PageOffline pages there" 97 \
		"$(count_of offline "$(oracle count "$((released_pfn - 10))+100")")"
	expect_eq "unmarking them again" ok \
		"$(tryio write "$FO"/unmark "$((released_pfn - 10)) 100")"
	check_both "after they were unmarked again"
	mark $((released_pfn + 2)) 62 canary
	check_both "with the pages between them marked again"

	# An unpoisoned page is like any other. If another task had it, the block could
	# never go offline.
	unpoison $((released_pfn + 64))
	check_both "without one of them"
	expect_eq "marking that one again" ok \
		"$(mark_raw "$((released_pfn + 64)) 1 canary")" || return
	note_mark $((released_pfn + 64)) 1 canary
	check_both "when that one is marked again"

	fail_offline late
	there_and_back
}

# The whole block is given back with poisoned pages in it, while it is offline, and by
# unloading the module while it is online.
unloaded() {
	dimm_plug || return
	poison_ours corrupt "$(block_pfn "$D" 8192)"
	poison_ours hard "$(block_pfn "$D" 20001)"
	expect_status "modprobe -r" 0 modprobe -r fake_offline
	: >"$MARKS"
	check_accounts "without the module"
	check_everywhere "without the module"
	check_poison "without the module"
	expect_status "modprobe" 0 load_module
	mark "$(block_pfn "$D" 4)" 5 canary
	check_both "when loaded again"
	there_and_back
}

# unpoison_ours PFN: the kernel clears the flag or refuses to, by its own rule
unpoison_ours() {
	result poison_try undo "$1"
	case $RESULT in
	ok | EBUSY) ;;
	*) expect_eq "unpoison PFN $1, which is marked" "ok or EBUSY" "$RESULT" ;;
	esac
	[ "$(count_of hwpoison "$(oracle count "$1+1")")" = 1 ] ||
		sed -i "/^$1 /d" "$POISON"
	still_ours "$1" "after it was unpoisoned ($RESULT)"
}

# still_ours PFN WHEN: the page is still marked
still_ours() {
	counted oracle count "$1+1"
	expect_eq "PFN $1: PageOffline, in the buddy allocator, mapped, $2" "1 0 0" \
		"$C_offline $C_buddy $C_mapped"
}

# Poisoning and unpoisoning do not free a marked page, although 6.1 takes one reference
# and puts two. The page is skippable or not, with and without a failed offlining in
# between, and all is repeated.
unpoisoned() {
	dimm_plug || return
	unpoisoned_at=$(block_pfn "$D" 30000)
	mark "$unpoisoned_at" 3 unskippable canary
	for unpoisoned_pfn in "$(block_pfn "$D" 1)" "$(block_pfn "$D" 9000)" \
			"$(block_pfn "$D" 20500)" $((unpoisoned_at + 1)); do
		poison "corrupt" "$unpoisoned_pfn" EBUSY
		unpoison_ours "$unpoisoned_pfn"
		unpoison_ours "$unpoisoned_pfn"
	done
	check_both "after each was unpoisoned"
	check_hog "after each was unpoisoned" "$D"
	refuse "$D" offline EBUSY
	unmark "$unpoisoned_at" 3
	fail_all_ways
	unpoison_ours "$(block_pfn "$D" 9000)"
	check_both "after failures, and unpoisoned once more"

	# The twin: an unmarked page is free after that.
	unpoisoned_free=$(free_page 4608)
	poison corrupt "$unpoisoned_free" ok
	unpoison "$unpoisoned_free"
	expect_failing "a page that is not marked" still_ours "$unpoisoned_free" "never"
	there_and_back
}

# A request that the kernel itself refuses changes nothing.
refused() {
	needed
	mark_shape "$B2"
	mark "$(block_pfn "$B2" 30000)" 3 unskippable
	D=$B2
	: >"$POISON"
	refused_kb=$(hardware_corrupted)
	for refused_offset in 1 8192 20500 30000; do
		expect_eq "soft-offlining a marked page" EIO \
			"$(poison_try soft "$(block_pfn "$B2" "$refused_offset")")"
	done
	check_both "after soft-offlining"
	unmark "$(block_pfn "$B2" 30000)" 3
	go "$B2" offline
	for refused_offset in 1 2; do
		refused_pfn=$(block_pfn "$B2" "$refused_offset")
		expect_eq "corrupting an offline page" ENXIO "$(poison_try corrupt "$refused_pfn")"
		expect_eq "hard-offlining an offline page" ENXIO "$(poison_try hard "$refused_pfn")"
		expect_eq "soft-offlining an offline page" EIO "$(poison_try soft "$refused_pfn")"
	done
	check_both "while offline"
	expect_eq "HardwareCorrupted" "$refused_kb" "$(hardware_corrupted)"
	go "$B2" online_movable
	check_both "after online"
	unmark_all
	check_both "after unmark"
}

set -- refused beside among among_later canary_later unskippable released unloaded
# With "notifier", 6.1 frees them: docs/design.md.
case $FO_SKIP-$(uname -r) in
notifier-6.1.*) ;;
*) set -- "$@" unpoisoned ;;
esac
run_tests "$@"
