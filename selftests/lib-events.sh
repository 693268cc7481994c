# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# On top of lib.sh: the sample client, the trace, and why something failed.

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

# Not "modprobe -r", which would take fake_offline away with it.
balloon_unload() {
	expect_status "rmmod fake_offline_balloon" 0 rmmod fake_offline_balloon
	balloon_forget
}

# balloon_set FILE VALUE: of "pages", "refuse", "leave"
balloon_set() {
	expect_eq "$2 into $1 of the balloon" ok "$(tryio write "$BALLOON/$1" "$2")"
}

balloon_pages() {
	cat "$BALLOON/pages"
}

# owned_by CLIENT: the ranges as $MARKS has them
owned_by() {
	awk -v owner="$1" '!/^#/ && $7 == owner { print $1, $2, $3, $4 }' "$FO"/ranges
}

# pages_in BLOCK: how many of these pages lie in it; the list is on stdin
pages_in() {
	awk -v b="$1" -v bp="$BLOCK_PAGES" '
	{
		from = $1 > b * bp ? $1 : b * bp
		to = $1 + $2 < (b + 1) * bp ? $1 + $2 : (b + 1) * bp
		if (to > from) sum += to - from
	}
	END { print sum + 0 }'
}

# The balloon chooses its places by itself. Where they are, is asked once; that
# they are what a mark must be, the oracles tell.
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

# balloon_noted BLOCK: how many pages it has there
balloon_noted() {
	pages_in "$1" <"$TMP/balloon"
}

# expect_events WHEN GOING CANCEL OFFLINE ONLINE UNPLUGGED: what it was told,
# since it was loaded
expect_events() {
	expect_eq "events $1" "going_offline $2
cancel_offline $3
offline $4
online $5
unplugged $6" "$(cat "$BALLOON/events")"
}

# ---------------------------------------------------------------- the trace

# trace_start: from now on
trace_start() {
	grep -q " $TRACE tracefs " /proc/mounts ||
		expect_status "mount tracefs" 0 mount -t tracefs tracefs "$TRACE"
	# To know the names of tasks, the kernel would patch its scheduler; QEMU's
	# emulation was seen to die of that, in the middle of a wakeup (7.3).
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

# trace_read: what happened since, oldest first: "EVENT FIELD=VALUE…", without the
# owner and the flags; trace.sh owner looks at these
trace_read() {
	sed -n 's/ owner=[^ ]* flags=0x[0-9a-f]*$//
		s/^[^#].*: fake_offline_\([a-z_]*: .*\)/\1/p' "$TRACE/trace"
}

# expect_trace WHEN LINE…: exactly that since the last trace_start; it begins
# anew
expect_trace() {
	et_when=$1
	shift
	expect_eq "trace $et_when" "$([ $# = 0 ] || printf '%s\n' "$@")" "$(trace_read)"
	echo >"$TRACE/trace"
}

# traced EVENT START NR RESULT: a line as expect_trace wants it
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

# failure_value NAME: of last_failure
failure_value() {
	sed -n "s/^$1 //p" "$FO"/last_failure
}

# failure_lines: last_failure, but for the age, the code and the owner
failure_lines() {
	sed '/^age_s /d; /^code /d; /^owner /d' "$FO"/last_failure
}

# The module's last line about a failure in the kernel's log.
log_last() {
	dmesg | sed -n 's/.*fake_offline: \(PFN 0x[0-9a-f]*-0x[0-9a-f]*: .*\)/\1/p' | tail -n 1
}

# log_reason BLOCK TEXT: a line as log_last() finds it
log_reason() {
	printf 'PFN 0x%x-0x%x: %s' "$(block_start "$1")" \
		$(($(block_start "$1") + BLOCK_PAGES - 1)) "$2"
}

# expect_reason WHEN BLOCK RESULT PFN TEXT: the last failure was of that block,
# with that errno, as far as the module knows it (-125, ECANCELED: it does not);
# that page was in the way (-1: none), and these are the words for it, in every
# place that has them. Needs trace_start, when none had failed yet.
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

# expect_offctl WHEN BLOCK TEXT: what "offctl offline" says when it fails
expect_offctl() {
	offctl offline "$2" >"$TMP/offctl" 2>&1
	expect_eq "exit status of offctl offline $1" 1 $?
	expect_eq "offctl offline $1: lines with the reason" 1 \
		"$(grep -cF "$3" "$TMP/offctl")"
	expect_eq "offctl offline $1: lines in all" 2 "$(wc -l <"$TMP/offctl")"
}

# ---------------------------------------------------------------- hanging

# hang_start BLOCK VIA COMMAND…: in the background, the offlining of a block
# that has a pinned page of the tenant and so does not end. Comes back when all
# else has been migrated. COMMAND goes in front of it, such as a time limit.
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

# pin_page BLOCK [longpin]: sets PIN to the PFN of a page in the block that
# somebody holds
pin_page() {
	tenant_start 20 "$1"
	pin_answer=$(tenant_ask "${2:-pin}")
	expect_eq "a page is pinned" pfn "${pin_answer% *}"
	# shellcheck disable=SC2034  # for the test
	PIN=${pin_answer#pfn }
}

# hanging: $B2 is going offline, for as long as the test wants
hanging() {
	pin_page "$B2"
	hang_start "$B2" sysfs
	expect_eq "memory$B2 meanwhile" going-offline "$(block_state "$B2")"
}

# end_hanging: a signal ends what hanging began
end_hanging() {
	kill -USR1 "$hang_pid"
	wait "$hang_pid"
	expect_eq "the offlining" EINTR "$(cat "$TMP/hang")"
	tenant_stop
}

# in_write PID: it has come to its write(2)
in_write() {
	[ "$(sed 's/ .*//' "/proc/$1/syscall" 2>/dev/null)" = 1 ]
}

# ---------------------------------------------------------------- other drivers

VIRTIO_MEM=/sys/bus/virtio/drivers/virtio_mem

# virtio_mem on|off: its driver has a device, or there is no driver
virtio_mem() {
	case $1 in
	on) expect_status "modprobe virtio_mem" 0 modprobe virtio_mem
	    expect_eq "devices of virtio_mem" 1 \
		"$(find "$VIRTIO_MEM" -name 'virtio*' -type l | wc -l)" ;;
	off) expect_status "rmmod virtio_mem" 0 rmmod virtio_mem ;;
	esac
}

# ---------------------------------------------------------------- guests of their own

# four_movable: for scripts that want all four blocks in ZONE_MOVABLE, so that
# each of them can go: $B1 to $B4, and no sink. Called before run_tests, in a
# guest that no other kind of script has run in.
four_movable() {
	FO_BASE=$FO_BASE-movable
	# shellcheck disable=SC2034  # for record_base()
	WITH_SINK=no
}
