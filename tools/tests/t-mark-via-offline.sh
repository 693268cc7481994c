#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by tests/run: mark --via-offline, and blocks that were left offline.
# shellcheck disable=SC2154,SC2016

# A kernel that takes each block offline or online, and a module that marks and unmarks
# each range. The file "steps" lists the writes in order, each with the records at that
# time. A command in $on_STEP runs first, and its exit ends the step.
obeys='step=$1
[ "$1" != state ] || step=$(basename "$3").$2
printf "%s %s\n" "$step" "$(ls "$T/run/offctl" 2>/dev/null | tr "\n" " ")" >>"$T/steps"
case $step in
memory*.offline) eval "$on_offline"
	cp "$3/valid_zones" "$T/zone.$(basename "$3")"
	echo offline >"$3/state"; echo "Normal Movable" >"$3/valid_zones" ;;
memory*.online_movable) eval "$on_online"
	echo online >"$3/state"; echo Movable >"$3/valid_zones" ;;
memory*.online*) eval "$on_online"
	echo online >"$3/state"; echo "${zone-Normal}" >"$3/valid_zones" ;;
mark) eval "$on_mark"
	printf "%s" "$2" | while read -r start nr words; do
		s=1 c=0
		case $words in *unskippable*) s=0 ;; esac
		case $words in *canary*) c=1 ;; esac
		echo "$start $nr $s $c 0 Normal debugfs 0 in_force"
	done >"$fo/add"
	{ head -n 1 "$fo/ranges"; { tail -n +2 "$fo/ranges"; cat "$fo/add"; } | sort -n; } >"$fo/new"
	mv "$fo/new" "$fo/ranges" ;;
unmark) eval "$on_unmark"
	printf "%s" "$2" | while read -r start nr; do
		sed -i "/^$start $nr /d" "$fo/ranges"
	done ;;
esac'
# via [HOOK=COMMAND]…: makes a fresh tree with that kernel and module
via() {
	tree guest
	: >"$T/steps"
	kernel "unset on_offline on_online on_mark on_unmark zone
$(printf '%s\n' "$@")
$obeys"
}
# hook NAME COMMAND: prints a HOOK=COMMAND for via()
hook() { printf "%s='%s'" "$1" "$2"; }
# steps TEXT: the file "steps" must have this text
steps() {
	if differs steps "$1" "$(sed 's/ *$//' "$T/steps")"; then
		not_ok "steps"
	else
		ok "steps"
	fi
}
# now STATES RECORD…: blocks 32 to 35 must have these states, and these records must exist
now() {
	want=$1
	shift
	if differs states "$want" "$(head -qn 1 "$memory"/memory3[2-5]/state | tr '\n' ' ')" ||
	   differs records "$*" "$(cd "$T/run/offctl" 2>/dev/null && echo * | sed 's/^[*]$//')"; then
		not_ok "blocks and records"
	else
		ok "blocks and records"
	fi
}
as_before="online online offline online "

via
try "mark --via-offline" 0 "block 35: offline
0x0000000118010000-0x0000000118013fff: marked, waiting for memory to come online
block 35: online, zone Normal
marked 4 pages (16 KiB) 0x0000000118010000-0x0000000118013fff" "" mark --via-offline pfn:1146896+4
steps "memory35.offline block-35
mark block-35
memory35.online_kernel block-35"
now "$as_before"
sent mark "1146896 4"
via
try "mark --via-offline, several ranges and blocks" 0 "block 34: already offline, stays offline
block 33: offline
block 35: offline
3 ranges: marked, waiting for memory to come online
block 33: online, zone Movable
block 35: online, zone Normal
marked 1 page (4 KiB) 0x000000010ffff000-0x000000010fffffff
marked 32767 pages (131068 KiB) 0x0000000110001000-0x0000000117ffffff
marked 1 page (4 KiB) 0x0000000118014000-0x0000000118014fff
marked 32769 pages (131076 KiB) in all" "" \
	mark --via-offline --unskippable --canary pfn:1114111 0x110001000-0x117ffffff pfn:1146900
steps "memory33.offline block-33
memory35.offline block-33 block-35
mark block-33 block-35
memory33.online_movable block-33 block-35
memory35.online_kernel block-35"
now "$as_before"
sent mark "1114111 1 unskippable canary
1114113 32767 unskippable canary
1146900 1 unskippable canary"
via
try "mark --via-offline, only offline memory" 0 "block 34: already offline, stays offline
0x0000000110008000-0x0000000110008fff: marked, waiting for memory to come online
marked 1 page (4 KiB) 0x0000000110008000-0x0000000110008fff" "" mark --via-offline pfn:1114120
steps "mark"

