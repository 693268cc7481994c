#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by tests/run: skippable.
# shellcheck disable=SC2154,SC2016

tree guest
kernel 'set -- "$1" $2 "$3"
[ "$1" = skippable ] || exit 0
[ "$2" != 1146880 ] || exit 1
sed -i "s/^$2 $3 . /$2 $3 $4 /" "$5/ranges"'
try "skippable yes" 0 "3 pages (12 KiB) 0x0000000108100000-0x0000000108102fff: skippable" "" skippable yes pfn:1081600+3
try "skippable no" 0 "3 pages (12 KiB) 0x0000000108100000-0x0000000108102fff: not skippable" "" skippable no pfn:1081600+3
sent skippable "1081600 3 1
1081600 3 0"
try "skippable, a range of another owner" 64 "1 page (4 KiB) 0x0000000110000000-0x0000000110000fff: skippable" \
	"offctl: skippable: 0x0000000118000000-0x000000011800ffff: a page belongs to another owner (EPERM)
offctl: skippable: 1 of 2 ranges was changed" skippable yes pfn:1146880+16 pfn:1114112
no_kernel
try "skippable, and nothing happens" 1 "" "offctl: skippable: 0x0000000108100000-0x0000000108100fff: the module reported no error, but lists no such change" skippable yes pfn:1081600
tree guest
try "skippable without a range" 2 "" "offctl: skippable: yes or no and a range are needed
Try 'offctl skippable --help' for more." skippable yes
try "skippable maybe" 2 "" "offctl: skippable: 'maybe': not yes or no
Try 'offctl skippable --help' for more." skippable maybe pfn:1
nothing_sent
