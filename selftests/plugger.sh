#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The sample client samples/fake-offline-plugger takes a place without memory. A DIMM is
# plugged there, and none of its pages is in use until the client plugs it. The client
# plugs and unplugs sub-blocks. Its memory blocks go offline and online, and are unplugged
# and plugged again.
#
# This script needs a guest with qemu-monitor and a free DIMM slot:
#	vm/run --dimm 256M --dimm 256M -- plugger.sh
# The third DIMM, dimm3, lies behind the others. Its two blocks are $R1 and $R2.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"
four_movable

PLUGGER=/sys/kernel/debug/fake_offline_plugger
AUTO_ONLINE=$SYSMEM/auto_online_blocks
MIB=$((1024 * 1024))
# The pages of a sub-block, by default.
SUB=512

# region: the checks of lib.sh cover $R1 and $R2, too. At first they count as offline
# blocks. A block that is absent has no file "state", and counts as offline, too.
region() {
	R1=$((B4 + 1)) R2=$((B4 + 2))
	BLOCKS="$BLOCKS $R1 $R2"
	BASE_TOTAL=$((BASE_TOTAL + 4 * 2 * BLOCK_PAGES))
	BASE_ZONES=$(echo "$BASE_ZONES" | awk -v more=$((2 * BLOCK_PAGES)) '
	$1 == 0 && $2 == "Movable" { $3 += more; $4 += more }
	{ print }')
}

dimm_there() {
	[ -e "$SYSMEM/memory$R1/state" ] && [ -e "$SYSMEM/memory$R2/state" ] &&
		return
	# QEMU refuses until the firmware has finished a removal.
	qemu-monitor device_add "pc-dimm,id=dimm3,memdev=mem3,addr=$(hex "$REGION_START")"
	usleep 500000
	return 1
}

dimm_gone() {
	[ ! -e "$SYSMEM/memory$R1" ] && [ ! -e "$SYSMEM/memory$R2" ]
}

# dimm_add STATE: plugs the DIMM; its blocks must come up in that state
dimm_add() {
	REGION_START=$((R1 * BLOCK_PAGES * 4096))
	qemu-monitor object_add "memory-backend-ram,id=mem3,size=$((2 * BLOCK_PAGES * 4096))"
	wait_for "dimm3 to come" dimm_there
	for add_b in $R1 $R2; do
		wait_for "memory$add_b to be $1" is_state "$add_b" "$1"
	done
}

is_state() {
	[ "$(block_state "$1")" = "$2" ]
}

# dimm_del: unplugs it; the kernel takes its blocks offline by itself
dimm_del() {
	qemu-monitor device_del dimm3
	wait_for "dimm3 to go" dimm_gone
}

# withheld_all: $MARKS is the whole region
withheld_all() {
	: >"$MARKS"
	note_mark "$(block_start "$R1")" $((2 * BLOCK_PAGES))
}

# withheld_but N: $MARKS is the region without its first N sub-blocks, which the plugger
# plugs first
withheld_but() {
	withheld_all
	forget "$(block_start "$R1")" $(($1 * SUB))
}

# withheld_note N: a busy page may make the plugger unplug another sub-block. So its list
# is read once. The test checks that N whole sub-blocks are plugged, and the oracles check
# their pages.
withheld_note() {
	owned_by plugger >"$MARKS"
	expect_eq "pages of the region that the plugger has" \
		$((2 * BLOCK_PAGES - $1 * SUB)) "$(marks_pages <"$MARKS")"
	expect_eq "ranges of the plugger that are no whole sub-blocks" "" \
		"$(awk -v s="$SUB" '$1 % s || $2 % s' "$MARKS")"
}

plugger_load() {
	expect_status "modprobe fake_offline_plugger" 0 \
		modprobe fake_offline_plugger \
		region_start=$((R1 * BLOCK_PAGES * 4096)) \
		region_size=$((2 * BLOCK_PAGES * 4096))
	withheld_all
}

plugger_unload() {
	expect_status "rmmod fake_offline_plugger" 0 rmmod fake_offline_plugger
	: >"$MARKS"
}

plugger_set() { # FILE VALUE
	expect_eq "$2 into $1 of the plugger" ok "$(tryio write "$PLUGGER/$1" "$2")"
}

plugged_is() {
	[ "$(cat "$PLUGGER/plugged_size")" = "$1" ]
}

# plug_to MIB: requests that size, and waits until it is reached
plug_to() {
	plugger_set requested_size $(($1 * MIB))
	wait_for "$1 MiB to be plugged" plugged_is $(($1 * MIB))
	expect_eq "the plugged size" $(($1 * MIB)) "$(cat "$PLUGGER/plugged_size")"
}

# expect_told WHEN "GOING_OFFLINE CANCEL OFFLINE" "GOING_ONLINE CANCEL ONLINE"
# UNPLUGGED
expect_told() {
	# shellcheck disable=SC2046  # a list of numbers
	set -- "$1" "$2 $3 $4 0" $(awk '{ print $2 }' "$PLUGGER/events")
	told_when=$1 told_want=$2
	shift 2
	expect_eq "events of the plugger $told_when" "$told_want" "$*"
}

# no_buddy WHEN BLOCK…: every page of these blocks is PageOffline, and none is in the
# buddy allocator
no_buddy() {
	nb_when=$1
	shift
	for nb_b; do
		counted oracle count "$(block_range "$nb_b")"
		expect_eq "memory$nb_b: PageOffline, in the buddy allocator $nb_when" \
			"$BLOCK_PAGES 0" "$C_offline $C_buddy"
	done
}

# arrived: the plugger is loaded, then the DIMM is plugged, then its blocks come online
arrived() {
	region
	plugger_load
	dimm_add offline
	go "$R1" online_movable
	go "$R2" online_movable
	check_all "with the DIMM online"
}

leave() {
	[ ! -d "$PLUGGER" ] || plugger_unload
	dimm_del
	check_all "without the DIMM"
	check_everywhere "without the DIMM"
}

# with_marks TEXT ASSERT…: runs the assert with TEXT as $MARKS
with_marks() {
	cp "$MARKS" "$TMP/marks-real"
	echo "$1" >"$MARKS"
	shift
	"$@"
	cp "$TMP/marks-real" "$MARKS"
}

# The place is taken while it is absent. All pages are withheld whatever brings the memory
# online.
first_onlining() {
	region
	plugger_load
	first_total=$(mem_total)
	check_all "while absent"
	dimm_add offline
	check_all "while offline"
	go "$R1" online_movable
	no_buddy "online by sysfs" "$R1"
	check_all "with one block online"
	go "$R2" online_movable debugfs
	no_buddy "online by debugfs" "$R2"
	check_all "with both blocks online"
	go "$R2" offline
	go "$R2" online_kernel
	no_buddy "in another zone" "$R2"
	check_all "with one block in another zone"
	expect_eq "MemTotal in kB" "$first_total" "$(mem_total)"
	expect_eq "the plugged size" 0 "$(cat "$PLUGGER/plugged_size")"
	expect_told "after that" "1 0 1" "3 0 3" 0
	expect_failing "pages that are withheld, taken for memory" \
		with_marks "" check_accounts "as if the plugger had none"
	expect_failing "pages that are withheld, by the kernel's flags" \
		with_marks "" check_everywhere "as if the plugger had none"

	# The twin: without the plugger, the same DIMM is ordinary memory.
	go "$R2" offline
	plugger_unload
	go "$R1" offline
	dimm_del
	dimm_add offline
	go "$R1" online_movable
	expect_failing "pages of the DIMM without the plugger" no_buddy "" "$R1"
	expect_eq "MemTotal in kB without the plugger" \
		$((first_total + 4 * BLOCK_PAGES)) "$(mem_total)"
	check_all "without the plugger"
	leave
}

# The kernel itself brings the memory online as soon as it is there.
auto_online() {
	region
	plugger_load
	read -r auto_before <"$AUTO_ONLINE"
	echo online_movable >"$AUTO_ONLINE"
	dimm_add online
	echo "$auto_before" >"$AUTO_ONLINE"
	no_buddy "online by the kernel" "$R1" "$R2"
	check_all "online by the kernel"
	expect_told "after that" "0 0 0" "2 0 2" 0
	expect_failing "pages that are withheld, taken for memory" \
		with_marks "" check_accounts "as if the plugger had none"
	leave
}

# The sizes are exact, and only some users may write them.
plug_and_unplug() {
	arrived
	sizes_total=$(mem_total)
	plug_to 6
	expect_eq "MemTotal with 3 sub-blocks, in kB" $((sizes_total + 3 * 2048)) \
		"$(mem_total)"
	sizes_before=$(cat "$MARKS")
	withheld_but 3
	check_all "with 3 sub-blocks"
	expect_failing "3 sub-blocks more" \
		with_marks "$sizes_before" check_accounts "as if none were plugged"
	expect_failing "3 sub-blocks more, by the kernel's flags" \
		with_marks "$sizes_before" check_everywhere "as if none were plugged"

	sizes_before=$(cat "$MARKS")
	plug_to 4
	expect_eq "MemTotal with 2 sub-blocks, in kB" $((sizes_total + 2 * 2048)) \
		"$(mem_total)"
	withheld_note 2
	check_all "with 2 sub-blocks"
	expect_failing "one sub-block less" \
		with_marks "$sizes_before" check_accounts "as if 3 were plugged"

	for sizes_bad in 1 $((3 * MIB)) $((2 * BLOCK_PAGES * 4096 + 2 * MIB)); do
		unchanged "requested_size $sizes_bad" EINVAL \
			tryio write "$PLUGGER/requested_size" "$sizes_bad"
	done
	unchanged "requested_size without CAP_SYS_ADMIN" EPERM \
		tryio -c write "$PLUGGER/requested_size" 0
	unchanged "refuse without CAP_SYS_ADMIN" EPERM \
		tryio -c write "$PLUGGER/refuse" 1
	unchanged "refuse 3" EINVAL tryio write "$PLUGGER/refuse" 3
	expect_eq "the plugged size after that" $((4 * MIB)) \
		"$(cat "$PLUGGER/plugged_size")"

	# The whole region, and requests that change while the plugger works.
	plug_to $((2 * BLOCK_PAGES * 4096 / MIB))
	: >"$MARKS"
	check_all "with all sub-blocks"
	for sizes_to in 0 200 2 100; do
		plugger_set requested_size $((sizes_to * MIB))
		usleep 20000
	done
	plug_to 64
	withheld_note 32
	check_all "with 32 sub-blocks"
	check_hog "with 32 sub-blocks" "$R1"
	plug_to 0
	withheld_all
	no_buddy "when all are unplugged" "$R1" "$R2"
	check_all "when all are unplugged"
	leave
}

# A page that cannot be migrated keeps its sub-block plugged, and no other.
busy() {
	arrived
	plug_to 16
	withheld_but 8
	pin_page "$R1"
	busy_first=$((PIN / SUB * SUB))
	plugger_set requested_size 0
	wait_for "all but one sub-block to be unplugged" plugged_is $((2 * MIB))
	withheld_all
	forget "$busy_first" "$SUB"
	check_listed "with a pinned page"
	check_accounts "with a pinned page"
	usleep 2000000
	expect_eq "the plugged size two seconds later" $((2 * MIB)) \
		"$(cat "$PLUGGER/plugged_size")"
	check_listed "two seconds later"
	# The twin: without the pin, the plugger's next attempt works.
	tenant_stop
	wait_for "the last sub-block to be unplugged" plugged_is 0
	withheld_all
	no_buddy "when all are unplugged" "$R1"
	check_all "when all are unplugged"
	leave
}

# A block goes offline and online, or fails to: the same pages are withheld.
cycle() {
	arrived
	plug_to 6
	withheld_but 3
	check_all "with 3 sub-blocks"
	go "$R1" offline
	check_all "while offline"
	expect_eq "the plugged size while offline" $((6 * MIB)) \
		"$(cat "$PLUGGER/plugged_size")"
	go "$R1" online_movable
	check_all "after a cycle"
	go "$R1" offline debugfs
	go "$R1" online_movable debugfs
	check_all "after another cycle"
	expect_told "after two cycles" "2 0 2" "4 0 4" 0
	expect_failing "the pages that are withheld" \
		with_marks "$(block_start "$R1") $((2 * BLOCK_PAGES)) 1 0" \
		check_everywhere "as if the 3 sub-blocks were"

	refuse_once "$R1" late
	expect_told "after a rollback" "3 1 2" "4 0 4" 0
	check_all "after a rollback"
	go "$R1" offline
	expect_eq "arm" ok "$(tryio write "$FO"/inject "online after -12 1")"
	refuse "$R1" online_movable ENOMEM
	expect_told "after an onlining that failed" "4 1 3" "5 1 4" 0
	check_all "after an onlining that failed"
	expect_eq "the plugged size" $((6 * MIB)) "$(cat "$PLUGGER/plugged_size")"

	# Sub-blocks are unplugged in an offline block, too; they are plugged only where
	# memory is online.
	plug_to 4
	withheld_note 2
	check_all "with one less, while offline"
	plug_to 8
	withheld_but 2
	forget "$(block_start "$R2")" $((2 * SUB))
	check_all "with two more, in the other block"
	go "$R1" online_movable
	check_all "with both blocks online"
	leave
}

# Vetoes, and the words for them.
vetoes() {
	arrived
	plug_to 6
	withheld_but 3
	plugger_set refuse 1
	refuse "$R1" offline EBUSY
	expect_eq "the reason" \
		"vetoed by plugger: the plugger was told to refuse offlining" \
		"$(failure_value reason)"
	check_all "after a veto of offlining"
	expect_told "after a veto of offlining" "1 0 0" "2 0 2" 0
	plugger_set refuse 2
	go "$R1" offline
	refuse "$R1" online_movable EBUSY
	expect_eq "the reason" \
		"vetoed by plugger: the plugger was told to refuse onlining" \
		"$(failure_value reason)"
	check_all "after a veto of onlining"
	expect_told "after a veto of onlining" "2 0 1" "3 0 2" 0
	# The twin: without the veto it works. The plugger does not veto for other blocks.
	expect_failing "an onlining that is vetoed" go "$R1" online_movable
	plugger_set refuse 1
	go "$B4" offline
	go "$B4" online_movable
	go "$R1" online_movable
	plugger_set refuse 0
	check_all "without a veto"
	leave
}

# The DIMM is unplugged and plugged again: it is withheld as a whole. Its sub-blocks are
# plugged anew only on request.
exchanged() {
	arrived
	plug_to 6
	withheld_but 3
	go "$R1" offline
	go "$R2" offline
	dimm_del
	wait_for "the plugger to see it" plugged_is 0
	withheld_all
	check_all "without the DIMM"
	expect_told "without the DIMM" "2 0 2" "2 0 2" 2
	expect_eq "the requested size" $((6 * MIB)) "$(cat "$PLUGGER/requested_size")"
	plug_to 0
	dimm_add offline
	check_all "with the DIMM, offline"
	go "$R1" online_movable
	go "$R2" online_movable
	no_buddy "with the DIMM again" "$R1" "$R2"
	check_all "with the DIMM again"
	expect_failing "pages that were plugged before" \
		with_marks "$(($(block_start "$R1") + 3 * SUB)) $((2 * BLOCK_PAGES - 3 * SUB)) 1 0" \
		check_everywhere "as if they still were"

	# The plugger is not told of a block without an unplugged page. It looks itself.
	plug_to $((2 * BLOCK_PAGES * 4096 / MIB))
	: >"$MARKS"
	check_all "with all plugged"
	dimm_del
	wait_for "the plugger to see it" plugged_is 0
	withheld_all
	check_all "without the DIMM again"
	# The request is still valid: it is met when memory comes online, and not before.
	plugger_set requested_size $((4 * MIB))
	dimm_add offline
	check_all "with the DIMM, offline, and a request"
	go "$R2" online_movable
	wait_for "4 MiB to be plugged" plugged_is $((4 * MIB))
	forget "$(block_start "$R2")" $((2 * SUB))
	check_all "with the request met"
	leave
}

# When the plugger is unloaded, all is given back, in online and in offline memory.
unload() {
	arrived
	unload_total=$(mem_total)
	plug_to 6
	withheld_but 3
	go "$R2" offline
	check_all "before unloading"
	plugger_unload
	expect_eq "MemTotal in kB" $((unload_total + 4 * BLOCK_PAGES)) "$(mem_total)"
	check_all "after unloading"
	check_everywhere "after unloading"
	go "$R2" online_movable
	check_all "with both blocks online"
	check_everywhere "with both blocks online"
	expect_eq "hook" free "$(stat_value hook)"
	expect_failing "pages of the plugger that is gone" \
		with_marks "$(block_start "$R1") $((2 * BLOCK_PAGES)) 1 0" \
		check_all "as if it were not"

	# Memory that is online already is taken when the plugger is loaded. If it cannot
	# be taken, it is refused as a whole.
	plugger_load
	no_buddy "taken while online" "$R1" "$R2"
	check_all "taken while online"
	plugger_unload
	for unload_bad in "region_size=0" "region_start=4096" "subblock_size=3000000" \
			  "subblock_size=$((2 * BLOCK_PAGES * 4096))"; do
		expect_status "$unload_bad" 1 modprobe fake_offline_plugger \
			region_start=$((R1 * BLOCK_PAGES * 4096)) \
			region_size=$((2 * BLOCK_PAGES * 4096)) "$unload_bad" 2>/dev/null
	done
	check_all "after modules that did not load"
	leave
}

run_tests first_onlining auto_online plug_and_unplug busy cycle vetoes exchanged unload
