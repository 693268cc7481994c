#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Two NUMA nodes, one of which has hot-added memory only. It loses its last block, which
# has marks, and gets it back.
#
# vm/run --qemu '-object memory-backend-ram,id=ram0,size=1G
#	-numa node,nodeid=0,memdev=ram0,cpus=0-1 -numa node,nodeid=1'

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

NODES=/sys/devices/system/node
N1=''		# the memory blocks of node 1

# As in lib.sh, for blocks of two nodes: the blocks behind the first DIMM are node 1's.
# The zones of a node without memory are left out.
check_accounts() {
	marks_online >"$TMP/marks-online"
	for acc_block in $BLOCKS; do
		acc_node=0
		[ "$acc_block" -le "$SINK" ] || acc_node=1
		echo "block $acc_block $acc_node $(block_state "$acc_block") $(block_zone "$acc_block")"
	done >"$TMP/blocks"
	echo "$BASE_ZONES" | awk -v bp="$BLOCK_PAGES" '
	function count(key, p, m) {
		if (!(key in present)) {
			order[n++] = key
			present[key] = managed[key] = 0
		}
		present[key] += p
		managed[key] += m
	}
	FILENAME == "-" { count($1 " " $2, $3, $4); next }
	$1 == "block" {
		# At first the blocks of node 0 were in ZONE_MOVABLE.
		if ($3 == 0) count("0 Movable", -bp, -bp)
		if ($4 == "online") {
			zone[$2] = $3 " " $5
			count(zone[$2], bp, bp)
		}
		next
	}
	{ count($5 in zone ? zone[$5] : "0 DMA32", 0, -$2) }
	END {
		for (i = 0; i < n; i++)
			if (present[order[i]])
				print order[i], present[order[i]], managed[order[i]]
	}' - "$TMP/blocks" "$TMP/marks-online" | sort >"$TMP/zones"
	expect_eq "zones (node, zone, present, managed) $1" \
		"$(cat "$TMP/zones")" "$(zones | awk '$3 || $4' | sort)"
	expect_eq "MemTotal in kB $1" \
		"$(awk '{ sum += 4 * $4 } END { print sum }' "$TMP/zones")" \
		"$(mem_total)"
	expect_eq "MemTotal of node 1 in kB $1" \
		"$(awk '$1 == 1 { sum += 4 * $4 } END { print sum + 0 }' "$TMP/zones")" \
		"$(node_total)"
}

# node_total: MemTotal of node 1, which may not be there
node_total() {
	if [ -e "$NODES/node1/meminfo" ]; then
		awk '$3 == "MemTotal:" { print $4 }' "$NODES/node1/meminfo"
	else
		echo 0
	fi
}

# needed: skips the test on a machine without what it needs
needed() {
	command -v qemu-monitor >/dev/null ||
		skip "a DIMM is plugged in and out: vm/run can do that"
	[ "$(cat "$NODES/possible")" = 0-1 ] || skip "the machine has not two nodes"
}

has_blocks() {
	N1=$(block_numbers | awk -v sink="$SINK" '$1 > sink')
	[ "$(echo "$N1" | wc -w)" = "$1" ] || return
	# Its directory is there before the files in it.
	for has_block in $N1; do
		[ -f "$SYSMEM/memory$has_block/valid_zones" ] || return
	done
}

# plug: plugs a DIMM of two blocks, $L1 and $L2, on node 1
plug() {
	needed
	plug_number=$((${plug_number:-0} + 1))
	qemu-monitor "object_add memory-backend-ram,id=numamem$plug_number,size=$((2 * BLOCK_PAGES * 4096))"
	qemu-monitor "device_add pc-dimm,id=numadimm$plug_number,memdev=numamem$plug_number,node=1"
	wait_for "memory blocks of node 1" has_blocks 2 || return
	# shellcheck disable=SC2086  # a list of numbers
	set -- $N1
	L1=$1 L2=$2
	BLOCKS="$BLOCKS $L1 $L2"
	for plug_block in $L1 $L2; do
		[ "$(block_state "$plug_block")" = online ] || go "$plug_block" online_movable
		expect_status "memory$plug_block is of node 1" 0 \
			test -e "$NODES/node1/memory$plug_block"
	done
	nodes_with_memory 0-1
	check_all "with a DIMM on node 1"
	return 0
}

