#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by tests/run: the options of listings, the terminal.
# shellcheck disable=SC2154,SC2016

tree guest
try "list -o" 0 "SIZE OWNER
 16M debugfs
 12K debugfs
  4K debugfs
 64K sample" "" list -o size,owner
try "list -n -o" 0 "16M debugfs
12K debugfs
 4K debugfs
64K sample" "" list -no SIZE,OWNER
try "list -b" 0 "    SIZE AGE
16777216 12
   12288 119
    4096 7199
   65536 200000" "" list -bo SIZE,AGE
try "list -o +" 0 "RANGE                                 SIZE PAGES BLOCKS NODE ZONE    STATE    OWNER   SKIPPABLE CANARY AGE        PFN
0x0000000100100000-0x00000001010fffff  16M  4096 32        0 Movable in-force debugfs yes       yes    12s    1048832
0x0000000108100000-0x0000000108102fff  12K     3 33        0 Movable in-force debugfs no        no     119s   1081600
0x0000000110000000-0x0000000110000fff   4K     1 34        - -       waiting  debugfs yes       no     119min 1114112
0x0000000118000000-0x000000011800ffff  64K    16 35        0 Normal  in-force sample  yes       no     2d     1146880" "" list -o +pfn
try "list -r" 0 "SIZE NODE SKIPPABLE
16M 0 yes
12K 0 no
4K - yes
64K 0 yes" "" list -ro SIZE,NODE,SKIPPABLE
try "list -P" 0 'SIZE="16M" NODE="0"
SIZE="12K" NODE="0"
SIZE="4K" NODE=""
SIZE="64K" NODE="0"' "" list -Po SIZE,NODE
try "list -J: numbers are numbers" 0 '{
   "ranges": [
      {
         "size": 16777216,
         "pages": 4096,
         "node": 0,
         "zone": "Movable",
         "skippable": true,
         "age": 12
      },{
         "size": 12288,
         "pages": 3,
         "node": 0,
         "zone": "Movable",
         "skippable": false,
         "age": 119
      },{
         "size": 4096,
         "pages": 1,
         "node": null,
         "zone": null,
         "skippable": true,
         "age": 7199
      },{
         "size": 65536,
         "pages": 16,
         "node": 0,
         "zone": "Normal",
         "skippable": true,
         "age": 200000
      }
   ]
}' "" list -J -o SIZE,PAGES,NODE,ZONE,SKIPPABLE,AGE
try "list -o with no such column" 2 "" "offctl: list: 'FROB': no such column
hint: columns are RANGE, SIZE, PAGES, BLOCKS, NODE, ZONE, STATE, OWNER, SKIPPABLE, CANARY, AGE, PFN" list -o SIZE,FROB,X
try "list -o with nothing" 2 "" "offctl: list: '': no such column
hint: columns are RANGE, SIZE, PAGES, BLOCKS, NODE, ZONE, STATE, OWNER, SKIPPABLE, CANARY, AGE, PFN" list -o ""
try "list -J -r" 2 "" "offctl: list: --json, --pairs and --raw exclude each other
Try 'offctl list --help' for more." list -J -r
try "blocks --summary -J" 2 "" "offctl: blocks: --summary does not go with --json, --pairs or --raw
Try 'offctl blocks --help' for more." blocks --summary -J
try "blocks --summary=frob" 2 "" "offctl: blocks: 'frob': not always, only or never
Try 'offctl blocks --help' for more." blocks --summary=frob
try "blocks --summary=only" 0 "Memory block size:        128M
Total online memory:     1408M
Total offline memory:     128M" "" blocks --summary=only
try "blocks --summary=only of some" 0 "Memory block size:        128M
Total online memory:      128M
Total offline memory:     128M" "" blocks --summary 33-34
try "blocks, default columns" 0 "BLOCK RANGE                                 SIZE NODE ZONES          STATE   MARKED SKIPPABLE WHY
   32 0x0000000100000000-0x0000000107ffffff 128M    0 Movable        online    4096 yes       -
   33 0x0000000108000000-0x000000010fffffff 128M    0 Movable        online       3 no        3 pages marked unskippable by debugfs
   34 0x0000000110000000-0x0000000117ffffff 128M    0 Normal/Movable offline      1 yes       -
   35 0x0000000118000000-0x000000011fffffff 128M    0 Normal         online      16 yes       -" "" blocks 32-35
