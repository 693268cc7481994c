#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# "offctl mark --or-soft-offline". Outside ZONE_MOVABLE, the module cannot take a page of a
# process if kernel memory is in the same page block. With the option, the kernel's own
# soft offline retires such a page. The page stays poisoned until the machine reboots. In
# this test, hwpoison-inject removes the poison.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"

HWPOISON=/sys/kernel/debug/hwpoison
COST="hint: soft offline is the last resort: the kernel poisons the page until the machine reboots
hint: from Linux 6.12 on, a memory block with a poisoned page cannot come back online after it goes offline"

# addresses PFN: a page in the form in which offctl prints it
addresses() {
	printf '0x%016x-0x%016x' $(($1 * 4096)) $(($1 * 4096 + 4095))
}

# beside: a process has pages of $B2, which is in ZONE_NORMAL, and the kernel has the page
# with the PFN $KERNEL in the same page block. $TMP/beside lists some of these pages,
# which the module refuses for that reason.
beside() {
	[ -d "$HWPOISON" ] || modprobe hwpoison-inject ||
		skip "this kernel has no hwpoison-inject"
	mark_shape "$B2"
	to_zone "$B2" Normal
	# The process takes memory from ZONE_MOVABLE first, so there must be none.
	mark "$(block_start "$B1")" "$BLOCK_PAGES"
	mark "$(block_start "$B3")" "$BLOCK_PAGES"
	tenant_start 3000 "$B2"
	unmark "$(block_start "$B1")" "$BLOCK_PAGES"
	unmark "$(block_start "$B3")" "$BLOCK_PAGES"
	# The first page block with four of its pages, not side by side, and a free one.
	tenant_ask list | tr ' ' '\n' | sort -n >"$TMP/its"
	oracle runs buddy "$(block_range "$B2")" >"$TMP/free"
	awk '
	NR == FNR { for (i = 0; i < $2; i++) free[int(($1 + i) / 512)] = $1 + i; next }
	{
		b = int($1 / 512)
		if (!(b in free) || $1 <= last[b] + 1) next
		last[b] = $1
		list[b] = list[b] $1 "\n"
		if (++n[b] == 4) { printf "%d\n%s", free[b], list[b]; exit }
	}' "$TMP/free" "$TMP/its" >"$TMP/chosen"
	read -r KERNEL <"$TMP/chosen"
	tail -n +2 "$TMP/chosen" >"$TMP/beside"
	kernel_has "$KERNEL"
	note "the kernel's page: $KERNEL, pages of the process: $(tr '\n' ' ' <"$TMP/beside")"
	while read -r beside_pfn; do
		unchanged "a mark of PFN $beside_pfn" EBUSY mark_raw "$beside_pfn 1"
		expect_eq "the code" neighbour "$(sed -n 's/^code //p' "$FO"/last_refusal)"
		expect_eq "the page in the way" "$KERNEL" \
			"$(sed -n 's/^pfn //p' "$FO"/last_refusal)"
	done <"$TMP/beside"
	[ "$FAILED" = 0 ]
}

# beside_end: the process and the kernel's page are gone, and the pages can be marked
beside_end() {
	tenant_stop
	expect_status "the kernel's page goes" 0 rmmod kernel_page
	mark "$(page 4)" 1
	check_all "without the kernel's page"
	unmark_all
}

# page N: the N-th of these pages
page() {
	sed -n "$1p" "$TMP/beside"
}

corrupted() {
	awk '$1 == "HardwareCorrupted:" { print $2 }' /proc/meminfo
}

# soft ARGUMENT…: runs "offctl mark --or-soft-offline"
soft() {
	offctl mark "$@" >"$TMP/soft-out" 2>"$TMP/soft-err"
	soft_status=$?
	note "offctl mark $*: status $soft_status"
	sed 's/^/#   /' "$TMP/soft-out" "$TMP/soft-err"
}

# expect_soft WHEN STATUS OUTPUT ERRORS
expect_soft() {
	expect_eq "exit status $1" "$2" "$soft_status"
	expect_eq "output $1" "$3" "$(cat "$TMP/soft-out")"
	expect_eq "errors $1" "$4" "$(cat "$TMP/soft-err")"
}

# still_its WHEN PFN: the page belongs to the process, and is not poisoned
still_its() {
	expect_eq "PFN $2 is a page of the process $1" 1 \
		"$(tenant_ask list | tr ' ' '\n' | grep -cx "$2")"
	counted_poison=$(count_of hwpoison "$(oracle count "$2+1")")
	expect_eq "PFN $2 is poisoned $1" 0 "$counted_poison"
}

