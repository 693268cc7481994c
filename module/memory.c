// SPDX-License-Identifier: GPL-2.0
/* The kind of memory at a PFN: online, offline, absent, or none for this module. */
#include <linux/ioport.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/range.h>

#include "memory.h"
#include "page_state.h"
#include "pages.h"

/* ZONE_DEVICE memory has a memmap, but is no RAM in the resource tree. */
static enum fo_memory memory_of(unsigned long pfn)
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
	if (pfn_to_online_page(fo_block_pfns(fo_block_of(pfn)).first))
		return FO_MEMORY_HOLE;
	return PFN_PHYS(pfn) >= pluggable.start &&
	       PFN_PHYS(pfn) <= pluggable.end ? FO_MEMORY_ABSENT :
						FO_MEMORY_NEVER;
}

/* Does the sub-section, or page block, at @pfn have the same kind of memory? */
static bool goes_on(unsigned long pfn, enum fo_memory memory)
{
	if (memory == FO_MEMORY_ONLINE || memory == FO_MEMORY_RETIRED)
		return pfn_to_online_page(pfn);
	return memory_of(pfn) == memory;
}

/**
 * fo_memory_at() - what memory is at a PFN, and how far it reaches
 * @pfns: from where; cut to what has the same kind of memory, in one memory block
 *	and, for online pages, in one zone
 *
 * Memory comes and goes by sub-sections at the finest.
 *
 * Context: holds fo_lock, which keeps the memmap of an online block valid.
 * Return: the memory.
 */
enum fo_memory fo_memory_at(struct pfn_range *pfns)
{
	const unsigned long step = min(PAGES_PER_SUBSECTION, pageblock_nr_pages);
	enum fo_memory memory = memory_of(pfns->first);
	unsigned long next;

	*pfns = fo_in_first_block(*pfns);
	for (next = (pfns->first | (step - 1)) + 1; next <= pfns->last;
	     next += step)
		if (!goes_on(next, memory))
			pfns->last = next - 1;
	if (memory != FO_MEMORY_ONLINE && memory != FO_MEMORY_RETIRED)
		return memory;
	*pfns = fo_in_first_zone(*pfns);
	for_each_pfn(next, *pfns)
		if (fo_page_is_retired(pfn_to_page(next)) !=
		    (memory == FO_MEMORY_RETIRED))
			pfns->last = next - 1;
	return memory;
}
