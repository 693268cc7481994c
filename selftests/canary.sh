#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The content of marked pages, seen by an oracle outside of the kernel: a device reads and
# writes them by DMA. It needs QEMU's "edu" device: see README.md.

# shellcheck disable=SC2317,SC2031  # the tests are called by run_tests
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# The content of a page that was free before its mark, or is free again: zeroes of the
# kernel (init_on_alloc) or of the module, or the pattern of PAGE_POISONING.
FREE_BYTE=0
case $(cat /proc/cmdline) in
*page_poison=1*) FREE_BYTE=170 ;;
esac

sum() {
	edudma sum "$@" || echo "edudma failed"
}

# Nothing touches marked pages, with a canary or without, in any state of their block.
untouched() {
	mark "$(block_pfn "$B2" 100)" 3 canary
	mark "$(block_pfn "$B2" 9001)" 2
	mark "$(block_pfn "$B2" $((BLOCK_PAGES - 1)))" 1 canary
	# The pages without a canary get a content that is not zero.
	expect_eq "poke" "$FREE_BYTE" "$(edudma poke "$(block_pfn "$B2" 9001)" 17 165)"
	expect_eq "poke" "$FREE_BYTE" "$(edudma poke "$(block_pfn "$B2" 9002)" 4095 90)"
	before=$(sum "@$MARKS")
	expect_eq "a sum" 16 ${#before}
	expect_eq "poked" 165 "$(edudma peek "$(block_pfn "$B2" 9001)" 17)"
	check_all "when marked"

	expect_eq "arm" ok "$(tryio write "$FO"/inject "offline late -16 1
offline after -12 1")"
	refuse "$B2" offline ENOMEM
	refuse "$B2" offline EBUSY
	expect_eq "content after two failures" "$before" "$(sum "@$MARKS")"
	check_hog "after two failures" "$B2"
	expect_eq "content after the hog" "$before" "$(sum "@$MARKS")"
	go "$B2" offline
	expect_eq "content while offline" "$before" "$(sum "@$MARKS")"
	go "$B2" online_kernel
	expect_eq "content after online_kernel" "$before" "$(sum "@$MARKS")"
	to_zone "$B2" Movable
	expect_eq "content after online_movable" "$before" "$(sum "@$MARKS")"
	check_all "at last"
	unmark_all
}

# A device writes one byte. "verify" finds it, and so does the sum.
broken() {
	mark "$(block_pfn "$B2" 4000)" 20 canary
	check_all "with nothing wrong"
	before=$(sum "$(block_pfn "$B2" 4007)+1")
	old=$(edudma peek "$(block_pfn "$B2" 4007)" 2222)
	expect_eq "poke" "$old" "$(edudma poke "$(block_pfn "$B2" 4007)" 2222 $((old ^ 1)))"
	expect_failing "verify, a bit changed by a device" check_verify twin
	expect_eq "verify: how many, and where" "1 $(block_pfn "$B2" 4007)" \
		"$(verify_value canary_broken) $(verify_value first_bad_pfn)"
	expect_failing "the sum, a bit changed by a device" \
		expect_eq sum "$before" "$(sum "$(block_pfn "$B2" 4007)+1")"
	check_pages "with a canary broken"
	check_accounts "with a canary broken"
	# It is also found after the block was offline.
	go "$B2" offline
	go "$B2" online_movable
	expect_eq "verify after a cycle" "1 $(block_pfn "$B2" 4007)" \
		"$(verify_value canary_broken) $(verify_value first_bad_pfn)"
	expect_eq "poke" $((old ^ 1)) \
		"$(edudma poke "$(block_pfn "$B2" 4007)" 2222 "$old")"
	check_all "with the bit put right"
	unmark_all
}

# Each page has a pattern of its own. Pages that are given back are zeroed or poisoned.
pattern() {
	mark "$(block_pfn "$B2" 600)" 3 canary
	one=$(sum "$(block_pfn "$B2" 600)+1")
	two=$(sum "$(block_pfn "$B2" 601)+1")
	expect_failing "two pages have the same pattern" expect_eq sums "$one" "$two"
	expect_eq "pages that look free" 0 \
		"$(edudma filled "$FREE_BYTE" "$(block_pfn "$B2" 600)+3")"
	unmark "$(block_pfn "$B2" 600)" 3
	# They are looked at only while they are free, and otherwise tried again.
	pattern_tries=0
	while :; do
		pattern_tries=$((pattern_tries + 1))
		expect_at_most "tries" 20 "$pattern_tries" || break
		mark "$(block_pfn "$B2" 600)" 3 canary
		pattern_was=$(sum "$(block_pfn "$B2" 600)+3")
		unmark "$(block_pfn "$B2" 600)" 3
		pattern_is=$(edudma filled "$FREE_BYTE" "$(block_pfn "$B2" 600)+3")
		[ "$(count_of buddy "$(oracle count "$(block_pfn "$B2" 600)+3")")" = 3 ] ||
			continue
		expect_eq "pages full of $FREE_BYTE" 3 "$pattern_is"
		expect_eq "the sum before that" 16 ${#pattern_was}
		break
	done
	check_all "at last"
}

drop_virtio_mem
run_tests untouched broken pattern
