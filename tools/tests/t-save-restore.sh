#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by tests/run: save, restore.
# shellcheck disable=SC2154,SC2016

# save
saved="# Pages that 'offctl restore' takes out of use, see offctl(8).
version 1
mark 0x0000000100100000-0x00000001010fffff canary
mark 0x0000000108100000-0x0000000108102fff unskippable
mark 0x0000000110000000-0x0000000110000fff"
others="hint: 1 range belongs to another owner and was not saved"
try "save" 0 "$saved" "$others" save
echo old >"$work/file"
try "save FILE" 0 "" "$others" save "$work/file"
run "save FILE: its content" 0 "$saved" "" cat "$work/file"
try "save to a file that cannot be created" 1 "" "$others
offctl: save: '/proc/nothing': No such file or directory" save /proc/nothing
run "save to a full device" 1 "" "$others
offctl: save: '/dev/full': No space left on device" "$offctl" --sysroot "$T" save /dev/full
try "save to two files" 2 "" "offctl: save: 'b': not expected here
Try 'offctl save --help' for more." save a b

# restore
# restored NAME STATUS TABLE ERR ARGUMENT…: as try(), with some columns as raw words
restored() {
	name=$1 want=$2 table=$3 messages=$4
	shift 4
	run "$name" "$want" "$table" "$messages" sh -c '"$@" >"$0"; s=$?; cat "$0"; exit $s' \
		"$work/out2" "$offctl" --sysroot "$T" "$@" -rno LINE,RANGE,FATE,WHY
}
cp "$work/file" "$work/a.marks"
restored "restore what is marked" 0 '3 0x0000000100100000-0x00000001010fffff already\x20marked -
4 0x0000000108100000-0x0000000108102fff already\x20marked -
5 0x0000000110000000-0x0000000110000fff already\x20marked -' "" restore "$work/a.marks"
nothing_sent
cat >"$work/b.marks" <<'END'

# comment
  version	1  # the first line that says something
mark pfn:1081600+8 unskippable	# three are marked
mark 0x118000000+64K
mark pfn:1146884+16 canary
mark pfn:1114112+2
mark pfn:99999999
mark
mark pfn:1 frob
mark pfn:1 canary canary
frob pfn:1
mark 0x118010000-0x118011fff canary unskippable
END
kernel "$takes"
fates='4 0x0000000108100000-0x0000000108107fff FATE -
5 0x0000000118000000-0x000000011800ffff already\x20marked -
6 0x0000000118004000-0x0000000118013fff FATE -
7 0x0000000110000000-0x0000000110001fff FATE waits\x20for\x20memory\x20to\x20come\x20online
8 0x0000005f5e0ff000-0x0000005f5e0fffff AWAY
9 - not\x20understood no\x20range\x20is\x20named
10 - not\x20understood an\x20unknown\x20word\x20follows\x20the\x20range
11 - not\x20understood a\x20word\x20is\x20repeated
12 - not\x20understood the\x20line\x20does\x20not\x20begin\x20with\x20'"'mark'"'
13 0x0000000118010000-0x0000000118011fff LAST -'
# fates FATE AWAY: prints the table with the fate of new ranges and that of absent memory
fates() { printf '%s\n' "$fates" | sed "s/FATE/$1/; s/AWAY/$2/; s/LAST/already\\\\x20marked/"; }
no_memory='no\\x20RAM\\x20there there\\x20is\\x20no\\x20memory\\x20that\\x20can\\x20be\\x20marked\\x20(ENXIO)'
restored "restore --dry-run" 64 "$(fates 'would\\x20be\\x20marked' 'would\\x20be\\x20marked waits\\x20for\\x20memory\\x20to\\x20come\\x20online')" "" \
	restore --dry-run "$work/b.marks"
nothing_sent
restored "restore, each line's fate" 64 "$(fates marked "$no_memory")" "" restore "$work/b.marks"
sent mark "1081603 5 unskippable absent
1146896 4 canary absent
1114113 1 absent
99999999 1 absent"
restored "restore -q" 64 "$(fates FATE "$no_memory" | sed -n '/RAM/p;/underst/p')" "" restore -q "$work/b.marks"

# A busy page
tree guest
sed -i '/sample/d' "$fo/ranges"
kernel "$takes"
printf 'version 1\nmark pfn:1146888+8\n' >"$work/c.marks"
restored "restore, a page is in use" 1 '2 0x0000000118008000-0x000000011800ffff refused a\x20page\x20cannot\x20be\x20taken\x20out\x20of\x20use\x20(EBUSY)' "" restore "$work/c.marks"
sent mark "1146888 8 absent"
restored "restore --partial" 64 '2 0x0000000118008000-0x000000011800ffff partly\x20marked a\x20page\x20cannot\x20be\x20taken\x20out\x20of\x20use\x20(EBUSY)' "" restore --partial "$work/c.marks"
sent mark "1146888 8 absent
1146888 8 absent
1146888 4 absent
1146888 2 absent
1146890 2 absent
1146890 1 absent
1146891 1 absent
1146892 4 absent"

