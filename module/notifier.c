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

#include "buddy.h"
#include "client.h"
#include "compat.h"
#include "hook.h"
#include "inject.h"
#include "lock.h"
#include "notifier.h"
#include "page_state.h"
#include "ranges.h"
#include "reason.h"
#include "release.h"
#include "signal.h"
#include "stats.h"
#include "trace.h"
#include "unplug.h"

/* The differences between an offline and an online operation. */
static const struct {
	enum fo_inject_point before, after;
	enum fo_stat attempts, done, cancelled, cancelled_early;
} directions[] = {
	[FO_OFFLINING] = {
		FO_INJECT_OFFLINE_BEFORE, FO_INJECT_OFFLINE_AFTER,
		FO_STAT_OFFLINE_ATTEMPTS, FO_STAT_OFFLINE_DONE,
		FO_STAT_OFFLINE_CANCELLED, FO_STAT_OFFLINE_CANCELLED_EARLY,
	},
	[FO_ONLINING] = {
		FO_INJECT_ONLINE_BEFORE, FO_INJECT_ONLINE_AFTER,
		FO_STAT_ONLINE_ATTEMPTS, FO_STAT_ONLINE_DONE,
		FO_STAT_ONLINE_CANCELLED, FO_STAT_ONLINE_CANCELLED_EARLY,
	},
};

