#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# virtio-mem has PageOffline pages of its own, and wants the same online-page hook. In
# either order, the module and virtio-mem do not break each other's blocks, and pages that
# both have withheld stay withheld by both. hook.sh tests the hook alone.
#
# vm/run --qemu '-object memory-backend-ram,id=vmem0,size=1G
#	-device virtio-mem-pci,id=vm0,memdev=vmem0,block-size=2M,requested-size=0'

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"

V=''		# its memory blocks

# needed: skips the test on a machine without what it needs
needed() {
	command -v qemu-monitor >/dev/null ||
		skip "QEMU tells virtio-mem its size: vm/run"
	modprobe virtio_pci 2>/dev/null
	VM_DEVICE=$(grep -ls '^0x0018$' /sys/bus/virtio/devices/*/device)
	VM_DEVICE=${VM_DEVICE%/device}
	VM_DEVICE=${VM_DEVICE##*/}
	[ -n "$VM_DEVICE" ] || skip "there is no virtio-mem device"
}

bound() {
	[ -e "$VIRTIO_MEM/$VM_DEVICE" ]
}

driver_on() {
	expect_status "modprobe virtio_mem" 0 modprobe virtio_mem
	expect_status "virtio-mem has its device" 0 bound
}

driver_off() {
	expect_status "rmmod virtio_mem" 0 rmmod virtio_mem
}

# its_blocks: the memory blocks of virtio-mem, which lie behind the DIMM
its_blocks() {
	block_numbers | awk -v sink="$SINK" '$1 > sink'
}

# resize MIB: sets the size that the machine requests of the device
resize() {
	qemu-monitor qom-set vm0 requested-size "$1"M
}

has_blocks() {
	[ "$(its_blocks | wc -l)" = "$1" ] || return
	# Its directory is there before the files in it.
	for has_block in $(its_blocks); do
		[ -f "$SYSMEM/memory$has_block/valid_zones" ] || return
	done
}

# grow BLOCKS: virtio-mem gets this number of blocks, all online in ZONE_MOVABLE, and they
# are under test, too
grow() {
	resize $(($1 * BLOCK_PAGES / 256))
	wait_for "$1 memory blocks of virtio-mem" has_blocks "$1" || return
	for grow_block in $(its_blocks); do
		case " $V " in *" $grow_block "*) continue ;; esac
		V="$V $grow_block"
		BLOCKS="$BLOCKS $grow_block"
		one_more_block 1
		[ "$(block_state "$grow_block")" = online ] || go "$grow_block" online_movable
		expect_eq "zone of memory$grow_block" Movable "$(block_zone "$grow_block")"
	done
	check_all "with $1 blocks of virtio-mem"
	return 0
}

# shrunk: the blocks that virtio-mem has lost are no longer under test
shrunk() {
	for shrunk_block in $V; do
		[ ! -d "$SYSMEM/memory$shrunk_block" ] || continue
		V=$(echo " $V " | sed "s/ $shrunk_block / /")
		BLOCKS=$(echo " $BLOCKS " | sed "s/ $shrunk_block / /")
		one_more_block -1
	done
}

# shrink BLOCKS
shrink() {
	resize $(($1 * BLOCK_PAGES / 256))
	wait_for "$1 memory blocks of virtio-mem to be left" has_blocks "$1" || return
	shrunk
	check_all "with $1 blocks of virtio-mem left"
	return 0
}

# virtio-mem comes first, and has memory. Marks in another block work. That block goes
# offline, and cannot come online as long as virtio-mem has the hook. virtio-mem grows and
# shrinks meanwhile.
it_first() {
	needed
	modprobe -r fake_offline
	driver_on
	load_module
	grow 1
	mark_shape "$B2"
	expect_eq "hook" taken "$(stat_value hook)"
	check_all "when marked"
	expect_eq "arm" ok "$(tryio write "$FO"/inject "offline late -16 1")"
	refuse "$B2" offline EBUSY
	check_all "after a failed offline"
	grow 2 || return
	go "$B2" offline
	check_all "while offline"
	refuse "$B2" online_movable EBUSY
	expect_eq "the reason" 1 \
		"$(grep -c 'another driver has the online-page hook' "$FO"/last_failure)"
	check_all "after onlining was refused"
	shrink 1 || return
	# A block of virtio-mem goes offline and online meanwhile.
	for it_block in $V; do
		go "$it_block" offline
		go "$it_block" online_movable
	done
	check_all "after a cycle of its own block"
	shrink 0 || return
	refuse "$B2" online_movable EBUSY
	driver_off
	go "$B2" online_movable debugfs
	expect_eq "hook after that" held "$(stat_value hook)"
	check_all "after online"
	unmark_all
	check_all "after unmark"
}

