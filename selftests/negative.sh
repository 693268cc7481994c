#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The negative twins: each oracle fails when something is wrong. The state of the kernel
# is real (a page that was given back, an unskippable one, an offlining that hangs). Only
# the record of the test, in $MARKS, is wrong.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# hand_back START NR: gives a marked page back, without a note in $MARKS
hand_back() {
	expect_eq "hand back $2 pages" ok "$(tryio write "$FO"/unmark "$1 $2")"
}

# One page of thousands is enough for each of the oracles.
handed_back() {
	mark_shape "$B2"
	check_all "with nothing wrong"
	hand_back "$(block_pfn "$B2" 9000)" 1
	expect_failing "MemTotal and managed pages, one page handed back" \
		check_accounts twin
	expect_failing "PageOffline, skippable, counts: one page handed back" \
		check_pages twin
	expect_failing "the list, one page handed back" check_listed twin
	expect_failing "verify, one page handed back" check_verify twin
	unmark_all
	check_all "after unmark"
}

# each_number: every single number of check_pages() can be wrong
each_number() {
	mark "$(block_pfn "$B2" 8192)" 2048 canary
	check_all "with nothing wrong"
	hand_back "$(block_pfn "$B2" 8192)" 1024
	twin_got=$(oracle count "@$MARKS")
	expect_eq "PageOffline pages of 2048, 1024 handed back" 1024 \
		"$(count_of offline "$twin_got")"
	expect_eq "with the skippable bit" 1024 "$(count_of "$SKIP_BIT" "$twin_got")"
	expect_at_least "in the buddy allocator" 1 "$(count_of buddy "$twin_got")"
	check_pages twin >"$TMP/out"
	twin_failed=$FAILED
	FAILED=0
	expect_at_least "asserts of check_pages that fail" 3 "$twin_failed"
	for twin_what in "PageOffline pages (first, number)" \
		"marked pages in the buddy allocator" \
		"marked pages with the skippable bit"; do
		expect_eq "it says: $twin_what" 1 \
			"$(grep -cF "FAILED: $twin_what" "$TMP/out")"
	done
	# Pages of a process: mapped, with reference counts of their own.
	tenant_start 600 "$B2"
	for twin_pfn in $(tenant_ask list); do
		echo "$twin_pfn 1 1 0"
	done >"$TMP/tenant-pages"
	twin_got=$(oracle count "@$TMP/tenant-pages")
	expect_eq "pages of a process: mapped" 600 "$(count_of mapped "$twin_got")"
	expect_at_least "pages of a process: on the LRU" 500 \
		"$(count_of lru "$twin_got")"
	expect_eq "pages of a process: reference count 0" 0 \
		"$(count_of ref0 "$(refs "@$TMP/tenant-pages")")"
	# The reference count of a pinned page: no way of skipping has such a count.
	twin_pin=$(tenant_ask pin)
	echo "${twin_pin#pfn } 1 1 0" >"$MARKS"
	check_pages twin >"$TMP/out"
	FAILED=0
	for twin_what in "marked pages mapped, on the LRU, reserved" \
		"marked pages with reference count 0, 1, more"; do
		expect_eq "it says: $twin_what" 1 \
			"$(grep -cF "FAILED: $twin_what" "$TMP/out")"
	done
	tenant_stop
	unmark_all
	check_all "after unmark"
}

# A page that is not skippable is noted as skippable. The bit and the count show that,
# and offlining refuses.
not_skippable() {
	mark "$(block_pfn "$B2" 30000)" 1 unskippable
	check_all "with nothing wrong"
	sed 's/ 0 0$/ 1 0/' "$MARKS" >"$MARKS.new"
	mv "$MARKS.new" "$MARKS"
	expect_failing "PageOffline, skippable, counts: one not skippable" \
		check_pages twin
	expect_failing "the list: one not skippable" check_listed twin
	expect_failing "verify: one not skippable" check_verify twin
	expect_failing "offline" go "$B2" offline
	# The other way round.
	unmark "$(block_pfn "$B2" 30000)" 1
	mark "$(block_pfn "$B2" 30000)" 1
	sed 's/ 1 0$/ 0 0/' "$MARKS" >"$MARKS.new"
	mv "$MARKS.new" "$MARKS"
	expect_failing "PageOffline, skippable, counts: one is skippable" \
		check_pages twin
	expect_failing "offline is refused" refuse "$B2" offline EBUSY
	go "$B2" online_movable
	unmark_all
}

