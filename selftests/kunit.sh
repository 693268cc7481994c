#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The unit tests of ranges, states and parsing, which the kernel's KUnit runs when the module
# fake-offline-kunit is loaded. Each is a test here. Only a kernel with CONFIG_KUNIT has
# that module.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# KUnit keeps the results here as long as the module is loaded.
KUNIT=/sys/kernel/debug/kunit
# The suites, and how many tests each has.
SUITES='fake_offline_ranges:13 fake_offline_parse:7'

# run_suites [PARAMETER]: loads the module, and writes "ok NAME" or "not ok NAME" for each
# unit test to $TMP/kunit
run_suites() {
	# Both modules have a slab cache of the same name.
	modprobe -r fake_offline
	if ! modprobe fake-offline-kunit "$@" 2>"$TMP/err"; then
		load_module
		skip "there are no unit tests for this kernel: it lacks CONFIG_KUNIT"
	fi
	: >"$TMP/kunit"
	for suite in $SUITES; do
		cat "$KUNIT/${suite%:*}/results"
	done >"$TMP/results"
	sed -n 's/^    \(not \)\{0,1\}ok [0-9]* \([a-z_]*\)$/\1ok \2/p' "$TMP/results" >"$TMP/kunit"
	modprobe -r fake-offline-kunit
	load_module
}

# unit TEST…: all unit tests are reported, and none failed
unit() {
	run_suites
	for suite in $SUITES; do
		expect_eq "the plan of ${suite%:*}" "${suite#*:}" \
			"$(awk -v suite="${suite%:*}" '
			$0 == "    # Subtest: " suite { mine = 1 }
			mine && /^    1\.\./ { sub(/.*\.\./, ""); print; exit }' "$TMP/results")"
		expect_eq "the result of ${suite%:*}" "ok 1 ${suite%:*}" \
			"$(grep "^\(not \)\{0,1\}ok [0-9]* ${suite%:*}\$" "$TMP/results")"
	done
	expect_eq "unit tests that passed" 20 "$(grep -c '^ok ' "$TMP/kunit")"
	grep -q '^not ok' "$TMP/kunit" && sed 's/^/# /' "$TMP/results"
	expect_eq "unit tests that failed" "" "$(sed -n 's/^not ok //p' "$TMP/kunit")"
}

# The negative twin: with wrong expectations, exactly their tests fail.
twin() {
	run_suites wrong=1
	expect_eq "unit tests that failed" "state_transitions
tree_order
mark_lines" "$(sed -n 's/^not ok //p' "$TMP/kunit")"
	expect_eq "unit tests that passed" 17 "$(grep -c '^ok ' "$TMP/kunit")"
}

run_tests unit twin
