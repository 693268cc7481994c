#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by tests/run: mark, unmark.
# shellcheck disable=SC2154,SC2016

log_hint="hint: the kernel log may say more: dmesg | grep fake_offline"

# states LINES: adds the last column to lines without it
states() {
	printf '%s\n' "$1" | awk 'NF == 8 { $9 = $5 < 0 ? "waiting" : "in_force" } 1'
}
# add LINES: a module that takes the command and then also lists these ranges
add() {
	states "$1" >"$work/add"
	kernel 'fo=$3
head -n 1 "$fo/ranges" >"$fo/new"
{ sed 1d "$fo/ranges"; cat "'"$work/add"'"; } | sort -n >>"$fo/new"
mv "$fo/new" "$fo/ranges"'
}
# left LINES: a module that takes the command and then lists only these ranges
left() {
	states "$1" >"$work/left"
	kernel 'fo=$3
head -n 1 "$fo/ranges" >"$fo/new"
grep . "'"$work/left"'" >>"$fo/new"
mv "$fo/new" "$fo/ranges"'
}

tree guest
add "1146896 4096 1 0 0 Normal debugfs 0"
try "mark START-END" 0 "marked 4096 pages (16 MiB) 0x0000000118010000-0x000000011900ffff" "" \
	mark 0x118010000-0x11900ffff
sent mark "1146896 4096"

tree guest
add "1146896 4096 1 0 0 Normal debugfs 0"
try "mark START+SIZE" 0 "marked 4096 pages (16 MiB) 0x0000000118010000-0x000000011900ffff" "" \
	mark 0x118010000+16M
sent mark "1146896 4096"

tree guest
add "1146896 1 1 0 0 Normal debugfs 0"
try "mark pfn:N" 0 "marked 1 page (4 KiB) 0x0000000118010000-0x0000000118010fff" "" mark pfn:0x118010
sent mark "1146896 1"

tree guest
add "32768 98304 1 0 0 DMA32 debugfs 0"
try "mark block:N-M" 0 "marked 98304 pages (384 MiB) 0x0000000008000000-0x000000001fffffff" "" \
	mark block:1-3
sent mark "32768 98304"

tree arm64-64k
add "8192 8192 1 0 0 DMA debugfs 0"
try "mark block:N, 64 KiB pages" 0 "marked 8192 pages (512 MiB) 0x0000000020000000-0x000000003fffffff" "" \
	mark block:1
sent mark "8192 8192"

tree guest
try "mark, all the memory there can be" 1 "" "offctl: mark: 0x0000000000000000-0xffffffffffffffff: the module lists 0 of 4503599627370496 pages as marked" \
	mark --unskippable --canary 0x0-0xffffffffffffffff
sent mark "0 4503599627370496 unskippable canary"

# Several ranges, some of them adjacent, with both flags, make one write.
tree guest
add "500 10 0 1 0 DMA32 debugfs 0
100 2 0 1 0 DMA32 debugfs 0
102 1 0 1 0 DMA32 debugfs 0"
try "mark, several ranges" 0 "marked 3 pages (12 KiB) 0x0000000000064000-0x0000000000066fff
marked 10 pages (40 KiB) 0x00000000001f4000-0x00000000001fdfff
marked 13 pages (52 KiB) in all" "" mark pfn:500+10 --canary pfn:102 --unskippable pfn:100+2
sent mark "500 10 unskippable canary
102 1 unskippable canary
100 2 unskippable canary"
no_kernel
try "mark, several ranges, taken and yet not" 1 "" "offctl: mark: 2 ranges: the module lists 0 of 2 pages as marked" \
	mark pfn:1 pfn:3

# The module merges a range with an older one.
tree guest
left "1048832 4100 1 1 0 Movable debugfs 12"
try "mark next to a range" 0 "marked 4 pages (16 KiB) 0x0000000101100000-0x0000000101103fff" "" \
	mark --canary 0x101100000+16K

# The module lists other pages than those of the request.
tree guest
add "100 2 1 0 0 DMA32 debugfs 0"
try "mark, but less is marked" 64 "marked 2 pages (8 KiB) 0x0000000000064000-0x0000000000065fff" \
	"offctl: mark: 0x0000000000064000-0x0000000000067fff: the module lists 2 of 4 pages as marked" mark pfn:100+4