# One page too many, and one that is missing.
wrong_set() {
	mark "$(block_pfn "$B2" 100)" 10
	mark "$(block_pfn "$B2" 200)" 1
	sed -i '$d' "$MARKS"
	expect_failing "a PageOffline page without a mark: pages" \
		check_pages twin
	expect_failing "a PageOffline page without a mark: accounts" \
		check_accounts twin
	expect_failing "a PageOffline page without a mark: list" \
		check_listed twin
	note_mark "$(block_pfn "$B2" 200)" 1
	check_all "with nothing wrong"
	# The same number of other pages.
	hand_back "$(block_pfn "$B2" 200)" 1
	expect_eq "another page" ok "$(mark_raw "$(block_pfn "$B2" 202) 1")"
	check_accounts "as many pages as before"
	expect_failing "as many pages, but others: pages" check_pages twin
	expect_failing "as many pages, but others: list" check_listed twin
	# The page is in a block where nothing is marked.
	: >"$MARKS"
	note_mark "$(block_pfn "$B2" 100)" 10
	note_mark "$(block_pfn "$B2" 202)" 1
	check_all "with nothing wrong"
	expect_eq "a page of another block" ok "$(mark_raw "$(block_pfn "$B3" 77) 1")"
	expect_failing "a page of another block: everywhere" check_everywhere twin
	expect_eq "unmark all" ok "$(tryio write "$FO"/unmark all)"
	: >"$MARKS"
}

# The hog finds a page that was given back.
hog_hits() {
	mark "$(block_pfn "$B2" 8192)" 4096 canary
	mark "$(block_pfn "$B2" 100)" 1
	check_hog "with nothing wrong" "$B2"
	# The allocator breaks up a chunk of order 10 last, and the hog leaves some hundred
	# pages. So the page goes back with all of its chunk.
	hand_back "$(block_pfn "$B2" 9216)" 1024
	hog_sysctls lower
	hog_patiently "@$MARKS"
	twin_got=$hog_got
	hog_sysctls restore
	note "hog: $(echo "$twin_got" | tr '\n' ' ')"
	expect_at_least "hog: of 1024 pages handed back, it got" 500 \
		"$(count_of hits "$twin_got")"
	expect_at_most "hog: of 1024 pages handed back, it got" 1024 \
		"$(count_of hits "$twin_got")"
	expect_at_least "hog: the lowest of them" "$(block_pfn "$B2" 9216)" \
		"$(count_of first_hit "$twin_got")"
	expect_at_most "hog: the lowest of them" "$(block_pfn "$B2" 9271)" \
		"$(count_of first_hit "$twin_got")"
	expect_failing "check_hog, 1024 pages handed back" check_hog twin "$B2"
	# Much of this block is missing.
	: >"$MARKS"
	note_mark "$(block_pfn "$B2" 100)" 1
	expect_failing "check_hog, pages of the block that it cannot get" \
		check_hog twin "$B2"
	expect_eq "unmark all" ok "$(tryio write "$FO"/unmark all)"
	: >"$MARKS"
	expect_failing "check_hog without a mark" check_hog twin "$B2"
}

