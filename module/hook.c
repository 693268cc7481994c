// SPDX-License-Identifier: GPL-2.0
/*
 * The online-page hook. When a memory block comes online, online_pages() hands
 * every page to one global callback; what that does not pass on to
 * generic_online_page() never reaches the buddy allocator.
 *
 * There is one slot, and virtio-mem and the Hyper-V and Xen balloons want it
 * too. We hold it while ranges exist, and not longer. If another driver has it,
 * marking works all the same, and the notifier refuses to let a block with
 * marks come online (notifier.c).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/jiffies.h>
#include <linux/printk.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <linux/fake_offline.h>

#include "client.h"
#include "gate.h"
#include "hook.h"
#include "page_state.h"
#include "ranges.h"
#include "stats.h"
#include "take.h"
#include "trace.h"

/*
 * Changed by the worker alone, which waits for mem_hotplug_lock, in
 * set_online_page_callback(). Nobody else does: that wait cannot be interrupted.
 */
static enum fo_hook_state state;
/* It is giving the slot back, unless somebody wants it after all. */
static bool leaving;
/* Those who are about to make a range. */
static atomic_t wanted = ATOMIC_INIT(0);

/* How many updates were asked for, and up to which they are done. */
static atomic_long_t requested = ATOMIC_LONG_INIT(0);
static atomic_long_t done = ATOMIC_LONG_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(update_wait);

/* How long those wait who need not. */
#define FO_HOOK_PATIENCE	(5 * HZ)

/*
 * Passes on what is not marked and withholds the rest, down to single pages.
 * The flight keeps the ranges of this block as they are; the gate's lock is for
 * the tree.
 */
static void online_page(struct page *page, unsigned int order)
{
	unsigned long first = page_to_pfn(page);
	unsigned long last = first + (1UL << order) - 1;
	unsigned long pfn = first;
	struct fo_extent e;

	mutex_lock(&fo_gate);
	fo_for_each_extent(e, first, last) {
		unsigned long from = max(e.first, first);
		unsigned long to = min(e.last, last);

		if (pfn < from)
			fo_to_buddy(pfn, from - 1);
		fo_pages_withhold(from, to,
				  e.range->flags & FAKE_OFFLINE_SKIPPABLE);
		/* Taken through this cycle, they don't have it yet. */
		if (e.range->flags & FO_RANGE_PENDING &&
		    e.range->flags & FAKE_OFFLINE_CANARY)
			fo_canary_fill(from, to);
		fo_stat_add(FO_STAT_WITHHELD_PAGES, to - from + 1);
		trace_fake_offline_withhold(from, to, 0);
		pfn = to + 1;
	}
	mutex_unlock(&fo_gate);

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
 * Is the slot ours, and will it stay so for as long as it is needed? Whoever asks
 * has just changed what is_needed() looks at. Either the worker sees that after
 * having said that it is leaving, and stays; or here it is seen to leave.
 */
static bool is_ours(void)
{
	smp_mb();	/* pairs with the one in give_back() */
	/* Who sees that it is not leaving any more sees the state, too. */
	return !smp_load_acquire(&leaving) && READ_ONCE(state) == FO_HOOK_HELD;
}

static void give_back(void)
{
	WRITE_ONCE(leaving, true);
	smp_mb();	/* pairs with the one in is_ours() */
	if (!is_needed()) {
		if (state == FO_HOOK_HELD)
			WARN_ON(restore_online_page_callback(online_page));
		WRITE_ONCE(state, FO_HOOK_FREE);
	}
	smp_store_release(&leaving, false);	/* after the state */
}

static void update(struct work_struct *unused)
{
	long request = atomic_long_read(&requested);
	bool need = is_needed();

	if (need && state != FO_HOOK_HELD) {
		if (!set_online_page_callback(online_page)) {
			WRITE_ONCE(state, FO_HOOK_HELD);
		} else if (state != FO_HOOK_TAKEN) {
			WRITE_ONCE(state, FO_HOOK_TAKEN);
			pr_notice("another driver has the online-page hook: blocks with marked pages will not come online again\n");
		}
	} else if (!need) {
		give_back();
	}
	atomic_long_set(&done, request);
	wake_up_all(&update_wait);
}

static DECLARE_WORK(update_work, update);

/* Asks the worker. Return: what "done" is to reach. */
static long ask_for_update(void)
{
	long request = atomic_long_inc_return(&requested);

	schedule_work(&update_work);
	return request;
}

static bool is_done(long request)
{
	return atomic_long_read(&done) - request >= 0;
}

/**
 * fo_hook_want() - a range is about to be made: have the slot first
 *
 * Context: sleeps; if the slot is not ours yet, waits for a hotplug operation
 * in flight. Not from a notifier or a callback, not while holding a busy range.
 * Inverse: fo_hook_unwant(), also after an error.
 * Return: 0, -EINTR.
 */
int fo_hook_want(void)
{
	long request;

	atomic_inc(&wanted);
	if (is_ours())
		return 0;
	request = ask_for_update();
	return wait_event_interruptible(update_wait, is_done(request)) ?
		-EINTR : 0;
}

/**
 * fo_hook_unwant() - the range exists, or could not be made
 *
 * Context: as fo_hook_update(). Inverse: fo_hook_want().
 */
void fo_hook_unwant(void)
{
	atomic_dec(&wanted);
	fo_hook_update();
}

/**
 * fo_hook_update() - take the slot if we need it, give it back if we don't
 *
 * It is done in a worker, which is not bothered while the slot is ours and needed:
 * who ends the need comes here, too. Where the caller can wait, it waits for a
 * moment, so that the slot is as it should be when the caller's own work is done;
 * but no longer, since a hotplug operation in flight may take for ever.
 *
 * Context: sleeps, not under fo_gate.
 */
void fo_hook_update(void)
{
	long request;

	if (is_ours() && is_needed())
		return;
	request = ask_for_update();
	if (!fo_flight_is_mine() && !fo_clients_calling())
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
 * fo_hook_finish() - wait for what was put off
 *
 * Context: module exit, no range exists, and no notifier asks for more.
 */
void fo_hook_finish(void)
{
	flush_work(&update_work);
}

/**
 * fo_hook_state() - whose the slot is, as far as we know
 *
 * Context: any. From MEM_GOING_ONLINE on, HELD stays true until the block is
 * online: giving the slot back waits for the hotplug operation.
 * Return: FO_HOOK_FREE, _HELD or _TAKEN.
 */
enum fo_hook_state fo_hook_state(void)
{
	return READ_ONCE(state);
}

/**
 * fo_hook_wait_for_hotplug() - wait until a hotplug operation in flight is over
 *
 * Nothing of the hotplug locks is exported. Giving back the slot, which we
 * don't hold, fails, but only after it has waited for its turn.
 *
 * Context: sleeps. Not from a notifier or a hook, not while we hold the slot.
 */
void fo_hook_wait_for_hotplug(void)
{
	restore_online_page_callback(online_page);
}
