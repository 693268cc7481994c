// SPDX-License-Identifier: GPL-2.0
/*
 * Taking pages for a client. A request (request.c) passes through these steps once:
 *
 *	check	if it lies in several memory blocks: that no page is marked, that
 *		memory is there, and that the zones keep their floors
 *	plan	cut it to pages in one block and zone that are in one condition, or
 *		see which neighbours can be taken together
 *	take	these pages from the kernel, and mark them: pages.c
 *	record	the range in the tree, and in the undo log
 *
 * A range in online memory is busy while its pages are taken. A range in memory
 * that is offline or absent is a record that waits: nothing is taken, and the
 * online-page hook withholds its pages later. Pages that the kernel has retired
 * already are out of use, and need no more than a reference.
 */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <linux/fake_offline_test.h>

#include "buddy.h"
#include "client.h"
#include "floor.h"
#include "memory.h"
#include "page_state.h"
#include "pages.h"
#include "reason.h"
#include "release.h"
#include "stats.h"
#include "take.h"
#include "trace.h"
#include "unplug.h"

static int make_room(struct fo_take *t, unsigned int nr)
{
	unsigned int room = max3(2 * t->room, t->nr + nr, 16U);
	struct fo_taken *log;

	if (t->nr + nr <= t->room)
		return 0;
	log = kvmalloc_array(room, sizeof(*log), GFP_KERNEL);
	if (!log)
		return -ENOMEM;
	if (t->nr)
		memcpy(log, t->log, t->nr * sizeof(*log));
	kvfree(t->log);
	t->log = log;
	t->room = room;
	return 0;
}

/*
 * Outside ZONE_MOVABLE, alloc_contig_range() refuses a page block that has a PageOffline
 * page with a reference.
 */
static void drop_refs(struct pfn_range blocks)
{
	struct fo_range *r;

	if (!fo_page_expected_count())
		return;
	fo_for_each_range(r, blocks) {
		if (r->state != FO_RANGE_IN_FORCE ||
		    r->flags & FO_RANGE_RETIRED)
			continue;
		fo_range_set_state(r, FO_RANGE_REF_DROPPED);
		fo_pages_drop_refs(pfns_common(r->pfns, blocks), NULL);
	}
}

/* Inverse of drop_refs(). */
static void restore_refs(struct pfn_range blocks)
{
	struct fo_range *r;

	fo_for_each_range(r, blocks) {
		if (r->state != FO_RANGE_REF_DROPPED)
			continue;
		fo_pages_restore_refs(pfns_common(r->pfns, blocks));
		fo_range_set_state(r, FO_RANGE_IN_FORCE);
	}
}

/* Is a page marked? */
static int check_unmarked(const struct fo_take *t, struct pfn_range pfns)
{
	struct fo_range *r;
	unsigned long pfn;

	fo_for_each_range(r, pfns) {
		if (!fo_range_is_marked(r))
			continue;
		pfn = max(r->pfns.first, pfns.first);
		return t->quiet ? -EEXIST :
		       fo_fail(FO_FAILED_MARK, FAKE_OFFLINE_REASON_MARKED, pfns, pfn,
			       r->client->name, -EEXIST,
			       "PFN %#lx is marked already by %s", pfn,
			       r->client->name);
	}
	return 0;
}

/* May @memory be marked? */
static int check_memory(const struct fo_take *t, unsigned long pfn,
			enum fo_memory memory)
{
	struct pfn_range pfns = PFN_RANGE(pfn, pfn);

	switch (memory) {
	case FO_MEMORY_ONLINE:
	case FO_MEMORY_RETIRED:
	case FO_MEMORY_OFFLINE:
		return 0;
	case FO_MEMORY_DEVICE:
		return fo_fail_mark(FAKE_OFFLINE_REASON_DEVICE_MEMORY, pfns, pfn, -ENXIO,
				    "PFN %#lx is memory of a device, which is never online",
				    pfn);
	case FO_MEMORY_ABSENT:
		if (t->flags & FAKE_OFFLINE_ABSENT)
			return 0;
		fallthrough;
	case FO_MEMORY_HOLE:
		return fo_fail_mark(FAKE_OFFLINE_REASON_NO_MEMORY, pfns, pfn, -ENXIO,
				    "PFN %#lx is no RAM", pfn);
	case FO_MEMORY_NEVER:
		break;
	}
	return fo_fail_mark(FAKE_OFFLINE_REASON_NOT_PLUGGABLE, pfns, pfn, -ENXIO,
			    "PFN %#lx is no RAM, and none can be plugged there",
			    pfn);
}