/* Records why the module refuses this operation. Return: @error. */
#define refuse(op, reason, pfn, error, fmt, ...)			\
	fo_fail_hotplug(reason, (op)->pfns, pfn, error, fmt, ##__VA_ARGS__)

/*
 * The number of marked pages that the kernel is about to subtract from the managed
 * pages. They are not managed, so the module adds them first. An older kernel does not
 * look at PageOffline there and subtracts all of them. A newer kernel subtracts only
 * the hardware-poisoned ones.
 */
static unsigned long miscounted(const struct fo_operation *op)
{
	unsigned long pages = 0;
	struct fo_range *r;

	fo_for_each_range(r, op->pfns)
		if (!(r->flags & FO_RANGE_RETIRED))	/* else still managed */
			pages += COMPAT_OFFLINING_SUBTRACTS_PAGE_OFFLINE ?
				 nr_pfns(r->pfns) : fo_pages_poisoned(r->pfns);
	return pages;
}

static void add_managed(struct fo_operation *op, long pages)
{
	if (pages)
		adjust_managed_page_count(pfn_to_page(op->pfns.first), pages);
	op->managed += pages;
}

/* Are these pages that offlining is to skip? A retired page it skips in any case. */
static bool is_skipped(const struct fo_range *r)
{
	return (r->flags & (FAKE_OFFLINE_SKIPPABLE | FO_RANGE_RETIRED)) ==
	       FAKE_OFFLINE_SKIPPABLE;
}

/* Inverse of drop_refs(), for the ranges there. */
static void restore_refs(struct pfn_range pfns)
{
	struct fo_range *r;

	fo_for_each_range(r, pfns)
		if (is_skipped(r))
			fo_pages_restore_refs(r->pfns);
}

/* Skippable pages lose their reference, if they have one, or the module refuses. */
static int drop_refs(struct fo_operation *op)
{
	struct fo_range *r;
	unsigned long stray;

	if (!fo_drops_refs_to_offline())
		return 0;
	fo_for_each_range(r, op->pfns) {
		if (!is_skipped(r) || !fo_pages_drop_refs(r->pfns, &stray))
			continue;
		restore_refs(pfns_until(op->pfns.first, r->pfns.first));
		return refuse(op, FAKE_OFFLINE_REASON_STRAY, stray, -EBUSY,
			      "PFN %#lx refused: another task holds a reference to a page marked by %s",
			      stray, r->client->name);
	}
	op->refs_dropped = true;
	return 0;
}

/* The last skippable page: all that can be migrated is, before it refuses. */
static struct page *last_skippable(const struct fo_operation *op)
{
	struct page *page = NULL;
	struct fo_range *r;

	fo_for_each_range(r, op->pfns)
		if (is_skipped(r))
			page = pfn_to_page(r->pfns.last);
	return page;
}

/* Prepares what makes the kernel fail later. Inverse: disarm_late(). */
static void arm_late(struct fo_operation *op)
{
	struct page *page;

	switch (fo_inject_armed(FO_INJECT_OFFLINE_LATE)) {
	case -EBUSY:
		page = last_skippable(op);
		if (page && fo_inject(FO_INJECT_OFFLINE_LATE, op->pfns)) {
			fo_page_refuse(page);
			op->refusing = page;
		}
		break;
	case -EINTR:
		if (fo_inject(FO_INJECT_OFFLINE_LATE, op->pfns)) {
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

/* The module refused an operation before it recorded it, so a CANCEL will come. */
static bool refused_before;

/*
 * Records the operation, and waits for what is busy there. Holds fo_lock. @op is
 * NULL if nothing is recorded: the CANCEL then finds no operation.
 */
static int begin(enum fo_direction dir, struct pfn_range pfns,
		 struct fo_operation **op)
{
	int ret = fo_inject(directions[dir].before, pfns);

	*op = NULL;
	refused_before = true;
	if (ret)
		return fo_fail_hotplug(FAKE_OFFLINE_REASON_INJECTED, pfns, -1, ret,
				       "vetoed: injected before the module's own work, errno %d",
				       ret);
	/* The worker would wait for this operation, and nothing could end that. */
	if (dir == FO_OFFLINING && fo_hook_is_changing())
		return fo_fail_hotplug(FAKE_OFFLINE_REASON_HOOK_CHANGES, pfns, -1, -EBUSY,
				       "the module is changing the online-page hook; try again");
	ret = fo_operation_begin(dir, pfns, op);
	if (ret == -EBUSY)
		return fo_fail_hotplug(FAKE_OFFLINE_REASON_UNLOADING, pfns, -1, ret,
				       "the module is being unloaded");
	refused_before = false;
	if (ret)
		refuse(*op, FAKE_OFFLINE_REASON_INTERRUPTED, -1, ret,
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
	if (fo_all_isolated(op->pfns))
		return 0;
	return refuse(op, FAKE_OFFLINE_REASON_ISOLATED, -1, -EBUSY,
		      "another task was allocating pages there at the same time, and undid the isolation");
}

/* The module refuses if the kernel would skip unskippable pages as well. */
static int check_skippable(const struct fo_operation *op)
{
	struct fo_range *r;

	if (!fo_skips_unskippable())
		return 0;
	fo_for_each_range(r, op->pfns)
		if (!(r->flags & FAKE_OFFLINE_SKIPPABLE))
			return fo_fail(FO_FAILED_HOTPLUG, FAKE_OFFLINE_REASON_UNSKIPPABLE,
				       op->pfns, r->pfns.first, r->client->name,
				       -EBUSY,
				       "PFN %#lx refused: marked unskippable by %s",
				       r->pfns.first, r->client->name);
	return 0;
}

/*
 * The first pages of a block may hold its own memmap (memmap_on_memory). They never
 * pass the hook, and are not part of the operation.
 */
static int check_memmap(const struct fo_operation *op)
{
	struct pfn_range block = fo_block_pfns(fo_block_of(op->pfns.first));
	struct pfn_range memmap = pfns_until(block.first, op->pfns.first);
	struct fo_range *r = fo_ranges_first(memmap);

	if (!r)
		return 0;
	fo_stat_inc(FO_STAT_ONLINE_VETOED);
	return fo_fail(FO_FAILED_HOTPLUG, FAKE_OFFLINE_REASON_OWN_MEMMAP, op->pfns, r->pfns.first,
		       r->client->name, -EBUSY,
		       "refusing to online: PFN %#lx, marked by %s, is in the block's own memmap",
		       r->pfns.first, r->client->name);
}

/* A block with ranges must not come online without a hook that withholds them. */
static int check_hook(const struct fo_operation *op)
{
	enum fo_hook_state state = fo_hook_state();
	unsigned long pages = 0;
	struct fo_range *r;

	fo_for_each_range(r, op->pfns)
		pages += nr_pfns(r->pfns);
	if (!pages || state == FO_HOOK_HELD)
		return 0;
	fo_stat_inc(FO_STAT_ONLINE_VETOED);
	/* Another driver may have given it back: then the next try works. */
	fo_hook_ask();
	return refuse(op, state == FO_HOOK_FREE ? FAKE_OFFLINE_REASON_HOOK_CHANGES : FAKE_OFFLINE_REASON_NO_HOOK,
		      -1, -EBUSY, "refusing to online: %lu pages are marked, and %s",
		      pages, state == FO_HOOK_LEFT ?
		      "the online-page hook is left to a driver of the hypervisor" :
		      state == FO_HOOK_TAKEN ?
		      "another driver has the online-page hook" :
		      "the module is taking the online-page hook; try again");
}

/* May it begin? Holds fo_lock. */
static int check(const struct fo_operation *op)
{
	int ret;

	if (op->dir == FO_OFFLINING)
		return check_isolated(op) ?: check_skippable(op);
	/* Is it the block that it was, or another one in its place? */
	fo_unplug_forget(op->pfns.first);
	ret = check_memmap(op);
	return ret ?: check_hook(op);
}

/* Prepares it. Holds fo_lock. Inverse: undo_offlining(). */
static int prepare(struct fo_operation *op)
{
	int ret = 0;

	if (op->dir == FO_OFFLINING) {
		ret = drop_refs(op);
		if (ret)
			return ret;
		add_managed(op, miscounted(op));
	}
	ret = fo_inject(directions[op->dir].after, op->pfns);
	if (ret)
		return refuse(op, FAKE_OFFLINE_REASON_INJECTED, -1, ret,
			      "vetoed: injected after the module's own work, errno %d",
			      ret);
	if (op->dir == FO_OFFLINING)
		arm_late(op);
	return 0;
}

/* Inverse: cancel(). */
static int going(enum fo_direction dir, struct pfn_range pfns)
{
	struct fo_operation *op;
	int ret;

	fo_stat_inc(directions[dir].attempts);
	mutex_lock(&fo_lock);
	ret = begin(dir, pfns, &op);
	if (!ret)
		ret = check(op);
	mutex_unlock(&fo_lock);

	if (!ret)
		ret = fo_clients_ask(op);

	mutex_lock(&fo_lock);
	if (!ret)
		ret = prepare(op);
	if (op)
		op->vetoed = ret;
	mutex_unlock(&fo_lock);
	if (op && dir == FO_OFFLINING)
		trace_fake_offline_going_offline(&pfns, "-", 0, ret);
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

static void undo_offlining(struct fo_operation *op)
{
	fo_explain_cancel(op);
	disarm_late(op);
	add_managed(op, -(long)op->managed);
	if (op->refs_dropped)
		restore_refs(op->pfns);
}

static void cancel(enum fo_direction dir, struct pfn_range pfns)
{
	struct fo_operation *op;

	mutex_lock(&fo_lock);
	op = fo_operation_find(dir, pfns.first);
	if (dir == FO_OFFLINING)
		trace_fake_offline_cancel(&pfns, "-", 0, !op);
	if (!op && !refused_before)
		fo_fail_hotplug(FAKE_OFFLINE_REASON_VETOED, pfns, -1, -ECANCELED,
				"vetoed by another notifier, before this module's");
	refused_before = false;
	if (op && dir == FO_OFFLINING)
		undo_offlining(op);
	else if (op && !op->vetoed)
		refuse(op, FAKE_OFFLINE_REASON_VETOED, -1, -ECANCELED,
		       "vetoed by another notifier, after this module's");
	if (op)
		finish(op, FO_CANCELLED);
	fo_stat_inc(op ? directions[dir].cancelled :
			 directions[dir].cancelled_early);
	mutex_unlock(&fo_lock);
}

/* The ranges there change from one state to the other. Holds fo_lock. */
static void set_states(const struct fo_operation *op, enum fo_range_state from,
		       enum fo_range_state to)
{
	struct fo_range *r;

	fo_for_each_range(r, op->pfns) {
		if (r->state != from)
			continue;
		fo_range_set_state(r, to);
		if (to == FO_RANGE_IN_FORCE) {
			r->flags &= ~FO_RANGE_FILL;
		} else if (r->flags & FO_RANGE_RETIRED) {
			/* If the page comes back, it is withheld like any other page. */
			r->flags &= ~FO_RANGE_RETIRED;
			r->flags |= FO_RANGE_FILL;
		}
	}
}

static void done(enum fo_direction dir, struct pfn_range pfns)
{
	struct fo_operation *op;
	bool marked;

	mutex_lock(&fo_lock);
	op = fo_operation_find(dir, pfns.first);
	if (op && dir == FO_OFFLINING) {
		/* Pages may have been poisoned since. The memmap is still there. */
		add_managed(op, miscounted(op) - op->managed);
		set_states(op, FO_RANGE_IN_FORCE, FO_RANGE_WAITING);
	} else if (op) {
		set_states(op, FO_RANGE_WAITING, FO_RANGE_IN_FORCE);
	}
	if (op)
		finish(op, FO_DONE);
	if (dir == FO_OFFLINING)
		trace_fake_offline_offline(&pfns, "-", 0, 0);
	fo_stat_inc(directions[dir].done);
	marked = fo_ranges_first(pfns);
	mutex_unlock(&fo_lock);
	/* Ranges that waited for the block to come go with it, too. */
	if (dir == FO_ONLINING && marked)
		fo_unplug_watch(pfns.first);
}

static int notify(struct notifier_block *nb, unsigned long action, void *data)
{
	const struct memory_notify *arg = data;
	struct pfn_range pfns = pfns_until(arg->start_pfn,
					   arg->start_pfn + arg->nr_pages);
	int ret = 0;

	switch (action) {
	case MEM_GOING_OFFLINE:
		ret = going(FO_OFFLINING, pfns);
		break;
	case MEM_CANCEL_OFFLINE:
		cancel(FO_OFFLINING, pfns);
		break;
	case MEM_OFFLINE:
		done(FO_OFFLINING, pfns);
		break;
	case MEM_GOING_ONLINE:
		ret = going(FO_ONLINING, pfns);
		break;
	case MEM_CANCEL_ONLINE:
		cancel(FO_ONLINING, pfns);
		break;
	case MEM_ONLINE:
		done(FO_ONLINING, pfns);
		break;
	}
	return notifier_from_errno(ret);
}

static struct notifier_block notifier = { .notifier_call = notify };

/**
 * fo_notifier_register() - take part in memory hotplug
 *
 * An operation whose GOING came before it may be in progress: see hook.c.
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
