#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# offctl with the kernel: its output and its effect are what sysfs and the oracles of
# lib.sh show. tools/tests tests its parsers and messages without a kernel.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# try NAME STATUS ARGUMENT…: runs offctl; its output is in $TMP/out and $TMP/err
try() {
	try_name=$1 try_want=$2
	shift 2
	offctl "$@" >"$TMP/out" 2>"$TMP/err"
	expect_eq "$try_name: exit status" "$try_want" $? ||
		sed 's/^/#   /' "$TMP/out" "$TMP/err"
}

says() { # WHAT TEXT: all of stdout
	expect_eq "$1: output" "$2" "$(cat "$TMP/out")"
}

complains() { # WHAT TEXT: all of stderr
	expect_eq "$1: complaint" "$2" "$(cat "$TMP/err")"
}

# addresses PFN NR: the range as offctl writes it
addresses() {
	printf '0x%016x-0x%016x' $(($1 * 4096)) $((($1 + $2) * 4096 - 1))
}

pages_in() { # BLOCK: its marked pages, by $MARKS
	marks_by_block | awk -v b="$1" '$5 == b { n += $2 } END { print n + 0 }'
}

# cells BLOCK GLYPH: the number of pages of it that the map shows as GLYPH
cells() {
	offctl map --ascii --block "$1" --cell 4K |
		sed -n 's/^0x[0-9a-f]* //p' | tr -cd "$2" | wc -c
}

# Tables and maps have marked and unmarked blocks, online and offline.
listings() {
	mark_shape "$B1"
	try "mark" 0 mark --unskippable "pfn:$(block_pfn "$B2" 7)+3"
	note_mark "$(block_pfn "$B2" 7)" 3 unskippable
	check_all "when marked"
	go "$B1" offline
	try "list" 0 list -rn -o PFN,PAGES,SKIPPABLE,CANARY,NODE,ZONE,OWNER
	says "list" "$(awk '!/^#/ {
		for (i = 3; i <= 4; i++) $i = $i ? "yes" : "no"
		if ($5 < 0) $5 = "-"
		print $1, $2, $3, $4, $5, $6, $7 }' "$FO"/ranges)"
	try "blocks" 0 blocks -rn -o BLOCK,STATE,ZONES,MARKED,SKIPPABLE "$B1-$B3"
	says "blocks" "$B1 offline $(tr ' ' / <"$SYSMEM/memory$B1/valid_zones") $(pages_in "$B1") yes
$B2 online Movable 3 no
$B3 online Movable 0 -"
	try "blocks --marked" 0 blocks --marked -rno BLOCK,WHY
	says "blocks --marked" "$B1 -
$B2 3\\x20pages\\x20marked\\x20unskippable\\x20by\\x20debugfs"
	try "blocks, all" 0 blocks -rno BLOCK
	says "blocks, all" "$(block_numbers)"
	for list_block in $BLOCKS; do
		expect_eq "map: marked pages of block $list_block" \
			"$(pages_in "$list_block")" "$(cells "$list_block" '#')"
	done
	expect_eq "map: offline pages of block $B1" \
		$((BLOCK_PAGES - $(pages_in "$B1"))) "$(cells "$B1" .)"
	expect_eq "map: offline pages of block $B2" 0 "$(cells "$B2" .)"
	try "map --svg" 0 map --block "$B2" --cell 4K --svg "$TMP/svg"
	expect_eq "map --svg: marked pages" 1 \
		"$(grep -c "<title>marked $(addresses "$(block_pfn "$B2" 7)" 3)</title>" "$TMP/svg")"
	try "status" 0 status -rno SKIP_MODE,HOOK,PAGES,RANGES
	says "status" "$FO_SKIP held $(marks_pages <"$MARKS") $(stat_value ranges)"
	go "$B1" online_movable
	check_all "online again"
	try "unmark --all" 0 unmark --all
	: >"$MARKS"
	check_all "unmarked"
}

