#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by tests/run: offline, online.
# shellcheck disable=SC2154,SC2016

# Blocks do as they are told.
obeys='memory=$T/sys/devices/system/memory
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
kernel "$obeys"
try "offline one" 0 "block 32: offline" "" offline 32
sent block_offline "32"
try "offline it again" 0 "block 32: already offline" "" offline 32
sent block_offline "32"
try "online it" 0 "block 32: online, zone Normal" "" online 32
sent block_online "32"
try "online it again" 0 "block 32: already online" "" online 32
sent block_online "32"

tree guest
kernel "$obeys"
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
kernel "$obeys"
try "online --type online" 0 "block 34: online, zone Normal" "" online --type online 34
sent block_online "34 online"
tree guest
kernel "$obeys"
try "online --type online_kernel" 0 "block 34: online, zone Normal" "" online --type online_kernel 34
sent block_online "34 online_kernel"

# Online already, in a zone
tree guest
try "online --type movable, is" 0 "block 32: already online" "" online --type movable 32
try "online --type kernel, is" 0 "block 35: already online" "" online --type kernel 35
try "online --type online, is" 0 "block 35: already online" "" online --type online 35
try "online --type movable, is not" 1 "" "offctl: online: block 35: it is online in zone Normal, which does not fit online_movable
hint: take it offline first" online --type movable 35
try "online --type kernel, is not" 1 "" "offctl: online: block 32: it is online in zone Movable, which does not fit online_kernel
hint: take it offline first" online --type kernel 32
rm "$memory/memory32/valid_zones"
try "online --type kernel, nobody knows" 0 "block 32: already online" "" online --type kernel 32
nothing_sent

# What is not there
tree guest
kernel "$obeys"
try "offline, no such block" 1 "" "offctl: offline: block 40: there is no such block" offline 40
try "offline, a hole, all or nothing" 1 "" "offctl: offline: blocks 8-31: there are no such blocks
hint: nothing was done; --keep-going goes on with the blocks that exist" offline 7-32
nothing_sent
try "offline, a hole" 64 "block 7: offline
block 32: offline" "offctl: offline: blocks 8-31: there are no such blocks
offctl: offline: 2 of 26 blocks done" offline --keep-going 7-32
try "offline, more than there is" 64 "block 35: offline" \
	"offctl: offline: blocks 36-18446744073709551615: there are no such blocks
offctl: offline: 1 of 18446744073709551581 blocks done" offline --keep-going 35-18446744073709551615
try "online, all that can be asked for" 64 "block 0: already online
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
offctl: online: 12 of 18446744073709551615 blocks done" online --keep-going 0-18446744073709551615
rm -r "$memory"/memory*
try "offline, no blocks at all" 1 "" "offctl: offline: blocks 0-18446744073709551615: there are no such blocks
offctl: offline: 0 of 18446744073709551615 blocks done" offline --keep-going 0-18446744073709551615

