// SPDX-License-Identifier: GPL-2.0
/*
 * Requests of clients: all of a call are carried out, or none.
 *
 * One alloc_contig_range() isolates whole page blocks, looks at every page there,
 * and waits for every CPU, whether it is for one page or for all. So requests that
 * lie near each other in a page block are taken with one allocation. Pages between
 * them must be free, and go back at once. If that fails, for whatever reason, the
 * requests are taken one by one, and fail or not as they would by themselves.
 */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <linux/fake_offline_test.h>

#include "client.h"
#include "drain.h"
#include "find.h"
#include "floor.h"
#include "hook.h"
#include "inject.h"
#include "reason.h"
#include "release.h"
#include "request.h"
#include "take.h"
#include "unplug.h"

#define REQUEST_FLAGS	(FAKE_OFFLINE_SKIPPABLE | FAKE_OFFLINE_CANARY | \
			 FAKE_OFFLINE_ABSENT | FAKE_OFFLINE_ONCE)

/*
 * The most pages between two ranges that are taken together. To take and give back this
 * number of pages costs less (some 750 instructions each, most of them to clear the
 * page) than another alloc_contig_range() (some 150 000).
 */
#define FO_NEAR_PAGES	128

/* How often pages that are busy are tried: half a second in all. */
#define FO_TAKE_TRIES	10

