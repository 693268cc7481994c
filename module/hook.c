// SPDX-License-Identifier: GPL-2.0
/*
 * The online-page hook. When a memory block comes online, online_pages() hands
 * every page to one global callback. A page that the callback does not pass on to
 * generic_online_page() never reaches the buddy allocator.
 *
 * There is one slot. The module holds it while ranges exist, and not longer, and
 * leaves it to a driver of the hypervisor that needs it (hypervisor.c). Without the
 * slot, marking works all the same, and the notifier refuses to let a block with
 * ranges come online (notifier.c).
 *
 * set_online_page_callback() and its inverse wait for mem_hotplug_lock, and nothing
 * ends that wait, while an offlining may never end. So only a worker calls them, and
 * only while no hotplug operation is known. If an offlining was about to begin all
 * the same, the notifier refuses it. No task ever waits for the slot for long: it is
 * needed when a block with ranges comes online, and not before.
 *
 * The worker's first turn also tells that no operation is in flight whose GOING came
 * before the module was loaded. Until then, no range can be made.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <linux/fake_offline_test.h>

#include "block_pfn.h"
#include "canary.h"
#include "client.h"
#include "hook.h"
#include "hypervisor.h"
#include "lock.h"
#include "page_state.h"
#include "pages.h"
#include "ranges.h"
#include "stats.h"
#include "trace.h"

static bool hook_force;
module_param(hook_force, bool, 0644);
MODULE_PARM_DESC(hook_force,
		 "Take the online-page hook although Hyper-V, Xen or virtio-mem need it (default N)");

/* Changed by the worker alone. */
static enum fo_hook_state state;
/* The worker is giving the slot back, unless a task wants it after all. */
static bool leaving;
/* The worker waits, or is about to wait, for mem_hotplug_lock. Under fo_lock. */
static bool changing;
/* The worker has had its first turn. */
static bool ready;
/* The number of tasks that are about to make a range. */
static atomic_t wanted = ATOMIC_INIT(0);

/* How many updates were asked for, and up to which they are done. */
static atomic_long_t requested = ATOMIC_LONG_INIT(0);
static atomic_long_t done = ATOMIC_LONG_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(update_wait);

/* How long a task waits that need not. */
#define FO_HOOK_PATIENCE	(5 * HZ)
/* How often the worker looks whether an unknown operation has ended. */
#define FO_HOOK_PERIOD		(HZ / 10)

/*
 * Passes on what is not marked and withholds the rest, down to single pages.
 * The operation keeps the ranges of this block as they are. fo_lock is for the tree.
 */
static void online_page(struct page *page, unsigned int order)
{
	unsigned long first = page_to_pfn(page);
	unsigned long last = first + (1UL << order) - 1;
	unsigned long pfn = first;
	struct fo_range *r;

	mutex_lock(&fo_lock);
	fo_for_each_range(r, first, last) {
		unsigned long from = max(r->first, first);
		unsigned long to = min(r->last, last);

		if (pfn < from)
			fo_to_buddy(pfn, from - 1);
		fo_pages_withhold(from, to, r->flags & FAKE_OFFLINE_SKIPPABLE);
		/* Its memory was not online before. */
		if (r->flags & FO_RANGE_FILL && r->flags & FAKE_OFFLINE_CANARY)
			fo_canary_fill(from, to);
		fo_stat_add(FO_STAT_WITHHELD_PAGES, to - from + 1);
		trace_fake_offline_withhold(from, to, r->client->name, r->flags,
					    0);
		pfn = to + 1;
	}
	mutex_unlock(&fo_lock);

	if (pfn == first)
		generic_online_page(page, order);
	else if (pfn <= last)
		fo_to_buddy(pfn, last);
}

static bool is_needed(void)
{
	return atomic_read(&wanted) || !fo_ranges_empty();
}

/*
 * Is the slot the module's, and will it stay so for as long as it is needed? The
 * caller has just changed what is_needed() looks at. Either the worker sees that
 * after it has set @leaving, and keeps the slot; or the caller sees @leaving here.
 */
