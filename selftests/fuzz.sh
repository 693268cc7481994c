#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Random sequences of everything that can be done, against a model that predicts the
# state of every page; and random writes to the debugfs files. The default is a share
# that fits into a test run. These variables change it:
#
#   FUZZ_SEED    the first seed (1)
#   FUZZ_SEEDS   the number of sequences, a seed each (4; 1 where there is kmemleak)
#   FUZZ_STEPS   the number of steps in each (50)
#   FUZZ_WRITES  the number of random writes (20000; 4000 where there is kmemleak)
#   FUZZ_REPLAY  a file with the only sequence to run, a step a line

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# A kernel with its detectors is that much slower.
if [ -f /sys/kernel/debug/kmemleak ]; then
	FUZZ_SEEDS=${FUZZ_SEEDS:-1}
	FUZZ_WRITES=${FUZZ_WRITES:-4000}
fi
FUZZ_SEED=${FUZZ_SEED:-1}
FUZZ_SEEDS=${FUZZ_SEEDS:-4}
FUZZ_STEPS=${FUZZ_STEPS:-50}
FUZZ_WRITES=${FUZZ_WRITES:-20000}

# fuzz_blocks OPTION…: runs the fuzzer on the blocks under test
fuzz_blocks() {
	fuzz -k "$FO_SKIP" -b "$B1+3" "$@"
}

# undone: no page is marked, and no failure is armed
undone() {
	check_all "when all is undone"
	expect_eq "MemTotal in kB at the end" "$BASE_TOTAL" "$(mem_total)"
}

sequences() {
	expect_status "$FUZZ_SEEDS sequences of $FUZZ_STEPS steps, from seed $FUZZ_SEED" 0 \
		fuzz_blocks -s "$FUZZ_SEED" -c "$FUZZ_SEEDS" -n "$FUZZ_STEPS"
	undone
}

replay() {
	expect_status "the sequence in $FUZZ_REPLAY" 0 fuzz_blocks -r "$FUZZ_REPLAY"
	undone
}

# The negative twins. In each, the model, or the machine without the knowledge of the
# model, has one fault. The fuzzer finds it and shrinks the sequence to a few steps.

# planted PLANT STEP…: prints the shrunk sequence, which must be these steps. One of ten
# sequences must contain them.
planted() {
	planted_what=$1
	shift
	printf '%s\n' "$@" >"$TMP/planted-want"
	expect_status "a sequence with \"$planted_what\" in it" 1 \
		fuzz_blocks -p "$planted_what" -s 7 -c 10 -n 100 >"$TMP/planted"
	grep -v '^# > ' "$TMP/planted"
	sed -n 's/^# = //p' "$TMP/planted" >"$TMP/shrunk"
	expect_eq "kinds of steps that are left" "$(cat "$TMP/planted-want")" \
		"$(sed 's/ .*//' "$TMP/shrunk")"
	expect_status "the shrunk sequence, once more" 1 \
		fuzz_blocks -p "$planted_what" -x -r "$TMP/shrunk"
	expect_status "the shrunk sequence, with a right model" 0 \
		fuzz_blocks -r "$TMP/shrunk"
	undone
}

	# The model forgets a page.
forget() {
	planted forget mark
}

	# A page is given back, and no step asks for that.
behind() {
	planted behind mark offline online
}

	# The model predicts a wrong errno.
errno() {
	planted errno mark offline skippable
}

# One seed always makes the same sequence, and two seeds make two sequences.
seeds() {
	expect_eq "seed 5 twice" "$(fuzz -l -s 5)" "$(fuzz -l -s 5)"
	expect_eq "steps of seed 5" 60 "$(fuzz -l -s 5 | wc -l)"
	fuzz -l -s 5 >"$TMP/five"
	expect_eq "marks of seed 6 that seed 5 has, too" 0 \
		"$(fuzz -l -s 6 | grep '^mark' | grep -cxFf "$TMP/five")"
	expect_status "-r reads the output of -l" 0 \
		fuzz_blocks -r "$TMP/five"
	undone
}

# These sequences differed once.

# found COUNT STEP…: runs these steps COUNT times. If two tasks race, one round may
# not reach the fault.
found() {
	found_left=$1
	shift
	while [ "$found_left" -gt 0 ]; do
		printf '%s\n' "$@"
		found_left=$((found_left - 1))
	done >"$TMP/found"
	expect_status "this sequence" 0 fuzz_blocks -x -r "$TMP/found"
	undone
}

	# "all" left out a range that was busy, and reported that all was given back.
all_of_busy() {
	found 4 "mark 0:0 90000" "skippable 0:0 90000 0 | unmark all"
}

# raw_writes: the accounts are whole after any write.
raw_writes() {
	expect_status "$FUZZ_WRITES writes, seed $FUZZ_SEED" 0 \
		fuzzraw -b "$B1+3" -s "$FUZZ_SEED" -n "$FUZZ_WRITES"
	undone
}

# One page too many is noticed.
raw_planted() {
	expect_status "writes, and one page wrong" 1 fuzzraw -b "$B1+3" -p -n 100
	unmark_all
	undone
}

[ -z "${FUZZ_REPLAY-}" ] || run_tests replay
run_tests seeds sequences forget behind errno all_of_busy raw_writes raw_planted
