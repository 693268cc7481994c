#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by tests/run: map.
# shellcheck disable=SC2154,SC2016

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
run "map --svg: the title of a range" 0 "1" "" grep -c "<title>marked 0x0000000100100000-0x00000001010fffff</title>" "$work/svg"
rm "$memory/block_size_bytes"
try "map, size of blocks not known" 1 "" "offctl: map: the size of a memory block is not known" map