tree guest
add "100 4 0 0 0 DMA32 debugfs 0"
try "mark, but not skippable" 1 "" \
	"offctl: mark: 0x0000000000064000-0x0000000000067fff: the module lists 0 of 4 pages as marked" mark pfn:100+4
tree guest
add "100 4 1 0 0 DMA32 other 0"
try "mark, but another owner has the pages" 1 "" \
	"offctl: mark: 0x0000000000064000-0x0000000000067fff: the module lists 0 of 4 pages as marked" mark pfn:100+4

# --size
tree guest
add "200 3 1 0 0 DMA32 debugfs 0
300 1 1 0 0 DMA32 debugfs 0"
try "mark --size" 0 "marked 3 pages (12 KiB) 0x00000000000c8000-0x00000000000cafff
marked 1 page (4 KiB) 0x000000000012c000-0x000000000012cfff
marked 4 pages (16 KiB) in all" "" mark --size 16K
sent mark "any 4"
tree guest
add "1120000 16384 0 1 0 Movable debugfs 0"
try "mark --size --node --zone and flags" 0 "marked 16384 pages (64 MiB) 0x0000000111700000-0x00000001156fffff" "" \
	mark --unskippable --size 64MiB --zone movable --canary --node 0
sent mark "any 16384 node=0 zone=Movable unskippable canary"
for zone in dma:DMA DMA32:DMA32 NORMAL:Normal Movable:Movable; do
	tree guest
	add "200 1 1 0 0 x debugfs 0"
	try "mark --zone ${zone%:*}" 0 "marked 1 page (4 KiB) 0x00000000000c8000-0x00000000000c8fff" "" \
		mark --size 4096 --zone "${zone%:*}"
	sent mark "any 1 zone=${zone#*:}"
done
tree guest
add "200 1 1 0 0 DMA32 debugfs 0"
try "mark --size, but less" 64 "marked 1 page (4 KiB) 0x00000000000c8000-0x00000000000c8fff" \
	"offctl: mark: 4 pages (16 KiB): the module lists 1 of 4 pages as marked" mark --size 16K
tree guest
add "200 5 1 0 0 DMA32 debugfs 0"
try "mark --size, and another program marks pages" 0 "marked 5 pages (20 KiB) 0x00000000000c8000-0x00000000000ccfff" \
	"hint: another program marked pages at the same time" mark --size 16K
tree guest
left "1048832 4096 1 0 0 Movable debugfs 0"
try "mark --size, ranges that were there don't count" 1 "" \
	"offctl: mark: 4096 pages (16 MiB): the module lists 0 of 4096 pages as marked" mark --size 16M

tree guest
add "9000000 32768 1 1 -1 - debugfs 0 waiting"
try "mark --absent" 0 "marked 32768 pages (128 MiB) 0x0000000895440000-0x000000089d43ffff" "" \
	mark --absent --canary pfn:9000000+32768
sent mark "9000000 32768 canary absent"

# refused NAME NUMBER WHY [HINT]: the module refuses a range with this errno
refused() {
	tree guest
	kernel "exit $2"
	try "mark: $1" 1 "" "offctl: mark: 0x0000000110000000-0x0000000110003fff: $3 ($1)${4:+
$4}" mark 0x110000000-0x110003fff
}
refused EEXIST 17 "a page is marked already" "hint: 0x0000000110000000-0x0000000110000fff is marked"
refused ENXIO 6 "there is no memory that can be marked"
refused EBUSY 16 "a page cannot be taken out of use"
refused ENOSPC 28 "too little memory would be left"
refused ENOMEM 12 "no memory to record the mark or to migrate pages to"
refused EINTR 4 "interrupted"
refused EINVAL 22 "the module does not understand the command"
refused ERANGE 34 "a number is too large"
refused E2BIG 7 "too many at once"
refused EPERM 1 "Operation not permitted"
tree guest
kernel "exit 17"
try "mark: EEXIST, and the list has it not" 1 "" "offctl: mark: 2 ranges: a page is marked already (EEXIST)" \
	mark 0x100000000+4K 0x100002000+4K

