#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Tests of `offctl offline` and `offctl online`. tests/run sources this file. lib.sh has the
# functions try, run, sent, kernel and tree. A shell script takes the place of the module.
# shellcheck disable=SC2154,SC2016

# For kernel: a module that takes each block offline or online, as requested.
module='memory=$T/sys/devices/system/memory
set -- "$1" $2
case $1:$3 in
block_offline:)
	echo offline >"$memory/memory$2/state"
	echo "Normal Movable" >"$memory/memory$2/valid_zones" ;;
block_online:online_movable)
	echo online >"$memory/memory$2/state"
	echo Movable >"$memory/memory$2/valid_zones" ;;
block_online:*)
	echo online >"$memory/memory$2/state"
	echo Normal >"$memory/memory$2/valid_zones" ;;
esac'
dmesg_hint="hint: the kernel log may say more: dmesg"

tree guest
kernel "$module"
try "offline one" 0 "block 32: offline" "" offline 32
sent block_offline "32"
try "offline it again" 0 "block 32: already offline" "" offline 32
sent block_offline "32"
try "online it" 0 "block 32: online, zone Normal" "" online 32
sent block_online "32"
try "online it again" 0 "block 32: already online" "" online 32
sent block_online "32"

tree guest
kernel "$module"
try "offline several, each once, in the order given" 0 "block 35: offline
block 32: offline
block 33: offline
block 34: already offline" "" offline 35 block:32-33 0x108000000 0x100000000-0x11fffffff 35
sent block_offline "35
32
33"
try "online --type movable" 0 "block 32: online, zone Movable
block 33: online, zone Movable" "" online --type movable 32-33
try "online --type online_movable" 0 "block 34: online, zone Movable" "" online --type online_movable 34
try "online --type kernel" 0 "block 35: online, zone Normal" "" online --type kernel 35
sent block_online "32 online_movable
33 online_movable
34 online_movable
35 online_kernel"
tree guest
kernel "$module"
try "online --type online" 0 "block 34: online, zone Normal" "" online --type online 34
sent block_online "34 online"
tree guest
kernel "$module"
try "online --type online_kernel" 0 "block 34: online, zone Normal" "" online --type online_kernel 34
sent block_online "34 online_kernel"

# Blocks that are online already
tree guest
try "online --type movable, already in ZONE_MOVABLE" 0 "block 32: already online" "" online --type movable 32
try "online --type kernel, already in ZONE_NORMAL" 0 "block 35: already online" "" online --type kernel 35
try "online --type online, already online" 0 "block 35: already online" "" online --type online 35
try "online --type movable, in ZONE_NORMAL" 1 "" "offctl: online: block 35: already online in zone Normal, which does not fit online_movable
hint: take it offline first" online --type movable 35
try "online --type kernel, in ZONE_MOVABLE" 1 "" "offctl: online: block 32: already online in zone Movable, which does not fit online_kernel
hint: take it offline first" online --type kernel 32
rm "$memory/memory32/valid_zones"
try "online --type kernel, the zone is not known" 0 "block 32: already online" "" online --type kernel 32
nothing_sent

# Blocks that do not exist
tree guest
kernel "$module"
try "offline, no such block" 1 "" "offctl: offline: block 40: there is no such block" offline 40
try "offline, the range has a hole: nothing is done" 1 "" "offctl: offline: blocks 8-31: there are no such blocks
hint: nothing was done; --keep-going continues with the blocks that exist" offline 7-32
nothing_sent
try "offline --keep-going, the range has a hole" 64 "block 7: offline
block 32: offline" "offctl: offline: blocks 8-31: there are no such blocks
offctl: offline: 2 of 26 blocks are offline" offline --keep-going 7-32
try "offline --keep-going, the range is larger than the memory" 64 "block 35: offline" \
	"offctl: offline: blocks 36-18446744073709551615: there are no such blocks