static bool is_ours(void)
{
	smp_mb();	/* pairs with the one in give_back() */
	/* A caller that no longer sees @leaving sees the state, too. */
	return !smp_load_acquire(&leaving) && READ_ONCE(state) == FO_HOOK_HELD;
}

static void set_state(enum fo_hook_state new)
{
	bool had = state == FO_HOOK_HELD, has = new == FO_HOOK_HELD;
	bool missed = state == FO_HOOK_TAKEN || state == FO_HOOK_LEFT;
	bool misses = new == FO_HOOK_TAKEN || new == FO_HOOK_LEFT;

	WRITE_ONCE(state, new);
	if ((misses && !missed) || (has && !had && missed))
		fo_clients_tell_hook(has);
}

static void give_back(void)
{
	WRITE_ONCE(leaving, true);
	smp_mb();	/* pairs with the one in is_ours() */
	if (!is_needed()) {
		if (state == FO_HOOK_HELD)
			WARN_ON(restore_online_page_callback(online_page));
		set_state(FO_HOOK_FREE);
	}
	smp_store_release(&leaving, false);	/* after the state */
}

static void take(void)
{
	const char *driver = hook_force ? NULL : fo_hypervisor_needs_hook();

	if (driver) {
		if (state != FO_HOOK_LEFT)
			pr_notice("the online-page hook is left to %s: blocks with marked pages will not come online\n",
				  driver);
		set_state(FO_HOOK_LEFT);
	} else if (!set_online_page_callback(online_page)) {
		set_state(FO_HOOK_HELD);
	} else {
		if (state != FO_HOOK_TAKEN)
			pr_notice("another driver has the online-page hook: blocks with marked pages will not come online again\n");
		set_state(FO_HOOK_TAKEN);
	}
}

/*
 * Is a block all isolated, because it is going offline? That is how an offlining
 * shows that the module's notifier has not seen yet, or never will.
 */
static bool any_block_isolated(void)
{
	unsigned long pfn, end;
	int nid;

	for_each_online_node(nid) {
		end = node_end_pfn(nid);
		for (pfn = round_down(node_start_pfn(nid), fo_block_pages());
		     pfn < end; pfn += fo_block_pages())
			if (pfn_to_online_page(pfn) &&
			    fo_all_isolated(pfn, pfn + fo_block_pages() - 1))
				return true;
	}
	return false;
}

/*
 * From here on the notifier refuses to let memory go offline. The inverse is
 * end_change(). Return: false if an operation is in flight.
 */
static bool begin_change(void)
{
	mutex_lock(&fo_lock);
	changing = !fo_operation_is_active() && !any_block_isolated();
	mutex_unlock(&fo_lock);
	return changing;
}

static void end_change(void)
{
	mutex_lock(&fo_lock);
	changing = false;
	mutex_unlock(&fo_lock);
}

static void update(struct work_struct *unused);
static DECLARE_DELAYED_WORK(update_work, update);

static void update(struct work_struct *unused)
{
	long request = atomic_long_read(&requested);
	bool need = is_needed();

	if (!begin_change()) {
		/* The end of an operation that is known asks for an update. */
		queue_delayed_work(fo_wq, &update_work, FO_HOOK_PERIOD);
		return;
	}
	if (!ready) {
		/* This fails, because the slot is not held, but has its turn. */
		restore_online_page_callback(online_page);
		WRITE_ONCE(ready, true);
	}
	if (need && state != FO_HOOK_HELD)
		take();
	else if (!need && state != FO_HOOK_FREE)
		give_back();
	end_change();
	atomic_long_set(&done, request);
	wake_up_all(&update_wait);
}

/* Asks the worker. Return: what @done is to reach. */
static long ask_for_update(void)
{
	long request = atomic_long_inc_return(&requested);

	mod_delayed_work(fo_wq, &update_work, 0);
	return request;
}

