#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by tests/run: import.
# shellcheck disable=SC2154,SC2016

# imported NAME STATUS RANGES ERR LIST ARGUMENT…: as try(), for an import of the text LIST
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
try "import --dry-run: the cost" 0 "FATE            COST
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

# Each range of a list is a request of its own. Adjacent ranges are one command for the
# module. If the module refuses it, offctl tries halves of the list.
# outcome NAME STATUS TABLE LIST ARGUMENT…: as try(), on a fresh tree where PFN 1146890 is
# busy
outcome() {
	name=$1 want=$2 table=$3
	tree guest
	sed -i '/sample/d' "$fo/ranges"
	kernel "$takes"
	printf '%s\n' "$4" >"$work/list"
	shift 4
	try "$name" "$want" "$table" "" import --format pfn -rnbo LINE,RANGE,FATE,WHY,COST "$@" "$work/list"
}
busy='a\x20page\x20cannot\x20be\x20taken\x20out\x20of\x20use\x20(EBUSY)'
pages='1146888
1146889
1146890
1146891
1146892'
neighbours="1 0x0000000118008000-0x0000000118009fff marked - 8192
3 0x000000011800a000-0x000000011800afff refused $busy 0
4 0x000000011800b000-0x000000011800cfff marked - 8192"
outcome "import, a page of the list is in use" 64 "$neighbours" "$pages"
sent mark "1146888 5
1146888 2
1146890 3
1146890 1
1146891 2"
try "import again, the same page is in use" 64 "1 already\\x20marked
3 refused
4 already\\x20marked" "" import --format pfn -rno LINE,FATE "$work/list"
outcome "import --partial, single pages" 64 "$neighbours" "$pages" --partial
outcome "import, the order of the list does not matter" 64 "5 0x0000000118008000-0x0000000118009fff marked - 8192
3 0x000000011800a000-0x000000011800afff refused $busy 0
2 0x000000011800b000-0x000000011800cfff marked - 8192" "$(echo "$pages" | sort -r)"
# A range of several pages is one request, unless --partial is given.
outcome "import, a range with a page in use" 1 "1 0x0000000118008000-0x000000011800cfff refused $busy 0" "1146888+5"
sent mark "1146888 5"
outcome "import --partial, a range with a page in use" 64 "1 0x0000000118008000-0x000000011800cfff partly\\x20marked $busy 16384" "1146888+5" --partial
outcome "import, no page is in use" 0 "1 0x000000011800b000-0x000000011800dfff marked - 12288" "1146891
1146892
1146893"
sent mark "1146891 3"
outcome "import, a page in use alone" 1 "1 0x000000011800a000-0x000000011800afff refused $busy 0" "1146890"
# Ranges that overlap are requests of their own, too. Equal ranges are one.
outcome "import, overlapping ranges" 64 "1 0x0000000118008000-0x0000000118009fff marked - 8192
2 0x0000000118009000-0x000000011800afff refused $busy 0
4 0x000000011800b000-0x000000011800bfff marked - 4096" "1146888+2
1146889+2
1146889+2
1146891"
sent mark "1146888 4
1146888 2
1146890 2
1146890 1
1146891 1"
# The dry run predicts the outcome for each range as well. The memory ends at PFN 1179648.
outcome "import, ranges on both sides of the end of memory" 64 "1 0x000000011ffff000-0x000000011fffffff marked - 4096
2 0x0000000120000000-0x0000000120000fff no\\x20RAM\\x20there - 0" "1179647
1179648"
sent mark "1179647 1"
outcome "import --dry-run, the same list" 64 "1 0x000000011ffff000-0x000000011fffffff would\\x20be\\x20marked - 4096
2 0x0000000120000000-0x0000000120000fff no\\x20RAM\\x20there - 0" "1179647
1179648" --dry-run
nothing_sent
# A signal ends the list. The rest was not tried.
tree guest
sed -i '/sample/d' "$fo/ranges"
kernel 'kill -INT $PPID; exit 4'
printf '1146888\n1146889\n1146900\n' >"$work/list"
try "import, interrupted" 1 "1 refused interrupted\\x20(EINTR)
3 not\\x20tried -" "" import --format pfn -rno LINE,FATE,WHY "$work/list"
sent mark "1146888 2"
# Of 10 000 adjacent pages one is in use: 13 halvings, two commands for each, and the first.
tree guest
sed -i '/sample/d' "$fo/ranges"
kernel "$takes"
seq 1146880 1156879 >"$work/list"
try "import, a long list" 64 "1 marked 40960
11 refused 0
12 marked 40914944" "" import --format pfn -rnbo LINE,FATE,COST "$work/list"
if differs "number of commands" 27 "$(wc -l <"$fo/mark")"; then
	not_ok "import, a long list: commands"
else
	ok "import, a long list: commands"
fi

# A database as rasdaemon 0.6 to 0.8 make it
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
	run "import a file that is not a database" 1 "" "offctl: import: 'other': file is not a database" sh -c 'cd "$0" && "$@"' "$work" \
		"$offctl" --sysroot "$T" import --dry-run --format rasdaemon other
	nothing_sent
fi
