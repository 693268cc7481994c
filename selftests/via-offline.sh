#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# "offctl mark --via-offline" takes the blocks of the ranges offline through sysfs, marks
# the ranges, and brings each block online in the zone that it had. If a step fails or a
# signal comes, all is as before. If offctl is killed, the next offctl names the block that
# is offline. numa.sh has the test of the last block of a node.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"

RECORDS=/run/offctl

# addresses START NR: a range in the form in which offctl prints it
addresses() {
	printf '0x%016x-0x%016x' $(($1 * 4096)) $((($1 + $2) * 4096 - 1))
}

# size NR: a number of pages in the form in which offctl prints it
size() {
	if [ $(($1 % 256)) = 0 ]; then
		echo "$1 pages ($(($1 / 256)) MiB)"
	elif [ "$1" = 1 ]; then
		echo "1 page (4 KiB)"
	else
		echo "$1 pages ($(($1 * 4)) KiB)"
	fi
}

# said_offline BLOCK, said_waits START NR, said_online BLOCK ZONE, said_marked START NR
said_offline() {
	echo "block $1: offline"
}
said_waits() {
	echo "$(addresses "$1" "$2"): marked, waiting for memory to come online"
}
said_online() {
	echo "block $1: online, zone $2"
}
said_marked() {
	echo "marked $(size "$2") $(addresses "$1" "$2")"
}

# via ARGUMENT…: runs it; the output is in $TMP/via-out and $TMP/via-err
via() {
	offctl mark --via-offline "$@" >"$TMP/via-out" 2>"$TMP/via-err"
	via_status=$?
}

# expect_via WHEN STATUS OUTPUT ERRORS
expect_via() {
	expect_eq "exit status $1" "$2" "$via_status"
	expect_eq "steps that it reported $1" "$3" "$(cat "$TMP/via-out")"
	expect_eq "errors that it reported $1" "$4" "$(cat "$TMP/via-err")"
}

# expect_records WHEN BLOCK…: records of blocks that offctl took offline and has not
# brought online exist for these, and for no others
expect_records() {
	records_when=$1
	shift
	expect_eq "records in $RECORDS $records_when" \
		"$([ $# = 0 ] || printf 'block-%s\n' "$@")" \
		"$(ls "$RECORDS" 2>/dev/null)"
}

# as_before WHEN ZONE: the blocks are online, $B2 in that zone, and the marks are those of
# $MARKS
as_before() {
	expect_eq "the blocks $1" "online Movable, online $2" \
		"$(block_state "$B1") $(block_zone "$B1"), $(block_state "$B2") $(block_zone "$B2")"
	expect_records "$1"
	check_all "$1"
}

# in_zone ZONE: $B2 is in it; in ZONE_NORMAL it has marks that keep kernel memory out
in_zone() {
	[ "$1" = Movable ] || mark_shape "$B2"
	to_zone "$B2" "$1"
}

# uevents: the number of uevents that the kernel has sent; a block that goes offline or
# comes online sends one
uevents() {
	cat /sys/kernel/uevent_seqnum
}

# steps_were WANT BEFORE
steps_were() {
	expect_eq "uevents of blocks" "$1" $(($(uevents) - $2))
}

