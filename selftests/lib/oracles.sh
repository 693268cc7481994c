# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Part of lib.sh: what the kernel must show, and what it shows.
#
# All expected values come from $MARKS and from the states of the blocks in sysfs.

# An oracle that fails must not look like one with an empty result.
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

# counted ORACLE…: sets C_NAME for every "NAME NUMBER" that the oracle prints. The others
# become "none", so that no older number is taken for them. It uses no subshell: most of
# the time of a test goes into these checks, and a fork costs much in an emulated guest.
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

# refs_wanted SKIPPABLE OTHERS: the numbers of marked pages that must have the reference
# counts 0 and 1 while no block goes offline
refs_wanted() {
	case $FO_SKIP in
	notifier | native) echo "0 $(($1 + $2))" ;;
	*) echo "$(($1 + $2)) 0" ;;
	esac
}

# look_at_marks: looks at $MARKS and at the states of the blocks. check_all() looks once for
# all of its checks. Writes to $TMP:
#   marks-online   the marks in online blocks, in the form of marks_by_block()
#   runs-wanted    the runs of marked pages in online blocks under test, cut at blocks
#   marks-wanted   all marks, with neighbours of the same kind joined
# Sets ALL_MARKED to the number of pages in all marks, ON, ON_SKIPPABLE and ON_CANARY to numbers
# of pages in online blocks, and ON_BLOCKS to these blocks.
look_at_marks() {
	[ -z "${marks_seen-}" ] || return 0
	sort -n "$MARKS" | awk -v bp="$BLOCK_PAGES" -v sys="$SYSMEM" -v dir="$TMP" \
		-v blocks=" $BLOCKS " '
	function is_online(b,    file) {
		if (!(b in state)) {
			file = sys "/memory" b "/state"
			getline state[b] <file
			close(file)
		}
		return state[b] == "online"
	}
	function end_run() { if (run_nr) print run, run_nr >runs }
	function end_extent() { if (extent_nr) print extent, extent_nr, kind >extents }
	function add(s, nr, b) {
		print s, nr, $3, $4, b >online
		on += nr; skippable += nr * $3; canary += nr * $4
		if (!(b in seen)) { seen[b] = 1; list = list " " b }
		if (!index(blocks, " " b " ")) return
		if (run_nr && s == run + run_nr && b == run_block) { run_nr += nr; return }
		end_run()
		run = s; run_nr = nr; run_block = b
	}
	BEGIN {
		online = dir "/marks-online"; runs = dir "/runs-wanted"
		extents = dir "/marks-wanted"; sums = dir "/sums"
		printf "" >online; printf "" >runs; printf "" >extents
	}
	{
		total += $2
		if (extent_nr && $1 == extent + extent_nr && $3 $4 == kind)
			extent_nr += $2
		else {
			end_extent()
			extent = $1; extent_nr = $2; kind = $3 $4
		}
		for (s = $1; s < $1 + $2; s = t) {
			b = int(s / bp)
			t = (b + 1) * bp
			if (t > $1 + $2) t = $1 + $2
			if (is_online(b)) add(s, t - s, b)
		}
	}
	END {
		end_run(); end_extent()
		print total + 0, on + 0, skippable + 0, canary + 0, list >sums
	}'
	read -r ALL_MARKED ON ON_SKIPPABLE ON_CANARY ON_BLOCKS <"$TMP/sums"
}

# check_accounts WHEN: MemTotal, and the present and managed pages of each zone, are
# exact: the first values, less the offline pages, less the marked ones.
check_accounts() {
	look_at_marks
	for acc_block in $BLOCKS; do
		block_look "$acc_block"
		case $BLOCK_STATE in
		online) echo "block $acc_block $BLOCK_ZONE" ;;
		*) echo "offline $acc_block" ;;
		esac
	done >"$TMP/blocks"
	read -r _ acc_total _ </proc/meminfo
	# At first, all blocks under test are in ZONE_MOVABLE. The PFN of a marked page
	# outside of them tells its zone.
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
			# In boot memory, DMA ends at 16 MiB and DMA32 at 4 GiB.
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

# Whether the kernel lets a task read its memmap. A script for a locked-down kernel sets it.
REFS_READABLE=yes

