// SPDX-License-Identifier: GPL-2.0
/*
 * Pages between the states allocated, marked and free.
 *
 * Pages become free by generic_online_page(), as after an online operation. It frees
 * chunks of an order instead of single pages, it suits pages that were withheld and
 * that the buddy allocator has never had, and it adds them to the managed pages.
 */
#include <linux/log2.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>

#include <linux/fake_offline_test.h>

#include "canary.h"
#include "page_state.h"
#include "transfer.h"

/**
 * fo_put_singly() - drop the module's reference to allocated pages, one by one
 * @pfns: allocated, and not marked
 *
 * If another task has a reference, its put frees the page. free_contig_range() would
 * warn.
 *
 * Context: sleeps.
 */
void fo_put_singly(struct pfn_range pfns)
{
	unsigned long pfn;

	for_each_pfn(pfn, pfns)
		__free_page(pfn_to_page(pfn));
}

/**
 * fo_mark_allocated() - allocated pages become marked ones
 * @pfns: in one block and one zone, with a reference count of COMPAT_TAKEN_COUNT
 * @flags: FAKE_OFFLINE_SKIPPABLE, FAKE_OFFLINE_CANARY
 * @stray: filled in on failure: the page that another task refers to
 *
 * They are no managed pages any more.
 *
 * Context: sleeps. Inverse: fo_give_back_zone().
 * Return: 0, or -EBUSY. Then they are not marked, and one reference to each is the
 * module's: fo_put_singly().
 */
int fo_mark_allocated(struct pfn_range pfns, unsigned int flags,
		      unsigned long *stray)
{
	int ret;

	if (flags & FAKE_OFFLINE_CANARY)
		fo_canary_fill(pfns);
	ret = fo_pages_mark(pfns, flags & FAKE_OFFLINE_SKIPPABLE, stray);
	if (!ret)
		adjust_managed_page_count(pfn_to_page(pfns.first),
					  -(long)nr_pfns(pfns));
	else if (flags & FAKE_OFFLINE_CANARY)
		fo_canary_wipe(pfns);
	return ret;
}

/**
 * fo_to_buddy() - hand pages to the buddy allocator
 * @pfns: in one memory block and zone; may be empty
 *
 * In chunks as large as their alignment allows, as online_pages() does it.
 * They become managed pages.
 *
 * Context: any. The pages are as generic_online_page() expects them.
 */
void fo_to_buddy(struct pfn_range pfns)
{
	const unsigned int max_order = ilog2(MAX_ORDER_NR_PAGES);
	unsigned long pfn = pfns.first;

	while (pfn <= pfns.last) {
		unsigned int order = min_t(unsigned int, max_order,
					   ilog2(pfns.last - pfn + 1));

		if (pfn)
			order = min_t(unsigned int, order, __ffs(pfn));
		generic_online_page(pfn_to_page(pfn), order);
		pfn += 1UL << order;
	}
}

/**
 * fo_give_back_zone() - marked pages become free ones
 * @pfns: in one block and one zone
 *
 * Context: may sleep. Inverse: fo_mark_allocated().
 */
void fo_give_back_zone(struct pfn_range pfns)
{
	while (pfns.first <= pfns.last) {
		unsigned long nr = fo_pages_make_free(pfns);

		fo_to_buddy(pfns_until(pfns.first, pfns.first + nr));
		pfns.first += nr;
		if (pfns.first <= pfns.last)
			fo_page_put(pfn_to_page(pfns.first++));
	}
}

/**
 * fo_return_allocated() - free allocated pages in chunks
 * @pfns: as for fo_mark_allocated(); may be empty
 *
 * A put of each would leave them single on a per-CPU list, where the next request does
 * not find them free. generic_online_page() frees in chunks, and wants pages without a
 * reference. So they are marked for a moment.
 *
 * Context: sleeps.
 */
void fo_return_allocated(struct pfn_range pfns)
{
	unsigned long stray;

	if (pfns.first > pfns.last)
		return;
	if (fo_mark_allocated(pfns, FAKE_OFFLINE_SKIPPABLE, &stray))
		fo_put_singly(pfns);
	else
		fo_give_back_zone(pfns);
}
