// SPDX-License-Identifier: GPL-2.0
/*
 * Taking pages from the kernel, and giving them back.
 *
 * fo_pages_take() allocates pages, marks them, and takes them out of the managed
 * pages (MemTotal). fo_pages_give_back() is the reverse. The present pages never
 * change with a mark.
 *
 * Pages are given back by generic_online_page(), as after onlining. It frees
 * chunks of an order instead of single pages, it suits pages that were withheld
 * and that the buddy allocator has never seen, and it adds them to the managed
 * pages.
 */
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include <linux/fake_offline_test.h>

#include "block_pfn.h"
#include "canary.h"
#include "compat.h"
#include "freelist.h"
#include "inject.h"
#include "page_state.h"
#include "pages.h"
#include "reason.h"
#include "stats.h"

/**
 * fo_zone_last() - the end of what can be treated as one
 * @first: first PFN, of an online block
 * @last: last PFN
 *
 * Return: the last PFN up to @last in the memory block and the zone of @first.
 */
unsigned long fo_zone_last(unsigned long first, unsigned long last)
{
	struct zone *zone = page_zone(pfn_to_page(first));
	unsigned long pfn;

	last = min(last, fo_block_last(fo_block_of(first)));
	if (page_zone(pfn_to_page(last)) == zone)
		return last;
	/* A block of boot memory that several zones share. */
	for (pfn = first; page_zone(pfn_to_page(pfn + 1)) == zone; pfn++)
		;
	return pfn;
}

/**
 * fo_skip_free() - step over free pages
 * @pfn: a page of an online block
 *
 * Return: the PFN behind the free chunk that @pfn lies in, or @pfn if it lies in
 * none. Nothing keeps the chunk from being allocated meanwhile.
 */
unsigned long fo_skip_free(unsigned long pfn)
{
	unsigned int order;
	unsigned long head;

	return fo_free_chunk(pfn, &head, &order) ? head + (1UL << order) : pfn;
}

/**
 * fo_folio_start() - where an allocation that begins at @pfn has to begin
 * @pfn: a page of an online block
 *
 * alloc_contig_range() does not take a huge page whose head lies before its
 * range. isolate_migratepages_block() passes over tail pages.
 *
 * Return: the PFN of the head of the folio that @pfn is a tail of, if it lies in the
 * same page block; else @pfn.
 */
