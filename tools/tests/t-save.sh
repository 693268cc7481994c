#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by tests/run: skippable, save, restore, import.
# shellcheck disable=SC2154,SC2016

# A module that takes what is in RAM and not marked, but not the PFN 1146890.
takes='[ "$1" = mark ] || exit 0
printf "%s\n" "$2" | {
read -r start nr words
case $start in 9999999*) exit 6 ;; esac
[ "$start" -le 1146890 ] && [ "$((start + nr))" -gt 1146890 ] && exit 16
s=1 c=0
case $words in *unskippable*) s=0 ;; esac
case $words in *canary*) c=1 ;; esac
{
	head -n 1 "$3/ranges"
	{ tail -n +2 "$3/ranges"; echo "$start $nr $s $c 0 Normal debugfs 0 in_force"; } | sort -n
} >"$3/new"
mv "$3/new" "$3/ranges"
}'

# skippable
tree guest
kernel 'set -- "$1" $2 "$3"
[ "$1" = skippable ] || exit 0
[ "$2" != 1146880 ] || exit 1
sed -i "s/^$2 $3 . /$2 $3 $4 /" "$5/ranges"'
try "skippable yes" 0 "3 pages (12 KiB) 0x0000000108100000-0x0000000108102fff: skippable" "" skippable yes pfn:1081600+3
try "skippable no" 0 "3 pages (12 KiB) 0x0000000108100000-0x0000000108102fff: not skippable" "" skippable no pfn:1081600+3
sent skippable "1081600 3 1
1081600 3 0"
try "skippable, somebody else's" 64 "1 page (4 KiB) 0x0000000110000000-0x0000000110000fff: skippable" \
	"offctl: skippable: 0x0000000118000000-0x000000011800ffff: a page belongs to another owner (EPERM)
offctl: skippable: 1 of 2 ranges done" skippable yes pfn:1146880+16 pfn:1114112
no_kernel
try "skippable, and nothing happens" 1 "" "offctl: skippable: 0x0000000108100000-0x0000000108100fff: the module reported no error, but lists no such change" skippable yes pfn:1081600
tree guest
try "skippable without a range" 2 "" "offctl: skippable: yes or no and a range are needed
Try 'offctl skippable --help' for more." skippable yes
try "skippable maybe" 2 "" "offctl: skippable: 'maybe': not yes or no
Try 'offctl skippable --help' for more." skippable maybe pfn:1
nothing_sent

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
run "save FILE: what is in it" 0 "$saved" "" cat "$work/file"
try "save to where nobody can write" 1 "" "$others
offctl: save: '/proc/nothing': No such file or directory" save /proc/nothing
run "save to a full device" 1 "" "$others
offctl: save: '/dev/full': No space left on device" "$offctl" --sysroot "$T" save /dev/full
try "save to two files" 2 "" "offctl: save: 'b': not expected here
Try 'offctl save --help' for more." save a b

# restore
# restored NAME STATUS TABLE ERR ARGUMENT…: FILE and LINE are left out, and blanks
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
12 - not\x20understood does\x20not\x20begin\x20with\x20'"'mark'"'
13 0x0000000118010000-0x0000000118011fff LAST -'
# fates FATE AWAY: of what can be marked, and of what lies nowhere
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

# A page that cannot be had
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

# Where no memory is yet: the module takes it, or it lies where none can be.
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

# import: imported NAME STATUS RANGES ERR LIST ARGUMENT…
imported() {
	name=$1 want=$2 ranges=$3 messages=$4
	printf '%s\n' "$5" >"$work/list"
	shift 5
	run "$name" "$want" "$ranges" "$messages" sh -c 'cd "$0" && "$@"' "$work" \
		"$offctl" --sysroot "$T" import --dry-run "$@" -rno LINE,RANGE,ERRORS list
}
page() { printf '%s 0x%016x-0x%016x %s' "$1" "$2" "$(($2 + 4095))" "${3:-1}"; }
imported "import Memtest86+ 7" 0 "$(page 3 0x118020000 2)
$(page 5 0x118033000)" "" 'pCPU  Pass  Test  Failing Address        Expected          Found           
----  ----  ----  ---------------------  ----------------  ----------------
  0      0    4   000118020a00 (4.37GB)  ffffffffffffffff  fffffffffffeffff
  1      0    4   000118020a08 (4.37GB)  ffffffffffffffff  fffffffffffeffff
 12    100   10   000118033ff8 (4.37GB)  0000000000000000  0000000000000001'
