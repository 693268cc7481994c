# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the tests share: KTAP, the memory blocks under test, and the asserts.
#
# A test keeps its own record of what it marked, in $MARKS. What the kernel must
# show is computed from that record and from the blocks' state in sysfs, and is
# compared with /proc/kpageflags, /proc/kpagecount, the memmap, /proc/zoneinfo
# and /proc/meminfo, to the page. fake_offline is never asked what is true; what
# it says is compared too.
#
# Every assert counts itself, prints what it expected and got when that differs,
# and returns 1. A test without an assert fails.

# shellcheck disable=SC2030,SC2031  # each test counts for itself, in a subshell
set -u

FO=/sys/kernel/debug/fake_offline
SYSMEM=/sys/devices/system/memory
NOTIFIER_ERRORS=/sys/kernel/debug/notifier-error-inject/memory/actions

SELFTESTS=$(cd "$(dirname "$0")" && pwd)
PATH=$SELFTESTS:$PATH
export PATH

# The machine as it was before the first test, see record_base().
FO_BASE=${FO_BASE:-/tmp/fake_offline-selftests-base}
TMP=$(mktemp -d /tmp/fake_offline.XXXXXX) || exit 1
MARKS=$TMP/marks

# How the module makes offlining skip pages, frozen, notifier or native: the same
# tests run with all. The environment says it, or fake_offline.skip=… on the
# command line of the kernel; else it is what the module does by itself.
if [ -z "${FO_SKIP-}" ]; then
	FO_SKIP=$(sed -n 's/.*fake_offline\.skip=\([a-z]*\).*/\1/p' /proc/cmdline)
fi
if [ -z "$FO_SKIP" ]; then
	modprobe fake_offline
	FO_SKIP=$(cat /sys/module/fake_offline/parameters/skip)
fi
# As what the skippable bit is seen in /proc/kpageflags.
case $FO_SKIP in
native) SKIP_BIT=offline_skippable ;;
*) SKIP_BIT=owner_private ;;
esac

# drop_virtio_mem: its driver comes with a guest that has such a device, and would
# have the hook when the tests begin. Called before run_tests.
drop_virtio_mem() {
	! grep -q ^virtio_mem /proc/modules || rmmod virtio_mem
}

# load_module: fake_offline
load_module() {
	modprobe fake_offline skip="$FO_SKIP"
}

# refs_wanted SKIPPABLE OTHERS: how many marked pages are to have a reference
# count of 0, and of 1, while no block is going offline
refs_wanted() {
	case $FO_SKIP in
	notifier | native) echo "0 $(($1 + $2))" ;;
	*) echo "$(($1 + $2)) 0" ;;
	esac
}

# ---------------------------------------------------------------- KTAP

CHECKS=0	# asserts made by the current test
FAILED=0	# of these, failed

# note TEXT: a diagnostic line
note() {
	echo "# $*"
}

# bail TEXT: this script cannot go on, and that is a failure.
bail() {
	echo "Bail out! $*"
	exit 1
}

# skip REASON: ends the current test. "run" makes it a failure unless the file
# expected-skips has it.
skip() {
	echo "$*" >"$TMP/skip"
	exit 4
}

failed() {
	FAILED=$((FAILED + 1))
	note "FAILED: $*"
	return 1
}

# run_one TEST…: in a subshell of run_tests(). Every test begins in the same
# world, and that it does is itself asserted.
run_one() {
	CHECKS=0 FAILED=0
	: >"$MARKS"
	reset_world && check_accounts "before the test"
	if [ "$FAILED" = 0 ]; then
		CHECKS=0
		"$@"
		[ "$CHECKS" -gt 0 ] || failed "the test checked nothing"
		[ ! -d "$FO" ] || check_everywhere "at the end of the test"
	fi
	note "asserts: $CHECKS, failed: $FAILED"
	: >"$TMP/finished"
	[ "$FAILED" = 0 ]
}

# only_some TEST…: those of them that ONLY has, a line each; all without it
only_some() {
	for only_test; do
		case "|${ONLY:-$only_test}|" in
		*"|$only_test|"*) echo "$only_test" ;;
		esac
	done
}

