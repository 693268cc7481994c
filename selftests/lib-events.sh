# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# On top of lib.sh: the sample client, the trace, and the reasons of failures.

# shellcheck disable=SC2030,SC2031  # each test counts for itself, in a subshell
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

BALLOON=/sys/kernel/debug/fake_offline_balloon
TRACE=/sys/kernel/tracing

# ---------------------------------------------------------------- the client

balloon_load() { # [PARAMETER…]
	expect_status "modprobe fake_offline_balloon $*" 0 \
		modprobe fake_offline_balloon "$@"
}

# "modprobe -r" would unload fake_offline as well.
balloon_unload() {
	expect_status "rmmod fake_offline_balloon" 0 rmmod fake_offline_balloon
	balloon_forget
}

# balloon_set FILE VALUE: writes to "pages", "refuse" or "leave"
balloon_set() {
	expect_eq "$2 into $1 of the balloon" ok "$(tryio write "$BALLOON/$1" "$2")"
}

balloon_pages() {
	cat "$BALLOON/pages"
}

# owned_by CLIENT: the ranges of this client, in the form of $MARKS
owned_by() {
	awk -v owner="$1" '!/^#/ && $7 == owner { print $1, $2, $3, $4 }' "$FO"/ranges
}

# pages_in BLOCK: the number of pages in this block, of the list on stdin
pages_in() {
	awk -v b="$1" -v bp="$BLOCK_PAGES" '
	{
		from = $1 > b * bp ? $1 : b * bp
		to = $1 + $2 < (b + 1) * bp ? $1 + $2 : (b + 1) * bp
		if (to > from) sum += to - from
	}
	END { print sum + 0 }'
}

# The balloon chooses the places of its pages. Its list is read once, and the oracles
# tell whether these pages are marked.
balloon_note() {
	balloon_forget
	owned_by balloon >"$TMP/balloon"
	expect_eq "the balloon's ranges sum up to its size" \
		"$(marks_pages <"$TMP/balloon")" "$(balloon_pages)"
	cat "$TMP/balloon" >>"$MARKS"
}

balloon_forget() {
	[ ! -s "$TMP/balloon" ] || {
		grep -vxFf "$TMP/balloon" "$MARKS" >"$MARKS.new"
		mv "$MARKS.new" "$MARKS"
	}
	rm -f "$TMP/balloon"
}

# balloon_noted BLOCK: the number of its pages there
balloon_noted() {
	pages_in "$1" <"$TMP/balloon"
}

# expect_events WHEN GOING CANCEL OFFLINE ONLINE UNPLUGGED: the events that the balloon
# was told of since it was loaded
expect_events() {
	expect_eq "events $1" "going_offline $2
cancel_offline $3
offline $4
online $5
unplugged $6" "$(cat "$BALLOON/events")"
}

# ---------------------------------------------------------------- the trace

# trace_start: begins to trace
trace_start() {
	grep -q " $TRACE tracefs " /proc/mounts ||
		expect_status "mount tracefs" 0 mount -t tracefs tracefs "$TRACE"
	# The kernel patches its scheduler to record the names of tasks. QEMU's emulation
	# died of that in the middle of a wakeup (7.3).
	echo 0 >"$TRACE/options/record-cmd"
	echo 1 >"$TRACE/events/fake_offline/enable"
	echo >"$TRACE/trace"
	echo 1 >"$TRACE/tracing_on"
	expect_eq "the events of fake_offline are on" 1 \
		"$(cat "$TRACE/events/fake_offline/enable")"
}

trace_stop() {
	[ ! -d "$TRACE/events/fake_offline" ] ||
		echo 0 >"$TRACE/events/fake_offline/enable"
	echo >"$TRACE/trace"
}