unplug() {
	for unplug_block in $L1 $L2; do
		[ "$(block_state "$unplug_block")" = offline ] || go "$unplug_block" offline
	done
	qemu-monitor "device_del numadimm$plug_number"
	wait_for "the DIMM to go" has_blocks 0 || return
	qemu-monitor "object_del numamem$plug_number"
	BLOCKS=${BLOCKS% "$L1" "$L2"}
}

nodes_with_memory() {
	expect_eq "nodes that have memory" "$1" "$(cat "$NODES/has_memory")"
}

# listed_node START: the node of a range in the module's list
listed_node() {
	awk -v start="$1" '$1 == start { print $5 }' "$FO"/ranges
}

# fail_offline BLOCK HOW
fail_offline() {
	refuse_once "$1" "$2"
	check_all "after a failed offlining ($2)"
}

off_by_one() {
	MARKS=$MARKS.twin
	{ awk '{ print $1, $2, $3, $4 }' "$TMP/marks-online"
	  echo "$(block_pfn "$L2" 2) 1 1 0"; } >"$MARKS"
	check_accounts "with one mark more"
}

# last_block ZONE: node 1 loses all its memory, and gets it back
last_block() {
	plug || return
	case $1 in
	Movable)
		mark_shape "$L2"
		last_pfn=$(block_pfn "$L2" 1) ;;
	*)
		# All of the block is marked. The node has no other memory for the
		# kernel's own data, and a block with such data cannot go offline.
		mark "$(block_start "$L2")" "$BLOCK_PAGES"
		last_pfn=$(block_start "$L2") ;;
	esac
	mark "$(block_pfn "$L1" 700)" 60 canary
	to_zone "$L2" "$1"
	check_all "when marked"
	expect_eq "node of a range" 1 "$(listed_node "$last_pfn")"
	expect_failing "a mark more is noticed" off_by_one
	go "$L1" offline
	check_all "with one block left"
	for last_how in kernel-before kernel-after late; do
		fail_offline "$L2" "$last_how"
		nodes_with_memory 0-1
	done

	go "$L2" offline
	nodes_with_memory 0
	check_all "with none left"
	expect_eq "node of a range that is offline" -1 \
		"$(listed_node "$last_pfn")"
	expect_eq "any pages of a node without memory" ENXIO \
		"$(mark_raw "any 1 node=1")"

	expect_eq "arm online" ok "$(tryio write "$FO"/inject "online after -12 1")"
	refuse "$L2" online_movable ENOMEM
	nodes_with_memory 0
	check_all "after a failed onlining"
	case $1 in
	Movable) go "$L2" online_movable ;;
	*) go "$L2" online_kernel ;;
	esac
	nodes_with_memory 0-1
	expect_eq "zone after that" "$1" "$(block_zone "$L2")"
	expect_eq "node of a range" 1 "$(listed_node "$last_pfn")"
	check_all "with its last block again"
	go "$L1" online_movable
	check_all "with both blocks"

	go "$L2" offline
	go "$L1" offline
	nodes_with_memory 0
	unmark_all
	check_all "when forgotten while offline"
	go "$L2" online_movable
	go "$L1" online_movable
	check_all "without marks"
	unplug || return
	check_all "without the DIMM"
}

# Pages of a node, at any place.
any_of_node() {
	plug || return
	expect_eq "any of node 1" ok "$(mark_raw "any 1000 node=1 canary")"
	any_new
	expect_eq "pages of them on node 1" 1000 "$(any_on_node_1)"
	check_all "with pages of node 1"
	expect_eq "any of node 0" ok "$(mark_raw "any 300 node=0 zone=Movable")"
	any_new
	expect_eq "pages on node 1 still" 1000 "$(any_on_node_1)"
	check_all "with pages of node 0 too"
	expect_eq "any of node 7" ENXIO "$(mark_raw "any 5 node=7")"
	expect_eq "any of a zone that node 1 has not" ENXIO \
		"$(mark_raw "any 5 node=1 zone=Normal")"
	expect_eq "more than node 1 has" ENOSPC \
		"$(mark_raw "any $((2 * BLOCK_PAGES)) node=1")"
	check_all "after refusals"
	go "$L2" offline
	go "$L1" offline
	check_all "while node 1 is offline"
	# The DIMM is unplugged, and its marks are gone with it.
	unplug || return
	awk -v bp="$BLOCK_PAGES" -v sink="$SINK" '$1 < (sink + 1) * bp' "$MARKS" >"$MARKS.new"
	mv "$MARKS.new" "$MARKS"
	check_all "without the DIMM"
	plug || return
	unplug || return
	unmark_all
	check_all "at last"
}

