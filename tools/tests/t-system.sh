#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by tests/run: offctl without the module, debugfs, root, or stdout.
# shellcheck disable=SC2154,SC2016

commands_of_module="mark unmark skippable list offline online cycle verify save restore inject status"
# all_say NAME MESSAGE: each command that needs the module must print this message
all_say() {
	for command in $commands_of_module; do
		case $command in
		mark | unmark) arg=pfn:1 ;;
		offline | online | cycle) arg=32 ;;
		skippable) arg="yes pfn:1" ;;
		*) arg= ;;
		esac
		# shellcheck disable=SC2086
		try "$command: $1" 1 "" "offctl: $command: $2" "$command" $arg
	done
	try "blocks: $1" 0 "BLOCK RANGE                                 SIZE NODE ZONES   STATE  MARKED
   32 0x0000000100000000-0x0000000107ffffff 128M    0 Movable online      -" "" blocks -o "$short" 32
}

tree guest
rm -r "$fo" "$T/sys/module/fake_offline"
all_say "module not loaded" "the module fake_offline is not loaded
hint: modprobe fake_offline"

tree guest
rm -r "$fo"
sed -i '/debugfs/d' "$T/proc/mounts"
all_say "debugfs not mounted" "debugfs is not mounted
hint: mount -t debugfs none /sys/kernel/debug"

# If both are missing, the message names the module.
tree guest
rm -r "$fo" "$T/sys/module/fake_offline"
sed -i '/debugfs/d' "$T/proc/mounts"
try "neither module nor debugfs" 1 "" "offctl: status: the module fake_offline is not loaded
hint: modprobe fake_offline" status

tree guest
rm -r "$fo"
no_directory="ROOT/sys/kernel/debug: the module fake_offline has no directory there"
all_say "no directory" "$no_directory
hint: is the module being loaded or unloaded at the moment?"
mv "$T/proc/mounts" "$work/mounts"
try "no directory, the mounts are not known" 1 "" "offctl: status: $no_directory
hint: is debugfs mounted there?" status
mv "$work/mounts" "$T/proc/mounts"
rm -r "$T/sys/module"
try "no directory, the modules are not known" 1 "" "offctl: status: $no_directory
hint: is the module loaded (modprobe fake_offline)?" status
rm -r "$T/proc"
try "nothing known at all" 1 "" "offctl: status: ROOT/sys/kernel/debug: the module fake_offline has no directory there
hint: is the module loaded (modprobe fake_offline), and is debugfs mounted there?" status

# Another mount point of debugfs
tree guest
mkdir -p "$T/mnt/a b"
mv "$fo" "$T/mnt/a b/"
printf '%s\n' "none /proc proc rw 0 0" "none" "none /mnt/a\\040b debugfs rw 0 0" >"$T/proc/mounts"
try "debugfs mounted elsewhere" 0 "$("$offctl" --sysroot "$here/trees/guest" status)" "" status
rm "$T/mnt/a b/fake_offline/stats"
try "debugfs mounted elsewhere, and how it is named" 1 "" "offctl: status: ROOT/mnt/a b/fake_offline/stats: No such file or directory
hint: do the module and offctl have the same version?" status

# A slash at the end of --sysroot
tree guest
rm "$fo/stats"
run "--sysroot DIR/" 1 "" "offctl: status: ROOT/sys/kernel/debug/fake_offline/stats: No such file or directory
hint: do the module and offctl have the same version?" "$offctl" --sysroot "$T//" status
tree guest
rm "$fo/stats"
mkdir "$fo/stats"
try "a directory in place of a file" 1 "" "offctl: status: ROOT/sys/kernel/debug/fake_offline/stats: Is a directory" status