# retired WHEN PFN: the page is poisoned, not in use, and listed as such
retired() {
	retired_got=$(oracle count "$2+1")
	expect_eq "PFN $2 $1: poisoned, PageOffline, in the buddy allocator, LRU, mapped" \
		"1 0 0 0 0" "$(for retired_name in hwpoison offline buddy lru mapped; do
			count_of "$retired_name" "$retired_got"; done | tr '\n' ' ' | sed 's/ $//')"
	expect_eq "PFN $2 $1: pages of the process there" 0 \
		"$(tenant_ask list | tr ' ' '\n' | grep -cx "$2")"
	expect_eq "content of the process $1" "broken 0" "$(tenant_ask check)"
}

soft_listed() {
	expect_eq "states of PFN $1 in offctl list" "poisoned" \
		"$(offctl list -rno PFN,STATE 2>&1 | awk -v p="$1" '$1 == p { print $2 }')"
}

# undo PFN: removes the mark and the poison; the page is free
undo() {
	[ "${2-}" = unmarked ] ||
		expect_status "unmark PFN $1" 0 offctl unmark "pfn:$1" >/dev/null
	expect_eq "PFN $1 is poisoned after unmark" 1 \
		"$(count_of hwpoison "$(oracle count "$1+1")")"
	expect_eq "unpoison PFN $1" ok "$(tryio write "$HWPOISON/unpoison-pfn" "$1")"
	expect_eq "PFN $1 is poisoned after that" 0 \
		"$(count_of hwpoison "$(oracle count "$1+1")")"
}

refusal_hint() {
	echo "hint: $(addresses "$1"): $(sed -n 's/^reason //p' "$FO"/last_refusal); page $(
		printf '0x%x (PFN 0x%x)' $(($(sed -n 's/^pfn //p' "$FO"/last_refusal) * 4096)) \
			"$(sed -n 's/^pfn //p' "$FO"/last_refusal)")"
}

# soft_hints PFN: the lines about the cost, before and after
soft_hints() {
	echo "$COST
hint: 1 page (4 KiB) $(addresses "$1") stays poisoned until the machine reboots
hint: from Linux 6.12 on, block $B2 cannot come back online after going offline"
}

# With the option the page is retired. Without, it is refused, and unchanged.
retires() {
	beside || return
	retires_kb=$(corrupted) retires_n=0
	for retires_pfn in $(page 1) $(page 2); do
		soft "pfn:$retires_pfn"
		expect_soft "without the option" 1 "" "offctl: mark: $(addresses "$retires_pfn"): a page cannot be taken out of use (EBUSY)
$(refusal_hint "$retires_pfn")"
		still_its "without the option" "$retires_pfn"
		expect_eq "HardwareCorrupted without the option, in kB" \
			$((retires_kb + 4 * retires_n)) "$(corrupted)"
		check_accounts "without the option"
		expect_failing "a page that is not retired" retired "yet" "$retires_pfn"

		soft --or-soft-offline "pfn:$retires_pfn"
		retires_n=$((retires_n + 1))
		expect_soft "with the option" 0 \
			"soft-offlined 1 page (4 KiB) $(addresses "$retires_pfn")" \
			"$(soft_hints "$retires_pfn")"
		retired "after that" "$retires_pfn"
		soft_listed "$retires_pfn"
		expect_eq "HardwareCorrupted after that, in kB" \
			$((retires_kb + 4 * retires_n)) "$(corrupted)"
		# The kernel counts a page that it has retired in MemTotal.
		check_accounts "after that"
		check_everywhere "after that"
	done
	# A page that can be marked is not soft-offlined.
	soft --or-soft-offline "pfn:$(block_pfn "$B1" 7)"
	note_mark "$(block_pfn "$B1" 7)" 1
	expect_soft "of a page that can be marked" 0 \
		"marked 1 page (4 KiB) $(addresses "$(block_pfn "$B1" 7)")" ""
	expect_eq "HardwareCorrupted after a mark" $((retires_kb + 8)) "$(corrupted)"
	unmark "$(block_pfn "$B1" 7)" 1
	undo "$(page 1)"
	undo "$(page 2)"
	expect_eq "HardwareCorrupted at last" "$retires_kb" "$(corrupted)"
	check_all "at last"
	beside_end
}

# kernel_and WHEN PFN RANGE RANGE: offctl is asked for a page of the kernel and for the
# process's page PFN. It retires PFN and refuses the other, whichever comes first.
kernel_and() {
	kernel_when=$1 kernel_pfn=$2
	shift 2
	kernel_before=$(corrupted)
	soft "$@"
	expect_eq "exit status without the option, $kernel_when" 1 "$soft_status"
	expect_eq "output without the option, $kernel_when" "" "$(cat "$TMP/soft-out")"
	still_its "without the option, $kernel_when" "$kernel_pfn"
	expect_eq "HardwareCorrupted without the option, $kernel_when" \
		"$kernel_before" "$(corrupted)"
	soft --or-soft-offline "$@"
	expect_eq "exit status, $kernel_when" 64 "$soft_status"
	expect_eq "output, $kernel_when" \
		"soft-offlined 1 page (4 KiB) $(addresses "$kernel_pfn")" "$(cat "$TMP/soft-out")"
	expect_eq "lines about the kernel's page, $kernel_when" 1 \
		"$(grep -c "^offctl: mark: $(addresses "$KERNEL"): 1 page of 1 was not taken out of use: .*(EBUSY)\$" "$TMP/soft-err")"
	expect_eq "HardwareCorrupted, $kernel_when" $((kernel_before + 4)) "$(corrupted)"
	retired "with $kernel_when" "$kernel_pfn"
	soft_listed "$kernel_pfn"
}

