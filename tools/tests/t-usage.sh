#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by tests/run: --help, --version and usage errors.
# shellcheck disable=SC2154

tree guest
global_try="Try 'offctl --help' for more."

run "no command" 2 "" "offctl: no command is named
$global_try" "$offctl"
run "unknown command" 2 "" "offctl: 'frob': no such command
$global_try" "$offctl" frob
run "unknown command, escaped" 2 "" "offctl: 'a\\x0ab\\x1b\\xff': no such command
$global_try" "$offctl" "$(printf 'a\nb\033\377')"
run "empty command" 2 "" "offctl: '': no such command
$global_try" "$offctl" ""
run "unknown option" 2 "" "offctl: unrecognized option '--frob'
$global_try" "$offctl" --frob list
run "--sysroot without its argument" 2 "" "offctl: option '--sysroot' requires an argument
$global_try" "$offctl" --sysroot
run "--sysroot that is not there" 1 "" "offctl: --sysroot: '/nonexistent': No such file or directory" \
	"$offctl" --sysroot /nonexistent list
run "--sysroot that is a file" 1 "" "offctl: --sysroot: '/dev/null': Not a directory" \
	"$offctl" --sysroot /dev/null list

version=$(cat "$built/version")
run "--version" 0 "offctl $version" "" "$offctl" --version
run "-V" 0 "offctl $version" "" "$offctl" -V
run "--version of a command" 0 "offctl $version" "" "$offctl" mark --version

