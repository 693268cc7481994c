#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The sample client fake_offline_balloon inflates and deflates 200 times. Meanwhile, another
# process takes all four blocks offline and online as fast as it can. It arms a late failure
# before every fifth attempt. At some of the sizes and at the end, all page counts must be
# exact, and each client must have been told the outcome of each operation once.
#
# This script needs a guest of its own with four blocks in ZONE_MOVABLE:
# vm/run --dimm 512M, or --dimm 256M --dimm 256M.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"
four_movable

# Prints one line "BLOCK offline|online RESULT" for each attempt. Arms a late failure before
# every fifth offline operation. Runs in the background.
hotplug() {
	hotplug_n=0
	while [ -e "$TMP/churning" ]; do
		for hotplug_b in $B1 $B2 $B3 $B4; do
			hotplug_n=$((hotplug_n + 1))
			[ $((hotplug_n % 5)) != 0 ] ||
				tryio write "$FO"/inject "offline late -16 1" >/dev/null
			migrated >"$TMP/begins" && mv "$TMP/begins" "$TMP/began"
			echo "$hotplug_b offline $(block_try "$hotplug_b" offline)"
			[ "$(block_state "$hotplug_b")" = offline ] || continue
			echo "$hotplug_b online $(block_try "$hotplug_b" online_movable)"
		done
	done
}

# migrated: the number of pages that were migrated since boot
migrated() {
	awk '$1 == "pgmigrate_success" { print $2 }' /proc/vmstat
}

# An offlining that migrates more pages than three blocks have does not end: the pages
# move about within the block. It is interrupted, and the test fails.
watch_over() {
	while [ -e "$TMP/churning" ] || kill -0 "$hotplug_pid" 2>/dev/null; do
		sleep 1
		[ $(($(migrated) - $(cat "$TMP/began"))) -gt $((3 * BLOCK_PAGES)) ] || continue
		grep 'zone *Movable' /proc/pagetypeinfo | sed 's/^/# without an end: /'
		for watch_pid in $(pidof tryio); do
			! tr '\0' ' ' <"/proc/$watch_pid/cmdline" | grep -q '/state offline' ||
				kill -USR1 "$watch_pid"
		done
		sleep 5
	done
}

# attempts BLOCK OPERATION RESULT: the number of these
attempts() {
	grep -cx "$1 $2 $3" "$TMP/attempts"
}

# quiet: ends the hotplug operations; loud: begins them (again)
loud() {
	: >"$TMP/churning"
	migrated >"$TMP/began"
	hotplug >>"$TMP/attempts" &
	hotplug_pid=$!
	watch_over &
	watch_pid=$!
}

quiet() {
	rm "$TMP/churning"
	wait "$hotplug_pid" "$watch_pid"
	expect_eq "nothing is armed" ok "$(tryio write "$FO"/inject clear)"
	for quiet_b in $B1 $B2 $B3 $B4; do
		expect_eq "memory$quiet_b" "online Movable" \
			"$(block_state "$quiet_b") $(block_zone "$quiet_b")"
	done
}

two_hundred() {
	mark "$(block_pfn "$B2" 20000)" 300 canary
	balloon_load chunk=250
	check_all "before"
	: >"$TMP/attempts"
	loud
	churn=0
	while [ "$churn" -lt 200 ] && [ "$FAILED" = 0 ]; do
		churn=$((churn + 1))
		churn_size=$((churn * 613 % 1000 + 1))
		balloon_set pages "$churn_size"
		expect_eq "size in cycle $churn" "$churn_size" "$(balloon_pages)"
		[ $((churn % 20)) != 1 ] ||
			note "cycle $churn, $(wc -l <"$TMP/attempts") attempts of the other"
		! grep -q EINTR "$TMP/attempts" || failed "an offlining did not come to an end"
		case $((churn % 20)) in
		0)
			expect_eq "in verify: pages, buddy, canary_broken, in cycle $churn" \
				"$((churn_size + 300)) 0 0" \
				"$(verify_value pages) $(verify_value buddy) $(verify_value canary_broken)" ;;
		10)
			quiet
			balloon_note
			check_all "in cycle $churn"
			balloon_forget
			loud ;;
		esac
		balloon_set pages $((churn_size / 7))
		expect_eq "size in cycle $churn" $((churn_size / 7)) "$(balloon_pages)"
	done
	quiet
	expect_eq "cycles" 200 "$churn"
	balloon_note
	check_all "after 200 cycles"
	balloon_set pages 0
	balloon_note
	check_all "when deflated"
	for churn_b in $B1 $B2 $B3 $B4; do
		note "memory$churn_b: $(attempts "$churn_b" offline ok) times offline, $(attempts "$churn_b" offline EBUSY) EBUSY"
		expect_at_least "memory$churn_b went offline" 10 "$(attempts "$churn_b" offline ok)"
		expect_eq "memory$churn_b came back each time" \
			"$(attempts "$churn_b" offline ok)" "$(attempts "$churn_b" online ok)"
	done
	expect_eq "attempts that ended in another way than ok and EBUSY" "" \
		"$(grep -vE ' offline (ok|EBUSY)$| online ok$' "$TMP/attempts")"
	expect_at_least "late failures" 1 "$(stat_value injected)"
	# A client that has agreed is told the outcome, once.
	expect_eq "going_offline = cancel_offline + offline" \
		"$(count_of going_offline "$(cat "$BALLOON/events")")" \
		$(($(count_of cancel_offline "$(cat "$BALLOON/events")") + $(count_of offline "$(cat "$BALLOON/events")")))
	note "events: $(tr '\n' ' ' <"$BALLOON/events")"
	balloon_unload
	check_hog "with what is marked by hand" "$B2"
	unmark_all
	check_all "after unmark"
	check_everywhere "after unmark"
	expect_eq "MemTotal in kB at the end" "$BASE_TOTAL" "$(mem_total)"
	expect_eq "zones at the end" "$BASE_ZONES" "$(zones)"
}

run_tests two_hundred
