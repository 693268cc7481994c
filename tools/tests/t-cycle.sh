#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by tests/run: cycle, and the options of offline and online; map.
# shellcheck disable=SC2154,SC2016

# Blocks do as they are told, and what is armed makes the next one fail.
obeys='memory=$T/sys/devices/system/memory
file=$1 dir=$3
set -- $2
case $file in
inject)
	echo "$@" >>"$dir/../armed" ;;
block_*)
	action=${file#block_}
	if [ "$action" != "${OBEY_NOT-}" ] && ! tail -n 1 "$dir/../armed" 2>/dev/null | grep -q "^$action .* 1\$"; then
		echo $action >"$memory/memory$1/state"
		case $file:$2 in
		*:online_movable) echo Movable ;;
		block_offline:*) echo "Normal Movable" ;;
		*) echo Normal ;;
		esac >"$memory/memory$1/valid_zones"
	else
		exit 16
	fi ;;
esac'

counts="STEP,ATTEMPTS,DONE,FAILED,INJECTED,LEAKS"
tree guest
kernel "$obeys"
try "cycle" 0 "STEP    ATTEMPTS DONE FAILED INJECTED LEAKS
offline        1    1      0        0     -
online         1    1      0        0     -" "" cycle -o "$counts" 32
sent block_offline 32
sent block_online "32 online_movable"
try "cycle --count --verify, two blocks, one of them offline" 0 "STEP    ATTEMPTS DONE FAILED INJECTED LEAKS
offline        6    6      0        0     0
online         6    6      0        0     0" "" cycle -o "$counts" --count 3 --verify 34-35
tree guest
kernel "$obeys"
try "cycle --type" 0 "DONE
   1
   1" "" cycle -o DONE --type kernel 32
sent block_online "32 online_kernel"
tree guest
kernel "$obeys"
try "cycle --inject" 0 "STEP    ATTEMPTS DONE FAILED INJECTED LEAKS
offline        6    2      0        4     0
online         4    2      0        2     0" "" cycle -o "$counts" --count 2 --verify \
	--inject "offline late EBUSY" --inject offline:after:-12 --inject "online before ENOMEM" 32
sent inject "# action point errno count
offline late -16 1
offline late -16 0
offline after -12 1
offline after -12 0
online before -12 1
online before -12 0
offline late -16 1
offline late -16 0
offline after -12 1
offline after -12 0
online before -12 1
online before -12 0"
tree guest
kernel "$obeys"
OBEY_NOT=offline
export OBEY_NOT
busy="offctl: cycle: block 32: a page cannot be migrated, or a memory notifier refused (EBUSY); it is online
hint: the kernel log may say more: dmesg"
try "cycle, a failure ends it" 1 "STEP    ATTEMPTS DONE FAILED INJECTED LEAKS
offline        1    0      1        0     -
online         0    0      0        0     -" "$busy" cycle -o "$counts" --count 5 32
try "cycle --keep-going" 1 "STEP    ATTEMPTS DONE FAILED INJECTED LEAKS
offline        2    0      2        0     -
online         0    0      0        0     -" "$busy
$(echo "$busy" | head -n 1)" cycle -o "$counts" --count 2 --keep-going 32
OBEY_NOT=online
try "cycle, it does not come back" 64 "STEP    ATTEMPTS DONE FAILED INJECTED LEAKS
offline        1    1      0        0     -
online         1    0      1        0     -" "offctl: cycle: block 32: a memory notifier refused, or another driver has the online-page hook that its marked pages need (EBUSY); it is offline
hint: the kernel log may say more: dmesg
offctl: cycle: block 32: a memory notifier refused, or another driver has the online-page hook that its marked pages need (EBUSY); it is offline
offctl: cycle: a block that was online stays offline" cycle -o "$counts" --count 5 32
unset OBEY_NOT
tree guest
kernel "$obeys"
sed -i "s/^buddy .*/buddy 2/" "$fo/verify"
try "cycle --verify, a leak ends it" 64 "STEP    ATTEMPTS DONE FAILED INJECTED LEAKS
offline        1    1      0        0     2
online         0    0      0        0     -" "offctl: cycle: buddy is 2, must be 0" cycle -o "$counts" --count 5 --verify 32
# 12 attempts: after the 5th and the 10th, which are not of the same step.
tree guest
kernel "$obeys"
sed -i "s/^buddy .*/buddy 2/" "$fo/verify"
try "cycle --verify-every" 64 "STEP    ATTEMPTS DONE FAILED INJECTED LEAKS
offline        6    6      0        0     2
online         6    6      0        0     2" "offctl: cycle: buddy is 2, must be 0
offctl: cycle: buddy is 2, must be 0" cycle -o "$counts" --count 3 --keep-going --verify-every 5 34-35
try "cycle --verify-every 0" 2 "" "offctl: cycle: '0': not 1 or more
Try 'offctl cycle --help' for more." cycle --verify-every 0 32
# What one cycle loses, and the next one finds again, is seen.
tree guest
echo "MemTotal: 400 kB" >"$T/proc/meminfo"
kernel "$obeys"'
case $file in
block_online)
	read -r _ kb _ <"$T/proc/meminfo"
	echo "MemTotal: $((796 - kb)) kB" >"$T/proc/meminfo" ;;
