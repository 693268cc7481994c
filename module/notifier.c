// SPDX-License-Identifier: GPL-2.0
/*
 * The memory notifier: our part in memory on- and offlining.
 *
 * GOING records a flight (gate.h) and what we do in it; CANCEL undoes that and
 * nothing else, because it reaches also those who never saw the GOING: a
 * notifier of higher priority may have vetoed before us.
 */
#include <linux/memory.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/notifier.h>

#include <linux/fake_offline.h>

#include "block_pfn.h"
#include "client.h"
#include "compat.h"
#include "gate.h"
#include "hook.h"
#include "inject.h"
#include "notifier.h"
#include "page_state.h"
#include "ranges.h"
#include "signal.h"
#include "stats.h"
#include "take.h"
#include "trace.h"
#include "unplug.h"
#include "why.h"

static unsigned long last_pfn(const struct memory_notify *arg)
{
	return arg->start_pfn + arg->nr_pages - 1;
}

/*
 * The kernel is about to subtract from the managed pages what the block has of
 * them. Where it counts pages of ours among those, which are not managed, add
 * them first: all of them on a kernel that does not know PageOffline, and the
 * hardware-poisoned ones everywhere. Inverse: unbalance_managed().
 */
static unsigned long subtracted(const struct fo_flight *flight)
{
	unsigned long from, to, pages = 0;
	struct fo_extent e;

	fo_for_each_extent(e, flight->first, flight->last) {
		if (e.range->flags & FO_RANGE_UNTAKEN)
			continue;
		from = max(e.first, flight->first);
		to = min(e.last, flight->last);
		pages += COMPAT_OFFLINING_SUBTRACTS_PAGE_OFFLINE ?
			 to - from + 1 : fo_pages_poisoned(from, to);
	}
	return pages;
}

static void balance_managed(struct fo_flight *flight)
{
	flight->managed = subtracted(flight);
	if (flight->managed)
		adjust_managed_page_count(pfn_to_page(flight->first),
					  flight->managed);
}

/* Pages may have been poisoned since. The memmap is still there. */
static void balance_late(struct fo_flight *flight)
{
	long more = subtracted(flight) - flight->managed;

	if (more)
		adjust_managed_page_count(pfn_to_page(flight->first), more);
}

static void unbalance_managed(struct fo_flight *flight)
{
	if (flight->managed)
		adjust_managed_page_count(pfn_to_page(flight->first),
					  -(long)flight->managed);
	flight->managed = 0;
}

/* Are these marked pages, which offlining is to skip? */
static bool is_skipped(const struct fo_range *range)
{
	return (range->flags & (FAKE_OFFLINE_SKIPPABLE | FO_RANGE_UNTAKEN)) ==
	       FAKE_OFFLINE_SKIPPABLE;
}

/* Inverse of prepare_pages(), for the ranges up to @last. */
static void unprepare_pages(struct fo_flight *flight, unsigned long last)
{
	struct fo_extent e;

	fo_for_each_extent(e, flight->first, last)
		if (is_skipped(e.range))
			fo_pages_cancel_offline(max(e.first, flight->first),
						min(e.last, last));
}

/* Lets offlining skip the skippable pages. */
static int prepare_pages(struct fo_flight *flight)
{
	unsigned long from, stray;
	struct fo_extent e;

	fo_for_each_extent(e, flight->first, flight->last) {
		if (!is_skipped(e.range))
			continue;
		from = max(e.first, flight->first);
		if (!fo_pages_going_offline(from, min(e.last, flight->last),
					    &stray))
			continue;
		if (from > flight->first)
			unprepare_pages(flight, from - 1);
		fo_why_set(flight->first, flight->last, stray, -EBUSY,
			   "PFN %#lx refused: somebody holds a reference to a page marked by %s",
			   stray, e.range->client->name);
		return -EBUSY;
	}
	flight->prepared = true;
	return 0;
}