offctl: offline: 1 of 18446744073709551581 blocks is offline" offline --keep-going 35-18446744073709551615
try "online --keep-going, the largest possible range" 64 "block 0: already online
block 1: already online
block 2: already online
block 3: already online
block 4: already online
block 5: already online
block 6: already online
block 7: online, zone Normal
block 32: online, zone Normal
block 33: already online
block 34: online, zone Normal
block 35: online, zone Normal" "offctl: online: blocks 8-31: there are no such blocks
offctl: online: blocks 36-18446744073709551615: there are no such blocks
offctl: online: 12 of 18446744073709551615 blocks are online" online --keep-going 0-18446744073709551615
rm -r "$memory"/memory*
try "offline, no blocks at all" 1 "" "offctl: offline: blocks 0-18446744073709551615: there are no such blocks
offctl: offline: 0 of 18446744073709551615 blocks are offline" offline --keep-going 0-18446744073709551615

# refused COMMAND BLOCK NAME NUMBER STATE REASON: the module refuses with the errno NAME, which
# has this NUMBER. offctl must print REASON. The block keeps its STATE.
refused() {
	tree guest
	kernel "exit $4"
	extra=
	[ "$3" != EBUSY ] || extra="
$dmesg_hint"
	try "$1: $3" 1 "" "offctl: $1: block $2: still $5: $6 ($3)$extra" "$1" "$2"
}
refused offline 32 EBUSY 16 online "a page cannot be migrated, or a memory notifier refused"
refused offline 32 EINTR 4 online "interrupted"
refused offline 32 EINVAL 22 online "it has holes or several zones"
refused offline 32 ENXIO 6 online "there is no such block"
refused offline 32 ENOMEM 12 online "Cannot allocate memory"
refused offline 32 EAGAIN 11 online "Resource temporarily unavailable"
refused online 34 EBUSY 16 offline "a memory notifier refused, or another driver has the online-page hook that its marked pages need"
refused online 34 EINTR 4 offline "interrupted"
refused online 34 EINVAL 22 offline "it cannot come online this way"
refused online 34 ENXIO 6 offline "there is no such block"
refused online 34 EHWPOISON 133 offline "Memory page has hardware error"

# If a block cannot go offline with EINVAL, it has holes, or pages of several zones. offctl
# reads /proc/iomem to distinguish these causes.
# invalid NAME HINT IOMEM: block 32 is refused. /proc/iomem has the text IOMEM, and offctl must
# print HINT.
invalid() {
	tree guest
	kernel 'printf "%s\n" "count 99" "errno -22" "start_pfn 1048576" "nr_pages 32768" \
		"pfn -1" "code kernel_refused" "reason in that state already" >"$3/last_failure"
exit 22'
	printf '%s\n' "$3" >"$T/proc/iomem"
	try "offline: EINVAL, $1" 1 "" "offctl: offline: block 32: still online: it has holes or several zones (EINVAL)$2" \
		offline 32
}
several="
hint: all of the block is RAM, so its pages are in several zones"
invalid "several zones" "$several" "100000000-11fffffff : System RAM
  100000000-1017fffff : Kernel code"
invalid "RAM of two kinds" "$several" "  f0000000-103ffffff : System RAM (kmem)
104000000-107ffffff : System RAM"
invalid "a hole" "
hint: 257 pages (1028 KiB) of the block are no RAM, see /proc/iomem; the kernel takes no block with holes offline" \
	"00000000-000fffff : Reserved
100000000-1000007ff : System RAM
100001000-103ffffff : System RAM
104100000-11fffffff : System RAM"
invalid "a hole of a page" "
hint: 1 page (4 KiB) of the block is no RAM, see /proc/iomem; the kernel takes no block with holes offline" \
	"100000000-107fff000 : System RAM"
invalid "not root" "" "00000000-00000000 : System RAM"
invalid "no list" "" ""
try "blocks, no impossible cause" 0 "32 -" "" blocks -rno BLOCK,WHY 32