esac'
try "cycle --verify --keep-going, MemTotal is off for one cycle" 64 "STEP    ATTEMPTS DONE FAILED INJECTED LEAKS
offline        2    2      0        0     0
online         2    2      0        0     0" "offctl: cycle: MemTotal was 400 kB and is 396 kB now" cycle -o "$counts" --count 2 --verify --keep-going 32
try "cycle --verify, MemTotal is off" 64 "STEP    ATTEMPTS DONE FAILED INJECTED LEAKS
offline        1    1      0        0     0
online         1    1      0        0     0" "offctl: cycle: MemTotal was 400 kB and is 396 kB now" cycle -o "$counts" --count 2 --verify 32
tree guest
kernel 'case $1 in block_offline) kill -INT $PPID; exit 4 ;; esac'
try "cycle, SIGINT" 1 "STEP    ATTEMPTS DONE FAILED INJECTED LEAKS
offline        1    0      1        0     -
online         0    0      0        0     -" "offctl: cycle: block 32: interrupted (EINTR); it is online
offctl: cycle: interrupted" cycle -o "$counts" --count 5 --keep-going 32
tree guest
try "cycle, no such block" 1 "" "offctl: cycle: there are no such blocks" cycle 40
place_hint="hint: there are offline before, offline after, offline late, online before, online after, mark stray, mark corrupt"
try "cycle --inject frob" 2 "" "offctl: cycle: 'frob': not ACTION POINT ERRNO
$place_hint" cycle --inject frob 32
try "cycle --inject mark" 2 "" "offctl: cycle: 'mark stray EBUSY': cycle only attempts offline and online
$place_hint" cycle --inject "mark stray EBUSY" 32
try "cycle --count 0" 2 "" "offctl: cycle: '0': not 1 to 1000000000
Try 'offctl cycle --help' for more." cycle --count 0 32
nothing_sent

# --all-marked, --size, --node
tree guest
kernel "$obeys"
try "offline --all-marked" 0 "block 32: offline
block 33: offline
block 34: already offline
block 35: offline" "" offline --all-marked
try "online --all-marked -q" 0 "" "" online --all-marked -q --type movable
sent block_online "32 online_movable
33 online_movable
34 online_movable
35 online_movable"
head -n 1 "$fo/ranges" >"$work/none"
cp "$work/none" "$fo/ranges"
try "offline --all-marked, none" 0 "no block has marked pages" "" offline --all-marked
tree guest
kernel "$obeys"
try "offline --size: from the end" 0 "block 35: offline
block 33: offline" "" offline --size 256M
try "online --size: from the start" 0 "block 33: online, zone Normal" "" online --size 128M
try "offline --size, more than there is" 64 "block 33: offline
block 32: offline
block 7: offline
block 6: offline
block 5: offline
block 4: offline
block 3: offline
block 2: offline
block 1: offline
block 0: offline" "offctl: offline: 10 of 16 blocks done" offline --size 2G
tree arm64-64k
kernel "$obeys"
try "offline --size --node" 0 "block 16: offline" "" offline --size 512M --node 1
tree guest
try "offline --size 100M" 2 "" "offctl: offline: '100M': not a multiple of the size of a memory block
Try 'offctl offline --help' for more." offline --size 100M
try "offline --size and a block" 2 "" "offctl: offline: blocks, --all-marked and --size exclude each other
Try 'offctl offline --help' for more." offline --size 128M 32
try "offline --node" 2 "" "offctl: offline: --node and --zone need --size
Try 'offctl offline --help' for more." offline --node 1 32
try "offline --zone" 2 "" "offctl: offline: --node and --zone need --size
Try 'offctl offline --help' for more." offline --zone movable 32
try "offline --zone frob" 2 "" "offctl: offline: 'frob': no such zone
hint: zones are dma, dma32, normal and movable" offline --size 128M --zone frob
kernel "$obeys"
try "offline --size --zone" 0 "block 7: offline" "" offline --size 128M --zone dma32
tree guest
kernel "$obeys"
try "offline --size --zone, more than there is" 64 "block 33: offline
block 32: offline" "offctl: offline: 2 of 4 blocks done" offline --size 512M --zone Movable
try "online --size --zone" 64 "block 32: online, zone Movable
block 33: online, zone Movable
block 34: online, zone Movable" "offctl: online: 3 of 8 blocks done" online --type movable --size 1G --zone movable
tree guest