# After a refusal of the kernel everything is as before.
busy='count 8
start_pfn 1146880
nr_pages 32768
errno -16
age_s 0
pfn 1146890
reason PFN 0x11800a refused: kernel memory (slab)'
export busy
via "$(hook on_offline 'case $3 in *35) printf "%s\n" "$busy" >"$fo/last_failure"; exit 16 ;; esac')"
try "mark --via-offline, a block does not go offline" 1 "block 33: offline
block 33: online, zone Movable" "offctl: mark: block 35: still online: a page cannot be migrated, or a memory notifier refused (EBUSY)
hint: PFN 0x11800a refused: kernel memory (slab)" mark --via-offline pfn:1114111 pfn:1146896
now "$as_before"
nothing_sent
via "$(hook on_mark 'exit 16')"
try "mark --via-offline, the mark is refused" 1 "block 35: offline
block 35: online, zone Normal" "offctl: mark: 0x0000000118010000-0x0000000118010fff: a page cannot be taken out of use (EBUSY)" \
	mark --via-offline pfn:1146896
now "$as_before"

# Signals at each step
for signal in INT TERM HUP; do
	via "$(hook on_offline "kill -$signal \$PPID; exit 4")"
	try "mark --via-offline, SIG$signal while it goes offline" 1 "" "offctl: mark: block 35: still online: interrupted (EINTR)" \
		mark --via-offline pfn:1146896
	now "$as_before"
	nothing_sent
	via "$(hook on_offline "case \$3 in *33) kill -$signal \$PPID ;; esac")"
	try "mark --via-offline, SIG$signal between two blocks" 1 "block 33: offline
block 33: online, zone Movable" "offctl: mark: interrupted" mark --via-offline pfn:1114111 pfn:1146896
	now "$as_before"
	nothing_sent
	via "$(hook on_offline "kill -$signal \$PPID")"
	try "mark --via-offline, SIG$signal before the mark" 1 "block 35: offline
block 35: online, zone Normal" "offctl: mark: interrupted" mark --via-offline pfn:1146896
	now "$as_before"
	nothing_sent
	via "$(hook on_mark "kill -$signal \$PPID; exit 4")"
	try "mark --via-offline, SIG$signal during the mark" 1 "block 35: offline
block 35: online, zone Normal" "offctl: mark: 0x0000000118010000-0x0000000118010fff: interrupted (EINTR)" \
		mark --via-offline pfn:1146896
	now "$as_before"
	via "$(hook on_online "[ -e \"\$T/once\" ] || { touch \"\$T/once\"; kill -$signal \$PPID; exit 4; }")"
	try "mark --via-offline, SIG$signal while it comes back" 0 "block 35: offline
0x0000000118010000-0x0000000118010fff: marked, waiting for memory to come online
block 35: online, zone Normal
marked 1 page (4 KiB) 0x0000000118010000-0x0000000118010fff" "" mark --via-offline pfn:1146896
	now "$as_before"
done

# Onlining that fails
via "$(hook on_online '[ "$(wc -l <"$T/steps")" -gt 4 ] || exit 16')"
try "mark --via-offline, it comes back at the third try" 0 "block 35: offline
0x0000000118010000-0x0000000118010fff: marked, waiting for memory to come online
block 35: online, zone Normal
marked 1 page (4 KiB) 0x0000000118010000-0x0000000118010fff" "" mark --via-offline pfn:1146896
now "$as_before"
via "$(hook on_online 'grep -q "^1146896 " "$fo/ranges" && exit 16')"
try "mark --via-offline, it does not come back with the mark" 1 "block 35: offline
0x0000000118010000-0x0000000118010fff: marked, waiting for memory to come online
block 35: online, zone Normal" "offctl: mark: block 35: still offline: a memory notifier refused, or another driver has the online-page hook that its marked pages need (EBUSY)
hint: the kernel log may say more: dmesg
offctl: mark: 0x0000000118010000-0x0000000118010fff: unmarked again, because the memory does not come online with the mark" \
	mark --via-offline pfn:1146896
now "$as_before"
sent unmark "1146896 1"
via "$(hook zone DMA32)"
try "mark --via-offline, another zone" 64 "block 35: offline
0x0000000118010000-0x0000000118010fff: marked, waiting for memory to come online
block 35: online, zone DMA32
marked 1 page (4 KiB) 0x0000000118010000-0x0000000118010fff" "offctl: mark: block 35: it was in zone Normal, and came online in zone DMA32" \
	mark --via-offline pfn:1146896
now "$as_before"

