// SPDX-License-Identifier: GPL-2.0
/* Canaries: a pattern in marked pages, made from their PFNs. */
#include <linux/atomic.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/sched.h>

#include "canary.h"

/* A different value in every word of memory, and never 0. */
static u64 canary_word(unsigned long pfn, unsigned int i)
{
	return (((u64)pfn << PAGE_SHIFT) + i * sizeof(u64)) *
	       0x9e3779b97f4a7c15ULL ^ 0xfa4e0ff11e5a1ad5ULL;
}

#define CANARY_WORDS	(PAGE_SIZE / sizeof(u64))

/**
 * fo_canary_fill() - fill pages with a pattern made from their PFNs
 * @pfns: the pages
 *
 * Not for KASAN: see fo_canary_intact().
 *
 * Context: sleeps. The pages are taken or marked. Inverse: fo_canary_wipe().
 */
__no_sanitize_address void fo_canary_fill(struct pfn_range pfns)
{
	unsigned long pfn;

	for_each_pfn(pfn, pfns) {
		u64 *word;
		unsigned int i;

		/* Touching memory that is known to be bad is a machine check. */
		if (PageHWPoison(pfn_to_page(pfn)))
			continue;
		word = kmap_local_page(pfn_to_page(pfn));
		for (i = 0; i < CANARY_WORDS; i++)
			word[i] = canary_word(pfn, i);
		kunmap_local(word);
		cond_resched();
	}
}

/**
 * fo_canary_wipe() - zero pages that hold a canary
 * @pfns: the pages
 *
 * The pattern tells the physical address of a page. The next owner should not
 * learn that.
 *
 * Context: sleeps. Inverse: fo_canary_fill().
 */
void fo_canary_wipe(struct pfn_range pfns)
{
	unsigned long pfn;

	for_each_pfn(pfn, pfns) {
		/* Touching memory that is known to be bad is a machine check. */
		if (!PageHWPoison(pfn_to_page(pfn)))
			clear_highpage(pfn_to_page(pfn));
		cond_resched();
	}
}

/**
 * fo_canary_break() - flip one bit of a page's canary, to see it found
 * @pfn: the page
 *
 * Not for KASAN: see fo_canary_intact().
 *
 * Context: any.
 */
__no_sanitize_address void fo_canary_break(unsigned long pfn)
{
	u64 *word = kmap_local_page(pfn_to_page(pfn));

	word[CANARY_WORDS / 2] ^= BIT_ULL(17);
	kunmap_local(word);
}

/**
 * fo_canary_intact() - does the page hold what fo_canary_fill() wrote?
 * @pfn: the page, in an online block
 *
 * Not for KASAN: a withheld page has never been through the page allocator
 * since its block came online, so its shadow says nothing.
 *
 * Context: any.
 * Return: whether it does.
 */
__no_sanitize_address bool fo_canary_intact(unsigned long pfn)
{
	u64 *word = kmap_local_page(pfn_to_page(pfn));
	bool intact = true;
	unsigned int i;

	for (i = 0; intact && i < CANARY_WORDS; i++)
		intact = word[i] == canary_word(pfn, i);
	kunmap_local(word);
	return intact;
}