# run_tests TEST…: a TEST is a function's name, with arguments if it has blanks.
# ONLY, of the environment, are names of those that are wanted, with | between.
# Ends the script.
run_tests() {
	run_wanted=$(only_some "$@")
	run_ifs=$IFS IFS='
'
	# shellcheck disable=SC2086  # a name a line
	set -- $run_wanted
	IFS=$run_ifs
	[ -z "${ONLY-}" ] || [ "$(echo "$ONLY" | tr '|' '\n' | wc -l)" = $# ] ||
		bail "not each of these is a test: $ONLY"
	unset ONLY # for the tests that run tests
	run_number=0 run_failed=0 run_skipped=0
	echo "TAP version 13"
	if [ ! -f "$FO_BASE" ]; then
		record_base || bail "the machine is not fit for these tests"
	fi
	# shellcheck source=/dev/null
	. "$FO_BASE"
	echo "1..$#"
	for run_test; do
		run_number=$((run_number + 1))
		run_start=$(date +%s)
		rm -f "$TMP/skip" "$TMP/finished"
		# shellcheck disable=SC2086  # a function and its arguments
		(run_one $run_test)
		run_status=$?
		# shellcheck disable=SC1090
		. "$FO_BASE"	# see new_base()
		note "$run_test: $(($(date +%s) - run_start)) s"
		if [ $run_status = 0 ] && [ -f "$TMP/finished" ]; then
			echo "ok $run_number $run_test"
		elif [ $run_status = 4 ] && [ -f "$TMP/skip" ]; then
			echo "ok $run_number $run_test # SKIP $(cat "$TMP/skip")"
			run_skipped=$((run_skipped + 1))
		else
			[ -f "$TMP/finished" ] ||
				note "the test ended before its end, with status $run_status"
			echo "not ok $run_number $run_test"
			run_failed=$((run_failed + 1))
		fi
	done
	# Leave the machine as it was for whoever comes next. A test may have
	# changed for good what there is, and said so.
	# shellcheck source=/dev/null
	. "$FO_BASE"
	: >"$MARKS"
	(FAILED=0; reset_world && check_accounts "after the tests") || {
		note "the machine is not what it was"
		run_failed=$((run_failed + 1))
	}
	modprobe -r fake_offline || run_failed=$((run_failed + 1))
	echo "# Totals: pass:$(($# - run_failed - run_skipped)) fail:$run_failed xfail:0 xpass:0 skip:$run_skipped error:0"
	rm -rf "$TMP"
	[ "$run_failed" = 0 ] || exit 1
	[ "$run_skipped" -lt $# ] || exit 4
	exit 0
}

# ---------------------------------------------------------------- asserts

# expect_eq WHAT WANT GOT
expect_eq() {
	CHECKS=$((CHECKS + 1))
	[ "$2" != "$3" ] || return 0
	failed "$1"
	case $2$3 in
	*"
"*) # of many lines, those that differ
		echo "$2" >"$TMP/expected"
		echo "$3" >"$TMP/got"
		diff -U 0 "$TMP/expected" "$TMP/got" | sed '1,2d; /^@@/d
			s/^-/#   expected: /; s/^+/#   got:      /' ;;
	*)
		echo "#   expected: $2"
		echo "#   got:      $3" ;;
	esac
	return 1
}

# expect_at_most WHAT LIMIT GOT, expect_at_least WHAT LIMIT GOT
expect_at_most() {
	CHECKS=$((CHECKS + 1))
	[ "$3" -le "$2" ] 2>/dev/null || failed "$1: at most $2 expected, got $3"
}

expect_at_least() {
	CHECKS=$((CHECKS + 1))
	[ "$3" -ge "$2" ] 2>/dev/null || failed "$1: at least $2 expected, got $3"
}

# expect_status WHAT STATUS COMMAND…
expect_status() {
	expect_what=$1 expect_want=$2
	shift 2
	"$@"
	expect_eq "$expect_what: exit status" "$expect_want" $?
}

# expect_failing WHAT ASSERT…: the negative twin. ASSERT must find something
# wrong: at least one of the asserts in it must fail, and it must have made one.
expect_failing() {
	expect_what=$1
	shift
	(
		CHECKS=0 FAILED=0
		"$@"
		[ "$CHECKS" -gt 0 ] || exit 9
		[ "$FAILED" -gt 0 ] || exit 8
	) >"$TMP/twin" 2>&1
	expect_got=$?
	sed 's/^# FAILED:/# (wanted)/; s/^#\{0,1\} */#     /' "$TMP/twin"
	case $expect_got in
	0) expect_got="it fails" ;;
	8) expect_got="it passes" ;;
	9) expect_got="it checked nothing" ;;
	*) expect_got="it ended with status $expect_got" ;;
	esac
	expect_eq "$expect_what" "it fails" "$expect_got"
}

# ---------------------------------------------------------------- the machine

mem_total() {
	read -r _ mt_kb _ </proc/meminfo
	echo "$mt_kb"
}

# zones: "NODE ZONE PRESENT MANAGED" of every zone, also of the empty ones
zones() {
	awk '
	/^Node/ { node = $2; sub(",", "", node); zone = $4; present = "" }
	$1 == "present" { present = $2 }
	$1 == "managed" { print node, zone, present, $2 }' /proc/zoneinfo
}

# block_look BLOCK: sets BLOCK_STATE, and BLOCK_ZONE: the zone of an online block;
# of one that is offline, the zone that "online" will give it
block_look() {
	BLOCK_STATE=absent BLOCK_ZONE=none
	[ -d "$SYSMEM/memory$1" ] || return
	read -r BLOCK_STATE <"$SYSMEM/memory$1/state"
	read -r BLOCK_ZONE _ <"$SYSMEM/memory$1/valid_zones"
}

block_state() {
	block_look "$1"
	echo "$BLOCK_STATE"
}

block_zone() {
	block_look "$1"
	echo "$BLOCK_ZONE"
}

block_start() {
	echo $(($1 * BLOCK_PAGES))
}

block_range() {
	echo "$(block_start "$1")+$BLOCK_PAGES"
}

# block_pfn BLOCK OFFSET
block_pfn() {
	echo $(($1 * BLOCK_PAGES + $2))
}

# block_numbers: of all memory blocks there are
block_numbers() {
	for bn in "$SYSMEM"/memory*; do
		echo "${bn##*/memory}"
	done | sort -n
}

