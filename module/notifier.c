// SPDX-License-Identifier: GPL-2.0
/*
 * The memory notifier: the module's part in memory on- and offlining.
 *
 * GOING records the operation (lock.h) and what the module does in it. CANCEL
 * undoes that and nothing else, because it also reaches notifiers that never saw
 * the GOING: a notifier of higher priority may have vetoed before.
 */
#include <linux/memory.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/notifier.h>

#include <linux/fake_offline.h>

#include "block_pfn.h"
#include "client.h"
#include "compat.h"
#include "hook.h"
#include "inject.h"
#include "lock.h"
#include "notifier.h"
#include "page_state.h"
#include "pages.h"
#include "ranges.h"
#include "reason.h"
#include "release.h"
#include "signal.h"
#include "stats.h"
#include "trace.h"
#include "unplug.h"

static unsigned long last_pfn(const struct memory_notify *arg)
{
	return arg->start_pfn + arg->nr_pages - 1;
}

/* Records why the module refuses this operation. Return: @error. */
#define refuse(op, reason, pfn, error, fmt, ...)			\
	fo_fail_hotplug(reason, (op)->first, (op)->last, pfn, error,	\
			fmt, ##__VA_ARGS__)

/*
 * The kernel is about to subtract from the managed pages what the block has of
 * them. Where it counts marked pages among those, which are not managed, add them
 * first: all of them on a kernel that does not know PageOffline there, and the
 * hardware-poisoned ones everywhere. Inverse: unbalance_managed().
 */
static unsigned long miscounted(const struct fo_operation *op)
{
	unsigned long pages = 0;
	struct fo_range *r;

	fo_for_each_range(r, op->first, op->last)
		if (!(r->flags & FO_RANGE_RETIRED))	/* else still managed */
			pages += COMPAT_OFFLINING_SUBTRACTS_PAGE_OFFLINE ?
				 r->last - r->first + 1 :
				 fo_pages_poisoned(r->first, r->last);
	return pages;
}

static void balance_managed(struct fo_operation *op)
{
	op->managed = miscounted(op);
	if (op->managed)
		adjust_managed_page_count(pfn_to_page(op->first), op->managed);
}

/* Pages may have been poisoned since. The memmap is still there. */
static void balance_late(struct fo_operation *op)
{
	long more = miscounted(op) - op->managed;

	if (more)
		adjust_managed_page_count(pfn_to_page(op->first), more);
}

static void unbalance_managed(struct fo_operation *op)
{
	if (op->managed)
		adjust_managed_page_count(pfn_to_page(op->first),
					  -(long)op->managed);
	op->managed = 0;
}

/* Are these pages that offlining is to skip? A retired page it skips in any case. */
static bool is_skipped(const struct fo_range *r)
{
	return (r->flags & (FAKE_OFFLINE_SKIPPABLE | FO_RANGE_RETIRED)) ==
	       FAKE_OFFLINE_SKIPPABLE;
}

/* Inverse of prepare_pages(), for the ranges up to @last. */
static void unprepare_pages(struct fo_operation *op, unsigned long last)
{
	struct fo_range *r;

	fo_for_each_range(r, op->first, last)
		if (is_skipped(r))
			fo_pages_cancel_offline(r->first, r->last);
}

/* Lets offlining skip the skippable pages. */
static int prepare_pages(struct fo_operation *op)
{
	struct fo_range *r;
	unsigned long stray;

	fo_for_each_range(r, op->first, op->last) {
		if (!is_skipped(r) ||
		    !fo_pages_going_offline(r->first, r->last, &stray))
			continue;
		if (r->first > op->first)
			unprepare_pages(op, r->first - 1);
		return refuse(op, FO_STRAY, stray, -EBUSY,
			      "PFN %#lx refused: another task holds a reference to a page marked by %s",
			      stray, r->client->name);
	}
	op->prepared = true;
	return 0;
}

/* The last skippable page: all that can be migrated is, before it refuses. */
static struct page *last_skippable(const struct fo_operation *op)
{
	struct page *page = NULL;
	struct fo_range *r;

	fo_for_each_range(r, op->first, op->last)
		if (is_skipped(r))
			page = pfn_to_page(r->last);
	return page;
}

/* Prepares what makes the kernel fail later. Inverse: disarm_late(). */
static void arm_late(struct fo_operation *op)
{
	struct page *page;

	switch (fo_inject_armed(FO_INJECT_OFFLINE_LATE)) {
	case -EBUSY:
		page = last_skippable(op);
		if (page && fo_inject(FO_INJECT_OFFLINE_LATE, op->first,
				      op->last)) {
			fo_page_refuse(page);
			op->refusing = page;
		}
		break;
	case -EINTR:
		if (fo_inject(FO_INJECT_OFFLINE_LATE, op->first, op->last)) {
			op->signalled = true;
			fo_signal_fake(current);
		}
		break;
	}
}

static void disarm_late(struct fo_operation *op)
{
	if (op->refusing)
		fo_page_skip_again(op->refusing);
	if (op->signalled)
		fo_signal_forget();
}

/* The next CANCEL without an operation is the module's own doing. */
static bool refused_before;

/* Fails before anything is recorded, so that the CANCEL finds no operation. */
static int inject_before(enum fo_inject_point point,
			 const struct memory_notify *arg)
{
	int ret = fo_inject(point, arg->start_pfn, last_pfn(arg));

	refused_before = ret;
	if (ret)
		fo_fail_hotplug(FO_INJECTED, arg->start_pfn, last_pfn(arg), -1,
				ret,
				"vetoed: injected before the module's own work, errno %d",
				ret);
	return ret;
}

static int inject_after(enum fo_inject_point point,
			const struct fo_operation *op)
{
	int ret = fo_inject(point, op->first, op->last);

	return ret ? refuse(op, FO_INJECTED, -1, ret,
			    "vetoed: injected after the module's own work, errno %d",
			    ret) : 0;
}

/*
 * Records the operation, and waits for what is busy there. Holds fo_lock. @op is
 * NULL if nothing is recorded.
 */
static int begin(enum fo_direction dir, const struct memory_notify *arg,
		 struct fo_operation **op)
{
	struct fo_operation what = {
		.first = arg->start_pfn,
		.last = last_pfn(arg),
	};
	int ret;

	*op = NULL;
	refused_before = true;
	/* The worker would wait for this operation, and nothing could end that. */
	if (dir == FO_OFFLINING && !fo_hook_settles())
		return refuse(&what, FO_HOOK_CHANGES, -1, -EBUSY,
			      "the module is changing the online-page hook; try again");
	ret = fo_operation_begin(dir, what.first, what.last, op);
	if (ret == -EBUSY)
		return refuse(&what, FO_UNLOADING, -1, ret,
			      "the module is being unloaded");
	refused_before = false;
	if (ret)
		refuse(&what, FO_INTERRUPTED, -1, ret,
		       "interrupted by a signal while pages there were being marked or given back");
	return ret;
}

/*
 * An alloc_contig_range() that raced with the isolation, which comes before the
 * announcement, may have undone some of it: see try_allocate() in pages.c. None of
 * the module's own can any more, now that the operation is recorded.
 */
static int check_isolated(const struct fo_operation *op)
{
	if (fo_all_isolated(op->first, op->last))
		return 0;
	return refuse(op, FO_ISOLATED, -1, -EBUSY,
		      "another task was allocating pages there at the same time, and undid the isolation");
}

/* Where the kernel would skip unskippable pages, too, the module refuses. */
static int check_skippable(const struct fo_operation *op)
{
	struct fo_range *r;

	if (!fo_skips_unskippable())
		return 0;
	fo_for_each_range(r, op->first, op->last) {
		if (r->flags & FAKE_OFFLINE_SKIPPABLE)
			continue;
		return fo_fail(FO_FAILED_HOTPLUG, FO_UNSKIPPABLE, op->first,
			       op->last, r->first, r->client->name, -EBUSY,
			       "PFN %#lx refused: marked unskippable by %s",
			       r->first, r->client->name);
	}
	return 0;
}

/* Inverse: cancel_offline(). */
static int going_offline(const struct memory_notify *arg)
{
	struct fo_operation *op;
	int ret;

	fo_stat_inc(FO_STAT_OFFLINE_ATTEMPTS);
	ret = inject_before(FO_INJECT_OFFLINE_BEFORE, arg);
	if (ret)
		return ret;

	mutex_lock(&fo_lock);
	ret = begin(FO_OFFLINING, arg, &op);
	if (!ret)
		ret = check_isolated(op);
	if (!ret)
		ret = check_skippable(op);
	mutex_unlock(&fo_lock);

	if (!ret)
		ret = fo_clients_ask(op);

	mutex_lock(&fo_lock);
	if (!ret)
		ret = prepare_pages(op);
	if (!ret) {
		balance_managed(op);
		ret = inject_after(FO_INJECT_OFFLINE_AFTER, op);
	}
	if (!ret)
		arm_late(op);
	else if (op)
		op->vetoed = true;
	mutex_unlock(&fo_lock);
	trace_fake_offline_going_offline(arg->start_pfn, last_pfn(arg), "-", 0,
					 ret);
	return ret;
}

/* Tells the clients, and ends the operation. Holds fo_lock, and drops it. */
static void finish(struct fo_operation *op, enum fo_outcome outcome)
{
	mutex_unlock(&fo_lock);
	fo_clients_tell(op, outcome);
	mutex_lock(&fo_lock);
	fo_operation_end(op);
	fo_orphans_retry();
	fo_hook_ask();
}

static void explain_early_cancel(const struct memory_notify *arg)
{
	if (!refused_before)
		fo_fail_hotplug(FO_VETOED, arg->start_pfn, last_pfn(arg), -1,
				-ECANCELED,
				"vetoed by another notifier, before this module's");
	refused_before = false;
}

static void cancel_offline(const struct memory_notify *arg)
{
	struct fo_operation *op;

	mutex_lock(&fo_lock);
	op = fo_operation_find(FO_OFFLINING, arg->start_pfn);
	trace_fake_offline_cancel(arg->start_pfn, last_pfn(arg), "-", 0, !op);
	if (op) {
		fo_explain_cancel(op);
		disarm_late(op);
		unbalance_managed(op);
		if (op->prepared)
			unprepare_pages(op, op->last);
		finish(op, FO_CANCELLED);
		fo_stat_inc(FO_STAT_OFFLINE_CANCELLED);
	} else {
		explain_early_cancel(arg);
		fo_stat_inc(FO_STAT_OFFLINE_CANCELLED_EARLY);
	}
	mutex_unlock(&fo_lock);
}

/* The ranges there change from one state to the other. Holds fo_lock. */
static void set_states(const struct fo_operation *op, enum fo_range_state from,
		       enum fo_range_state to)
{
	struct fo_range *r;

	fo_for_each_range(r, op->first, op->last) {
		if (r->state != from)
			continue;
		fo_range_set_state(r, to);
		/* Whatever comes back is withheld like any other page. */
		r->flags &= to == FO_RANGE_IN_FORCE ? ~FO_RANGE_FILL :
						      ~FO_RANGE_RETIRED;
	}
}

static void gone_offline(const struct memory_notify *arg)
{
	struct fo_operation *op;

	mutex_lock(&fo_lock);
	op = fo_operation_find(FO_OFFLINING, arg->start_pfn);
	if (op) {
		balance_late(op);
		set_states(op, FO_RANGE_IN_FORCE, FO_RANGE_WAITING);
		finish(op, FO_DONE);
	}
	trace_fake_offline_offline(arg->start_pfn, last_pfn(arg), "-", 0, 0);
	fo_stat_inc(FO_STAT_OFFLINE_DONE);
	mutex_unlock(&fo_lock);
}

/* A block with ranges must not come online without a hook that withholds them. */
static int check_hook(const struct fo_operation *op)
{
	unsigned long pages = 0;
	struct fo_range *r;

	fo_for_each_range(r, op->first, op->last)
		pages += r->last - r->first + 1;
	if (!pages || fo_hook_state() == FO_HOOK_HELD)
		return 0;
	fo_stat_inc(FO_STAT_ONLINE_VETOED);
	/* Another driver may have given it back: then the next try works. */
	fo_hook_ask();
	return refuse(op, FO_NO_HOOK, -1, -EBUSY,
		      fo_hook_state() == FO_HOOK_LEFT ?
		      "refusing to online: %lu pages are marked, and the online-page hook is left to a driver of the hypervisor" :
		      "refusing to online: %lu pages are marked, and another driver has the online-page hook",
		      pages);
}

/*
 * The first pages of a block may hold its own memmap (memmap_on_memory). They never
 * pass the hook, and are not part of the operation.
 */
static int check_memmap(const struct fo_operation *op)
{
	unsigned long first = fo_block_first(fo_block_of(op->first));
	struct fo_range *r;

	if (first == op->first)
		return 0;
	r = fo_ranges_first(first, op->first - 1);
	if (!r)
		return 0;
	fo_stat_inc(FO_STAT_ONLINE_VETOED);
	return fo_fail(FO_FAILED_HOTPLUG, FO_OWN_MEMMAP, op->first, op->last,
		       r->first, r->client->name, -EBUSY,
		       "refusing to online: PFN %#lx, marked by %s, is in the block's own memmap",
		       r->first, r->client->name);
}

/* Inverse: cancel_online(). */
static int going_online(const struct memory_notify *arg)
{
	struct fo_operation *op;
	int ret;

	fo_stat_inc(FO_STAT_ONLINE_ATTEMPTS);
	ret = inject_before(FO_INJECT_ONLINE_BEFORE, arg);
	if (ret)
		return ret;

	mutex_lock(&fo_lock);
	ret = begin(FO_ONLINING, arg, &op);
	/* Is it the block that it was, or another one in its place? */
	if (!ret)
		fo_unplug_forget(arg->start_pfn);
	if (!ret)
		ret = check_memmap(op);
	if (!ret)
		ret = check_hook(op);
	mutex_unlock(&fo_lock);

	if (!ret)
		ret = fo_clients_ask(op);

	mutex_lock(&fo_lock);
	if (!ret)
		ret = inject_after(FO_INJECT_ONLINE_AFTER, op);
	if (op)
		op->vetoed = ret;
	mutex_unlock(&fo_lock);
	return ret;
}

static void cancel_online(const struct memory_notify *arg)
{
	struct fo_operation *op;

	mutex_lock(&fo_lock);
	op = fo_operation_find(FO_ONLINING, arg->start_pfn);
	if (op) {
		if (!op->vetoed)
			refuse(op, FO_VETOED, -1, -ECANCELED,
			       "vetoed by another notifier, after this module's");
		finish(op, FO_CANCELLED);
		fo_stat_inc(FO_STAT_ONLINE_CANCELLED);
	} else {
		explain_early_cancel(arg);
		fo_stat_inc(FO_STAT_ONLINE_CANCELLED_EARLY);
	}
	mutex_unlock(&fo_lock);
}

static void come_online(const struct memory_notify *arg)
{
	struct fo_operation *op;

	mutex_lock(&fo_lock);
	op = fo_operation_find(FO_ONLINING, arg->start_pfn);
	if (op) {
		set_states(op, FO_RANGE_WAITING, FO_RANGE_IN_FORCE);
		/* Ranges that waited for the block to come go with it, too. */
		mutex_unlock(&fo_lock);
		fo_unplug_watch(op->first);
		mutex_lock(&fo_lock);
		finish(op, FO_DONE);
	}
	fo_stat_inc(FO_STAT_ONLINE_DONE);
	mutex_unlock(&fo_lock);
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
 * An operation whose GOING came before it may be in flight: see hook.c.
 *
 * Context: sleeps. Inverse: fo_notifier_unregister().
 * Return: 0, or the errno of register_memory_notifier().
 */
int fo_notifier_register(void)
{
	return register_memory_notifier(&notifier);
}

/**
 * fo_notifier_unregister() - take part no more
 *
 * Context: sleeps; waits for a notifier that runs, but not for an operation. No
 * range exists any more.
 */
void fo_notifier_unregister(void)
{
	unregister_memory_notifier(&notifier);
}