# The ranges are in two blocks, with pages in use in one of them.
# takes ZONE
takes() {
	in_zone "$1"
	takes_a=$(block_pfn "$B1" 30000) takes_b=$(block_pfn "$B2" 12300)
	tenant_start 500 "$B1"
	takes_events=$(uevents)
	via --canary "pfn:$takes_a+2000" "pfn:$takes_b+200"
	note_mark "$takes_a" 2000 canary
	note_mark "$takes_b" 200 canary
	steps_were 4 "$takes_events"
	expect_via "of a mark in two blocks" 0 "$(said_offline "$B1"
		said_offline "$B2"
		echo "2 ranges: marked, waiting for memory to come online"
		said_online "$B1" Movable
		said_online "$B2" "$1"
		said_marked "$takes_a" 2000
		said_marked "$takes_b" 200
		echo "marked 2200 pages (8800 KiB) in all")" ""
	as_before "after that" "$1"
	expect_eq "content of a process with pages there" "broken 0" "$(tenant_ask check)"
	tenant_stop
	check_hog "after that" "$B1"
	expect_failing "a page more" a_mark_more

	# The twin: a mark without the option changes no block's state.
	takes_events=$(uevents)
	expect_status "a plain mark" 0 offctl mark "pfn:$(block_pfn "$B1" 100)" >/dev/null
	note_mark "$(block_pfn "$B1" 100)" 1
	expect_failing "a plain mark" steps_were 2 "$takes_events"
	as_before "after a plain mark" "$1"
	unmark_all
	as_before "after unmark" "$1"
}

a_mark_more() {
	note_mark "$(block_pfn "$B1" 7)" 1
	check_pages "with one mark more in the list"
	forget "$(block_pfn "$B1" 7)" 1
}

# A whole block, in use or not.
whole() {
	via "block:$B2"
	note_mark "$(block_start "$B2")" "$BLOCK_PAGES"
	expect_via "of a mark of a block" 0 "$(said_offline "$B2"
		said_waits "$(block_start "$B2")" "$BLOCK_PAGES"
		said_online "$B2" Movable
		said_marked "$(block_start "$B2")" "$BLOCK_PAGES")" ""
	as_before "after that" Movable
	unmark_all
	as_before "after unmark" Movable
}

# A block that was offline stays offline.
already() {
	already_s=$(block_pfn "$B2" 700)
	go "$B2" offline
	via "pfn:$already_s+30"
	note_mark "$already_s" 30
	expect_via "of a mark in an offline block" 0 \
		"block $B2: already offline, stays offline
$(said_waits "$already_s" 30)
$(said_marked "$already_s" 30)" ""
	expect_eq "the block" offline "$(block_state "$B2")"
	expect_records "after that"
	check_all "while offline"
	go "$B2" online_movable
	check_all "after online"
	unmark_all
}

# A mark is refused: the block comes online, and has no mark of the request.
# refused ZONE
refused() {
	in_zone "$1"
	mark "$(block_pfn "$B2" 12305)" 4
	via "pfn:$(block_pfn "$B2" 12300)+50"
	refused_range=$(addresses "$(block_pfn "$B2" 12300)" 50)
	expect_via "of a mark of marked pages" 1 "$(said_offline "$B2"
		said_online "$B2" "$1")" \
		"offctl: mark: $refused_range: a page is marked already (EEXIST)
$(sed -n 's/^hint: .*/&/p' "$TMP/via-err")"
	expect_eq "the hint names the page" 1 \
		"$(grep -c "^hint: .*PFN $(hex "$(block_pfn "$B2" 12305)") is marked already by debugfs" "$TMP/via-err")"
	as_before "after that" "$1"
	unmark_all
}

