// SPDX-License-Identifier: GPL-2.0
/* What memory is at a PFN: online, offline, absent, or none for this module. */
#include <linux/ioport.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/range.h>

#include "block_pfn.h"
#include "memory.h"
#include "page_state.h"
#include "pages.h"

/**
 * fo_memory_at() - what memory is at a PFN
 * @pfn: any PFN
 *
 * ZONE_DEVICE memory has a memmap, but is no RAM in the resource tree.
 *
 * Context: holds fo_lock, which keeps an online block online.
 * Return: the memory.
 */
enum fo_memory fo_memory_at(unsigned long pfn)
{
	struct range pluggable = mhp_get_pluggable_range(true);
	struct page *page = pfn_to_online_page(pfn);

	if (page)
		return fo_page_is_retired(page) ? FO_MEMORY_RETIRED :
						  FO_MEMORY_ONLINE;
	if (page_is_ram(pfn))
		return FO_MEMORY_OFFLINE;
	if (pfn_valid(pfn))
		return FO_MEMORY_DEVICE;
	if (pfn_to_online_page(fo_block_first(fo_block_of(pfn))))
		return FO_MEMORY_HOLE;
	return PFN_PHYS(pfn) >= pluggable.start &&
	       PFN_PHYS(pfn) <= pluggable.end ? FO_MEMORY_ABSENT :
						FO_MEMORY_NEVER;
}

/* The last PFN up to @last with pages that are retired, or are not. */
static unsigned long last_alike(unsigned long first, unsigned long last,
				bool retired)
{
	unsigned long pfn = first;

	while (pfn < last &&
	       fo_page_is_retired(pfn_to_page(pfn + 1)) == retired)
		pfn++;
	return pfn;
}

/**
 * fo_memory_last() - how far the same memory reaches
 * @first: first PFN
 * @last: last PFN
 * @memory: what fo_memory_at() said of @first
 *
 * Memory comes and goes by sub-sections at the finest.
 *
 * Context: holds fo_lock.
 * Return: the last PFN up to @last in the memory block of @first, for online pages
 * also in its zone, that has memory of the same kind.
 */
unsigned long fo_memory_last(unsigned long first, unsigned long last,
			     enum fo_memory memory)
{
	const unsigned long step = min(PAGES_PER_SUBSECTION, pageblock_nr_pages);
	unsigned long pfn = first, next;

	last = min(last, fo_block_last(fo_block_of(first)));
	if (memory != FO_MEMORY_ONLINE && memory != FO_MEMORY_RETIRED) {
		while ((next = (pfn | (step - 1)) + 1) <= last &&
		       fo_memory_at(next) == memory)
			pfn = next;
		return min(last, pfn | (step - 1));
	}
	while ((next = (pfn | (step - 1)) + 1) <= last &&
	       pfn_to_online_page(next))
		pfn = next;
	last = fo_zone_last(first, min(last, pfn | (step - 1)));
	return last_alike(first, last, memory == FO_MEMORY_RETIRED);
}
