#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by tests/run: mark and import with --or-soft-offline.
# shellcheck disable=SC2154,SC2016

# A page block has 8 pages here. The module refuses $kernel_pages as kernel memory,
# $pinned_pages as pinned, and the other pages of a page block with a kernel page as
# neighbours. $on_soft is a command for soft_offline_page. Its exit is the answer.
neighbours='
if [ "$1" = soft_offline_page ]; then
	eval "$on_soft"
	pfn=$(($2 / 4096))
	echo "$pfn" >>"$T/poisoned"
	exit 0
fi
[ "$1" = mark ] || exit 0
set -- $2
# refuse START NR PFN CODE REASON
refuse() {
	count=$(sed -n "s/^count //p" "$fo/last_refusal")
	printf "%s\n" "count $((count + 1))" "age_s 0" "errno -16" "start_pfn $1" "nr_pages $2" \
		"pfn $3" "code $4" "owner -" "reason $5" >"$fo/last_refusal"
	exit 16
}
# check START NR: the kernel page in the range comes before one beside it
check() {
	for page in $kernel_pages; do
		[ "$1" -gt "$page" ] || [ "$(($1 + $2))" -le "$page" ] ||
			refuse $1 $2 $page kernel_memory "the kernel uses PFN $page"
	done
	for page in $pinned_pages; do
		[ "$1" -gt "$page" ] || [ "$(($1 + $2))" -le "$page" ] ||
			refuse $1 $2 $page pinned "PFN $page is pinned"
	done
	state=in_force
	! grep -qx "$1" "$T/poisoned" || [ "$2" -gt 1 ] || { state=poisoned; return; }
	for page in $kernel_pages; do
		[ "$(($1 / 8))" -gt "$((page / 8))" ] || [ "$((($1 + $2 - 1) / 8))" -lt "$((page / 8))" ] ||
			refuse $1 $2 $page neighbour "PFN $page in the same page block cannot move: slab"
	done
}
: >"$fo/add"
while [ $# -gt 0 ]; do
	check $1 $2
	echo "$1 $2 1 0 0 Normal debugfs 0 $state" >>"$fo/add"
	shift 2
done
{ head -n 1 "$fo/ranges"; { tail -n +2 "$fo/ranges"; cat "$fo/add"; } | sort -n; } >"$fo/new"
mv "$fo/new" "$fo/ranges"'
# soft PAGES [COMMAND [PAGES]]: makes a fresh tree with these pages of the kernel, this
# answer of soft_offline_page, and these pinned pages
soft() {
	tree guest
	: >"$T/poisoned"
	: >"$memory/soft_offline_page"
	kernel "kernel_pages='$1' on_soft='${2-}' pinned_pages='${3-}'
$neighbours"
}
# attempts TEXT: these addresses must have been written
attempts() {
	if differs addresses "$1" "$(cat "$memory/soft_offline_page")"; then
		not_ok "soft_offline_page: bytes written"
	else
		ok "soft_offline_page: bytes written"
	fi
}
cost="hint: soft offline is the last resort: the kernel poisons the page until the machine reboots
hint: from Linux 6.12 on, a memory block with a poisoned page cannot come back online after it goes offline"
refused="offctl: mark: 0x0000000118010000-0x0000000118010fff: a page cannot be taken out of use (EBUSY)
hint: 0x0000000118010000-0x0000000118010fff: PFN 1146897 in the same page block cannot move: slab; page 0x118011000 (PFN 0x118011)"
after="hint: from Linux 6.12 on, block 35 cannot come back online after going offline"

soft 1146897
try "mark, without the option" 1 "" "$refused" mark pfn:1146896
attempts ""
try "mark --or-soft-offline, one page" 0 "soft-offlined 1 page (4 KiB) 0x0000000118010000-0x0000000118010fff" \
	"$cost
hint: 1 page (4 KiB) 0x0000000118010000-0x0000000118010fff stays poisoned until the machine reboots
$after" mark --or-soft-offline pfn:1146896
attempts 0x118010000
run "and it is listed" 0 "1146896 poisoned" "" sh -c '"$@" | grep poisoned' sh "$offctl" --sysroot "$T" list -rno PFN,STATE

# A page block with a kernel page, which stays, and one without
soft 1146899
try "mark --or-soft-offline, a range" 64 "marked 8 pages (32 KiB) 0x0000000118018000-0x000000011801ffff
soft-offlined 3 pages (12 KiB) 0x0000000118010000-0x0000000118012fff
soft-offlined 4 pages (16 KiB) 0x0000000118014000-0x0000000118017fff
soft-offlined 7 pages (28 KiB) in all" "$cost
offctl: mark: 0x0000000118010000-0x000000011801ffff: 1 page of 16 was not taken out of use: the kernel uses PFN 1146899 (EBUSY)
hint: 3 pages (12 KiB) 0x0000000118010000-0x0000000118012fff stay poisoned until the machine reboots
hint: 4 pages (16 KiB) 0x0000000118014000-0x0000000118017fff stay poisoned until the machine reboots
$after" mark --or-soft-offline 0x118010000-0x11801ffff
attempts "0x118010000
0x118011000
0x118012000
0x118014000
0x118015000
0x118016000
0x118017000"
soft 1146899
try "mark --or-soft-offline, kernel memory alone" 1 "" "offctl: mark: 0x0000000118013000-0x0000000118013fff: a page cannot be taken out of use (EBUSY)
hint: 0x0000000118013000-0x0000000118013fff: the kernel uses PFN 1146899; page 0x118013000 (PFN 0x118013)" \
	mark --or-soft-offline pfn:1146899
attempts ""

# The order of the ranges has no effect, and neither has the first reason of the module.
beside="soft-offlined 1 page (4 KiB) 0x0000000118010000-0x0000000118010fff"
beside_hints="hint: 1 page (4 KiB) 0x0000000118010000-0x0000000118010fff stays poisoned until the machine reboots
$after"
# both_ways NAME KERNEL-PAGES PINNED-PAGES OUT WHY RANGE RANGE: tries the ranges in both orders
both_ways() {
	for order in forward backward; do
		soft "$2" "" "$3"
		first=$6 second=$7
		[ "$order" = forward ] || { first=$7 second=$6; }
		try "mark --or-soft-offline, $1, $order" 64 "$4" "$cost
$5
$beside_hints" mark --or-soft-offline "$first" "$second"
		attempts 0x118010000
	done
}
both_ways "a kernel page and one beside it" 1146899 "" "$beside" \
	"offctl: mark: 0x0000000118013000-0x0000000118013fff: 1 page of 1 was not taken out of use: the kernel uses PFN 1146899 (EBUSY)" \
	pfn:1146899 pfn:1146896
both_ways "a pinned page and one beside a kernel page" 1146899 1146912 "$beside" \
	"offctl: mark: 0x0000000118020000-0x0000000118020fff: 1 page of 1 was not taken out of use: PFN 1146912 is pinned (EBUSY)" \
	pfn:1146912 pfn:1146896
both_ways "a kernel page next to it" 1146897 "" "$beside" \
	"offctl: mark: 0x0000000118010000-0x0000000118011fff: 1 page of 2 was not taken out of use: the kernel uses PFN 1146897 (EBUSY)" \
	pfn:1146897 pfn:1146896
soft 1146899 "" 1146912
try "mark --or-soft-offline, one beside a kernel page, one that is pinned, one that can be marked" 64 \
	"marked 1 page (4 KiB) 0x0000000118028000-0x0000000118028fff
$beside" "$cost
offctl: mark: 0x0000000118020000-0x0000000118020fff: 1 page of 1 was not taken out of use: PFN 1146912 is pinned (EBUSY)
$beside_hints" mark --or-soft-offline pfn:1146912 pfn:1146920 pfn:1146896
# The negative twin: without a page beside kernel memory none is soft-offlined.
soft "1146899 1146904"
try "mark --or-soft-offline, two kernel pages" 1 "" "offctl: mark: 0x0000000118013000-0x0000000118013fff: 1 page of 1 was not taken out of use: the kernel uses PFN 1146899 (EBUSY)
offctl: mark: 0x0000000118018000-0x0000000118018fff: 1 page of 1 was not taken out of use: the kernel uses PFN 1146904 (EBUSY)" \
	mark --or-soft-offline pfn:1146904 pfn:1146899
attempts ""
soft "1146899"
try "mark, a kernel page and one beside it, without the option" 1 "" "offctl: mark: 2 ranges: a page cannot be taken out of use (EBUSY)
hint: 0x0000000118013000-0x0000000118013fff: the kernel uses PFN 1146899; page 0x118013000 (PFN 0x118013)" \
	mark pfn:1146899 pfn:1146896
attempts ""
soft ""
try "mark --or-soft-offline, not needed" 0 "marked 2 pages (8 KiB) 0x0000000118010000-0x0000000118011fff" "" \
	mark --or-soft-offline pfn:1146896+2
attempts ""

# not_retired NAME WHY SHOWN ARGUMENT…: soft offline fails for this reason
not_retired() {
	name=$1 why=$2 shown=$3
	shift 3
	try "mark --or-soft-offline: $name" 1 "" "${shown:+$shown
}offctl: mark: 0x0000000118010000-0x0000000118010fff: 1 page of 1 was not taken out of use: soft offline: $why" \
		mark "$@" pfn:1146896
}
soft 1146897 'exit 5'
not_retired EIO "Input/output error (EIO)" "$cost" --or-soft-offline
soft 1146897
rm "$memory/soft_offline_page"
not_retired "not there" "this kernel has none (ENOENT)" "" --or-soft-offline
soft 1146897 'exec sleep 2'
not_retired "it does not end" "given up after 0.2 s; the kernel may still finish it" "$cost" --or-soft-offline=200ms
soft 1146897 'kill -INT "$(ps -o ppid= "$PPID" | tr -d " ")"; exec sleep 2'
not_retired SIGINT "interrupted; the kernel may still finish it" "$cost" --or-soft-offline
soft 1146897
echo going-offline >"$memory/memory33/state"
not_retired "a block is going offline" "not tried while block 33 goes offline" "" --or-soft-offline
attempts ""
soft 1146897
dd if=/dev/zero of="$T/proc/kpageflags" bs=8 seek=1146896 count=1 status=none
not_retired "done, and not poisoned" "the kernel reported no error, but the page is not poisoned" "$cost" --or-soft-offline
soft 1146897 'exec sleep 2'
try "mark --or-soft-offline, none is tried after one that does not end" 1 "" "$cost
offctl: mark: 0x0000000118010000-0x0000000118010fff: 1 page of 1 was not taken out of use: soft offline: given up after 0.2 s; the kernel may still finish it
offctl: mark: 0x0000000118012000-0x0000000118012fff: 1 page of 1 was not taken out of use: soft offline: not tried" \
	mark --or-soft-offline=200ms pfn:1146898 pfn:1146896