# refusal START NR PFN OWNER REASON: a module that refuses with this reason
refusal() {
	kernel 'count=$(sed -n "s/^count //p" "$3/last_refusal")
cat >"$3/last_refusal" <<END
count $((count + 1))
age_s 0
errno -16
'"start_pfn $1
nr_pages $2
pfn $3
code in_use
owner $4
reason $5"'
new line
END
exit 16'
}
pages="offctl: mark: 0x0000000110000000-0x0000000110003fff: a page cannot be taken out of use (EBUSY)"
tree guest
refusal 1114112 4 1114113 virtio_mem "PFN 0x110001 is pinned"
try "mark: the reason" 1 "" "$pages
hint: 0x0000000110000000-0x0000000110003fff: PFN 0x110001 is pinned; page 0x110001000 (PFN 0x110001); owner virtio_mem" \
	mark 0x110000000+16K
try "mark: the reason, once more" 1 "" "$pages
hint: 0x0000000110000000-0x0000000110003fff: PFN 0x110001 is pinned; page 0x110001000 (PFN 0x110001); owner virtio_mem" \
	mark 0x110000000+16K
tree guest
refusal 1114114 1 -1 - "the page block is isolated"
try "mark: the reason, no page and no owner" 1 "" "$pages
hint: 0x0000000110002000-0x0000000110002fff: the page block is isolated" mark 0x110000000+16K
tree guest
refusal 2000000 1 -1 - "of another request"
try "mark: the reason, of another request" 1 "" "$pages" mark 0x110000000+16K
tree guest
printf '%s\n' "count 3" "start_pfn 1114112" "nr_pages 4" "pfn -1" "reason stale" >"$fo/last_refusal"
kernel "exit 16"
try "mark: the reason, a stale one" 1 "" "$pages" mark 0x110000000+16K
for broken in "reason" "nr_pages x" "start_pfn"; do
	tree guest
	kernel "printf '%s\n' 'count 1' 'start_pfn 1114112' 'nr_pages 4' 'reason x' '$broken' | tac >\"\$3/last_refusal\"; exit 16"
	try "mark: the reason, which has '$broken'" 1 "" "$pages" mark 0x110000000+16K
done
tree guest
rm "$fo/last_refusal"
kernel "exit 16"
try "mark: the reason, an older module" 1 "" "$pages" mark 0x110000000+16K
tree guest
refusal 0 0 -1 - "zone Normal: 12 MiB above its floor, 3072 pages could be marked"
try "mark --size: the reason" 1 "" "offctl: mark: 16384 pages (64 MiB): pages cannot be taken out of use (EBUSY)
hint: zone Normal: 12 MiB above its floor, 3072 pages could be marked" mark --size 64M

# Poisoned pages count as marked with any flags.
tree guest
add "100 1 1 1 0 DMA32 debugfs 0
101 1 1 0 0 DMA32 debugfs 0 poisoned
102 2 1 1 0 DMA32 debugfs 0"
try "mark over a poisoned page" 0 "marked 4 pages (16 KiB) 0x0000000000064000-0x0000000000067fff" "" \
	mark --canary pfn:100+4

# any_refused NAME NUMBER WHY
any_refused() {
	tree guest
	kernel "exit $2"
	try "mark --size: $1" 1 "" "offctl: mark: 16384 pages (64 MiB) on node 7 in zone Normal: $3 ($1)" \
		mark --size 64M --node 7 --zone normal
}
any_refused ENXIO 6 "there is no such node, or it has no such zone"
any_refused ENOSPC 28 "too few pages are free, or too little memory would be left"
any_refused EBUSY 16 "pages cannot be taken out of use"
any_refused ENOMEM 12 "no memory to record the mark or to migrate pages to"
any_refused EINTR 4 "interrupted"
any_refused EIO 5 "Input/output error"

tree guest
kernel "exit 200"
try "mark: a short write" 1 "" "offctl: mark: ROOT/sys/kernel/debug/fake_offline/mark: the module took 2 of 4 bytes" mark pfn:1
tree guest
kernel 'kill -INT $PPID; exit 4'
try "mark: SIGINT" 1 "" "offctl: mark: 0x0000000000001000-0x0000000000001fff: interrupted (EINTR)" mark pfn:1
kernel 'kill -TERM $PPID; exit 4'
try "mark: SIGTERM" 1 "" "offctl: mark: 0x0000000000001000-0x0000000000001fff: interrupted (EINTR)" mark pfn:1
tree guest
kernel 'rm "$3/ranges"'
try "mark, and it cannot be read back" 1 "" "offctl: mark: ROOT/sys/kernel/debug/fake_offline/ranges: No such file or directory
hint: do the module and offctl have the same version?" mark pfn:1
sent mark "1 1"
tree guest
rm "$fo/mark"
try "mark: no such file" 1 "" "offctl: mark: ROOT/sys/kernel/debug/fake_offline/mark: No such file or directory
hint: do the module and offctl have the same version?" mark pfn:1
rm "$fo/ranges"
try "mark: the list is read before" 1 "" "offctl: mark: ROOT/sys/kernel/debug/fake_offline/ranges: No such file or directory
hint: do the module and offctl have the same version?" mark pfn:1

