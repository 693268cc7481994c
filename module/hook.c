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
 * The worker's first turn also tells that no operation is in progress whose GOING came
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

#include "buddy.h"
#include "canary.h"
#include "client.h"
#include "hook.h"
#include "hypervisor.h"
#include "lock.h"
#include "page_state.h"
#include "ranges.h"
#include "stats.h"
#include "trace.h"
#include "transfer.h"

static bool hook_force;
module_param(hook_force, bool, 0644);
MODULE_PARM_DESC(hook_force,
		 "Take the online-page hook although Hyper-V, Xen or virtio-mem need it (default N)");

/* Changed by the worker alone, under fo_lock. */
static enum fo_hook_state state;
/* The worker waits, or is about to wait, for mem_hotplug_lock. Under fo_lock. */
static bool changing;
/* The number of tasks that are about to make a range. Under fo_lock. */
static unsigned int wanted;
/* The worker has had its first turn. */
static bool ready;

/* How many updates were asked for, and up to which they are done. */
static atomic_long_t requested = ATOMIC_LONG_INIT(0);
static atomic_long_t done = ATOMIC_LONG_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(update_wait);

/* How long a task waits for an update that it does not need. */
#define FO_HOOK_PATIENCE	(5 * HZ)
/* How often the worker looks whether an unknown operation has ended. */
#define FO_HOOK_PERIOD		(HZ / 10)

/*
 * Passes on the pages that are not marked and withholds the others, down to single
 * pages. The operation keeps the ranges of this block as they are. fo_lock is for the
 * tree, and is not held while pages are withheld: that waits for readers of
 * /proc/kcore (page_offline_begin()).
 */
static void online_page(struct page *page, unsigned int order)
{
	unsigned long first = page_to_pfn(page);
	struct pfn_range pfns = pfns_until(first, first + (1UL << order));
	struct fo_range *r;
	unsigned long pfn;

	mutex_lock(&fo_lock);
	fo_for_each_range_relocking(r, pfn, pfns) {
		struct pfn_range held = pfns_common(r->pfns, pfns);

		mutex_unlock(&fo_lock);
		fo_to_buddy(pfns_until(first, held.first));
		fo_pages_withhold(held, r->flags & FAKE_OFFLINE_SKIPPABLE);
		/* Its memory was not online before. */
		if (r->flags & FO_RANGE_FILL && r->flags & FAKE_OFFLINE_CANARY)
			fo_canary_fill(held);
		fo_stat_add(FO_STAT_WITHHELD_PAGES, nr_pfns(held));
		mutex_lock(&fo_lock);
		trace_fake_offline_withhold(&held, r->client->name, r->flags, 0);
		first = held.last + 1;
	}
	mutex_unlock(&fo_lock);

	if (first == pfns.first)
		generic_online_page(page, order);
	else
		fo_to_buddy(pfns_until(first, pfns.last + 1));
}

/* Holds fo_lock. */
static bool is_needed(void)
{
	return wanted || !fo_ranges_empty();
}

/* Is the slot held if it is needed, and only then? Holds fo_lock. */
static bool is_right(void)
{
	return state == (is_needed() ? FO_HOOK_HELD : FO_HOOK_FREE);
}

static bool is_missed(void)
{
	return state == FO_HOOK_TAKEN || state == FO_HOOK_LEFT;
}

/*
 * Is a block isolated, because it is going offline? That is how an offlining shows that
 * the module's notifier has not seen yet, or never will. If the block holds its own
 * memmap, the pages of the memmap are first in it, and are not isolated.
 */
static bool any_block_isolated(void)
{
	unsigned long pfn, end;
	struct pfn_range half;
	int nid;

	for_each_online_node(nid) {
		end = node_end_pfn(nid);
		for (pfn = round_down(node_start_pfn(nid), fo_block_pages());
		     pfn < end; pfn += fo_block_pages()) {
			half = fo_block_pfns(fo_block_of(pfn));
			half.first += fo_block_pages() / 2;
			if (pfn_to_online_page(half.first) &&
			    fo_all_isolated(half))
				return true;
		}
	}
	return false;
}