# check_pages WHEN: in each block with marks, exactly the marked pages are PageOffline,
# with the right skippable bit and reference count, unmapped, and not in the buddy
# allocator. Nothing is left of an offline block. check_everywhere(), which takes longer,
# also looks at the blocks without marks. Marks in boot memory are looked at, too.
check_pages() {
	cp_when=$1
	look_at_marks
	block_states
	set --
	for cp_b in $ONLINE; do
		case ${cp_all:+all}" $ON_BLOCKS " in
		all* | *" $cp_b "*) set -- "$@" "$((cp_b * BLOCK_PAGES))+$BLOCK_PAGES" ;;
		esac
	done
	if [ $# -gt 0 ]; then
		oracle runs offline "$@" >"$TMP/runs"
		expect_same_file "PageOffline pages (first, number) $cp_when" \
			"$TMP/runs-wanted" "$TMP/runs"
	fi
	if [ "$ON" -gt 0 ]; then
		counted oracle count "@$TMP/marks-online"
		expect_eq "marked pages that are PageOffline $cp_when" \
			"$ON" "$C_offline"
		expect_eq "marked pages in the buddy allocator $cp_when" 0 "$C_buddy"
		expect_eq "marked pages with the skippable bit $cp_when" \
			"$ON_SKIPPABLE" "$C_skippable"
		expect_eq "marked pages mapped, on the LRU, reserved $cp_when" \
			"0 0 0" "$C_mapped $C_lru $C_reserved"
	fi
	if [ "$ON" -gt 0 ] && [ "$REFS_READABLE" = yes ]; then
		counted refs "@$TMP/marks-online"
		expect_eq "marked pages with reference count 0, 1, more $cp_when" \
			"$(refs_wanted "$ON_SKIPPABLE" $((ON - ON_SKIPPABLE))) 0" \
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

# check_isolated WHEN: no page block is left isolated. /proc/pagetypeinfo has several
# tables for each node, and lines of the same form in each.
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

# check_listed WHEN: the module lists the marked pages. Only the pages are compared, not
# the division into ranges; see expect_ranges() for that.
check_listed() {
	look_at_marks
	extents <"$FO"/ranges >"$TMP/listed"
	expect_same_file "pages listed by the module $1" "$TMP/marks-wanted" "$TMP/listed"
}

# expect_ranges WHEN "START NR SKIPPABLE CANARY"…: exactly these ranges are listed
expect_ranges() {
	er_when=$1
	shift
	expect_eq "ranges $er_when" "$([ $# = 0 ] || printf '%s\n' "$@")" \
		"$(awk '/^#/ { next } { print $1, $2, $3, $4 }' "$FO"/ranges)"
}

# The number of marked pages that are hardware-poisoned. Scripts with such pages set it.
POISONED=0

# canaries_unread: sets UNREAD to the number of canaries in $TMP/marks-online that the
# module must not read. Scripts with poisoned pages have a version of their own.
canaries_unread() {
	UNREAD=0
}

# check_verify WHEN: the file "verify" of the module has the right numbers
check_verify() {
	look_at_marks
	canaries_unread
	cv_got=''
	while read -r cv_name cv_value; do
		case $cv_name in
		ranges | last_failure*) ;;
		*) cv_got="$cv_got$cv_name $cv_value
" ;;
		esac
	done <"$FO"/verify
	expect_eq "verify $1" "pages $ALL_MARKED
pages_block_offline $((ALL_MARKED - ON))
page_offline $ON
skippable $ON_SKIPPABLE
skippable_expected $ON_SKIPPABLE
buddy 0
wrong_count 0
canary $((ON_CANARY - UNREAD))
canary_broken 0
poisoned $POISONED
canary_unchecked 0
first_bad_pfn -1
" "$cv_got"
}

# check_all WHEN
check_all() {
	look_at_marks
	marks_seen=yes
	check_accounts "$1"
	check_pages "$1"
	check_isolated "$1"
	check_listed "$1"
	check_verify "$1"
	marks_seen=''
}

# unchanged WHAT ERRNO COMMAND…: the write fails with ERRNO and changes nothing
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

# stat_value NAME: a value of "$FO"/stats; verify_value NAME: one of "$FO"/verify
stat_value() {
	awk -v name="$1" '$1 == name { print $2 }' "$FO"/stats
}

verify_value() {
	awk -v name="$1" '$1 == name { print $2 }' "$FO"/verify
}

# stats_mark; …; expect_stats "NAME DELTA"…: the counters went up by these numbers
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

# free_page_block BLOCK…: prints the first PFN of a free page block in these memory blocks,
# or 0
free_page_block() {
	for free_block; do
		oracle runs buddy "$(block_range "$free_block")"
	done | awk '
	{ s = int(($1 + 511) / 512) * 512 }
	s + 512 <= $1 + $2 { found = s }
	END { print found + 0 }'
}

# one_more_block SIGN: the machine has one more block under test (1), or one less (-1), as
# if that had been so at first
one_more_block() {
	BASE_TOTAL=$((BASE_TOTAL + $1 * 4 * BLOCK_PAGES))
	BASE_ZONES=$(echo "$BASE_ZONES" | awk -v n="$(($1 * BLOCK_PAGES))" '
		$2 == "Movable" { $3 += n; $4 += n }
		{ print }')
}