# any_new: adds the ranges that the module chose to $MARKS
any_new() {
	sed '/^#/d' "$FO"/ranges | awk '{ print $1, $2, $3, $4 }' >"$MARKS"
}

any_on_node_1() {
	awk -v bp="$BLOCK_PAGES" -v sink="$SINK" '
	$1 >= (sink + 1) * bp { sum += $2 }
	END { print sum + 0 }' "$MARKS"
}

# cpusets_on: makes two groups of tasks, one of which may use node 1 alone; $CPUSET_MEMS
# is the file with the nodes of a group
cpusets_on() {
	CPUSETS=$TMP/cpusets
	mkdir "$CPUSETS"
	if mount -t cgroup -o cpuset none "$CPUSETS" 2>/dev/null; then
		CPUSET_MEMS=cpuset.mems cpusets_tasks=tasks
	elif mount -t cgroup2 none "$CPUSETS" 2>/dev/null; then
		CPUSET_MEMS=cpuset.mems.effective cpusets_tasks=cgroup.procs
		echo +cpuset >"$CPUSETS/cgroup.subtree_control"
	else
		failed "no cpusets"
		return
	fi
	for cpusets_group in both one; do
		mkdir "$CPUSETS/$cpusets_group"
		echo 0 >"$CPUSETS/$cpusets_group/cpuset.cpus"
	done
	echo 0-1 >"$CPUSETS/both/cpuset.mems"
	echo 1 >"$CPUSETS/one/cpuset.mems"
	sleep 100000 &
	cpusets_task=$!
	echo "$cpusets_task" >"$CPUSETS/one/$cpusets_tasks"
}

cpusets_off() {
	kill "$cpusets_task"
	wait "$cpusets_task"
	rmdir "$CPUSETS/both" "$CPUSETS/one"
	umount "$CPUSETS"
}

# cpusets_are WHEN: the groups are as they were made, and the task is in its group, with
# the nodes that it may use
cpusets_are() {
	expect_eq "nodes of the groups, group of the task, its nodes, nodes with memory, $1" \
		"0-1 1 /one 1 0-1" \
		"$(cat "$CPUSETS/both/$CPUSET_MEMS" "$CPUSETS/one/$CPUSET_MEMS" |
			tr '\n' ' ')$(sed -n 's/.*:\(\/one\)$/\1/p' "/proc/$cpusets_task/cgroup") $(
		sed -n 's/^Mems_allowed_list:[ \t]*//p' "/proc/$cpusets_task/status") $(
		cat "$NODES/has_memory")"
}

# All memory of a node is marked, and nothing else changes: its tasks stay in their group.
# all_of_node two|only: its two blocks, or the only one that is online
all_of_node() {
	plug || return
	all_first=$L1 all_states="online online"
	if [ "$1" = only ]; then
		go "$L1" offline
		all_first=$L2 all_states="offline online"
	fi
	cpusets_on || return
	cpusets_are "at first"
	mark "$(block_start "$all_first")" $(((L2 + 1 - all_first) * BLOCK_PAGES)) canary
	cpusets_are "with all of node 1 marked"
	expect_eq "free and managed pages of node 1" "0 0" \
		"$(awk '$3 == "MemFree:" || $3 == "MemTotal:" { print $4 }' \
			"$NODES/node1/meminfo" | tr '\n' ' ' | sed 's/ $//')"
	expect_eq "the blocks" "$all_states" "$(block_state "$L1") $(block_state "$L2")"
	check_all "with all of node 1 marked"
	unmark_all
	cpusets_are "after unmark"
	# The twin: a node without memory changes the group for good.
	go "$L2" offline
	[ "$1" = only ] || go "$L1" offline
	expect_failing "a node that has lost its memory" cpusets_are "without node 1"
	cpusets_off
	unplug || return
	check_all "without the DIMM"
}