# fails_with ERRNO START NR REASON: the module refuses. Its file last_failure has REASON for
# these pages, and counts one more failure.
fails_with() {
	kernel "count=\$(sed -n 's/^count //p' \"\$3/last_failure\")
printf '%s\n' \"count \$((count + 1))\" 'start_pfn $2' 'nr_pages $3' 'pfn -1' 'reason $4' >\"\$3/last_failure\"
exit $1"
}
busy="still online: a page cannot be migrated, or a memory notifier refused (EBUSY)"
tree guest
fails_with 16 1081344 32768 "PFN 0x108100 refused: marked unskippable by debugfs"
try "offline, the module knows why" 1 "" "offctl: offline: block 33: $busy
hint: PFN 0x108100 refused: marked unskippable by debugfs" offline 33
try "offline, the same reason again" 1 "" "offctl: offline: block 33: $busy
hint: PFN 0x108100 refused: marked unskippable by debugfs" offline 33
try "offline, the reason is of another block" 1 "" "offctl: offline: block 32: $busy
$dmesg_hint" offline 32
kernel "exit 4"
try "offline, the reason is an old one" 1 "" "offctl: offline: block 33: still online: interrupted (EINTR)" offline 33
fails_with 4 1081600 32512 "interrupted by a signal"
try "offline, a new reason, for a part of the block" 1 "" "offctl: offline: block 33: still online: interrupted (EINTR)
hint: interrupted by a signal" offline 33
no_memory="offctl: offline: block 33: still online: Cannot allocate memory (ENOMEM)"
fails_with 12 1081344 32768 "vetoed: injected, errno -12"
for again in "" " again"; do
	try "offline, ENOMEM$again" 1 "" "$no_memory
hint: vetoed: injected, errno -12" offline 33
done
kernel "exit 12"
try "offline, ENOMEM, and nothing was counted" 1 "" "$no_memory" offline 33
fails_with 16 1114112 32768 "vetoed: the hook is taken"
try "online, the module knows why" 1 "" "offctl: online: block 34: still offline: a memory notifier refused, or another driver has the online-page hook that its marked pages need (EBUSY)
hint: vetoed: the hook is taken" online 34
kernel "exit 16"
try "online, the reason is an old one" 1 "" "offctl: online: block 34: still offline: a memory notifier refused, or another driver has the online-page hook that its marked pages need (EBUSY)
$dmesg_hint" online 34
for broken in "start_pfn x" "reason" "reason "; do
	kernel "printf '%s\n' 'count 99' 'start_pfn 1081344' 'nr_pages 1' 'reason x' '$broken' | tac >\"\$3/last_failure\"; exit 16"
	try "offline, a reason that cannot be read: $broken" 1 "" "offctl: offline: block 33: $busy
$dmesg_hint" offline 33
done
rm "$fo/last_failure"
kernel "exit 16"
try "offline, a module that gives no reasons" 1 "" "offctl: offline: block 33: $busy
$dmesg_hint" offline 33

# Several blocks, of which some fail
tree guest
kernel 'case $2 in 33*) exit 16 ;; esac
'"$module"
try "offline, one of three refuses" 64 "block 32: offline
block 35: offline" "offctl: offline: block 33: still online: a page cannot be migrated, or a memory notifier refused (EBUSY)
$dmesg_hint
offctl: offline: 2 of 3 blocks are offline" offline --keep-going 32-33 35
sent block_offline "32
33
35"
tree guest
kernel 'exit 16'
try "offline, all refuse: one hint" 1 "" "offctl: offline: block 32: still online: a page cannot be migrated, or a memory notifier refused (EBUSY)
$dmesg_hint
offctl: offline: block 33: still online: a page cannot be migrated, or a memory notifier refused (EBUSY)
offctl: offline: 0 of 2 blocks are offline" offline --keep-going 32-33
try "offline, one refuses, one is already offline" 64 "block 34: already offline" "offctl: offline: block 33: still online: a page cannot be migrated, or a memory notifier refused (EBUSY)
$dmesg_hint
offctl: offline: 1 of 2 blocks is offline" offline --keep-going 33 34

