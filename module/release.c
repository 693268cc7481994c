// SPDX-License-Identifier: GPL-2.0
/*
 * Giving back what clients have taken.
 *
 * A release is all or nothing, also over several ranges: all that can fail is done
 * before the first range changes its state. It waits while a hotplug operation
 * covers the pages. A task that must not wait, because it is killed or because its
 * client goes away, leaves the ranges to fo_orphans. A worker releases these when
 * the operation has ended.
 */
#include <linux/errno.h>
#include <linux/pfn.h>
#include <linux/sched.h>
#include <linux/sort.h>
#include <linux/workqueue.h>

#include <linux/fake_offline.h>

#include "client.h"
#include "hook.h"
#include "page_state.h"
#include "pages.h"
#include "reason.h"
#include "release.h"
#include "stats.h"
#include "trace.h"
#include "unplug.h"

/**
 * fo_make_range() - check a PFN range of a caller
 * @start_pfn: first PFN
 * @nr_pages: number of pages
 * @pfns: filled in
 *
 * Return: 0; -EINVAL for no pages; -ERANGE if it wraps; -ENXIO beyond any PFN.
 */
int fo_make_range(unsigned long start_pfn, unsigned long nr_pages,
		  struct pfn_range *pfns)
{
	*pfns = PFN_RANGE(start_pfn, start_pfn + nr_pages - 1);
	if (!nr_pages)
		return -EINVAL;
	if (pfns->last < start_pfn)
		return -ERANGE;
	return pfns->last > PHYS_PFN(~(phys_addr_t)0) ? -ENXIO : 0;
}

static int compare_starts(const void *a, const void *b)
{
	const struct fake_offline_range *x = a, *y = b;

	return x->start_pfn < y->start_pfn ? -1 : x->start_pfn > y->start_pfn;
}

/** fo_sort_ranges() - bring ranges into the order that a release needs; context: any */
void fo_sort_ranges(struct fake_offline_range *ranges, unsigned int nr)
{
	sort(ranges, nr, sizeof(*ranges), compare_starts, NULL);
}

static int not_marked(struct pfn_range pfns, unsigned long pfn)
{
	return fo_fail(FO_FAILED_RELEASE, FAKE_OFFLINE_REASON_NOT_MARKED, pfns,
		       pfn, NULL, -ENOENT, "PFN %#lx is not marked", pfn);
}

/* Is every page marked by @client? Holds fo_lock. */
static int check_owner(const struct fake_offline_client *client,
		       struct pfn_range pfns)
{
	unsigned long pfn = pfns.first;
	struct fo_range *r;

	fo_for_each_range(r, pfns) {
		if (r->pfns.first > pfn)
			return not_marked(pfns, pfn);
		if (r->client != client)
			return fo_fail(FO_FAILED_RELEASE,
				       FAKE_OFFLINE_REASON_NOT_OWNER, pfns, pfn,
				       r->client->name, -EPERM,
				       "PFN %#lx is marked by %s", pfn,
				       r->client->name);
		pfn = r->pfns.last + 1;
	}
	return pfn > pfns.last ? 0 : not_marked(pfns, pfn);
}

/* Spare records, chained by their owner. */
struct spares {
	struct fo_range *first;
	unsigned int nr;
};

static int add_spares(struct spares *spares, unsigned int nr, gfp_t gfp)
{
	while (spares->nr < nr) {
		struct fo_range *r = fo_range_alloc(NO_PFNS, 0, gfp);

		if (!r)
			return -ENOMEM;
		r->client = (void *)spares->first;
		spares->first = r;
		spares->nr++;
	}
	return 0;
}

static struct fo_range *get_spare(struct spares *spares)
{
	struct fo_range *r = spares->first;

	spares->first = (void *)r->client;
	spares->nr--;
	return r;
}

static unsigned int nr_splits(const struct pfn_range *ranges, unsigned int nr)
{
	unsigned int i, n = 0;

	for (i = 0; i < nr; i++)
		n += fo_ranges_must_split(ranges[i].first) +
		     fo_ranges_must_split(ranges[i].last + 1);
	return n;
}

static void split(unsigned long pfn, struct spares *spares)
{
	if (fo_ranges_must_split(pfn))
		fo_ranges_split(pfn, get_spare(spares));
}

/**
 * fo_lock_owned() - take fo_lock, with ranges that are exactly these
 * @client: the owner
 * @ranges: PFN ranges, none of which overlap
 * @nr: number of them
 * @wait: how to wait
 *
 * Marked ranges that cross the border of one of @ranges are split.
 *
 * Context: as fo_lock_ranges(). Inverse: mutex_unlock() of fo_lock.
 * Return: 0 with fo_lock held. Without it: -ENOENT (a page is not marked), -EPERM (a
 * page belongs to another client), -ENOMEM (a split needs memory), and what
 * fo_lock_ranges() returns.
 */