# node_pool: the pages in the hugetlb pool, of node 1 and of all nodes
node_pool() {
	echo "$(cat "$NODES/node1/hugepages/hugepages-2048kB/nr_hugepages") $(
		awk '$1 == "HugePages_Total:" { print $2 }' /proc/meminfo)"
}

# A node has pages of the hugetlb pool, and no other place for them. A mark of all of the
# node is refused, and the pool does not shrink.
pool_of_node() {
	plug || return
	go "$L1" offline
	pool_file=$NODES/node1/hugepages/hugepages-2048kB/nr_hugepages
	pool_other=$(awk '$1 == "HugePages_Total:" { print $2 }' /proc/meminfo)
	echo 7 >"$pool_file"
	pool_want="7 $((pool_other + 7))"
	expect_eq "the pool at first" "$pool_want" "$(node_pool)"
	unchanged "a mark of all of the node" ENOMEM mark_raw \
		"$(block_start "$L2") $BLOCK_PAGES"
	expect_eq "the pool after the refusal" "$pool_want" "$(node_pool)"
	# A part of the node can be marked, and the pool moves to the other part.
	mark "$(block_start "$L2")" $((BLOCK_PAGES / 2))
	expect_eq "the pool with half of it marked" "$pool_want" "$(node_pool)"
	check_all "with half of it marked"
	unmark_all
	# The twin: an offlining dissolves pages of the pool.
	go "$L2" offline
	expect_failing "a pool that has shrunk" \
		expect_eq "the pool after an offlining" "$pool_want" "$(node_pool)"
	go "$L2" online_movable
	echo 0 >"$pool_file"
	unplug || return
	check_all "without the DIMM"
}

# "offctl mark --via-offline" does not take the last block of a node, unless forced.
via_offline() {
	plug || return
	cpusets_on || return
	via_why="no other memory block of node 1 would be online
hint: nothing was done; --force takes the block offline anyway"
	# Both blocks in one request, and then the only one that is left.
	expect_status "both blocks" 1 offctl mark --via-offline "pfn:$(block_pfn "$L1" 5)" \
		"pfn:$(block_pfn "$L2" 5)" >"$TMP/via" 2>&1
	expect_eq "why" "offctl: mark: block $L1: $via_why" "$(cat "$TMP/via")"
	cpusets_are "after the first refusal"
	check_all "after the first refusal"
	# The twin: with the other block online, a block is taken.
	expect_status "one of two blocks" 0 \
		offctl mark --via-offline "pfn:$(block_pfn "$L1" 5)+60" >/dev/null
	note_mark "$(block_pfn "$L1" 5)" 60
	cpusets_are "after one of two blocks was away"
	check_all "after one of two blocks was away"

	go "$L1" offline
	expect_status "the last block" 1 offctl mark --via-offline \
		"pfn:$(block_pfn "$L2" 5)+60" >"$TMP/via" 2>&1
	expect_eq "why" "offctl: mark: block $L2: $via_why" "$(cat "$TMP/via")"
	cpusets_are "after the second refusal"
	check_all "after the second refusal"
	expect_status "the last block, with --force" 0 offctl mark --via-offline --force \
		"pfn:$(block_pfn "$L2" 5)+60" >/dev/null
	note_mark "$(block_pfn "$L2" 5)" 60
	expect_eq "the zone" "online Movable" "$(block_state "$L2") $(block_zone "$L2")"
	nodes_with_memory 0-1
	check_all "after --force"
	# The node was without memory for a moment. In cgroups v1 its group has lost it
	# for good, in v2 the group has it again.
	case $CPUSET_MEMS in
	cpuset.mems) expect_failing "its group after --force" cpusets_are "after --force" ;;
	*) cpusets_are "after --force" ;;
	esac
	cpusets_off
	unmark_all
	unplug || return
	check_all "without the DIMM"
}

run_tests "last_block Movable" "last_block Normal" any_of_node "all_of_node two" \
	"all_of_node only" pool_of_node via_offline
