#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Another module holds a reference to a marked page, from any moment to any other. The
# result depends on the way of skipping. The page allocator never has the page.
#
# checks/stray brings the module that holds such references.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

STRAY=/sys/module/stray/parameters

needed() {
	[ -d "$STRAY" ] || modprobe stray 2>/dev/null ||
		skip "there is no module that takes references: checks/stray"
}

# take PFN RESULT: the module takes a reference, with that result; put: it puts it
take() {
	expect_eq "the module stray takes a reference to PFN $1" "$2" "$(tryio write "$STRAY"/get "$1")"
}

put() {
	expect_eq "and puts it" ok "$(tryio write "$STRAY"/put 1)"
}

# said TEXT: the number of lines in the kernel's log that have it
said() {
	dmesg | grep -c "$1"
}

# held: marks a block, and takes a reference to its page $stray_pfn. With frozen, nothing
# can take one.
held() {
	needed
	mark_shape "$B2"
	stray_pfn=$(block_pfn "$B2" 9000)
	case $FO_SKIP in
	frozen)
		take "$stray_pfn" ENOENT
		check_all "where no reference can be taken"
		return 1 ;;
	esac
	take "$stray_pfn" ok
	expect_failing "it is noticed" check_pages "while it is held"
	expect_eq "verify: pages with a wrong count" 1 "$(verify_value wrong_count)"
}

# The reference is taken before the mark: the page is in use, and cannot be marked.
before_the_mark() {
	needed
	tenant_start 8 "$B2"
	stray_pfn=$(tenant_ask list | awk '{ print $1 }')
	take "$stray_pfn" ok
	expect_eq "mark" EBUSY "$(mark_raw "$stray_pfn 1")"
	check_all "after a mark was refused"
	put
	mark "$stray_pfn" 1
	check_all "when it is put"
	expect_eq "its content" "broken 0" "$(tenant_ask check)"
	tenant_stop
	unmark_all
	check_all "after unmark"
}

# The reference is taken, and put before anything happens.
between() {
	! held || put
	check_all "when it is put"
	go "$B2" offline
	go "$B2" online_movable
	check_all "after a cycle"
	unmark_all
	check_all "after unmark"
}

# The reference is held while an offlining of the block fails for another reason.
rolled_back() {
	held && stray_held=yes || stray_held=no
	refuse_once "$B2" before sysfs
	[ "$stray_held" = no ] || put
	check_all "after a rollback"
	check_hog "after a rollback" "$B2"
	unmark_all
	check_all "after unmark"
}

# The reference is held until the block is about to go offline, and put during that.
while_offlining() {
	if held; then
		case $FO_SKIP in
		notifier)
			refuse "$B2" offline EBUSY
			expect_eq "the reason" 1 \
				"$(grep -c "PFN $(printf %#x "$stray_pfn") refused: somebody holds a reference" "$FO"/last_failure)"
			put
			check_all "after it was refused" ;;
		native)
			go "$B2" offline
			expect_eq "the kernel warns of it, once a boot" 1 \
				"$(said 'skippable PageOffline page referenced')"
			put
			check_all "when it is put while offline"
			go "$B2" online_movable ;;
		esac
		check_all "when it is put"
		check_hog "when it is put" "$B2"
	fi
	go "$B2" offline
	check_all "while offline"
	go "$B2" online_movable
	check_all "after online"
	unmark_all
	check_all "after unmark"
}

# The reference is held while the block is offline. The block has a new memmap after that,
# in which nothing has taken the reference that is put then.
until_online() {
	if held; then
		case $FO_SKIP in
		notifier)
			refuse "$B2" offline EBUSY
			put ;;
		native)
			go "$B2" offline
			check_all "while offline"
			go "$B2" online_movable
			check_all "after online"
			put
			expect_eq "the kernel names the page that it did not free" 1 \
				"$(said 'skippable PageOffline page freed')" ;;
		esac
	fi
	check_all "when it is put"
	check_hog "when it is put" "$B2"
	go "$B2" offline
	go "$B2" online_movable
	check_all "after another cycle"
	unmark_all
	check_all "after unmark"
}

# The reference is held when the page is given back: the last put frees the page.
unmarked() {
	if held; then
		unmark "$stray_pfn" 1
		check_pages "with that page unmarked"
		stray_got=$(oracle count "$stray_pfn+1")
		expect_eq "it is PageOffline, in the buddy allocator" "0 0" \
			"$(count_of offline "$stray_got") $(count_of buddy "$stray_got")"
		put
	fi
	check_all "when it is put"
	unmark_all
	check_all "after unmark"
	# With nothing marked, the block is empty again: each page is free.
	go "$B2" offline
	go "$B2" online_movable
	check_all "at last"
}

run_tests before_the_mark between rolled_back while_offlining until_online unmarked