# --dry-run prints the steps, and takes none.
dry_run() {
	mark_shape "$B1"
	dry_pfn=$(block_pfn "$B2" 7)
	try "mark" 0 mark --unskippable "pfn:$dry_pfn+3"
	note_mark "$dry_pfn" 3 unskippable
	stats_mark
	try "offline --dry-run" 64 offline --dry-run "$B1-$B2"
	sed -i 's/; [0-9]* pages\{0,1\} ([^)]*) in use to be migrated//' "$TMP/out"
	says "offline --dry-run" "block $B1: would go offline; $(pages_in "$B1") marked pages stay withheld
block $B2: would refuse: 3 pages marked unskippable by debugfs
1 block, $((BLOCK_PAGES / 256)) MiB, would go offline"
	expect_stats "offline_attempts 0"
	check_all "after --dry-run"

	# One that fails ends it, unless --keep-going.
	dry_hint="offctl: offline: block $B2: still online: a page cannot be migrated, or a memory notifier refused (EBUSY)
hint: PFN $(printf '0x%x' "$dry_pfn") refused: marked unskippable by debugfs"
	try "offline" 1 offline "$B2" "$B1"
	complains "offline" "$dry_hint
hint: 1 block was not tried; --keep-going continues after a failure
offctl: offline: 0 of 2 blocks are offline"
	expect_eq "state of memory$B1" online "$(block_state "$B1")"
	try "offline --keep-going" 64 offline --keep-going "$B2" "$B1"
	says "offline --keep-going" "block $B1: offline"
	complains "offline --keep-going" "$dry_hint
offctl: offline: 1 of 2 blocks is offline"
	check_all "partly done"

	try "skippable yes" 0 skippable yes "pfn:$dry_pfn+3"
	sed -i "s/^$dry_pfn 3 0/$dry_pfn 3 1/" "$MARKS"
	check_all "skippable"
	try "offline --all-marked" 0 offline --all-marked
	says "offline --all-marked" "block $B1: already offline
block $B2: offline"
	check_all "all offline"
	try "online --all-marked" 0 online --type movable --all-marked
	says "online --all-marked" "block $B1: online, zone Movable
block $B2: online, zone Movable"
	check_all "all online"
	try "skippable no, a part" 0 skippable no "pfn:$((dry_pfn + 1))+1"
	sed -i "/^$dry_pfn 3/d" "$MARKS"
	note_mark "$dry_pfn" 1
	note_mark $((dry_pfn + 1)) 1 unskippable
	note_mark $((dry_pfn + 2)) 1
	check_all "a part is not skippable"
	unmark_all
}

# As in chmem, a size is given and offctl chooses the blocks, from the end. The last block,
# the sink, refuses, and another one is taken.
by_size() {
	by_bytes=$((BLOCK_PAGES * 4096))
	try "mark --size" 0 mark --unskippable --size 4K --node 0 --zone normal
	by_pfn=$(offctl list -rno PFN)
	expect_eq "the block of the sink" "$SINK" $((by_pfn / BLOCK_PAGES))
	note_mark "$by_pfn" 1 unskippable
	try "offline --size" 0 offline --timeout 20 --size $((2 * by_bytes)) --node 0
	says "offline --size" "block $B3: offline
block $B2: offline"
	check_all "offline"
	try "online --size" 0 online --type movable --size $((2 * by_bytes))
	says "online --size" "block $B2: online, zone Movable
block $B3: online, zone Movable"
	check_all "online"
	unmark_all
}

# The kernel would try without end: --timeout ends it.
timeout() {
	mark_shape "$B2"
	tenant_start 20 "$B2"
	timeout_answer=$(tenant_ask pin)
	expect_eq "a page is pinned" pfn "${timeout_answer% *}"
	timeout_start=$(date +%s)
	try "offline --timeout" 1 offline --timeout 1.5s "$B2"
	expect_at_most "seconds" 60 $(($(date +%s) - timeout_start))
	expect_eq "complaint" "offctl: offline: block $B2: still online: given up after 1.5 s" \
		"$(head -n 1 "$TMP/err")"
	check_all "given up"
	expect_eq "unpin" unpinned "$(tenant_ask unpin)"
	try "offline" 0 offline --timeout 20 "$B2"
	check_all "offline"
	tenant_stop
	try "online" 0 online --type movable "$B2"
	unmark_all
}

# allocations GROUP: how often a task of the memory control group needed memory while its
# limit was exceeded. With the limit memory.high the kernel counts, and kills no task.
allocations() {
	sed -n 's/^high //p' "$1/memory.events"
}