# The module comes first. virtio-mem does not get its device, as with any two drivers that
# want the hook. When the last mark is given back, it gets it, and marks work again.
module_first() {
	needed
	mark_shape "$B2"
	expect_eq "hook" held "$(stat_value hook)"
	modprobe virtio_mem
	expect_status "virtio-mem has no device" 1 bound
	resize 128
	go "$B2" offline
	check_all "while offline"
	go "$B2" online_movable
	check_all "after online"
	expect_eq "memory blocks of virtio-mem" "" "$(its_blocks)"
	rebind
	expect_status "virtio-mem has no device at the second try" 1 bound
	unmark_all
	expect_eq "hook without marks" free "$(stat_value hook)"
	rebind
	expect_status "virtio-mem has its device at the third try" 0 bound
	grow 1 || return
	mark_shape "$B2"
	expect_eq "hook" taken "$(stat_value hook)"
	check_all "with marks again"
	shrink 0 || return
	driver_off
	mark "$(block_pfn "$B1" 7)" 9
	expect_eq "hook without virtio-mem" held "$(stat_value hook)"
	go "$B2" offline
	go "$B2" online_movable
	check_all "after offline and online"
	unmark_all
	check_all "after unmark"
}

# If there is a virtio-mem device, the module leaves the hook to its driver, unless
# hook_force is set. Marks are made first, and the driver still gets its device. A block
# with marks does not come online, and the reason says why.
left() {
	needed
	modprobe -r fake_offline
	expect_status "modprobe fake_offline hook_force=0" 0 \
		modprobe fake_offline skip="$FO_SKIP" hook_force=0
	mark_shape "$B2"
	expect_eq "hook" left "$(stat_value hook)"
	check_all "when marked"
	driver_on
	grow 1 || return
	go "$B2" offline
	refuse "$B2" online_movable EBUSY
	expect_eq "the reason" 1 \
		"$(grep -c 'the online-page hook is left to a driver of the hypervisor' "$FO"/last_failure)"
	expect_eq "its code" no_hook "$(sed -n 's/^code //p' "$FO"/last_failure)"
	check_all "after onlining was refused"
	shrink 0 || return
	driver_off
	# With hook_force, the module takes the hook, and the block comes online.
	echo 1 >/sys/module/fake_offline/parameters/hook_force
	go "$B2" online_movable debugfs
	expect_eq "the hook with hook_force" held "$(stat_value hook)"
	check_all "after online"
	unmark_all
	check_all "after unmark"
}