# boot_blocks: the memory blocks of boot memory that have no holes, without the
# first: those within the one large range of RAM below 4 GiB
boot_blocks() {
	boot_end=$(sed -n 's/^00100000-\([0-9a-f]*\) : System RAM$/\1/p' /proc/iomem)
	boot_end=$(((0x${boot_end:-0} + 1) / 4096 / BLOCK_PAGES))
	boot_next=1
	while [ "$boot_next" -lt "$boot_end" ]; do
		echo "$boot_next"
		boot_next=$((boot_next + 1))
	done
}

# Scripts that want all four blocks under test, and no sink, say so before
# run_tests: see four_movable() in lib-events.sh.
WITH_SINK=yes

# Notes what the machine has before anything was done to it, in $FO_BASE. The
# hot-added blocks are those that are in ZONE_MOVABLE or offline: the first three
# are under test, the last one becomes the sink.
#
# The sink is a block in ZONE_NORMAL that is never taken offline. Without it, a
# block under test could not leave that zone again: the kernel prefers it for
# its own data, and takes the largest free chunk there, so with a whole page
# block free in the sink and none in the block under test (see mark_shape()) it
# always goes for the sink.
record_base() {
	modprobe -r fake_offline 2>/dev/null
	BLOCK_PAGES=$((0x$(cat "$SYSMEM/block_size_bytes") / 4096))
	base_blocks=''
	for base_block in $(block_numbers); do
		if [ "$(block_state "$base_block")" = offline ]; then
			echo online_movable >"$SYSMEM/memory$base_block/state" || return
		fi
		[ "$(block_zone "$base_block")" = Movable ] || continue
		base_blocks="$base_blocks $base_block"
	done
	# shellcheck disable=SC2086  # a list of numbers
	set -- $base_blocks
	if [ $# != 4 ] || [ $(($4 - $1)) != 3 ]; then
		note "four neighbouring hot-added memory blocks are needed, found:$base_blocks"
		return 1
	fi
	if ! echo offline >"$SYSMEM/memory$4/state"; then
		note "memory$4 does not go offline"
		return 1
	fi
	# What /proc/kpageflags has for an offline page: KPF_NOPAGE; but 7.x has
	# 0, no flag at all.
	base_got=$(oracle count "$(block_range "$4")")
	case $BLOCK_PAGES in
	"$(count_of nopage "$base_got")") base_looks=nopage ;;
	"$(count_of plain "$base_got")") base_looks=plain ;;
	*)
		note "pages of memory$4, which is offline: $base_got"
		return 1 ;;
	esac
	case $WITH_SINK in
	yes)
		base_type=online_kernel base_role=SINK
		base_tested="$1 $2 $3" ;;
	*)
		base_type=online_movable base_role=B4
		base_tested="$1 $2 $3 $4" ;;
	esac
	if ! echo "$base_type" >"$SYSMEM/memory$4/state"; then
		note "memory$4 does not come $base_type"
		return 1
	fi
	{
		echo "BLOCK_PAGES=$BLOCK_PAGES"
		echo "BLOCKS='$base_tested' B1=$1 B2=$2 B3=$3 $base_role=$4"
		echo "BASE_TOTAL=$(mem_total)"
		echo "BASE_ZONES='$(zones)'"
		echo "OFFLINE_LOOKS=$base_looks"
		echo "export PAGEREFS_MEMMAP=$(pagerefs --memmap)"
	} >"$FO_BASE"
	note "blocks under test: $base_tested, $BLOCK_PAGES pages each; MemTotal $(mem_total) kB"
	note "$(uname -r), skip=$FO_SKIP"
}

# new_base: what a test has made of BASE_TOTAL and BASE_ZONES is how the machine
# is from here on
new_base() {
	cat >>"$FO_BASE" <<-END
		BASE_TOTAL='$BASE_TOTAL'
		BASE_ZONES='$BASE_ZONES'
	END
}

# reset_world: no failures armed, no marks, all blocks online in ZONE_MOVABLE,
# fake_offline freshly loaded. It does not look at the accounts.
reset_world() {
	unload_notifier_errors
	if [ -d "$FO" ]; then
		tryio write "$FO"/inject clear >/dev/null
	fi
	# Marks keep kernel memory out of a block in ZONE_NORMAL, see
	# mark_shape(): so the blocks go home before the marks go.
	for reset_block in $BLOCKS; do
		block_look "$reset_block"
		[ "$BLOCK_STATE $BLOCK_ZONE" != "online Normal" ] ||
			echo offline >"$SYSMEM/memory$reset_block/state"
		block_look "$reset_block"
		[ "$BLOCK_STATE" != offline ] ||
			echo online_movable >"$SYSMEM/memory$reset_block/state"
		block_look "$reset_block"
		expect_eq "reset: memory$reset_block" "online Movable" \
			"$BLOCK_STATE $BLOCK_ZONE"
	done
	modprobe -r fake_offline 2>/dev/null
	expect_status "reset: modprobe fake_offline" 0 load_module
	[ "$FAILED" = 0 ]
}

# load_notifier_errors PRIORITY: the kernel's own error injection; a notifier
# of higher priority is called earlier, ours has 0.
load_notifier_errors() {
	expect_status "modprobe memory-notifier-error-inject priority=$1" 0 \
		modprobe memory-notifier-error-inject priority="$1"
}