# offctl reports the state of the block, even if the errno says otherwise.
tree guest
try "offline, no error, but still online" 1 "" "offctl: offline: block 32: still online, although the kernel reported no error" offline 32
sent block_offline "32"
kernel "$module
exit 22"
try "offline, an error, but offline" 0 "block 32: offline" "" offline 32
kernel 'echo going-offline >"$T/sys/devices/system/memory/memory33/state"; exit 4'
try "offline, still going offline after an error" 1 "" "offctl: offline: block 33: going-offline: interrupted (EINTR)" offline 33
tree guest
kernel 'echo online >"$T/sys/devices/system/memory/memory34/state"; echo Normal >"$T/sys/devices/system/memory/memory34/valid_zones"'
try "online, it came online in another zone" 1 "" "offctl: online: block 34: online in zone Normal, although the kernel reported no error" online --type movable 34
tree guest
kernel 'rm -r "$T/sys/devices/system/memory/memory32"; exit 19'
try "offline, unplugged meanwhile" 1 "" "offctl: offline: block 32: there is no such block" offline 32
tree guest
kernel 'rm -r "$T/sys/devices/system/memory/memory33"
'"$module"
try "offline, the next block unplugged meanwhile" 64 "block 32: offline" "offctl: offline: block 33: there is no such block
offctl: offline: 1 of 2 blocks is offline" offline 32-33

# Signals
tree guest
kernel 'kill -INT $PPID; exit 4'
try "offline one, SIGINT" 1 "" "offctl: offline: block 32: still online: interrupted (EINTR)" offline 32
tree guest
kernel 'case $2 in 33*) kill -INT $PPID; exit 4 ;; esac
'"$module"
try "offline several, SIGINT ends it" 64 "block 32: offline" "offctl: offline: block 33: still online: interrupted (EINTR)
offctl: offline: interrupted; 2 blocks were not tried
offctl: offline: 1 of 4 blocks is offline" offline 32-35
sent block_offline "32
33"
tree guest
kernel 'kill -INT $PPID
'"$module"
try "offline several, SIGINT too late for the first" 64 "block 32: offline" "offctl: offline: interrupted; 1 block was not tried
offctl: offline: 1 of 2 blocks is offline" offline 32-33
tree guest
kernel 'case $2 in 32*) exit 4 ;; esac
'"$module"
try "offline several, EINTR without a signal for offctl" 64 "block 33: offline" "offctl: offline: block 32: still online: interrupted (EINTR)
offctl: offline: 1 of 2 blocks is offline" offline --keep-going 32-33
tree guest
kernel 'kill -INT $PPID
'"$module"
run "offline, SIGINT ignored by the caller" 0 "block 32: offline
block 33: offline" "" sh -c 'trap "" INT; exec "$@"' sh "$offctl" --sysroot "$T" offline 32-33

tree guest
kernel "exit 200"
try "offline, a short write ends it" 1 "" "offctl: offline: ROOT/sys/kernel/debug/fake_offline/block_offline: the module took 1 of 3 bytes
offctl: offline: 0 of 2 blocks are offline" offline 32-33
tree guest
rm "$fo/block_online"
try "online: no such file" 1 "" "offctl: online: ROOT/sys/kernel/debug/fake_offline/block_online: No such file or directory
hint: do the module and offctl have the same version?" online 34
tree arm64-64k
kernel "$module"
try "offline an address, 512 MiB blocks" 0 "block 3: offline" "" offline 0x60000000
try "offline a range, 512 MiB blocks" 0 "block 3: already offline
block 2: offline" "" offline 0x60000000 pfn:0x4000+0x4000

# --all-marked, --size, --node
tree guest
kernel "$module"
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
try "offline --all-marked, no page is marked" 0 "no block has marked pages" "" offline --all-marked
tree guest
kernel "$module"
try "offline --size: from the end" 0 "block 35: offline
block 33: offline" "" offline --size 256M
try "online --size: from the start" 0 "block 33: online, zone Normal" "" online --size 128M
try "offline --size, more than the online memory" 64 "block 33: offline
block 32: offline
block 7: offline
block 6: offline
block 5: offline
block 4: offline
block 3: offline
block 2: offline
block 1: offline
block 0: offline" "offctl: offline: 10 of 16 blocks are offline" offline --size 2G
tree arm64-64k
kernel "$module"
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
kernel "$module"
try "offline --size --zone" 0 "block 7: offline" "" offline --size 128M --zone dma32
tree guest
kernel "$module"
try "offline --size --zone, more than the zone has" 64 "block 33: offline
block 32: offline" "offctl: offline: 2 of 4 blocks are offline" offline --size 512M --zone Movable
try "online --size --zone" 64 "block 32: online, zone Movable
block 33: online, zone Movable
block 34: online, zone Movable" "offctl: online: 3 of 8 blocks are online" online --type movable --size 1G --zone movable
tree guest

