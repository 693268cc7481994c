#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Each allocation that an operation makes fails once. The kernel counts them for
# a task (/proc/thread-self/fail-nth) and lets the N-th fail; N goes up until
# there is no N-th any more. Each time: the operation has failed with a clean
# errno and nothing has changed, or it has succeeded all the same and all has.
#
# Slab caches and pages are walked one after the other: what else the allocator
# does on the way, such as to fill a cache, moves the counts, and less so then.

# shellcheck disable=SC2317,SC2031,SC2030  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"

FAILSLAB=/sys/kernel/debug/failslab
FAILPAGE=/sys/kernel/debug/fail_page_alloc

# ---------------------------------------------------------------- the faults

# Detectors allocate what they need beside what they watch. They live without
# it, but kmemleak not for ever, and would find nothing then.
DETECTORS='kmemleak_object kmemleak_scan_area debug_objects_cache'

# faults_of slab|page: which allocations count
faults_of() {
	faults_kind=$1
	if [ ! -f /proc/thread-self/fail-nth ] || [ ! -d "$FAILSLAB" ] ||
	   [ ! -d "$FAILPAGE" ]; then
		skip "this kernel has no fail-nth, failslab or fail_page_alloc"
	fi
	for faults_dir in "$FAILSLAB" "$FAILPAGE"; do
		echo 0 >"$faults_dir/verbose"
		echo N >"$faults_dir/ignore-gfp-wait"
		# KASAN's shadow for a block that comes online is thousands of
		# pages: faults in there are the kernel's own affair.
		set_range "$faults_dir" reject kasan_mem_notifier
	done
	echo N >"$FAILPAGE/ignore-gfp-highmem"
	for faults_cache in /sys/kernel/slab/*; do
		case " $DETECTORS " in
		*" ${faults_cache##*/} "*) ;;
		*) echo 1 >"$faults_cache/failslab" ;;
		esac
	done 2>/dev/null # some are aliases
	echo Y >"$FAILSLAB/cache-filter"
	faults_anywhere
	case $1 in
	slab)
		# no allocation is that large
		echo 63 >"$FAILPAGE/min-order" ;;
	page)
		echo 0 >"$FAILPAGE/min-order"
		# nothing is called from there
		echo 2 >"$FAILSLAB/require-end"
		echo 1 >"$FAILSLAB/require-start" ;;
	esac
}

# set_range DIR require|reject FUNCTION: only what it calls, or nothing of that
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

# world: all that an operation may change, and what must not change with it.
# Which ranges are listed is not in it, but which pages: a range may have been
# split in vain. Of the page flags only those where the tests mark; the rest is
# looked at after each walk. In as few processes as possible: there is nothing
# that a test does more often.
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

# sizes: the same where the module, or chance, chooses the place, and so the zone
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

# objects: what they hold. Shrinking takes the freed ones out of
# KASAN's quarantine.
objects() {
	for objects_cache in $CACHES; do
		[ -d "/sys/kernel/slab/$objects_cache" ] || continue
		# opening a file allocates, so it is open before
		{
			echo 1 >"/sys/kernel/slab/$objects_cache/shrink"
			read -r objects_n _ <&7
		} 7<"/sys/kernel/slab/$objects_cache/objects"
		echo "$objects_cache $objects_n"
	done
}

# least FILE…: of each, the smallest of these numbers. The kernel takes a slab
# that a CPU allocates from for full, so that it says too many, and never too few.
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

# How often each failure is made to happen. What gets lost once each time is then
# seen above what the rest of the system does meanwhile. page_owner must be off: it
# keeps an object for each stack that it has not seen yet.
REPEAT=20

# more_objects: which have grown as they would if each failure lost one
more_objects() {
	least "$TMP/objects-all" >"$TMP/objects-now"
	awk -v limit="$REPEAT" 'FNR == NR { was[$1] = $2; next }
		$2 - was[$1] >= limit { print $1, "+" $2 - was[$1] }' \
		"$TMP/objects" "$TMP/objects-now"
}

# check_objects WHAT: none has, since objects_mark
check_objects() {
	objects >"$TMP/objects-all"
	for _ in 1 2 3 4 5 6 7 8 9; do
		[ -n "$(more_objects)" ] || break
		objects >>"$TMP/objects-all"
	done
	expect_eq "$1: objects that became more" "" "$(more_objects)"
}

# walk WHAT ERRNOS WORLD UNDO TRYIO-ARGUMENT…: of one operation, each allocation.
# ERRNOS are those it may fail with, WORLD tells what it changes, UNDO, a
# command, undoes it. What takes long is repeated less often: walk_repeat. Of pages,
# there are walk_least that can fail, if that is known.
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
		# a walk that does not end would be a mistake of this script
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
		# Whoever asks for some pages at once takes single ones if he must.
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

# expect_clean WHEN RESULT: "ERRNO failed", an errno that it may have
expect_clean() {
	clean_got=${2% failed}
	clean_got=${clean_got#open:}
	case " $walk_errnos " in
	*" $clean_got "*) clean_got=clean ;;
	esac
	expect_eq "$1: errno" clean "$clean_got"
}