# One block does not go offline: the block before it comes online.
# stays WHO
stays() {
	in_zone Movable
	case $1 in
	unskippable)
		mark "$(block_pfn "$B2" 9)" 1 unskippable
		stays_why="a page cannot be migrated, or a memory notifier refused (EBUSY)" ;;
	after)
		expect_eq "arm" ok "$(tryio write "$FO"/inject "offline after -12 1")"
		stays_why="Cannot allocate memory (ENOMEM)" ;;
	late)
		# The last skippable page of the block refuses.
		mark "$(block_pfn "$B1" 9)" 1
		expect_eq "arm" ok "$(tryio write "$FO"/inject "offline late -16 1")"
		stays_why="a page cannot be migrated, or a memory notifier refused (EBUSY)" ;;
	kernel)
		load_notifier_errors -1
		notifier_error MEM_GOING_OFFLINE -12
		stays_why="Cannot allocate memory (ENOMEM)" ;;
	esac
	# An armed failure hits the first attempt, whatever its block is.
	case $1 in
	unskippable)
		stays_block=$B2
		stays_steps="$(said_offline "$B1"
			said_online "$B1" Movable)" ;;
	*)
		stays_block=$B1 stays_steps='' ;;
	esac
	via "pfn:$(block_pfn "$B1" 100)+50" "pfn:$(block_pfn "$B2" 100)+50"
	expect_eq "exit status" 1 "$via_status"
	expect_eq "steps that it reported" "$stays_steps" "$(cat "$TMP/via-out")"
	expect_eq "the error" "offctl: mark: block $stays_block: still online: $stays_why" \
		"$(grep -v '^hint: ' "$TMP/via-err")"
	as_before "after that" Movable
	unload_notifier_errors
	unmark_all
	# The twin: nothing makes a step fail.
	via "pfn:$(block_pfn "$B1" 100)+50" "pfn:$(block_pfn "$B2" 100)+50"
	expect_eq "exit status with nothing in the way" 0 "$via_status"
	note_mark "$(block_pfn "$B1" 100)" 50
	note_mark "$(block_pfn "$B2" 100)" 50
	as_before "with nothing in the way" Movable
	unmark_all
}

# An onlining that is vetoed is tried five times in all. Then the marks are taken away, and
# it is tried as often again.
# comes_back VETOES
comes_back() {
	back_s=$(block_pfn "$B2" 600)
	expect_eq "arm" ok "$(tryio write "$FO"/inject "online after -12 $1")"
	via "pfn:$back_s+60"
	back_steps="$(said_offline "$B2"
		said_waits "$back_s" 60)"
	back_error="offctl: mark: block $B2: still offline: Cannot allocate memory (ENOMEM)"
	back_undone="$back_error
offctl: mark: $(addresses "$back_s" 60): unmarked again, because the memory does not come online with the mark"
	back_errors=$(grep -v '^hint: vetoed: injected' "$TMP/via-err")
	case $1 in
	4)
		note_mark "$back_s" 60
		expect_via "after four vetoes" 0 "$back_steps
$(said_online "$B2" Movable)
$(said_marked "$back_s" 60)" "" ;;
	5)
		expect_eq "exit status after five" 1 "$via_status"
		expect_eq "steps" "$back_steps
$(said_online "$B2" Movable)" "$(cat "$TMP/via-out")"
		expect_eq "errors" "$back_undone" "$back_errors" ;;
	*)
		expect_eq "exit status after ten" 1 "$via_status"
		expect_eq "steps" "$back_steps" "$(cat "$TMP/via-out")"
		expect_eq "errors" "$back_undone
$back_error
$(left_lines mark "$B2" movable)" "$back_errors"
		expect_eq "the block" offline "$(block_state "$B2")"
		check_all "while it is left offline"
		left_and_told "$B2" movable ;;
	esac
	as_before "at last" Movable
	unmark_all
}

# left_lines COMMAND BLOCK TYPE: the lines about a block that was left offline
left_lines() {
	echo "offctl: $1: block $2 is offline: 'offctl mark --via-offline' did not bring it back
hint: offctl online --type online_$3 $2"
}

# says_left BLOCK TYPE COMMAND…: this offctl names the block, and the way to bring it online
says_left() {
	says_block=$1 says_type=$2
	shift 2
	offctl "$@" >/dev/null 2>"$TMP/says"
	expect_eq "offctl $* names the block" \
		"$(left_lines "$1" "$says_block" "$says_type")" \
		"$(grep -A 1 "did not bring it back" "$TMP/says")"
}

