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
#include <linux/atomic.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/printk.h>
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
 * Protects the slot's state. Order: hook_mutex -> mem_hotplug_lock (in
 * set_online_page_callback()) -> fo_gate. Never taken by a notifier or the hook.
 */
static DEFINE_MUTEX(hook_mutex);
static enum fo_hook_state state;
/* Those who are about to make a range. */
static atomic_t wanted = ATOMIC_INIT(0);

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

static void update(struct work_struct *unused)
{
	bool need;

	mutex_lock(&hook_mutex);
	need = atomic_read(&wanted) || !fo_ranges_empty();
	if (need && state != FO_HOOK_HELD) {
		if (!set_online_page_callback(online_page)) {
			WRITE_ONCE(state, FO_HOOK_HELD);
		} else if (state != FO_HOOK_TAKEN) {
			WRITE_ONCE(state, FO_HOOK_TAKEN);
			pr_notice("another driver has the online-page hook: blocks with marked pages will not come online again\n");
		}
	} else if (!need) {
		if (state == FO_HOOK_HELD)
			WARN_ON(restore_online_page_callback(online_page));
		WRITE_ONCE(state, FO_HOOK_FREE);
	}
	mutex_unlock(&hook_mutex);
}

static DECLARE_WORK(update_work, update);

/**
 * fo_hook_update() - take the slot if we need it, give it back if we don't
 *
 * Context: sleeps, waits for a hotplug operation in flight; from a notifier or
 * a client's callback, which cannot wait for that, it is done later. Not while holding a busy
 * range.
 */
void fo_hook_update(void)
{
	if (fo_flight_is_mine() || fo_clients_calling())
		schedule_work(&update_work);
	else
		update(NULL);
}

/**
 * fo_hook_finish() - wait for what was put off
 *
 * Context: module exit, no range exists.
 */
void fo_hook_finish(void)
{
	flush_work(&update_work);
}

/**
 * fo_hook_want() - a range is about to be made: have the slot first
 *
 * Context: as fo_hook_update(). Inverse: fo_hook_unwant().
 */
void fo_hook_want(void)
{
	atomic_inc(&wanted);
	fo_hook_update();
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
