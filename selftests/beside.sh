#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Outside ZONE_MOVABLE, the kernel's own allocation by PFN refuses every page of a page
# block that holds one page that cannot move. Free pages there can be marked all the
# same. A page that the kernel itself uses cannot, and the reason says so.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# The sink is in ZONE_NORMAL, where the kernel takes its own memory from first.
kernel_range() {
	block_range "$SINK"
}

# used: the machine has been in use. The kernel has memory in many page blocks, and
# has given back some of it.
used() {
	mkdir -p "$TMP/used"
	used_n=0
	while [ "$used_n" -lt 12000 ]; do
		: >"$TMP/used/$used_n"
		used_n=$((used_n + 1))
	done
	(cd "$TMP/used" && seq 0 11999 | awk 'int($1 / 64) % 2' | xargs rm -f)
}

# free_beside N: up to N free pages, one on each line, in page blocks that also have
# slab pages. It takes at most four of each run of free pages
free_beside() {
	oracle runs slab "$(kernel_range)" >"$TMP/slab"
	oracle runs buddy "$(kernel_range)" | awk -v most="$1" '
	NR == FNR { for (b = int($1 / 512); b <= int(($1 + $2 - 1) / 512); b++) slab[b]; next }
	int($1 / 512) in slab {
		for (i = 0; i < $2 && i < 4 && n < most; i++) { print $1 + i; n++ }
	}' "$TMP/slab" -
}

# free_now PFN
free_now() {
	[ "$(count_of buddy "$(oracle count "$1+1")")" = 1 ]
}

# try_free: marks each of "$TMP/beside" that is still free. Counts in beside_free and
# beside_ok.
try_free() {
	while read -r beside_pfn; do
		free_now "$beside_pfn" || continue
		result mark_raw "$beside_pfn 1"
		if [ "$RESULT" = ok ]; then
			beside_ok=$((beside_ok + 1))
			note_mark "$beside_pfn" 1
		elif free_now "$beside_pfn"; then
			note "PFN $beside_pfn: $RESULT, $(sed -n 's/^reason //p' "$FO"/last_refusal)"
		else
			continue	# it was allocated meanwhile
		fi
		beside_free=$((beside_free + 1))
	done <"$TMP/beside"
}

# Each can be marked, is PageOffline then, and is free afterwards. Many are allocated
# before they are tried, so it takes some rounds to find ten.
free_pages() {
	used
	beside_free=0 beside_ok=0 beside_left=20
	while [ "$beside_free" -lt 10 ] && [ "$beside_left" -gt 0 ]; do
		beside_left=$((beside_left - 1))
		free_beside 30 >"$TMP/beside"
		try_free
	done
	note "$beside_free free pages beside slab pages, $beside_ok marked"
	expect_at_least "free pages beside slab pages" 5 "$beside_free"
	expect_at_least "of these, marked, in per cent" 90 \
		$((beside_ok * 100 / (beside_free + (beside_free == 0))))
	check_all "when marked"
	unmark_all
	check_all "after unmark"
	rm -rf "$TMP/used"
}

# every_second: up to 600 free pages, every second one of each run, in page blocks that
# also have slab pages. So several of them are in one chunk of the buddy allocator
every_second() {
	oracle runs slab "$(kernel_range)" >"$TMP/slab"
	oracle runs buddy "$(kernel_range)" | awk '
	NR == FNR { for (b = int($1 / 512); b <= int(($1 + $2 - 1) / 512); b++) slab[b]; next }
	{
		for (p = $1; p < $1 + $2 && n < 600; p += 2)
			if (int(p / 512) in slab) { print p; n++ }
	}' "$TMP/slab" -
}

# refused_free PFN: EBUSY, and the page is free. The kernel drains the per-CPU lists of a
# zone for a mark, so /proc/kpageflags shows each free page of $each_drain's zone as such
# afterwards.
refused_free() {
	[ "$RESULT" = EBUSY ] || return 1
	expect_eq "a mark that drains" ok "$(mark_raw "$each_drain 1")"
	expect_eq "its unmark" ok "$(tryio write "$FO"/unmark "$each_drain 1")"
	each_drains=$((each_drains + 1))
	free_now "$1"
}

