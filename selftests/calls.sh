#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Functions and callbacks of the API that the sample client does not use. A client calls
# them on request: fake_offline_abort() for a take that waits,
# fake_offline_release_nowait() from a shrinker, and the callback "hook".

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"

CALLER=/sys/kernel/debug/fake_offline_caller

caller_load() {
	[ -n "$(find "/lib/modules/$(uname -r)/" -name 'fake[-_]offline[-_]caller.ko*')" ] ||
		skip "there is no module fake_offline_caller: selftests/modules"
	expect_status "modprobe fake_offline_caller" 0 modprobe fake_offline_caller
}

caller_unload() {
	expect_status "rmmod fake_offline_caller" 0 rmmod fake_offline_caller
}

# call FILE TEXT: prints the result of a write
call() {
	tryio write "$CALLER/$1" "$2"
}

# caller_took START NR: the client must get these pages
caller_took() {
	mark_patiently "$1+$2" call take "$1 $2"
	expect_eq "take $1 $2" ok "$RESULT"
	note_mark "$1" "$2"
}

# seen NAME: one of the client's counts
seen() {
	awk -v name="$1" '$1 == name { print $2 }' "$CALLER/seen"
}

# expect_seen WHEN "NAME NUMBER"…
expect_seen() {
	seen_when=$1
	shift
	for seen_pair; do
		expect_eq "${seen_pair% *} $seen_when" "${seen_pair#* }" \
			"$(seen "${seen_pair% *}")"
	done
}

# listed START OWNER
listed() {
	[ "$(awk -v s="$1" '$1 == s { print $7 }' "$FO"/ranges)" = "$2" ]
}

# still_waits PID WHAT: this task waits for a second and longer
still_waits() {
	wait_for "$2 to begin" in_write "$1"
	sleep 1
	expect_status "$2 waits" 0 kill -0 "$1"
}

# waiting_take: the client has taken the first page of a request. It waits for the
# second one, whose block goes offline.
waiting_take() {
	waiting_at=$(block_pfn "$B1" 77)
	tryio write "$CALLER/take" "$waiting_at 30
$(block_pfn "$B2" 50) 1" >"$TMP/take" 2>&1 &
	take_pid=$!
	wait_for "its first range" listed "$waiting_at" caller
	still_waits "$take_pid" "the take"
}

# A take under way ends with ECANCELED and leaves nothing. Other takes go on.
aborted() {
	caller_load
	hanging
	waiting_take
	tryio write "$FO"/mark "$(block_pfn "$B2" 60) 1" >"$TMP/mark" 2>&1 &
	mark_pid=$!
	still_waits "$mark_pid" "another client's mark"
	expect_eq "abort" ok "$(call abort 1)"
	wait "$take_pid"
	expect_eq "the take" ECANCELED "$(cat "$TMP/take")"
	check_listed "after the abort"
	counted oracle count "$waiting_at+30"
	expect_eq "PageOffline pages of it" 0 "$C_offline"
	expect_eq "memory$B2 meanwhile" going-offline "$(block_state "$B2")"
	still_waits "$mark_pid" "another client's mark, after the abort,"
	end_hanging
	wait "$mark_pid"
	expect_eq "that mark" ok "$(cat "$TMP/mark")"
	note_mark "$(block_pfn "$B2" 60)" 1
	check_all "after the abort"
	check_everywhere "after the abort"
	# A later take is not aborted.
	caller_took "$waiting_at" 30
	check_all "after a take that came later"
	caller_unload
	forget "$waiting_at" 30
	check_all "without the client"
	unmark_all
}