/* The last skippable page: all that can be migrated is, before it refuses. */
static struct page *last_skippable(const struct fo_flight *flight)
{
	struct page *page = NULL;
	struct fo_extent e;

	fo_for_each_extent(e, flight->first, flight->last)
		if (is_skipped(e.range))
			page = pfn_to_page(min(e.last, flight->last));
	return page;
}

/* Prepares what makes the kernel fail later. Inverse: disarm_late(). */
static void arm_late(struct fo_flight *flight)
{
	struct page *page;

	switch (fo_inject_armed(FO_INJECT_OFFLINE_LATE)) {
	case -EBUSY:
		page = last_skippable(flight);
		if (page && fo_inject(FO_INJECT_OFFLINE_LATE, flight->first,
				      flight->last)) {
			fo_page_refuse(page);
			flight->refusing = page;
		}
		break;
	case -EINTR:
		if (fo_inject(FO_INJECT_OFFLINE_LATE, flight->first,
				      flight->last)) {
			flight->signalled = true;
			fo_signal_fake(current);
		}
		break;
	}
}

static void disarm_late(struct fo_flight *flight)
{
	if (flight->refusing)
		fo_page_skip_again(flight->refusing);
	if (flight->signalled)
		fo_signal_forget();
}

/* The next CANCEL without a flight is our own doing. Exclusive by hotplug. */
static bool vetoed_before;

/* Fails before we have done anything, so that the CANCEL finds no flight. */
static int inject_before(enum fo_inject_point point,
			 const struct memory_notify *arg)
{
	int ret = fo_inject(point, arg->start_pfn, last_pfn(arg));

	vetoed_before = ret;
	if (ret)
		fo_why_set(arg->start_pfn, last_pfn(arg), -1, ret,
			   "vetoed: injected before our own work, errno %d",
			   ret);
	return ret;
}

static int inject_after(enum fo_inject_point point,
			const struct fo_flight *flight)
{
	int ret = fo_inject(point, flight->first, flight->last);

	if (ret)
		fo_why_set(flight->first, flight->last, -1, ret,
			   "vetoed: injected after our own work, errno %d",
			   ret);
	return ret;
}

/* Records the flight, and waits for what is busy there. Holds fo_gate. */
static int begin(enum fo_direction dir, const struct memory_notify *arg,
		 struct fo_flight **flight)
{
	int ret = fo_flight_begin(dir, arg->start_pfn, last_pfn(arg), flight);

	if (ret)
		fo_why_set(arg->start_pfn, last_pfn(arg), -1, ret,
			   "interrupted by a signal while pages there were being marked or given back");
	return ret;
}

/*
 * An alloc_contig_range() that raced with the isolation, which comes before the
 * announcement, may have undone some of it: see allocate(). Nobody of ours can any
 * more, now that the flight is recorded.
 */
static int check_isolated(const struct fo_flight *flight)
{
	if (fo_all_isolated(flight->first, flight->last))
		return 0;
	fo_why_set(flight->first, flight->last, -1, -EBUSY,
		   "somebody was allocating pages there at the same time, and undid the isolation");
	return -EBUSY;
}

/*
 * What is being taken through this very offlining must be all within it: the
 * first pages of a block may hold its own memmap, and never leave.
 */
static int check_pending(const struct fo_flight *flight)
{
	unsigned long first = fo_block_first(fo_block_of(flight->first));
	struct fo_extent e;

	if (!fo_cycle_is_mine())
		return 0;
	fo_for_each_extent(e, first, flight->last) {
		if (!(e.range->flags & FO_RANGE_UNTAKEN) ||
		    (e.first >= flight->first && e.last <= flight->last))
			continue;
		fo_why_set(flight->first, flight->last, e.first, -EBUSY,
			   "PFN %#lx cannot be taken: the block's own memmap",
			   e.first);
		return -EBUSY;
	}
	return 0;
}

/*
 * Pages that are being taken through a cycle have left with their block. It may
 * be another's offlining that took them: it is all the same.
 */
