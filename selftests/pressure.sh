#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Marks take all that the floors allow, again and again. Meanwhile a process needs kernel
# memory all the time (bustle: files of a tmpfs, sockets, forks). Memory never runs out,
# that process never fails, and everything that the floors allow can be marked.
#
# A round marks all that it can get in all zones, checks, and gives it back. The rounds
# ask in three ways in turn:
#   explicit  for named ranges, the longest first, in halves of halves
#   any       for any N pages of a zone, with N halved until the zone is at its floor
#   list      for random pages, in runs of one to four, that cover 60 % of all pages
# In turn, the module keeps a reserve for the machine as a whole (reserve_mib=64, the
# default) or none (0), so that only the floors of the zones count. The zones take turns
# to be the first.
#
# The test computes what the floors allow before the marks, while that process holds
# nothing, from /proc/zoneinfo, /proc/meminfo and /proc/kpageflags. It is the smaller of
# - the sum over all zones of
#       free pages + pages of files - floor, where that is more than 0.
#   Free pages on the lists of the CPUs count: a mark gets them from there.
#   The floor is the larger of two numbers. One is the zone's high watermark plus its
#   largest lowmem reserve. The other one is a sixteenth of its present pages, at most
#   512 MiB. ZONE_MOVABLE has no floor.
# - MemAvailable - reserve_mib, with the pages on the lists of the CPUs as well.
# Pages in use can be marked, too. They need a free page elsewhere, so they add nothing to
# the sum. 7.3 computes the lowmem reserves anew when a page is marked. The floors sink
# with the marks there, and more than the sum can be marked.
# For a list, a zone allows at most the pages of the list that are free or movable there,
# by /proc/kpageflags. A page without a flag is the kernel's, or free on the list of a CPU.
# As many of these count as there are pages on these lists. All other pages of the list
# are the kernel's. They are counted separately. Some of the reserved ones are asked for,
# and must be refused.
#
# Each round must mark 90 % of what the floors allow. After all rounds, the kernel's own
# memory has not grown.
#
# SOAK_ROUNDS is the number of rounds (6, one of each kind). SOAK_SEED is the seed of the
# lists (1). SOAK_SHARE is the share of a CPU for the process, in per cent (50).
# `make soak-marks` makes 500 rounds.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-floors.sh
. "$(dirname "$0")/lib-floors.sh"
# shellcheck source=lib-soak.sh
. "$(dirname "$0")/lib-soak.sh"

SEED=${SOAK_SEED:-1}
LEAST=900	# the share of what the floors allow, in per mille
COVERED=60	# the share of all pages that a list covers, in per cent

# zone_args NUMBER: sets ZONES to the names of all zones with pages, and ZONE_ARGS to the
# arguments for grab; the zone of that number is the first one
zone_args() {
	ZONES='' ZONE_ARGS=''
	zone_spans | awk -v n="$1" '
	{ zone[k++] = $0 }
	END { for (i = 0; i < k; i++) print zone[(i + n) % k] }' >"$TMP/zones"
	while read -r za; do
		ZONES="$ZONES ${za%%:*}"
		ZONE_ARGS="$ZONE_ARGS $za"
	done <"$TMP/zones"
}

# available: MemAvailable in pages, and the free pages on the lists of the CPUs
available() {
	awk '$1 == "MemAvailable:" { n += int($2 / 4) }
	$1 == "count:" { n += $2 }
	END { print n }' /proc/meminfo /proc/zoneinfo
}

# zone_room ZONE: as zone_look, but pages on the lists of the CPUs are room, too
zone_room() {
	zone_look "$1"
	ZONE_ROOM=$((ZONE_ROOM + ZONE_LISTS))
}

