#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by tests/run: recorded machines, small ones and large ones. golden/NAME.TEST has
# the expected output. GOLDEN=write writes these files again.
# shellcheck disable=SC2154,SC2016

# machine NAME: makes the tree of that machine in $T
machine() {
	rm -rf "$work/tree"
	"$here/mktree" "$here/trees/$1.tree" "$work/tree" || exit 2
	T=$work/tree
	machine=$1
	no_kernel
}
# golden TEST ARGUMENT…: stdout must be as recorded, and stderr empty
golden() {
	golden=$here/golden/$machine.$1
	shift
	if [ "${GOLDEN-}" = write ]; then
		"$offctl" --sysroot "$T" "$@" >"$golden"
	fi
	try "$machine: $*" 0 "$(cat "$golden")" "" "$@"
}

for machine in laptop numa-8 s390 holes server-1t; do
	machine "$machine"
	golden merged blocks --merge --summary=always
	golden all blocks -J --merge --output-all
	"$offctl" --sysroot "$T" map --svg "$work/svg" 2>/dev/null
	if command -v xmllint >/dev/null; then
		run "$machine: the picture is XML" 0 "" "" xmllint --noout "$work/svg"
	else
		ok "$machine: the picture is XML # SKIP no xmllint"
	fi
done

# libsmartcols prints a listing of 255 rows. offctl itself prints one of 256 rows. The tree
# is still that of the last machine.
"$offctl" --sysroot "$T" blocks 6990-7244 >"$work/few"
"$offctl" --sysroot "$T" blocks 6990-7245 | sed '$d' >"$work/many"
run "long listings look like short ones" 0 "" "" cmp "$work/few" "$work/many"
"$offctl" --sysroot "$T" blocks -n 6990-7244 >"$work/few"
"$offctl" --sysroot "$T" blocks -n 6990-7245 | sed '$d' >"$work/many"
run "long listings look like short ones, -n" 0 "" "" cmp "$work/few" "$work/many"
run "8192 blocks" 0 8193 "" sh -c '"$@" | wc -l' sh "$offctl" --sysroot "$T" blocks
"$plain" --sysroot "$T" blocks -r | tail -n +2 >"$work/raw"
"$plain" --sysroot "$T" blocks | tail -n +2 | awk '{ for (i = 1; i <= 8; i++) printf "%s%s", $i, i < 8 ? " " : "\n" }' >"$work/table"
run "8192 blocks, the same as --raw" 0 "" "" sh -c 'cut -d " " -f 1-8 "$1" | cmp - "$2"' sh "$work/raw" "$work/table"