int fo_lock_owned(struct fake_offline_client *client,
		  const struct pfn_range *ranges, unsigned int nr,
		  enum fo_wait wait)
{
	struct spares spares = {};
	unsigned int i, need;
	int ret;

	for (;;) {
		ret = fo_lock_ranges(ranges, nr, wait, NULL);
		if (ret)
			goto out;
		for (i = 0; !ret && i < nr; i++)
			ret = check_owner(client, ranges[i]);
		need = ret ? 0 : nr_splits(ranges, nr);
		if (wait == FO_TRYLOCK)
			ret = ret ?: add_spares(&spares, need, GFP_NOWAIT);
		if (ret || need <= spares.nr)
			break;
		mutex_unlock(&fo_lock);
		ret = add_spares(&spares, need, GFP_KERNEL);
		if (ret)
			goto out;
	}
	for (i = 0; !ret && i < nr; i++) {
		split(ranges[i].first, &spares);
		split(ranges[i].last + 1, &spares);
	}
	if (ret)
		mutex_unlock(&fo_lock);
out:
	while (spares.nr)
		fo_range_free(get_spare(&spares));
	return ret;
}

/* Ranges that were one request are one line in the trace, and count once. */
struct report {
	const struct fake_offline_client *client;
	struct pfn_range pfns;
	unsigned int flags;
	u16 serial;
};

static void end_report(struct report *report)
{
	if (!report->serial)
		return;
	trace_fake_offline_release(&report->pfns, report->client->name,
				   report->flags, 0);
	fo_stat_inc(FO_STAT_UNMARKS);
	report->serial = 0;
}

static void add_report(struct report *report, const struct fo_range *r)
{
	if (r->serial != report->serial ||
	    r->pfns.first != report->pfns.last + 1) {
		end_report(report);
		*report = (struct report){ r->client, r->pfns, r->flags,
					   r->serial };
	}
	report->pfns.last = r->pfns.last;
}

/*
 * Gives back the ranges there, which the caller has made RELEASING. Holds fo_lock,
 * and drops it while pages are given back, unless @keep_lock. @counted: they were
 * counted when they were taken.
 */
static void give_back(struct pfn_range pfns, bool keep_lock, bool counted)
{
	struct report report = {};
	struct fo_range *r;
	unsigned long pfn;

	fo_for_each_range_relocking(r, pfn, pfns) {
		if (counted)
			add_report(&report, r);
		if (!keep_lock)
			mutex_unlock(&fo_lock);
		if (r->flags & FO_RANGE_RETIRED)
			fo_pages_let_go(r->pfns);
		else
			fo_pages_give_back(r->pfns, r->flags);
		if (!keep_lock) {
			cond_resched();
			mutex_lock(&fo_lock);
		}
		fo_ranges_erase(r);
		fo_range_free(r);
	}
	end_report(&report);
}

/* See fo_release(). @counted: the ranges were counted when they were taken. */
static int release(struct fake_offline_client *client,
		   const struct pfn_range *ranges, unsigned int nr,
		   enum fo_wait wait, bool counted)
{
	struct pfn_range all = PFN_RANGE(ranges[0].first, ranges[nr - 1].last);
	struct fo_range *r;
	unsigned int i;
	int ret;

	ret = fo_lock_owned(client, ranges, nr, wait);
	if (ret && ret != -ENOENT && ret != -EPERM)
		trace_fake_offline_release(&all, client->name, 0, ret);
	if (ret)
		return ret;
	for (i = 0; i < nr; i++)
		fo_for_each_range(r, ranges[i])
			fo_range_set_state(r, FO_RANGE_RELEASING);
	for (i = 0; i < nr; i++)
		give_back(ranges[i], wait == FO_TRYLOCK, counted);
	mutex_unlock(&fo_lock);
	if (wait == FO_TRYLOCK) {
		fo_hook_ask();
		return 0;
	}
	for (i = 0; i < nr; i++)
		fo_unplug_unwatch(ranges[i]);
	fo_hook_update(wait > FO_DONT_WAIT);
	return 0;
}

/**
 * fo_release() - give back pages
 * @client: the owner
 * @ranges: PFN ranges, ascending, none of which overlap
 * @nr: number of them
 * @wait: how to wait
 *
 * Pages in online memory go to the buddy allocator. Pages in offline or absent
 * memory are forgotten.
 *
 * Context: sleeps; with FO_TRYLOCK, waits for no other task and for no memory.
 * Inverse: fo_take().
 * Return: 0, or with nothing changed what fo_lock_owned() returns.
 */
