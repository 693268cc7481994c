#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# virtio-mem on a kernel with PG_offline_skippable. A partly plugged memory block of it goes
# offline and online, while it is resized. It refuses to go offline when the driver has
# gone. fake_offline is not loaded: virtio-mem wants the same hook.
#
# vm/run --qemu '-object memory-backend-ram,id=vmem0,size=1G
#	-device virtio-mem-pci,id=vm0,memdev=vmem0,block-size=2M,requested-size=0
#	-object memory-backend-ram,id=vmem1,size=512M
#	-device virtio-mem-pci,id=vm1,memdev=vmem1,block-size=128M,requested-size=0'
#
# The second device's blocks are as large as memory blocks: the driver's big block mode.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

CYCLES=${CYCLES:-20}

needed() {
	command -v qemu-monitor >/dev/null ||
		skip "QEMU tells virtio-mem its size: vm/run"
	[ "$SKIP_BIT" = offline_skippable ] ||
		skip "this kernel has no PG_offline_skippable"
	modprobe virtio_pci 2>/dev/null
	grep -qs '^0x0018$' /sys/bus/virtio/devices/*/device ||
		skip "there is no virtio-mem device"
	modprobe -r fake_offline
	expect_status "modprobe virtio_mem" 0 modprobe virtio_mem
}

# its_blocks: the memory blocks of virtio-mem, which lie behind the DIMM
its_blocks() {
	block_numbers | awk -v sink="$SINK" '$1 > sink'
}

# resize MIB [DEVICE]: sets the size that the machine requests of the device
resize() {
	qemu-monitor qom-set "${2:-vm0}" requested-size "$1"M
}

has_total() {
	[ "$(mem_total)" = "$1" ]
}

has_blocks() {
	[ "$(its_blocks | wc -l)" = "$1" ]
}

# resize_and_wait MIB: resizes, and waits until all of its blocks are online
resize_and_wait() {
	resize "$1"
	wait_for "$1 MiB of virtio-mem" has_total $((BASE_TOTAL + 1024 * $1))
}

# all_online: the blocks that were added lately come online
all_online() {
	for online_block in $(its_blocks); do
		[ "$(block_state "$online_block")" = online ] ||
			go "$online_block" online_movable
	done
}

# its_offline: writes to $TMP/its "PFN NR" of the PageOffline pages in its blocks, and sets
# ITS to their number
its_offline() {
	: >"$TMP/its"
	for its_block in $(its_blocks); do
		[ "$(block_state "$its_block")" = offline ] ||
			oracle runs offline "$(block_range "$its_block")" >>"$TMP/its"
	done
	ITS=$(marks_pages <"$TMP/its")
}

# check_its WHEN MIB: its online blocks have MIB of memory plugged. MemTotal and
# ZONE_MOVABLE have these pages. All other pages in the blocks are PageOffline, skippable,
# with one reference, and not in the buddy allocator.
check_its() {
	its_online=0
	for its_block in $(its_blocks); do
		[ "$(block_state "$its_block")" != online ] ||
			its_online=$((its_online + BLOCK_PAGES))
	done
	expect_eq "MemTotal in kB $1" $((BASE_TOTAL + 1024 * $2)) "$(mem_total)"
	expect_eq "zones $1" "$(echo "$BASE_ZONES" | awk \
		-v present="$its_online" -v managed=$((256 * $2)) '
		$2 == "Movable" { $3 += present; $4 += managed }
		{ print }')" "$(zones)"
	its_offline
	expect_eq "PageOffline pages of its blocks $1" \
		$((its_online - 256 * $2)) "$ITS"
	[ "$ITS" = 0 ] && return
	its_got=$(oracle count "@$TMP/its")
	expect_eq "of these skippable, in the buddy allocator $1" \
		"${its_skippable:-$ITS} 0" \
		"$(count_of offline_skippable "$its_got") $(count_of buddy "$its_got")"
	its_got=$(refs "@$TMP/its")
	expect_eq "of these with one reference $1" "$ITS" "$(count_of ref1 "$its_got")"
	check_isolated "$1"
}

# half: one block with 64 MiB plugged
half() {
	resize 128
	wait_for "a memory block of virtio-mem" has_blocks 1 || return
	all_online
	H=$(its_blocks)
	resize_and_wait 64 || return
	check_its "half plugged" 64
	expect_failing "one MiB less is noticed" check_its "half plugged" 63
}

# gone: without memory, and without its driver
gone() {
	resize 0
	wait_for "its blocks to go" has_blocks 0 || return
	check_its "without its blocks" 0
	expect_status "rmmod virtio_mem" 0 rmmod virtio_mem
}

# A partly plugged block goes offline and online.
cycles() {
	needed
	half || return
	its_ranges=$(cat "$TMP/its")
	cycles_left=$CYCLES
	while [ "$cycles_left" -gt 0 ]; do
		go "$H" offline
		expect_eq "MemTotal while offline" "$BASE_TOTAL" "$(mem_total)"
		go "$H" online_movable
		its_offline
		expect_eq "its unplugged pages" "$its_ranges" "$(cat "$TMP/its")"
		cycles_left=$((cycles_left - 1))
	done
	check_its "after $CYCLES cycles" 64
	# The same pages are plugged again, and go to the buddy allocator.
	resize_and_wait 128
	check_its "with all plugged" 128
	go "$H" offline
	go "$H" online_movable
	check_its "after another cycle" 128
	gone
}

# Offlining fails early and late, and nothing is changed.
rollbacks() {
	needed
	half || return
	for rollbacks_priority in 1 -1; do
		load_notifier_errors "$rollbacks_priority"
		notifier_error MEM_GOING_OFFLINE -12
		refuse "$H" offline ENOMEM
		unload_notifier_errors
		check_its "after a veto, priority $rollbacks_priority" 64
	done
	load_notifier_errors 0
	notifier_error MEM_GOING_ONLINE -12
	go "$H" offline
	refuse "$H" online_movable ENOMEM
	expect_eq "MemTotal while offline" "$BASE_TOTAL" "$(mem_total)"
	unload_notifier_errors
	go "$H" online_movable
	check_its "after onlining failed once" 64
	gone
}

# The device grows and shrinks meanwhile.
resizes() {
	needed
	half || return
	(
		while [ ! -f "$TMP/enough" ]; do
			for resizes_mib in 96 32 128 64 24 112; do
				resize "$resizes_mib"
				usleep 150000
			done
		done
	) &
	resizes_pid=$!
	resizes_left=$((2 * CYCLES)) resizes_went=0
	while [ "$resizes_left" -gt 0 ]; do
		# EBUSY: a part of the block is being unplugged at this moment.
		case $(block_try "$H" offline) in
		ok) resizes_went=$((resizes_went + 1)) ;;
		EBUSY) ;;
		*) failed "offlining while it is resized" ;;
		esac
		[ "$(block_state "$H")" = online ] || go "$H" online_movable
		resizes_left=$((resizes_left - 1))
	done
	: >"$TMP/enough"
	wait "$resizes_pid"
	note "offlined $resizes_went of $((2 * CYCLES)) times meanwhile"
	expect_at_least "times it went offline meanwhile" 1 "$resizes_went"
	all_online
	resize_and_wait 64
	all_online
	check_its "when it is left alone" 64
	go "$H" offline
	go "$H" online_movable
	check_its "after another cycle" 64
	gone
}

# In big block mode, whole blocks are unplugged. Their pages are first marked, so that no
# other task allocates them, and then the block goes offline. If that fails, the pages are
# given back.
big_blocks() {
	needed
	resize 256 vm1
	wait_for "two memory blocks of the second device" has_blocks 2 || return
	all_online
	check_its "in big block mode" 256
	load_notifier_errors -1
	notifier_error MEM_GOING_OFFLINE -12
	big_vetoes=$(vetoes)
	resize 128 vm1
	wait_for "an offlining that fails" vetoes_more_than "$big_vetoes" || return
	wait_for "all of its memory" has_total $((BASE_TOTAL + 1024 * 256))
	check_its "after it could not go" 256
	unload_notifier_errors
	# The driver tries again when the size is requested again.
	resize 256 vm1
	resize 128 vm1
	wait_for "a block to go" has_blocks 1 || return
	check_its "with one block less" 128
	resize 0 vm1
	gone
}

# vetoes: the number of times that the kernel's error injection has refused an offlining
vetoes() {
	dmesg | grep -c 'Injecting error .* to MEM_GOING_OFFLINE'
}

vetoes_more_than() {
	[ "$(vetoes)" -gt "$1" ]
}

# The driver is unloaded, and leaves a fully plugged block and a partly plugged one.
# Nothing gives these back, so this test is the last one.
forced_unload() {
	needed
	resize 256
	wait_for "two memory blocks of virtio-mem" has_blocks 2 || return
	all_online
	resize_and_wait 192
	check_its "with a block and a half" 192
	for unload_block in $(its_blocks); do
		case $(count_of offline "$(oracle count "$(block_range "$unload_block")")") in
		0) unload_whole=$unload_block ;;
		*) unload_half=$unload_block ;;
		esac
	done
	go "$unload_half" offline
	go "$unload_half" online_movable
	check_its "after a cycle" 192
	expect_status "rmmod virtio_mem" 0 rmmod virtio_mem
	its_skippable=0
	check_its "without its driver" 192
	refuse "$unload_half" offline EBUSY
	check_its "after it refused" 192
	refuse "$unload_half" offline EBUSY
	go "$unload_whole" offline
	go "$unload_whole" online_movable
	check_its "after a cycle of the other block" 192
	BASE_TOTAL=$((BASE_TOTAL + 1024 * 192))
	BASE_ZONES=$(zones)
	new_base
}

drop_virtio_mem
run_tests cycles rollbacks resizes big_blocks forced_unload