# left_and_told BLOCK TYPE: every offctl that changes something names the block, and so do
# "blocks" and "status", until the command of the hint has run
left_and_told() {
	expect_records "of a block left offline" "$1"
	says_left "$1" "$2" status
	says_left "$1" "$2" blocks
	says_left "$1" "$2" inject --clear
	says_left "$1" "$2" unmark "pfn:$(block_pfn "$B3" 9)"
	# Only the command of the hint brings the block online.
	expect_eq "the block" offline "$(block_state "$1")"
	expect_status "the command of the hint" 0 \
		offctl online --type "online_$2" "$1" >/dev/null
	expect_eq "the block" online "$(block_state "$1")"
	expect_failing "status does not name it any more" says_left "$1" "$2" status
	expect_records "of a block that is back"
}

# via_pinned ZONE: $B1 has gone offline, and a pinned page keeps $B2 from going offline.
# $via_pid is the offctl.
via_pinned() {
	in_zone "$1"
	pin_page "$B2"
	pinned_free=$(block_pfn "$B2" 12300)
	offctl mark --via-offline "pfn:$(block_pfn "$B1" 100)+50" "pfn:$pinned_free+20" \
		>"$TMP/via-out" 2>"$TMP/via-err" &
	via_pid=$!
	wait_for "$B2 to be going offline" hangs "$B2"
	expect_eq "the blocks meanwhile" "offline going-offline" \
		"$(block_state "$B1") $(block_state "$B2")"
	# While it runs, no other offctl reports or takes these blocks.
	offctl status >/dev/null 2>"$TMP/says"
	expect_eq "the output of another offctl" "" "$(cat "$TMP/says")"
	expect_records "meanwhile" "$B1" "$B2"
	check_listed "meanwhile"
}

hangs() {
	[ "$(block_state "$1")" = going-offline ] && [ "$(tenant_ask where)" = "inside 1" ]
}

# A signal that can be caught comes while a pinned page keeps the second block from going
# offline: the first one comes online.
# signal NAME
signal() {
	signal_steps="$(said_offline "$B1"
		said_online "$B1" Movable)"
	signal_error="offctl: mark: block $B2: still online: interrupted (EINTR)"
	case $1 in
	# A shell lets its background jobs ignore this signal.
	INT) via_pinned_int ;;
	*)
		via_pinned Movable
		kill "-$1" "$via_pid"
		wait "$via_pid"
		via_status=$? ;;
	esac
	expect_eq "exit status" 1 "$via_status"
	expect_eq "steps that it reported" "$signal_steps" "$(cat "$TMP/via-out")"
	expect_eq "the error" "$signal_error" "$(grep -v '^hint: ' "$TMP/via-err")"
	as_before "after the signal" Movable
	expect_eq "its content" "broken 0" "$(tenant_ask check)"

	# The twin: without the pin it ends by itself.
	expect_eq "unpin" unpinned "$(tenant_ask unpin)"
	via "pfn:$(block_pfn "$B1" 100)+50" "pfn:$(block_pfn "$B2" 100)+50"
	expect_eq "exit status without the pin" 0 "$via_status"
	note_mark "$(block_pfn "$B1" 100)" 50
	note_mark "$(block_pfn "$B2" 100)" 50
	as_before "without the pin" Movable
	tenant_stop
	unmark_all
}

# The same in the foreground; a background job sends the signal.
via_pinned_int() {
	pin_page "$B2"
	rm -f "$TMP/via-pid"
	(
		wait_for "$B2 to be going offline" hangs "$B2"
		kill -INT "$(cat "$TMP/via-pid")"
	) &
	signal_sender=$!
	# shellcheck disable=SC2016  # for that shell
	sh -c 'echo $$ >"$1"; shift; exec "$@"' sh "$TMP/via-pid" \
		offctl mark --via-offline "pfn:$(block_pfn "$B1" 100)+50" \
		"pfn:$(block_pfn "$B2" 100)+50" >"$TMP/via-out" 2>"$TMP/via-err"
	via_status=$?
	wait "$signal_sender"
}