# Each command has --help.
commands=$("$offctl" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' | tr '\n' ' ')
if differs commands "mark unmark skippable list blocks map offline online cycle verify save restore import inject status " "$commands"; then
	not_ok "--help lists the commands"
else
	ok "--help lists the commands"
fi
for command in $commands; do
	"$offctl" "$command" --help >"$work/help" 2>"$work/err"
	help_status=$?
	if [ "$help_status" -eq 0 ] && [ ! -s "$work/err" ] &&
	   [ "$(sed -n 1p "$work/help")" = "Usage:" ] &&
	   grep -q "^  offctl $command" "$work/help" &&
	   grep -q -- '--sysroot DIR' "$work/help" &&
	   [ "$(tail -n 1 "$work/help")" = "  0 done, 1 failed, 2 usage, 64 partly done" ]; then
		ok "$command --help"
	else
		not_ok "$command --help"
	fi
	try "$command: unknown option" 2 "" "offctl: $command: unrecognized option '--frob'
Try 'offctl $command --help' for more." "$command" --frob
	run "$command: --sysroot behind the command" 2 "" "offctl: $command: unrecognized option '--frob'
Try 'offctl $command --help' for more." "$offctl" "$command" --sysroot "$T" --frob
done
nothing_sent

# columns COMMAND: --help and the output must have the same columns
columns() {
	want=$("$offctl" "$1" --help | sed -n '/^Columns:/,/^$/s/^  \([A-Z_]*\) .*/\1/p')
	got=$("$offctl" --sysroot "$T" "$1" --output-all | sed -n 1p | tr -s ' ' '\n' | sed '/^$/d')
	if differs "columns of $1" "$want" "$got"; then
		not_ok "$1: --help has the columns"
	else
		ok "$1: --help has the columns"
	fi
}
columns list
columns blocks
echo "offline after -12 1" >>"$fo/inject"
columns inject
columns status
columns verify
tree guest

range_hint="hint: a range is 0xSTART-0xEND (end included), 0xSTART+SIZE, block:N[-M] or pfn:N[+M]"
# bad_range ARGUMENT WHY: mark and unmark must refuse it
bad_range() {
	try "mark '$1'" 2 "" "offctl: mark: '$1': $2
$range_hint" mark -- "$1"
	try "unmark '$1'" 2 "" "offctl: unmark: '$1': $2
$range_hint" unmark -- "$1"
}
bad_range "" "not a range"
bad_range "12x" "not a range"
bad_range "-5" "not a range"
bad_range "1e3" "not a range"
bad_range "4096" "not a range"
bad_range " 0x1000+4K" "not a range"
bad_range "0x1000+4K " "not a range"
bad_range "0x118000000" "an address without an end or a size"
bad_range "0xffffffffffffffff+4K" "does not start at a page"
bad_range "0xffffffffffffffff-0xffffffffffffffff" "does not start at a page"
bad_range "0x0-0x10000000000000000" "too large"
bad_range "0x1000+18446744073709551616" "too large"
bad_range "0xfffffffffffff000+8K" "beyond the last address"
bad_range "0x2000-0x1fff" "ends before it starts"
bad_range "0x1000-0x2000" "does not end at the end of a page"
bad_range "0x1001-0x1fff" "does not start at a page"
bad_range "0x1000+4097" "does not end at the end of a page"
bad_range "0x1000+0" "no pages"
bad_range "block:9-3" "ends before it starts"
bad_range "block:x" "not a range"
bad_range "block:99999999999999" "beyond the last address"
bad_range "pfn:1+0" "no pages"
bad_range "pfn:12x" "not a range"
bad_range "pfn:0xffffffffffffffff" "beyond the last address"
bad_range "pfn:18446744073709551616" "too large"
try "mark: one bad range among good ones" 2 "" "offctl: mark: 'pfn:1+0': no pages
$range_hint" mark pfn:1 pfn:1+0 pfn:3
nothing_sent

mark_try="Try 'offctl mark --help' for more."
# bad_size ARGUMENT WHY: mark --size must refuse it
bad_size() {
	try "mark --size '$1'" 2 "" "offctl: mark: '$1': $2
$mark_try" mark --size "$1"
}
bad_size "" "not a size"
bad_size "-5" "not a size"
bad_size "12x" "not a size"
bad_size "1e3" "not a size"
bad_size " 64M" "not a size"
bad_size "64M " "not a size"
bad_size "1.5G" "not a size"
bad_size "0" "no pages"
bad_size "4097" "not a multiple of the page size"
bad_size "4KB" "not a multiple of the page size"
bad_size "18446744073709551616" "too large"
bad_size "16384P" "too large"

try "mark without anything" 2 "" "offctl: mark: no range is named
$mark_try" mark
try "mark --size and a range" 2 "" "offctl: mark: ranges and --size exclude each other
$mark_try" mark --size 64M pfn:1
try "mark --node without --size" 2 "" "offctl: mark: --node and --zone need --size
$mark_try" mark --node 0 pfn:1
try "mark --zone without --size" 2 "" "offctl: mark: --node and --zone need --size
$mark_try" mark --zone normal pfn:1
try "mark --absent --size" 2 "" "offctl: mark: --absent needs ranges
$mark_try" mark --absent --size 64M
try "mark --node -1" 2 "" "offctl: mark: '-1': not a number
$mark_try" mark --size 64M --node -1
try "mark --node 1x" 2 "" "offctl: mark: '1x': not a number
$mark_try" mark --size 64M --node 1x
try "mark --zone device" 2 "" "offctl: mark: 'device': no such zone
hint: zones are dma, dma32, normal and movable" mark --size 64M --zone device
try "mark: ranges that overlap" 2 "" "offctl: mark: the ranges overlap
$mark_try" mark pfn:10+5 pfn:0+5 0xe000+4K
try "mark -5" 2 "" "offctl: mark: invalid option -- '5'
$mark_try" mark -5
try "unmark without anything" 2 "" "offctl: unmark: no range is named
Try 'offctl unmark --help' for more." unmark
try "unmark --all and a range" 2 "" "offctl: unmark: ranges and --all exclude each other
Try 'offctl unmark --help' for more." unmark --all pfn:1
try "unmark: ranges that overlap" 2 "" "offctl: unmark: the ranges overlap
Try 'offctl unmark --help' for more." unmark pfn:1 pfn:1

block_hint="hint: a block is N, N-M, block:N[-M], or a range of addresses of whole blocks"
# bad_block ARGUMENT WHY: each command that takes blocks must refuse it
bad_block() {
	for command in offline online blocks; do
		try "$command '$1'" 2 "" "offctl: $command: '$1': $2
$block_hint" "$command" -- "$1"
	done
}
bad_block "" "not a block"
bad_block "12x" "not a block"
bad_block "-5" "not a block"
bad_block "1e3" "not a block"
bad_block "memory40" "not a block"
bad_block "18446744073709551616" "too large"
bad_block "43-40" "ends before it starts"
bad_block "block:9-3" "ends before it starts"
bad_block "pfn:1+0" "no pages"
bad_block "0x100001000" "no memory block starts there"
bad_block "0x100000000-0x100ffffff" "does not cover whole memory blocks"
bad_block "0x100000000-0x108000000" "does not end at the end of a page"
try "offline: one bad block among good ones" 2 "" "offctl: offline: '33x': not a block
$block_hint" offline 32 33x
try "offline without anything" 2 "" "offctl: offline: no block is named
Try 'offctl offline --help' for more." offline
try "online without anything" 2 "" "offctl: online: no block is named
Try 'offctl online --help' for more." online
try "online --type frob" 2 "" "offctl: online: 'frob': no such online type
hint: types are online, online_kernel (kernel) and online_movable (movable)" online --type frob 34

place_hint="hint: actions and points are offline before, offline after, offline late, online before, online after, mark stray, mark corrupt"
inject_try="Try 'offctl inject --help' for more."
try "inject, 3 words" 2 "" "offctl: inject: ACTION, POINT, ERRNO and COUNT are needed
$inject_try" inject offline before ENOMEM
try "inject, 5 words" 2 "" "offctl: inject: ACTION, POINT, ERRNO and COUNT are needed
$inject_try" inject offline before ENOMEM 1 2
try "inject --clear and more" 2 "" "offctl: inject: --clear takes no operands
$inject_try" inject --clear offline
try "inject ENOSUCH" 2 "" "offctl: inject: 'ENOSUCH': no errno of that name
$inject_try" inject offline before ENOSUCH 1
try "inject errno 0" 2 "" "offctl: inject: '0': an errno is 1 to 4095
$inject_try" inject offline before 0 1
try "inject errno 4096" 2 "" "offctl: inject: '-4096': an errno is 1 to 4095
$inject_try" inject offline before -4096 1
try "inject count 1x" 2 "" "offctl: inject: '1x': not a number
$inject_try" inject offline before ENOMEM 1x
try "inject count -1" 2 "" "offctl: inject: '-1': not a number
$inject_try" inject offline before ENOMEM -1
try "inject at no such point" 2 "" "offctl: inject: there is no such action and point
$place_hint" inject online late EBUSY 1
try "inject at no such action" 2 "" "offctl: inject: there is no such action and point
$place_hint" inject frob before EBUSY 1
try "inject late with ENOMEM" 2 "" "offctl: inject: offline late can only fail with EBUSY or EINTR
$place_hint" inject offline late ENOMEM 1
try "inject corrupt with EBUSY" 2 "" "offctl: inject: mark corrupt can only be armed with EIO
$place_hint" inject mark corrupt EBUSY 1
try "inject stray with EINTR" 2 "" "offctl: inject: mark stray can only fail with EBUSY
$place_hint" inject mark stray EINTR 1

for command in list status verify; do
	try "$command takes no operands" 2 "" "offctl: $command: 'frob': not expected here
Try 'offctl $command --help' for more." "$command" frob
done
nothing_sent
