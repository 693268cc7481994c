#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by tests/run: offline --dry-run, and the room for the pages in use.
# shellcheck disable=SC2154

# fill PFN COUNT BYTES: sets the flags of COUNT pages in /proc/kpageflags. BYTES are octal
# escapes of the eight bytes of a page, the lowest first.
fill() {
	# shellcheck disable=SC2059 # octal escapes
	printf "$3" >"$work/flags"
	while [ "$(wc -c <"$work/flags")" -lt $(($2 * 8)) ]; do
		cat "$work/flags" "$work/flags" >"$work/more"
		mv "$work/more" "$work/flags"
	done
	head -c $(($2 * 8)) "$work/flags" |
		dd of="$T/proc/kpageflags" bs=65536 oflag=seek_bytes seek=$(($1 * 8)) conv=notrunc status=none
}
lru='\040\0\0\0\0\0\0\0' buddy='\0\004\0\0\0\0\0\0' slab='\200\0\0\0\0\0\0\0'
flagless='\0\0\0\0\0\0\0\0' nopage='\0\0\020\0\0\0\0\0' reserved='\0\0\0\0\001\0\0\0'
# block NR USED FREE [KERNEL]: gives the block that many pages in use, free pages and pages
# of the kernel. The rest of the block is a hole.
block() {
	block_at=$(($1 * 32768))
	fill "$block_at" 32768 "$nopage"
	fill "$block_at" "$2" "$lru"
	fill $((block_at + $2)) "$3" "$buddy"
	[ "${4-0}" = 0 ] || fill $((block_at + $2 + $3)) "$4" "$slab"
}
# zone NODE NAME FREE MIN PRESENT PROTECTION [LISTS]: prints a zone as /proc/zoneinfo does;
# LISTS are free pages on the lists of two CPUs, 0 without it
zone() {
	printf 'Node %s, zone %8s\n' "$1" "$2"
	printf '  pages free     %s\n        boost    0\n        min      %s\n' "$3" "$4"
	printf '        spanned  4095\n        present  %s\n        managed  3840\n' "$5"
	printf '        protection: (%s)\n      nr_free_pages %s\n' "$6" "$3"
	printf '  pagesets\n    cpu: 0\n              count:    %s\n              high:     9999\n' $((${7-0} / 2))
	printf '    cpu: 1\n              count:    %s\n              high:     9999\n' $((${7-0} - ${7-0} / 2))
}
# machine: makes a tree with four zones and without marks
machine() {
	tree guest
	head -n 1 "$fo/ranges" >"$work/none"
	cp "$work/none" "$fo/ranges"
	{
		zone 0 DMA 3000 10 3998 "0, 2000, 3000, 3500"
		zone 0 DMA32 5000 100 262016 "0, 0, 1000, 1500"
		zone 0 Normal 700 50 32768 "0, 0, 0, 500"
		zone 0 Movable 1060 10 98304 "0, 0, 0, 0"
	} >"$T/proc/zoneinfo"
}
one="1 block, 128 MiB, would go offline"
none="0 blocks, 0 bytes, would go offline"

# Movable: 1060 free, less 1000 in the block itself and the min watermark: 50. Normal:
# 700 - 50 - 500 = 150. DMA32: 5000 - 100 - 1500 = 3400. DMA protects all it has.
machine
block 32 3600 1000
try "offline --dry-run, room for the last page" 0 "block 32: would go offline; 3600 pages (14400 KiB) in use to be migrated
$one" "" offline --dry-run 32
block 32 3601 1000
try "offline --dry-run, one page too many" 1 "block 32: may fail: 3601 pages (14404 KiB) are in use there, and only 3600 pages (14400 KiB) are free elsewhere
$none" "" offline --dry-run 32
block 32 3601 999
try "offline --dry-run, one page less of the free ones is its own" 0 "block 32: would go offline; 3601 pages (14404 KiB) in use to be migrated
$one" "" offline --dry-run 32
block 32 1 0
try "offline --dry-run, one page" 0 "block 32: would go offline; 1 page (4 KiB) in use to be migrated
$one" "" offline --dry-run 32
block 32 0 1060
try "offline --dry-run, no page is in use" 0 "block 32: would go offline
$one" "" offline --dry-run 32

# Free pages on the lists of CPUs are room, unless they are pages of the block itself.
machine
zone 0 Movable 1000 0 98304 "0, 0, 0, 0" 61 >"$T/proc/zoneinfo"
block 32 61 1000
try "offline --dry-run, room on the lists of CPUs" 0 "block 32: would go offline; 61 pages (244 KiB) in use to be migrated
$one" "" offline --dry-run 32
block 32 62 1000
try "offline --dry-run, one page too many for the lists of CPUs" 1 "block 32: may fail: 62 pages (248 KiB) are in use there, and only 61 pages (244 KiB) are free elsewhere
$none" "" offline --dry-run 32
block 32 61 1000
fill $((32 * 32768 + 1061)) 1 "$flagless"
try "offline --dry-run, a page on such a list is the block's own" 1 "block 32: may fail: 61 pages (244 KiB) are in use there, and only 60 pages (240 KiB) are free elsewhere
$none" "" offline --dry-run 32