# try_each FILE DRAIN: marks each of these pages, wherever its first neighbours have
# brought it. Counts in each_ok, each_free and each_drains. A page may be freed after it was
# refused, so it is tried twice. DRAIN is a page that can be marked, of the same zone.
try_each() {
	each_drain=$2
	each_ok=0 each_free=0 each_drains=0
	while read -r each_pfn; do
		result mark_raw "$each_pfn 1"
		if refused_free "$each_pfn"; then
			result mark_raw "$each_pfn 1"
		fi
		if refused_free "$each_pfn"; then
			note "PFN $each_pfn: $(sed -n 's/^reason //p' "$FO"/last_refusal)"
			each_free=$((each_free + 1))
		elif [ "$RESULT" = ok ]; then
			each_ok=$((each_ok + 1))
			note_mark "$each_pfn" 1
		fi
	done <"$1"
	expect_eq "pages that were refused while they were free" 0 "$each_free"
}

# refusing FILE DRAIN: try_each, as if the module refused the page of FILE
refusing() {
	refusing_pfn=$(cat "$1")
	mark_raw() {
		case $1 in
		"$refusing_pfn 1") echo EBUSY ;;
		*) tryio write "$FO"/mark "$1" ;;
		esac
	}
	try_each "$@"
}

# A mark of one page of a chunk leaves the others where the next mark finds them: in the
# buddy allocator, or on a per-CPU list, which is drained. To drain it counts as nothing.
shared_chunks() {
	used
	every_second >"$TMP/each"
	expect_at_least "free pages beside slab pages" 100 "$(wc -l <"$TMP/each")"
	each_clean=$(free_page_block "$SINK")
	stats_mark
	try_each "$TMP/each" "$each_clean"
	note "$each_ok of $(wc -l <"$TMP/each") pages marked"
	expect_at_least "pages marked" 100 "$each_ok"
	expect_stats "marks $((each_ok + each_drains))" "unmarks $each_drains"
	check_all "when marked"
	unmark_all
	each_clean=$(free_page_block "$B1")
	echo $((each_clean + 9)) >"$TMP/each"
	expect_failing "refused, and free" refusing "$TMP/each" $((each_clean + 100))
	check_all "after unmark"
	rm -rf "$TMP/used"
}

# refused PFN: it is, and for being the kernel's
refused() {
	[ "$(mark_raw "$1 1")" = EBUSY ] &&
		[ "$(sed -n '/^pfn /p; /^code /p' "$FO"/last_refusal | tr '\n' ' ')" = \
			"pfn $1 code kernel_memory " ]
}

# The kernel's own pages are refused, for the right reason. One may be freed before it is
# tried, so one of ten is enough.
kernel_pages() {
	oracle runs slab "$(kernel_range)" | awk 'NR % 3 == 0 && n++ < 10 { print $1 }' \
		>"$TMP/kernel"
	kernel_refused=0
	while read -r kernel_pfn; do
		if refused "$kernel_pfn"; then
			kernel_refused=$((kernel_refused + 1))
		elif [ "$(awk '!/^#/' "$FO"/ranges)" ]; then
			tryio write "$FO"/unmark all >/dev/null
		fi
	done <"$TMP/kernel"
	note "slab pages refused as such: $kernel_refused of $(wc -l <"$TMP/kernel")"
	expect_at_least "slab pages refused as such" 1 "$kernel_refused"
	mark "$(block_pfn "$B1" 5)" 1
	expect_failing "a free page" expect_status "" 0 refused "$(block_pfn "$B1" 7)"
	expect_eq "unmark it" ok "$(tryio write "$FO"/unmark "$(block_pfn "$B1" 7) 1")"
	check_all "after the refusals"
	unmark_all
}

run_tests free_pages shared_chunks kernel_pages