# DAX devices
mkdir -p "$T/sys/bus/dax/devices/dax0.0" "$T/sys/bus/dax/devices/dax1.0"
echo 0x107000000 >"$T/sys/bus/dax/devices/dax0.0/resource"
echo 436207616 >"$T/sys/bus/dax/devices/dax0.0/size"
echo 0x107000000 >"$T/sys/bus/dax/devices/dax1.0/resource"
echo 134217728 >"$T/sys/bus/dax/devices/dax1.0/size"
kernel "$module"
try "offline a DAX device" 0 "block 33: offline
block 34: already offline
block 35: offline" "" offline dax0.0
block_hint="hint: a block is N, N-M, block:N[-M], or a range of addresses of whole blocks"
try "offline a DAX device without a whole block" 2 "" "offctl: offline: 'dax1.0': no whole memory block
$block_hint" offline dax1.0
try "offline a DAX device that is not there" 2 "" "offctl: offline: 'dax2.0': not a DAX device with memory
$block_hint" offline dax2.0

# The first failure ends the command
tree guest
kernel 'exit 16'
try "offline stops at a failure" 1 "" "offctl: offline: block 32: still online: a page cannot be migrated, or a memory notifier refused (EBUSY)
hint: the kernel log may say more: dmesg
hint: 3 blocks were not tried; --keep-going continues after a failure
offctl: offline: 0 of 4 blocks are offline" offline 32-35
sent block_offline 32

# --timeout: the kernel retries until a signal comes
tree guest
kernel 'sleep 1; exit 4'
try "offline --timeout" 1 "" "offctl: offline: block 32: still online: given up after 0.2 s" offline --timeout 200ms 32
for bad in 0 -1 x 1x 0x10 1. .5 99999999999; do
	why="not a time"
	[ "$bad" != 99999999999 ] || why="too large"
	try "offline --timeout $bad" 2 "" "offctl: offline: '$bad': $why
Try 'offctl offline --help' for more." offline --timeout "$bad" 32
done

# On a terminal offctl shows its progress after a second. The progress lines must not break up
# its messages.
if command -v script >/dev/null; then
	tree guest
	kernel "case \$1 in block_*) sleep 0.7 ;; esac
$module"
	script -qec "stty cols 20; $offctl --sysroot $T offline 32-33 35" "$work/typescript" >/dev/null 2>&1 </dev/null
	tr '\r' '\n' <"$work/typescript" | sed 's/\x1b\[K//g' >"$work/lines"
	if grep -q '^offline: [12] of 3' "$work/lines" &&
	   [ "$(grep -c '^block 3[235]: offline$' "$work/lines")" -eq 3 ] &&
	   [ "$(grep '^offline: ' "$work/lines" | awk 'length > 20' | wc -l)" -eq 0 ]; then
		ok "offline shows progress on a terminal"
	else
		not_ok "offline shows progress on a terminal"
	fi
	# A terminal with 20 columns
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
	run "a wide column is cut" 0 "BLOCK STATE  WHY
   33 online 3 pages marked unskippable by debugfs" "" cat "$work/cut"
	script -qec "stty cols 30; env -u COLUMNS $offctl --sysroot $T blocks -o BLOCK,STATE,WHY 33" /dev/null </dev/null 2>&1 | tr -d '\r' >"$work/cut"
	run "a wide column is cut in 30 columns" 0 "BLOCK STATE  WHY
   33 online 3 pages marked un" "" cat "$work/cut"
else
	ok "a terminal # SKIP no script(1)"
fi
