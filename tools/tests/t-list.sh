#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by tests/run: list, blocks, status, verify.
# shellcheck disable=SC2154

ranges_header="# start_pfn nr_pages skippable canary node zone owner age_s"
list_header="RANGE                                 SIZE PAGES BLOCKS NODE ZONE    STATE    OWNER   SKIPPABLE CANARY AGE"

tree guest
try "list" 0 "$list_header
0x0000000100100000-0x00000001010fffff  16M  4096 32        0 Movable in-force debugfs yes       yes    12s
0x0000000108100000-0x0000000108102fff  12K     3 33        0 Movable in-force debugfs no        no     119s
0x0000000110000000-0x0000000110000fff   4K     1 34        - -       waiting  debugfs yes       no     119min
0x0000000118000000-0x000000011800ffff  64K    16 35        0 Normal  in-force sample  yes       no     2d" "" list

blocks_header="BLOCK RANGE                                 SIZE NODE ZONES          STATE   MARKED"
low_blocks="    0 0x0000000000000000-0x0000000007ffffff 128M    0 none           online       0
    1 0x0000000008000000-0x000000000fffffff 128M    0 DMA32          online       0
    2 0x0000000010000000-0x0000000017ffffff 128M    0 DMA32          online       0
    3 0x0000000018000000-0x000000001fffffff 128M    0 DMA32          online       0
    4 0x0000000020000000-0x0000000027ffffff 128M    0 DMA32          online       0
    5 0x0000000028000000-0x000000002fffffff 128M    0 DMA32          online       0
    6 0x0000000030000000-0x0000000037ffffff 128M    0 DMA32          online       0
    7 0x0000000038000000-0x000000003fffffff 128M    0 DMA32          online       0"
high_blocks="   32 0x0000000100000000-0x0000000107ffffff 128M    0 Movable        online    4096
   33 0x0000000108000000-0x000000010fffffff 128M    0 Movable        online       3
   34 0x0000000110000000-0x0000000117ffffff 128M    0 Normal/Movable offline      1
   35 0x0000000118000000-0x000000011fffffff 128M    0 Normal         online      16"
try "blocks" 0 "$blocks_header
$low_blocks
$high_blocks" "" blocks -o "$short"
try "blocks 32-35" 0 "$blocks_header
$high_blocks" "" blocks -o "$short" 32-35
try "blocks, named twice and out of order" 0 "$blocks_header
$high_blocks" "" blocks -o "$short" 0x110000000-0x11fffffff block:33 32-34
try "blocks 34 8-31" 0 "$blocks_header
   34 0x0000000110000000-0x0000000117ffffff 128M    0 Normal/Movable offline      1" "" blocks -o "$short" 34 8-31
try "blocks that are not there" 1 "" "offctl: blocks: there are no such blocks" blocks -o "$short" 8-31
try "blocks, all that can be asked for" 0 "$("$offctl" --sysroot "$T" blocks)" "" blocks 0-18446744073709551615
nothing_sent

# A range over the border of two blocks counts in both.
printf '%s\n%s\n' "$ranges_header" "1081340 8 1 0 0 Movable debugfs 0" >"$fo/ranges"
try "blocks, a range over a border" 0 "BLOCK RANGE                                 SIZE NODE ZONES   STATE  MARKED
   32 0x0000000100000000-0x0000000107ffffff 128M    0 Movable online      4
   33 0x0000000108000000-0x000000010fffffff 128M    0 Movable online      4" "" blocks -o "$short" 32-33
try "list, a range over a border" 0 "RANGE                                 SIZE PAGES BLOCKS NODE ZONE    STATE OWNER   SKIPPABLE CANARY AGE
0x0000000107ffc000-0x0000000108003fff  32K     8 32-33     0 Movable -     debugfs yes       no     0s" "" list

echo "$ranges_header" >"$fo/ranges"
try "list, nothing marked" 0 "" "" list

# The names of the columns count, not their order.
printf '%s\n%s\n' "# owner state start_pfn new nr_pages age_s skippable canary node zone" \
	"me poisoned 0x100100 7 0x10 120 0 1 3 DMA32" >"$fo/ranges"
try "list, columns in another order" 0 "RANGE                                 SIZE PAGES BLOCKS NODE ZONE  STATE    OWNER SKIPPABLE CANARY AGE
0x0000000100100000-0x000000010010ffff  64K    16 32        3 DMA32 poisoned me    no        yes    2min" "" list

