// SPDX-License-Identifier: GPL-2.0
/*
 * Taking pages from the kernel, and giving them back.
 *
 * fo_pages_take() allocates pages, marks them, and takes them out of the managed
 * pages (MemTotal). fo_pages_give_back() is the reverse. The present pages never
 * change with a mark.
 */
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include <linux/fake_offline_test.h>

#include "buddy.h"
#include "canary.h"
#include "compat.h"
#include "freelist.h"
#include "inject.h"
#include "page_state.h"
#include "pages.h"
#include "ranges.h"
#include "reason.h"
#include "stats.h"
#include "transfer.h"

/**
 * fo_in_first_zone() - what of a PFN range lies in the zone of the first page
 * @pfns: in one online block
 *
 * Return: that part of it.
 */
struct pfn_range fo_in_first_zone(struct pfn_range pfns)
{
	struct zone *zone = page_zone(pfn_to_page(pfns.first));
	unsigned long pfn;

	if (page_zone(pfn_to_page(pfns.last)) == zone)
		return pfns;
	/* A block of boot memory that several zones share. */
	for_each_pfn(pfn, pfns)
		if (page_zone(pfn_to_page(pfn)) != zone)
			break;
	return pfns_until(pfns.first, pfn);
}

/*
 * Allocates @pfns; see allocate(). alloc_contig_range() does not take a huge page
 * whose head lies before its range, because isolate_migratepages_block() passes over
 * tail pages. So the allocation begins at the head, if that is in the same page block.
 */
static int try_allocate(struct pfn_range pfns)
{
	unsigned long head = page_to_pfn(compound_head(pfn_to_page(pfns.first)));
	unsigned long start = head >= pageblocks_of(pfns).first ?
			      min(head, pfns.first) : pfns.first;
	int ret;

	/*
	 * When alloc_contig_range() finds a page block isolated, it fails, and
	 * takes away the isolation that is not its own: an offlining that has
	 * not been announced yet would then migrate endlessly. See also
	 * check_isolated() in notifier.c.
	 */
	if (fo_any_isolated(pfns))
		return -EBUSY;
	ret = compat_alloc_contig(start, pfns.last + 1, GFP_KERNEL | __GFP_NOWARN);
	if (!ret)
		fo_return_allocated(pfns_until(start, pfns.first));
	return ret;
}

/*
 * Short pins and per-CPU lists let alloc_contig_range() fail for a moment, and
 * on a busy machine the task that holds such a page may have to wait for its
 * CPU. The pauses between tries double, from a millisecond. A page that the kernel
 * itself uses is not tried again.
 *
 * Outside ZONE_MOVABLE, no number of tries takes free pages of a page block that
 * also has unmovable ones. These pages are taken from the free lists instead.
 *
 * A page that looks as if it were on a per-CPU list is explained only after these
 * lists were drained. It is memory of the kernel if it still looks like that.
 */
static int allocate(struct pfn_range pfns, unsigned int tries, bool quiet,
		    enum fo_drained drained)
{
	unsigned int pause_ms = 1;
	int ret = -EBUSY;

	while (ret == -EBUSY && tries--) {
		if (signal_pending(current))
			return -EINTR;
		ret = try_allocate(pfns);
		if (ret == -EBUSY && !quiet)
			ret = fo_freelist_take(pfns);
		if (ret == -EBUSY && tries) {
			if (!fo_is_worth_a_try(pfns))
				break;
			msleep_interruptible(pause_ms);
			pause_ms *= 2;
		}
	}
	if (ret != -EBUSY || quiet)
		return ret;
	if (drained == FO_MAY_DRAIN && fo_has_untyped(pfns))
		return -EAGAIN;
	return fo_explain_busy(pfns, fo_any_isolated(pfns),
			       drained == FO_DRAINED);
}

/* Marks allocated pages as one range; on failure they are put. */
static int mark_range(const struct fo_range *r, bool quiet)
{
	struct page *injected = NULL;	/* for a failure on demand */
	unsigned long stray;
	int ret;

	if (fo_inject(FO_INJECT_MARK_STRAY, r->pfns)) {
		injected = pfn_to_page(r->pfns.last);
		page_ref_inc(injected);
	}
	ret = fo_mark_allocated(r->pfns, r->flags, &stray);
	if (injected)
		page_ref_dec(injected);
	if (ret) {
		fo_stat_inc(FO_STAT_STRAY_REFERENCES);
		if (!quiet)
			fo_fail_mark(FAKE_OFFLINE_REASON_STRAY, r->pfns, stray, ret,
				     "PFN %#lx has a reference of another task",
				     stray);
		fo_put_singly(r->pfns);
	} else if (r->flags & FAKE_OFFLINE_CANARY &&
		   fo_inject(FO_INJECT_MARK_CORRUPT, r->pfns)) {
		fo_canary_break(r->pfns.last);
	}
	return ret;
}

/**
 * fo_pages_take() - take pages from the kernel and mark them
 * @ranges: one range; or several, ascending, in one page block and one zone, with
 *	nothing but free pages between
 * @nr: number of ranges
 * @tries: how often pages that are busy are tried
 * @quiet: record no reason, and do not try hard
 * @drained: whether the caller can drain the per-CPU lists of the zone, or has done it
 *
 * Several ranges are taken with one allocation. Pages between them are allocated,
 * too, and given back at once.
 *
 * Context: sleeps, holds no lock. All in one online block, which the caller keeps
 * online, and in one zone. The ranges are busy. Inverse: fo_pages_give_back() of
 * each range.
 * Return: 0, or with nothing taken: -EBUSY, -ENXIO (a hole in a block's RAM),
 * -ENOMEM, -EINTR; -EAGAIN if the per-CPU lists should be drained first.
 */
int fo_pages_take(struct fo_range *const *ranges, unsigned int nr,
		  unsigned int tries, bool quiet, enum fo_drained drained)
{
	unsigned long next = ranges[0]->pfns.first;
	unsigned int i, marked = 0;
	int ret;

	ret = allocate(PFN_RANGE(next, ranges[nr - 1]->pfns.last), tries, quiet,
		       drained);
	if (ret)
		return ret;
	for (i = 0; i < nr; i++) {
		const struct fo_range *r = ranges[i];

		fo_return_allocated(pfns_until(next, r->pfns.first));
		next = r->pfns.last + 1;
		if (ret)
			fo_return_allocated(r->pfns);
		else
			ret = mark_range(r, quiet);
		marked += !ret;
	}
	while (ret && marked--)
		fo_pages_give_back(ranges[marked]->pfns, ranges[marked]->flags);
	cond_resched();
	return ret;
}

/**
 * fo_pages_give_back() - return marked pages to the buddy allocator
 * @pfns: in one memory block
 * @flags: FAKE_OFFLINE_CANARY if they hold one
 *
 * Pages in an offline block are passed over: they come back with their block.
 *
 * Context: may sleep. The caller keeps the block from going off- or online.
 * Inverse: fo_pages_take(), fo_pages_withhold().
 */
void fo_pages_give_back(struct pfn_range pfns, unsigned int flags)
{
	if (!pfn_to_online_page(pfns.first))
		return;
	if (flags & FAKE_OFFLINE_CANARY)
		fo_canary_wipe(pfns);
	while (pfns.first <= pfns.last) {
		struct pfn_range zone = fo_in_first_zone(pfns);

		fo_give_back_zone(zone);
		pfns.first = zone.last + 1;
	}
}