unload_notifier_errors() {
	[ ! -d "$NOTIFIER_ERRORS" ] || modprobe -r memory-notifier-error-inject
	! grep -q ^notifier_error_inject /proc/modules ||
		modprobe -r notifier-error-inject
}

# notifier_error ACTION ERRNO: from now on, until it is 0
notifier_error() {
	expect_eq "arm $1 $2" ok \
		"$(tryio write "$NOTIFIER_ERRORS/$1/error" "$2")"
}

# ---------------------------------------------------------------- operations

# result COMMAND…: sets RESULT to the line that it prints, without a subshell
result() {
	"$@" >"$TMP/result"
	RESULT=''
	read -r RESULT <"$TMP/result"
	return 0
}

# mark_raw TEXT: the result of a write to "mark"
mark_raw() {
	tryio write "$FO"/mark "$1"
}

# mark_file FILE: the same for many lines in one write
mark_file() {
	tryio write "$FO"/mark <"$1"
}

# mark_patiently RANGE COMMAND…: sets RESULT to what the mark of these pages came
# to. Pages in use are to move, and all but always do; but somebody may hold one
# for a moment, and EBUSY is then the right answer, and to try again the right
# thing to do. It is said, and it has an end.
mark_patiently() {
	mark_range=$1 mark_left=10
	shift
	while :; do
		result "$@"
		[ "$RESULT $((mark_left > 0))" = "EBUSY 1" ] || break
		mark_left=$((mark_left - 1))
		note "busy, and tried again: $(dmesg | grep 'fake_offline: mark refused' | tail -n 1)"
		usleep 500000
	done
	[ "$RESULT" = ok ] || note_refused "$mark_range"
}

# mark START NR [OPTION…]: must work; it is noted in $MARKS
mark() {
	mark_patiently "$1+$2" mark_raw "$*"
	expect_eq "mark $*" ok "$RESULT"
	note_mark "$@"
}

# note_refused RANGE: what is there that was not to be had
note_refused() {
	note "there: $(oracle count "$1" | tr '\n' ' ')"
	note "references: $(refs "$1" | tr '\n' ' ')"
	dmesg | tail -n 20 | sed 's/^/#   /'
}

# note_mark START NR [OPTION…]: in $MARKS, "START NR SKIPPABLE CANARY"
note_mark() {
	mark_s=1 mark_c=0
	case " $* " in *" unskippable "*) mark_s=0 ;; esac
	case " $* " in *" canary "*) mark_c=1 ;; esac
	echo "$1 $2 $mark_s $mark_c" >>"$MARKS"
}

# mark_batch FILE: many lines in one write, all or none
mark_batch() {
	mark_patiently "@$1" mark_file "$1"
	expect_eq "mark, $(wc -l <"$1") lines in one write" ok "$RESULT"
	note_batch "$1"
}

# note_batch FILE: note_mark for each line
note_batch() {
	while read -r batch_line; do
		# shellcheck disable=SC2086  # a line of words
		note_mark $batch_line
	done <"$1"
}

# unmark START NR: must work; $MARKS loses these pages
unmark() {
	result tryio write "$FO"/unmark "$1 $2"
	expect_eq "unmark $1 $2" ok "$RESULT"
	forget "$1" "$2"
}

# forget START NR: $MARKS loses these pages
forget() {
	awk -v from="$1" -v nr="$2" '
	function out(s, e) { if (e > s) print s, e - s, $3, $4 }
	{
		s = $1; e = $1 + $2
		if (e <= from || s >= from + nr) { print; next }
		out(s, from)
		out(from + nr, e)
	}' "$MARKS" >"$MARKS.new"
	mv "$MARKS.new" "$MARKS"
}

unmark_all() {
	result tryio write "$FO"/unmark all
	expect_eq "unmark all" ok "$RESULT"
	: >"$MARKS"
}

# block_try BLOCK STATE [VIA]: asks for a state and prints "ok" or the errno.
# VIA is sysfs (the kernel's own file) or debugfs (ours).
block_try() {
	case ${3:-sysfs} in
	sysfs) tryio write "$SYSMEM/memory$1/state" "$2" ;;
	debugfs)
		case $2 in
		offline) tryio write "$FO"/block_offline "$1" ;;
		*) tryio write "$FO"/block_online "$1 $2" ;;
		esac ;;
	esac
}

# go BLOCK STATE [VIA]: must work
go() {
	result block_try "$@"
	expect_eq "memory$1 $2 by ${3:-sysfs}" ok "$RESULT" ||
		dmesg | tail -n 20 | sed 's/^/#   /'
	block_look "$1"
	case $2 in
	offline) expect_eq "state of memory$1" offline "$BLOCK_STATE" ;;
	*) expect_eq "state of memory$1" online "$BLOCK_STATE" ;;
	esac
}

# refuse BLOCK STATE ERRNO [VIA]: must fail like that, and leave the state
refuse() {
	block_look "$1"
	refuse_before=$BLOCK_STATE
	result block_try "$1" "$2" "${4:-sysfs}"
	expect_eq "memory$1 $2 by ${4:-sysfs} is refused" "$3" "$RESULT"
	block_look "$1"
	expect_eq "state of memory$1 after that" "$refuse_before" "$BLOCK_STATE"
}

