// SPDX-License-Identifier: GPL-2.0
/*
 * Taking single free pages from the free lists of the buddy allocator.
 *
 * Outside ZONE_MOVABLE, alloc_contig_range() refuses every page of a page block
 * that holds one unmovable page. A free page there can only come from the free
 * list that it is on. Nothing exported takes a page by its PFN, but the page
 * allocator empties one list before it goes to the next: an allocation of order k
 * for a migratetype takes the first chunk of that list, for as long as it has one.
 * So this file reads the order and the migratetype of the free chunk that the
 * wanted page lies in, allocates chunks of just this kind until the wanted one
 * comes, and gives back the others. A list is as long as the zone is fragmented at
 * this order, which is short next to the zone.
 *
 * The number of chunks, and of pages, is limited. The zone keeps its floor
 * meanwhile.
 */
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>

#include "buddy.h"
#include "compat.h"
#include "floor.h"
#include "freelist.h"
#include "transfer.h"

/* A list with more chunks is not searched. */
#define FO_LIST_CHUNKS		65536
/* Chunks that other tasks may free meanwhile, or that are on per-CPU lists. */
#define FO_LIST_SLACK		2048
/* Chunks that may be allocated before a wanted one that is on this CPU's list. */
#define FO_LIST_GRACE		512
/* How often the search begins again because the wanted page is in another chunk. */
#define FO_LIST_TRIES		3

/* Allocates from the free list that the page block of @pfn is on. 0: impossible. */
static gfp_t gfp_of(unsigned long pfn)
{
	gfp_t gfp = __GFP_THISNODE | __GFP_NOWARN | __GFP_NORETRY |
		    __GFP_NOMEMALLOC;

	switch (page_zonenum(pfn_to_page(pfn))) {
#ifdef CONFIG_ZONE_DMA
	case ZONE_DMA:
		gfp |= __GFP_DMA;
		break;
#endif
#ifdef CONFIG_ZONE_DMA32
	case ZONE_DMA32:
		gfp |= __GFP_DMA32;
		break;
#endif
	case ZONE_NORMAL:
		break;
	default:
		return 0;
	}
	switch (compat_migratetype(pfn)) {
	case MIGRATE_UNMOVABLE:
		return gfp;
	case MIGRATE_MOVABLE:
		return gfp | __GFP_MOVABLE;
	case MIGRATE_RECLAIMABLE:
		return gfp | __GFP_RECLAIMABLE;
	default:
		return 0;
	}
}

static bool on_free_list(struct page *page, unsigned int order)
{
	return PageBuddy(page) && READ_ONCE(page_private(page)) == order;
}

/*
 * Held around a search, so that two searches do not use the same room above the floor.
 */
static DEFINE_MUTEX(search_lock);

/* Allocates the free chunk at @head, of that order. Holds search_lock. */
static int take_chunk(unsigned long head, unsigned int order)
{
	struct page *want = pfn_to_page(head), *page, *next;
	struct zone *zone = page_zone(want);
	unsigned int grace = FO_LIST_GRACE;
	unsigned long left, room;
	gfp_t gfp = gfp_of(head);
	int ret = -EBUSY;
	LIST_HEAD(others);

	left = READ_ONCE(zone->free_area[order].nr_free) + FO_LIST_SLACK;
	room = fo_floor_room(zone) >> order;
	if (!gfp || left > FO_LIST_CHUNKS)
		return -EBUSY;
	for (left = min(left, room); left; left--) {
		/*
		 * It has become a part of a larger chunk, is allocated, or is
		 * on a per-CPU list by way of an allocation of this loop.
		 */
		if (!on_free_list(want, order) &&
		    (page_ref_count(want) || !grace--)) {
			ret = -EAGAIN;
			break;
		}
		page = alloc_pages_node(zone_to_nid(zone), gfp, order);
		if (page == want) {
			ret = 0;
			break;
		}
		if (page)
			list_add(&page->lru, &others);
		if (!page || page_zone(page) != zone)
			break;
		if (signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		if (!(left % 256))
			cond_resched();
	}
	/*
	 * Not fo_return_allocated(): nothing keeps their blocks online. Small ones go to
	 * a per-CPU list.
	 */
	list_for_each_entry_safe(page, next, &others, lru)
		__free_pages(page, order);
	if (!ret)
		split_page(want, order);
	return ret;
}

/*
 * Makes pages that take_chunk() has allocated as compat_alloc_contig() would leave them.
 * Return: whether no other task has a reference. If one has, all are freed.
 */
static bool freeze(struct pfn_range pfns)
{
	unsigned long pfn;

	for (pfn = pfns.first; !COMPAT_TAKEN_COUNT && pfn <= pfns.last; pfn++) {
		if (page_ref_freeze(pfn_to_page(pfn), 1))
			continue;
		fo_put_singly(PFN_RANGE(pfn, pfns.last));
		fo_return_allocated(pfns_until(pfns.first, pfn));
		return false;
	}
	return true;
}

/*
 * In chunks: single pages would stay on a per-CPU list, and be refused when they are
 * wanted next.
 */
static void give_back(struct pfn_range pfns)
{
	if (freeze(pfns))
		fo_return_allocated(pfns);
}

/*
 * Takes the chunk that the first page lies in, and frees the rest of it.
 * Return: the PFN behind the chunk, or a negative errno.
 */
static long take_around(struct pfn_range pfns)
{
	unsigned int tries, order;
	unsigned long head, end;
	int ret = -EAGAIN;

	for (tries = 0; ret == -EAGAIN && tries < FO_LIST_TRIES; tries++) {
		if (!fo_free_chunk(pfns.first, &head, &order))
			return -EBUSY;
		if (mutex_lock_interruptible(&search_lock))
			return -EINTR;
		ret = take_chunk(head, order);
		mutex_unlock(&search_lock);
	}
	if (ret)
		return ret == -EAGAIN ? -EBUSY : ret;
	end = head + (1UL << order);
	give_back(pfns_until(head, pfns.first));
	give_back(pfns_until(pfns.last + 1, end));
	return min(end, pfns.last + 1);
}

/**
 * fo_freelist_take() - allocate free pages beside pages that cannot move
 * @pfns: in one page block
 *
 * Context: sleeps. The caller keeps the block online. Inverse: as for
 * compat_alloc_contig().
 * Return: 0, and the pages' reference count is COMPAT_TAKEN_COUNT. With nothing
 * taken: -EBUSY: the pages are not all free, or did not come; -EINTR.
 */
int fo_freelist_take(struct pfn_range pfns)
{
	unsigned long pfn, head;
	unsigned int order;
	long next;

	if (pageblocks_of(pfns).last - pageblocks_of(pfns).first >=
	    pageblock_nr_pages || !gfp_of(pfns.first))
		return -EBUSY;
	/* All of them, or the effort is wasted. */
	for (pfn = pfns.first; pfn <= pfns.last; pfn = head + (1UL << order))
		if (!fo_free_chunk(pfn, &head, &order) ||
		    order >= pageblock_order)
			return -EBUSY;
	for (pfn = pfns.first; pfn <= pfns.last; pfn = next) {
		next = take_around(PFN_RANGE(pfn, pfns.last));
		if (next < 0) {
			give_back(pfns_until(pfns.first, pfn));
			return next;
		}
	}
	return freeze(pfns) ? 0 : -EBUSY;
}
