#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Taking pages through an offline and online of their memory block: exactly what
# is wanted is marked, the block comes back as it was, and where that does not
# work everything is as before, or the pages are allocated.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"

THROUGH=/sys/module/fake_offline/parameters/through

# millis: uptime in milliseconds, in steps of ten
millis() {
	read -r mi_up _ </proc/uptime
	echo "${mi_up%.*}${mi_up#*.}0"
}

# How often a whole free block is taken so, if nobody says how: where the kernel zeroes
# what it allocates. Debian's does by itself, others are asked to in checks/lanes;
# PAGE_POISONING stands in the way.
UNASKED=0
case $(uname -r)-$(cat /proc/cmdline) in
*init_on_alloc=0* | *page_poison=1*) ;;
*-amd64-* | *init_on_alloc=1*) UNASKED=1 ;;
esac

# as_before WHAT ERRNO TEXT…: a mark fails, and nothing has changed
as_before() {
	ab_what=$1 ab_errno=$2
	shift 2
	block_look "$B2"
	ab_block="$BLOCK_STATE $BLOCK_ZONE"
	unchanged "$ab_what" "$ab_errno" mark_raw "$*"
	block_look "$B2"
	expect_eq "memory$B2 after: $ab_what" "$ab_block" "$BLOCK_STATE $BLOCK_ZONE"
	# what check_all looks at, and unchanged does not
	check_isolated "after: $ab_what"
	check_listed "after: $ab_what"
	check_verify "after: $ab_what"
}

# went_through NR: stats since stats_mark: NR cycles, none failed
went_through() {
	expect_stats "through $1" "through_failures 0" "offline_attempts $1" \
		"offline_done $1" "online_attempts $1" "online_done $1"
}

# prepare ZONE: the block under test is in that zone, empty. In ZONE_NORMAL marks
# keep kernel memory out of it until just before it is wanted.
prepare() {
	[ "$1" = Movable ] || mark_shape "$B2"
	to_zone "$B2" "$1"
	[ "$1" = Movable ] || unmark_all
}

# leave: back to where it was at first
leave() {
	to_zone "$B2" Movable
	check_all "back in ZONE_MOVABLE"
	unmark_all
	check_all "after unmark"
}

# empty BLOCK…: whatever is in use there goes elsewhere
empty() {
	for empty_b; do
		go "$empty_b" offline
		go "$empty_b" online_movable
	done
}

# whole ZONE [OPTION…]: a whole block, forced through, and allocated for
# comparison
whole() {
	whole_zone=$1
	shift
	prepare "$whole_zone"
	stats_mark
	whole_start=$(millis)
	mark "$(block_start "$B2")" "$BLOCK_PAGES" through "$@"
	whole_through=$(($(millis) - whole_start))
	went_through 1
	expect_stats "marks 1" "mark_failures 0" "withheld_pages $BLOCK_PAGES"
	expect_eq "state and zone of memory$B2" "online $whole_zone" \
		"$(block_state "$B2") $(block_zone "$B2")"
	expect_ranges "of one whole block" \
		"$(block_start "$B2") $BLOCK_PAGES $(awk '{ print $3, $4 }' "$MARKS")"
	check_all "when marked"
	unmark_all
	check_all "after unmark"

	stats_mark
	whole_start=$(millis)
	mark "$(block_start "$B2")" "$BLOCK_PAGES" allocate "$@"
	whole_allocated=$(($(millis) - whole_start))
	went_through 0
	check_all "when allocated"
	note "through $whole_through ms, allocated $whole_allocated ms, in steps of 10 ms"
	case " $* " in
	*" unskippable "*) unmark_all ;;
	*)
		go "$B2" offline
		check_all "while offline"
		go "$B2" online ;;
	esac
	leave
}