# unmark

b="1081600 3 0 0 0 Movable debugfs 119"
c="1114112 1 1 0 -1 - debugfs 7199"
d="1146880 16 1 0 0 Normal sample 200000"

tree guest
left "$b
$c
$d"
try "unmark a range" 0 "unmarked 4096 pages (16 MiB) 0x0000000100100000-0x00000001010fffff" "" \
	unmark 0x100100000-0x1010fffff
sent unmark "1048832 4096"
tree guest
left "1048832 16 1 1 0 Movable debugfs 12
1048850 4078 1 1 0 Movable debugfs 12
$c
$d"
try "unmark parts" 0 "unmarked 2 pages (8 KiB) 0x0000000100110000-0x0000000100111fff
unmarked 3 pages (12 KiB) 0x0000000108100000-0x0000000108102fff
unmarked 5 pages (20 KiB) in all" "" unmark pfn:1081600+3 pfn:1048848+2
sent unmark "1081600 3
1048848 2"
tree guest
left "$d"
try "unmark --all" 0 "unmarked 4096 pages (16 MiB) 0x0000000100100000-0x00000001010fffff
unmarked 3 pages (12 KiB) 0x0000000108100000-0x0000000108102fff
unmarked 1 page (4 KiB) 0x0000000110000000-0x0000000110000fff
unmarked 4100 pages (16400 KiB) in all" "" unmark --all
sent unmark "all"
try "unmark --all, nothing left" 0 "no pages were marked with offctl" "" unmark --all
sent unmark "all
all"
tree guest
left "$b
$d"
try "unmark --all, but one is left" 64 "unmarked 4096 pages (16 MiB) 0x0000000100100000-0x00000001010fffff
unmarked 1 page (4 KiB) 0x0000000110000000-0x0000000110000fff
unmarked 4097 pages (16388 KiB) in all" "offctl: unmark: all: 3 pages are still marked
hint: 0x0000000108100000-0x0000000108102fff is marked" unmark --all
tree guest
try "unmark, but all are left" 1 "" "offctl: unmark: 0x0000000108100000-0x0000000108102fff: 3 pages are still marked
hint: 0x0000000108100000-0x0000000108102fff is marked" unmark pfn:1081600+3

# unmark_refused NAME NUMBER WHY HINT
unmark_refused() {
	tree guest
	kernel "exit $2"
	try "unmark: $1" 1 "" "offctl: unmark: 2 ranges: $3 ($1)${4:+
$4}" unmark pfn:1081600+4 pfn:1146880
}
unmark_refused ENOENT 2 "a page is not marked" "hint: 0x0000000108103000-0x0000000108103fff is not marked"
unmark_refused EPERM 1 "a page belongs to another owner" "hint: 0x0000000108103000-0x0000000108103fff was not marked with offctl, see 'offctl list'"
unmark_refused EINTR 4 "interrupted" ""
unmark_refused EBUSY 16 "Device or resource busy" "$log_hint"
tree guest
kernel 'sed -i "/ 4096 /d" "$3/ranges"; exit 4'
try "unmark --all, interrupted half-way" 64 "unmarked 4096 pages (16 MiB) 0x0000000100100000-0x00000001010fffff" \
	"offctl: unmark: all: interrupted (EINTR)" unmark --all
tree guest
kernel 'kill -INT $PPID; exit 4'
try "unmark --all, SIGINT" 1 "" "offctl: unmark: all: interrupted (EINTR)" unmark --all
tree guest
kernel "exit 200"
try "unmark: a short write" 1 "" "offctl: unmark: ROOT/sys/kernel/debug/fake_offline/unmark: the module took 2 of 4 bytes" unmark --all