# refuse PATH=ERRNO NAME MESSAGE COMMAND…: opening PATH fails with that errno
refuse() {
	refused=$1 refused_name=$2 refused_message=$3
	shift 3
	run "$refused_name" 1 "" "$refused_message" \
		env "OFFCTL_TEST_OPEN=$refused" "$offctl" --sysroot "$T" "$@"
}
dir=sys/kernel/debug/fake_offline
tree guest
refuse "$dir=1" "debugfs: EPERM" "offctl: list: ROOT/sys/kernel/debug/fake_offline: Operation not permitted
hint: the capability CAP_SYS_ADMIN is needed, and the kernel must not be locked down" list
refuse "$dir=13" "debugfs: EACCES" "offctl: list: ROOT/sys/kernel/debug/fake_offline: Permission denied" list
refuse "ranges=1" "a file: EPERM" "offctl: list: ROOT/sys/kernel/debug/fake_offline/ranges: Operation not permitted
hint: the capability CAP_SYS_ADMIN is needed, and the kernel must not be locked down" list
refuse "ranges=5" "a file: EIO" "offctl: list: ROOT/sys/kernel/debug/fake_offline/ranges: Input/output error" list
refuse "mark=1" "a command: EPERM" "offctl: mark: ROOT/sys/kernel/debug/fake_offline/mark: Operation not permitted
hint: the capability CAP_SYS_ADMIN is needed, and the kernel must not be locked down" mark pfn:1
mkdir -p "$T/sys/kernel/security"
echo "[none] integrity confidentiality" >"$T/sys/kernel/security/lockdown"
refuse "ranges=1" "a file: EPERM, no lockdown" "offctl: list: ROOT/sys/kernel/debug/fake_offline/ranges: Operation not permitted
hint: the capability CAP_SYS_ADMIN is needed" list
echo "none [integrity] confidentiality" >"$T/sys/kernel/security/lockdown"
refuse "$dir=1" "debugfs: EPERM, lockdown" "offctl: list: ROOT/sys/kernel/debug/fake_offline: Operation not permitted
hint: the kernel is locked down (none [integrity] confidentiality), which closes debugfs" list
refuse "block_offline=1" "a command: EPERM, lockdown" "offctl: offline: ROOT/sys/kernel/debug/fake_offline/block_offline: Operation not permitted
hint: the kernel is locked down (none [integrity] confidentiality), which closes debugfs
offctl: offline: 0 of 2 blocks are offline" offline 32-33
nothing_sent

# On this machine, as a user who is not root. That user may be unable to read $built.
cp "$plain" "$work/offctl"
chmod 755 "$work" "$work/offctl"
if [ "$(id -u)" -ne 0 ]; then
	nobody=
elif setpriv --reuid 65534 --regid 65534 --clear-groups true 2>/dev/null; then
	nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
else
	nobody=none
fi
if [ "$nobody" = none ]; then
	ok "not root # SKIP no setpriv"
else
	for command in $commands_of_module; do
		case $command in
		mark | unmark) arg=pfn:1 ;;
		offline | online | cycle) arg=0 ;;
		skippable) arg="yes pfn:1" ;;
		*) arg= ;;
		esac
		# shellcheck disable=SC2086
		run "$command: not root" 1 "" "offctl: $command: only root may do this" \
			$nobody "$work/offctl" "$command" $arg
	done
fi

# stdout
tree guest
run "stdout is full" 1 "" "offctl: standard output: No space left on device" \
	sh -c '"$@" >/dev/full' sh "$offctl" --sysroot "$T" list
run "stdout is full, --help" 1 "" "offctl: standard output: No space left on device" \
	sh -c '"$@" >/dev/full' sh "$offctl" --help
run "stdout is full, as built for users" 1 "" "offctl: standard output: No space left on device" \
	sh -c '"$@" >/dev/full' sh "$plain" --version
run "stdout is full, and a failure comes first" 64 "" "offctl: offline: block 40: there is no such block
offctl: offline: 1 of 2 blocks is offline
offctl: standard output: No space left on device" \
	sh -c '"$@" >/dev/full' sh "$offctl" --sysroot "$T" offline --keep-going 34 40
run "stdout is closed" 1 "" "offctl: standard output: Bad file descriptor" \
	sh -c '"$@" >&-' sh "$offctl" --sysroot "$T" list
run "stdout is closed, and not needed" 0 "" "" \
	sh -c '"$@" >&-' sh "$offctl" --sysroot "$T" verify -q
run "all are closed" 1 "" "" \
	sh -c '"$@" <&- >&- 2>&-' sh "$offctl" --sysroot "$T" list
run "stderr is closed" 2 "" "" \
	sh -c '"$@" 2>&-' sh "$offctl" frob
nothing_sent
run "stdout has no reader" 0 "0" "" \
	sh -c '{ { "$@"; echo $? >&3; } | true; } 3>&1' sh "$offctl" --sysroot "$T" list
{
	sed -n 1p "$here/trees/guest/sys/kernel/debug/fake_offline/ranges"
	awk 'BEGIN { for (i = 0; i < 20000; i++) print 2 * i, 1, 1, 0, 0, "Movable", "debugfs", 1, "in_force" }'
} >"$fo/ranges"
run "the reader of stdout goes away" 0 "0" "" \
	sh -c '{ { "$@"; echo $? >&3; } | head -n 1 >/dev/null; } 3>&1' sh "$offctl" --sysroot "$T" list

# No locale, no environment, no width
run "empty environment" 0 "$("$offctl" --sysroot "$here/trees/guest" status)" "" \
	env -i "$plain" --sysroot "$here/trees/guest" status
tree guest
run "POSIXLY_CORRECT" 2 "" "offctl: mark: '--canary': not a range
hint: a range is 0xSTART-0xEND (end included), 0xSTART+SIZE, block:N[-M] or pfn:N[+M]" \
	env POSIXLY_CORRECT=1 "$offctl" --sysroot "$T" mark pfn:1 --canary
nothing_sent