# Addresses without memory
tree guest
kernel "$takes"
printf 'version 1\nmark pfn:1179648+16\nmark pfn:1179640+16 canary\n' >"$work/d.marks"
restored "restore, memory that is not there yet" 0 '2 0x0000000120000000-0x000000012000ffff marked waits\x20for\x20memory\x20to\x20come\x20online
3 0x000000011fff8000-0x0000000120007fff marked -' "" restore "$work/d.marks"
sent mark "1179648 16 absent
1179640 8 canary absent"
tree guest
kernel "$takes"
printf 'version 1\nmark pfn:1179640+16 canary\n' >"$work/d.marks"
restored "restore, memory of which a part is there" 0 '2 0x000000011fff8000-0x0000000120007fff marked 8\x20pages\x20wait\x20for\x20memory\x20to\x20come\x20online' "" restore "$work/d.marks"
sent mark "1179640 16 canary absent"
tree guest
kernel "$takes"
restored "restore --partial, memory of which a part is there" 0 '2 0x000000011fff8000-0x0000000120007fff marked 8\x20pages\x20wait\x20for\x20memory\x20to\x20come\x20online' "" restore --partial "$work/d.marks"
sent mark "1179640 8 canary absent
1179648 8 canary absent"
tree guest
kernel 'printf "%s\n" "count 1" "start_pfn 1146896" "nr_pages 4" "pfn 1146880" "code neighbour" "reason PFN 0x118000 cannot move: slab" >"$3/last_refusal"; exit 16'
printf 'version 1\nmark pfn:1146896+4\n' >"$work/d.marks"
restored "restore, the module says why not" 1 '2 0x0000000118010000-0x0000000118013fff refused PFN\x200x118000\x20cannot\x20move:\x20slab\x20(EBUSY)' "" restore "$work/d.marks"

# Files and directories
tree guest
mkdir "$work/dir"
cp "$work/a.marks" "$work/dir/20.marks"
printf 'version 1\n' >"$work/dir/10.marks"
echo junk >"$work/dir/notes"
restored "restore a directory" 0 '3 0x0000000100100000-0x00000001010fffff already\x20marked -
4 0x0000000108100000-0x0000000108102fff already\x20marked -
5 0x0000000110000000-0x0000000110000fff already\x20marked -' "" restore "$work/dir"
try "restore nothing" 0 "" "" restore "$work/dir/10.marks"
mkdir -p "$T/etc/offctl.d"
cp "$work/a.marks" "$T/etc/offctl.d/"
try "restore without a file" 0 "FILE
ROOT/etc/offctl.d/a.marks
ROOT/etc/offctl.d/a.marks
ROOT/etc/offctl.d/a.marks" "" restore -o FILE
run "restore -" 0 "3
4
5" "" sh -c '"$0" --sysroot "$1" restore -rno LINE - <"$2"' "$offctl" "$T" "$work/a.marks"
run "restore -, stdin is closed" 1 "" "offctl: restore: '-:1': the first line is not 'version 1'" sh -c '"$@" <&-' sh "$offctl" --sysroot "$T" restore -
for bad in "" "mark pfn:1" "version 2" "version" "version 1 2" "versions 1"; do
	printf '%s\n' "$bad" >"$work/bad.marks"
	why="the first line is not 'version 1'"
	[ "$bad" != "version 2" ] || why="this offctl does not know the version of the file"
	run "restore, not such a file: '$bad'" 1 "" "offctl: restore: 'bad.marks:1': $why" \
		sh -c 'cd "$0" && "$@"' "$work" "$offctl" --sysroot "$T" restore bad.marks
done
printf 'version 1\n\0\n' >"$work/bad.marks"
run "restore, a NUL" 1 "" "offctl: restore: 'bad.marks:1': not a text file" \
	sh -c 'cd "$0" && "$@"' "$work" "$offctl" --sysroot "$T" restore bad.marks
try "restore, no such file" 1 "" "offctl: restore: '/nonexistent': No such file or directory" restore /nonexistent
run "restore, one of two files" 64 "FATE
already marked
already marked
already marked" "offctl: restore: '/nonexistent': No such file or directory" "$offctl" --sysroot "$T" restore -o FATE "$work/a.marks" /nonexistent
nothing_sent