# Each state, and an older module without states.
{
	echo "$ranges_header state"
	printf '%s\n' "100 1 1 0 0 DMA32 debugfs 0 in_force" "101 1 1 0 -1 - debugfs 0 waiting" \
		"102 1 1 0 -1 - debugfs 0 not_in_force" "103 1 1 0 0 DMA32 debugfs 0 poisoned"
} >"$fo/ranges"
try "list, each state" 0 "100 in-force
101 waiting
102 not-in-force
103 poisoned" "" list -rno PFN,STATE
try "list, each state, JSON" 0 '{
   "ranges": [
      {
         "pfn": 100,
         "state": "in-force",
         "zone": "DMA32"
      },{
         "pfn": 101,
         "state": "waiting",
         "zone": null
      },{
         "pfn": 102,
         "state": "not-in-force",
         "zone": null
      },{
         "pfn": 103,
         "state": "poisoned",
         "zone": "DMA32"
      }
   ]
}' "" list -Jo PFN,STATE,ZONE
printf '%s\n%s\n' "$ranges_header" "100 1 1 0 0 DMA32 debugfs 0" >"$fo/ranges"
try "list, an older module, JSON" 0 '{
   "ranges": [
      {
         "pfn": 100,
         "state": null
      }
   ]
}' "" list -Jo PFN,STATE
printf '%s\n%s\n' "$ranges_header state" "100 1 1 0 0 DMA32 debugfs 0" >"$fo/ranges"
try "list, a state is missing" 1 "" "offctl: list: ROOT/sys/kernel/debug/fake_offline/ranges: line 2 is not as documented
hint: do the module and offctl have the same version?" list

# malformed LINE TEXT: offctl must refuse such a list of ranges and name the line
malformed() {
	printf '%s' "$2" >"$fo/ranges"
	try "ranges not as documented: $(printf '%s' "$2" | tail -n 1 | tr '\t' ' ')" 1 "" \
		"offctl: list: ROOT/sys/kernel/debug/fake_offline/ranges: line $1 is not as documented
hint: do the module and offctl have the same version?" list
}
n='
'
malformed 1 ""
malformed 1 "$ranges_header"
malformed 1 "start_pfn nr_pages skippable canary node zone owner age_s$n"
malformed 1 "# start_pfn nr_pages skippable canary node zone owner$n"
malformed 2 "$ranges_header${n}1 1 1 0 0 Normal debugfs${n}"
malformed 2 "$ranges_header${n}1 1 1 0 0 Normal debugfs 5"
malformed 2 "$ranges_header${n}1 0 1 0 0 Normal debugfs 5$n"
malformed 2 "$ranges_header${n}1 1 2 0 0 Normal debugfs 5$n"
malformed 2 "$ranges_header${n}1 1 1 x 0 Normal debugfs 5$n"
malformed 2 "$ranges_header${n}-1 1 1 0 0 Normal debugfs 5$n"
malformed 2 "$ranges_header${n}1 1 1 0 --1 Normal debugfs 5$n"
malformed 2 "$ranges_header${n}1 18446744073709551616 1 0 0 Normal debugfs 5$n"
malformed 2 "$ranges_header${n}4503599627370495 2 1 0 0 Normal debugfs 5$n"
malformed 2 "$ranges_header${n}${n}"
malformed 3 "$ranges_header${n}5 2 1 0 0 Normal debugfs 5${n}6 1 1 0 0 Normal debugfs 5$n"
malformed 3 "$ranges_header${n}5 2 1 0 0 Normal debugfs 5${n}1 1 1 0 0 Normal debugfs 5$n"
printf '%s\n\0\n' "$ranges_header" >"$fo/ranges"
try "ranges with a NUL" 1 "" "offctl: list: ROOT/sys/kernel/debug/fake_offline/ranges: line 1 is not as documented
hint: do the module and offctl have the same version?" list
try "blocks say so too, and show the rest" 1 "BLOCK RANGE                                 SIZE NODE ZONES   STATE  MARKED
   32 0x0000000100000000-0x0000000107ffffff 128M    0 Movable online      -" \
	"offctl: blocks: ROOT/sys/kernel/debug/fake_offline/ranges: line 1 is not as documented
hint: do the module and offctl have the same version?" blocks -o "$short" 32

# A file that one read(2) does not read completely
tree guest
{
	echo "$ranges_header"
	awk 'BEGIN { for (i = 0; i < 20000; i++) print 1048576 + 2 * i, 1, 1, 0, 0, "Movable", "debugfs", 1 }'
} >"$fo/ranges"
if [ "$("$offctl" --sysroot "$T" list | wc -l)" -eq 20001 ]; then
	ok "list of 20000 ranges"