# refused COMMAND BLOCK NAME NUMBER STATE WHY: the kernel's answer
refused() {
	tree guest
	kernel "exit $4"
	extra=
	[ "$3" != EBUSY ] || extra="
$dmesg_hint"
	try "$1: $3" 1 "" "offctl: $1: block $2: $6 ($3); it is $5$extra" "$1" "$2"
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

# fails_with ERRNO START NR REASON: each attempt is counted, and leaves a reason
fails_with() {
	kernel "count=\$(sed -n 's/^count //p' \"\$3/last_failure\")
printf '%s\n' \"count \$((count + 1))\" 'start_pfn $2' 'nr_pages $3' 'pfn -1' 'reason $4' >\"\$3/last_failure\"
exit $1"
}
busy="a page cannot be migrated, or a memory notifier refused (EBUSY); it is online"
tree guest
fails_with 16 1081344 32768 "PFN 0x108100 refused: marked unskippable by debugfs"
try "offline, the module knows why" 1 "" "offctl: offline: block 33: $busy
hint: PFN 0x108100 refused: marked unskippable by debugfs" offline 33
try "offline, the same again" 1 "" "offctl: offline: block 33: $busy
hint: PFN 0x108100 refused: marked unskippable by debugfs" offline 33
try "offline, the reason is of another block" 1 "" "offctl: offline: block 32: $busy
$dmesg_hint" offline 32
kernel "exit 4"
try "offline, the reason is an old one" 1 "" "offctl: offline: block 33: interrupted (EINTR); it is online" offline 33
fails_with 4 1081600 32512 "interrupted by a signal"
try "offline, a new reason, of a part of the block" 1 "" "offctl: offline: block 33: interrupted (EINTR); it is online
hint: interrupted by a signal" offline 33
no_memory="offctl: offline: block 33: Cannot allocate memory (ENOMEM); it is online"
fails_with 12 1081344 32768 "vetoed: injected, errno -12"
for again in "" " again"; do
	try "offline, ENOMEM$again" 1 "" "$no_memory
hint: vetoed: injected, errno -12" offline 33
done
kernel "exit 12"
try "offline, ENOMEM, and nothing was counted" 1 "" "$no_memory" offline 33
fails_with 16 1114112 32768 "vetoed: the hook is taken"
try "online, the module knows why" 1 "" "offctl: online: block 34: a memory notifier refused, or another driver has the online-page hook that its marked pages need (EBUSY); it is offline
hint: vetoed: the hook is taken" online 34
kernel "exit 16"
try "online, the reason is an old one" 1 "" "offctl: online: block 34: a memory notifier refused, or another driver has the online-page hook that its marked pages need (EBUSY); it is offline
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

# Success and failure mixed
tree guest
kernel 'case $2 in 33*) exit 16 ;; esac
'"$obeys"
try "offline, one of three refuses" 64 "block 32: offline
block 35: offline" "offctl: offline: block 33: a page cannot be migrated, or a memory notifier refused (EBUSY); it is online
$dmesg_hint
offctl: offline: 2 of 3 blocks done" offline --keep-going 32-33 35
sent block_offline "32
33
35"
tree guest
kernel 'exit 16'
try "offline, all refuse: one hint" 1 "" "offctl: offline: block 32: a page cannot be migrated, or a memory notifier refused (EBUSY); it is online
$dmesg_hint
offctl: offline: block 33: a page cannot be migrated, or a memory notifier refused (EBUSY); it is online
offctl: offline: 0 of 2 blocks done" offline --keep-going 32-33
try "offline, one refuses, one is" 64 "block 34: already offline" "offctl: offline: block 33: a page cannot be migrated, or a memory notifier refused (EBUSY); it is online
$dmesg_hint
offctl: offline: 1 of 2 blocks done" offline --keep-going 33 34

# The state is what counts, not the errno
tree guest
try "offline, no error and not done" 1 "" "offctl: offline: block 32: the kernel reported no error; it is online" offline 32
sent block_offline "32"
kernel "$obeys
exit 22"
try "offline, an error and done" 0 "block 32: offline" "" offline 32
kernel 'echo going-offline >"$T/sys/devices/system/memory/memory33/state"; exit 4'
try "offline, in between" 1 "" "offctl: offline: block 33: interrupted (EINTR); it is going-offline" offline 33
tree guest
kernel 'echo online >"$T/sys/devices/system/memory/memory34/state"; echo Normal >"$T/sys/devices/system/memory/memory34/valid_zones"'
try "online, in another zone" 1 "" "offctl: online: block 34: the kernel reported no error; it is online" online --type movable 34
tree guest
kernel 'rm -r "$T/sys/devices/system/memory/memory32"; exit 19'
try "offline, unplugged meanwhile" 1 "" "offctl: offline: block 32: there is no such block" offline 32
tree guest
kernel 'rm -r "$T/sys/devices/system/memory/memory33"
'"$obeys"
try "offline, the next one unplugged meanwhile" 64 "block 32: offline" "offctl: offline: block 33: there is no such block
offctl: offline: 1 of 2 blocks done" offline 32-33

# Signals
tree guest
kernel 'kill -INT $PPID; exit 4'
try "offline one, SIGINT" 1 "" "offctl: offline: block 32: interrupted (EINTR); it is online" offline 32
tree guest
kernel 'case $2 in 33*) kill -INT $PPID; exit 4 ;; esac
'"$obeys"
try "offline several, SIGINT ends it" 64 "block 32: offline" "offctl: offline: block 33: interrupted (EINTR); it is online
offctl: offline: interrupted; 2 blocks were not tried
offctl: offline: 1 of 4 blocks done" offline 32-35
sent block_offline "32
33"
tree guest
kernel 'kill -INT $PPID
'"$obeys"
try "offline several, SIGINT too late for the first" 64 "block 32: offline" "offctl: offline: interrupted; 1 block was not tried
offctl: offline: 1 of 2 blocks done" offline 32-33
tree guest
kernel 'case $2 in 32*) exit 4 ;; esac
'"$obeys"
try "offline several, EINTR that no signal of ours was" 64 "block 33: offline" "offctl: offline: block 32: interrupted (EINTR); it is online
offctl: offline: 1 of 2 blocks done" offline --keep-going 32-33
tree guest
kernel 'kill -INT $PPID
'"$obeys"
run "offline, SIGINT ignored by the caller" 0 "block 32: offline
block 33: offline" "" sh -c 'trap "" INT; exec "$@"' sh "$offctl" --sysroot "$T" offline 32-33

tree guest
kernel "exit 200"
try "offline, a short write ends it" 1 "" "offctl: offline: ROOT/sys/kernel/debug/fake_offline/block_offline: the module took 1 of 3 bytes
offctl: offline: 0 of 2 blocks done" offline 32-33
tree guest
rm "$fo/block_online"
try "online: no such file" 1 "" "offctl: online: ROOT/sys/kernel/debug/fake_offline/block_online: No such file or directory
hint: do the module and offctl have the same version?" online 34
tree arm64-64k
kernel "$obeys"
try "offline an address, 512 MiB blocks" 0 "block 3: offline" "" offline 0x60000000
try "offline a range, 512 MiB blocks" 0 "block 3: already offline
block 2: offline" "" offline 0x60000000 pfn:0x4000+0x4000