via "$(hook on_mark 'for b in 33 35; do echo online >"$memory/memory$b/state"
echo Movable >"$memory/memory$b/valid_zones"; done')"
try "mark --via-offline, another program brings it online, in another zone" 64 "block 33: offline
block 35: offline
2 ranges: marked, waiting for memory to come online
marked 1 page (4 KiB) 0x000000010ffff000-0x000000010fffffff
marked 1 page (4 KiB) 0x0000000118010000-0x0000000118010fff
marked 2 pages (8 KiB) in all" "offctl: mark: block 35: it was in zone Normal, and came online in zone Movable" \
	mark --via-offline pfn:1114111 pfn:1146896
now "$as_before"

# If the block does not come online, or offctl is killed, the record stays and is reported.
left="is offline: 'offctl mark --via-offline' did not bring it back"
via "$(hook on_online 'exit 12')"
try "mark --via-offline, it never comes back" 1 "block 35: offline
0x0000000118010000-0x0000000118010fff: marked, waiting for memory to come online" "offctl: mark: block 35: still offline: Cannot allocate memory (ENOMEM)
offctl: mark: 0x0000000118010000-0x0000000118010fff: unmarked again, because the memory does not come online with the mark
offctl: mark: block 35: still offline: Cannot allocate memory (ENOMEM)
offctl: mark: block 35 $left
hint: offctl online --type online_kernel 35" mark --via-offline pfn:1146896
now "online online offline offline " block-35
run "the record" 0 "online_kernel" "" cat "$T/run/offctl/block-35"
via "$(hook on_mark 'kill -KILL $PPID; sleep 0.1; exit 4')"
"$offctl" --sysroot "$T" mark --via-offline pfn:1114111 pfn:1146896 >/dev/null 2>&1
now "online offline offline offline " block-33 block-35
both="block 33 $left
hint: offctl online --type online_movable 33
offctl: @: block 35 $left
hint: offctl online --type online_kernel 35"
# told COMMAND…: the command must report both blocks
told() {
	"$offctl" --sysroot "$T" "$@" >"$work/told" 2>&1
	if differs "from $1" "$(printf 'offctl: @: %s\n' "$both" | sed "s/@/$1/")" \
		"$(grep -A 1 "is offline: 'offctl mark" "$work/told")"; then
		not_ok "$1 tells of blocks left offline"
	else
		ok "$1 tells of blocks left offline"
	fi
}
kernel "exit 16"
printf 'version 1\nmark pfn:5\n' >"$work/left.marks"
echo 5 >"$work/left.list"
told mark pfn:5
told unmark pfn:5
told skippable yes pfn:5
told blocks
told offline 32
told online 34
told cycle 32
told restore "$work/left.marks"
told import --format pfn "$work/left.list"
told inject
told status
try "list does not" 0 "4096
3
1
16" "" list -rno PAGES
try "a usage error does not" 2 "" "offctl: mark: no range is named
Try 'offctl mark --help' for more." mark
now "online offline offline offline " block-33 block-35
echo online >"$memory/memory33/state"
try "a block that came back is forgotten" 0 "128M" "offctl: blocks: block 35 $left
hint: offctl online --type online_kernel 35" blocks -no SIZE 33
now "online online offline offline " block-35
echo junk >"$T/run/offctl/block-35"
try "a record that says nothing" 0 "frozen" "offctl: status: block 35 $left
hint: offctl online 35" status -rno SKIP_MODE
rm -r "$memory/memory35"
try "a block that is gone is forgotten" 0 "frozen" "" status -rno SKIP_MODE
now "online online offline " ""
via
mkdir -p "$T/run/offctl"
echo online_movable >"$T/run/offctl/block-35"
try "an older record is replaced" 0 "block 35: offline
0x0000000118010000-0x0000000118010fff: marked, waiting for memory to come online
block 35: online, zone Normal
marked 1 page (4 KiB) 0x0000000118010000-0x0000000118010fff" "" mark --via-offline pfn:1146896
now "$as_before"
# While an offctl works on a block, another one does not report it and does not take it.
via "$(hook on_mark '"$offctl" --sysroot "$T" blocks -rno STATE 35 >"$T/said" 2>&1
echo online >"$T/sys/devices/system/memory/memory35/state"
unset OFFCTL_TEST_KERNEL
"$offctl" --sysroot "$T" mark --via-offline pfn:1146900 >>"$T/said" 2>&1')"
export offctl
"$offctl" --sysroot "$T" mark --via-offline pfn:1146896 >/dev/null 2>&1
run "a block that another offctl has taken" 0 "offline
offctl: mark: block 35: another offctl is taking it offline" "" cat "$T/said"
now "$as_before"
via
mkdir "$T/run"
: >"$T/run/offctl"
try "mark --via-offline, no record can be made" 1 "" "offctl: mark: block 35: offctl cannot record it in /run/offctl: Not a directory" \
	mark --via-offline pfn:1146896