# Memory that the kernel itself uses is never taken, and keeps no other page of the
# request from being retired.
kernel_memory() {
	beside || return
	kernel_kb=$(corrupted)
	soft --or-soft-offline "pfn:$KERNEL"
	expect_soft "of a page of the kernel" 1 "" "offctl: mark: $(addresses "$KERNEL"): a page cannot be taken out of use (EBUSY)
$(refusal_hint "$KERNEL")"
	expect_eq "the code" kernel_memory "$(sed -n 's/^code //p' "$FO"/last_refusal)"
	expect_eq "HardwareCorrupted" "$kernel_kb" "$(corrupted)"
	check_all "after that"
	kernel_and "the kernel's page first" "$(page 2)" "pfn:$KERNEL" "pfn:$(page 2)"
	kernel_and "the kernel's page second" "$(page 3)" "pfn:$(page 3)" "pfn:$KERNEL"
	undo "$(page 2)"
	undo "$(page 3)"
	expect_eq "HardwareCorrupted at last" "$kernel_kb" "$(corrupted)"
	beside_end
}

# It is not tried while a block goes offline.
hotplug() {
	beside || return
	hotplug_pid=$companion_pid
	hotplug_kb=$(corrupted)
	exec 6>&8 7<&9
	pin_page "$B1"
	hang_start "$B1" sysfs
	expect_eq "memory$B1 meanwhile" going-offline "$(block_state "$B1")"
	soft --or-soft-offline "pfn:$(page 1)"
	expect_soft "while a block goes offline" 1 "" "offctl: mark: $(addresses "$(page 1)"): 1 page of 1 was not taken out of use: soft offline: not tried while block $B1 goes offline"
	expect_eq "HardwareCorrupted" "$hotplug_kb" "$(corrupted)"
	# offctl does not see an offlining that begins later. The write does not end then,
	# and offctl gives it up. It makes no other.
	echo online >"$TMP/state"
	expect_status "hide the state" 0 mount --bind "$TMP/state" "$SYSMEM/memory$B1/state"
	soft --or-soft-offline=1500ms "pfn:$(page 1)" "pfn:$(page 2)"
	umount "$SYSMEM/memory$B1/state"
	hotplug_first=$(page 1) hotplug_second=$(page 2)
	[ "$hotplug_first" -lt "$hotplug_second" ] ||
		hotplug_first=$(page 2) hotplug_second=$(page 1)
	expect_soft "that does not end" 1 "" "$COST
offctl: mark: $(addresses "$hotplug_first"): 1 page of 1 was not taken out of use: soft offline: given up after 1.5 s; the kernel may still finish it
offctl: mark: $(addresses "$hotplug_second"): 1 page of 1 was not taken out of use: soft offline: not tried"
	expect_eq "HardwareCorrupted" "$hotplug_kb" "$(corrupted)"
	kill -USR1 "$hang_pid"
	wait "$hang_pid"
	expect_eq "the offlining" EINTR "$(cat "$TMP/hang")"
	tenant_stop
	exec 8>&6 9<&7 6>&- 7<&-
	companion_pid=$hotplug_pid
	# Either it is done now, or the kill came first and nothing has happened.
	wait_for "the write to end" no_child
	hotplug_done=$(count_of hwpoison "$(oracle count "$hotplug_first+1")")
	note "poisoned afterwards: $hotplug_done"
	expect_eq "HardwareCorrupted afterwards" $((hotplug_kb + 4 * hotplug_done)) "$(corrupted)"
	[ "$hotplug_done" = 0 ] || undo "$hotplug_first" unmarked
	still_its "at last" "$hotplug_second"

	# The twin: without an offlining it works, and the time limit does not matter.
	soft --or-soft-offline=60min "pfn:$hotplug_second"
	expect_soft "with nothing in the way" 0 \
		"soft-offlined 1 page (4 KiB) $(addresses "$hotplug_second")" \
		"$(soft_hints "$hotplug_second")"
	retired "with nothing in the way" "$hotplug_second"
	undo "$hotplug_second"
	expect_eq "HardwareCorrupted at last" "$hotplug_kb" "$(corrupted)"
	beside_end
}

# no_child: no process of offctl waits in the kernel any more
no_child() {
	! cat /proc/[0-9]*/status 2>/dev/null | awk '
	$1 == "Name:" { name = $2 }
	$1 == "State:" && name == "offctl" && $2 != "Z" { found = 1 }
	END { exit !found }'
}

run_tests retires kernel_memory hotplug
