#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Cycles without an end. All four blocks go offline and online, three of them with marks,
# and some attempts fail on purpose. Meanwhile a process takes and gives back memory all
# the time, and knows its content. Nothing may drift.
#
# SOAK_CYCLES is the number of times that a block goes offline (40), SOAK_HOURS a time
# instead. SOAK_PAGES is the number of pages of the process (20000). Two and a half blocks
# must stay free: with too little memory to migrate to, the kernel tries without end.
#
# These make long runs cheaper (`make soak`). SOAK_SHARE is the share of a CPU for the
# process, in per cent (100). SOAK_BATCH is the number of cycles of each block between two
# times that everything is counted (5). SOAK_VERIFY is the number of attempts after which
# the module looks at all marked pages and canaries (1: after each). That look takes by
# far the most time.
#
# This script needs a guest of its own with four blocks in ZONE_MOVABLE:
# vm/run --dimm 512M, or --dimm 256M --dimm 256M.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"
# shellcheck source=lib-soak.sh
. "$(dirname "$0")/lib-soak.sh"
four_movable

# The failures of a batch, one after the other.
soak_failures="offline:before:ENOMEM offline:after:EIO offline:late:EBUSY offline:late:EINTR online:before:ENOMEM online:after:ENOMEM"

# worked WHEN: the process works, and its content is whole
worked() {
	soak_answer=$(companion_ask check)
	expect_eq "pages of the process that are broken $1" "broken 0" \
		"${soak_answer% rounds *}"
	soak_rounds=${soak_answer##* }
}

# soak_batch: runs cycles of each block with offctl, and adds to the sums
soak_batch() {
	# shellcheck disable=SC2086  # the first of the words
	set -- $soak_failures
	soak_failures="${soak_failures#* } $1"
	soak_status=0
	# Only an attempt without an end takes five minutes.
	offctl cycle --count "${SOAK_BATCH:-5}" --verify-every "${SOAK_VERIFY:-1}" \
		--timeout 300 --keep-going --inject "$1" \
		-rn -o STEP,ATTEMPTS,DONE,FAILED,INJECTED,LEAKS \
		"$B1" "$B2" "$B3" "$B4" >"$TMP/cycle" 2>"$TMP/cycle-err" || soak_status=$?
	# A page that is busy for long makes an offlining fail, which is allowed.
	[ "$soak_status" = 0 ] || [ "$soak_status" = 64 ] ||
		failed "offctl cycle: $soak_status: $(cat "$TMP/cycle-err")"
	expect_eq "MemTotal drifted in a cycle, or an attempt had no end" "" \
		"$(grep -e MemTotal -e 'given up' "$TMP/cycle-err" | head -n 5)"
	read -r soak_off soak_on soak_bad soak_injected soak_leaks <<-EOT
		$(awk -v a="$soak_off" -v b="$soak_on" -v c="$soak_bad" -v d="$soak_injected" -v e="$soak_leaks" '
		$1 == "offline" { a += $3 }
		$1 == "online" { b += $3 }
		{ c += $4; d += $5; e += $6 }
		END { print a, b, c, d, e }' "$TMP/cycle")
	EOT
	expect_eq "marked pages that leaked" 0 "$soak_leaks"
	expect_eq "came online as often as it went offline" "$soak_off" "$soak_on"
}

# enough: the number of cycles or of hours is reached
enough() {
	if [ -n "${SOAK_HOURS-}" ]; then
		[ $(($(date +%s) - soak_start)) -ge "$(awk -v h="$SOAK_HOURS" 'BEGIN { print int(h * 3600) }')" ]
	else
		[ "$soak_off" -ge "${SOAK_CYCLES:-40}" ]
	fi
}

soak() {
	mark_shape "$B1"
	mark "$(block_start "$B2")" $((BLOCK_PAGES / 2)) canary
	mark "$(block_pfn "$B3" -1)" 2 canary
	soak_pages=${SOAK_PAGES:-20000}
	companion_start "a process uses memory" "pages $soak_pages" \
		worker "$soak_pages" "${SOAK_SHARE:-100}"
	check_all "before"
	soak_off=0 soak_on=0 soak_bad=0 soak_injected=0 soak_leaks=0
	soak_start=$(date +%s)
	: >"$TMP/sizes"
	until enough || [ "$FAILED" != 0 ]; do
		read -r soak_from _ </proc/uptime
		soak_before=$soak_off
		soak_batch
		read -r soak_to _ </proc/uptime
		worked "after $soak_off cycles"
		check_all "after $soak_off cycles"
		soak_sizes >>"$TMP/sizes"
		note "$soak_off cycles in $(($(date +%s) - soak_start)) s, $(awk -v n=$((soak_off - soak_before)) -v a="$soak_from" -v b="$soak_to" 'BEGIN { printf "%.2f", n / (b - a) }') a second; $soak_injected attempts failed on purpose, $soak_bad by themselves, $soak_leaks leaks; $soak_rounds rounds of the process; since the first batch: $(since_first)"
	done
	check_growth
	check_all "at last"
	# The twin: the process would see a wrong byte.
	expect_eq "spoil" spoiled "$(companion_ask spoil)"
	expect_failing "a broken page is noticed" worked "when spoiled"
	companion_stop
	check_hog "at last" "$B1"
	unmark_all
	check_all "after unmark"
	check_everywhere "after unmark"
	expect_eq "zones at the end" "$BASE_ZONES" "$(zones)"
}

run_tests soak