# look_before RESERVE: writes to $TMP/rooms the room in each zone and the free pages on
# the lists of the CPUs; sets SPARE to what the machine as a whole can spare
look_before() {
	cat /proc/sys/vm/stat_refresh >/dev/null
	for before_zone in $ZONES; do
		zone_room "$before_zone"
		echo "$before_zone $ZONE_ROOM $ZONE_LISTS"
	done >"$TMP/rooms"
	SPARE=$(($(available) - 256 * $1))
}

# allowed [FILE]: the number of pages that the floors allow, as above; FILE has the output
# of grab about the list
allowed() {
	awk -v spare="$SPARE" -v list="${1-}" '
	FILENAME == list {
		if (sub("^markable_", "", $1)) most[$1] = $2
		if (sub("^plain_", "", $1)) plain[$1] = $2
		next
	}
	{
		n = $2 > 0 ? $2 : 0
		most[$1] += plain[$1] < $3 ? plain[$1] : $3
		if (list != "" && most[$1] < n) n = most[$1]
		sum += n
	}
	END { print sum < spare ? sum : spare }' ${1+"$1"} "$TMP/rooms"
}

# take_any: marks all pages that are available in each zone, by "any"
take_any() {
	while read -r any_zone any_nr _; do
		while [ "$any_nr" -ge 16 ]; do
			result mark_raw "any $any_nr zone=$any_zone"
			case $RESULT in
			ok | ENOSPC) ;;
			*) failed "any $any_nr zone=$any_zone: $RESULT" ;;
			esac
			any_nr=$((any_nr / 2))
		done
	done <"$TMP/rooms"
}

# value FILE NAME: a number that grab printed
value() {
	awk -v name="$2" '$1 == name { print $2 }' "$1"
}

# expect_share WHEN ALLOWED MARKED: the rounds go on when it fails.
expect_share() {
	expect_at_least "share of the $2 pages that the floors allow, in per mille, $1" \
		"$LEAST" $(($3 * 1000 / $2))
}

# ask_report: sets BUSTLE_FILES, BUSTLE_SOCKETS, BUSTLE_FORKS, BUSTLE_FAILURES
ask_report() {
	companion_ask report >"$TMP/report"
	read -r _ _ _ BUSTLE_FILES _ BUSTLE_SOCKETS _ _ _ BUSTLE_FORKS \
		_ BUSTLE_FAILURES <"$TMP/report"
}

# expect_bustle WHEN: the process has done each kind of operation since the last time, and
# none failed. It answers between two of its rounds. So after a second answer it has made
# a round.
expect_bustle() {
	bustle_was="$BUSTLE_FILES $BUSTLE_SOCKETS $BUSTLE_FORKS"
	ask_report
	ask_report
	# shellcheck disable=SC2086  # numbers
	set -- "$1" $bustle_was
	expect_at_least "files made $1" $(($2 + 1)) "$BUSTLE_FILES"
	expect_at_least "pairs of sockets filled and emptied $1" $(($3 + 1)) "$BUSTLE_SOCKETS"
	expect_at_least "children that ended well $1" $(($4 + 1)) "$BUSTLE_FORKS"
	expect_eq "the failures of that process $1" "0 -" "$BUSTLE_FAILURES $(companion_ask why)"
}

# expect_memory WHEN: the kernel killed no task for memory, and lacked none
expect_memory() {
	expect_eq "oom_kill in /proc/vmstat $1" "oom_kill 0" "$(grep ^oom_kill /proc/vmstat)"
	expect_eq "lines in the log about memory that is lacking $1" 0 \
		"$(dmesg | no_memory)"
}

