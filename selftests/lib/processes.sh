# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Part of lib.sh: processes that use memory beside the test.

# all_movable: are all blocks under test in ZONE_MOVABLE, as far as they are online?
all_movable() {
	for am_block in $BLOCKS; do
		block_look "$am_block"
		[ "$BLOCK_STATE:$BLOCK_ZONE" = online:Movable ] ||
			[ "$BLOCK_STATE" != online ] || return
	done
}

# hog_folios: between marked pages, no huge page is free. With folios of all sizes (from 6.8
# on), the hog takes half of the time. Enabling them raises min_free_kbytes. Each zone loses
# its large folios first. If a block under test is not in ZONE_MOVABLE, the kernel would then
# put memory of its own there, because other zones are full earlier.
hog_folios() {
	: >"$TMP/folios"
	all_movable || return 0
	for hs in /sys/kernel/mm/transparent_hugepage/hugepages-*kB/enabled; do
		[ -e "$hs" ] || continue
		read -r hs_was <"$hs"
		hs_was=${hs_was#*\[}
		echo "${hs_was%%\]*} $hs" >>"$TMP/folios"
		echo always >"$hs"
	done
}

# hog_sysctls lower|restore: the kernel keeps reserves of free pages from a user's
# allocations, and the hog cannot look at these pages. They are made small.
hog_sysctls() {
	case $1 in
	lower)
		# min_free_kbytes comes last: it makes the kernel compute all reserves.
		for hs in lowmem_reserve_ratio watermark_boost_factor \
			watermark_scale_factor min_free_kbytes; do
			cat /proc/sys/vm/$hs >"$TMP/$hs"
		done
		# This makes the lists of free pages of the CPUs short.
		echo 1000000 >/proc/sys/vm/percpu_pagelist_high_fraction
		# In boot memory, the kernel reserves for itself in proportion to the
		# memory in higher zones. The blocks under test are not in boot memory.
		echo "1 1 0 0" >/proc/sys/vm/lowmem_reserve_ratio
		hog_folios
		echo 0 >/proc/sys/vm/watermark_boost_factor
		echo 1 >/proc/sys/vm/watermark_scale_factor
		echo 0 >/proc/sys/vm/min_free_kbytes ;;
	restore)
		while read -r hs_was hs; do
			echo "$hs_was" >"$hs"
		done <"$TMP/folios"
		for hs in lowmem_reserve_ratio watermark_boost_factor \
			watermark_scale_factor min_free_kbytes; do
			cat "$TMP/$hs" >/proc/sys/vm/$hs
		done
		echo 0 >/proc/sys/vm/percpu_pagelist_high_fraction ;;
	esac
}

# The number of free pages of the block that the hog may leave: the smallest reserve of
# the zone (6.12 keeps 128 pages of ZONE_MOVABLE whatever min_free_kbytes is), and the
# pages on the lists of the CPUs.
HOG_LEAVES=1024

# hog_patiently ARGUMENT…: sets hog_got to the output of the hog. The hog takes memory down
# to the watermark. The list of a CPU may take it below, and the kernel then kills it. In
# that case another hog is started.
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

# check_hog WHEN BLOCK: a process takes all free memory. It gets every free page of the
# block and no marked page, and its pages keep their content.
check_hog() {
	look_at_marks
	expect_at_least "hog: pages it may not get, $1" 1 "$ON" || return
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

# companion_start WHAT LINE COMMAND…: starts a process whose first line must be LINE.
# companion_ask COMMAND: prints its answer. companion_stop: ends it.
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

# tenant_start COUNT BLOCK [-s]: starts a process with COUNT pages in the block
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
