#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# docs/security.md: the users who may use the sample's files, and the effect of a user
# namespace. No output has a kernel address in it. badinput.sh has the modes and the
# capability of the module's own files, and canary.sh has the wiping of canaries.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib-events.sh
. "$(dirname "$0")/lib-events.sh"

# The sample gives no privilege that the module does not give.
sample() {
	balloon_load pages=0
	for sample_pair in pages:600 refuse:600 leave:600 events:400; do
		expect_eq "mode and owner of ${sample_pair%:*}" "${sample_pair#*:} 0 0" \
			"$(stat -c '%a %u %g' "$BALLOON/${sample_pair%:*}")"
	done
	expect_eq "files there are" "events leave pages refuse" "$(cd "$BALLOON" && echo *)"
	for sample_file in pages refuse leave; do
		expect_eq "root without CAP_SYS_ADMIN, $sample_file" EPERM \
			"$(tryio -c write "$BALLOON/$sample_file" 1)"
		expect_eq "another user, $sample_file" open:EACCES \
			"$(tryio -u 65534 write "$BALLOON/$sample_file" 1)"
		expect_eq "$sample_file is" 0 "$(cat "$BALLOON/$sample_file")"
	done
	expect_eq "neither 0 nor 1" EINVAL "$(tryio write "$BALLOON"/refuse 2)"
	# The twin: a user with the privilege can do it.
	balloon_set pages 100
	balloon_note
	check_all "with 100 pages"
	balloon_unload
	check_all "at last"
}

# Root in a user namespace of its own passes the modes of the files, and has every
# capability in that namespace. That is not enough.
user_namespace() {
	expect_eq "user in the namespace" 0 "$(unshare -U -r id -u)"
	for ns_file in mark unmark skippable block_offline block_online inject; do
		expect_eq "$ns_file in a user namespace" open:EPERM \
			"$(unshare -U -r tryio open "$FO/$ns_file" w)"
	done
	for ns_file in ranges last_failure verify stats inject; do
		expect_eq "$ns_file in a user namespace, to read" open:EPERM \
			"$(unshare -U -r tryio open "$FO/$ns_file" r)"
	done
	expect_eq "the same outside" ok "$(tryio open "$FO/mark" w)"
	check_all "at last"
}

# addresses: lines with a pointer into the kernel's half of the address space, plain or
# hidden. Physical addresses and PFNs are shorter.
addresses() {
	grep -E '(^|[^0-9a-f])(0x)?ffff[0-9a-f]{12}([^0-9a-f]|$)|\(____ptrval____\)'
}
no_addresses() {
	trace_start
	mark_shape "$B2"
	mark "$(block_pfn "$B2" 30000)" 5 unskippable
	refuse "$B2" offline EBUSY
	expect_eq "bad input" EINVAL "$(tryio write "$FO"/mark nonsense)"
	{
		for na_file in ranges last_failure verify stats inject; do
			cat "$FO/$na_file"
		done
		for na_command in status blocks "list --output-all" verify inject "map --ascii"; do
			# shellcheck disable=SC2086  # words
			offctl $na_command
		done
		trace_read
		cat /sys/module/fake_offline/parameters/*
		dmesg | grep fake_offline
	} >"$TMP/output" 2>&1
	expect_at_least "lines of output" 30 "$(wc -l <"$TMP/output")"
	expect_eq "lines with a kernel address" "" "$(addresses <"$TMP/output")"
	# The twin: /proc/kallsyms has some.
	expect_at_least "lines with a kernel address in kallsyms" 1000 \
		"$(head -n 2000 /proc/kallsyms | addresses | wc -l)"
	trace_stop
	unmark_all
	check_all "at last"
}

run_tests sample user_namespace no_addresses
