#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The sample client fake_offline_balloon inflates and deflates 200 times. Meanwhile, a
# background process takes all four blocks offline and online as fast as it can. It arms a
# late failure before every fifth offline operation. In ten of the cycles and at the end the
# background process is stopped. Then all page counts must be exact. In ten other cycles, some
# numbers of the module's file verify must be right while the process runs. At the end, the
# client must have been told the outcome of each operation once.
#
# This script needs a guest of its own with four blocks in ZONE_MOVABLE:
# vm/run --dimm 512M, or --dimm 256M --dimm 256M.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"
four_movable

# The background process. It runs while $TMP/hotplug-on exists, and prints one line "BLOCK
# offline|online RESULT" for each attempt. Before each attempt to take a block offline it
# writes pages_migrated to $TMP/migrated-at-start.
hotplug() {
	hotplug_n=0
	while [ -e "$TMP/hotplug-on" ]; do
		for hotplug_b in $B1 $B2 $B3 $B4; do
			hotplug_n=$((hotplug_n + 1))
			[ $((hotplug_n % 5)) != 0 ] ||
				tryio write "$FO"/inject "offline late -16 1" >/dev/null
			# The move is atomic, so stop_endless_attempt never reads half of it.
			pages_migrated >"$TMP/migrated-new" &&
				mv "$TMP/migrated-new" "$TMP/migrated-at-start"
			echo "$hotplug_b offline $(block_try "$hotplug_b" offline)"
			[ "$(block_state "$hotplug_b")" = offline ] || continue
			echo "$hotplug_b online $(block_try "$hotplug_b" online_movable)"
		done
	done
}

# pages_migrated: the number of pages that were migrated since boot
pages_migrated() {
	awk '$1 == "pgmigrate_success" { print $2 }' /proc/vmstat
}

# Runs beside hotplug. If an offline operation migrates more pages than three blocks have, it
# moves pages around within its own block and never ends. This function ends it with a
# signal. The result of the attempt is then EINTR, and the test fails.
stop_endless_attempt() {
	while [ -e "$TMP/hotplug-on" ] || kill -0 "$hotplug_pid" 2>/dev/null; do
		sleep 1
		stop_migrated=$(($(pages_migrated) - $(cat "$TMP/migrated-at-start")))
		[ "$stop_migrated" -gt $((3 * BLOCK_PAGES)) ] || continue
		grep 'zone *Movable' /proc/pagetypeinfo | sed 's/^/# endless attempt: /'
		for stop_pid in $(pidof tryio); do
			! tr '\0' ' ' <"/proc/$stop_pid/cmdline" | grep -q '/state offline' ||
				kill -USR1 "$stop_pid"
		done
		sleep 5
	done
}

# attempts BLOCK offline|online RESULT: the number of attempts with this result
attempts() {
	grep -cx "$1 $2 $3" "$TMP/attempts"
}

# start_hotplug: starts the two background processes
start_hotplug() {
	: >"$TMP/hotplug-on"
	pages_migrated >"$TMP/migrated-at-start"
	hotplug >>"$TMP/attempts" &
	hotplug_pid=$!
	stop_endless_attempt &
	stopper_pid=$!
}

# end_hotplug: ends them. All blocks are online in ZONE_MOVABLE afterwards.
end_hotplug() {
	rm "$TMP/hotplug-on"
	wait "$hotplug_pid" "$stopper_pid"
	expect_eq "nothing is armed" ok "$(tryio write "$FO"/inject clear)"
	for end_b in $B1 $B2 $B3 $B4; do
		expect_eq "memory$end_b" "online Movable" \
			"$(block_state "$end_b") $(block_zone "$end_b")"
	done
}

inflate_200_times() {
	mark "$(block_pfn "$B2" 20000)" 300 canary
	balloon_load chunk=250
	check_all "before"
	: >"$TMP/attempts"
	start_hotplug
	cycle=0
	while [ "$cycle" -lt 200 ] && [ "$FAILED" = 0 ]; do
		cycle=$((cycle + 1))
		cycle_size=$((cycle * 613 % 1000 + 1))
		balloon_set pages "$cycle_size"
		expect_eq "size in cycle $cycle" "$cycle_size" "$(balloon_pages)"
		[ $((cycle % 20)) != 1 ] ||
			note "cycle $cycle, $(wc -l <"$TMP/attempts") attempts of hotplug"
		! grep -q EINTR "$TMP/attempts" || failed "an offline operation did not end by itself"
		case $((cycle % 20)) in
		0)
			expect_eq "in verify: pages, buddy, canary_broken, in cycle $cycle" \
				"$((cycle_size + 300)) 0 0" \
				"$(verify_value pages) $(verify_value buddy) $(verify_value canary_broken)" ;;
		10)
			end_hotplug
			balloon_note
			check_all "in cycle $cycle"
			balloon_forget
			start_hotplug ;;
		esac
		balloon_set pages $((cycle_size / 7))
		expect_eq "size in cycle $cycle" $((cycle_size / 7)) "$(balloon_pages)"
	done
	end_hotplug
	expect_eq "cycles" 200 "$cycle"
	balloon_note
	check_all "after 200 cycles"
	balloon_set pages 0
	balloon_note
	check_all "when deflated"
	for each_b in $B1 $B2 $B3 $B4; do
		note "memory$each_b: $(attempts "$each_b" offline ok) times offline, $(attempts "$each_b" offline EBUSY) EBUSY"
		expect_at_least "memory$each_b went offline" 10 "$(attempts "$each_b" offline ok)"
		expect_eq "memory$each_b came back each time" \
			"$(attempts "$each_b" offline ok)" "$(attempts "$each_b" online ok)"
	done
	expect_eq "attempts with another result than ok and EBUSY" "" \
		"$(grep -vE ' offline (ok|EBUSY)$| online ok$' "$TMP/attempts")"
	expect_at_least "late failures" 1 "$(stat_value injected)"
	# A client that has agreed to an offline operation is told its outcome once.
	expect_eq "going_offline = cancel_offline + offline" \
		"$(count_of going_offline "$(cat "$BALLOON/events")")" \
		$(($(count_of cancel_offline "$(cat "$BALLOON/events")") + $(count_of offline "$(cat "$BALLOON/events")")))
	note "events: $(tr '\n' ' ' <"$BALLOON/events")"
	balloon_unload
	check_hog "with the marks by debugfs" "$B2"
	unmark_all
	check_all "after unmark"
	check_everywhere "after unmark"
	expect_eq "MemTotal in kB at the end" "$BASE_TOTAL" "$(mem_total)"
	expect_eq "zones at the end" "$BASE_ZONES" "$(zones)"
}

run_tests inflate_200_times