# While an attempt lasts, offctl needs no memory for its progress on a terminal. So it
# continues when memory is full. The twin: another program in the same group needs some.
no_memory() {
	group_root=$TMP/cgroup group=$TMP/cgroup/offctl
	mkdir "$group_root"
	mount -t cgroup2 none "$group_root" || skip "this kernel has no cgroup2"
	echo +memory >"$group_root/cgroup.subtree_control" 2>/dev/null || {
		umount "$group_root"
		skip "this kernel has no memory control groups"
	}
	mkdir "$group"
	tenant_start 20 "$B2"
	group_answer=$(tenant_ask pin)
	expect_eq "a page is pinned" pfn "${group_answer% *}"
	sh -c 'echo 0 >"$1/cgroup.procs" && exec offctl offline "$2" 2>/dev/tty1' sh \
		"$group" "$B2" &
	group_pid=$!
	wait_for "the attempt" going_offline "$B2"
	# This also takes away the charges that the kernel keeps in stock for each CPU.
	echo 0 >"$group/memory.high"
	group_before=$(allocations "$group")
	# Time for a few lines of progress, the first after a second.
	sleep 5
	expect_eq "allocations" 0 $(($(allocations "$group") - group_before))
	expect_eq "state of memory$B2" going-offline "$(block_state "$B2")"
	echo max >"$group/memory.high"
	kill -TERM "$group_pid"
	wait "$group_pid"
	expect_eq "exit status" 1 $?
	check_all "given up"
	echo 0 >"$group/memory.high"
	group_before=$(allocations "$group")
	# shellcheck disable=SC2016  # the inner shell expands $1
	expect_status "another program" 0 \
		sh -c 'echo 0 >"$1" && exec sh -c true' sh "$group/cgroup.procs"
	expect_at_least "allocations of another program" 1 \
		$(($(allocations "$group") - group_before))
	expect_eq "unpin" unpinned "$(tenant_ask unpin)"
	tenant_stop
	rmdir "$group"
	umount "$group_root"
	check_all "at last"
}

going_offline() { # BLOCK
	[ "$(block_state "$1")" = going-offline ]
}

# Two blocks go offline and online five times, with every failure that can be injected.
cycle() {
	mark_shape "$B1"
	mark_shape "$B2"
	stats_mark
	try "cycle" 0 cycle --count 5 --verify -rn -o STEP,ATTEMPTS,DONE,FAILED,INJECTED,LEAKS \
		--inject 'offline before ENOMEM' --inject offline:after:EIO \
		--inject offline:late:EBUSY --inject offline:late:EINTR \
		--inject online:before:ENOMEM --inject online:after:-12 "$B1-$B2"
	says "cycle" "offline 50 10 0 40 0
online 30 10 0 20 0"
	expect_stats "injected 60" "offline_done 10" "online_done 10" \
		"withheld_pages $((5 * ($(pages_in "$B1") + $(pages_in "$B2"))))"
	check_all "after the cycles"
	check_hog "after the cycles" "$B2"
	unmark_all
}

# --verify and MemTotal find a fault, which ends the command.
cycle_leak() {
	try "inject" 0 inject mark corrupt EIO 1
	mark "$(block_pfn "$B1" 5)" 4 canary
	try "cycle" 64 cycle --count 5 --verify -rn -o STEP,ATTEMPTS,DONE,FAILED,LEAKS "$B1"
	says "cycle" "offline 1 1 0 0
online 1 1 0 1"
	complains "cycle" "offctl: cycle: canary_broken is 1, must be 0"
	try "verify" 1 verify --quiet
	unmark_all
	try "verify, nothing marked" 0 verify --quiet
}