# refuse_once BLOCK HOW [VIA]: an attempt to take it offline that is made to fail
refuse_once() {
	case $2 in
	kernel-before | kernel-after)
		case $2 in
		kernel-before) load_notifier_errors 1 ;;
		*) load_notifier_errors -1 ;;
		esac
		notifier_error MEM_GOING_OFFLINE -12
		refuse "$1" offline ENOMEM
		unload_notifier_errors ;;
	before | after)
		expect_eq "arm $2" ok "$(tryio write "$FO"/inject "offline $2 -12 1")"
		refuse "$1" offline ENOMEM "${3:-debugfs}" ;;
	late)
		expect_eq "arm late" ok "$(tryio write "$FO"/inject "offline late -16 1")"
		refuse "$1" offline EBUSY "${3:-debugfs}" ;;
	signal)
		expect_eq "arm signal" ok "$(tryio write "$FO"/inject "offline late -4 1")"
		refuse "$1" offline EINTR ;;
	*) failed "unknown way to fail: $2" ;;
	esac
}

# wait_for WHAT COMMAND…: a generous limit, for a machine that does not do it
wait_for() {
	wait_what=$1 wait_left=3000
	shift
	until "$@"; do
		wait_left=$((wait_left - 1))
		[ "$wait_left" -gt 0 ] || { failed "waited in vain for $wait_what"; return; }
		usleep 100000
	done
}

# stat NAME: a value of "$FO"/stats; verify_value NAME: of "$FO"/verify
stat_value() {
	awk -v name="$1" '$1 == name { print $2 }' "$FO"/stats
}

verify_value() {
	awk -v name="$1" '$1 == name { print $2 }' "$FO"/verify
}

# stats_mark; …; expect_stats "NAME DELTA"…: how far counters went
stats_mark() {
	cat "$FO"/stats >"$TMP/stats"
}

expect_stats() {
	awk 'FNR == NR { was[$1] = $2; next }
		$1 in was { print $1, $2 - was[$1] }' "$TMP/stats" "$FO"/stats >"$TMP/went-up"
	for stats_pair; do
		stats_got=missing
		while read -r stats_name stats_delta; do
			[ "$stats_name" != "${stats_pair% *}" ] || stats_got=$stats_delta
		done <"$TMP/went-up"
		expect_eq "stats: ${stats_pair% *} went up by" "${stats_pair#* }" "$stats_got"
	done
}

# ---------------------------------------------------------------- the oracles

# Where an oracle itself fails, its output must not look like an empty result.
oracle() {
	pageoracle "$@" || echo "pageoracle failed"
}

refs() {
	pagerefs "$@" || echo "pagerefs failed"
}

# count_of NAME TEXT: the number after NAME
count_of() {
	co_name=$1
	# shellcheck disable=SC2086  # pairs of words
	set -- $2
	while [ $# -gt 1 ]; do
		if [ "$1" = "$co_name" ]; then
			echo "$2"
			return
		fi
		shift 2
	done
}

# counted ORACLE…: sets C_NAME for every "NAME NUMBER" that it prints. Where it does
# not print one of these names, that is "none": no older number is taken for it. It does
# without a subshell: these checks are most of what a test does, and a fork is
# the dearest thing there is in an emulated guest.
COUNTED='offline buddy skippable mapped lru reserved nopage plain ref0 ref1 refmore'
C_offline=none C_buddy=none C_skippable=none C_mapped=none C_lru=none
C_reserved=none C_nopage=none C_plain=none C_ref0=none C_ref1=none C_refmore=none
counted() {
	for counted_name in $COUNTED; do
		eval "C_$counted_name=none"
	done
	"$@" >"$TMP/counted"
	while read -r counted_name counted_number; do
		[ "$counted_name" != "$SKIP_BIT" ] || counted_name=skippable
		eval "C_$counted_name=${counted_number:-none}"
	done <"$TMP/counted"
}

# block_states: sets ONLINE and OFFLINE, of the blocks under test
block_states() {
	ONLINE='' OFFLINE=''
	for bs_block in $BLOCKS; do
		block_look "$bs_block"
		case $BLOCK_STATE in
		online) ONLINE="$ONLINE $bs_block" ;;
		offline) OFFLINE="$OFFLINE $bs_block" ;;
		esac
	done
}

# marks_by_block [online]: $MARKS, cut at block boundaries:
# "START NR SKIPPABLE CANARY BLOCK", sorted; all, or those in online blocks
marks_by_block() {
	sort -n "$MARKS" | awk -v bp="$BLOCK_PAGES" -v only="${1-}" -v sys="$SYSMEM" '
	function wanted(b,    file) {
		if (only == "") return 1
		if (!(b in state)) {
			file = sys "/memory" b "/state"
			getline state[b] <file
			close(file)
		}
		return state[b] == only
	}
	{
		s = $1; e = $1 + $2
		while (s < e) {
			b = int(s / bp)
			t = (b + 1) * bp
			if (t > e) t = e
			if (wanted(b)) print s, t - s, $3, $4, b
			s = t
		}
	}'
}

marks_online() {
	marks_by_block online
}

