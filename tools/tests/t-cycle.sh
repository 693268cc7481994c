#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Tests of `offctl cycle`. tests/run sources this file. lib.sh has the functions try, sent,
# kernel and tree. A shell script takes the place of the module.
# shellcheck disable=SC2154,SC2016

# For kernel: a module that changes the state of the block. Exit status 16 is EBUSY. It
# returns that if the environment variable FAIL_ACTION is the action, offline or online. It
# also returns that if the last write to "inject" has armed a failure of this action. This
# failure stays armed until the next write to "inject", which offctl makes after the attempt.
module='memory=$T/sys/devices/system/memory
file=$1 dir=$3
set -- $2
case $file in
inject)
	echo "$@" >>"$dir/../armed" ;;
block_*)
	action=${file#block_}
	if [ "$action" != "${FAIL_ACTION-}" ] && ! tail -n 1 "$dir/../armed" 2>/dev/null | grep -q "^$action .* 1\$"; then
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

# All columns but the times, which differ in each run.
columns="STEP,ATTEMPTS,DONE,FAILED,INJECTED,LEAKS"
tree guest
kernel "$module"
try "cycle" 0 "STEP    ATTEMPTS DONE FAILED INJECTED LEAKS
offline        1    1      0        0     -
online         1    1      0        0     -" "" cycle -o "$columns" 32
sent block_offline 32
sent block_online "32 online_movable"
try "cycle --count --verify, two blocks, one of them offline" 0 "STEP    ATTEMPTS DONE FAILED INJECTED LEAKS
offline        6    6      0        0     0
online         6    6      0        0     0" "" cycle -o "$columns" --count 3 --verify 34-35
tree guest
kernel "$module"
try "cycle --type" 0 "DONE
   1
   1" "" cycle -o DONE --type kernel 32
sent block_online "32 online_kernel"
tree guest
kernel "$module"
try "cycle --inject" 0 "STEP    ATTEMPTS DONE FAILED INJECTED LEAKS
offline        6    2      0        4     0
online         4    2      0        2     0" "" cycle -o "$columns" --count 2 --verify \
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
kernel "$module"
FAIL_ACTION=offline
export FAIL_ACTION
offline_failed="offctl: cycle: block 32: still online: a page cannot be migrated, or a memory notifier refused (EBUSY)
hint: the kernel log may say more: dmesg"
try "cycle ends at a failure" 1 "STEP    ATTEMPTS DONE FAILED INJECTED LEAKS
offline        1    0      1        0     -
online         0    0      0        0     -" "$offline_failed" cycle -o "$columns" --count 5 32
try "cycle --keep-going continues after a failure" 1 "STEP    ATTEMPTS DONE FAILED INJECTED LEAKS
offline        2    0      2        0     -
online         0    0      0        0     -" "$offline_failed
$(echo "$offline_failed" | head -n 1)" cycle -o "$columns" --count 2 --keep-going 32
FAIL_ACTION=online
try "cycle, the block does not come back online" 64 "STEP    ATTEMPTS DONE FAILED INJECTED LEAKS
offline        1    1      0        0     -
online         1    0      1        0     -" "offctl: cycle: block 32: still offline: a memory notifier refused, or another driver has the online-page hook that its marked pages need (EBUSY)
hint: the kernel log may say more: dmesg
offctl: cycle: block 32: still offline: a memory notifier refused, or another driver has the online-page hook that its marked pages need (EBUSY)
offctl: cycle: a block that was online before is offline now" cycle -o "$columns" --count 5 32
unset FAIL_ACTION
tree guest
kernel "$module"
sed -i "s/^buddy .*/buddy 2/" "$fo/verify"
try "cycle --verify ends at a leak" 64 "STEP    ATTEMPTS DONE FAILED INJECTED LEAKS
offline        1    1      0        0     2
online         0    0      0        0     -" "offctl: cycle: buddy is 2, must be 0" cycle -o "$columns" --count 5 --verify 32
# The command makes 12 attempts and verifies the marked pages after the 5th and the 10th. One
# of these two is an offline operation, and the other is an online operation.
tree guest
kernel "$module"
sed -i "s/^buddy .*/buddy 2/" "$fo/verify"
try "cycle --verify-every" 64 "STEP    ATTEMPTS DONE FAILED INJECTED LEAKS
offline        6    6      0        0     2
online         6    6      0        0     2" "offctl: cycle: buddy is 2, must be 0
offctl: cycle: buddy is 2, must be 0" cycle -o "$columns" --count 3 --keep-going --verify-every 5 34-35
try "cycle --verify-every 0" 2 "" "offctl: cycle: '0': must be 1 or more
Try 'offctl cycle --help' for more." cycle --verify-every 0 32
# MemTotal falls by 4 kB in the first cycle and rises by 4 kB in the second. offctl must
# report the fall.
tree guest
echo "MemTotal: 400 kB" >"$T/proc/meminfo"
kernel "$module"'
case $file in
block_online)
	read -r _ kb _ <"$T/proc/meminfo"
	echo "MemTotal: $((796 - kb)) kB" >"$T/proc/meminfo" ;;
esac'
try "cycle --verify --keep-going, MemTotal is wrong after one cycle" 64 "STEP    ATTEMPTS DONE FAILED INJECTED LEAKS
offline        2    2      0        0     0
online         2    2      0        0     0" "offctl: cycle: MemTotal was 400 kB and is 396 kB now" cycle -o "$columns" --count 2 --verify --keep-going 32
try "cycle --verify ends at a wrong MemTotal" 64 "STEP    ATTEMPTS DONE FAILED INJECTED LEAKS
offline        1    1      0        0     0
online         1    1      0        0     0" "offctl: cycle: MemTotal was 400 kB and is 396 kB now" cycle -o "$columns" --count 2 --verify 32
tree guest
kernel 'case $1 in block_offline) kill -INT $PPID; exit 4 ;; esac'
try "cycle, SIGINT" 1 "STEP    ATTEMPTS DONE FAILED INJECTED LEAKS
offline        1    0      1        0     -
online         0    0      0        0     -" "offctl: cycle: block 32: still online: interrupted (EINTR)
offctl: cycle: interrupted" cycle -o "$columns" --count 5 --keep-going 32
tree guest
try "cycle, no such block" 1 "" "offctl: cycle: there are no such blocks" cycle 40
inject_hint="hint: actions and points are offline before, offline after, offline late, online before, online after, mark stray, mark corrupt"
try "cycle --inject frob" 2 "" "offctl: cycle: 'frob': not ACTION POINT ERRNO
$inject_hint" cycle --inject frob 32
try "cycle --inject mark" 2 "" "offctl: cycle: 'mark stray EBUSY': cycle has only the actions offline and online
$inject_hint" cycle --inject "mark stray EBUSY" 32
try "cycle --count 0" 2 "" "offctl: cycle: '0': not a number from 1 to 1000000000
Try 'offctl cycle --help' for more." cycle --count 0 32
nothing_sent
