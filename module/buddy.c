// SPDX-License-Identifier: GPL-2.0
/*
 * Reads the state of the buddy allocator: free chunks, and isolated page blocks.
 *
 * Only the zone lock keeps this state from changing. This lock belongs to the page allocator,
 * and the module does not take it. So a result may be outdated when the caller gets it.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-flags.h>

#include "buddy.h"
#include "compat.h"

/**
 * fo_free_chunk() - find the free chunk that a page lies in
 * @pfn: a page of an online block
 * @head: set to the first PFN of the chunk
 * @order: set to the order of the chunk
 *
 * The chunk may be allocated while this function looks. Then the result, @head and @order may
 * be wrong. If the result is true, @order is never larger than the largest order.
 *
 * Return: true if the page lies in a free chunk. Otherwise @head and @order mean nothing.
 */
bool fo_free_chunk(unsigned long pfn, unsigned long *head, unsigned int *order)
{
	unsigned int i, max_order = ilog2(MAX_ORDER_NR_PAGES);
	unsigned long of;

	for (i = 0; i <= max_order; i++) {
		struct page *page = pfn_to_page(round_down(pfn, 1UL << i));

		if (!PageBuddy(page))
			continue;
		of = READ_ONCE(page_private(page));
		*head = page_to_pfn(page);
		*order = of;
		return of >= i && of <= max_order;
	}
	return false;
}

/**
 * fo_skip_free() - find the first PFN after a free chunk
 * @pfn: a page of an online block
 *
 * Return: the first PFN after the free chunk that @pfn lies in, or @pfn if it lies in no free
 * chunk. As with fo_free_chunk(), the result may be wrong if the chunk is allocated meanwhile.
 */
unsigned long fo_skip_free(unsigned long pfn)
{
	unsigned int order;
	unsigned long head;

	return fo_free_chunk(pfn, &head, &order) ? head + (1UL << order) : pfn;
}

static bool all_isolated_is(bool isolated, struct pfn_range pfns)
{
	unsigned long pfn;

	for (pfn = pfns.first; pfn <= pfns.last;
	     pfn = (pfn | (pageblock_nr_pages - 1)) + 1)
		if (compat_is_isolated(pfn) != isolated)
			return false;
	return true;
}

/** fo_any_isolated() - is a page block of these online pages isolated? */
bool fo_any_isolated(struct pfn_range pfns)
{
	return !all_isolated_is(false, pfns);
}

/** fo_all_isolated() - is each page block of these online pages isolated? */
bool fo_all_isolated(struct pfn_range pfns)
{
	return all_isolated_is(true, pfns);
}
