#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A block goes offline and online 200 times, with marks of changing shapes and failures
# among these cycles. MemTotal, managed and present pages are exact in each of them, and
# at the end are as at the beginning.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# fail_first WAY: the offlining of $B2 fails once, in this way, before it works
fail_first() {
	case $1 in
	none) return ;;
	kernel)
		notifier_error MEM_GOING_OFFLINE -12
		refuse "$B2" offline ENOMEM
		notifier_error MEM_GOING_OFFLINE 0 ;;
	before | after | late) refuse_once "$B2" "$1" sysfs ;;
	online)
		go "$B2" offline
		expect_eq "arm online" ok "$(tryio write "$FO"/inject "online after -12 1")"
		refuse "$B2" online_movable ENOMEM
		check_accounts "in cycle $cycle, offline"
		go "$B2" online_movable ;;
	esac
	check_accounts "in cycle $cycle, after it failed"
}

# shape NUMBER: marks or gives back pages in $B2, beside the marks that stay
shape() {
	shape_s=$(block_pfn "$B2" 20000)
	case $1 in
	0) mark "$shape_s" 1 canary ;;
	1) mark $((shape_s + 1)) 513 ;;
	2) mark "$(block_pfn "$B2" -100)" 99 canary ;;
	3) unmark $((shape_s + 100)) 77 ;;
	4) mark $((shape_s + 150)) 3 canary ;;
	5) unmark "$shape_s" 10 ;;
	6) mark "$(block_start "$B2")" 1 ;;
	7) mark "$(block_pfn "$B2" $((BLOCK_PAGES - 1)))" 1 canary ;;
	8) unmark "$(block_pfn "$B2" -50)" 49 ;;
	9) # The marks are those of the beginning again.
		unmark "$(block_pfn "$B2" -100)" 50
		unmark "$(block_start "$B2")" 1
		unmark "$(block_pfn "$B2" $((BLOCK_PAGES - 1)))" 1
		unmark $((shape_s + 10)) 90
		unmark $((shape_s + 150)) 3
		unmark $((shape_s + 177)) 337 ;;
	esac
}

two_hundred() {
	load_notifier_errors -1
	mark "$(block_pfn "$B2" 8192)" 4096 canary
	mark "$(block_pfn "$B2" 101)" 3 canary
	mark "$(block_pfn "$B2" 19000)" 777
	check_all "before the first cycle"
	cycle=0
	while [ "$cycle" -lt 200 ]; do
		cycle=$((cycle + 1))
		shape $(((cycle - 1) % 10))
		# shellcheck disable=SC2046  # two words
		set -- $(echo "none sysfs
			kernel debugfs
			before sysfs
			none debugfs
			after debugfs
			late sysfs
			online debugfs" | sed -n "$((cycle % 7 + 1))p")
		fail_first "$1"
		go "$B2" offline "$2"
		check_accounts "in cycle $cycle, offline"
		case $((cycle % 3)) in
		0) go "$B2" online_movable "$2" ;;
		*) go "$B2" online "$2"
		   to_zone "$B2" Movable ;;
		esac
		check_accounts "in cycle $cycle, online"
		if [ $((cycle % 25)) = 0 ]; then
			check_all "in cycle $cycle"
			note "cycle $cycle"
		fi
		[ "$FAILED" = 0 ] || break
	done
	expect_eq "cycles" 200 "$cycle"
	check_everywhere "after 200 cycles"
	check_hog "after 200 cycles" "$B2"
	unmark_all
	check_all "after unmark"
	expect_eq "MemTotal in kB at the end" "$BASE_TOTAL" "$(mem_total)"
	expect_eq "zones at the end" "$BASE_ZONES" "$(zones)"
}

# More cycles in ZONE_NORMAL, with every way to fail.
normal() {
	load_notifier_errors -1
	mark_shape "$B2"
	for cycle in none kernel before after late; do
		to_zone "$B2" Normal
		check_accounts "in cycle $cycle"
		fail_first "$cycle"
		go "$B2" offline
		check_accounts "in cycle $cycle, offline"
		go "$B2" online_kernel
		check_all "in cycle $cycle, online"
	done
	to_zone "$B2" Movable
	unmark_all
	check_all "after unmark"
	expect_eq "MemTotal in kB at the end" "$BASE_TOTAL" "$(mem_total)"
}

run_tests two_hundred normal