# expect_marks WHEN [-x PFN]: exactly the pages in the module's list are PageOffline, and
# none of them is in the buddy allocator. MemTotal and the managed pages of each zone are
# less by these and no others. Sets MARKED to their number.
expect_marks() {
	marks_when=$1
	shift
	# shellcheck disable=SC2086  # words
	grab look "$@" $ZONE_ARGS >"$TMP/look" || failed "grab look"
	MARKED=$(value "$TMP/look" listed)
	expect_eq "PageOffline pages, of these in the list, in the buddy, elsewhere $marks_when" \
		"$MARKED $MARKED 0 0" \
		"$(value "$TMP/look" offline) $(value "$TMP/look" both) $(value "$TMP/look" buddy) $(value "$TMP/look" stray)"
	expect_eq "MemTotal in kB $marks_when" $((BASE_TOTAL - 4 * MARKED)) "$(mem_total)"
	expect_eq "zones (node, zone, present, managed) $marks_when" "$(echo "$BASE_ZONES" | awk '
	FILENAME != "-" { if (sub("^listed_", "", $1)) listed[$1] = $2; next }
	{ print $1, $2, $3, $4 - listed[$2] }' "$TMP/look" -)" "$(zones)"
	expect_eq "verify $marks_when" "$MARKED $MARKED 0 0 -1" \
		"$(verify_value pages) $(verify_value page_offline) $(verify_value buddy) $(verify_value wrong_count) $(verify_value first_bad_pfn)"
}

# expect_floors WHEN RESERVE [FACTOR]: each zone is above FACTOR (1) times its floor, and
# the machine above its reserve. Other tasks may have allocated some pages since the last
# mark: a quarter of a floor, at most 4 MiB.
expect_floors() {
	cat /proc/sys/vm/stat_refresh >/dev/null
	for floors_zone in $ZONES; do
		[ "$floors_zone" != Movable ] || continue
		zone_room "$floors_zone"
		expect_at_least "room in zone $floors_zone above $((${3:-1})) times its floor of $ZONE_FLOOR pages, $1" \
			-$((ZONE_FLOOR / 4 < OTHERS ? ZONE_FLOOR / 4 : OTHERS)) \
			$((ZONE_ROOM - (${3:-1} - 1) * ZONE_FLOOR)) || {
			note "there: $(oracle count "$(echo "$ZONE_ARGS" | sed "s/.* $floors_zone:\([^ ]*\).*/\1/")" | tr '\n' ' ')"
			note "there: $(awk -v z="$floors_zone" '
			/^Node/ { here = $4 == z }
			here && $1 ~ /^nr_|^count:/ && $2 { printf "%s %s, ", $1, $2 }' /proc/zoneinfo)"
		}
		[ -n "${3-}" ] || echo "$floors_zone $ZONE_FLOOR $ZONE_ROOM" >>"$TMP/lowest"
	done
	expect_at_least "MemAvailable, in pages, with reserve_mib=$2 $1" \
		$((256 * $2 - OTHERS)) "$(available)"
}

# mark_round MODE: asks for all available pages; sets ALLOWED
mark_round() {
	: >"$TMP/grab"
	ALLOWED=$(allowed)
	# shellcheck disable=SC2086  # words
	case $1 in
	explicit) grab explicit $ZONE_ARGS >"$TMP/grab" || failed "grab explicit" ;;
	any) take_any ;;
	list)
		grab list $((SEED + round)) $COVERED $ZONE_ARGS >"$TMP/grab" ||
			failed "grab list"
		ALLOWED=$(allowed "$TMP/grab")
		expect_eq "pages of the list" \
			$(($(value "$TMP/grab" pages) * COVERED / 100)) \
			"$(value "$TMP/grab" listed)"
		expect_eq "and of these, those of all kinds" "$(value "$TMP/grab" listed)" \
			"$(awk '$1 ~ /^(free|movable|reserved|plain|kernel)$/ { n += $2 } END { print n }' "$TMP/grab")"
		expect_at_least "reserved pages that were asked for" 1 \
			"$(value "$TMP/grab" reserved_tried)"
		expect_eq "and refused" "$(value "$TMP/grab" reserved_tried)" \
			"$(value "$TMP/grab" reserved_refused)" ;;
	esac
}