steps ""

# Requests that are refused before anything is done
forced="hint: nothing was done; --force takes the block offline anyway"
all_but_32="0 1 2 3 4 5 6 7 33"
via
for n in $all_but_32; do echo offline >"$memory/memory$n/state"; done
try "mark --via-offline, the last blocks of a node" 1 "" "offctl: mark: block 32: no other memory block of node 0 would be online
$forced" mark --via-offline pfn:1048576 pfn:1146896
steps ""
try "mark --via-offline, not the last one" 0 "block 35: offline
0x0000000118010000-0x0000000118010fff: marked, waiting for memory to come online
block 35: online, zone Normal
marked 1 page (4 KiB) 0x0000000118010000-0x0000000118010fff" "" mark --via-offline pfn:1146896
echo offline >"$memory/memory32/state"
try "mark --via-offline, the last block of a node" 1 "" "offctl: mark: block 35: no other memory block of node 0 would be online
$forced" mark --via-offline pfn:1146900
try "mark --via-offline --force, the last block of a node" 0 "block 35: offline
0x0000000118014000-0x0000000118014fff: marked, waiting for memory to come online
block 35: online, zone Normal
marked 1 page (4 KiB) 0x0000000118014000-0x0000000118014fff" "" mark --via-offline --force pfn:1146900

pools=$T/sys/kernel/mm/hugepages
# pool NR: makes a hugetlb pool of NR pages of 2 MiB and none of 1 GiB
pool() {
	mkdir -p "$pools/hugepages-2048kB" "$pools/hugepages-1048576kB"
	echo "$1" >"$pools/hugepages-2048kB/nr_hugepages"
	echo 0 >"$pools/hugepages-1048576kB/nr_hugepages"
}
# page PFN BYTES: sets the flags of a page to eight bytes, the lowest first
page() {
	# shellcheck disable=SC2059 # octal escapes
	printf "$2" | dd of="$T/proc/kpageflags" bs=8 seek="$1" conv=notrunc status=none
}
via
pool 1
try "mark --via-offline, huge pages in unknown blocks" 1 "" "offctl: mark: block 35: it may have pages of the hugetlb pool, and the pool would shrink for good
$forced" mark --via-offline pfn:1146896
pool 0
try "mark --via-offline, no huge pages" 0 "block 35: offline
0x0000000118010000-0x0000000118010fff: marked, waiting for memory to come online
block 35: online, zone Normal
marked 1 page (4 KiB) 0x0000000118010000-0x0000000118010fff" "" mark --via-offline pfn:1146896
via
pool 1
page 1179647 '\000\000\002\000\000\000\000\000'
try "mark --via-offline, the last page is a huge one's" 1 "" "offctl: mark: block 35: it has pages of the hugetlb pool, and the pool would shrink for good
$forced" mark --via-offline pfn:1146896
steps ""
try "mark --via-offline, a huge page in another block" 0 "block 33: offline
0x000000010ffff000-0x000000010fffffff: marked, waiting for memory to come online
block 33: online, zone Movable
marked 1 page (4 KiB) 0x000000010ffff000-0x000000010fffffff" "" mark --via-offline pfn:1114111
try "mark --via-offline --force, a huge page" 0 "block 35: offline
0x0000000118010000-0x0000000118010fff: marked, waiting for memory to come online
block 35: online, zone Normal
marked 1 page (4 KiB) 0x0000000118010000-0x0000000118010fff" "" mark --via-offline --force pfn:1146896
now "$as_before"

via
try "mark --via-offline, no such block" 1 "" "offctl: mark: 0x0000000120000000-0x0000000120000fff: there is no memory block" \
	mark --via-offline pfn:1146896 pfn:1179648
echo going-offline >"$memory/memory33/state"
try "mark --via-offline, a block goes offline" 1 "" "offctl: mark: block 33: its state is changing at the moment" \
	mark --via-offline pfn:1114111
rm "$memory/block_size_bytes"
try "mark --via-offline, size not known" 1 "" "offctl: mark: the size of a memory block is not known" mark --via-offline pfn:1146896
mark_try="Try 'offctl mark --help' for more."
try "mark --via-offline --size" 2 "" "offctl: mark: --via-offline needs ranges
$mark_try" mark --via-offline --size 64M
try "mark --via-offline --absent" 2 "" "offctl: mark: --absent, --via-offline and --or-soft-offline exclude each other
$mark_try" mark --via-offline --absent pfn:1
try "mark --force" 2 "" "offctl: mark: --force needs --via-offline
$mark_try" mark --force pfn:1
steps ""
