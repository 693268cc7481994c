/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions of fake_offline for tests: a pattern in the pages, and a count of what
 * became of them. Drivers do not need them, and they may change at any time.
 */
#ifndef LINUX_FAKE_OFFLINE_TEST_H
#define LINUX_FAKE_OFFLINE_TEST_H

#include <linux/fake_offline.h>

/**
 * struct fake_offline_counts - what fake_offline_verify() found, in pages
 * @ranges: marked ranges; the one field that is not in pages
 * @pages: marked pages
 * @block_offline: of these, pages in memory that is offline or absent
 * @page_offline: pages that are PageOffline, or that the kernel had retired before
 *	they were marked, in online memory
 * @poisoned: pages that are hardware-poisoned, in online memory
 * @skippable: pages that have the skippable bit, in online memory
 * @skippable_expected: pages that should have it, in online memory
 * @buddy: pages in the buddy allocator: a leak
 * @wrong_count: pages with an unexpected reference count
 * @canary: pages whose canary was checked
 * @canary_broken: pages whose canary is not intact
 * @canary_unchecked: pages whose canary is not checked while the machine
 *	hibernates
 * @first_bad_pfn: lowest PFN that failed a check, -1 if none did
 */
struct fake_offline_counts {
	unsigned long ranges;
	unsigned long pages;
	unsigned long block_offline;
	unsigned long page_offline;
	unsigned long poisoned;
	unsigned long skippable;
	unsigned long skippable_expected;
	unsigned long buddy;
	unsigned long wrong_count;
	unsigned long canary;
	unsigned long canary_broken;
	unsigned long canary_unchecked;
	long first_bad_pfn;
};

int fake_offline_verify(const struct fake_offline_client *client,
			unsigned long start_pfn, unsigned long nr_pages,
			struct fake_offline_counts *counts);

#endif /* LINUX_FAKE_OFFLINE_TEST_H */