# rebind: sets the device up anew. virtio-mem leaves it half set up when it fails to get
# the hook, and a second try with the same device ends with ENOENT.
rebind() {
	rebind_pci=$(readlink -f "/sys/bus/virtio/devices/$VM_DEVICE/..")
	rebind_pci=${rebind_pci##*/}
	expect_eq "unbind" ok "$(tryio write /sys/bus/pci/drivers/virtio-pci/unbind "$rebind_pci")"
	expect_eq "bind" ok "$(tryio write /sys/bus/pci/drivers/virtio-pci/bind "$rebind_pci")"
	needed
}

# Marks in a block of virtio-mem. virtio-mem cannot unplug the marked pages, only those
# around them, in units of its own. It unplugs them when they are given back.
marks_in_its() {
	needed
	driver_on
	grow 1 || return
	mixed_block=${V##* }
	mixed_start=$(block_start "$mixed_block")
	# The marks lie in 1, 1, 8 and 1 of its sub-blocks of 2 MiB.
	mark $((mixed_start + 5 * 512 + 3)) 1 canary
	mark $((mixed_start + 9 * 512)) 512
	mark $((mixed_start + 16 * 512)) 4096 canary
	mark $((mixed_start + BLOCK_PAGES - 1)) 1 canary
	mixed_pages=$(marks_pages <"$MARKS")
	check_all "with marks in its block"

	mixed_left=$((11 * 512))
	resize 0
	wait_for "all but the parts with marks to be unplugged" mixed_unplugged || return
	# virtio-mem tries again and again, and nothing must change.
	sleep 1
	check_theirs "when the rest is unplugged"
	expect_failing "one page less is noticed" mixed_twin

	# The machine requests some of the memory back.
	resize 128
	wait_for "them to be plugged" mixed_plugged || return
	check_all "when all is plugged again"
	resize 0
	wait_for "them to be unplugged again" mixed_unplugged || return
	check_theirs "when the rest is unplugged again"

	# virtio-mem takes pages that are given back: minutes later, by its timer, or when
	# the size is requested again.
	unmark $((mixed_start + 16 * 512)) 4096
	resize 2
	resize 0
	mixed_left=$((3 * 512)) mixed_pages=$((mixed_pages - 4096))
	wait_for "what was given back to be unplugged" mixed_unplugged || return
	check_theirs "when a part was given back"
	unmark_all
	resize 2
	resize 0
	wait_for "its block to go" has_blocks 0 || return
	shrunk
	check_all "without its block"
	driver_off
}

# MemTotal without the pages that virtio-mem has unplugged and the marked pages
mixed_unplugged() {
	[ "$(mem_total)" = $((BASE_TOTAL - 4 * (BLOCK_PAGES - mixed_left + mixed_pages))) ]
}

mixed_plugged() {
	[ "$(mem_total)" = $((BASE_TOTAL - 4 * mixed_pages)) ]
}

# check_theirs WHEN: the marked pages and virtio-mem's pages in that block
check_theirs() {
	expect_eq "MemTotal in kB $1" \
		$((BASE_TOTAL - 4 * (BLOCK_PAGES - mixed_left + mixed_pages))) \
		"$(mem_total)"
	expect_eq "PageOffline pages of its block $1" \
		$((BLOCK_PAGES - mixed_left + mixed_pages)) \
		"$(count_of offline "$(oracle count "$(block_range "$mixed_block")")")"
	awk '{ print $1, $2 }' "$MARKS" >"$TMP/marked"
	marked_got=$(oracle count "@$TMP/marked")
	expect_eq "marked pages: PageOffline, skippable, in the buddy allocator $1" \
		"$mixed_pages $mixed_pages 0" \
		"$(count_of offline "$marked_got") $(count_of "$SKIP_BIT" "$marked_got") $(count_of buddy "$marked_got")"
	marked_got=$(refs "@$TMP/marked")
	expect_eq "marked pages with reference count 0, 1, more $1" \
		"$(refs_wanted "$mixed_pages" 0) 0" \
		"$(count_of ref0 "$marked_got") $(count_of ref1 "$marked_got") $(count_of refmore "$marked_got")"
	check_listed "$1"
	check_verify "$1"
}

mixed_twin() {
	BASE_TOTAL=$((BASE_TOTAL - 4))
	check_theirs "with a page less"
}

# Marks in an offline block of virtio-mem. virtio-mem removes the block, and the marks are
# gone with it. A block that is added there later is ordinary memory.
its_block_goes() {
	needed
	driver_on
	grow 1 || return
	mixed_block=${V##* }
	mark "$(block_pfn "$mixed_block" 1000)" 3000 canary
	mark "$(block_pfn "$B1" 3)" 2 canary
	check_all "with marks in its block"
	go "$mixed_block" offline
	check_all "while its block is offline"
	refuse "$mixed_block" online_movable EBUSY
	resize 0
	wait_for "its block to go" has_blocks 0 || return
	shrunk
	sed -i "/^$(block_pfn "$mixed_block" 1000) /d" "$MARKS"
	check_all "without its block"
	grow 1 || return
	expect_eq "PageOffline pages in a new block of it" 0 \
		"$(count_of offline "$(oracle count "$(block_range "$mixed_block")")")"
	shrink 0 || return
	unmark_all
	driver_off
	check_all "at last"
}

half_unplugged() {
	[ "$(mem_total)" = $((BASE_TOTAL - 2 * BLOCK_PAGES)) ]
}

# The driver is unloaded, and leaves half a block behind: its pages are PageOffline and
# have no owner. The block cannot go offline any more, and the reason names the page.
# Nothing removes that memory, so this test is the last one.
left_behind() {
	needed
	driver_on
	grow 1 || return
	left_block=${V##* }
	resize $((BLOCK_PAGES / 512))
	wait_for "half of its block to be unplugged" half_unplugged || return
	BLOCKS=$(echo " $BLOCKS " | sed "s/ $left_block / /")
	BASE_TOTAL=$((BASE_TOTAL - 2 * BLOCK_PAGES))
	BASE_ZONES=$(echo "$BASE_ZONES" | awk -v n=$((BLOCK_PAGES / 2)) '
		$2 == "Movable" { $4 -= n }
		{ print }')
	new_base
	trace_start
	mark "$(block_pfn "$B1" 3)" 2 canary
	check_all "with half a block of it"
	driver_off
	left_pfn=$(oracle runs offline "$(block_range "$left_block")" | head -n 1)
	left_pfn=${left_pfn% *}
	left_text="PFN $(hex "$left_pfn") refused: PageOffline, not skippable, of another driver"
	refuse "$left_block" offline EBUSY debugfs
	expect_reason "without its driver" "$left_block" -16 "$left_pfn" "$left_text"
	expect_failing "the page beside it" expect_reason "of the page beside it" \
		"$left_block" -16 $((left_pfn + 1)) "$left_text"
	check_all "without its driver"
	# A block with marked pages alone can go offline beside it.
	go "$B1" offline
	go "$B1" online_movable
	unmark_all
	check_all "after unmark"
	trace_stop
}

drop_virtio_mem
run_tests it_first module_first left marks_in_its its_block_goes left_behind