int fo_release(struct fake_offline_client *client,
	       const struct pfn_range *ranges, unsigned int nr,
	       enum fo_wait wait)
{
	return release(client, ranges, nr, wait, true);
}

/*
 * The first ranges of @client within these pages that adjoin each other. @serial: of the
 * request that they were taken for, or 0 for any.
 */
static bool first_own(const struct fake_offline_client *client, u16 serial,
		      struct pfn_range within, struct pfn_range *found)
{
	struct fo_range *r;

	*found = NO_PFNS;
	mutex_lock(&fo_lock);
	fo_for_each_range(r, within) {
		bool is_own = r->client == client &&
			      (!serial || r->serial == serial);

		if (found->first > found->last) {
			if (is_own)
				*found = r->pfns;
		} else if (is_own && r->pfns.first == found->last + 1) {
			found->last = r->pfns.last;
		} else {
			break;
		}
	}
	mutex_unlock(&fo_lock);
	return found->first <= found->last;
}

/**
 * fo_release_all() - give back everything
 * @client: the owner
 * @wait: how to wait
 *
 * Context: as fo_release().
 * Return: 0; or the errno of fo_release(), with a part still marked.
 */
int fo_release_all(struct fake_offline_client *client, enum fo_wait wait)
{
	struct pfn_range pfns;
	unsigned long pfn = 0;
	int ret, error = 0;

	while (first_own(client, 0, PFN_RANGE(pfn, ULONG_MAX), &pfns)) {
		ret = fo_release(client, &pfns, 1, wait);
		if (ret == -ENOENT || ret == -EPERM)
			continue;	/* it has changed meanwhile: look again */
		error = error ?: ret;
		if (ret && wait > FO_DONT_WAIT)
			break;
		pfn = pfns.last + 1;
	}
	return error;
}

/* How often ranges of fo_orphans are tried that are busy, or that an operation covers. */
#define FO_ORPHANS_PERIOD	HZ

static void release_orphans(struct work_struct *unused);
static DECLARE_DELAYED_WORK(orphans_work, release_orphans);

static void release_orphans(struct work_struct *unused)
{
	if (fo_release_all(&fo_orphans, FO_DONT_WAIT))
		queue_delayed_work(fo_wq, &orphans_work, FO_ORPHANS_PERIOD);
}

/* Gives ranges to fo_orphans. @serial: 0 for any. */
static void orphan(struct fake_offline_client *client, struct pfn_range pfns,
		   u16 serial)
{
	struct fo_range *r;

	mutex_lock(&fo_lock);
	fo_for_each_range(r, pfns)
		if (r->client == client && (!serial || r->serial == serial))
			r->client = &fo_orphans;
	mutex_unlock(&fo_lock);
	mod_delayed_work(fo_wq, &orphans_work, 0);
}

/**
 * fo_release_or_orphan() - take back what a request took
 * @client: the owner
 * @pfns: of the request
 * @serial: of the request
 * @counted: whether the request was counted when it was taken
 *
 * Another task may have released a part of it, or marked it anew, which shows in
 * another serial number. A fatal signal ends the wait, and so does a hotplug
 * operation of the calling task.
 *
 * Context: sleeps.
 */
void fo_release_or_orphan(struct fake_offline_client *client,
			  struct pfn_range pfns, u16 serial, bool counted)
{
	struct pfn_range own;
	int ret;

	while (first_own(client, serial, pfns, &own)) {
		ret = release(client, &own, 1, FO_WAIT_KILLABLE, counted);
		if (ret == -ENOENT || ret == -EPERM)
			continue;	/* it has changed meanwhile: look again */
		if (ret)
			orphan(client, own, serial);
		pfns.first = own.last + 1;
	}
}

/** fo_orphan_all() - leave everything to fo_orphans; context: sleeps */
void fo_orphan_all(struct fake_offline_client *client)
{
	orphan(client, ALL_PFNS, 0);
}

/** fo_orphans_retry() - a hotplug operation has ended; context: any */
void fo_orphans_retry(void)
{
	/* The work is queued for as long as there are orphans. */
	if (delayed_work_pending(&orphans_work))
		mod_delayed_work(fo_wq, &orphans_work, 0);
}

/**
 * fo_orphans_exit() - give back what clients left
 *
 * Context: module exit. No hotplug operation is in progress: it would hold a
 * reference to the module.
 */
void fo_orphans_exit(void)
{
	cancel_delayed_work_sync(&orphans_work);
	fo_release_all(&fo_orphans, FO_DONT_WAIT);
}