static void take_pending(const struct fo_flight *flight)
{
	struct fo_extent e;

	fo_for_each_extent(e, flight->first, flight->last)
		if (e.first >= flight->first && e.last <= flight->last)
			e.range->flags &= ~FO_RANGE_UNTAKEN;
}

/* Inverse: cancel_offline(). */
static int going_offline(const struct memory_notify *arg)
{
	struct fo_flight *flight;
	int ret;

	fo_stat_inc(FO_STAT_OFFLINE_ATTEMPTS);
	ret = inject_before(FO_INJECT_OFFLINE_BEFORE, arg);
	if (ret)
		return ret;

	mutex_lock(&fo_gate);
	ret = begin(FO_OFFLINING, arg, &flight);
	if (!ret)
		ret = check_isolated(flight);
	if (!ret)
		ret = check_pending(flight);
	fo_flight_calls_clients(flight, true);
	mutex_unlock(&fo_gate);

	if (!ret)
		ret = fo_clients_ask(flight->first, flight->last);

	mutex_lock(&fo_gate);
	fo_flight_calls_clients(flight, false);
	if (!ret)
		ret = prepare_pages(flight);
	if (!ret) {
		balance_managed(flight);
		ret = inject_after(FO_INJECT_OFFLINE_AFTER, flight);
	}
	if (!ret)
		arm_late(flight);
	else
		flight->vetoed = true;
	mutex_unlock(&fo_gate);
	trace_fake_offline_going_offline(arg->start_pfn, last_pfn(arg), ret);
	return ret;
}

/* Tells the clients, and ends the flight. */
static void land(struct fo_flight *flight, enum fo_event event)
{
	fo_flight_calls_clients(flight, true);
	mutex_unlock(&fo_gate);
	fo_clients_tell(event, flight->first, flight->last);
	mutex_lock(&fo_gate);
	fo_flight_end(flight);
}

static void why_cancelled_early(const struct memory_notify *arg)
{
	if (!vetoed_before)
		fo_why_set(arg->start_pfn, last_pfn(arg), -1, -ECANCELED,
			   "vetoed by another notifier, before ours");
	vetoed_before = false;
}

static void cancel_offline(const struct memory_notify *arg)
{
	struct fo_flight *flight;

	mutex_lock(&fo_gate);
	flight = fo_flight_find(FO_OFFLINING, arg->start_pfn);
	trace_fake_offline_cancel(arg->start_pfn, last_pfn(arg), !flight);
	if (flight) {
		fo_why_cancelled(flight);
		disarm_late(flight);
		unbalance_managed(flight);
		if (flight->prepared)
			unprepare_pages(flight, flight->last);
		land(flight, FO_CANCEL_OFFLINE);
		fo_stat_inc(FO_STAT_OFFLINE_CANCELLED);
	} else {
		why_cancelled_early(arg);
		fo_stat_inc(FO_STAT_OFFLINE_CANCELLED_EARLY);
	}
	mutex_unlock(&fo_gate);
}

static void gone_offline(const struct memory_notify *arg)
{
	struct fo_flight *flight;

	mutex_lock(&fo_gate);
	flight = fo_flight_find(FO_OFFLINING, arg->start_pfn);
	if (flight) {
		balance_late(flight);
		take_pending(flight);
		land(flight, FO_OFFLINE);
	}
	trace_fake_offline_offline(arg->start_pfn, last_pfn(arg), 0);
	fo_stat_inc(FO_STAT_OFFLINE_DONE);
	mutex_unlock(&fo_gate);
}

/* Is it the block that it was, or another one in its place? */
static int forget_predecessor(const struct fo_flight *flight)
{
	int ret = fo_unplug_forget(flight->first, flight->last);

	if (ret)
		fo_why_set(flight->first, flight->last, -1, ret,
			   "refusing to online: no memory to forget the marks of the block that was there");
	return ret;
}

