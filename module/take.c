// SPDX-License-Identifier: GPL-2.0
/*
 * Taking pages from the kernel, and returning them.
 *
 * fo_take() is alloc_contig_range(), marking, and taking the pages out of the
 * managed pages (MemTotal); fo_give_back() is the reverse. The present pages
 * never change with a mark.
 *
 * Pages are returned by generic_online_page(), as after onlining: it frees
 * whole chunks of an order instead of page by page, it is what pages need that
 * were withheld and never seen by the buddy, and it adds them to the managed
 * pages.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/ioport.h>
#include <linux/log2.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include <linux/fake_offline.h>

#include "block_pfn.h"
#include "compat.h"
#include "gate.h"
#include "inject.h"
#include "log.h"
#include "page_state.h"
#include "stats.h"
#include "take.h"

/*
 * Short pins and per-CPU lists let alloc_contig_range() fail for a moment, and
 * on a busy machine the task that holds such a page may have to wait for its
 * CPU. The pauses between tries double, from a millisecond: half a second in
 * all.
 */
#define FO_TAKE_TRIES	10

/* The last PFN up to @last in the memory block of @first. */
static unsigned long last_in_block(unsigned long first, unsigned long last)
{
	return min(last, fo_block_last(fo_block_of(first)));
}

/**
 * fo_span_last() - the end of what can be treated as one
 * @first: first PFN, of an online block
 * @last: last PFN
 *
 * Return: the last PFN up to @last in the memory block and the zone of @first.
 */
unsigned long fo_span_last(unsigned long first, unsigned long last)
{
	struct zone *zone = page_zone(pfn_to_page(first));
	unsigned long pfn;

	last = last_in_block(first, last);
	if (page_zone(pfn_to_page(last)) == zone)
		return last;
	/* A block of boot memory that several zones share. */
	for (pfn = first; page_zone(pfn_to_page(pfn + 1)) == zone; pfn++)
		;
	return pfn;
}

/**
 * fo_check_online() - is there online memory at each of these pages?
 * @first: first PFN
 * @last: last PFN
 *
 * Memory comes and goes by sub-sections at the finest, which are as large as a
 * page block or larger.
 *
 * Context: holds the gate's lock, which keeps the answer true.
 * Return: 0, -ENXIO where there is no RAM, -ENODEV where it is offline.
 */
int fo_check_online(unsigned long first, unsigned long last)
{
	unsigned long pfn = first;

	for (;;) {
		if (!pfn_to_online_page(pfn))
			return page_is_ram(pfn) ? -ENODEV : -ENXIO;
		if (pfn == last)
			return 0;
		pfn = min(last, (pfn | (pageblock_nr_pages - 1)) + 1);
	}
}

static bool isolated(unsigned long first, unsigned long last, bool all)
{
	unsigned long pfn;

	for (pfn = first; pfn <= last;
	     pfn = (pfn | (pageblock_nr_pages - 1)) + 1)
		if (compat_is_isolated(pfn) != all)
			return !all;
	return all;
}

/**
 * fo_any_isolated() - is a page block there isolated by somebody?
 * @first: first PFN
 * @last: last PFN, in online blocks
 *
 * Context: any.
 * Return: whether one is.
 */
bool fo_any_isolated(unsigned long first, unsigned long last)
{
	return isolated(first, last, false);
}

/**
 * fo_all_isolated() - is each page block there isolated?
 * @first: first PFN
 * @last: last PFN, in online blocks
 *
 * Context: any.
 * Return: whether each is.
 */
bool fo_all_isolated(unsigned long first, unsigned long last)
{
	return isolated(first, last, true);
}

/* Is the reason for -EBUSY that a part of it is a hole in a block's RAM? */
static int why_busy(unsigned long first, unsigned long last)
{
	unsigned long pfn;

	for (pfn = first; pfn <= last; pfn++)
		if (PageReserved(pfn_to_page(pfn)) && !page_is_ram(pfn))
			return -ENXIO;
	return -EBUSY;
}