else
	not_ok "list of 20000 ranges"
fi
try "blocks with 20000 ranges" 0 "BLOCK RANGE                                 SIZE NODE ZONES   STATE  MARKED
   32 0x0000000100000000-0x0000000107ffffff 128M    0 Movable online  16384
   33 0x0000000108000000-0x000000010fffffff 128M    0 Movable online   3616" "" blocks -o "$short" 32-33

# 64 KiB pages, 512 MiB blocks, two nodes, no directories of the nodes
tree arm64-64k
try "list, 64 KiB pages" 0 "RANGE                                 SIZE PAGES BLOCKS NODE ZONE    STATE OWNER   SKIPPABLE CANARY AGE
0x0000000200000000-0x000000023fffffff   1G 16384 16-17     1 Movable -     debugfs yes       no     47h" "" list
try "blocks, 64 KiB pages" 0 "BLOCK RANGE                                 SIZE NODE ZONES          STATE         MARKED
    2 0x0000000040000000-0x000000005fffffff 512M    0 DMA            online             0
    3 0x0000000060000000-0x000000007fffffff 512M    0 Normal         online             0
   16 0x0000000200000000-0x000000021fffffff 512M    1 Movable        online          8192
   17 0x0000000220000000-0x000000023fffffff 512M    1 Movable        going-offline   8192
   18 0x0000000240000000-0x000000025fffffff 512M    1 Movable/Normal offline            0" "" blocks -o "$short"

# Missing files in sysfs
tree guest
rm -r "$T/sys/devices/system/node" "$memory"/memory[0-7]
rm "$memory/memory32/valid_zones" "$memory/memory33/state"
: >"$memory/memory34/valid_zones"
mkdir "$memory/memory_failure" "$memory/memory40x" "$memory/memory0x28" "$memory/memory99999999999999999999"
try "blocks, with files missing" 0 "BLOCK RANGE                                 SIZE NODE ZONES  STATE   MARKED
   32 0x0000000100000000-0x0000000107ffffff 128M    - -      online    4096
   34 0x0000000110000000-0x0000000117ffffff 128M    - -      offline      1
   35 0x0000000118000000-0x000000011fffffff 128M    - Normal online      16" "" blocks -o "$short"
echo junk >"$memory/block_size_bytes"
try "blocks, size not known" 0 "BLOCK RANGE SIZE NODE ZONES  STATE   MARKED
   32 -        -    - -      online       -
   34 -        -    - -      offline      -
   35 -        -    - Normal online       -" "" blocks -o "$short"
try "list, size of blocks not known" 0 "$(printf '%s\n' \
"RANGE                                 SIZE PAGES BLOCKS NODE ZONE    STATE    OWNER   SKIPPABLE CANARY AGE" \
"0x0000000100100000-0x00000001010fffff  16M  4096 -         0 Movable in-force debugfs yes       yes    12s" \
"0x0000000108100000-0x0000000108102fff  12K     3 -         0 Movable in-force debugfs no        no     119s" \
"0x0000000110000000-0x0000000110000fff   4K     1 -         - -       waiting  debugfs yes       no     119min" \
"0x0000000118000000-0x000000011800ffff  64K    16 -         0 Normal  in-force sample  yes       no     2d")" "" list
try "mark block:32, size not known" 2 "" "offctl: mark: 'block:32': the size of a memory block is not known
hint: a range is 0xSTART-0xEND (end included), 0xSTART+SIZE, block:N[-M] or pfn:N[+M]" mark block:32
rm -r "$memory"
try "blocks, no directory" 1 "" "offctl: blocks: ROOT/sys/devices/system/memory: No such file or directory
hint: does this kernel have memory hotplug?" blocks -o "$short"
rm -r "$T/sys"
try "blocks, no sysfs" 1 "" "offctl: blocks: ROOT/sys/devices/system/memory: No such file or directory
hint: is sysfs mounted?" blocks -o "$short"

# status
tree guest
try "status" 0 "module version          0.1
way of skipping         frozen
online-page hook        held by the module
reserve                 64M
memory block            128M
marked memory           16464K
marked ranges           4
marked pages            4116
marks                   5
unmarks                 1
failed marks            2
stray references        1
offline attempts        7
offline done            4
offline cancelled       2
offline cancelled early 1
online attempts         3
online done             3
online cancelled        0
online cancelled early  0
online vetoed           0
withheld pages          4097
injected failures       2" "" status
short_status=HOOK,PAGES,RESERVE,SIZE
printf '%s\n' "hook taken" "pages 0" "reserve_mib x" "new_count 5" >"$fo/stats"
try "status, values that are missing or make no sense" 0 "HOOK                   PAGES RESERVE SIZE
held by another driver     0       -   0B" "" status -o "$short_status"
run "status, a value that is new" 0 "new_count               5" "" \
	sh -c '"$@" | tail -n 1' sh "$offctl" --sysroot "$T" status