imported "import Memtest86+ 5" 0 "$(page 2 0x118020000)" "" 'Tst  Pass   Failing Address          Good       Bad     Err-Bits  Count Chan
  5     0   00118020a00 -  4480.1MB  ffffffff  fffeffff  00010000   1'
imported "import, addresses of Memtest86+" 0 "$(page 1 0x118020000)
2 0x0000000118033000-0x0000000118034fff 1
3 0x0000000118040000-0x0000000118041fff 1" "" '118020a00
0x118033010-0x118034020
0x118040000 - 0x118041fff' --format memtest
imported "import, a line that is none" 64 "$(page 2 0x118020000)" "offctl: import: 'list:1': the line has no address; 2 such lines" 'hello world
118020a00
what is this' --format memtest
imported "import BadRAM" 0 "$(page 1 0x118020000)" "" 'badram=0x0000000118020a00,0xfffffffffffffff8'
imported "import BadRAM, two bits may be anything" 0 '1 0x0000000118020000-0x0000000118021fff 1
1 0x0000000118030000-0x0000000118031fff 1' "" 'GRUB_BADRAM="0x118020000,0xfffffffffffee000"'
imported "import BadRAM, on two lines" 0 "$(page 1 0x118020000)
$(page 2 0x118030000)" "" 'badram=0x0000000118020a00,0xfffffffffffffff8,
0x0000000118030a00,0xfffffffffffffff8'
imported "import BadRAM, of 32 bits" 0 "$(page 1 0x20000000)" "" '0x20000a00,0xfffffffc'
imported "import BadRAM, no mask" 1 "" "offctl: import: 'list': an address without a mask" 'badram=0x118020a00'
imported "import BadRAM, no numbers" 1 "" "offctl: import: 'list': not a list of pairs of address and mask" 'badram=x,y'
imported "import memmap" 0 '1 0x0000000118020000-0x0000000118021fff 1
1 0x0000000118030000-0x0000000118030fff 1' "" 'memmap=8K$0x118020000,0x1000\$0x118030000'
imported "import memmap, none" 1 "" "offctl: import: 'list': not SIZE\$ADDRESS" 'memmap=8K@0x118020000'
imported "import page numbers" 0 '1 0x0000000118020000-0x0000000118020fff 1
2 0x0000000118030000-0x0000000118032fff 2' "" '1146912, # comment
0x118030-0x118031 0x118032+1' --format pfn
imported "import addresses" 0 "$(page 1 0x118020000)" "" '0x118020fff' --format address
imported "import, nothing tells" 1 "" "offctl: import: 'list': the format is not recognized
hint: name it with --format; page numbers and addresses look alike" '1146912'
imported "import CSV" 0 "$(page 2 0x118020000 3)
$(page 4 0x118030000 2)" "hint: list: 1 record has no address" 'id,err_count,label,address
1,3,"CPU#0, DIMM ""A""",4697751552
2,1,DIMM#1,0
3,2,DIMM#1,0x118030010'
imported "import CSV, a negative address" 64 "$(page 2 0x118020000)" "offctl: import: 'list:3': the address was cut to 32 bits" 'pfn,x,address
,,0x118020000
,,-17'
imported "import CSV without an address" 1 "" "offctl: import: 'list': no column is called address or pfn" 'a,b
1,2' --format csv
imported "import JSON" 0 "$(page 1 0x118020000 2)
$(page 2 0x118030000)" "" '[{"id":1,"address":4697751552,"err_count":2, "x":{"y":[1,null,true,"\"}"]}},
{"pfn":"0x118030"}]'
imported "import JSON lines" 0 "$(page 1 0x118020000)
$(page 2 0x118030000)" "" '{"address":"0x118020123"}
{"address":"0x118030123"}'
imported "import, not JSON" 1 "" "offctl: import: 'list': not valid JSON" '[{"address":1,]'
imported "import --min-errors" 0 "$(page 1 0x118020000 3)" "" '[{"address":"0x118020000","err_count":1},{"address":"0x118020fff","err_count":2},{"address":"0x118030000","err_count":2}]' --min-errors 3
imported "import --align" 0 '1 0x0000000118020000-0x0000000118021fff 1
2 0x0000000118030000-0x0000000118033fff 2' "" '0x118021
0x118030
0x118033' --format pfn --align 8K
imported "import, nothing in it" 0 "" "hint: the files list no bad memory" '[]'
printf '1146912\n' >"$work/list"
try "import --align 3K" 2 "" "offctl: import: '3K': not a power of two, or less than a page
Try 'offctl import --help' for more." import --align 3K "$work/list"
try "import --format frob" 2 "" "offctl: import: 'frob': no such format
hint: formats are auto, memtest, badram, memmap, rasdaemon, csv, json, pfn and address" import --format frob "$work/list"
try "import without a file" 2 "" "offctl: import: no file is named
Try 'offctl import --help' for more." import
try "import --dry-run: what it costs" 0 "FATE            COST
would be marked   4K
it would cost 1 page (4 KiB) of 1536 MiB, 0.0003 %" "" import --dry-run --format pfn -o FATE,COST "$work/list"
nothing_sent
kernel "$takes"
try "import marks" 0 "RANGE                                 FATE
0x0000000118020000-0x0000000118020fff marked
it costs 1 page (4 KiB) of 1536 MiB, 0.0003 %" "" import --format pfn -o RANGE,FATE --canary "$work/list"
sent mark "1146912 1 canary"
try "import --save" 0 "# Pages that 'offctl restore' takes out of use, see offctl(8).
# Written by 'offctl import'.
version 1
mark 0x0000000118020000-0x0000000118020fff unskippable" "" import --format pfn --unskippable --save - "$work/list"
echo "1050000+30000" >"$work/list"
try "import, too much" 1 "" "offctl: import: it would cost 27072 pages (108288 KiB), more than 5 % of the memory
hint: --dry-run shows the ranges; --force marks them anyway" import --format pfn "$work/list"