/* For the log: what is in the way. It may have gone by now. */
static void report_busy(unsigned long first, unsigned long last)
{
	unsigned long pfn;

	for (pfn = first; pfn <= last; pfn++) {
		struct page *page = pfn_to_page(pfn);
		int count = page_ref_count(page);

		if (!count)
			continue;
		fo_log("PFN %#lx could not be freed: %d references, %pGp\n",
		       pfn, count, compat_page_flags(page));
		return;
	}
	fo_log("PFN %#lx-%#lx could not be freed, and are free now\n",
	       first, last);
}

/* Allocates [@first, @last], one zone's. Inverse: put_pages_singly(). */
static int allocate(unsigned long first, unsigned long last, bool persist)
{
	unsigned int tries = persist ? FO_TAKE_TRIES : 1;
	unsigned int pause_ms = 1;
	int ret = -EBUSY;

	while (ret == -EBUSY && tries--) {
		if (signal_pending(current))
			return -EINTR;
		/*
		 * When alloc_contig_range() finds a page block isolated, it
		 * fails, and takes away the isolation that is not its own: an
		 * offlining that has not been announced yet would then migrate
		 * for ever. See also going_offline().
		 */
		if (!fo_any_isolated(first, last))
			ret = compat_alloc_contig(first, last + 1,
						  GFP_KERNEL | __GFP_NOWARN);
		if (ret == -EBUSY && tries) {
			msleep_interruptible(pause_ms);
			pause_ms *= 2;
		}
	}
	if (ret == -EBUSY && persist)
		report_busy(first, last);
	return ret == -EBUSY ? why_busy(first, last) : ret;
}

/*
 * Drops our reference to pages that were not marked, one by one: where somebody
 * else has another, the last put frees. free_contig_range() would warn.
 */
static void put_pages_singly(unsigned long first, unsigned long last)
{
	unsigned long pfn;

	for (pfn = first; pfn <= last; pfn++)
		__free_page(pfn_to_page(pfn));
}

/*
 * Allocated pages become marked ones. Inverse: give_back_span(). On failure, they
 * are not marked, and one reference to each is ours: put_pages_singly().
 */
static int mark_allocated(unsigned long first, unsigned long last,
			  unsigned int flags)
{
	int ret;

	if (flags & FAKE_OFFLINE_CANARY)
		fo_canary_fill(first, last);
	ret = fo_pages_mark(first, last, flags & FAKE_OFFLINE_SKIPPABLE);
	if (!ret)
		adjust_managed_page_count(pfn_to_page(first),
					  -(long)(last - first + 1));
	else if (flags & FAKE_OFFLINE_CANARY)
		fo_canary_wipe(first, last);
	return ret;
}

/* One zone's part of fo_take(). Inverse: give_back_span(). */
static int take_span(unsigned long first, unsigned long last,
		     unsigned int flags, bool persist)
{
	struct page *stray = NULL;	/* somebody's, for a failure on demand */
	int ret;

	ret = allocate(first, last, persist);
	if (ret)
		return ret;
	if (fo_inject(FO_INJECT_MARK_STRAY, first, last)) {
		stray = pfn_to_page(last);
		page_ref_inc(stray);
	}
	ret = mark_allocated(first, last, flags);
	if (stray)
		page_ref_dec(stray);
	if (ret) {
		fo_stat_inc(FO_STAT_STRAY_REFERENCES);
		put_pages_singly(first, last);
	}
	return ret;
}

/**
 * fo_to_buddy() - hand pages to the buddy allocator
 * @first: first PFN
 * @last: last PFN, in the same memory block and zone
 *
 * In chunks as large as their alignment allows, as online_pages() does it.
 * They become managed pages.
 *
 * Context: any. The pages are as generic_online_page() expects them.
 */
void fo_to_buddy(unsigned long first, unsigned long last)
{
	const unsigned int max_order = ilog2(MAX_ORDER_NR_PAGES);
	unsigned long pfn = first;

	while (pfn <= last) {
		unsigned int order = min_t(unsigned int, max_order,
					   ilog2(last - pfn + 1));

		if (pfn)
			order = min_t(unsigned int, order, __ffs(pfn));
		generic_online_page(pfn_to_page(pfn), order);
		pfn += 1UL << order;
	}
}

