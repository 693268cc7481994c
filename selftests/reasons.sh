#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Each page that is refused has its true reason. Random pages of a used machine are
# marked, one after the other. For each refused page, the reason in "last_refusal" is
# compared with /proc/kpageflags and the memmap as they were right before and after.
# The rules are in programs/records.c. The judge there does not ask the kernel, so the
# test can hand it reasons that are not true.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck disable=SC2016  # programs of awk
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"

SEED=20261127
PAGES=1800

RECORDS=$TMP/records	# PFN BEFORE AFTER RESULT CODE CULPRIT BEFORE AFTER REASON
JUDGED=$TMP/judged	# PFN KIND AFTER RESULT CODE VERDICT CULPRIT KIND REASON

# wear_out: the kernel's own memory comes to lie in many page blocks
wear_out() {
	mkdir "$TMP/worn"
	wear "$SEED" 6 "$TMP/worn" 2000 24 44 "$TMP/ready" &
	wear_pid=$!
	while [ ! -f "$TMP/ready" ] && kill -0 "$wear_pid" 2>/dev/null; do
		usleep 100000
	done
	expect_status "the machine is used" 0 test -f "$TMP/ready"
}

wear_end() {
	kill "$wear_pid"
	wait "$wear_pid" 2>/dev/null
	rm -rf "$TMP/worn" "$TMP/ready"
}

# where CONDITION: how many of the judged records meet this condition of awk
where() {
	awk "$1 { n++ } END { print n + 0 }" "$JUDGED"
}

# true_reasons: no reason is untrue
true_reasons() {
	expect_eq "untrue reasons" "" \
		"$(awk '$6 == "untrue" && n++ < 10' "$JUDGED")"
}

# lie CONDITION CHANGE: of the refusals that meet a condition of awk, the record is
# changed; each must then be found untrue
lie() {
	awk 'NR == FNR { if ($4 != "ok" && $6 == "true") good[$1]; next } $1 in good' \
		"$JUDGED" "$RECORDS" | awk "$1 { $2; print }" >"$TMP/lies"
	lies=$(wc -l <"$TMP/lies")
	note "lies: $lies, $2"
	expect_at_least "$1: refusals to lie about" 1 "$lies"
	pagefate judge <"$TMP/lies" >"$JUDGED.lies"
	expect_eq "$2: found untrue" "$lies" \
		"$(awk '$6 == "untrue"' "$JUDGED.lies" | wc -l)"
}

# lies: each kind of refusal, with a reason that is not true
lies() {
	lie '$5 == "kernel_memory" && /\(slab\)/' 'sub(/kernel memory \(slab\)/, "a page table")'
	lie '$5 == "kernel_memory" && /reserved/' 'sub(/reserved: .*/, "kernel memory (slab)")'
	lie '$5 == "kernel_memory" && $2 !~ /:0:/ && / kernel memory$/' \
		'sub(/kernel memory$/, "kernel memory, without a reference of its own")'
	lie '$5 == "kernel_memory"' '$5 = "transient"'
	lie '$5 == "kernel_memory"' '$5 = "in_use"'
	lie '$5 == "kernel_memory"' '$5 = "neighbour"'
	lie '$5 == "kernel_memory"' '$4 = "ok"'
	lie '$5 == "neighbour"' '$5 = "kernel_memory"'
	lie '$5 == "neighbour"' '$6 += 512'
	lie '$5 == "neighbour"' '$7 = $8 = $2'
	lie '$5 == "neighbour"' '$5 = "transient"; $2 = $3 = $8'
	lie '$5 == "neighbour"' '$5 = "in_use"'
}

reasons() {
	# Pages that can move come to lie beside the kernel's, as there is no other place.
	for reasons_block in $BLOCKS; do
		go "$reasons_block" offline
	done
	# wear fills zone Normal, which is below its floor then. Some pages of it are marked
	# before and released afterwards, so that migrated pages have a place there.
	mark_raw "any 8192 zone=Normal" >"$TMP/room"
	expect_eq "room in Normal" ok "$(cat "$TMP/room")"
	wear_out
	unmark_all
	for reasons_block in $BLOCKS; do
		go "$reasons_block" online_movable
	done
	# Boot memory alone: the blocks under test and most of the sink are free.
	pagefate sample "$SEED" "$PAGES" | awk -v end="$(block_start "$B1")" '$1 < end' \
		>"$TMP/sample"
	expect_status "try them" 0 pagefate try mark <"$TMP/sample" >"$RECORDS"
	pagefate judge <"$RECORDS" >"$JUDGED"
	expect_eq "judged" "$(wc -l <"$TMP/sample")" "$(wc -l <"$JUDGED")"
	awk '{ print ($4 == "ok" ? "ok" : $5), $6, ($5 == "neighbour" ? $8 : $2) }' "$JUDGED" |
		sort | uniq -c | sed 's/^/# /'
	awk '$4 == "ok" { print $1, 1 }' "$JUDGED" >"$TMP/marked"
	note_batch "$TMP/marked"

	expect_at_least "refused pages" 100 "$(where '$4 != "ok"')"
	expect_at_least "of these, the kernel's own" 50 "$(where '$5 == "kernel_memory"')"
	expect_at_least "beside kernel memory" 5 \
		"$(where '$5 == "neighbour" && $6 != "untrue"')"
	for reasons_kind in reserved slab kernel; do
		expect_at_least "refused as $reasons_kind" 1 \
			"$(where "\$5 == \"kernel_memory\" && \$2 == \"$reasons_kind\"")"
	done
	# Neither of these may be said of a free page, nor of the kernel's own.
	expect_eq "free pages refused as in use" 0 \
		"$(where '($2 == "free" && $3 == "free") && ($5 == "in_use" || $5 == "pinned")')"
	true_reasons
	note "refused: $(where '$4 != "ok"'), free pages among them: $(where '$4 != "ok" && $3 == "free"')"
	check_all "when marked"

	lies
	awk '$5 == "kernel_memory" && !n++ { $6 = "untrue" } { print }' "$JUDGED" >"$JUDGED.new"
	mv "$JUDGED.new" "$JUDGED"
	expect_failing "with one that is not" true_reasons
	unmark_all
	wear_end
	check_all "after unmark"
}

# A pinned page is refused as such, by its own number. A kernel page without a reference
# looks like a page on the free list of a CPU, and is told apart after these lists were
# drained. A page beside each can be marked.
told_apart() {
	to_zone "$B1" Normal
	pin_page "$B1" longpin
	expect_eq "a pinned page" EBUSY "$(mark_raw "$PIN 1")"
	expect_refusal "of it" "$PIN" pinned \
		"PFN $(printf %#x "$PIN") could not be freed: pinned, 1025 references"
	tenant_stop
	go "$B1" offline
	go "$B1" online_movable

	told_pfn=$(block_pfn "$B2" 1001)
	kernel_has "$told_pfn" frozen=1
	expect_eq "its references" "ref0 1" "$(refs "$told_pfn+1" | grep ref0)"
	expect_eq "a kernel page without a reference" EBUSY "$(mark_raw "$told_pfn 1")"
	expect_refusal "of it" "$told_pfn" kernel_memory \
		"PFN $(printf %#x "$told_pfn") could not be freed: kernel memory, without a reference of its own"
	expect_failing "of the page beside it" expect_refusal "" $((told_pfn + 1)) \
		kernel_memory ""
	mark $((told_pfn + 1)) 1
	check_all "beside it"
	unmark_all
	kernel_has_not
	mark "$told_pfn" 1
	check_all "when the kernel has freed it"
	unmark_all
}

run_tests told_apart reasons