# expect_same WHEN before|after
expect_same() {
	"$walk_world" >"$TMP/now"
	cmp -s "$TMP/$2" "$TMP/now" && { CHECKS=$((CHECKS + 1)); return; }
	expect_eq "$1, it is as $2" "$(cat "$TMP/$2")" "$(cat "$TMP/now")"
}

undo() { # FILE TEXT
	undo_got=$(tryio write "$FO/$1" "$2")
	[ "$undo_got" = ok ] || expect_eq "undo by $2 into $1" ok "$undo_got"
}

unmark_it() {
	undo unmark all
}

# as_marked: the marks that the test began with
as_marked() {
	unmark_it
	undo mark "$as_marked"
}

# marked TEXT: these lines, noted
marked() {
	as_marked=$1
	echo "$1" >"$TMP/batch"
	mark_batch "$TMP/batch"
}

# To take the hook's slot and to give it back waits for the hotplug lock, which
# takes long. Somebody else's page, which "unmark all" leaves alone, keeps it.
anchor() {
	balloon_load chunk=1 from="$(block_pfn "$B1" 50)"
	balloon_set pages 1
	balloon_note
}

# ---------------------------------------------------------------- operations

mark_walks() {
	faults_of slab
	anchor
	walk_repeat=2
	mw_p=$(block_pfn "$B2" 4100)
	mw_lines="$mw_p 1
$((mw_p + 2)) 5 canary
$((mw_p + 900)) 1 unskippable
$(block_pfn "$B3" -30) 60"
	walk "mark $(echo "$mw_lines" | tr '\n' ',')" "ENOMEM EBUSY" world unmark_it \
		write "$FO"/mark "$mw_lines"
	walk "mark any 500" "ENOMEM EBUSY" sizes unmark_it \
		write "$FO"/mark "any 500 zone=Movable"
	balloon_unload
}

# Text, and what is made of it, that no slab is large enough for.
mark_many() {
	faults_of page
	walk_repeat=2 walk_least=2
	mm_lines=$(awk -v s="$(block_pfn "$B2" 4100)" \
		'BEGIN { for (i = 0; i < 500; i++) print s + 2 * i, 1, "unskippable" }')
	walk "mark in 500 lines" "ENOMEM EBUSY" world unmark_it \
		write "$FO"/mark "$mm_lines"
}

# With the slot to be taken.
mark_first() {
	faults_of slab
	walk_repeat=2
	walk "mark the first range" "ENOMEM EBUSY" world unmark_it \
		write "$FO"/mark "$(block_pfn "$B2" 4100) 50 unskippable canary"
}

# Beside other marks: the tree has nodes, the hook is held, the block watched.
mark_beside() {
	faults_of slab
	walk_repeat=2
	sparse_lines "$B2" 100 >"$TMP/batch"
	mark_batch "$TMP/batch"
	mb_p=$(block_pfn "$B2" 20000)
	for mb_text in "$mb_p 10" "$(block_pfn "$B3" 10) 3"; do
		walk "mark $mb_text, beside others" "ENOMEM EBUSY" world \
			"undo unmark '$mb_text'" write "$FO"/mark "$mb_text"
	done
	walk "unmark one of many" ENOMEM world "undo mark '$(head -n 1 "$TMP/batch")'" \
		write "$FO"/unmark "$(block_pfn "$B2" 100) 1"
	unmark_all
}

unmark_walks() {
	faults_of slab
	anchor
	uw_p=$(block_pfn "$B2" 4100)
	marked "$uw_p 1000
$((uw_p + 1000)) 500
$((uw_p + 1800)) 100 unskippable"
	for uw_text in "$((uw_p + 1)) 1498" all "$((uw_p + 10)) 10
$((uw_p + 1400)) 10
$((uw_p + 1810)) 10"; do
		walk "unmark $(echo "$uw_text" | tr '\n' ',')" ENOMEM world as_marked \
			write "$FO"/unmark "$uw_text"
	done
	balloon_unload
	unmark_all
}

skippable_walks() {
	faults_of slab
	anchor
	sw_p=$(block_pfn "$B2" 4100)
	marked "$sw_p 1000
$((sw_p + 1000)) 500 unskippable"
	for sw_text in "$((sw_p + 10)) 10 0" "$((sw_p + 500)) 600 1"; do
		walk "skippable $sw_text" ENOMEM world as_marked \
			write "$FO"/skippable "$sw_text"
	done
	balloon_unload
	unmark_all
}

reading() { # slab|page
	faults_of "$1"
	mark_shape "$B2"
	for reading_file in ranges verify stats inject last_failure; do
		walk "read $reading_file" ENOMEM world : read "$FO/$reading_file"
	done
	walk "arm an injection" ENOMEM world "undo inject clear" \
		write "$FO"/inject "offline late -16 3"
	unmark_all
}

# The kernel's own notifiers say NOTIFY_BAD for want of memory, which is EPERM.
HOTPLUG_ERRNOS='ENOMEM EBUSY EPERM'