# SIGKILL leaves the first block offline.
# killed ZONE: the zone of the block that is left
killed() {
	case $1 in
	Normal)
		mark_shape "$B1"
		to_zone "$B1" Normal
		killed_type=kernel ;;
	*) killed_type=movable ;;
	esac
	via_pinned Movable
	kill -KILL "$via_pid"
	wait "$via_pid"
	expect_eq "exit status of the killed offctl" 137 $?
	expect_eq "the blocks after that" "offline online" \
		"$(block_state "$B1") $(block_state "$B2")"
	expect_eq "its output" "$(said_offline "$B1")" "$(cat "$TMP/via-out")"
	check_all "after the kill"
	tenant_stop
	# The record of $B2, which is online, is removed by itself.
	offctl status >/dev/null 2>&1
	left_and_told "$B1" "$killed_type"
	expect_eq "the zone" "$1" "$(block_zone "$B1")"
	check_all "when it is back"
	unmark_all
}

pool() {
	awk '$1 == "HugePages_Total:" { print $2 }' /proc/meminfo
}

# huge_in BLOCK: the number of pages of the pool in it
huge_in() {
	echo $(($(oracle runs huge "$(block_range "$1")" | marks_pages) / 512))
}

# A block with pages of the hugetlb pool is refused, as the pool would shrink.
hugetlb() {
	hugetlb_was=$(cat /proc/sys/vm/nr_hugepages)
	hugetlb_has='' hugetlb_not='' hugetlb_n=0
	while [ -z "$hugetlb_has" ] && [ "$hugetlb_n" -lt 64 ]; do
		hugetlb_n=$((hugetlb_n + 1))
		echo "$hugetlb_n" >/proc/sys/vm/nr_hugepages
		for hugetlb_b in $BLOCKS; do
			case $(huge_in "$hugetlb_b") in
			0) hugetlb_not=$hugetlb_b ;;
			*) hugetlb_has=$hugetlb_b ;;
			esac
		done
	done
	hugetlb_n=$(pool)
	note "$hugetlb_n huge pages; memory$hugetlb_has has some, memory$hugetlb_not has none"
	expect_at_least "a block with huge pages" 1 "${hugetlb_has:-0}" || return
	expect_at_least "a block without" 1 "${hugetlb_not:-0}" || return
	hugetlb_s=$(block_pfn "$hugetlb_has" 100)
	via "pfn:$hugetlb_s+9"
	expect_via "of a block with huge pages" 1 "" "offctl: mark: block $hugetlb_has: it has pages of the hugetlb pool, and the pool would shrink for good
hint: nothing was done; --force takes the block offline anyway"
	expect_eq "the pool" "$hugetlb_n" "$(pool)"
	as_before "after that" Movable

	# The twins: another block, and --force.
	via "pfn:$(block_pfn "$hugetlb_not" 100)+9"
	note_mark "$(block_pfn "$hugetlb_not" 100)" 9
	expect_eq "exit status of a block without huge pages" 0 "$via_status"
	expect_eq "the pool" "$hugetlb_n" "$(pool)"
	hugetlb_lost=$(huge_in "$hugetlb_has")
	via --force "pfn:$hugetlb_s+9"
	note_mark "$hugetlb_s" 9
	expect_eq "exit status with --force" 0 "$via_status"
	expect_eq "the pool with --force" $((hugetlb_n - hugetlb_lost)) "$(pool)"
	as_before "after that" Movable
	unmark_all
	echo "$hugetlb_was" >/proc/sys/vm/nr_hugepages
	check_all "at last"
}

run_tests "takes Movable" "takes Normal" whole already "refused Movable" \
	"refused Normal" "stays unskippable" "stays after" "stays late" "stays kernel" \
	"comes_back 4" "comes_back 5" "comes_back 10" "signal TERM" "signal INT" \
	"signal HUP" "killed Movable" "killed Normal" hugetlb