# marks_pages: the number of pages of such a list
marks_pages() {
	awk '{ n += $2 } END { print n + 0 }'
}

# merged [BLOCKS]: the runs of pages that a list covers, within blocks; all, or
# those in one of these blocks
merged() {
	awk -v blocks="${1:+ $1 }" '
	blocks != "" && !index(blocks, " " $5 " ") { next }
	n && $1 == s + n && $5 == b { n += $2; next }
	n { print s, n }
	{ s = $1; n = $2; b = $5 }
	END { if (n) print s, n }'
}

# check_accounts WHEN: MemTotal, and each zone's present and managed pages, are
# exact: what they were at first, less what is offline, less what is marked.
check_accounts() {
	marks_online >"$TMP/marks-online"
	for acc_block in $BLOCKS; do
		block_look "$acc_block"
		case $BLOCK_STATE in
		online) echo "block $acc_block $BLOCK_ZONE" ;;
		*) echo "offline $acc_block" ;;
		esac
	done >"$TMP/blocks"
	read -r _ acc_total _ </proc/meminfo
	# At first all blocks under test are in ZONE_MOVABLE. A marked page
	# anywhere else is in a zone that the kernel's own PFN ranges tell.
	acc_want=$(awk -v bp="$BLOCK_PAGES" -v total="$BASE_TOTAL" \
		-v blocks="$BLOCKS" '
	BEGIN { nr_blocks = split(blocks, unused) }
	FILENAME == "-" {
		key = $1 " " $2
		order[n++] = key
		present[key] = $3
		managed[key] = $4
		if ($2 == "Movable") {
			present[key] -= nr_blocks * bp
			managed[key] -= nr_blocks * bp
		}
		next
	}
	$1 == "block" {
		zone[$2] = "0 " $3
		present["0 " $3] += bp
		managed["0 " $3] += bp
		next
	}
	$1 == "offline" { total -= 4 * bp; next }
	{
		total -= 4 * $2
		if (!($5 in zone)) {
			# boot memory: DMA up to 16 MiB, DMA32 up to 4 GiB
			z = $1 < 4096 ? "DMA" : $1 < 1048576 ? "DMA32" : "Normal"
			managed["0 " z] -= $2
		} else
			managed[zone[$5]] -= $2
	}
	END {
		print total
		for (i = 0; i < n; i++)
			print order[i], present[order[i]], managed[order[i]]
	}' - "$TMP/blocks" "$TMP/marks-online" <<-END
		$BASE_ZONES
	END
	)
	expect_eq "MemTotal in kB $1" "${acc_want%%
*}" "$acc_total"
	expect_eq "zones (node, zone, present, managed) $1" "${acc_want#*
}" "$(zones)"
}

# check_pages WHEN: of each block with marks, exactly the marked pages are
# PageOffline, with the right skippable bit and reference count, unmapped, not in
# the buddy allocator; and nothing is left of an offline block. Blocks without
# marks are looked at by check_everywhere(), which takes longer. Marks elsewhere,
# in boot memory, are looked at too.
check_pages() {
	cp_when=$1
	marks_online >"$TMP/marks-online"
	read -r cp_pages cp_skippable cp_marked <<-SUMS
		$(awk '
		{ n += $2; s += $2 * $3 }
		!($5 in seen) { seen[$5] = 1; list = list " " $5 }
		END { print n + 0, s + 0, list }' "$TMP/marks-online")
	SUMS
	block_states
	set --
	for cp_b in $ONLINE; do
		case ${cp_all:+all}" $cp_marked " in
		all* | *" $cp_b "*) set -- "$@" "$((cp_b * BLOCK_PAGES))+$BLOCK_PAGES" ;;
		esac
	done
	if [ $# -gt 0 ]; then
		expect_eq "PageOffline pages (first, number) $cp_when" \
			"$(merged "$BLOCKS" <"$TMP/marks-online")" \
			"$(oracle runs offline "$@")"
	fi
	if [ "$cp_pages" -gt 0 ]; then
		counted oracle count "@$TMP/marks-online"
		expect_eq "marked pages that are PageOffline $cp_when" \
			"$cp_pages" "$C_offline"
		expect_eq "marked pages in the buddy allocator $cp_when" 0 "$C_buddy"
		expect_eq "marked pages with the skippable bit $cp_when" \
			"$cp_skippable" "$C_skippable"
		expect_eq "marked pages mapped, on the LRU, reserved $cp_when" \
			"0 0 0" "$C_mapped $C_lru $C_reserved"
		counted refs "@$TMP/marks-online"
		expect_eq "marked pages with reference count 0, 1, more $cp_when" \
			"$(refs_wanted "$cp_skippable" $((cp_pages - cp_skippable))) 0" \
			"$C_ref0 $C_ref1 $C_refmore"
	fi
	for cp_b in $OFFLINE; do
		counted oracle count "$((cp_b * BLOCK_PAGES))+$BLOCK_PAGES"
		case $OFFLINE_LOOKS in
		nopage) cp_looks=$C_nopage ;;
		*) cp_looks=$C_plain ;;
		esac
		expect_eq "pages of memory$cp_b that look offline $cp_when" \
			"$BLOCK_PAGES" "$cp_looks"
	done
}