# The module itself breaks a canary. In canary.sh, a device does it.
canary() {
	mark "$(block_pfn "$B2" 100)" 10 canary
	check_all "with nothing wrong"
	expect_eq "arm" ok "$(tryio write "$FO"/inject "mark corrupt -5 1")"
	mark "$(block_pfn "$B2" 500)" 10 canary
	expect_failing "verify, a canary broken" check_verify twin
	expect_eq "verify: how many, and where" "1 $(block_pfn "$B2" 509)" \
		"$(verify_value canary_broken) $(verify_value first_bad_pfn)"
	check_accounts "with a canary broken"
	unmark "$(block_pfn "$B2" 509)" 1
	check_all "without it"
	unmark_all
}

# A process notices that its pages change.
content() {
	tenant_start 50 "$B2"
	expect_eq "with nothing wrong" "broken 0" "$(tenant_ask check)"
	expect_eq "where they are" "inside 50" "$(tenant_ask where)"
	expect_eq "spoil" spoiled "$(tenant_ask spoil)"
	expect_eq "with a byte changed" "broken 1" "$(tenant_ask check)"
	tenant_stop
	tenant_start 50 "$B2"
	go "$B2" offline
	expect_eq "where they are, with the block offline" "inside 0" \
		"$(tenant_ask where)"
	go "$B2" online_movable
	tenant_stop
}

# believe BLOCK FILE TEXT: makes $TMP/believed, a copy of $SYSMEM for the blocks under
# test, in which this file has this text
believe() {
	rm -rf "$TMP/believed"
	mkdir -p "$TMP/believed/memory$1"
	for believe_block in $BLOCKS; do
		[ "$believe_block" = "$1" ] ||
			ln -s "$SYSMEM/memory$believe_block" "$TMP/believed"
	done
	for believe_file in state valid_zones; do
		cat "$SYSMEM/memory$1/$believe_file" >"$TMP/believed/memory$1/$believe_file"
	done
	echo "$3" >"$TMP/believed/memory$1/$2"
}

# Blocks are in another state than the test believes.
accounts() {
	mark "$(block_pfn "$B1" 5)" 1
	check_all "with nothing wrong"
	for twin_number in "BASE_TOTAL=$((BASE_TOTAL + 4))" "BASE_TOTAL=$((BASE_TOTAL - 4))"; do
		expect_failing "MemTotal, a page off" with "$twin_number" \
			check_accounts twin
	done
	# The block is online and believed offline: present and managed pages, memmap.
	believe "$B3" state offline
	expect_failing "accounts, of a block believed offline" \
		with SYSMEM="$TMP/believed" check_accounts twin
	expect_failing "pages, of a block believed offline" \
		with SYSMEM="$TMP/believed" check_pages twin
	# The block is in the wrong zone: the total is right, and the zones are not.
	believe "$B3" valid_zones Normal
	expect_failing "accounts, of a block believed in ZONE_NORMAL" \
		with SYSMEM="$TMP/believed" check_accounts twin
	expect_eq "one assert of it" 1 \
		"$(with SYSMEM="$TMP/believed" check_accounts twin | grep -c FAILED)"
	check_all "with nothing wrong"
	unmark_all
}

# with NAME=VALUE COMMAND…
with() {
	eval "$1"
	shift
	"$@"
}

# While an offlining hangs, its page blocks are isolated.
isolated() {
	check_isolated "with nothing wrong"
	tenant_start 3 "$B2"
	expect_eq "pin" pfn "$(tenant_ask pin | sed 's/ .*//')"
	tryio write "$SYSMEM/memory$B2/state" offline >"$TMP/hang" &
	isolated_pid=$!
	while [ "$(tenant_ask where)" != "inside 1" ] && kill -0 "$isolated_pid"; do
		usleep 10000
	done
	expect_failing "isolated page blocks" check_isolated twin
	kill -USR1 "$isolated_pid"
	wait "$isolated_pid"
	expect_eq "the interrupted offlining" EINTR "$(cat "$TMP/hang")"
	check_isolated "after that"
	tenant_stop
}