static bool is_done(long request)
{
	return atomic_long_read(&done) - request >= 0 ||
	       fo_operation_is_active();
}

/**
 * fo_hook_want() - a range is about to be made
 * @wait: wait for the worker's first turn; and for a moment, so that the slot is
 *	held when the range exists
 *
 * Context: sleeps. Not from a notifier or a callback, not while holding a busy
 * range. Inverse: fo_hook_unwant(), also after an error.
 * Return: 0; -EAGAIN: would wait; -EINTR.
 */
int fo_hook_want(bool wait)
{
	long request;

	atomic_inc(&wanted);
	if (is_ours())
		return 0;
	request = ask_for_update();
	if (!wait)
		return READ_ONCE(ready) ? 0 : -EAGAIN;
	if (wait_event_interruptible(update_wait, READ_ONCE(ready)))
		return -EINTR;
	wait_event_interruptible_timeout(update_wait, is_done(request),
					 FO_HOOK_PATIENCE);
	return 0;
}

/**
 * fo_hook_unwant() - the range exists, or could not be made
 * @wait: as for fo_hook_update()
 *
 * Context: as fo_hook_update(). Inverse: fo_hook_want().
 */
void fo_hook_unwant(bool wait)
{
	atomic_dec(&wanted);
	fo_hook_update(wait);
}

/**
 * fo_hook_update() - have the slot if it is needed, and only then
 * @wait: wait for a moment, so that the slot is as it should be when the caller's
 *	own work is done
 *
 * Context: sleeps with @wait, not under fo_lock. It does not wait where the worker
 * may be waiting for the caller.
 */
void fo_hook_update(bool wait)
{
	bool need = is_needed();
	long request;

	if (need ? is_ours() : READ_ONCE(state) == FO_HOOK_FREE)
		return;
	request = ask_for_update();
	if (wait && !fo_operation_is_mine() && !fo_clients_calling())
		wait_event_interruptible_timeout(update_wait, is_done(request),
						 FO_HOOK_PATIENCE);
}

/**
 * fo_hook_ask() - fo_hook_update() some time
 *
 * Context: any.
 */
void fo_hook_ask(void)
{
	ask_for_update();
}

/**
 * fo_hook_state() - whose the slot is, as far as the module knows
 *
 * Context: any.
 * Return: the state. From MEM_GOING_ONLINE on, HELD stays true until the block is
 * online: giving the slot back waits for the hotplug operation.
 */
enum fo_hook_state fo_hook_state(void)
{
	return READ_ONCE(state);
}

/**
 * fo_hook_settles() - may an offlining begin?
 *
 * The worker either has just finished, which shows in a moment, or waits for the
 * operation of the caller.
 *
 * Context: a GOING notifier; holds fo_lock, which is dropped for a moment.
 * Return: false if the worker is changing the slot.
 */
bool fo_hook_settles(void)
{
	unsigned int tries;

	for (tries = 0; changing && tries < 10; tries++) {
		mutex_unlock(&fo_lock);
		usleep_range(1000, 2000);
		mutex_lock(&fo_lock);
	}
	return !changing;
}

/** fo_hook_init() - module init, the notifier is registered; does not wait */
void fo_hook_init(void)
{
	ask_for_update();
}

/**
 * fo_hook_exit() - give the slot back
 *
 * Context: module exit, no range exists. The notifier is still registered, and
 * refuses every hotplug operation, so that this does not wait for one.
 */
void fo_hook_exit(void)
{
	cancel_delayed_work_sync(&update_work);
	if (state == FO_HOOK_HELD)
		WARN_ON(restore_online_page_callback(online_page));
	state = FO_HOOK_FREE;
}

/**
 * fo_hook_stop() - end the worker
 *
 * A notifier that was still running may have asked for an update since.
 *
 * Context: module exit, after fo_hook_exit() and fo_notifier_unregister().
 */
void fo_hook_stop(void)
{
	cancel_delayed_work_sync(&update_work);
}