# kind_of_round NUMBER: "MODE RESERVE"
kind_of_round() {
	case $(($1 % 6)) in
	0) echo explicit 64 ;;
	1) echo any 64 ;;
	2) echo list 64 ;;
	3) echo explicit 0 ;;
	4) echo any 0 ;;
	5) echo list 0 ;;
	esac
}

# one_round NUMBER: makes a round, and adds a line to $TMP/rounds
one_round() {
	round=$1
	kind_of_round "$round" >"$TMP/kind"
	read -r round_mode round_reserve <"$TMP/kind"
	round_when="in round $((round + 1)), $round_mode, reserve_mib=$round_reserve"
	read -r round_from _ </proc/uptime
	echo "$round_reserve" >"$RESERVE"
	zone_args $((SEED + round + round / 6))
	expect_eq "the process pauses" held "$(companion_ask hold)"
	look_before "$round_reserve"
	ask_report
	mark_round "$round_mode"
	expect_eq "the process pauses" held "$(companion_ask hold)"
	expect_marks "$round_when"
	expect_floors "$round_when" "$round_reserve"
	expect_share "$round_when" "$ALLOWED" "$MARKED" || BELOW=$((BELOW + 1))
	expect_bustle "$round_when"
	expect_memory "$round_when"
	round_twins
	unmark_all
	expect_eq "MemTotal in kB after $round_when" "$BASE_TOTAL" "$(mem_total)"
	expect_eq "zones after $round_when" "$BASE_ZONES" "$(zones)"
	expect_eq "the process pauses" held "$(companion_ask hold)"
	soak_sizes >>"$TMP/sizes"
	read -r round_to _ </proc/uptime
	# The kernel's pages in the list: reserved, plain and others.
	awk -v n="$((round + 1))" -v mode="$round_mode" -v reserve="$round_reserve" \
		-v allowed="$ALLOWED" -v marked="$MARKED" -v a="$round_from" -v b="$round_to" '
	FILENAME ~ /grab$/ { got[$1] = $2; next }
	sub("^listed_", "", $1) { zones = zones sprintf(" %s %d", $1, $2) }
	END {
		printf "%d %s %d %d %d %.4f %d %.2f%s\n", n, mode, reserve, allowed,
			marked, marked / allowed, got["reserved"] + got["plain"] + got["kernel"], b - a, zones
	}' "$TMP/grab" "$TMP/look" >"$TMP/round"
	cat "$TMP/round" >>"$TMP/rounds"
	note "round, how, reserve_mib, allowed, marked, share, kernel pages in the list, seconds, by zone: $(cat "$TMP/round"); since the first round: $(since_first)"
}

# round_twins: in the first round without a reserve of the machine, each check can fail
round_twins() {
	[ "$round_mode $round_reserve $twins" = "explicit 0 wanted" ] || return 0
	twins=made
	expect_failing "a page is marked and not in the list" \
		expect_marks "with one less in the list" -x "$(awk '!/^#/ { print $1; exit }' "$FO"/ranges)"
	# The first MiB has pages that are never marked.
	expect_failing "a page is in the list and not marked" \
		expect_marks "with one more in the list" -x 160
	expect_failing "not each zone is twice above its floor" expect_floors "at last" 0 2
	# 7.3 computes the lowmem reserves anew with each mark. The floor of a low zone has
	# sunk there since it was reached.
	expect_eq "DMA32 is not" 1 "$(grep -c 'zone DMA32 above 2 times its floor' "$TMP/twin")"
	expect_failing "there is no reserve of 256 MiB" expect_floors "at last" 256
	expect_failing "it is not all of 120 %" \
		expect_share "of 120 %" $((ALLOWED * 12 / 10)) "$MARKED"
	expect_eq "a line that tells of memory that is lacking" 1 \
		"$(echo "[1.2] Out of memory: Killed process 77 (sh)" | no_memory)"
}

