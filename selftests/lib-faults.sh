# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# On top of lib-events.sh: the kernel's allocation failures, and the walk that lets each
# allocation of an operation fail.

# shellcheck disable=SC2030,SC2031  # each test counts for itself, in a subshell
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"

FAILSLAB=/sys/kernel/debug/failslab
FAILPAGE=/sys/kernel/debug/fail_page_alloc

# ---------------------------------------------------------------- the faults

# The caches of the kernel's own detectors. They do without an allocation that fails,
# but kmemleak gives up after some, and finds nothing from then on.
DETECTORS='kmemleak_object kmemleak_scan_area debug_objects_cache'

# faults_of slab|page: lets this kind of allocation fail, and no other
faults_of() {
	faults_kind=$1
	if [ ! -f /proc/thread-self/fail-nth ] || [ ! -d "$FAILSLAB" ] ||
	   [ ! -d "$FAILPAGE" ]; then
		skip "this kernel has no fail-nth, failslab or fail_page_alloc"
	fi
	for faults_dir in "$FAILSLAB" "$FAILPAGE"; do
		echo 0 >"$faults_dir/verbose"
		echo N >"$faults_dir/ignore-gfp-wait"
		# For a block that comes online, KASAN allocates thousands of pages as
		# its shadow. These allocations are not the module's.
		set_range "$faults_dir" reject kasan_mem_notifier
	done
	echo N >"$FAILPAGE/ignore-gfp-highmem"
	for faults_cache in /sys/kernel/slab/*; do
		case " $DETECTORS " in
		*" ${faults_cache##*/} "*) ;;
		*) echo 1 >"$faults_cache/failslab" ;;
		esac
	done 2>/dev/null # some are symbolic links
	echo Y >"$FAILSLAB/cache-filter"
	faults_anywhere
	case $1 in
	slab)
		# No allocation is that large.
		echo 63 >"$FAILPAGE/min-order" ;;
	page)
		echo 0 >"$FAILPAGE/min-order"
		# No function lies there, so no allocation of a slab fails.
		echo 2 >"$FAILSLAB/require-end"
		echo 1 >"$FAILSLAB/require-start" ;;
	esac
}

# set_range DIR require|reject FUNCTION: only allocations below this function fail, or
# none of them
set_range() {
	set_range=$(awk -v name="$3" '
	$3 == name { print "0x" $1; getline; print "0x" $1; exit }' /proc/kallsyms)
	[ -n "$set_range" ] || return 0
	echo "${set_range#*
}" >"$1/$2-end"
	echo "${set_range%%
*}" >"$1/$2-start"
}

faults_anywhere() {
	for faults_dir in "$FAILSLAB" "$FAILPAGE"; do
		echo 0 >"$faults_dir/require-start"
		echo 0xffffffffffffffff >"$faults_dir/require-end"
	done
}

# ---------------------------------------------------------------- the walk