# unasked: whole and nearly free blocks only, where the kernel zeroes what it
# allocates, and unless it is switched off
unasked() {
	expect_eq "the parameter" Y "$(cat "$THROUGH")"
	empty "$B1" "$B2"
	un_whole="$(block_start "$B2") $BLOCK_PAGES"
	stats_mark
	# shellcheck disable=SC2086  # two words
	mark $un_whole canary
	went_through "$UNASKED"
	check_all "when marked"
	unmark_all

	stats_mark
	echo N >"$THROUGH"
	# shellcheck disable=SC2086  # two words
	mark $un_whole
	echo Y >"$THROUGH"
	went_through 0
	unmark_all

	stats_mark
	mark "$(block_start "$B2")" $((BLOCK_PAGES - 1))
	went_through 0
	check_all "all but a page"
	unmark_all

	# a share of it is in use
	tenant_start 2000 "$B2"
	stats_mark
	# shellcheck disable=SC2086  # two words
	mark $un_whole
	went_through 0
	expect_eq "its pages in the block" "inside 0" "$(tenant_ask where)"
	expect_eq "their content" "broken 0" "$(tenant_ask check)"
	tenant_stop
	unmark_all

	# Two blocks and a half, from an odd place on: one range.
	stats_mark
	mark "$(block_pfn "$B1" 77)" $((2 * BLOCK_PAGES + 100)) canary
	went_through "$UNASKED"
	expect_stats "marks 1"
	expect_ranges "of parts" \
		"$(block_pfn "$B1" 77) $((2 * BLOCK_PAGES + 100)) 1 1"
	check_all "in parts"
	go "$B2" offline
	check_all "with the middle offline"
	go "$B2" online_movable
	unmark_all

	# anywhere
	stats_mark
	expect_eq "any block in ZONE_MOVABLE" ok \
		"$(mark_raw "any $BLOCK_PAGES zone=Movable")"
	awk '!/^#/ { print $1, $2, $3, $4 }' "$FO"/ranges >"$MARKS"
	expect_stats "through_failures 0" "marks $(awk '!/^#/ { n++ } END { print n + 0 }' "$FO"/ranges)"
	check_all "anywhere"
	unmark_all
	check_all "after unmark"
}

# part ZONE: a part of a block, among other marks; a process has pages there
part() {
	mark_shape "$B2"
	to_zone "$B2" "$1"
	# In ZONE_NORMAL the pages that it marks all over the block must stay.
	part_from=14125 part_nr=511
	if [ "$1" = Movable ]; then
		sparse_lines "$B2" 300 | awk -v s="$(block_start "$B2")" \
			'$1 > s + 13000 && $1 < s + 20000' \
			>"$TMP/sparse"
		while read -r part_pfn part_one _; do
			unmark "$part_pfn" "$part_one"
		done <"$TMP/sparse"
		part_from=14001 part_nr=5003
		tenant_start 600 "$B2"
	fi
	stats_mark
	mark "$(block_pfn "$B2" "$part_from")" "$part_nr" through canary
	went_through 1
	check_all "when marked"
	mark "$(block_pfn "$B2" 22017)" 9 through unskippable
	expect_eq "zone of memory$B2" "$1" "$(block_zone "$B2")"
	check_all "when more is marked"
	check_hog "with the rest in use" "$B2"
	as_before "another one, beside an unskippable page" EBUSY \
		"$(block_pfn "$B2" 22100) 9 through"
	as_before "overlap" EEXIST "$(block_pfn "$B2" $((part_from - 3))) 9 through"
	unmark "$(block_pfn "$B2" 22017)" 9
	mark "$(block_pfn "$B2" 22100)" 9 through
	check_all "without it"
	if [ "$1" = Movable ]; then
		expect_eq "its pages in the block" "inside 0" "$(tenant_ask where)"
		expect_eq "their content" "broken 0" "$(tenant_ask check)"
		tenant_stop
	fi
	unmark "$(block_pfn "$B2" "$part_from")" 200
	check_all "with some given back"
	leave
}

# A range in three blocks is taken in three parts, and is one range then. When the last
# part fails, nothing is left of the others.
parts() {
	parts_line="$(block_pfn "$B1" 30000) $((BLOCK_PAGES + 5000))"
	stats_mark
	# shellcheck disable=SC2086  # two words
	mark $parts_line through canary
	went_through 3
	expect_ranges "of three parts" "$parts_line $(awk '{ print $3, $4 }' "$MARKS")"
	check_all "when marked"
	unmark_all
	check_all "after unmark"
	mark "$(block_pfn "$B3" 20000)" 1 unskippable
	as_before "the last of three parts" EBUSY "$parts_line through canary"
	unmark_all
	check_all "at last"
}

