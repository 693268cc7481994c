#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Failures that come late, each of which is rolled back to the page: an unskippable page,
# a pinned page with a signal or a time limit, two vetoes at once, an onlining that is
# vetoed and tried again. The file "skippable" makes the first of them come and go.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"

# skippable START NR 0|1: the write must work, and $MARKS has it
skippable() {
	expect_eq "skippable $*" ok "$(tryio write "$FO"/skippable "$*")"
	awk -v from="$1" -v nr="$2" -v bit="$3" '
	function out(s, e, b) { if (e > s) print s, e - s, b, $4 }
	{
		s = $1; e = $1 + $2; to = from + nr
		if (e <= from || s >= to) { print; next }
		out(s, from, $3)
		out(s > from ? s : from, e < to ? e : to, bit)
		out(to, e, $3)
	}' "$MARKS" >"$MARKS.new"
	mv "$MARKS.new" "$MARKS"
}

# whole: changes a whole range, and changes it back
whole() {
	mark_shape "$B2"
	whole_s=$(block_pfn "$B2" 8192)
	skippable "$whole_s" 4096 0
	check_all "with 4096 pages unskippable"
	refuse "$B2" offline EBUSY sysfs
	check_all "after a refusal"
	refuse "$B2" offline EBUSY debugfs
	check_hog "after two refusals" "$B2"
	# The range has that value already.
	skippable "$whole_s" 4096 0
	check_all "after the same again"
	skippable "$whole_s" 4096 1
	check_all "with all skippable again"
	go "$B2" offline
	check_all "while offline"
	go "$B2" online_movable
	check_all "after online"
	unmark_all
	check_all "after unmark"
}

# part: changes a part of a range, which is split, and pages of several ranges; one page
# keeps the block online
part() {
	part_s=$(block_pfn "$B2" 1000)
	mark "$part_s" 100 canary
	mark $((part_s + 100)) 50 unskippable
	mark $((part_s + 150)) 7 canary
	skippable $((part_s + 10)) 1 0
	expect_ranges "with one page changed" \
		"$part_s 10 1 1" "$((part_s + 10)) 1 0 1" "$((part_s + 11)) 89 1 1" \
		"$((part_s + 100)) 50 0 0" "$((part_s + 150)) 7 1 1"
	check_all "with one page changed"
	skippable $((part_s + 100)) 50 1
	refuse "$B2" offline EBUSY
	check_all "after one page has refused"
	skippable $((part_s + 5)) 140 0
	check_all "with a part of three ranges changed"
	refuse "$B2" offline EBUSY
	skippable "$part_s" 157 1
	check_all "with all skippable"
	go "$B2" offline
	go "$B2" online_movable
	check_all "after a cycle"
	unmark "$part_s" 157
	check_all "after unmark"
}

# The page is in an offline block: it has its new state when the block comes online.
in_offline() {
	mark_shape "$B2"
	# The range ends at the first page that mark_shape() has marked.
	mark "$(block_pfn "$B2" -50)" 51 canary
	go "$B2" offline
	skippable "$(block_pfn "$B2" 20001)" 777 0
	check_all "changed while offline"
	# The range covers two ranges, and half of it is in an online block.
	skippable "$(block_pfn "$B2" -20)" 22 0
	check_all "changed half online, half offline"
	refuse "$B1" offline EBUSY
	go "$B2" online_movable
	check_all "after online"
	refuse "$B2" offline EBUSY
	skippable "$(block_pfn "$B2" 20001)" 777 1
	refuse "$B2" offline EBUSY
	skippable "$(block_pfn "$B2" -20)" 22 1
	check_all "with all skippable"
	go "$B2" offline
	go "$B1" offline
	check_all "with both offline"
	go "$B1" online_movable
	go "$B2" online_movable
	check_all "with both online"
	unmark_all
	check_all "after unmark"
}

