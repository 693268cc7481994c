// SPDX-License-Identifier: GPL-2.0
/*
 * Finding pages for a request that does not say which: as few ranges as possible,
 * the highest zones first.
 */
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/sched/signal.h>

#include <linux/fake_offline.h>

#include "find.h"
#include "lock.h"

/* Is the range worth a try? Only its first and last pages are checked. */
static bool candidate(struct zone *zone, struct pfn_range pfns)
{
	struct page *a, *b;
	bool ret;

	/* Pages in two blocks are two ranges. */
	if (fo_block_of(pfns.first) != fo_block_of(pfns.last))
		return false;
	mutex_lock(&fo_lock);
	a = pfn_to_online_page(pfns.first);
	b = pfn_to_online_page(pfns.last);
	ret = a && b && page_zone(a) == zone && page_zone(b) == zone &&
	      !PageOffline(a) && !PageReserved(a) &&
	      !PageOffline(b) && !PageReserved(b);
	mutex_unlock(&fo_lock);
	return ret;
}

/*
 * Tries ranges of @size pages at every multiple of @stride, from the top of
 * the zone, because hot-added memory lies there, and boot memory stays contiguous.
 */
static int find_ranges(struct zone *zone, unsigned long size,
		       unsigned long stride, unsigned long *need, fo_try_fn try,
		       void *arg)
{
	unsigned long start = zone->zone_start_pfn;
	unsigned long pfn = zone_end_pfn(zone);
	int ret;

	if (pfn - start < size)
		return 0;
	for (pfn = round_down(pfn - size, stride);
	     *need >= size && pfn >= start; pfn -= stride) {
		if (signal_pending(current))
			return -EINTR;
		if (candidate(zone, pfns_until(pfn, pfn + size))) {
			ret = try(pfns_until(pfn, pfn + size), arg);
			if (!ret)
				*need -= size;
			else if (ret == -ENOSPC)
				return 0;	/* fewer pages may be available */
			else if (ret == -EINTR || ret == -ENOMEM ||
				 ret == -ECANCELED)
				return ret;
		}
		if (pfn < stride)
			break;
		cond_resched();
	}
	return 0;
}

/* A power of two, since positions are rounded to it; at least a page block. */
static unsigned long stride_of(unsigned long size)
{
	return max(roundup_pow_of_two(size), pageblock_nr_pages);
}

/* Takes from one zone what it has, in as few ranges as possible. */
static int find_in_zone(struct zone *zone, unsigned long *need, fo_try_fn try,
			void *arg)
{
	unsigned long size = min(*need, fo_block_pages());
	int ret = 0;

	while (!ret && *need) {
		size = min(size, *need);
		/* find_ranges() tries each candidate of this size once. */
		ret = find_ranges(zone, size, stride_of(size), need, try, arg);
		if (size > 1) {
			size = DIV_ROUND_UP(size, 2);
			continue;
		}
		/* Last resort: single pages between those in use. */
		if (!ret && *need)
			ret = find_ranges(zone, 1, 1, need, try, arg);
		break;
	}
	return ret;
}

static bool zone_wanted(struct zone *it, int zone)
{
	if (!populated_zone(it))
		return false;
#ifdef CONFIG_ZONE_DMA
	if (zone == FAKE_OFFLINE_ANY_ZONE)
		return zone_idx(it) != ZONE_DMA;
#endif
	return zone == FAKE_OFFLINE_ANY_ZONE || zone_idx(it) == zone;
}

/**
 * fo_find() - find so many pages, anywhere
 * @nr_pages: number of pages
 * @nid: NUMA node, or NUMA_NO_NODE
 * @zone: an enum zone_type, or FAKE_OFFLINE_ANY_ZONE
 * @try: takes a range, returns 0 or an error
 * @arg: passed to @try
 *
 * The highest zones come first: ZONE_MOVABLE, then ZONE_NORMAL. If @try returns
 * -ENOSPC, fewer pages of that zone are tried, and then the next zone.
 *
 * Context: sleeps, holds no lock.
 * Return: 0; -ENXIO without such a node or zone; -ENOSPC when there are not
 * that many pages; or the error of @try that ended the search. Pages that @try
 * took stay taken.
 */
int fo_find(unsigned long nr_pages, int nid, int zone, fo_try_fn try, void *arg)
{
	unsigned long need = nr_pages;
	bool found = false;
	int n, z, ret = 0;

	for (z = MAX_NR_ZONES - 1; !ret && need && z >= 0; z--) {
		for_each_online_node(n) {
			struct zone *it = &NODE_DATA(n)->node_zones[z];

			if ((nid != NUMA_NO_NODE && nid != n) ||
			    !zone_wanted(it, zone))
				continue;
			found = true;
			ret = find_in_zone(it, &need, try, arg);
			if (ret || !need)
				break;
		}
	}
	if (!found)
		return -ENXIO;
	return !ret && need ? -ENOSPC : ret;
}