# "restore" makes exactly the saved marks; each line that cannot be restored is reported.
save_restore() {
	mark_shape "$B1"
	mark "$(block_pfn "$B2" 9)" 5 unskippable
	mark "$(block_pfn "$B3" 1)" 1
	try "save" 0 save "$TMP/marks.d"
	expect_eq "lines saved" "$(stat_value ranges)" "$(grep -c ^mark "$TMP/marks.d")"
	cp "$MARKS" "$TMP/before"
	unmark_all
	try "restore --dry-run" 0 restore --dry-run -rno FATE "$TMP/marks.d"
	expect_eq "the report of --dry-run" 'would\x20be\x20marked' "$(sort -u "$TMP/out")"
	check_all "after --dry-run"
	try "restore" 0 restore -rno FATE "$TMP/marks.d"
	expect_eq "the result for each line" marked "$(sort -u "$TMP/out")"
	cp "$TMP/before" "$MARKS"
	check_all "restored"
	try "restore again" 0 restore -rno FATE "$TMP/marks.d"
	expect_eq "the result for each line" 'already\x20marked' "$(sort -u "$TMP/out")"
	check_all "restored again"
	unmark_all

	go "$B2" offline
	{
		echo "version 1"
		echo "mark pfn:$(block_pfn "$B1" 100)+2 canary"
		echo "mark pfn:$(block_pfn "$B2" 100)+2"
		echo "mark 0x7fffffff0000+64K"
		echo "frob"
	} >"$TMP/some"
	try "restore, partly" 64 restore -rno LINE,FATE,WHY "$TMP/some"
	says "restore, partly" "2 marked -
3 marked waits\\x20for\\x20memory\\x20to\\x20come\\x20online
4 no\\x20RAM\\x20there PFN\\x200x7fffffff0\\x20is\\x20no\\x20RAM,\\x20and\\x20none\\x20can\\x20be\\x20plugged\\x20there\\x20(ENXIO)
5 not\\x20understood the\\x20line\\x20does\\x20not\\x20begin\\x20with\\x20'mark'"
	note_mark "$(block_pfn "$B1" 100)" 2 canary
	note_mark "$(block_pfn "$B2" 100)" 2
	check_all "two of them"
	go "$B2" online_movable
	check_all "when its memory has come online"
	unmark_all
}

# A list of errors in the form of Memtest86+ becomes marks of whole rows.
import() {
	for import_at in 5000 5001 6001; do
		printf '   0      0    4   %x (4.1GB)  ffffffffffffffff  fffffffffffeffff\n' \
			$(($(block_pfn "$B1" "$import_at") * 4096 + 0x8a0))
	done >"$TMP/list"
	try "import --dry-run" 0 import --dry-run --align 8K "$TMP/list"
	expect_eq "import --dry-run: cost" "it would cost 4 pages (16 KiB)" \
		"$(sed -n 's/ of .*//; /^it would/p' "$TMP/out")"
	check_all "after --dry-run"
	try "import" 0 import --align 8K -rno RANGE,FATE "$TMP/list"
	says "import" "$(addresses "$(block_pfn "$B1" 5000)" 2) marked
$(addresses "$(block_pfn "$B1" 6000)" 2) marked"
	note_mark "$(block_pfn "$B1" 5000)" 2
	note_mark "$(block_pfn "$B1" 6000)" 2
	check_all "imported"
	# The row stays retired, and the block can go offline.
	try "offline" 0 offline "$B1"
	check_all "offline"
	try "online" 0 online --type movable "$B1"
	check_all "online"
	try "import --save" 0 import --save "$TMP/saved" "$TMP/list"
	expect_eq "import --save: lines" 2 "$(grep -c ^mark "$TMP/saved")"
	unmark_all
}

# import_pinned lines|range: a list of bad memory has a pinned page and its neighbours.
# If each has a line, the neighbours are marked. If one line has all three, none is. When
# the page is free, all are.
import_pinned() {
	tenant_start 20 "$B2"
	pinned_pfn=$(tenant_ask pin)
	expect_eq "a page is pinned" pfn "${pinned_pfn% *}"
	pinned_pfn=${pinned_pfn#* }
	case $1 in
	lines)
		printf '%d\n' $((pinned_pfn - 1)) "$pinned_pfn" $((pinned_pfn + 1)) >"$TMP/list"
		pinned_status=64
		pinned_rows="$(addresses $((pinned_pfn - 1)) 1) marked
$(addresses "$pinned_pfn" 1) refused
$(addresses $((pinned_pfn + 1)) 1) marked"
		note_mark $((pinned_pfn - 1)) 1
		note_mark $((pinned_pfn + 1)) 1 ;;
	range)
		echo "$((pinned_pfn - 1))+3" >"$TMP/list"
		pinned_status=1
		pinned_rows="$(addresses $((pinned_pfn - 1)) 3) refused" ;;
	esac
	try "import" "$pinned_status" import --format pfn -rno RANGE,FATE "$TMP/list"
	says "import" "$pinned_rows"
	check_all "a page is pinned"
	expect_eq "unpin" unpinned "$(tenant_ask unpin)"
	try "import again" 0 import --format pfn -rno FATE "$TMP/list"
	: >"$MARKS"
	note_mark $((pinned_pfn - 1)) 3
	check_all "no page is pinned"
	tenant_stop
	unmark_all
}