# A refused request changes nothing.
refusals() {
	refusals_s=$(block_pfn "$B2" 1000)
	mark "$refusals_s" 100 canary
	mark $((refusals_s + 110)) 10
	balloon_load pages=2000 chunk=50
	balloon_note
	theirs=$(awk -v b="$B2" -v bp="$BLOCK_PAGES" '$1 >= b * bp { print $1, $2; exit }' "$TMP/balloon")
	for refusals_try in "ENOENT $refusals_s 101 0" "ENOENT $refusals_s 120 0" \
		"ENOENT $((refusals_s - 1)) 2 0" "ENOENT $((refusals_s + 500)) 1 1" \
		"EPERM $theirs 0" "EPERM $theirs 1" \
		"EINVAL $refusals_s 100 2" "EINVAL $refusals_s 100" \
		"EINVAL $refusals_s 0 1" "EINVAL $refusals_s 100 yes" \
		"EINVAL $refusals_s 100 0 canary" \
		"ERANGE $refusals_s 0xffffffffffffffff 0"; do
		expect_eq "skippable ${refusals_try#* }" "${refusals_try%% *}" \
			"$(tryio write "$FO"/skippable "${refusals_try#* }")"
	done
	expect_eq "two lines" EINVAL "$(tryio write "$FO"/skippable "$refusals_s 1 0
$((refusals_s + 2)) 1 0")"
	check_all "after all that"
	# The twin.
	skippable "$refusals_s" 100 0
	check_all "after one that works"
	balloon_unload
	unmark_all
	check_all "after unmark"
}

# A process holds a page, so an offlining does not end. The timeout of busybox sends the
# signal.
# time_limit VIA SIGNAL STATUS: in the foreground, since background jobs ignore SIGINT
time_limit() {
	mark_shape "$B2"
	pin_page "$B2"
	check_all "before"
	# On a slow machine the limit may come before the attempt, or before all pages
	# have been migrated. It is tried again then.
	limit=2
	until [ "$limit" -gt 500 ]; do
		stats_mark
		case $1 in
		sysfs) timeout -s "$2" "$limit" tryio write "$SYSMEM/memory$B2/state" offline ;;
		debugfs) timeout -s "$2" "$limit" tryio write "$FO"/block_offline "$B2" ;;
		esac
		limit_status=$?
		[ "$(stat_value offline_attempts)" = \
		  "$(awk '$1 == "offline_attempts" { print $2 }' "$TMP/stats")" ] ||
			[ "$(tenant_ask where)" != "inside 1" ] || break
		limit=$((limit * 3))
	done
	expect_eq "status after SIG$2" "$3" "$limit_status"
	expect_eq "memory$B2 after SIG$2" online "$(block_state "$B2")"
	expect_stats "offline_attempts 1" "offline_cancelled 1" "offline_done 0"
	check_all "after SIG$2"
	expect_eq "its content" "broken 0" "$(tenant_ask check)"
	expect_eq "its page" "inside 1" "$(tenant_ask where)"
	# The twin: without the pin, the same offlining ends by itself.
	expect_eq "unpin" unpinned "$(tenant_ask unpin)"
	go "$B2" offline "$1"
	expect_eq "its page" "inside 0" "$(tenant_ask where)"
	go "$B2" online_movable
	check_all "after a cycle"
	tenant_stop
	unmark_all
	check_all "after unmark"
}

# vetoes PRIORITY: the module and the kernel's injector veto at once. The first to be
# called decides, and every step that was taken is undone.
vetoes() {
	mark_shape "$B2"
	load_notifier_errors "$1"
	for vetoes_point in before after; do
		notifier_error MEM_GOING_OFFLINE -12
		expect_eq "arm" ok "$(tryio write "$FO"/inject "offline $vetoes_point -5 1")"
		stats_mark
		case $1 in
		1)
			refuse "$B2" offline ENOMEM
			expect_stats "offline_attempts 0" "injected 0" \
				"offline_cancelled 0" "offline_cancelled_early 1"
			notifier_error MEM_GOING_OFFLINE 0 ;;
		esac
		check_all "after the kernel's veto"
		stats_mark
		refuse "$B2" offline EIO
		case $vetoes_point in
		before) expect_stats "offline_attempts 1" "injected 1" \
			"offline_cancelled 0" "offline_cancelled_early 1" ;;
		after) expect_stats "offline_attempts 1" "injected 1" \
			"offline_cancelled 1" "offline_cancelled_early 0" ;;
		esac
		check_all "after the module"
		case $1 in
		-1)
			stats_mark
			refuse "$B2" offline ENOMEM
			expect_stats "offline_attempts 1" "injected 0" \
				"offline_cancelled 1" "offline_cancelled_early 0" ;;
		esac
		notifier_error MEM_GOING_OFFLINE 0
	done
	go "$B2" offline
	go "$B2" online_movable
	check_all "after a cycle"
	unmark_all
	check_all "after unmark"
}

# An onlining is vetoed at each point, and then works: every marked page is withheld once.
online() {
	mark_shape "$B2"
	mark "$(block_pfn "$B2" 30001)" 5 unskippable canary
	skippable "$(block_pfn "$B2" 30001)" 5 1
	go "$B2" offline
	skippable "$(block_pfn "$B2" 30001)" 5 0
	online_pages=$(marks_by_block | awk -v b="$B2" '$5 == b' | marks_pages)
	for online_way in "module before" "module after" "kernel 1" "kernel -1"; do
		stats_mark
		case $online_way in
		module*)
			expect_eq "arm online ${online_way#* }" ok \
				"$(tryio write "$FO"/inject "online ${online_way#* } -12 1")" ;;
		kernel*)
			load_notifier_errors "${online_way#* }"
			notifier_error MEM_GOING_ONLINE -12 ;;
		esac
		refuse "$B2" online_movable ENOMEM
		unload_notifier_errors
		expect_stats "online_done 0" "withheld_pages 0"
		case $online_way in
		"module before" | "kernel 1") expect_stats "online_cancelled 0" \
			"online_cancelled_early 1" ;;
		*) expect_stats "online_cancelled 1" "online_cancelled_early 0" ;;
		esac
		check_all "after $online_way"
		stats_mark
		go "$B2" online_movable
		expect_stats "online_done 1" "withheld_pages $online_pages"
		check_all "after it was tried again, $online_way"
		# The same again, from a block with an unskippable page.
		refuse "$B2" offline EBUSY
		skippable "$(block_pfn "$B2" 30001)" 5 1
		go "$B2" offline
		skippable "$(block_pfn "$B2" 30001)" 5 0
	done
	go "$B2" online_movable
	check_hog "at last" "$B2"
	expect_failing "with one page too many" \
		expect_stats "withheld_pages 1"
	unmark_all
	check_all "after unmark"
}

run_tests whole part in_offline refusals "time_limit sysfs INT 130" \
	"time_limit debugfs TERM 143" "vetoes 1" "vetoes -1" online
