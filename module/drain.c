// SPDX-License-Identifier: GPL-2.0
/*
 * Taking pages that may be on a per-CPU list.
 *
 * A free page on such a list looks like memory of the kernel that has no type. It is in
 * no free chunk, and has no reference. Of the functions that the kernel exports, only
 * alloc_contig_range() drains the lists of all CPUs. So this file calls it.
 */
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/sched/signal.h>

#include "buddy.h"
#include "compat.h"
#include "drain.h"
#include "lock.h"
#include "ranges.h"
#include "take.h"
#include "transfer.h"

/* To drain the per-CPU lists, so many page blocks are looked at, and so many tried. */
#define FO_DRAIN_LOOKS	4096
#define FO_DRAIN_TRIES	64

/* A free page of this page block, or -1. */
static long free_page_in(struct zone *zone, struct pfn_range block)
{
	unsigned long pfn;
	long found = -1;

	mutex_lock(&fo_lock);
	if (pfn_to_online_page(block.first) && pfn_to_online_page(block.last))
		for_each_pfn(pfn, block)
			if (page_zone(pfn_to_page(pfn)) == zone &&
			    fo_skip_free(pfn) != pfn) {
				found = pfn;
				break;
			}
	mutex_unlock(&fo_lock);
	return found;
}

/*
 * alloc_contig_range() of this free page, which goes back at once. It is no mark, so
 * nothing counts, traces or injects it. While its record is in the tree, no hotplug
 * operation and no other request works there.
 */
static bool drain_by(const struct fo_take *t, unsigned long pfn)
{
	struct pfn_range page = PFN_RANGE(pfn, pfn), block = pageblocks_of(page);
	struct fo_range *r = fo_range_alloc(page, 0, GFP_KERNEL);
	bool done = false;

	if (!r || fo_lock_ranges(&block, 1, FO_DONT_WAIT, &t->abort)) {
		fo_range_free(r);
		return false;
	}
	if (pfn_to_online_page(pfn) && !fo_ranges_first(page) &&
	    !fo_any_isolated(block)) {
		r->client = t->client;
		fo_ranges_insert(r, FO_RANGE_TAKING);
		mutex_unlock(&fo_lock);
		done = !compat_alloc_contig(pfn, pfn + 1,
					    GFP_KERNEL | __GFP_NOWARN);
		if (done)
			fo_return_allocated(page);
		mutex_lock(&fo_lock);
		fo_ranges_erase(r);
	}
	mutex_unlock(&fo_lock);
	fo_range_free(r);
	return done;
}

/*
 * Moves the free pages of a zone from the per-CPU lists to the buddy allocator.
 * alloc_contig_range() drains these lists once it has isolated its page blocks. So
 * this needs one page, of a page block that can be isolated. The page is free, so that
 * nothing is migrated for it.
 */
static bool drain_cpu_lists(const struct fo_take *t, struct zone *zone)
{
	unsigned int looks = FO_DRAIN_LOOKS, tries = FO_DRAIN_TRIES;
	unsigned long pfn = zone_end_pfn(zone) - 1;
	struct pfn_range block;
	long found;

	for (; looks && tries && pfn >= zone->zone_start_pfn; looks--) {
		block = pageblocks_of(PFN_RANGE(pfn, pfn));
		found = free_page_in(zone, block);
		if (found >= 0 && drain_by(t, found))
			return true;
		tries -= found >= 0;
		if (signal_pending(current) || !block.first)
			break;
		pfn = block.first - 1;
		cond_resched();
	}
	return false;
}

/**
 * fo_take_and_drain() - take one range; drain the per-CPU lists if that may help
 * @t: the call
 * @r: a fresh record of the pages, which is freed or becomes the tree's. It may
 *	become shorter
 *
 * If a page may be on a per-CPU list, these lists are drained and it is tried again.
 * The search of freelist.c can bring a page to such a list. So they are drained once
 * more after it, and then the failure is explained without a try.
 *
 * Context: sleeps, holds nothing. Inverse: fo_take_undo().
 * Return: as fo_take_ranges().
 */
int fo_take_and_drain(struct fo_take *t, struct fo_range *r)
{
	unsigned int one = 1, tries = t->tries, drains = 0;
	int ret;

	t->drained = t->wait == FO_DONT_WAIT ? FO_CANNOT_DRAIN : FO_MAY_DRAIN;
	for (;;) {
		ret = fo_take_ranges(t, &r, &one);
		if (ret != -EAGAIN || t->drained != FO_MAY_DRAIN)
			break;
		if (!drain_cpu_lists(t, t->zone))
			t->drained = FO_CANNOT_DRAIN;
		else if (drains++)
			t->drained = FO_DRAINED;
		if (t->drained != FO_MAY_DRAIN)
			t->tries = 0;
	}
	t->tries = tries;
	fo_range_free(r);
	return ret;
}
