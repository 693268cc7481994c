#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by tests/run: offctl needs no memory during an attempt to take a block offline.
# shellcheck disable=SC2154,SC2016

# needs NAME WANT COMMAND…: the counts of preload.c for "offctl offline" are WANT. COMMAND
# runs the program that follows it. If offctl may not lock pages, the page faults do not
# count, because the kernel may take pages away.
needs() {
	needs_name=$1 needs_want=$2
	shift 2
	tree guest
	rm -f "$work/report"
	"$@" env LD_PRELOAD="$built/sanitize/preload.so" PRELOAD_REPORT="$work/report" \
		"$plain" --sysroot "$T" offline --timeout 1000 32 >"$work/out" 2>"$work/err" </dev/null
	if [ "$can_lock" -eq 0 ]; then
		sed -i 's/^faults [0-9]*/faults 0/; s/^locked 0/locked 1/' "$work/report"
		echo "# no right to lock pages: page faults are not compared"
	fi
	[ -z "${needs_want##*faults some*}" ] &&
		sed -i 's/^faults \([3-9]\|[1-9][0-9]\{1,\}\)$/faults some/' "$work/report"
	if differs "counts" "$(lines "$needs_want")" "$(text "$work/report")" ||
	   ! grep -q 'offctl: offline: block 32: still online: .* (EBUSY)' "$work/err"; then
		not_ok "$needs_name"
	else
		ok "$needs_name"
	fi
}
# Bit 14 is CAP_IPC_LOCK.
can_lock=$((0x$(sed -n 's/^CapEff:[^0-9a-f]*//p' /proc/self/status) >> 14 & 1))
nothing="draws done
allocations 0
faults 0
locked 1"
needs "offline: no memory is needed during an attempt" "$nothing" env
# The twin: a thread that uses new memory is found. Its page faults are 3 or more, because
# the kernel may also need page tables.
needs "offline: memory that is needed is counted" "draws done
allocations 3
faults some
locked 1" env PRELOAD_WASTE=1
can_lock=0
# A user without the right to lock pages gets no error, and no memory is needed either.
if setpriv --bounding-set=-ipc_lock --inh-caps=-ipc_lock true 2>/dev/null; then
	needs "offline: without the right to lock pages" "$nothing" \
		setpriv --bounding-set=-ipc_lock --inh-caps=-ipc_lock sh -c 'ulimit -l 0; exec "$@"' sh
elif [ "$(id -u)" -ne 0 ]; then
	needs "offline: without the right to lock pages" "$nothing" sh -c 'ulimit -l 0; exec "$@"' sh
else
	ok "offline: without the right to lock pages # SKIP no setpriv"
fi