check_everywhere() {
	cp_all=yes
	check_pages "$1"
	cp_all=''
}

# check_isolated WHEN: no page block is left isolated. /proc/pagetypeinfo has its
# tables for each node, and other ones of them have lines of the same form.
check_isolated() {
	expect_eq "isolated page blocks $1" 0 "$(awk '
	/^Number of blocks type/ {
		for (i = 5; i <= NF; i++) if ($i == "Isolate") col = i
		if (!col) print "no column Isolate"
		next
	}
	!/^Node/ { col = 0 }
	col { sum += $col }
	END { print sum + 0 }' /proc/pagetypeinfo)"
}

# check_listed WHEN: the module lists what was marked. Only the extents are
# compared, not how many ranges they are; see expect_ranges() for that.
check_listed() {
	expect_eq "pages listed by the module $1" \
		"$(marks_by_block | extents)" "$(extents <"$FO"/ranges)"
}

# extents: joins neighbours of the same kind
extents() {
	awk '
	/^#/ { next }
	n && $1 == s + n && $3 $4 == k { n += $2; next }
	n { print s, n, k }
	{ s = $1; n = $2; k = $3 $4 }
	END { if (n) print s, n, k }'
}

# expect_ranges WHEN "START NR SKIPPABLE CANARY"…: the exact list
expect_ranges() {
	er_when=$1
	shift
	expect_eq "ranges $er_when" "$([ $# = 0 ] || printf '%s\n' "$@")" \
		"$(awk '/^#/ { next } { print $1, $2, $3, $4 }' "$FO"/ranges)"
}

# Marked pages that are hardware-poisoned. Scripts with such pages set it.
POISONED=0

# canaries_unread: sets UNREAD, how many of $TMP/marks-online hold a canary that
# the module must not look at. Scripts with poisoned pages have another.
canaries_unread() {
	UNREAD=0
}

# check_verify WHEN: what the module finds when it looks
check_verify() {
	marks_online >"$TMP/marks-online"
	read -r cv_all cv_on cv_skip cv_canary <<-SUMS
		$(awk -v all="$MARKS" '
		FILENAME == all { total += $2; next }
		{ n += $2; s += $2 * $3; c += $2 * $4 }
		END { print total + 0, n + 0, s + 0, c + 0 }' \
			"$MARKS" "$TMP/marks-online")
	SUMS
	canaries_unread
	expect_eq "verify $1" "pages $cv_all
pages_block_offline $((cv_all - cv_on))
page_offline $cv_on
skippable $cv_skip
skippable_expected $cv_skip
buddy 0
wrong_count 0
canary $((cv_canary - UNREAD))
canary_broken 0
poisoned $POISONED
canary_unchecked 0
first_bad_pfn -1" "$(sed '/^ranges /d; /^last_failure/d' "$FO"/verify)"
}

# check_all WHEN
check_all() {
	check_accounts "$1"
	check_pages "$1"
	check_isolated "$1"
	check_listed "$1"
	check_verify "$1"
}

# unchanged WHAT ERRNO COMMAND…: a write fails like that, and changes nothing
unchanged() {
	unchanged_what=$1 unchanged_errno=$2
	shift 2
	awk '{ $8 = ""; print }' "$FO"/ranges >"$TMP/ranges-before"
	expect_eq "$unchanged_what" "$unchanged_errno" "$("$@")"
	expect_eq "ranges after: $unchanged_what" "$(cat "$TMP/ranges-before")" \
		"$(awk '{ $8 = ""; print }' "$FO"/ranges)"
	check_accounts "after: $unchanged_what"
	check_pages "after: $unchanged_what"
}

# Reserves that the kernel keeps from a user's allocations, and which the hog
# could not look behind. Boot memory keeps some, for the kernel itself.
hog_sysctls() {
	case $1 in
	lower)
		# min_free_kbytes last: it makes the kernel compute them all anew
		for hs in lowmem_reserve_ratio watermark_boost_factor \
			watermark_scale_factor min_free_kbytes; do
			cat /proc/sys/vm/$hs >"$TMP/$hs"
		done
		# short lists of the CPUs
		echo 1000000 >/proc/sys/vm/percpu_pagelist_high_fraction
		# Of boot memory, as much is kept for the kernel itself as there
		# is memory in higher zones: what is under test is not there.
		echo "1 1 0 0" >/proc/sys/vm/lowmem_reserve_ratio
		echo 0 >/proc/sys/vm/watermark_boost_factor
		echo 1 >/proc/sys/vm/watermark_scale_factor
		echo 0 >/proc/sys/vm/min_free_kbytes ;;
	restore)
		for hs in lowmem_reserve_ratio watermark_boost_factor \
			watermark_scale_factor min_free_kbytes; do
			cat "$TMP/$hs" >/proc/sys/vm/$hs
		done
		echo 0 >/proc/sys/vm/percpu_pagelist_high_fraction ;;
	esac
}

# Free pages of the block that the hog may leave: the zone's smallest reserve
# (6.12 keeps 128 pages of ZONE_MOVABLE, whatever min_free_kbytes is), and what
# is on the lists of the CPUs.
HOG_LEAVES=1024

