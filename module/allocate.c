// SPDX-License-Identifier: GPL-2.0
/*
 * Taking pages by allocating them.
 *
 * alloc_contig_range() isolates whole page blocks, looks at every page there, and
 * waits for every CPU, whether it is for one page or for all. So ranges that lie
 * near each other in a page block are taken with one call, from the first page of
 * the first to the last page of the last, and what is between goes back at once.
 * Each is a range of its own all the same.
 *
 * That is to harm nobody. What is between must be free, in the buddy allocator,
 * when it is looked at; whoever gets such a page in the instant until it is
 * isolated has it migrated, as by any other allocation. It counts against the
 * reserve for as long as it is held. And it is never tried hard: what fails
 * together is taken one by one, and fails or not as it always did.
 */
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/page-flags.h>

#include <linux/fake_offline.h>

#include "allocate.h"
#include "gate.h"
#include "inject.h"
#include "page_state.h"
#include "ranges.h"
#include "reserve.h"
#include "take.h"
#include "unplug.h"

/*
 * So many pages between two ranges cost less to take and to give back (some 750
 * instructions each, most of them for zeroing) than another alloc_contig_range()
 * (some 150 000).
 */
#define FO_NEAR_PAGES	128

static struct fo_span span_of(const struct fo_piece *pieces, unsigned int nr)
{
	return (struct fo_span){ pieces[0].first, pieces[nr - 1].last };
}

/*
 * The page blocks that alloc_contig_range() isolates to take @s. Two of them at
 * once in the same page block would undo each other's isolation.
 */
static struct fo_span page_blocks_of(const struct fo_span *s)
{
	return (struct fo_span){
		.first = round_down(s->first, pageblock_nr_pages),
		.last = s->last | (pageblock_nr_pages - 1),
	};
}

/* Marked pages of these page blocks make way for what is taken there. */
static void step_aside(const struct fo_span *blocks)
{
	struct fo_extent e;

	fo_for_each_extent(e, blocks->first, blocks->last) {
		if (e.range->flags & FO_RANGE_BUSY)
			continue;	/* what is taken */
		e.range->flags |= FO_RANGE_ASIDE;
		fo_pages_step_aside(max(e.first, blocks->first),
				    min(e.last, blocks->last),
				    e.range->flags & FAKE_OFFLINE_SKIPPABLE);
	}
}

/* Inverse of step_aside(). */
static void step_back(const struct fo_span *blocks)
{
	struct fo_extent e;

	fo_for_each_extent(e, blocks->first, blocks->last) {
		if (!(e.range->flags & FO_RANGE_ASIDE))
			continue;
		fo_pages_step_back(max(e.first, blocks->first),
				   min(e.last, blocks->last),
				   e.range->flags & FAKE_OFFLINE_SKIPPABLE);
		e.range->flags &= ~FO_RANGE_ASIDE;
	}
}

/* One that says nothing about how, and lies within one page block. */
static bool is_plain(const struct fake_offline_request *r)
{
	return !(r->flags & ~(FAKE_OFFLINE_FLAGS | FAKE_OFFLINE_ALLOCATE)) &&
	       r->start_pfn != FAKE_OFFLINE_ANYWHERE && r->nr_pages &&
	       r->nr_pages <= pageblock_nr_pages -
			      (r->start_pfn & (pageblock_nr_pages - 1));
}

/* Does @b begin behind @a, not far from it, and in the same page block? */
static bool is_next(const struct fake_offline_request *a,
		    const struct fake_offline_request *b)
{
	return b->start_pfn >= a->start_pfn + a->nr_pages &&
	       b->start_pfn - a->start_pfn - a->nr_pages <= FO_NEAR_PAGES &&
	       b->start_pfn >> pageblock_order ==
	       a->start_pfn >> pageblock_order;
}

/**
 * fo_allocate_near() - how many requests might be taken together
 * @requests: the next requests of a client
 * @nr: number of requests, at least 1
 *
 * Where a mark is to fail on demand, each is taken by itself, so that one fails.
 *
 * Context: any.
 * Return: the number, from the first one on; at least 1.
 */
unsigned int fo_allocate_near(const struct fake_offline_request *requests,
			      unsigned int nr)
{
	unsigned int n = 1;

	if (!is_plain(&requests[0]) ||
	    fo_inject_armed(FO_INJECT_MARK_STRAY) ||
	    fo_inject_armed(FO_INJECT_MARK_CORRUPT))
		return 1;
	while (n < nr && is_plain(&requests[n]) &&
	       is_next(&requests[n - 1], &requests[n]))
		n++;
	return n;
}

/*
 * The PFN behind the free chunk that @pfn lies in, or @pfn if it lies in none. It
 * may be taken just now; then it is anything.
 */
