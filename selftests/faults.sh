#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Each allocation that an operation makes fails once. The kernel counts the allocations of
# a task (/proc/thread-self/fail-nth) and lets the N-th one fail. N goes up until there is
# no N-th allocation. Each time, either the operation has failed with a clean errno and
# nothing has changed, or it has succeeded and all has changed.
#
# Allocations from slab caches and allocations of pages are walked separately. The
# allocator also allocates for itself, for example to fill a cache, which changes the
# counts. Separate walks keep that small.

# shellcheck disable=SC2317,SC2031,SC2030  # the tests are called by run_tests
# shellcheck source=lib-faults.sh
. "$(dirname "$0")/lib-faults.sh"

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

# marked TEXT: makes the marks in these lines, and notes them
marked() {
	as_marked=$1
	echo "$1" >"$TMP/batch"
	mark_batch "$TMP/batch"
}

# anchor: taking the slot of the hook, and giving it back, waits for the hotplug lock,
# which takes long. A page of another client, which "unmark all" leaves alone, keeps it.
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

# The text, and what the module makes of it, is too large for any slab.
mark_many() {
	faults_of page
	walk_repeat=2 walk_least=2
	mm_lines=$(awk -v s="$(block_pfn "$B2" 4100)" \
		'BEGIN { for (i = 0; i < 500; i++) print s + 2 * i, 1, "unskippable" }')
	walk "mark in 500 lines" "ENOMEM EBUSY" world unmark_it \
		write "$FO"/mark "$mm_lines"
}

# The slot has to be taken.
mark_first() {
	faults_of slab
	walk_repeat=2
	walk "mark the first range" "ENOMEM EBUSY" world unmark_it \
		write "$FO"/mark "$(block_pfn "$B2" 4100) 50 unskippable canary"
}

# Other marks are there: the tree has nodes, the hook is held, the block is watched.
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

# The kernel's own notifiers answer NOTIFY_BAD when memory is short, which is EPERM.
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

# While the block is offline, only the record of the module exists.
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

# The pages are in one range again, as before.
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

# The walk covers the module's own part of loading, which its init function calls. The
# rest is the kernel's.
loading() { # slab|page
	faults_of "$1"
	loading_file=$(find "/lib/modules/$(uname -r)" -name 'fake[-_]offline.ko')
	expect_status "rmmod" 0 rmmod fake_offline
	for loading_dir in "$FAILSLAB" "$FAILPAGE"; do
		# The kind of allocation that is off stays off.
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

# One fault is one: -n 1 fails, a number that is too large does not, and without -n no
# allocation fails.
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

	# The operation fails and has changed one page.
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

	# Objects stay: one for each range, in a cache of their own.
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