try "blocks, the other columns" 0 "BLOCK TYPES                        OWNER   REMOVABLE
    0 -                            -       yes
   33 online_movable               debugfs yes
   34 online_kernel,online_movable debugfs yes
   35 online_kernel                sample  yes" "" blocks -o BLOCK,TYPES,OWNER,REMOVABLE 0 33-35
try "blocks --marked" 0 "BLOCK
   32
   33
   34
   35" "" blocks --marked -o BLOCK
try "blocks --merge" 0 "BLOCK STATE   MARKED
  0-7 online       0
32-33 online    4099
   34 offline      1
   35 online      16" "" blocks --merge -o BLOCK,STATE,MARKED 0 1 2 3 4 5 6 7 32-35
try "blocks -S zones" 0 "BLOCK
    0
  1-7
32-33
   34
   35" "" blocks -S zones -o BLOCK
try "blocks -S none" 0 "BLOCK SIZE MARKED
  0-7   1G      0
32-35 512M   4116" "" blocks -S none -o BLOCK,SIZE,MARKED
try "blocks --merge -J: numbers that are texts" 0 '{
   "blocks": [
      {
         "block": "32-35"
      }
   ]
}' "" blocks -S none -J -o BLOCK 32-35
printf '%s\n' "count 3" "start_pfn 1146880" "nr_pages 32768" "pfn -1" "reason vetoed: injected" >"$fo/last_failure"
try "blocks: the last failure" 0 "BLOCK WHY
   35 last failure: vetoed: injected" "" blocks -o BLOCK,WHY 35
printf '%s\n' "count 3" "age_s 86400" "errno -12" "start_pfn 1146880" "nr_pages 32768" "pfn -1" "code injected" "owner -" "new" "reason vetoed: injected" >"$fo/last_failure"
try "blocks: the last failure, with lines that are new" 0 "BLOCK WHY
   35 last failure: vetoed: injected" "" blocks -o BLOCK,WHY 35
printf '%s\n' "count 3" "age_s x" "errno" "start_pfn 1146880" "nr_pages 32768" "pfn -1" "reason vetoed: injected" >"$fo/last_failure"
try "blocks: the last failure, with lines that say nothing" 0 "BLOCK WHY
   35 last failure: vetoed: injected" "" blocks -o BLOCK,WHY 35
printf '%s\n' "count 3" "start_pfn 1146880" "nr_pages 32768" "pfn 1146881" "reason PFN 0x118001 refused: marked unskippable by sample" >"$fo/last_failure"
try "blocks: a failure whose reason is gone" 0 "BLOCK WHY
   35 -" "" blocks -o BLOCK,WHY 35

# /proc/kpageflags with 8 bytes for each page: a page in use in block 32, a reserved page
# and a slab page in block 35
tree guest
# flags PFN NUMBER OCTAL: sets byte NUMBER of a page
flags() {
	printf '%b' "\\0$3" | dd of="$T/proc/kpageflags" bs=1 seek=$(($1 * 8 + $2)) conv=notrunc 2>/dev/null
}
flags $((1179648 - 1)) 7 0
flags 1048576 0 40		# LRU
flags 1146890 4 1		# reserved
flags 1146900 0 200		# slab
try "blocks --scan" 0 "BLOCK WHY
   32 -
   33 3 pages marked unskippable by debugfs
   34 -
   35 1 page reserved, 32767 pages of the kernel, the first is PFN 0x118000" "" blocks --scan -o BLOCK,WHY 32-35
try "map --block" 0 "0x0100000000 #####---------------------------

# marked   - free
one cell is 4 MiB" "" map --block 32 --cell 4M