# DAX devices
mkdir -p "$T/sys/bus/dax/devices/dax0.0" "$T/sys/bus/dax/devices/dax1.0"
echo 0x107000000 >"$T/sys/bus/dax/devices/dax0.0/resource"
echo 436207616 >"$T/sys/bus/dax/devices/dax0.0/size"
echo 0x107000000 >"$T/sys/bus/dax/devices/dax1.0/resource"
echo 134217728 >"$T/sys/bus/dax/devices/dax1.0/size"
kernel "$obeys"
try "offline a DAX device" 0 "block 33: offline
block 34: already offline
block 35: offline" "" offline dax0.0
block_hint="hint: a block is N, N-M, block:N[-M], or a range of addresses of whole blocks"
try "offline a DAX device without a whole block" 2 "" "offctl: offline: 'dax1.0': no whole memory block
$block_hint" offline dax1.0
try "offline a DAX device that is not there" 2 "" "offctl: offline: 'dax2.0': not a DAX device with memory
$block_hint" offline dax2.0

# Stops at the first failure
tree guest
kernel 'exit 16'
try "offline stops at a failure" 1 "" "offctl: offline: block 32: a page cannot be migrated, or a memory notifier refused (EBUSY); it is online
hint: the kernel log may say more: dmesg
hint: 3 blocks were not tried; --keep-going goes on after a failure
offctl: offline: 0 of 4 blocks done" offline 32-35
sent block_offline 32

# --timeout: the kernel goes on and on, until a signal
tree guest
kernel 'sleep 1; exit 4'
try "offline --timeout" 1 "" "offctl: offline: block 32: given up after 0.2 s; it is online" offline --timeout 200ms 32
for bad in 0 -1 x 1x 0x10 1. .5 99999999999; do
	why="not a time"
	[ "$bad" != 99999999999 ] || why="too large"
	try "offline --timeout $bad" 2 "" "offctl: offline: '$bad': $why
Try 'offctl offline --help' for more." offline --timeout "$bad" 32
done

# On a terminal: progress after a second, and a message in between stays whole
if command -v script >/dev/null; then
	tree guest
	kernel "case \$1 in block_*) sleep 0.7 ;; esac