hotplug() { # slab|page sysfs|debugfs
	faults_of "$1"
	mark_shape "$B2"
	walk_repeat=2
	case $2 in
	sysfs)
		set -- "$SYSMEM/memory$B2/state" offline \
			"$SYSMEM/memory$B2/state" online_movable sysfs ;;
	debugfs)
		set -- "$FO/block_offline" "$B2" \
			"$FO/block_online" "$B2 online_movable" debugfs ;;
	esac
	walk "offline by $5" "$HOTPLUG_ERRNOS" world "go $B2 online_movable" \
		write "$1" "$2"
	go "$B2" offline
	walk "online by $5" "$HOTPLUG_ERRNOS" world "go $B2 offline" write "$3" "$4"
	go "$B2" online_movable
	unmark_all
}

# While the block is offline, there is only what the module remembers of it.
while_offline() {
	faults_of slab
	walk_repeat=2
	marked "$(block_pfn "$B2" 4100) 1000"
	go "$B2" offline
	walk "skippable in an offline block" ENOMEM world "undo skippable '$as_marked 1'" \
		write "$FO"/skippable "$as_marked 0"
	walk "mark in another one" "ENOMEM EBUSY" world \
		"undo unmark '$(block_pfn "$B3" 7) 9'" \
		write "$FO"/mark "$(block_pfn "$B3" 7) 9"
	go "$B2" online_movable
	check_all "with the block online"
	unmark_all
}

# In one range, as it was.
client_again() {
	balloon_set pages 0
	balloon_set pages 200
}

client() {
	faults_of slab
	walk_repeat=2
	mark "$(block_pfn "$B1" 50)" 1
	balloon_load chunk=256
	walk "inflate the sample" "ENOMEM EBUSY" sizes "balloon_set pages 0" \
		write "$BALLOON"/pages 200
	balloon_set pages 200
	walk "deflate the sample by a part" ENOMEM sizes client_again \
		write "$BALLOON"/pages 77
	balloon_unload
	unmark_all
}

# The module's own part of loading, which is what its init function calls. The
# rest is the kernel's.
loading() { # slab|page
	faults_of "$1"
	loading_file=$(find "/lib/modules/$(uname -r)" -name 'fake[-_]offline.ko')
	expect_status "rmmod" 0 rmmod fake_offline
	for loading_dir in "$FAILSLAB" "$FAILPAGE"; do
		# but for the way that is off
		[ $(($(cat "$loading_dir/require-start"))) != 0 ] ||
			set_range "$loading_dir" require do_one_initcall
	done
	walk_repeat=5
	walk "load the module" ENOMEM world "rmmod fake_offline" \
		load "$loading_file" "skip=$FO_SKIP"
	faults_anywhere
	expect_status "modprobe" 0 load_module
	check_all "with the module loaded"
}

# ---------------------------------------------------------------- the twins

# A fault is one: -n 1 fails, a number that is too large does not, and without
# -n nothing does.
twins() {
	faults_of slab
	twins_p=$(block_pfn "$B2" 4100)
	expect_eq "-n 1" "open:ENOMEM failed" "$(tryio -n 1 read "$FO"/ranges)"
	expect_eq "-n 100000" "none" \
		"$(tryio -n 100000 read "$FO"/ranges | sed 's/^ok [0-9]* //')"
	expect_eq "without" ok "$(tryio write "$FO"/mark "$twins_p 1")"
	unmark_it
	faults_of page
	echo 63 >"$FAILPAGE/min-order"
	expect_eq "with both ways off" "none" \
		"$(tryio -n 1 read "$FO"/ranges | sed 's/^ok [0-9]* //')"
	faults_of slab

	# an operation that fails, and has done something: a page at a time
	marked "$twins_p 100"
	walk_what=twin walk_errnos=ENOMEM walk_world=world
	world >"$TMP/before"
	undo unmark "$((twins_p + 50)) 1"
	expect_failing "one page handed back" expect_same twin before
	as_marked
	expect_same "as it was" before
	undo skippable "$((twins_p + 50)) 1 0"
	expect_failing "one page not skippable" expect_same twin before
	as_marked
	undo inject "offline late -16 1"
	expect_failing "an injection armed" expect_same twin before
	undo inject clear
	go "$B3" offline
	expect_failing "another block offline" expect_same twin before
	go "$B3" online_movable
	expect_same "as it was" before
	expect_failing "an errno that is not documented" expect_clean twin "EIO failed"

	# objects that stay: a range each, in a cache of its own
	objects_mark
	check_objects "with nothing lost"
	sparse_lines "$B3" 100 | sed "${REPEAT}q" >"$TMP/batch"
	tryio write "$FO"/mark <"$TMP/batch" >/dev/null
	expect_failing "$REPEAT ranges that stay" check_objects twin
	as_marked
	check_objects "with nothing lost"
	unmark_all
}

run_tests twins mark_walks mark_many mark_first mark_beside unmark_walks \
	skippable_walks "reading slab" "reading page" "hotplug slab debugfs" \
	"hotplug slab sysfs" "hotplug page debugfs" while_offline client \
	"loading slab" "loading page"