/* Would the zone of these online pages keep its floor without them? */
static int check_floor(struct fo_take *t, struct pfn_range pfns,
		       struct fo_grant *grant)
{
	int ret = fo_floor_check(pfns, grant, t->quiet);

	if (ret == -ENOSPC) {
		t->full = grant->zone;
		t->other_full = grant->zone &&
				grant->zone != page_zone(pfn_to_page(pfns.first));
	}
	return ret;
}

/* Online pages of one zone, or none. */
static int check_zone(struct fo_take *t, struct pfn_range pfns)
{
	struct fo_grant grant;
	int ret;

	if (pfns.first > pfns.last)
		return 0;
	ret = check_floor(t, pfns, &grant);
	if (!ret)
		fo_floor_done(&grant);
	return ret;
}

static bool same_zone(unsigned long a, unsigned long b)
{
	return page_zone(pfn_to_page(a)) == page_zone(pfn_to_page(b));
}

/**
 * fo_take_check() - would a part of a PFN range be refused?
 * @t: the call
 * @pfns: the PFN range
 *
 * For a range in several memory blocks, before the first page is taken. plan()
 * checks each part again.
 *
 * Context: sleeps, holds nothing.
 * Return: 0, -EEXIST, -ENXIO, -ENOSPC, -EINTR.
 */
int fo_take_check(struct fo_take *t, struct pfn_range pfns)
{
	struct pfn_range zone = NO_PFNS, left = pfns;
	enum fo_memory memory;
	int ret;

	mutex_lock(&fo_lock);
	ret = check_unmarked(t, pfns);
	while (!ret && left.first <= left.last) {
		struct pfn_range part = left;

		if (signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		cond_resched();
		/* Pages of a zone that are to be checked together must stay online. */
		if (zone.first > zone.last) {
			mutex_unlock(&fo_lock);
			mutex_lock(&fo_lock);
		}
		memory = fo_memory_at(&part);
		ret = check_memory(t, part.first, memory);
		if (memory == FO_MEMORY_ONLINE && zone.last + 1 == part.first &&
		    same_zone(zone.last, part.first)) {
			zone.last = part.last;
		} else if (!ret) {
			ret = check_zone(t, zone);
			zone = memory == FO_MEMORY_ONLINE ? part : NO_PFNS;
		}
		left.first = part.last + 1;
	}
	if (!ret)
		ret = check_zone(t, zone);
	mutex_unlock(&fo_lock);
	return ret;
}

static struct pfn_range all_of(struct fo_range *const *ranges, unsigned int nr)
{
	return PFN_RANGE(ranges[0]->pfns.first, ranges[nr - 1]->pfns.last);
}

/* The number of ranges up to @last, with nothing but free pages between. */
static unsigned int nr_with_free_between(struct fo_range *const *ranges,
					 unsigned int nr, unsigned long last)
{
	unsigned long pfn, next;
	unsigned int n;

	for (n = 1; n < nr && ranges[n]->pfns.last <= last; n++) {
		for (pfn = ranges[n - 1]->pfns.last + 1;
		     pfn < ranges[n]->pfns.first; pfn = next) {
			next = fo_skip_free(pfn);
			if (next == pfn)
				return n;
		}
	}
	return n;
}

/*
 * Cuts the ranges to what can be taken at once, and checks it. Holds fo_lock, and
 * no other task works there.
 */
static int plan(struct fo_take *t, struct fo_range **ranges, unsigned int *nr,
		enum fo_memory *memory, struct fo_grant *grant)
{
	struct pfn_range pfns = all_of(ranges, *nr);
	int ret;

	*memory = fo_memory_at(&pfns);
	ret = check_memory(t, pfns.first, *memory);
	if (ret)
		return ret;
	if (*nr == 1) {
		ranges[0]->pfns = pfns;
	} else {
		*nr = *memory != FO_MEMORY_ONLINE ? 1 :
		      nr_with_free_between(ranges, *nr, pfns.last);
		if (*nr == 1)
			return -EAGAIN;
		pfns = all_of(ranges, *nr);
	}
	ret = check_unmarked(t, pfns);
	if (!ret && *memory == FO_MEMORY_ONLINE)
		ret = check_floor(t, pfns, grant);
	return ret;
}

static void insert(struct fo_take *t, struct fo_range **ranges,
		   unsigned int nr, enum fo_memory memory)
{
	bool waits = memory == FO_MEMORY_OFFLINE || memory == FO_MEMORY_ABSENT;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct fo_range *r = ranges[i];

		/* Requests that are taken together are ranges of their own. */
		if (!t->serial || nr > 1)
			t->serial = fo_ranges_serial();
		r->serial = t->serial;
		r->client = t->client;
		if (waits)
			r->flags |= FO_RANGE_FILL;
		if (memory == FO_MEMORY_RETIRED)
			r->flags |= FO_RANGE_RETIRED;
		fo_ranges_insert(r, waits ? FO_RANGE_WAITING : FO_RANGE_TAKING);
	}
}