/* A page that generic_online_page() must not have: the last put decides. */
static void put_single(struct page *page)
{
	adjust_managed_page_count(page, 1);
	/* As memory_failure() does, keep the reference: unpoisoning drops it. */
	if (!PageHWPoison(page))
		__free_page(page);
}

/* One zone's part of fo_give_back(). Inverse: take_span(). */
static void give_back_span(unsigned long first, unsigned long last)
{
	unsigned long pfn = first, nr;

	while (pfn <= last) {
		nr = fo_pages_make_free(pfn, last);
		if (nr)
			fo_to_buddy(pfn, pfn + nr - 1);
		pfn += nr;
		if (pfn <= last)
			put_single(pfn_to_page(pfn++));
	}
}

/**
 * fo_give_back() - return marked pages to the buddy allocator
 * @first: first PFN
 * @last: last PFN
 * @flags: FAKE_OFFLINE_CANARY if they hold one
 *
 * Pages in offline blocks are passed over: they come back with their block.
 *
 * Context: sleeps. The caller keeps the blocks from going off- or online.
 * Inverse: fo_take().
 */
void fo_give_back(unsigned long first, unsigned long last, unsigned int flags)
{
	unsigned long pfn, end;

	for (pfn = first; pfn <= last; pfn = end + 1) {
		if (!pfn_to_online_page(pfn)) {
			end = last_in_block(pfn, last);
			continue;
		}
		end = fo_span_last(pfn, last);
		if (flags & FAKE_OFFLINE_CANARY)
			fo_canary_wipe(pfn, end);
		give_back_span(pfn, end);
		cond_resched();
	}
}

/**
 * fo_set_skippable() - change the skippable bit of marked pages
 * @first: first PFN
 * @last: last PFN
 * @skippable: what they are to be; they are the other
 *
 * Pages in offline blocks are passed over: the hook makes them what they are to
 * be when their block comes online.
 *
 * Context: sleeps. The caller keeps the blocks from going off- or online.
 * Return: 0, or -EBUSY with nothing changed.
 */
int fo_set_skippable(unsigned long first, unsigned long last, bool skippable)
{
	unsigned long pfn, end;
	int ret = 0;

	for (pfn = first; pfn <= last; pfn = end + 1) {
		end = last_in_block(pfn, last);
		if (!pfn_to_online_page(pfn))
			continue;
		ret = fo_pages_set_skippable(pfn, end, skippable);
		if (ret)
			break;
		cond_resched();
	}
	if (ret && pfn > first)
		WARN_ON_ONCE(fo_set_skippable(first, pfn - 1, !skippable));
	return ret;
}

/**
 * fo_take() - take pages from the kernel and mark them
 * @first: first PFN
 * @last: last PFN
 * @flags: FAKE_OFFLINE_SKIPPABLE, FAKE_OFFLINE_CANARY
 * @persist: try again if pages are busy; they may be so for a moment
 *
 * Context: sleeps, holds no lock. All in online blocks, which the caller keeps
 * so. Inverse: fo_give_back().
 * Return: 0, or with nothing taken: -EBUSY, -ENXIO (a hole in a block's RAM),
 * -ENOMEM, -EINTR.
 */
int fo_take(unsigned long first, unsigned long last, unsigned int flags,
	    bool persist)
{
	unsigned long pfn, end;
	int ret;

	for (pfn = first; pfn <= last; pfn = end + 1) {
		end = fo_span_last(pfn, last);
		ret = take_span(pfn, end, flags, persist);
		if (ret) {
			if (pfn > first)
				fo_give_back(first, pfn - 1, flags);
			return ret;
		}
		cond_resched();
	}
	if ((flags & FAKE_OFFLINE_CANARY) && fo_inject(FO_INJECT_MARK_CORRUPT, first, last))
		fo_canary_break(last);
	return 0;
}

/*
 * Allocated pages that nobody wants: straight to the buddy, in chunks. A put of
 * each would leave them on a CPU's list, single, where nobody finds them free.
 */
static void return_allocated(unsigned long first, unsigned long last)
{
	if (mark_allocated(first, last, FAKE_OFFLINE_SKIPPABLE))
		put_pages_singly(first, last);
	else
		give_back_span(first, last);
}

