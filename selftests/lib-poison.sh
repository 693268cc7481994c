# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# On top of lib.sh, for hwpoison.sh: a DIMM of its own, hardware-poisoned pages and the
# test's record of them, and what must hold for them.

# shellcheck disable=SC2031  # each test counts for itself, in a subshell
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

HWPOISON=/sys/kernel/debug/hwpoison
POISON=$TMP/poison	# the test's record: "PFN 1" a line

# ---------------------------------------------------------------- a DIMM

dimm_block() {
	D=$(block_numbers | tail -n 1)
	[ "$D" -gt "$SINK" ] && [ -f "$SYSMEM/memory$D/state" ]
}

dimm_is_gone() {
	[ ! -d "$SYSMEM/memory$D" ]
}

# needed: skips the test on a machine or a kernel without what it needs
needed() {
	command -v qemu-monitor >/dev/null ||
		skip "a DIMM is plugged in and out: vm/run can do that"
	[ -d "$HWPOISON" ] || modprobe hwpoison-inject ||
		skip "this kernel has no hwpoison-inject"
}

# dimm_plug: plugs memory$D, one more block under test, in ZONE_MOVABLE, with marks
dimm_plug() {
	needed
	dimm_number=$((${dimm_number:-0} + 1))
	qemu-monitor "object_add memory-backend-ram,id=hwmem$dimm_number,size=$((BLOCK_PAGES * 4096))"
	qemu-monitor "device_add pc-dimm,id=hwdimm$dimm_number,memdev=hwmem$dimm_number"
	wait_for "a hot-added block" dimm_block || return
	BLOCKS="$BLOCKS $D"
	one_more_block 1
	[ "$(block_state "$D")" = online ] || go "$D" online_movable
	expect_eq "zone of memory$D" Movable "$(block_zone "$D")"
	: >"$POISON"
	mark_shape "$D"
	check_all "with a new DIMM"
	return 0
}

# dimm_unplug: unplugs it, and nothing of it is left
dimm_unplug() {
	unmark_all
	[ "$(block_state "$D")" = offline ] || go "$D" offline
	qemu-monitor "device_del hwdimm$dimm_number"
	wait_for "the block to go" dimm_is_gone || return
	qemu-monitor "object_del hwmem$dimm_number"
	BLOCKS=${BLOCKS% "$D"}
	one_more_block -1
	: >"$POISON"
	check_all "without the DIMM"
}

# ---------------------------------------------------------------- poison

# poison_try WAY PFN: prints the result of a write
poison_try() {
	case $1 in
	corrupt) tryio write "$HWPOISON/corrupt-pfn" "$2" ;;
	hard) tryio write "$SYSMEM/hard_offline_page" $(($2 * 4096)) ;;
	soft) tryio write "$SYSMEM/soft_offline_page" $(($2 * 4096)) ;;
	undo) tryio write "$HWPOISON/unpoison-pfn" "$2" ;;
	esac
}

hardware_corrupted() {
	awk '$1 == "HardwareCorrupted:" { print $2 }' /proc/meminfo
}

# poison WAY PFN RESULT: poisons the page
poison() {
	poison_kb=$(hardware_corrupted)
	expect_eq "poison PFN $2 ($1)" "$3" "$(poison_try "$1" "$2")"
	expect_eq "the kernel counts it, in kB" 4 \
		$(($(hardware_corrupted) - poison_kb))
	echo "$2 1" >>"$POISON"
}

unpoison() {
	expect_eq "unpoison PFN $1" ok "$(poison_try undo "$1")"
	sed -i "/^$1 /d" "$POISON"
}

# check_poison WHEN: exactly those pages of the block are poisoned, and none of them is in
# the buddy allocator
check_poison() {
	expect_eq "poisoned pages of memory$D $1" \
		"$(sort -n "$POISON" | awk '
		n && $1 == s + n { n++; next }
		n { print s, n }
		{ s = $1; n = 1 }
		END { if (n) print s, n }')" \
		"$(oracle runs hwpoison "$(block_range "$D")")"
	[ ! -s "$POISON" ] || expect_eq "poisoned pages in the buddy allocator $1" \
		0 "$(count_of buddy "$(oracle count "@$POISON")")"
}

# The module does not read a canary in a poisoned page. Also sets POISONED, the number of
# poisoned pages among the marked ones.
canaries_unread() {
	read -r UNREAD POISONED <<-SUMS
		$(awk '
		NR == FNR { poison[$1] = 1; next }
		{
			for (pfn in poison)
				if (pfn >= $1 && pfn < $1 + $2) {
					all++
					unread += $4
				}
		}
		END { print unread + 0, all + 0 }' "$POISON" "$TMP/marks-online")
	SUMS
}

# retired_listed WHEN PFN NR: the kernel had retired these pages, and they are marked
retired_listed() {
	expect_eq "retired pages are listed as poisoned $1" "$2 $3 poisoned" \
		"$(awk -v s="$2" '$1 == s { print $1, $2, $9 }' "$FO"/ranges)"
	expect_eq "PageOffline pages among them $1" 0 \
		"$(count_of offline "$(oracle count "$2+$3")")"
}

# expect_retired WHEN PFN NR: these pages stay poisoned, and unpoisoning does not free
# them, because the module holds a reference
expect_retired() {
	retired_listed "$@"
	expect_eq "unpoison a retired page that is marked $1" EBUSY \
		"$(poison_try undo "$2")"
	expect_eq "retired pages in the buddy allocator $1" 0 \
		"$(count_of buddy "$(oracle count "$2+$3")")"
	expect_eq "retired pages that are still poisoned $1" "$3" \
		"$(count_of hwpoison "$(oracle count "$2+$3")")"
}

# check_both WHEN
check_both() {
	check_all "$1"
	if [ "$(block_state "$D")" = online ]; then
		check_poison "$1"
	fi
}

# free_page OFFSET: a page of memory$D in the buddy allocator, there or behind
free_page() {
	oracle runs buddy "$(block_pfn "$D" "$1")+256" |
		awk 'NR == 1 { print $1 }'
}

# The answer of this kernel to onlining a block with poisoned pages.
poison_keeps_blocks_offline() {
	grep -q ' memblk_nr_poison_inc$' /proc/kallsyms
}