# trace_read: the events since then, oldest first: "EVENT FIELD=VALUE…". The owner and
# the flags are left out; the test "owner" of trace.sh looks at these.
trace_read() {
	sed -n 's/ owner=[^ ]* flags=0x[0-9a-f]*$//
		s/^[^#].*: fake_offline_\([a-z_]*: .*\)/\1/p' "$TRACE/trace"
}

# expect_trace WHEN LINE…: exactly these events since the last trace_start. The trace
# begins anew.
expect_trace() {
	et_when=$1
	shift
	expect_eq "trace $et_when" "$([ $# = 0 ] || printf '%s\n' "$@")" "$(trace_read)"
	echo >"$TRACE/trace"
}

# traced EVENT START NR RESULT: prints a line for expect_trace
traced() {
	printf '%s: pfn=0x%x count=%d block=%d result=%d' "$1" "$2" "$3" \
		$(($2 / BLOCK_PAGES)) "$4"
}

# traced_block EVENT BLOCK RESULT, traced_inject BLOCK RESULT ACTION POINT,
# traced_veto BLOCK RESULT CULPRIT REASON
traced_block() {
	traced "$1" "$(block_start "$2")" "$BLOCK_PAGES" "$3"
}

traced_inject() {
	printf '%s action=%s point=%s' "$(traced_block inject "$1" "$2")" "$3" "$4"
}

traced_veto() {
	printf '%s culprit=%d reason="%s"' "$(traced_block veto "$1" "$2")" "$3" "$4"
}

# ---------------------------------------------------------------- why

hex() {
	printf '0x%x' "$1"
}

# failure_value NAME: a value of last_failure
failure_value() {
	sed -n "s/^$1 //p" "$FO"/last_failure
}

# failure_lines: last_failure without the age, the code and the owner
failure_lines() {
	sed '/^age_s /d; /^code /d; /^owner /d' "$FO"/last_failure
}

# log_last: the last line of the kernel's log with a failure that the module reports
log_last() {
	dmesg | sed -n 's/.*fake_offline: \(PFN 0x[0-9a-f]*-0x[0-9a-f]*: .*\)/\1/p' | tail -n 1
}

# log_reason BLOCK TEXT: prints a line as log_last() finds it
log_reason() {
	printf 'PFN 0x%x-0x%x: %s' "$(block_start "$1")" \
		$(($(block_start "$1") + BLOCK_PAGES - 1)) "$2"
}

# expect_reason WHEN BLOCK RESULT PFN TEXT: the last failure was of that block, with that
# errno (-125, ECANCELED: the module does not know it). That page was in the way (-1: no
# page), and every place that has the words for it has these. Needs trace_start before
# the first failure.
expect_reason() {
	expect_eq "last_failure $1" "count $(trace_read | grep -c ^veto:)
errno $3
start_pfn $(block_start "$2")
nr_pages $BLOCK_PAGES
pfn $4
reason $5" "$(failure_lines)"
	expect_eq "last line of verify $1" "last_failure $5" \
		"$(tail -n 1 "$FO"/verify)"
	expect_eq "kernel log $1" "$(log_reason "$2" "$5")" "$(log_last)"
	expect_eq "trace $1" "$(traced_veto "$2" "$3" "$4" "$5")" \
		"$(trace_read | grep ^veto: | tail -n 1)"
}

# expect_offctl WHEN BLOCK TEXT: "offctl offline" fails and prints this reason
expect_offctl() {
	offctl offline "$2" >"$TMP/offctl" 2>&1
	expect_eq "exit status of offctl offline $1" 1 $?
	expect_eq "offctl offline $1: lines with the reason" 1 \
		"$(grep -cF "$3" "$TMP/offctl")"
	expect_eq "offctl offline $1: lines in all" 2 "$(wc -l <"$TMP/offctl")"
}

# ---------------------------------------------------------------- hanging

# hang_start BLOCK VIA COMMAND…: takes a block offline in the background. The block has a
# pinned page of the tenant, so that the offlining does not end. Returns when all other
# pages have been migrated. COMMAND is put before the write, for example a time limit.
hang_start() {
	hang_block=$1 hang_via=$2
	shift 2
	case $hang_via in
	sysfs) "$@" tryio write "$SYSMEM/memory$hang_block/state" offline >"$TMP/hang" 2>&1 & ;;
	debugfs) "$@" tryio write "$FO"/block_offline "$hang_block" >"$TMP/hang" 2>&1 & ;;
	esac
	hang_pid=$!
	while kill -0 "$hang_pid" 2>/dev/null &&
	      [ "$(tenant_ask where)" != "inside 1" ]; do
		usleep 10000
	done
}

# pin_page BLOCK [longpin]: sets PIN to the PFN of a page in the block that the tenant
# has pinned
pin_page() {
	tenant_start 20 "$1"
	pin_answer=$(tenant_ask "${2:-pin}")
	expect_eq "a page is pinned" pfn "${pin_answer% *}"
	# shellcheck disable=SC2034  # for the test
	PIN=${pin_answer#pfn }
}

# kernel_has PFN [OPTION]: the kernel allocates this page for itself; see
# modules/kernel-page.c
kernel_has() {
	kernel_has=$1
	shift
	expect_status "the kernel has PFN $kernel_has" 0 \
		modprobe kernel-page pfn="$kernel_has" "$@"
}

kernel_has_not() {
	expect_status "the kernel frees its page" 0 modprobe -r kernel-page
}

# expect_refusal WHAT PFN CODE REASON: these lines are in last_refusal
expect_refusal() {
	expect_eq "last_refusal $1" "pfn $2
code $3
reason $4" "$(sed -n '/^pfn /p; /^reason /p; /^code /p' "$FO"/last_refusal)"
}

# hanging: $B2 goes offline until the test ends that
hanging() {
	pin_page "$B2"
	hang_start "$B2" sysfs
	expect_eq "memory$B2 meanwhile" going-offline "$(block_state "$B2")"
}

# end_hanging: a signal ends the offlining that hanging() began
end_hanging() {
	kill -USR1 "$hang_pid"
	wait "$hang_pid"
	expect_eq "the offlining" EINTR "$(cat "$TMP/hang")"
	tenant_stop
}

# in_write PID: this process is in write(2)
in_write() {
	[ "$(sed 's/ .*//' "/proc/$1/syscall" 2>/dev/null)" = 1 ]
}

# ---------------------------------------------------------------- other drivers

VIRTIO_MEM=/sys/bus/virtio/drivers/virtio_mem

# virtio_mem on|off: loads the driver, which must find a device, or unloads it
virtio_mem() {
	case $1 in
	on) expect_status "modprobe virtio_mem" 0 modprobe virtio_mem
	    expect_eq "devices of virtio_mem" 1 \
		"$(find "$VIRTIO_MEM" -name 'virtio*' -type l | wc -l)" ;;
	off) expect_status "rmmod virtio_mem" 0 rmmod virtio_mem ;;
	esac
}

# ---------------------------------------------------------------- guests of their own

# four_movable: for scripts that want all four blocks, $B1 to $B4, in ZONE_MOVABLE. Each
# of them can go offline, and there is no sink. Called before run_tests, in a guest in
# which no other kind of script has run.
four_movable() {
	FO_BASE=$FO_BASE-movable
	# shellcheck disable=SC2034  # for record_base()
	WITH_SINK=no
}