attempts 0x118010000
soft 1146897
rm "$fo/last_refusal"
kernel 'exit 16'
try "mark --or-soft-offline, an older module" 1 "" "offctl: mark: 0x0000000118010000-0x0000000118010fff: a page cannot be taken out of use (EBUSY)" \
	mark --or-soft-offline pfn:1146896
attempts ""

# import
printf '1146896\n1146898+2\n1146904\n1146920\n' >"$work/list"
soft 1146899
try "import, without the option" 64 "RANGE                                 FATE
0x0000000118010000-0x0000000118010fff refused
0x0000000118012000-0x0000000118013fff refused
0x0000000118018000-0x0000000118018fff marked
0x0000000118028000-0x0000000118028fff marked
it costs 2 pages (8 KiB) of 1536 MiB, 0.0005 %" "" import --format pfn -o RANGE,FATE "$work/list"
attempts ""
soft 1146899
try "import --or-soft-offline" 64 "RANGE                                 FATE          COST WHY
0x0000000118010000-0x0000000118010fff soft-offlined   4K -
0x0000000118012000-0x0000000118013fff partly marked   4K the kernel uses PFN 1146899 (EBUSY)
0x0000000118018000-0x0000000118018fff marked          4K -
0x0000000118028000-0x0000000118028fff marked          4K -
it costs 4 pages (16 KiB) of 1536 MiB, 0.0010 %" "$cost
hint: 1 page (4 KiB) 0x0000000118010000-0x0000000118010fff stays poisoned until the machine reboots
hint: 1 page (4 KiB) 0x0000000118012000-0x0000000118012fff stays poisoned until the machine reboots
$after" import --or-soft-offline --format pfn -o RANGE,FATE,COST,WHY "$work/list"
attempts "0x118010000
0x118012000"
soft 1146899
printf '1146902+10\n' >"$work/list"
try "import --or-soft-offline, a range of both kinds" 0 "soft-offlined 2\x20of\x2010\x20pages;\x20the\x20others\x20are\x20marked" "$cost
hint: 2 pages (8 KiB) 0x0000000118016000-0x0000000118017fff stay poisoned until the machine reboots
$after" import --or-soft-offline --format pfn -rno FATE,WHY "$work/list"

mark_try="Try 'offctl mark --help' for more."
try "mark --or-soft-offline=x" 2 "" "offctl: mark: 'x': not a time
$mark_try" mark --or-soft-offline=x pfn:1
try "mark --or-soft-offline --size" 2 "" "offctl: mark: --or-soft-offline needs ranges
$mark_try" mark --or-soft-offline --size 64M
try "mark --or-soft-offline --absent" 2 "" "offctl: mark: --absent, --via-offline and --or-soft-offline exclude each other
$mark_try" mark --or-soft-offline --absent pfn:1
try "import --or-soft-offline=0" 2 "" "offctl: import: '0': not a time
Try 'offctl import --help' for more." import --or-soft-offline=0 "$work/list"