static unsigned long skip_free(unsigned long pfn)
{
	unsigned int order, max_order = ilog2(MAX_ORDER_NR_PAGES);

	for (order = 0; order <= max_order; order++) {
		unsigned long head = round_down(pfn, 1UL << order);
		struct page *page = pfn_to_page(head);

		if (PageBuddy(page)) {
			unsigned long of = READ_ONCE(page_private(page));

			return of >= order && of <= max_order ?
			       head + (1UL << of) : pfn;
		}
	}
	return pfn;
}

/* The number of pieces, from the first on, with nothing but free pages between. */
static unsigned int nr_with_free_between(const struct fo_piece *pieces,
					 unsigned int nr)
{
	struct page *page = pfn_to_online_page(pieces[0].first);
	unsigned int n;

	for (n = 1; page && n < nr; n++) {
		unsigned long pfn = pieces[n - 1].last + 1, next = pfn;

		if (page_zone(pfn_to_page(pieces[n].last)) != page_zone(page))
			break;
		while (next < pieces[n].first) {
			pfn = next;
			next = skip_free(pfn);
			if (next == pfn)
				return n;
		}
	}
	return n;
}

/* Forgets the busy ranges of @s, or settles them. Holds the gate. */
static void settle(const struct fo_span *s, bool forget)
{
	struct fo_extent e;

	fo_for_each_extent(e, s->first, s->last) {
		if (forget)
			fo_ranges_erase(&e);
		else
			e.range->flags &= ~FO_RANGE_BUSY;
	}
}

/* Lets new busy ranges in: those of @pieces that can be taken together. */
static int begin(struct fake_offline_client *client, struct fo_piece *pieces,
		 unsigned int *nr, enum fo_wait wait)
{
	struct fo_span s = span_of(pieces, *nr), blocks = page_blocks_of(&s);
	struct fo_extent e;
	unsigned int i;
	int ret;

	ret = fo_gate_enter(blocks.first, blocks.last, wait);
	if (ret)
		return ret;
	if (*nr > 1) {
		*nr = nr_with_free_between(pieces, *nr);
		ret = *nr > 1 ? 0 : -EAGAIN;
		s = span_of(pieces, *nr);
	}
	if (!ret && fo_ranges_next(s.first, s.last, &e))
		ret = -EEXIST;
	if (!ret)
		ret = fo_check_online(s.first, s.last);
	if (!ret)
		ret = fo_reserve_check(s.last - s.first + 1);
	if (ret)
		goto out;

	for (i = 0; !ret && i < *nr; i++)
		ret = fo_ranges_insert(pieces[i].first, pieces[i].last, client,
				       pieces[i].flags | FO_RANGE_BUSY,
				       &pieces[i].serial);
	if (ret) {
		settle(&s, true);
		goto out;
	}
	fo_reserve_begin(s.last - s.first + 1);
	step_aside(&blocks);
out:
	fo_gate_leave();
	return ret;
}

/* They have been taken, or could not be. Inverse of begin(). */
static void end(const struct fo_piece *pieces, unsigned int nr, int result)
{
	struct fo_span s = span_of(pieces, nr), blocks = page_blocks_of(&s);

	mutex_lock(&fo_gate);
	step_back(&blocks);
	fo_reserve_end(s.last - s.first + 1);
	settle(&s, result);
	fo_gate_wake();
	mutex_unlock(&fo_gate);
}

/**
 * fo_allocate() - take a piece, or several near each other at once
 * @client: the owner
 * @pieces: one; or several, as fo_allocate_near() found them, which are then not
 *	tried hard
 * @nr: how many; filled in: how many of these, from the first on, it is about.
 *	There are no others than free pages between them
 * @wait: for others
 * @valid: set when the pages might be taken, and it was tried
 *
 * Context: sleeps, holds nothing.
 * Return: 0; or with none of them taken: -EEXIST, -ENXIO, -ENODEV, -ENOSPC,
 * -EBUSY, -ENOMEM, -EINTR; and -EAGAIN: only one of several could be taken.
 */
int fo_allocate(struct fake_offline_client *client, struct fo_piece *pieces,
		unsigned int *nr, enum fo_wait wait, bool *valid)
{
	struct fo_span s;
	int ret;

	ret = begin(client, pieces, nr, wait);
	if (ret)
		return ret;
	*valid = true;
	s = span_of(pieces, *nr);
	ret = fo_unplug_watch(s.first, s.last);
	if (!ret && *nr > 1)
		ret = fo_take_together(pieces, *nr);
	else if (!ret)
		ret = fo_take(s.first, s.last, pieces->flags,
			      wait != FO_DONT_WAIT);
	end(pieces, *nr, ret);
	if (ret)
		fo_unplug_unwatch(s.first, s.last);
	return ret;
}