/* A block with marks must not come online with nobody to withhold them. */
static int check_hook(const struct fo_flight *flight)
{
	unsigned long pages = fo_ranges_pages(flight->first, flight->last);

	if (!pages || fo_hook_state() == FO_HOOK_HELD)
		return 0;
	fo_stat_inc(FO_STAT_ONLINE_VETOED);
	fo_why_set(flight->first, flight->last, -1, -EBUSY,
		   "refusing to online: %lu pages are marked, and another driver has the online-page hook",
		   pages);
	/* It may have been given back since we asked; then it works next time. */
	fo_hook_ask();
	return -EBUSY;
}

/* Inverse: cancel_online(). */
static int going_online(const struct memory_notify *arg)
{
	struct fo_flight *flight;
	int ret;

	fo_stat_inc(FO_STAT_ONLINE_ATTEMPTS);
	ret = inject_before(FO_INJECT_ONLINE_BEFORE, arg);
	if (ret)
		return ret;

	mutex_lock(&fo_gate);
	ret = begin(FO_ONLINING, arg, &flight);
	mutex_unlock(&fo_gate);

	if (!ret)
		ret = forget_predecessor(flight);

	mutex_lock(&fo_gate);
	if (!ret)
		ret = check_hook(flight);
	if (!ret)
		ret = inject_after(FO_INJECT_ONLINE_AFTER, flight);
	flight->vetoed = ret;
	mutex_unlock(&fo_gate);
	return ret;
}

static void cancel_online(const struct memory_notify *arg)
{
	struct fo_flight *flight;

	mutex_lock(&fo_gate);
	flight = fo_flight_find(FO_ONLINING, arg->start_pfn);
	if (flight) {
		if (!flight->vetoed)
			fo_why_set(flight->first, flight->last, -1,
				   -ECANCELED,
				   "vetoed by another notifier, after ours");
		fo_flight_end(flight);
		fo_stat_inc(FO_STAT_ONLINE_CANCELLED);
	} else {
		why_cancelled_early(arg);
		fo_stat_inc(FO_STAT_ONLINE_CANCELLED_EARLY);
	}
	mutex_unlock(&fo_gate);
}

static void come_online(const struct memory_notify *arg)
{
	struct fo_flight *flight;

	mutex_lock(&fo_gate);
	flight = fo_flight_find(FO_ONLINING, arg->start_pfn);
	if (flight)
		land(flight, FO_ONLINE);
	fo_stat_inc(FO_STAT_ONLINE_DONE);
	mutex_unlock(&fo_gate);
}

static int notify(struct notifier_block *nb, unsigned long action, void *arg)
{
	int ret = 0;

	switch (action) {
	case MEM_GOING_OFFLINE:
		ret = going_offline(arg);
		break;
	case MEM_CANCEL_OFFLINE:
		cancel_offline(arg);
		break;
	case MEM_OFFLINE:
		gone_offline(arg);
		break;
	case MEM_GOING_ONLINE:
		ret = going_online(arg);
		break;
	case MEM_CANCEL_ONLINE:
		cancel_online(arg);
		break;
	case MEM_ONLINE:
		come_online(arg);
		break;
	}
	return notifier_from_errno(ret);
}

static struct notifier_block notifier = { .notifier_call = notify };

/**
 * fo_notifier_register() - take part in memory hotplug
 *
 * When it returns, no operation is in flight whose GOING we did not see.
 *
 * Context: sleeps. Inverse: fo_notifier_unregister().
 * Return: 0, or the errno of register_memory_notifier().
 */
int fo_notifier_register(void)
{
	int ret = register_memory_notifier(&notifier);

	if (!ret)
		fo_hook_wait_for_hotplug();
	return ret;
}

/**
 * fo_notifier_unregister() - take part no more
 *
 * Context: sleeps. There are no ranges any more.
 */
void fo_notifier_unregister(void)
{
	unregister_memory_notifier(&notifier);
}