# The twin: without an abort, the take waits, and gets all pages after the offlining.
not_aborted() {
	caller_load
	# No take is under way that this abort could end.
	expect_eq "abort" ok "$(call abort 1)"
	hanging
	waiting_take
	expect_status "the take has not ended" 0 kill -0 "$take_pid"
	end_hanging
	wait "$take_pid"
	not_aborted_take=$(cat "$TMP/take")
	# A page may be busy for long on a slow machine; that is no abort.
	for _ in 1 2 3 4 5 6 7 8; do
		[ "$not_aborted_take" = EBUSY ] || break
		not_aborted_take=$(call take "$waiting_at 30
$(block_pfn "$B2" 50) 1")
	done
	expect_eq "the take" ok "$not_aborted_take"
	note_mark "$waiting_at" 30
	note_mark "$(block_pfn "$B2" 50)" 1
	check_all "with both ranges"
	caller_unload
	: >"$MARKS"
	check_all "without the client"
}

# shrink_slabs: makes the kernel ask each shrinker
shrink_slabs() {
	echo 2 >/proc/sys/vm/drop_caches
}

# A shrinker releases pages and does not sleep.
shrinker() {
	caller_load
	shrinker_a=$(block_pfn "$B2" 5000) shrinker_b=$(block_pfn "$B3" 5000)
	caller_took "$shrinker_a" 3000
	caller_took "$shrinker_b" 100
	shrink_slabs
	expect_seen "with nothing to release" "scans 0" "released 0"
	check_all "with nothing to release"
	expect_eq "arm" ok "$(call shrink "$shrinker_a 3000")"
	shrink_slabs
	forget "$shrinker_a" 3000
	expect_seen "after one range" "scans 1" "released 3000" "last_error 0" "slept 0"
	check_all "after one range"
	check_everywhere "after one range"
	# A part of a range that was taken.
	expect_eq "arm" ok "$(call shrink "$((shrinker_b + 20)) 30")"
	shrink_slabs
	forget $((shrinker_b + 20)) 30
	expect_seen "after a part" "scans 2" "released 3030" "last_error 0" "slept 0"
	check_all "after a part"
	# Pages that the client does not have.
	mark "$shrinker_a" 10
	for shrinker_try in "-1 $shrinker_a 10" "-2 $((shrinker_b + 20)) 30"; do
		expect_eq "arm" ok "$(call shrink "${shrinker_try#* }")"
		shrink_slabs
		expect_seen "after ${shrinker_try#* }" "last_error ${shrinker_try%% *}" \
			"released 3030" "slept 0"
	done
	expect_eq "disarm" ok "$(call shrink "0 0")"
	check_all "after refusals"
	check_hog "after refusals" "$B2"
	caller_unload
	unmark_all
	check_all "without the client"
}

# A hotplug operation works on these pages: the release returns EAGAIN at once. Pages that
# the operation does not cover are released.
shrinker_hotplug() {
	caller_load
	hotplug_a=$(block_pfn "$B2" 5000) hotplug_b=$(block_pfn "$B3" 5000)
	caller_took "$hotplug_a" 300
	caller_took "$hotplug_b" 300
	hanging
	expect_eq "arm" ok "$(call shrink "$hotplug_a 300")"
	shrink_slabs
	expect_at_least "scans" 1 "$(seen scans)"
	expect_seen "while its block goes offline" "again $(seen scans)" \
		"last_error -11" "released 0" "slept 0"
	expect_eq "from a plain task" EAGAIN "$(call nowait "$hotplug_a 300")"
	check_listed "while its block goes offline"
	expect_eq "arm" ok "$(call shrink "$hotplug_b 300")"
	shrink_slabs
	forget "$hotplug_b" 300
	expect_seen "of another block" "last_error 0" "released 300" "slept 0"
	check_listed "after another block's"
	# The twin: the release that may sleep waits.
	tryio write "$CALLER/release" "$hotplug_a 300" >"$TMP/release" 2>&1 &
	release_pid=$!
	still_waits "$release_pid" "a release"
	kill -USR1 "$release_pid"
	wait "$release_pid"
	expect_eq "the release, interrupted" EINTR "$(cat "$TMP/release")"
	expect_at_least "how often it slept" 1 "$(seen release_slept)"
	check_listed "after the release was interrupted"
	end_hanging
	check_all "after the offlining"
	expect_eq "from a plain task, afterwards" ok "$(call nowait "$hotplug_a 300")"
	forget "$hotplug_a" 300
	expect_seen "at last" "slept 0"
	check_all "at last"
	# The block can go offline, and its pages are forgotten while it is offline.
	caller_took "$hotplug_a" 300
	go "$B2" offline
	expect_eq "arm" ok "$(call shrink "$hotplug_a 300")"
	shrink_slabs
	forget "$hotplug_a" 300
	expect_seen "while its block is offline" "last_error 0" "released 600" "slept 0"
	check_all "while its block is offline"
	go "$B2" online_movable
	check_all "with the block online"
	caller_unload
	check_all "without the client"
}

# shrunk PAGES
shrunk() {
	[ "$(seen released)" = "$1" ]
}

# Memory is really short. A process takes so much of it that the kernel begins to reclaim.
# The kernel does that early here, while three tenths of a zone are still free.
pressure() {
	caller_load
	pressure_s=$(block_pfn "$B2" 4096)
	caller_took "$pressure_s" 8192
	mark "$(block_pfn "$B2" 100)" 50 canary
	check_all "when taken"
	expect_eq "arm" ok "$(call shrink "$pressure_s 8192")"
	pressure_was=$(cat /proc/sys/vm/watermark_scale_factor)
	echo 3000 >/proc/sys/vm/watermark_scale_factor
	pressure_n=$(awk '$1 == "MemFree:" { print int($2 / 4 * 0.8) }' /proc/meminfo)
	# The twin: nothing is released while there is enough memory.
	expect_failing "nothing is released before" expect_status "" 0 shrunk 8192
	companion_start "a process has most of the memory" "pages $pressure_n" \
		worker "$pressure_n" 10
	wait_for "the kernel to ask the shrinker" shrunk 8192
	expect_seen "when memory was short" "released 8192" "last_error 0" "slept 0"
	expect_at_least "... by a task that reclaims memory" 1 "$(seen in_reclaim)"
	forget "$pressure_s" 8192
	check_all "when memory was short"
	check_everywhere "when memory was short"
	companion_stop
	echo "$pressure_was" >/proc/sys/vm/watermark_scale_factor
	# This also empties the lists of the CPUs, which have grown meanwhile.
	go "$B2" offline
	go "$B2" online_movable
	check_hog "after that" "$B2"
	caller_unload
	unmark_all
	check_all "without the client"
}

# told LOST HELD WHEN: the client was told this often; a worker tells it, with a delay
told() {
	wait_for "the callback $3" told_so "$1" "$2"
	usleep 300000
	expect_seen "$3" "hook_lost $1" "hook_held $2"
}

told_so() {
	[ "$(seen hook_lost) $(seen hook_held)" = "$1 $2" ]
}

# The callback "hook" comes once when the slot cannot be taken, and once when it is taken
# after all. hook_told taken|left: another driver holds the slot, or the module leaves it
# to the driver of the device
hook_told() {
	hook_force=/sys/module/fake_offline/parameters/hook_force
	hook_was=$(cat "$hook_force")
	echo 1 >"$hook_force"
	caller_load
	# The twin: the slot is free, and the client is told nothing.
	caller_took "$(block_pfn "$B1" 5)" 10
	expect_eq "hook" held "$(stat_value hook)"
	expect_eq "give it back" ok "$(call release "$(block_pfn "$B1" 5) 10")"
	: >"$MARKS"
	expect_eq "hook" free "$(stat_value hook)"
	told 0 0 "with a slot that is free"

	case $1 in
	taken) virtio_mem on ;;
	left) echo 0 >"$hook_force" ;;
	esac
	mark "$(block_pfn "$B2" 5)" 10
	expect_eq "hook" "$1" "$(stat_value hook)"
	told 1 0 "when it cannot be had"
	mark "$(block_pfn "$B3" 5)" 10
	caller_took "$(block_pfn "$B1" 5)" 10
	told 1 0 "after more marks"
	case $1 in
	taken) virtio_mem off ;;
	left) echo 1 >"$hook_force" ;;
	esac
	mark "$(block_pfn "$B1" 50)" 10
	expect_eq "hook" held "$(stat_value hook)"
	told 1 1 "when it is had after all"
	mark "$(block_pfn "$B1" 70)" 10
	told 1 1 "after one more mark"
	go "$B2" offline
	go "$B2" online_movable
	check_all "with the slot"
	caller_unload
	forget "$(block_pfn "$B1" 5)" 10
	unmark_all
	echo "$hook_was" >"$hook_force"
	check_all "without the client"
}

