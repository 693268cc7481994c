#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Cycles without an end: all four blocks go offline and come back, three of them
# with marks, some attempts fail on purpose, and a process takes and gives back
# memory all the time, and knows its content. Nothing may drift.
#
# SOAK_CYCLES: how many times a block is to go offline (40); SOAK_HOURS: for so
# long instead; SOAK_PAGES: how many the process has (20000). Two and a half blocks
# must stay free: with less to migrate to, the kernel tries for ever.
#
# A guest of its own, with four blocks in ZONE_MOVABLE: vm/run --dimm 512M, or
# --dimm 256M --dimm 256M.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"
four_movable

# What is made to fail in a batch, one after the other.
soak_failures="offline:before:ENOMEM offline:after:EIO offline:late:EBUSY offline:late:EINTR online:before:ENOMEM online:after:ENOMEM"

# worked WHEN: the process is at work, and its content is whole
worked() {
	soak_answer=$(companion_ask check)
	expect_eq "pages of the process that are broken $1" "broken 0" \
		"${soak_answer% rounds *}"
	soak_rounds=${soak_answer##* }
}

# soak_batch: five cycles of each block, through offctl; adds to the sums
soak_batch() {
	# shellcheck disable=SC2086  # the first of the words
	set -- $soak_failures
	soak_failures="${soak_failures#* } $1"
	soak_status=0
	offctl cycle --count 5 --verify --keep-going --inject "$1" \
		-rn -o STEP,ATTEMPTS,DONE,FAILED,INJECTED,LEAKS \
		"$B1" "$B2" "$B3" "$B4" >"$TMP/cycle" 2>"$TMP/cycle-err" || soak_status=$?
	# A page that is busy for long lets an offlining fail, as it may.
	[ "$soak_status" = 0 ] || [ "$soak_status" = 64 ] ||
		failed "offctl cycle: $soak_status: $(cat "$TMP/cycle-err")"
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

# enough: were there that many cycles, or hours?
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
	companion_start "a process uses memory" "pages $soak_pages" worker "$soak_pages"
	check_all "before"
	soak_off=0 soak_on=0 soak_bad=0 soak_injected=0 soak_leaks=0 soak_n=0
	soak_start=$(date +%s)
	until enough || [ "$FAILED" != 0 ]; do
		soak_batch
		worked "after $soak_off cycles"
		check_accounts "after $soak_off cycles"
		soak_n=$((soak_n + 1))
		[ $((soak_n % 10)) != 0 ] || check_all "after $soak_off cycles"
		note "$soak_off cycles in $(($(date +%s) - soak_start)) s, $soak_injected attempts failed on purpose, $soak_bad by themselves, $soak_leaks leaks, MemTotal $(mem_total) kB, Slab $(awk '/^Slab:/ { print $2 }' /proc/meminfo) kB, $soak_rounds rounds of the process"
	done
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