/* Records the ranges, or leaves them to the caller. Holds fo_lock. */
static void finish(struct fo_take *t, struct fo_range **ranges,
		   unsigned int nr, int result)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct fo_range *r = ranges[i];

		if (result) {
			fo_ranges_erase(r);
			continue;
		}
		if (r->state == FO_RANGE_TAKING)
			fo_range_set_state(r, FO_RANGE_IN_FORCE);
		t->log[t->nr++] = (struct fo_taken){ r->pfns, r->serial };
		ranges[i] = NULL;
	}
}

/* Takes what plan() has planned. Holds fo_lock, and drops it in between. */
static int take_planned(struct fo_take *t, struct fo_range **ranges,
			unsigned int nr, enum fo_memory memory,
			struct fo_grant *grant)
{
	struct pfn_range blocks = pageblocks_of(all_of(ranges, nr));
	int ret = 0;

	insert(t, ranges, nr, memory);
	if (memory == FO_MEMORY_RETIRED)
		fo_pages_hold(ranges[0]->pfns);
	if (memory == FO_MEMORY_ONLINE) {
		drop_refs(blocks);
		mutex_unlock(&fo_lock);
		t->tried = true;
		t->zone = grant->zone;
		ret = fo_pages_take(ranges, nr, t->tries, t->quiet, t->drained);
		mutex_lock(&fo_lock);
		restore_refs(blocks);
		fo_floor_done(grant);
	}
	finish(t, ranges, nr, ret);
	return ret;
}

/**
 * fo_take_ranges() - take one range, or several near each other at once
 * @t: the call
 * @ranges: fresh records of the pages, ascending; those that were taken are NULL
 *	afterwards. A single one may become shorter
 * @nr: how many; filled in: how many were tried
 *
 * Context: sleeps, holds nothing. Inverse: fo_take_undo(), also after a failure.
 * Return: 0, an errno, or -EAGAIN: only one of several could be taken at once.
 */
int fo_take_ranges(struct fo_take *t, struct fo_range **ranges,
		   unsigned int *nr)
{
	struct pfn_range pfns = fo_in_first_block(all_of(ranges, *nr));
	/*
	 * alloc_contig_range() isolates whole page blocks. Two of them at once in
	 * the same page block would undo each other's isolation.
	 */
	struct pfn_range blocks = pageblocks_of(pfns);
	enum fo_memory memory;
	struct fo_grant grant;
	int ret;

	if (fo_aborted(&t->abort))
		return -ECANCELED;
	ret = make_room(t, *nr);
	if (!ret)
		ret = fo_unplug_watch(pfns.first);
	if (!ret)
		ret = fo_lock_ranges(&blocks, 1, t->wait, &t->abort);
	if (!ret) {
		ret = plan(t, ranges, nr, &memory, &grant);
		if (!ret)
			ret = take_planned(t, ranges, *nr, memory, &grant);
		mutex_unlock(&fo_lock);
	}
	/* Another task may have dropped the watch before the range was in the tree. */
	if (!ret)
		ret = fo_unplug_watch(pfns.first);
	if (ret)
		fo_unplug_unwatch(pfns);
	return ret;
}

/**
 * fo_take_undo() - take back what was taken
 * @t: the call
 * @nr: entries of the log that stay
 * @counted: whether fo_take_count() has counted the others
 *
 * Context: sleeps, holds nothing. Inverse: fo_take_ranges().
 */
void fo_take_undo(struct fo_take *t, unsigned int nr, bool counted)
{
	while (t->nr > nr) {
		struct fo_taken taken = t->log[--t->nr];

		/* Adjoining parts of a request are released, and count, as one. */
		while (t->nr > nr && t->log[t->nr - 1].serial == taken.serial &&
		       t->log[t->nr - 1].pfns.last + 1 == taken.pfns.first)
			taken.pfns.first = t->log[--t->nr].pfns.first;
		fo_release_or_orphan(t->client, taken.pfns, taken.serial,
				     counted);
	}
}

/** fo_take_count() - count a request, and trace it; context: any */
void fo_take_count(const struct fo_take *t, struct pfn_range pfns, int result)
{
	fo_stat_inc(result ? FO_STAT_MARK_FAILURES : FO_STAT_MARKS);
	trace_fake_offline_take(&pfns, t->client->name, t->flags, result);
}