static enum fo_hook_state take(void)
{
	const char *driver = hook_force ? NULL : fo_hypervisor_needs_hook();

	if (!driver && !set_online_page_callback(online_page))
		return FO_HOOK_HELD;
	if (driver && !is_missed())
		pr_notice("the online-page hook is left to %s: blocks with marked pages will not come online\n",
			  driver);
	else if (!is_missed())
		pr_notice("another driver has the online-page hook: blocks with marked pages will not come online again\n");
	return driver ? FO_HOOK_LEFT : FO_HOOK_TAKEN;
}

/* Holds fo_lock, and drops it for what may wait for mem_hotplug_lock. */
static void change(bool need)
{
	enum fo_hook_state was = state, new = FO_HOOK_FREE;
	bool missed = is_missed();

	/* From here on the notifier refuses to let memory go offline. */
	changing = true;
	/* A task that makes a range from here on asks for the slot again. */
	if (!need)
		WRITE_ONCE(state, FO_HOOK_FREE);
	mutex_unlock(&fo_lock);
	if (need)
		new = take();
	/* The first turn has no slot to give up. It waits for an unknown operation. */
	else if (restore_online_page_callback(online_page))
		WARN_ON(was == FO_HOOK_HELD);
	mutex_lock(&fo_lock);
	WRITE_ONCE(state, new);
	changing = false;
	missed ^= is_missed();
	mutex_unlock(&fo_lock);
	if (missed && need)
		fo_clients_tell_hook(new == FO_HOOK_HELD);
	mutex_lock(&fo_lock);
}

static void update(struct work_struct *unused);
static DECLARE_DELAYED_WORK(update_work, update);

static void update(struct work_struct *unused)
{
	long request = atomic_long_read(&requested);
	bool right, busy;

	mutex_lock(&fo_lock);
	right = ready && is_right();
	busy = !right && (fo_operation_is_active() || any_block_isolated());
	if (!right && !busy)
		change(is_needed());
	mutex_unlock(&fo_lock);
	if (busy) {
		/* The end of an operation that is known asks for an update. */
		queue_delayed_work(fo_wq, &update_work, FO_HOOK_PERIOD);
		return;
	}
	WRITE_ONCE(ready, true);
	atomic_long_set(&done, request);
	wake_up_all(&update_wait);
}

/* Asks the worker. Return: the value that @done is to reach. */
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

/* Adds to the number of tasks. Return: is the slot as it should be? */
static bool want(int tasks)
{
	bool right;

	mutex_lock(&fo_lock);
	wanted += tasks;
	right = is_right();
	mutex_unlock(&fo_lock);
	return right;
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

	if (want(1))
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

/* Have the slot if it is needed, and only then. */
static void update_slot(int tasks, bool wait)
{
	long request;

	if (want(tasks))
		return;
	request = ask_for_update();
	if (wait && !fo_operation_is_mine() && !fo_in_callback())
		wait_event_interruptible_timeout(update_wait, is_done(request),
						 FO_HOOK_PATIENCE);
}

/**
 * fo_hook_unwant() - the range exists, or could not be made
 * @wait: as for fo_hook_update()
 *
 * Context: as fo_hook_update(). Inverse: fo_hook_want().
 */
void fo_hook_unwant(bool wait)
{
	update_slot(-1, wait);
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
	update_slot(0, wait);
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
 * online, if ranges exist there.
 */
enum fo_hook_state fo_hook_state(void)
{
	return READ_ONCE(state);
}

/**
 * fo_hook_is_changing() - is the worker changing the slot?
 *
 * The worker either has just finished, which shows in a moment, or waits for the
 * operation of the caller.
 *
 * Context: a GOING notifier; holds fo_lock, which is dropped for a moment.
 * Return: true if no offlining may begin.
 */
bool fo_hook_is_changing(void)
{
	unsigned int tries;

	for (tries = 0; changing && tries < 10; tries++) {
		mutex_unlock(&fo_lock);
		usleep_range(1000, 2000);
		mutex_lock(&fo_lock);
	}
	return changing;
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
