# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Part of lib.sh: KTAP, and asserts.
#
# Every assert counts itself and returns 1 when it fails. It then prints the expected
# value and the value that it got. A test without an assert fails.

CHECKS=0	# the asserts that the current test has made
FAILED=0	# those of them that failed

# note TEXT: prints a diagnostic line
note() {
	echo "# $*"
}

# bail TEXT: ends the script, as a failure
bail() {
	echo "Bail out! $*"
	exit 1
}

# skip REASON: ends the current test. "run" counts that as a failure unless the file
# expected-skips lists it.
skip() {
	echo "$*" >"$TMP/skip"
	exit 4
}

failed() {
	FAILED=$((FAILED + 1))
	note "FAILED: $*"
	return 1
}

# run_one TEST…: called in a subshell of run_tests(). Every test begins in the same
# world, which is an assert of its own.
run_one() {
	CHECKS=0 FAILED=0
	: >"$MARKS"
	reset_world && check_accounts "before the test"
	if [ "$FAILED" = 0 ]; then
		CHECKS=0
		"$@"
		[ "$CHECKS" -gt 0 ] || failed "the test checked nothing"
		[ ! -d "$FO" ] || check_everywhere "at the end of the test"
	fi
	note "asserts: $CHECKS, failed: $FAILED"
	: >"$TMP/finished"
	[ "$FAILED" = 0 ]
}

# only_some TEST…: prints those of them that ONLY names, one line for each; without ONLY,
# all
only_some() {
	for only_test; do
		case "|${ONLY:-$only_test}|" in
		*"|$only_test|"*) echo "$only_test" ;;
		esac
	done
}

# run_tests TEST…: a TEST is the name of a function, with arguments after blanks. ONLY,
# in the environment, names the wanted tests, separated by |. Ends the script.
run_tests() {
	run_wanted=$(only_some "$@")
	run_ifs=$IFS IFS='
'
	# shellcheck disable=SC2086  # a name a line
	set -- $run_wanted
	IFS=$run_ifs
	[ -z "${ONLY-}" ] || [ "$(echo "$ONLY" | tr '|' '\n' | wc -l)" = $# ] ||
		bail "not each of these is a test: $ONLY"
	unset ONLY # for the tests that run tests
	run_number=0 run_failed=0 run_skipped=0
	echo "TAP version 13"
	if [ ! -f "$FO_BASE" ]; then
		record_base || bail "the machine is not fit for these tests"
	fi
	# shellcheck source=/dev/null
	. "$FO_BASE"
	echo "1..$#"
	for run_test; do
		run_number=$((run_number + 1))
		run_start=$(date +%s)
		rm -f "$TMP/skip" "$TMP/finished"
		# shellcheck disable=SC2086  # a function and its arguments
		(run_one $run_test)
		run_status=$?
		# shellcheck disable=SC1090
		. "$FO_BASE"	# see new_base()
		note "$run_test: $(($(date +%s) - run_start)) s"
		if [ $run_status = 0 ] && [ -f "$TMP/finished" ]; then
			echo "ok $run_number $run_test"
		elif [ $run_status = 4 ] && [ -f "$TMP/skip" ]; then
			echo "ok $run_number $run_test # SKIP $(cat "$TMP/skip")"
			run_skipped=$((run_skipped + 1))
		else
			[ -f "$TMP/finished" ] ||
				note "the test ended before its end, with status $run_status"
			echo "not ok $run_number $run_test"
			run_failed=$((run_failed + 1))
		fi
	done
	# The machine is left as it was for the next script. A test may have changed
	# for good what the machine has: see new_base().
	# shellcheck source=/dev/null
	. "$FO_BASE"
	: >"$MARKS"
	(FAILED=0; reset_world && check_accounts "after the tests") || {
		note "the machine is not as it was"
		run_failed=$((run_failed + 1))
	}
	modprobe -r fake_offline || run_failed=$((run_failed + 1))
	echo "# Totals: pass:$(($# - run_failed - run_skipped)) fail:$run_failed xfail:0 xpass:0 skip:$run_skipped error:0"
	rm -rf "$TMP"
	[ "$run_failed" = 0 ] || exit 1
	[ "$run_skipped" -lt $# ] || exit 4
	exit 0
}

# result COMMAND…: sets RESULT to the line that the command prints, without a subshell
result() {
	"$@" >"$TMP/result"
	RESULT=''
	# shellcheck disable=SC2034  # for the caller
	read -r RESULT <"$TMP/result"
	return 0
}

# expect_eq WHAT WANT GOT
expect_eq() {
	CHECKS=$((CHECKS + 1))
	[ "$2" != "$3" ] || return 0
	failed "$1"
	case $2$3 in
	*"
"*) # Of many lines, only those that differ are printed.
		echo "$2" >"$TMP/expected"
		echo "$3" >"$TMP/got"
		diff -U 0 "$TMP/expected" "$TMP/got" | sed '1,2d; /^@@/d
			s/^-/#   expected: /; s/^+/#   got:      /' ;;
	*)
		echo "#   expected: $2"
		echo "#   got:      $3" ;;
	esac
	return 1
}

# expect_same_file WHAT WANT GOT: two files; without a subshell as long as they are the same
expect_same_file() {
	if cmp -s "$2" "$3"; then
		CHECKS=$((CHECKS + 1))
	else
		expect_eq "$1" "$(cat "$2")" "$(cat "$3")"
	fi
}

# expect_at_most WHAT LIMIT GOT, expect_at_least WHAT LIMIT GOT
expect_at_most() {
	CHECKS=$((CHECKS + 1))
	[ "$3" -le "$2" ] 2>/dev/null || failed "$1: at most $2 expected, got $3"
}

expect_at_least() {
	CHECKS=$((CHECKS + 1))
	[ "$3" -ge "$2" ] 2>/dev/null || failed "$1: at least $2 expected, got $3"
}

# expect_status WHAT STATUS COMMAND…
expect_status() {
	expect_what=$1 expect_want=$2
	shift 2
	"$@"
	expect_eq "$expect_what: exit status" "$expect_want" $?
}

# expect_failing WHAT ASSERT…: the negative twin. ASSERT must make an assert, and at least
# one of its asserts must fail.
expect_failing() {
	expect_what=$1
	shift
	(
		CHECKS=0 FAILED=0
		"$@"
		[ "$CHECKS" -gt 0 ] || exit 9
		[ "$FAILED" -gt 0 ] || exit 8
	) >"$TMP/twin" 2>&1
	expect_got=$?
	sed 's/^# FAILED:/# (wanted)/; s/^#\{0,1\} */#     /' "$TMP/twin"
	case $expect_got in
	0) expect_got="it fails" ;;
	8) expect_got="it passes" ;;
	9) expect_got="it checked nothing" ;;
	*) expect_got="it ended with status $expect_got" ;;
	esac
	expect_eq "$expect_what" "it fails" "$expect_got"
}

# wait_for WHAT COMMAND…: waits until COMMAND succeeds. The limit of five minutes is for
# a machine on which it never does.
wait_for() {
	wait_what=$1 wait_left=3000
	shift
	until "$@"; do
		wait_left=$((wait_left - 1))
		[ "$wait_left" -gt 0 ] || { failed "waited in vain for $wait_what"; return; }
		usleep 100000
	done
}