# Block 0 has holes, since a PC has no RAM below 1 MiB for its devices. The hint says how
# much is missing, by /proc/iomem. A block that is all RAM goes offline without a hint.
holes() {
	[ -d "$SYSMEM/memory0" ] || skip "there is no memory block 0"
	holes_missing=$BLOCK_PAGES
	while read -r holes_from holes_last; do
		holes_from=$(((holes_from + 4095) / 4096))
		holes_to=$(((holes_last + 1) / 4096))
		[ "$holes_to" -le "$BLOCK_PAGES" ] || holes_to=$BLOCK_PAGES
		[ "$holes_from" -ge "$holes_to" ] ||
			holes_missing=$((holes_missing - holes_to + holes_from))
	done <<-RAM
		$(sed -n 's/^\([0-9a-f]*\)-\([0-9a-f]*\) : System RAM.*/0x\1 0x\2/p' /proc/iomem)
	RAM
	expect_at_least "pages of block 0 without RAM" 2 "$holes_missing"
	try "offline 0" 1 offline 0
	complains "offline 0" "offctl: offline: block 0: still online: it has holes or several zones (EINVAL)
hint: $holes_missing pages ($((holes_missing * 4)) KiB) of the block are no RAM, see /proc/iomem; the kernel takes no block with holes offline"
	try "blocks 0" 0 blocks -rno WHY 0
	says "blocks 0" 'it\x20has\x20holes\x20or\x20several\x20zones'
	check_all "after the attempt"
	try "offline, no holes" 0 offline "$B1"
	complains "offline, no holes" ""
	go "$B1" online_movable
	check_all "online again"
}

# --dry-run sees that the pages in use have nowhere to go. A file fills all memory but
# 64 MiB, so a block full of it cannot be emptied. With a smaller file it can.
no_room() {
	room_dir=$TMP/full
	mkdir "$room_dir"
	expect_status "a file system" 0 mount -t tmpfs -o size=100% none "$room_dir"
	room_mib=$(awk '$1 == "MemFree:" { print int($2 / 1024) - 64 }' /proc/meminfo)
	expect_status "a file of $room_mib MiB" 0 \
		dd if=/dev/zero of="$room_dir/file" bs=1M count="$room_mib" status=none
	room_used=$(count_of lru "$(oracle count "$(block_range "$B1")")")
	expect_at_least "pages in use in memory$B1" 20000 "$room_used"
	try "offline --dry-run, no room" 1 offline --dry-run "$B1"
	expect_eq "offline --dry-run, no room: what it says" 1 \
		"$(grep -c "^block $B1: may fail: [0-9]* pages (.*) are in use there, and only [0-9]* pages* (.*) are free elsewhere\$" "$TMP/out")"
	read -r room_inside room_elsewhere <<-NUMBERS
		$(sed -n 's/.*may fail: \([0-9]*\) .* and only \([0-9]*\) .*/\1 \2/p' "$TMP/out")
	NUMBERS
	# The two programs themselves use a few pages, and a page is not on the LRU list yet
	# while it is in a CPU's batch.
	expect_at_least "offline --dry-run, no room: pages in use" \
		$((room_used - 256)) "$room_inside"
	expect_at_most "offline --dry-run, no room: pages in use" \
		$((room_used + 256)) "$room_inside"
	expect_at_most "offline --dry-run, no room: pages free elsewhere" \
		$((64 * 256)) "$room_elsewhere"
	# No attempt is made: the kernel would try until a signal comes, and log a page
	# allocation failure, which vm/check-log takes for a fault.
	# The twin: the file becomes smaller by the pages that lack room, and by 16 MiB for
	# the programs of this test. Now the attempt succeeds.
	room_mib=$((room_mib - (room_inside - room_elsewhere) / 256 - 16))
	expect_status "a file of $room_mib MiB" 0 \
		dd if=/dev/null of="$room_dir/file" bs=1M seek="$room_mib" count=0 status=none
	try "offline --dry-run, room" 0 offline --dry-run "$B1"
	expect_eq "offline --dry-run, room: what it says" 1 \
		"$(grep -c "^block $B1: would go offline; [0-9]* pages (.*) in use to be migrated\$" "$TMP/out")"
	try "offline, room" 0 offline "$B1"
	go "$B1" online_movable
	expect_status "remove the file" 0 umount "$room_dir"
	check_all "after no_room"
}

run_tests listings dry_run no_room by_size timeout no_memory cycle cycle_leak save_restore import \
	"import_pinned lines" "import_pinned range" holes