/* Takes all of a PFN range, or nothing, and counts it. Inverse: fo_take_undo(). */
static int take_range(struct fo_take *t, struct pfn_range pfns)
{
	unsigned int before = t->nr;
	struct pfn_range left = pfns;
	struct fo_range *r;
	int ret = 0;

	t->tried = false;
	while (!ret && left.first <= left.last) {
		if (left.first > pfns.first && signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		r = fo_range_alloc(left, t->flags, GFP_KERNEL);
		ret = r ? fo_take_and_drain(t, r) : -ENOMEM;
		if (!ret)
			left.first = t->log[t->nr - 1].pfns.last + 1;
	}
	if (ret)
		fo_take_undo(t, before, false);
	if (!ret || (t->tried && !t->quiet))
		fo_take_count(t, pfns, ret);
	return ret;
}

/*
 * For fo_find(): a range that is in one block and one zone. If another zone has no
 * place for pages in use, other pages of this zone may still be had.
 */
static int try_range(struct pfn_range pfns, void *arg)
{
	struct fo_take *t = arg;
	int ret;

	t->serial = 0;
	ret = take_range(t, pfns);
	return ret == -ENOSPC && t->other_full ? -EBUSY : ret;
}

/* Fills in what a request for pages anywhere got: the log from @before on. */
static int report_got(const struct fo_take *t, unsigned int before,
		      struct fake_offline_request *r)
{
	unsigned int i, nr = t->nr - before;

	if (!r->got)
		return 0;
	if (nr > r->nr_got)
		return fo_fail_mark(FAKE_OFFLINE_REASON_NOT_FOUND, NO_PFNS, -1, -ENOSPC,
				    "%lu pages are only to be had in more than %u ranges",
				    r->nr_pages, r->nr_got);
	r->nr_got = nr;
	for (i = 0; i < nr; i++)
		r->got[i] = (struct fake_offline_range){
			t->log[before + i].pfns.first,
			nr_pfns(t->log[before + i].pfns) };
	return 0;
}

static void refuse_anywhere(const struct fo_take *t, unsigned int before,
			    unsigned long nr_pages)
{
	unsigned long found = 0;
	unsigned int i;

	for (i = before; i < t->nr; i++)
		found += nr_pfns(t->log[i].pfns);
	mutex_lock(&fo_lock);
	if (t->full)
		fo_floor_refuse(t->full, NO_PFNS, nr_pages, found);
	else
		fo_fail_mark(FAKE_OFFLINE_REASON_NOT_FOUND, NO_PFNS, -1, -ENOSPC,
			     "%lu of %lu pages could be freed", found, nr_pages);
	mutex_unlock(&fo_lock);
}

static int take_anywhere(struct fo_take *t, struct fake_offline_request *r)
{
	unsigned int before = t->nr;
	int ret;

	if (!r->nr_pages || r->flags & FAKE_OFFLINE_ABSENT)
		return -EINVAL;
	mutex_lock(&fo_lock);
	ret = fo_reserve_check(NO_PFNS, r->nr_pages, false);
	mutex_unlock(&fo_lock);
	if (ret)
		return ret;
	t->wait = FO_DONT_WAIT;
	t->tries = 1;
	t->full = NULL;
	t->other_full = false;
	t->quiet = true;
	ret = fo_find(r->nr_pages, r->nid, r->zone, try_range, t);
	t->quiet = false;
	if (!ret)
		ret = report_got(t, before, r);
	else if (ret == -ENXIO)
		fo_fail_mark(FAKE_OFFLINE_REASON_NO_ZONE, NO_PFNS, -1, ret,
			     "no such node or zone");
	else if (ret == -ENOSPC)
		refuse_anywhere(t, before, r->nr_pages);
	return ret;
}

static int take_request(struct fo_take *t, struct fake_offline_request *r)
{
	bool once = r->flags & FAKE_OFFLINE_ONCE;
	struct pfn_range pfns;
	int ret;

	if (r->flags & ~REQUEST_FLAGS)
		return -EINVAL;
	t->flags = r->flags;
	t->wait = once ? FO_DONT_WAIT : FO_WAIT_INTERRUPTIBLE;
	t->tries = once ? 1 : FO_TAKE_TRIES;
	t->serial = 0;
	if (r->start_pfn == FAKE_OFFLINE_ANYWHERE)
		return take_anywhere(t, r);
	ret = fo_make_range(r->start_pfn, r->nr_pages, &pfns);
	if (!ret && fo_block_of(pfns.first) != fo_block_of(pfns.last))
		ret = fo_take_check(t, pfns);
	return ret ?: take_range(t, pfns);
}

/* One that lies within one page block. */
static bool is_plain(const struct fake_offline_request *r)
{
	return !(r->flags & ~(FAKE_OFFLINE_SKIPPABLE | FAKE_OFFLINE_CANARY)) &&
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

/*
 * How many requests, from the first on, might be taken together. If a failure of a
 * mark is armed, each is taken by itself, so that one fails.
 */
static unsigned int nr_near(const struct fake_offline_request *r,
			    unsigned int nr)
{
	unsigned int n = 1;

	if (!is_plain(&r[0]) || fo_inject_armed(FO_INJECT_MARK_STRAY) ||
	    fo_inject_armed(FO_INJECT_MARK_CORRUPT))
		return 1;
	while (n < nr && is_plain(&r[n]) && is_next(&r[n - 1], &r[n]))
		n++;
	return n;
}

/* Takes these requests at once, as nr_near() found them, or none. */
static int take_together(struct fo_take *t, const struct fake_offline_request *r,
			 unsigned int *nr)
{
	unsigned int i, all = *nr, before = t->nr;
	struct fo_range **ranges;
	struct pfn_range pfns;
	int ret = 0;

	ranges = kcalloc(all, sizeof(*ranges), GFP_KERNEL);
	for (i = 0; ranges && !ret && i < all; i++) {
		pfns = pfns_until(r[i].start_pfn, r[i].start_pfn + r[i].nr_pages);
		ranges[i] = fo_range_alloc(pfns, r[i].flags, GFP_KERNEL);
		ret = ranges[i] ? 0 : -ENOMEM;
	}
	t->flags = 0;
	t->wait = FO_WAIT_INTERRUPTIBLE;
	t->tries = 1;
	t->quiet = true;
	if (!ret)
		ret = ranges ? fo_take_ranges(t, ranges, nr) : -ENOMEM;
	if (ret)
		fo_take_undo(t, before, false);
	t->quiet = false;
	for (i = 0; !ret && i < *nr; i++) {
		t->flags = r[i].flags;
		fo_take_count(t, t->log[before + i].pfns, 0);
	}
	for (i = 0; ranges && i < all; i++)
		fo_range_free(ranges[i]);
	kfree(ranges);
	return ret;
}

/*
 * In their order, so that which one fails, and how, does not change. @failed: filled in
 * with the index of that one.
 */
static int take_requests(struct fo_take *t, struct fake_offline_request *r,
			 unsigned int nr, unsigned int *failed)
{
	unsigned int i, n, at;
	int ret;

	for (at = 0; at < nr; at += n) {
		n = nr_near(&r[at], nr - at);
		if (n > 1 && !take_together(t, &r[at], &n))
			continue;
		for (i = at; i < at + n; i++) {
			ret = take_request(t, &r[i]);
			if (!ret)
				continue;
			*failed = i;
			return ret;
		}
	}
	return 0;
}

/**
 * fo_take() - fake_offline_take()
 * @client: for whom
 * @requests: which pages
 * @nr: number of requests
 * @failed: filled in with the index of the request that failed, or 0
 *
 * Context: sleeps, holds nothing.
 * Return: as fake_offline_take().
 */
int fo_take(struct fake_offline_client *client,
	    struct fake_offline_request *requests, unsigned int nr,
	    unsigned int *failed)
{
	struct fo_take t = {
		.client = client,
		.abort = { &client->aborts, READ_ONCE(client->aborts) },
	};
	bool once = nr && requests[0].flags & FAKE_OFFLINE_ONCE;
	int ret;

	*failed = 0;
	if (fo_in_callback() || fo_operation_is_mine())
		return -EDEADLK;
	fo_unplug_sweep();
	ret = fo_hook_want(!once);
	if (!ret)
		ret = take_requests(&t, requests, nr, failed);
	if (ret)
		fo_take_undo(&t, 0, true);
	fo_hook_unwant(!once);
	kvfree(t.log);
	return ret;
}