$obeys"
	script -qec "stty cols 20; $offctl --sysroot $T offline 32-33 35" "$work/typescript" >/dev/null 2>&1 </dev/null
	tr '\r' '\n' <"$work/typescript" | sed 's/\x1b\[K//g' >"$work/lines"
	if grep -q '^offline: [12] of 3' "$work/lines" &&
	   [ "$(grep -c '^block 3[235]: offline$' "$work/lines")" -eq 3 ] &&
	   [ "$(grep '^offline: ' "$work/lines" | awk 'length > 20' | wc -l)" -eq 0 ]; then
		ok "offline shows progress on a terminal"
	else
		not_ok "offline shows progress on a terminal"
	fi
	# 20 columns, on a terminal and by COLUMNS
	for command in list blocks status verify map inject; do
		script -qec "stty cols 20; $offctl --sysroot $T $command" "$work/typescript" >"$work/narrow" 2>&1 </dev/null
		if ! grep -qE "Sanitizer|runtime error" "$work/narrow"; then
			ok "$command in 20 columns"
		else
			not_ok "$command in 20 columns"
		fi
	done
	tree guest
	script -qec "stty cols 60; env -u COLUMNS $offctl --sysroot $T blocks -o BLOCK,STATE,WHY 33" /dev/null </dev/null 2>&1 | tr -d '\r' >"$work/cut"
	run "what may be cut is cut" 0 "BLOCK STATE  WHY
   33 online 3 pages marked unskippable by debugfs" "" cat "$work/cut"
	script -qec "stty cols 30; env -u COLUMNS $offctl --sysroot $T blocks -o BLOCK,STATE,WHY 33" /dev/null </dev/null 2>&1 | tr -d '\r' >"$work/cut"
	run "what must be cut is cut" 0 "BLOCK STATE  WHY
   33 online 3 pages marked un" "" cat "$work/cut"
else
	ok "a terminal # SKIP no script(1)"
fi

# map
tree guest
map_hint="hint: /proc/kpageflags: No such file or directory: the map cannot show the pages of online blocks"
run "map" 0 "0x0000000000 ================
0x0018000000 ================
0x0020000000 ================
0x0028000000 ================
0x0030000000 ================
0x0038000000 ================
0x0100000000 ###=============
0x0108000000 #===============
0x0110000000 #...............
0x0118000000 #===============

# marked   . offline
= online
one cell is 8 MiB" "$map_hint" sh -c 'COLUMNS=29 "$@" | sed 2,3d' sh "$offctl" --sysroot "$T" map
run "map, one cell a block" 0 "0x0000000000 ========
0x0100000000 ####

# marked   = online
one cell is 128 MiB" "$map_hint" env COLUMNS=80 "$offctl" --sysroot "$T" map --cell 128M
run "map, 5 columns" 0 "$map_hint" "" sh -c 'COLUMNS=5 "$@" 2>&1 >/dev/null' sh "$offctl" --sysroot "$T" map
run "map --color" 0 "0x0100000000 $(printf '\033[0;1;31m####\033[0m')

$(printf '\033[0;1;31m#\033[0m marked   \033[0;32m=\033[0m online')
one cell is 128 MiB" "$map_hint" sh -c '"$@" | sed 1d' sh "$offctl" --sysroot "$T" map --cell 128M --color=always
run "map --ascii wins" 0 "0x0100000000 ####" "$map_hint" sh -c '"$@" | sed -n 2p' sh "$offctl" --sysroot "$T" map --cell 128M --color --ascii
run "map, colours and UTF-8" 0 "0x0100000000 $(printf '\033[0;1;31m████\033[0m')" "$map_hint" \
	sh -c 'LC_ALL=C.UTF-8 "$@" | sed -n 2p' sh "$offctl" --sysroot "$T" map --cell 128M --color=always
run "map, no colours, no UTF-8" 0 "0x0100000000 ####" "$map_hint" \
	sh -c 'LC_ALL=C.UTF-8 "$@" | sed -n 2p' sh "$offctl" --sysroot "$T" map --cell 128M --color=never
try "map --color=frob" 2 "" "offctl: map: 'frob': not always, never or auto
Try 'offctl map --help' for more." map --color=frob
try "map --block 40" 1 "" "offctl: map: block 40: there is no such block" map --block 40
try "map --block 32-33" 2 "" "offctl: map: '32-33': more than one block
hint: a block is N, N-M, block:N[-M], or a range of addresses of whole blocks" map --block 32-33
try "map --cell 3" 2 "" "offctl: map: '3': not a multiple of the page size
Try 'offctl map --help' for more." map --cell 3
try "map --svg" 0 "" "$map_hint" map --svg "$work/svg"
run "map --svg: what is in it" 0 "1" "" grep -c "<title>marked 0x0000000100100000-0x00000001010fffff</title>" "$work/svg"
rm "$memory/block_size_bytes"
try "map, size of blocks not known" 1 "" "offctl: map: the size of a memory block is not known" map