# totals: the sums of all rounds, and of each kind
totals() {
	awk '
	function add(kind) {
		if (!(kind in n)) { least[kind] = $6; order[k++] = kind }
		n[kind]++
		allowed[kind] += $4
		marked[kind] += $5
		sum[kind] += $6
		kernel[kind] += $7
		seconds[kind] += $8
		if ($6 < least[kind]) least[kind] = $6
	}
	{ add("all"); add($2); add($2 ", reserve_mib=" $3) }
	END {
		for (i = 0; i < k; i++) {
			r = order[i]
			printf "# total, %s: %d rounds, %d pages marked of %d allowed, share smallest %.2f %%, mean %.2f %%, kernel pages in lists %d, %.1f s a round\n",
				r, n[r], marked[r], allowed[r], 100 * least[r], 100 * sum[r] / n[r], kernel[r], seconds[r] / n[r]
		}
	}' "$TMP/rounds"
	awk '
	!($1 in least) || $3 < least[$1] { least[$1] = $3; floor[$1] = $2 }
	END {
		for (z in least)
			printf "# total, zone %s: smallest room above its floor, of %d pages, %d pages\n", z, floor[z], least[z]
	}' "$TMP/lowest"
	note "total, rounds with less than 90 %: $BELOW"
	note "total, the process: $(cat "$TMP/report")"
	note "total, OOM kills: $(sed -n 's/^oom_kill //p' /proc/vmstat)"
}

rounds() {
	note "seed $SEED"
	rounds_reserve=$(cat "$RESERVE")
	mkdir -p "$TMP/files" || failed "mkdir"
	mount -t tmpfs tmpfs "$TMP/files" || failed "mount"
	companion_start "a process needs kernel memory" ready \
		bustle "$TMP/files" "${SOAK_SHARE:-50}"
	rm -f "$TMP/rounds" "$TMP/lowest" "$TMP/sizes"
	rounds_n=0 twins=wanted BELOW=0
	while [ "$rounds_n" -lt "${SOAK_ROUNDS:-6}" ] && [ "$FAILED" = "$BELOW" ]; do
		one_round "$rounds_n"
		rounds_n=$((rounds_n + 1))
	done
	totals
	check_growth
	echo "$rounds_reserve" >"$RESERVE"
	companion_stop
	umount "$TMP/files" || failed "umount"
	check_all "at last"
}

# starved WHAT COMMAND…: with less than it needs, the process reports failures
starved() {
	starved_what=$1
	shift
	companion_start "a process without $starved_what" ready "$@"
	BUSTLE_FILES=0 BUSTLE_SOCKETS=0 BUSTLE_FORKS=0
	expect_failing "a process without $starved_what is noticed" expect_bustle "meanwhile"
	expect_eq "the first that failed without $starved_what" "$starved_first" \
		"$(companion_ask why | sed 's/ [0-9]*:/:/')"
	companion_stop
}

# The twin of the process that never fails: each of its operations can fail.
failing() {
	mkdir -p "$TMP/files" || failed "mkdir"
	mount -t tmpfs -o size=64k tmpfs "$TMP/files" || failed "mount"
	starved_first="write file: No space left on device"
	starved "room for files" bustle "$TMP/files"
	umount "$TMP/files"
	mount -t tmpfs tmpfs "$TMP/files" || failed "mount"
	starved_first="socketpair: Too many open files"
	starved "descriptors for sockets" sh -c "ulimit -n 12; exec bustle $TMP/files"
	# The process needs memory itself, and a child less than half of this.
	companion_start "a process that lacks nothing" ready bustle "$TMP/files"
	# shellcheck disable=SC2154  # set by companion_start
	failing_kb=$(($(sed -n 's/^VmSize:[^0-9]*\([0-9]*\) kB$/\1/p' "/proc/$companion_pid/status") + 100))
	companion_stop
	starved_first="child: Success"
	starved "memory for children" sh -c "ulimit -v $failing_kb; exec bustle $TMP/files"
	umount "$TMP/files"
}

run_tests rounds failing