/**
 * fo_take_together() - fo_take() for several pieces, in one allocation
 * @pieces: ascending, all in one page block and one zone
 * @nr: number of pieces
 *
 * What is between them is allocated, too, and given back at once. It is tried
 * once. Failures on demand are not looked for.
 *
 * Context: as fo_take(). Inverse: fo_give_back() of each piece.
 * Return: 0, or with nothing taken: -EBUSY, -ENXIO, -ENOMEM, -EINTR.
 */
int fo_take_together(const struct fo_piece *pieces, unsigned int nr)
{
	unsigned int i, marked = 0;
	int ret;

	ret = allocate(pieces[0].first, pieces[nr - 1].last, false);
	if (ret)
		return ret;
	for (i = 0; i < nr; i++) {
		const struct fo_piece *p = &pieces[i];

		if (i && p[-1].last + 1 < p->first)
			return_allocated(p[-1].last + 1, p->first - 1);
		if (ret) {
			return_allocated(p->first, p->last);
			continue;
		}
		ret = mark_allocated(p->first, p->last, p->flags);
		if (ret)
			put_pages_singly(p->first, p->last);
		else
			marked++;
	}
	while (ret && marked--)
		fo_give_back(pieces[marked].first, pieces[marked].last,
			     pieces[marked].flags);
	cond_resched();
	return ret;
}

/* Is it worth a try? Asks for the first and the last page only. */
static bool candidate(struct zone *zone, unsigned long first, unsigned long last)
{
	struct page *a, *b;
	bool ret;

	/* A piece in two blocks is two pieces. */
	if (last_in_block(first, last) != last)
		return false;
	mutex_lock(&fo_gate);
	a = pfn_to_online_page(first);
	b = pfn_to_online_page(last);
	ret = a && b && page_zone(a) == zone && page_zone(b) == zone &&
	      !PageOffline(a) && !PageReserved(a) &&
	      !PageOffline(b) && !PageReserved(b);
	mutex_unlock(&fo_gate);
	return ret;
}

/*
 * Tries pieces of @size pages at every multiple of @stride, from the top of
 * the zone: hot-added memory lies there, and boot memory is left in one piece.
 */
static int find_pieces(struct zone *zone, unsigned long size,
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
		if (candidate(zone, pfn, pfn + size - 1)) {
			ret = try(pfn, pfn + size - 1, arg);
			if (!ret)
				*need -= size;
			else if (ret == -EINTR || ret == -ENOMEM ||
				 ret == -ENOSPC)
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

/* Takes from one zone what it has, in as few pieces as possible. */
static int find_in_zone(struct zone *zone, unsigned long *need, fo_try_fn try,
			void *arg)
{
	unsigned long size = min(*need, fo_block_pages());
	int ret = 0;

	while (!ret && *need) {
		size = min(size, *need);
		/* Each page block is in one piece, so it fails once a size. */
		ret = find_pieces(zone, size, stride_of(size), need, try, arg);
		if (size > 1) {
			size = DIV_ROUND_UP(size, 2);
			continue;
		}
		/* Last resort: single pages between those in use. */
		if (!ret && *need)
			ret = find_pieces(zone, 1, 1, need, try, arg);
		break;
	}
	return ret;
}

static bool zone_wanted(struct zone *zone, const char *name)
{
	if (!populated_zone(zone))
		return false;
	if (name)
		return !strcasecmp(zone->name, name);
	return strcasecmp(zone->name, "DMA");
}

/**
 * fo_find() - find so many pages, anywhere
 * @nr_pages: number of pages
 * @nid: NUMA node, or NUMA_NO_NODE
 * @zone: name of the zone, or NULL for any but DMA
 * @try: takes a range, returns 0 or an error
 * @arg: passed to @try
 *
 * The highest zones come first: ZONE_MOVABLE, then ZONE_NORMAL.
 *
 * Context: sleeps, holds no lock.
 * Return: 0; -ENXIO without such a node or zone; -ENOSPC when there are not
 * that many pages; or the error of @try that ended the search. What @try took
 * stays taken.
 */
int fo_find(unsigned long nr_pages, int nid, const char *zone, fo_try_fn try,
	    void *arg)
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
	if (!ret && need)
		ret = -ENOSPC;
	return ret;
}