echo "hook" >"$fo/stats"
try "status, a name without a value" 0 "HOOK
-" "" status -o hook
echo >"$fo/stats"
try "status, an empty line" 1 "" "offctl: status: ROOT/sys/kernel/debug/fake_offline/stats: line 1 is not as documented
hint: do the module and offctl have the same version?" status

for hook in "held:held by the module" "free:not held, no range exists" "left:left to the hypervisor's driver" "taken:held by another driver" "new:new"; do
	echo "hook ${hook%%:*}" >"$fo/stats"
	try "status, the hook is ${hook%%:*}" 0 "HOOK
${hook#*:}" "" status -o hook
	try "status -r, the hook is ${hook%%:*}" 0 "${hook%%:*}" "" status -rno hook
done

# verify
tree guest
counts="ranges              4
pages               4116
pages_block_offline 1
page_offline        4115
skippable           4112
skippable_expected  4112
buddy               0
wrong_count         0
canary              4096
canary_broken       0
poisoned            0
canary_unchecked    0
first_bad_pfn       -1"
try "verify" 0 "$counts
last_failure        -
no fault was found" "" verify
sed -i "s/^last_failure .*/last_failure PFN 0x108001 refused: marked/" "$fo/verify"
try "verify, something has failed once" 0 "$counts
last_failure        PFN 0x108001 refused: marked
no fault was found" "" verify
try "verify -q" 0 "" "" verify -q

sed -i "s/^poisoned .*/poisoned 3/; s/^canary_unchecked .*/canary_unchecked 4093/" "$fo/verify"
try "verify, poisoned pages, and a hibernation" 0 "POISONED CANARY_UNCHECKED
       3             4093" "" verify -o POISONED,CANARY_UNCHECKED
sed -i "/^poisoned /d; /^canary_unchecked /d" "$fo/verify"
try "verify, an older module" 0 "POISONED CANARY_UNCHECKED
       -                -" "" verify -o POISONED,CANARY_UNCHECKED

# verify_bad NAME VALUE MESSAGE: one number is wrong
verify_bad() {
	tree guest
	sed -i "s/^$1 .*/$1 $2/; s/^first_bad_pfn .*/first_bad_pfn 1048832/" "$fo/verify"
	"$offctl" --sysroot "$T" verify >"$work/shown" 2>/dev/null
	try "verify, $1 is $2" 1 "$(cat "$work/shown")" "offctl: verify: $3
hint: the first bad page is 0x0000000100100000-0x0000000100100fff" verify
	if grep -q "^$1 *$2\$" "$work/shown" && ! grep -q "well" "$work/shown"; then
		ok "verify shows $1"
	else
		not_ok "verify shows $1"
	fi
	try "verify -q, $1 is $2" 1 "" "" verify -q
}
verify_bad page_offline 4114 "page_offline + pages_block_offline is 4115, must be 4116 as pages"
verify_bad pages_block_offline 0 "page_offline + pages_block_offline is 4115, must be 4116 as pages"
verify_bad pages 4117 "page_offline + pages_block_offline is 4116, must be 4117 as pages"
verify_bad skippable 4111 "skippable is 4111, must be 4112 as skippable_expected"
verify_bad skippable_expected 4113 "skippable is 4112, must be 4113 as skippable_expected"
verify_bad buddy 1 "buddy is 1, must be 0"
verify_bad wrong_count 2 "wrong_count is 2, must be 0"
verify_bad canary_broken 3 "canary_broken is 3, must be 0"
for name in page_offline pages_block_offline pages skippable skippable_expected buddy wrong_count canary_broken; do
	tree guest
	sed -i "/^$name /d" "$fo/verify"
	try "verify -q, no count of $name" 1 "" "offctl: verify: the module does not report '$name'
hint: do the module and offctl have the same version?" verify -q
done
tree guest
sed -i "s/^buddy .*/buddy -1/" "$fo/verify"
try "verify -q, a count below 0" 1 "" "offctl: verify: the module does not report 'buddy'
hint: do the module and offctl have the same version?" verify -q
: >"$fo/verify"
try "verify -q, nothing" 1 "" "offctl: verify: the module does not report 'page_offline'
hint: do the module and offctl have the same version?" verify -q