# A request that does not wait drains no list. So it cannot know whether a page without a
# reference and a type is free, and says so. A request that waits knows.
once() {
	caller_load
	once_pfn=$(block_pfn "$B2" 1001)
	kernel_has "$once_pfn" frozen=1
	expect_eq "once" EBUSY "$(call once "$once_pfn 1")"
	expect_refusal "of a request that does not wait" "$once_pfn" transient \
		"PFN $(printf %#x "$once_pfn") is on the free list of a CPU, or is memory of the kernel: only a request that waits can tell"
	expect_eq "take" EBUSY "$(call take "$once_pfn 1")"
	expect_eq "code of a request that waits" "code kernel_memory" \
		"$(grep '^code ' "$FO"/last_refusal)"
	kernel_has_not
	expect_eq "once, when the kernel has freed it" ok "$(call once "$once_pfn 1")"
	note_mark "$once_pfn" 1
	check_all "when it is taken"
	caller_unload
	: >"$MARKS"
	check_all "without the client"
}

# The tests of the hook need a guest with a virtio-mem device.
if grep -q . /sys/bus/virtio/devices/*/device 2>/dev/null &&
   grep -q 0x0018 /sys/bus/virtio/devices/*/device; then
	drop_virtio_mem
	run_tests aborted not_aborted once shrinker shrinker_hotplug pressure \
		"hook_told taken" "hook_told left"
else
	run_tests aborted not_aborted once shrinker shrinker_hotplug pressure
fi