# arm HOW COUNT: the next offlinings fail. Sets ERRNO.
arm() {
	ERRNO=ENOMEM
	case $1 in
	kernel-before | kernel-after)
		case $1 in
		kernel-before) load_notifier_errors 1 ;;
		*) load_notifier_errors -1 ;;
		esac
		notifier_error MEM_GOING_OFFLINE -12 ;;
	signal)
		ERRNO=EINTR
		expect_eq "arm" ok "$(tryio write "$FO"/inject "offline late -4 $2")" ;;
	late)
		ERRNO=EBUSY
		expect_eq "arm" ok "$(tryio write "$FO"/inject "offline late -16 $2")" ;;
	*) expect_eq "arm" ok "$(tryio write "$FO"/inject "offline $1 -12 $2")" ;;
	esac
}

disarm() {
	unload_notifier_errors
	expect_eq "clear" ok "$(tryio write "$FO"/inject clear)"
}

# offline_fails HOW: forced, the mark fails; unasked, the block is allocated
offline_fails() {
	case $1 in late) mark "$(block_pfn "$B2" 3)" 1 canary ;; esac
	arm "$1" 1
	stats_mark
	as_before "offlining fails, $1" "$ERRNO" "$(block_pfn "$B2" 500) 9000 through canary"
	expect_stats "through 0" "through_failures 1" "marks 0" \
		"mark_failures 1" "offline_done 0"
	disarm
	mark "$(block_pfn "$B2" 500)" 9000 through canary
	check_all "when it works"
	unmark_all

	case $1 in late) return ;; esac	# another mark is in a whole block
	empty "$B2"
	arm "$1" 1
	stats_mark
	mark "$(block_start "$B2")" "$BLOCK_PAGES" canary
	expect_stats "through 0" "through_failures $UNASKED" "marks 1" \
		"mark_failures 0" "offline_done 0"
	check_all "when allocated"
	disarm
	unmark_all
	check_all "after unmark"
}

# online_fails POINT: once: it is tried again. Always: the block stays offline,
# nothing is marked by that, and the log says so; what was marked before stays.
online_fails() {
	mark "$(block_pfn "$B2" 7)" 3 canary
	case $1 in
	kernel) ;;
	*) expect_eq "arm once" ok "$(tryio write "$FO"/inject "online $1 -12 1")" ;;
	esac
	stats_mark
	mark "$(block_pfn "$B2" 600)" 9000 through canary
	expect_stats "through 1" "through_failures 0"
	check_all "when an onlining failed once"
	unmark "$(block_pfn "$B2" 600)" 9000

	case $1 in
	kernel)
		load_notifier_errors -1
		notifier_error MEM_GOING_ONLINE -12 ;;
	*) expect_eq "arm" ok "$(tryio write "$FO"/inject "online $1 -12 99")" ;;
	esac
	stats_mark
	dmesg -c >/dev/null
	expect_eq "a mark whose block does not come back" ENOMEM \
		"$(mark_raw "$(block_pfn "$B2" 600) 9000 through canary")"
	expect_eq "the log says so" 1 \
		"$(dmesg | grep -c "memory block $B2 was taken offline to mark pages there, and does not come back")"
	expect_eq "the last failure says so" 1 \
		"$(grep -c "^reason block $B2 was taken offline to mark pages there" "$FO"/last_failure)"
	expect_stats "through 0" "through_failures 1" "marks 0" \
		"mark_failures 1" "offline_done 1" "online_done 0"
	expect_eq "state of memory$B2" offline "$(block_state "$B2")"
	check_all "while the block is offline"
	expect_eq "nothing can be marked there" ENODEV \
		"$(mark_raw "$(block_pfn "$B2" 600) 9000 through")"
	disarm
	go "$B2" online_movable
	check_all "when it is back"
	check_hog "when it is back" "$B2"

	case $1 in
	after) ;;
	*) unmark_all; return ;;
	esac
	unmark_all
	[ "$UNASKED" = 1 ] || return
	empty "$B2"
	expect_eq "arm" ok "$(tryio write "$FO"/inject "online $1 -12 99")"
	expect_eq "a whole block that does not come back" ENODEV \
		"$(mark_raw "$(block_start "$B2") $BLOCK_PAGES")"
	disarm
	go "$B2" online_movable
	check_all "when it is back again"
}