unsigned long fo_folio_start(unsigned long pfn)
{
	unsigned long head = page_to_pfn(compound_head(pfn_to_page(pfn)));

	return head < pfn && head >= round_down(pfn, pageblock_nr_pages) ?
	       head : pfn;
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

/** fo_any_isolated() - is a page block of these online pages isolated? */
bool fo_any_isolated(unsigned long first, unsigned long last)
{
	return isolated(first, last, false);
}

/** fo_all_isolated() - is each page block of these online pages isolated? */
bool fo_all_isolated(unsigned long first, unsigned long last)
{
	return isolated(first, last, true);
}

/*
 * Drops the module's reference to pages that were not marked, one by one. Where
 * another task has a reference, the last put frees. free_contig_range() would warn.
 */
static void put_pages_singly(unsigned long first, unsigned long last)
{
	unsigned long pfn;

	for (pfn = first; pfn <= last; pfn++)
		__free_page(pfn_to_page(pfn));
}

/*
 * Allocated pages become marked ones. Inverse: give_back_span(). On failure, they
 * are not marked, and one reference to each is the module's: put_pages_singly().
 */
static int mark_allocated(unsigned long first, unsigned long last,
			  unsigned int flags, unsigned long *stray)
{
	int ret;

	if (flags & FAKE_OFFLINE_CANARY)
		fo_canary_fill(first, last);
	ret = fo_pages_mark(first, last, flags & FAKE_OFFLINE_SKIPPABLE, stray);
	if (!ret)
		adjust_managed_page_count(pfn_to_page(first),
					  -(long)(last - first + 1));
	else if (flags & FAKE_OFFLINE_CANARY)
		fo_canary_wipe(first, last);
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

/* Inverse of mark_allocated(). */
static void give_back_span(unsigned long first, unsigned long last)
{
	unsigned long pfn = first, nr;

	while (pfn <= last) {
		nr = fo_pages_make_free(pfn, last);
		if (nr)
			fo_to_buddy(pfn, pfn + nr - 1);
		pfn += nr;
		if (pfn <= last)
			fo_page_put(pfn_to_page(pfn++));
	}
}

/*
 * Gives back allocated pages that are not wanted, in chunks. A put of each would
 * leave them single on a CPU's list, where the next request does not find them free.
 */
static void return_allocated(unsigned long first, unsigned long last)
{
	unsigned long stray;

	if (first > last)
		return;
	if (mark_allocated(first, last, FAKE_OFFLINE_SKIPPABLE, &stray))
		put_pages_singly(first, last);
	else
		give_back_span(first, last);
}

/* Allocates [@first, @last]; see allocate(). */
static int try_allocate(unsigned long first, unsigned long last)
{
	unsigned long start = fo_folio_start(first);
	int ret;

	/*
	 * When alloc_contig_range() finds a page block isolated, it fails, and
	 * takes away the isolation that is not its own: an offlining that has
	 * not been announced yet would then migrate endlessly. See also
	 * check_isolated() in notifier.c.
	 */
	if (fo_any_isolated(first, last))
		return -EBUSY;
	ret = compat_alloc_contig(start, last + 1, GFP_KERNEL | __GFP_NOWARN);
	if (!ret && start < first)
		return_allocated(start, first - 1);
	return ret;
}

/*
 * Short pins and per-CPU lists let alloc_contig_range() fail for a moment, and
 * on a busy machine the task that holds such a page may have to wait for its
 * CPU. The pauses between tries double, from a millisecond. What the kernel itself
 * uses is not tried again.
 *
 * Free pages in a page block that also has unmovable ones cannot be had in this
 * way, outside ZONE_MOVABLE, however often it is tried. They are taken from the
 * free lists instead.
 */
static int allocate(unsigned long first, unsigned long last,
		    unsigned int tries, bool quiet)
{
	unsigned int pause_ms = 1;
	int ret = -EBUSY;

	while (ret == -EBUSY && tries--) {
		if (signal_pending(current))
			return -EINTR;
		ret = try_allocate(first, last);
		if (ret == -EBUSY && !quiet)
			ret = fo_freelist_take(first, last);
		if (ret == -EBUSY && tries) {
			if (!fo_is_worth_a_try(first, last))
				break;
			msleep_interruptible(pause_ms);
			pause_ms *= 2;
		}
	}
	if (ret == -EBUSY && !quiet)
		ret = fo_explain_busy(first, last, fo_any_isolated(first, last));
	return ret;
}

/* Marks allocated pages as one piece; on failure they are put. */
static int mark_piece(const struct fo_piece *p, bool quiet)
{
	struct page *injected = NULL;	/* for a failure on demand */
	unsigned long stray;
	int ret;

	if (fo_inject(FO_INJECT_MARK_STRAY, p->first, p->last)) {
		injected = pfn_to_page(p->last);
		page_ref_inc(injected);
	}
	ret = mark_allocated(p->first, p->last, p->flags, &stray);
	if (injected)
		page_ref_dec(injected);
	if (ret) {
		fo_stat_inc(FO_STAT_STRAY_REFERENCES);
		if (!quiet)
			fo_fail_mark(FO_STRAY, p->first, p->last, stray, ret,
				     "PFN %#lx has a reference of another task",
				     stray);
		put_pages_singly(p->first, p->last);
	} else if (p->flags & FAKE_OFFLINE_CANARY &&
		   fo_inject(FO_INJECT_MARK_CORRUPT, p->first, p->last)) {
		fo_canary_break(p->last);
	}
	return ret;
}

/**
 * fo_pages_take() - take pages from the kernel and mark them
 * @pieces: one piece; or several, ascending, in one page block and one zone, with
 *	nothing but free pages between
 * @nr: number of pieces
 * @tries: how often pages that are busy are tried
 * @quiet: record no reason, and do not try hard
 *
 * Several pieces are taken with one allocation. Pages between them are allocated,
 * too, and given back at once.
 *
 * Context: sleeps, holds no lock. All in one online block, which the caller keeps
 * online, and in one zone. Inverse: fo_pages_give_back() of each piece.
 * Return: 0, or with nothing taken: -EBUSY, -ENXIO (a hole in a block's RAM),
 * -ENOMEM, -EINTR.
 */
int fo_pages_take(const struct fo_piece *pieces, unsigned int nr,
		  unsigned int tries, bool quiet)
{
	unsigned int i, marked = 0;
	int ret;

	ret = allocate(pieces[0].first, pieces[nr - 1].last, tries, quiet);
	if (ret)
		return ret;
	for (i = 0; i < nr; i++) {
		const struct fo_piece *p = &pieces[i];

		if (i)
			return_allocated(p[-1].last + 1, p->first - 1);
		if (ret) {
			return_allocated(p->first, p->last);
			continue;
		}
		ret = mark_piece(p, quiet);
		marked += !ret;
	}
	while (ret && marked--)
		fo_pages_give_back(pieces[marked].first, pieces[marked].last,
				   pieces[marked].flags);
	cond_resched();
	return ret;
}

/**
 * fo_pages_give_back() - return marked pages to the buddy allocator
 * @first: first PFN
 * @last: last PFN, in the same block
 * @flags: FAKE_OFFLINE_CANARY if they hold one
 *
 * Pages in an offline block are passed over: they come back with their block.
 *
 * Context: may sleep. The caller keeps the block from going off- or online.
 * Inverse: fo_pages_take(), fo_pages_withhold().
 */
void fo_pages_give_back(unsigned long first, unsigned long last,
			unsigned int flags)
{
	unsigned long pfn, end;

	if (!pfn_to_online_page(first))
		return;
	for (pfn = first; pfn <= last; pfn = end + 1) {
		end = fo_zone_last(pfn, last);
		if (flags & FAKE_OFFLINE_CANARY)
			fo_canary_wipe(pfn, end);
		give_back_span(pfn, end);
	}
}
