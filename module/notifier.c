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
#include <linux/printk.h>
#include <linux/sched/signal.h>

#include <linux/fake_offline.h>

#include "compat.h"
#include "gate.h"
#include "hook.h"
#include "inject.h"
#include "notifier.h"
#include "page_state.h"
#include "ranges.h"
#include "stats.h"

static unsigned long last_pfn(const struct memory_notify *arg)
{
	return arg->start_pfn + arg->nr_pages - 1;
}

/*
 * Where the kernel is about to subtract every page of the block from the
 * managed pages, ours included, which are not managed: add them first.
 * Inverse: unbalance_managed().
 */
static void balance_managed(struct fo_flight *flight)
{
	if (!COMPAT_OFFLINING_SUBTRACTS_PAGE_OFFLINE)
		return;
	flight->managed = fo_ranges_pages(flight->first, flight->last);
	adjust_managed_page_count(pfn_to_page(flight->first), flight->managed);
}

static void unbalance_managed(struct fo_flight *flight)
{
	adjust_managed_page_count(pfn_to_page(flight->first),
				  -(long)flight->managed);
}

/* The last skippable page: all that can be migrated is, before it refuses. */
static struct page *last_skippable(const struct fo_flight *flight)
{
	struct page *page = NULL;
	struct fo_extent e;

	fo_for_each_extent(e, flight->first, flight->last)
		if (e.range->flags & FAKE_OFFLINE_SKIPPABLE)
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
		if (page && fo_inject(FO_INJECT_OFFLINE_LATE) &&
		    fo_page_refuse(page))
			flight->refusing = page;
		break;
	case -EINTR:
		if (fo_inject(FO_INJECT_OFFLINE_LATE)) {
			flight->signalled = true;
			set_thread_flag(TIF_SIGPENDING);
		}
		break;
	}
}

static void disarm_late(struct fo_flight *flight)
{
	struct sighand_struct *sighand;

	if (flight->refusing)
		fo_page_skip_again(flight->refusing);
	if (flight->signalled) {
		/* A task that runs keeps its own sighand. */
		sighand = rcu_dereference_protected(current->sighand, true);
		spin_lock_irq(&sighand->siglock);
		recalc_sigpending();
		spin_unlock_irq(&sighand->siglock);
	}
}

/* Inverse: cancel_offline(). */
static int going_offline(const struct memory_notify *arg)
{
	struct fo_flight *flight;
	int ret;

	fo_stat_inc(FO_STAT_OFFLINE_ATTEMPTS);
	ret = fo_inject(FO_INJECT_OFFLINE_BEFORE);
	if (ret)
		return ret;

	mutex_lock(&fo_gate);
	flight = fo_flight_begin(FO_OFFLINING, arg->start_pfn, last_pfn(arg));
	balance_managed(flight);
	ret = fo_inject(FO_INJECT_OFFLINE_AFTER);
	if (!ret)
		arm_late(flight);
	mutex_unlock(&fo_gate);
	return ret;
}

static void cancel_offline(const struct memory_notify *arg)
{
	struct fo_flight *flight;

	mutex_lock(&fo_gate);
	flight = fo_flight_find(FO_OFFLINING, arg->start_pfn);
	if (flight) {
		disarm_late(flight);
		unbalance_managed(flight);
		fo_flight_end(flight);
		fo_stat_inc(FO_STAT_OFFLINE_CANCELLED);
	} else {
		fo_stat_inc(FO_STAT_OFFLINE_CANCELLED_EARLY);
	}
	mutex_unlock(&fo_gate);
}

static void gone_offline(const struct memory_notify *arg)
{
	struct fo_flight *flight;

	mutex_lock(&fo_gate);
	flight = fo_flight_find(FO_OFFLINING, arg->start_pfn);
	if (flight)
		fo_flight_end(flight);
	fo_stat_inc(FO_STAT_OFFLINE_DONE);
	mutex_unlock(&fo_gate);
}

/* A block with marks must not come online with nobody to withhold them. */
static int check_hook(const struct memory_notify *arg)
{
	unsigned long pages = fo_ranges_pages(arg->start_pfn, last_pfn(arg));

	if (!pages || fo_hook_state() == FO_HOOK_HELD)
		return 0;
	fo_stat_inc(FO_STAT_ONLINE_VETOED);
	pr_warn("refusing to online PFN %#lx-%#lx: %lu pages there are marked, and another driver has the online-page hook\n",
		arg->start_pfn, last_pfn(arg), pages);
	return -EBUSY;
}

/* Inverse: cancel_online(). */
static int going_online(const struct memory_notify *arg)
{
	int ret;

	fo_stat_inc(FO_STAT_ONLINE_ATTEMPTS);
	ret = fo_inject(FO_INJECT_ONLINE_BEFORE);
	if (ret)
		return ret;

	mutex_lock(&fo_gate);
	fo_flight_begin(FO_ONLINING, arg->start_pfn, last_pfn(arg));
	ret = check_hook(arg);
	if (!ret)
		ret = fo_inject(FO_INJECT_ONLINE_AFTER);
	mutex_unlock(&fo_gate);
	return ret;
}

static void cancel_online(const struct memory_notify *arg)
{
	struct fo_flight *flight;

	mutex_lock(&fo_gate);
	flight = fo_flight_find(FO_ONLINING, arg->start_pfn);
	if (flight) {
		fo_flight_end(flight);
		fo_stat_inc(FO_STAT_ONLINE_CANCELLED);
	} else {
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
		fo_flight_end(flight);
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