# rasdaemon's database, as rasdaemon 0.6 to 0.8 make it
if ! command -v sqlite3 >/dev/null; then
	ok "import rasdaemon # SKIP no sqlite3"
else
	tree guest
	rm -f "$work/list"
	sqlite3 "$work/list" "CREATE TABLE mc_event (id INTEGER PRIMARY KEY, timestamp TEXT, err_count INTEGER, err_type TEXT, err_msg TEXT, label TEXT, mc INTEGER, top_layer INTEGER, middle_layer INTEGER, lower_layer INTEGER, address INTEGER, grain INTEGER, syndrome INTEGER, driver_detail TEXT);
		INSERT INTO mc_event VALUES (1, '2026-11-01', 5, 'Corrected', 'read', 'DIMM#0', 0, 0, 0, 0, 4697751552, 64, 0, '');
		INSERT INTO mc_event VALUES (2, '2026-11-02', 1, 'Corrected', 'read', 'DIMM#0', 0, 0, 0, 0, 0, 64, 0, '');
		CREATE TABLE memory_failure_event (id INTEGER PRIMARY KEY, timestamp TEXT, pfn TEXT, page_type TEXT, action_result TEXT);
		INSERT INTO memory_failure_event VALUES (7, '2026-11-03', '0x118030', 'dirty LRU page', 'Recovered');"
	for format in auto rasdaemon; do
		run "import rasdaemon's database, --format $format" 0 "$(page 1 0x118020000 5)
$(page 7 0x118030000)" "hint: list: 1 record has no address" sh -c 'cd "$0" && "$@"' "$work" \
			"$offctl" --sysroot "$T" import --dry-run --format $format -rno LINE,RANGE,ERRORS list
	done
	sqlite3 -json "$work/list" 'SELECT * FROM mc_event' >"$work/json"
	sqlite3 -csv -header "$work/list" 'SELECT * FROM mc_event' >"$work/csv"
	run "import its export as JSON" 0 "$(page 1 0x118020000 5)" "hint: json: 1 record has no address" sh -c 'cd "$0" && "$@"' "$work" \
		"$offctl" --sysroot "$T" import --dry-run -rno LINE,RANGE,ERRORS json
	run "import its export as CSV" 0 "$(page 2 0x118020000 5)" "hint: csv: 1 record has no address" sh -c 'cd "$0" && "$@"' "$work" \
		"$offctl" --sysroot "$T" import --dry-run -rno LINE,RANGE,ERRORS csv
	sqlite3 "$work/other" "CREATE TABLE t (a)"
	run "import another database" 1 "" "offctl: import: 'other': not a database of rasdaemon" sh -c 'cd "$0" && "$@"' "$work" \
		"$offctl" --sysroot "$T" import --dry-run other
	head -c 4096 /dev/zero | tr '\0' x >"$work/other"
	run "import what is no database" 1 "" "offctl: import: 'other': file is not a database" sh -c 'cd "$0" && "$@"' "$work" \
		"$offctl" --sysroot "$T" import --dry-run --format rasdaemon other
	nothing_sent
fi