# pinned: a page that cannot move. Forced, offlining waits until a signal;
# unasked, it ends by itself.
pinned() {
	tenant_start 3 "$B2"
	pin=$(tenant_ask pin)
	pin=${pin#pfn }
	pin_from=$(block_pfn "$B2" 20000)
	[ "$pin" -lt "$pin_from" ] || [ "$pin" -ge $((pin_from + 100)) ] ||
		pin_from=$((pin_from + 200))
	tryio write "$FO"/mark "$pin_from 100 through" >"$TMP/hang" &
	pin_pid=$!
	while [ "$(tenant_ask where)" != "inside 1" ] && kill -0 "$pin_pid"; do
		usleep 10000
	done
	expect_eq "memory$B2 meanwhile" going-offline "$(block_state "$B2")"
	expect_eq "not listed yet" "" "$(sed /^#/d "$FO"/ranges)"
	expect_status "it goes on" 0 kill -0 "$pin_pid"
	kill -USR1 "$pin_pid"
	wait "$pin_pid"
	expect_eq "after a signal" EINTR "$(cat "$TMP/hang")"
	check_all "after the signal"

	stats_mark
	as_before "a whole block with a pinned page" EBUSY \
		"$(block_start "$B2") $BLOCK_PAGES"
	expect_stats "through 0" "through_failures $UNASKED" "mark_failures 1"
	# All or nothing, over several blocks, too.
	as_before "two blocks, a pinned page in the second" EBUSY \
		"$(block_start "$B1") $((2 * BLOCK_PAGES))"
	expect_eq "unpin" unpinned "$(tenant_ask unpin)"
	expect_eq "its content" "broken 0" "$(tenant_ask check)"
	mark "$pin_from" 100 through
	check_all "without the pin"
	tenant_stop
	unmark_all
}

# words: what can be said, and what cannot
words() {
	word_s=$(block_pfn "$B2" 100)
	for word in "$word_s 1 through through" "$word_s 1 through allocate" \
		"$word_s 1 allocate allocate" "any 1 through" \
		"any 1 allocate through" "$word_s 1 THROUGH"; do
		as_before "$word" EINVAL "$word"
	done
	expect_eq "any 1 allocate" ok "$(mark_raw "any 1 allocate")"
	expect_eq "unmark all" ok "$(tryio write "$FO"/unmark all)"
	# boot memory: DMA32, and the first block has holes
	stats_mark
	expect_eq "a zone without an online type" EOPNOTSUPP \
		"$(mark_raw "$((3 * BLOCK_PAGES + 5)) 1 through")"
	went_through 0
	go "$B3" offline
	as_before "an offline block" ENODEV "$(block_pfn "$B3" 5) 5 through"
	go "$B3" online_movable
	expect_status "offctl mark --through" 0 offctl mark --through "block:$B2"
	note_mark "$(block_start "$B2")" "$BLOCK_PAGES"
	check_all "marked by offctl"
	expect_stats "through 1"
	unmark_all
	check_all "after unmark"
}

# The whole block must be to spare, though little of it is wanted.
reserve() {
	param=/sys/module/fake_offline/parameters/reserve_mib
	reserve_was=$(cat "$param")
	avail=$(awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo)
	echo $((avail - BLOCK_PAGES / 256 / 2)) >"$param"
	as_before "less than a block above the reserve" ENOSPC \
		"$(block_start "$B2") 256 through"
	mark "$(block_start "$B2")" 256
	check_all "when allocated"
	echo "$reserve_was" >"$param"
	mark "$(block_pfn "$B2" 256)" 256 through
	check_all "with the old reserve"
	unmark_all
}

# A client with pages there is asked, may veto, and is told; nobody is told of
# pages before they are his.
clients() {
	balloon_load pages=300 from="$(block_start "$B2")"
	balloon_note
	expect_at_least "pages of the balloon in the block" 1 "$(balloon_noted "$B2")"
	mark "$(block_pfn "$B2" 9000)" 1000 through canary
	expect_events "after a cycle" 1 0 1 1 0
	check_all "after a cycle"
	balloon_set refuse 1
	as_before "a client's veto" EBUSY "$(block_pfn "$B2" 12000) 1000 through"
	expect_events "after its veto" 2 0 1 1 0
	balloon_set refuse 0
	balloon_set leave 1
	mark "$(block_pfn "$B2" 12000)" 1000 through
	balloon_note
	expect_eq "pages of the balloon in the block, which leaves" 0 \
		"$(balloon_noted "$B2")"
	check_all "when it has left"
	balloon_unload
	unmark_all
	check_all "after unmark"
}

# traced_cycle: what the trace has
traced_cycle() {
	trace_start
	tc_start=$(block_pfn "$B2" 8192)
	mark "$tc_start" 1024 through
	expect_trace "of a cycle" "$(traced_block going_offline "$B2" 0)" \
		"$(traced_block offline "$B2" 0)" \
		"$(traced withhold "$tc_start" 1024 0)" \
		"$(traced take "$tc_start" 1024 0)"
	unmark_all
	trace_stop
}

# Somebody else takes the block offline and online all the time.
others() {
	mark "$(block_pfn "$B2" 11)" 5 canary
	(
		while [ ! -f "$TMP/enough" ]; do
			tryio write "$SYSMEM/memory$B2/state" offline
			tryio write "$SYSMEM/memory$B2/state" online_movable
		done >/dev/null
	) &
	others_pid=$!
	others_ok=0 others_n=0
	while [ "$others_n" -lt 30 ]; do
		others_n=$((others_n + 1))
		result mark_raw "$(block_pfn "$B2" 4000) 4000 canary through"
		case $RESULT in
		ok)
			others_ok=$((others_ok + 1))
			expect_eq "unmark" ok "$(tryio write "$FO"/unmark \
				"$(block_pfn "$B2" 4000) 4000")" ;;
		ENODEV | EBUSY | EINVAL) ;;
		*) expect_eq "a mark meanwhile" "ok, ENODEV, EBUSY or EINVAL" "$RESULT" ;;
		esac
	done
	: >"$TMP/enough"
	wait "$others_pid"
	note "$others_ok of $others_n marks"
	block_look "$B2"
	[ "$BLOCK_STATE" = online ] || go "$B2" online_movable
	check_all "at last"
	mark "$(block_pfn "$B2" 4000)" 4000 canary through
	check_all "when marked alone"
	unmark_all
}