# A page of ZONE_NORMAL cannot go to Movable. Normal: 700 - 50 - 200 = 450. DMA32:
# 5000 - 100 - 1000 = 3900.
machine
block 35 4350 200
try "offline --dry-run, Normal: room for the last page" 0 "block 35: would go offline; 4350 pages (17400 KiB) in use to be migrated
$one" "" offline --dry-run 35
block 35 4351 200
try "offline --dry-run, Normal: one page too many" 1 "block 35: may fail: 4351 pages (17404 KiB) are in use there, and only 4350 pages (17400 KiB) are free elsewhere
$none" "" offline --dry-run 35
block 35 4350 200 7
try "offline --dry-run, Normal: room, and kernel pages" 0 "block 35: may refuse: 7 pages of the kernel, the first is PFN 0x1191c6; 4350 pages (17400 KiB) in use to be migrated
$one" "" offline --dry-run 35
block 35 4351 200 7
try "offline --dry-run, Normal: no room, and kernel pages" 1 "block 35: may refuse: 7 pages of the kernel, the first is PFN 0x1191c7; may fail: 4351 pages (17404 KiB) are in use there, and only 4350 pages (17400 KiB) are free elsewhere
$none" "" offline --dry-run 35

# The pages of the first block take the room of the second one: 3600 - 3000 = 600.
machine
block 32 3000 1000
block 33 600 0
try "offline --dry-run, two blocks" 0 "block 32: would go offline; 3000 pages (12000 KiB) in use to be migrated
block 33: would go offline; 600 pages (2400 KiB) in use to be migrated
2 blocks, 256 MiB, would go offline" "" offline --dry-run 32-33
block 33 601 0
try "offline --dry-run, two blocks, room for one" 64 "block 32: would go offline; 3000 pages (12000 KiB) in use to be migrated
block 33: may fail: 601 pages (2404 KiB) are in use there, and only 600 pages (2400 KiB) are free elsewhere
$one" "" offline --dry-run 32-33
try "offline --dry-run, the second one alone has room" 0 "block 33: would go offline; 601 pages (2404 KiB) in use to be migrated
$one" "" offline --dry-run 33

# With another node that has memory, the kernel migrates to other nodes only.
machine
zone 1 Movable 500 0 0 "0, 0, 0, 0" >>"$T/proc/zoneinfo"
block 32 3600 1000
try "offline --dry-run, another node without memory" 0 "block 32: would go offline; 3600 pages (14400 KiB) in use to be migrated
$one" "" offline --dry-run 32
machine
zone 1 Movable 500 0 32768 "0, 0, 0, 0" >>"$T/proc/zoneinfo"
block 32 500 1000
try "offline --dry-run, another node with room" 0 "block 32: would go offline; 500 pages (2000 KiB) in use to be migrated
$one" "" offline --dry-run 32
block 32 501 1000
try "offline --dry-run, another node without room" 1 "block 32: may fail: 501 pages (2004 KiB) are in use there, and only 500 pages (2000 KiB) are free elsewhere
$none" "" offline --dry-run 32

# Without /proc/zoneinfo, or with an empty one
machine
block 32 4000 1000
for content in none empty; do
	rm "$T/proc/zoneinfo"
	why="No such file or directory"
	[ "$content" = none ] || { why="Invalid argument"; : >"$T/proc/zoneinfo"; }
	try "offline --dry-run, zoneinfo: $content" 0 "block 32: would go offline; 4000 pages (16000 KiB) in use to be migrated
$one" "hint: /proc/zoneinfo: $why: offctl cannot tell whether the pages in use have room elsewhere" \
		offline --dry-run 32
	: >"$T/proc/zoneinfo"
done

# Other obstacles
tree guest
zone 0 Movable 40000 10 98304 0 >"$T/proc/zoneinfo"
fill $((1179648 - 1)) 1 '\0\0\0\0\0\0\0\0'
fill 1048576 1 "$lru"
fill 1146890 1 "$reserved"
fill 1146900 1 "$slab"
try "offline --dry-run" 64 "block 32: would go offline; 1 page (4 KiB) in use to be migrated; 4096 marked pages stay withheld
block 33: would refuse: 3 pages marked unskippable by debugfs
block 34: already offline
block 35: would refuse: 1 page reserved, 32767 pages of the kernel, the first is PFN 0x118000
1 block, 128 MiB, would go offline" "" offline --dry-run 32-35
printf '%s\n' "count 3" "start_pfn 1048576" "nr_pages 32768" "pfn -1" "reason vetoed: injected" >"$fo/last_failure"
try "offline --dry-run, it failed before" 0 "block 32: may refuse: last failure: vetoed: injected; 1 page (4 KiB) in use to be migrated; 4096 marked pages stay withheld
$one" "" offline --dry-run 32
nothing_sent