# world: prints everything that an operation may change and everything that it must not.
# It has the pages that are listed, not the ranges, since an operation that fails may
# have split a range. It has the page flags of the places where the tests mark; each walk
# looks at all others at its end. A test calls this most often of all, so it takes few
# processes.
world() {
	set -- /proc/meminfo /proc/zoneinfo
	for world_b in $BLOCKS; do
		set -- "$@" "$SYSMEM/memory$world_b/state"
	done
	[ ! -d "$FO" ] || set -- "$@" "$FO/ranges" "$FO/inject" "$FO/stats"
	awk '
	function flush() { if (n) print "range", first, n, kind; n = 0 }
	FILENAME ~ /meminfo$/ { if (/^MemTotal/) print; next }
	FILENAME ~ /zoneinfo$/ {
		if (/^Node/) { zone = $2 $4; present = "" }
		if ($1 == "present") present = $2
		if ($1 == "managed") print zone, present, $2
		next
	}
	FILENAME ~ /ranges$/ {
		if (/^#/) next
		if (n && $1 == first + n && $3 $4 == kind) { n += $2; next }
		flush()
		first = $1; n = $2; kind = $3 $4
		next
	}
	{ flush() }
	FILENAME ~ /stats$/ { if (/^hook/ || /^pages/) print; next }
	{ print FILENAME, $0 }' "$@"
	oracle runs offline "$(block_pfn "$B2" 4096)+2048" "$(block_pfn "$B3" 0)+512"
}

# sizes: the same for an operation that chooses the place, and so the zone, itself
sizes() {
	world | awk '
	/^range/ || /^[0-9]+ [0-9]+$/ { next }
	/^[0-9]+,/ { present += $2; managed += $3; next }
	{ print }
	END { print "all zones", present, managed }'
}

# The caches that the module allocates from.
CACHES='fo_range radix_tree_node filp seq_file kmalloc-8 kmalloc-16 kmalloc-32
	kmalloc-64 kmalloc-96 kmalloc-128 kmalloc-192'

# objects: the number of objects in each of these caches. Shrinking a cache takes the
# freed objects out of KASAN's quarantine.
objects() {
	for objects_cache in $CACHES; do
		[ -d "/sys/kernel/slab/$objects_cache" ] || continue
		# Opening a file allocates, so it is opened before the shrinking.
		{
			echo 1 >"/sys/kernel/slab/$objects_cache/shrink"
			read -r objects_n _ <&7
		} 7<"/sys/kernel/slab/$objects_cache/objects"
		echo "$objects_cache $objects_n"
	done
}

# least FILE…: the smallest of the numbers of each cache. The kernel counts the slab from
# which a CPU allocates as full, so a number may be too large and is never too small.
least() {
	awk '!($1 in n) || $2 < n[$1] { n[$1] = $2 }
		END { for (i in n) print i, n[i] }' "$@"
}

objects_mark() {
	for _ in 1 2 3; do
		objects
	done >"$TMP/objects-all"
	least "$TMP/objects-all" >"$TMP/objects"
}

# The number of times that each failure is repeated. An object that is lost in each of
# them then stands out from the rest of the system. page_owner must be off, since it
# keeps an object for each stack that it sees for the first time.
REPEAT=20

# more_objects: the caches that have grown as if each failure had lost an object
more_objects() {
	least "$TMP/objects-all" >"$TMP/objects-now"
	awk -v limit="$REPEAT" 'FNR == NR { was[$1] = $2; next }
		$2 - was[$1] >= limit { print $1, "+" $2 - was[$1] }' \
		"$TMP/objects" "$TMP/objects-now"
}

# check_objects WHAT: no cache has grown like that since objects_mark
check_objects() {
	objects >"$TMP/objects-all"
	for _ in 1 2 3 4 5 6 7 8 9; do
		[ -n "$(more_objects)" ] || break
		objects >>"$TMP/objects-all"
	done
	expect_eq "$1: objects that became more" "" "$(more_objects)"
}

# walk WHAT ERRNOS WORLD UNDO TRYIO-ARGUMENT…: lets each allocation of one operation
# fail. The operation may fail with ERRNOS. WORLD prints what the operation changes, and
# the command UNDO undoes it. walk_repeat, for operations that take long, is used instead
# of REPEAT. walk_least is the least number of page allocations that can fail, if that is
# known.
walk() {
	walk_what=$1 walk_errnos=$2 walk_world=$3 walk_undo=$4
	shift 4
	"$walk_world" >"$TMP/before"
	result tryio "$@"
	walk_ok=${RESULT%% *}
	expect_eq "$walk_what, without a fault" ok "$walk_ok" || return
	"$walk_world" >"$TMP/after"
	eval "$walk_undo"
	expect_same "$walk_what, undone" before
	objects_mark

	walk_n=0 walk_failed=0 walk_survived=0
	while walk_n=$((walk_n + 1)); do
		result tryio -n "$walk_n" -r "${walk_repeat:-$REPEAT}" "$@"
		case $RESULT in
		*" none") break ;;
		ok*)
			walk_survived=$((walk_survived + 1))
			expect_same "$walk_what, although allocation $walk_n failed" after
			eval "$walk_undo" ;;
		*)
			walk_failed=$((walk_failed + 1))
			expect_clean "$walk_what, allocation $walk_n" "$RESULT"
			expect_same "$walk_what, allocation $walk_n failed" before ;;
		esac
		# Only a mistake in this script makes a walk that does not end.
		[ "$walk_n" -lt 1000 ] || { failed "$walk_what does not end"; return; }
	done
	expect_eq "$walk_what, all allocations walked" ok "${RESULT%% *}"
	expect_same "$walk_what, all allocations walked" after
	eval "$walk_undo"
	expect_same "$walk_what, undone at last" before
	case $faults_kind in
	slab)
		expect_at_least "$walk_what: failures" 1 "$walk_failed"
		check_objects "$walk_what" ;;
	page)
		# Code that wants several pages at once takes single pages instead.
		[ -z "${walk_least-}" ] ||
			expect_at_least "$walk_what: faults" "$walk_least" \
				"$((walk_failed + walk_survived))" ;;
	esac
	note "walked $faults_kind: $walk_what: $((walk_n - 1)) allocations," \
		"$walk_failed failures, $walk_survived survived"
	[ ! -d "$BALLOON" ] || balloon_note
	if [ -d "$FO" ]; then
		check_all "after the walk of: $walk_what"
	else
		check_accounts "after the walk of: $walk_what"
	fi
}

# expect_clean WHEN RESULT: RESULT is "ERRNO failed" with one of walk_errnos
expect_clean() {
	clean_got=${2% failed}
	clean_got=${clean_got#open:}
	case " $walk_errnos " in
	*" $clean_got "*) clean_got=clean ;;
	esac
	expect_eq "$1: errno" clean "$clean_got"
}

# expect_same WHEN before|after: the world is as it was then
expect_same() {
	"$walk_world" >"$TMP/now"
	cmp -s "$TMP/$2" "$TMP/now" && { CHECKS=$((CHECKS + 1)); return; }
	expect_eq "$1, it is as $2" "$(cat "$TMP/$2")" "$(cat "$TMP/now")"
}