# An oracle that does not work must not look like one that finds nothing.
oracles() {
	expect_eq "pageoracle without pages" "pageoracle failed" \
		"$(oracle count 2>/dev/null)"
	: >"$TMP/empty"
	expect_eq "pageoracle with an empty list" "pageoracle failed" \
		"$(oracle runs offline "@$TMP/empty" 2>/dev/null)"
	expect_eq "pageoracle beyond the last page" "pageoracle failed" \
		"$(oracle count "$(block_range $((SINK + 100)))" 2>/dev/null)"
	expect_eq "pagerefs without pages" "pagerefs failed" "$(refs 2>/dev/null)"
	expect_eq "pagerefs, looking in the wrong place" "pagerefs failed" \
		"$(PAGEREFS_MEMMAP=${PAGEREFS_MEMMAP%00}40 refs 1+1 2>/dev/null)"
	expect_status "hog without pages" 2 hog 2>/dev/null
	expect_status "tryio on no file" 1 tryio read "$TMP/nothing" >/dev/null
	expect_failing "a marked page believed in an offline block" \
		expect_eq "x" "1" "$(count_of nothing "a 1")"
}

# scratch NAME: makes a test script of the input, and prints the judgement of "run"
scratch() {
	{
		echo ". '$SELFTESTS/lib.sh'"
		cat
	} >"$SELFTESTS/scratch-$1.sh"
	run "$SELFTESTS/scratch-$1.sh" >"$TMP/scratch" 2>&1
	scratch_run=$?
	rm "$SELFTESTS/scratch-$1.sh"
	sed 's/^/#     /' "$TMP/scratch"
}

# The runner reports each kind of fault.
runner() {
	scratch nothing <<-'END'
		nothing() { :; }
		run_tests nothing
	END
	expect_eq "a test without an assert" 1 "$scratch_run"
	scratch skipped <<-'END'
		skipped() { skip "because"; }
		run_tests skipped
	END
	expect_eq "a test that is skipped" 1 "$scratch_run"
	expect_eq "run says why" 1 \
		"$(grep -c '"skipped" was skipped, and expected-skips does not have it' "$TMP/scratch")"
	scratch half <<-'END'
		good() { expect_eq good 1 1; }
		half() { expect_eq bad 1 2; expect_eq good 1 1; }
		run_tests good half good
	END
	expect_eq "a failing assert among good ones" 1 "$scratch_run"
	expect_eq "that one is reported" "not ok 2 half" \
		"$(grep '^not ok' "$TMP/scratch")"
	scratch dies <<-'END'
		good() { expect_eq good 1 1; }
		echo "TAP version 13"
		echo "1..2"
		echo "ok 1 something"
		exit 0
	END
	expect_eq "a script that ends early" 1 "$scratch_run"
	scratch ends <<-'END'
		ends() { expect_eq good 1 1; exit 0; }
		run_tests ends
	END
	expect_eq "a test that ends early" 1 "$scratch_run"
	scratch leaves <<-'END'
		drift() { echo "$((BLOCK_PAGES * B2)) 3" >"$FO"/mark; expect_eq good 1 1; }
		run_tests drift
	END
	expect_eq "a test that leaves pages behind" 1 "$scratch_run"
	scratch good <<-'END'
		good() { expect_eq good 1 1; }
		run_tests good
	END
	expect_eq "one that is good" 0 "$scratch_run"
	export ONLY='good|gone'
	scratch some <<-'END'
		good() { expect_eq good 1 1; }
		bad() { expect_eq bad 1 2; }
		run_tests good bad
	END
	expect_eq "a test that does not exist" 1 "$scratch_run"
	ONLY=good
	scratch one <<-'END'
		good() { expect_eq good 1 1; }
		bad() { expect_eq bad 1 2; }
		run_tests good bad
	END
	expect_eq "one that is good, without the other" "0 1..1" \
		"$scratch_run $(grep '^1\.\.' "$TMP/scratch")"
	unset ONLY
	expect_status "modprobe" 0 load_module
}

run_tests each_number handed_back not_skippable wrong_set hog_hits canary content \
	accounts isolated oracles runner