# The asserts can fail.
twins() {
	twin() {
		stats_mark
		mark "$(block_start "$B2")" 512 "$1"
		went_through "$2"
		result tryio write "$FO"/unmark all
		: >"$MARKS"
	}
	expect_failing "a cycle where there was none" twin allocate 1
	expect_failing "no cycle where there was one" twin through 0
	mark "$(block_start "$B2")" 512 through
	expect_failing "a mark that should have failed" \
		as_before "no failure" EBUSY "$(block_pfn "$B2" 600) 5 through"
	note_mark "$(block_pfn "$B2" 600)" 5
	expect_eq "arm" ok "$(tryio write "$FO"/inject "mark corrupt -5 1")"
	mark "$(block_pfn "$B2" 2048)" 512 through canary
	expect_failing "a broken canary" check_all "with a broken canary"
	unmark_all
}

run_tests "whole Movable" "whole Movable canary" "whole Movable unskippable" \
	"whole Normal canary" unasked "part Movable" "part Normal" parts \
	"offline_fails before" "offline_fails after" "offline_fails late" \
	"offline_fails signal" "offline_fails kernel-before" \
	"offline_fails kernel-after" "online_fails before" \
	"online_fails after" "online_fails kernel" pinned words reserve \
	clients traced_cycle others twins