# hog_patiently ARGUMENT…: sets hog_got to what the hog found. It goes to the
# watermark, and where a CPU's list takes it across, the kernel kills it; another
# one is sent then.
hog_patiently() {
	hog_left=5
	until hog "$@" >"$TMP/hog"; do
		hog_left=$((hog_left - 1))
		if [ "$hog_left" = 0 ]; then
			echo "hog failed" >"$TMP/hog"
			break
		fi
		note "another hog is sent"
	done
	hog_got=$(cat "$TMP/hog")
}

# check_hog WHEN BLOCK: somebody takes all free memory, and gets every page of
# the block that is free, and no page that is marked; what he wrote stays.
check_hog() {
	marks_online >"$TMP/marks-online"
	expect_at_least "hog: pages it may not get, $1" 1 \
		"$(marks_pages <"$TMP/marks-online")" || return
	hog_sysctls lower
	hog_patiently -b "$(block_range "$2")" "@$TMP/marks-online"
	hog_sysctls restore
	hog_marked=$(awk -v b="$2" '$5 == b' "$TMP/marks-online" | marks_pages)
	expect_eq "hog: marked pages it got, $1" "0 -1" \
		"$(count_of hits "$hog_got") $(count_of first_hit "$hog_got")"
	expect_eq "hog: pages of its own that are broken, $1" 0 \
		"$(count_of broken "$hog_got")"
	expect_eq "hog: PageOffline pages of memory$2 meanwhile, $1" \
		"$hog_marked" "$(count_of block_offline "$hog_got")"
	expect_at_least "hog: its pages and others' in memory$2, $1" \
		$((BLOCK_PAGES - hog_marked - HOG_LEAVES)) \
		"$(echo "$hog_got" | awk '$1 == "block_hog" || $1 == "block_other" { n += $2 } END { print n + 0 }')"
	expect_at_most "hog: pages it could still have had, $1" $HOG_LEAVES \
		"$(count_of left "$hog_got")"
	note "hog: $(echo "$hog_got" | tr '\n' ' ')"
	check_accounts "after the hog, $1"
	check_verify "after the hog, $1"
}

# companion_start WHAT LINE COMMAND…: a process that answers; its first line must
# be LINE. companion_ask COMMAND: its answer. companion_stop: it goes.
companion_start() {
	companion_what=$1 companion_want=$2
	shift 2
	rm -f "$TMP/companion-in" "$TMP/companion-out"
	mkfifo "$TMP/companion-in" "$TMP/companion-out" || failed "mkfifo"
	"$@" <"$TMP/companion-in" >"$TMP/companion-out" 2>"$TMP/companion-err" &
	companion_pid=$!
	exec 8>"$TMP/companion-in" 9<"$TMP/companion-out"
	companion_line=''
	read -r companion_line <&9
	expect_eq "$companion_what" "$companion_want" \
		"$companion_line$(cat "$TMP/companion-err")"
}

companion_ask() {
	companion_line=''
	echo "$1" >&8
	read -r companion_line <&9
	echo "$companion_line"
}

companion_stop() {
	exec 8>&- 9<&-
	wait "$companion_pid"
	expect_eq "that process ends" 0 $? || sed 's/^/#   /' "$TMP/companion-err"
	rm -f "$TMP/companion-in" "$TMP/companion-out"
}

# tenant_start COUNT BLOCK [-s]: a process with COUNT pages in the block.
tenant_start() {
	companion_start "a process has pages in memory$2" "pages $1" \
		tenant ${3:+"$3"} "$1" "$(block_range "$2")"
}

tenant_ask() {
	companion_ask "$1"
}

tenant_stop() {
	companion_stop
}

# mark_shape BLOCK: what most tests mark in a block: 16 MiB, three odd pages
# (the last page of the block among them), an odd range, and a page in each of
# the other page blocks, so that no page block is free as a whole: the kernel
# then keeps its own data out of it in ZONE_NORMAL, see record_base().
mark_shape() {
	shape=$(block_start "$1")
	mark $((shape + 8192)) 4096 canary
	awk -v s="$shape" -v n="$BLOCK_PAGES" 'BEGIN {
		print s + 1, 1, "canary"
		print s + 4099, 1, "canary"
		print s + n - 1, 1, "canary"
	}' >"$TMP/batch"
	mark_batch "$TMP/batch"
	mark $((shape + 20001)) 777
	sparse_lines "$1" 300 >"$TMP/batch"
	mark_batch "$TMP/batch"
}

# sparse_lines BLOCK FIRST: the marks of a page in each page block, the first one
# FIRST pages from its start, but for where mark_shape() has larger ones
sparse_lines() {
	awk -v s="$(block_start "$1")" -v first="$2" -v n="$BLOCK_PAGES" 'BEGIN {
		for (i = first; i < n; i += 512) {
			if (i >= 8192 && i < 12288) continue
			if (i >= 20001 && i < 20778) continue
			print s + i, 1, "canary"
		}
	}'
}

# to_zone BLOCK Movable|Normal: offline and online again, if it must be
to_zone() {
	block_look "$1"
	if [ "$BLOCK_ZONE" != "$2" ]; then
		go "$1" offline
		case $2 in
		Normal) go "$1" online_kernel ;;
		*) go "$1" online_movable ;;
		esac
	fi
	block_look "$1"
	expect_eq "zone of memory$1" "$2" "$BLOCK_ZONE"
}
