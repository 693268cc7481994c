// SPDX-License-Identifier: GPL-2.0
/*
 * Taking pages through an offline and online of their memory block: the hook
 * withholds what is wanted and gives back the rest. Where the kernel zeroes all
 * that it allocates, that is much cheaper than to allocate a whole block, and it
 * does not split it page by page.
 *
 * By itself the module does so for whole blocks only, which are free but for a
 * few pages that can move, and it gives up soon: those that are in the way keep
 * it waiting, which alloc_contig_range() would not do. On demand it takes any
 * part of a block, and for as long as it takes.
 *
 * A cycle (gate.c) keeps other marks out of the block meanwhile. Nothing is held,
 * though, so somebody else may take the block offline or online in between. It
 * does not matter who does it, since what is wanted stands in the tree from the
 * start, and is marked from the moment when the block is offline.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/page-flags.h>
#include <linux/workqueue.h>

#include <linux/fake_offline.h>

#include "block.h"
#include "block_pfn.h"
#include "gate.h"
#include "hook.h"
#include "inject.h"
#include "log.h"
#include "page_state.h"
#include "ranges.h"
#include "reserve.h"
#include "signal.h"
#include "stats.h"
#include "take.h"
#include "through.h"
#include "unplug.h"
#include "why.h"

static bool through = true;
module_param(through, bool, 0644);
MODULE_PARM_DESC(through,
		 "Take whole, nearly free memory blocks through offlining and onlining them where that is cheaper, not only on demand (default Y)");

/* Of a block that is to go offline unasked, at most this share may be in use. */
#define FO_THROUGH_IN_USE(pages)	((pages) / 64)

/* For so long pages in use may be in the way, when it was not asked for. */
#define FO_THROUGH_PATIENCE	(2 * HZ)

/* How often a block is brought back. The pauses double, from 10 ms. */
#define FO_THROUGH_TRIES	6

/**
 * struct cycle - a part of a memory block that is being taken
 * @number: of the block
 * @block_first: first PFN of the block
 * @block_last: last PFN of it
 * @first: first PFN that is wanted
 * @last: last PFN
 * @flags: FAKE_OFFLINE_*
 * @forced: it was asked for
 * @type: the online type that gives the block the zone it was in
 * @serial: of the range
 * @left: it was us who took the block offline
 * @back: and it has been online again
 */
struct cycle {
	unsigned long number;
	unsigned long block_first;
	unsigned long block_last;
	unsigned long first;
	unsigned long last;
	unsigned int flags;
	bool forced;
	const char *type;
	u16 serial;
	bool left;
	bool back;
};

/**
 * fo_through_wanted() - are whole blocks to be taken so, if nobody says how?
 *
 * It is the zeroing that makes allocating dear. Without it, the other way is no
 * cheaper: it waits for a grace period of RCU, and for each CPU.
 *
 * Context: any.
 * Return: whether they are.
 */
bool fo_through_wanted(void)
{
	return READ_ONCE(through) && want_init_on_alloc(GFP_KERNEL);
}

/* What a block is made of, before it goes. */
struct content {
	unsigned long in_use;	/* and can move */
	unsigned long offline;	/* PageOffline */
	bool stuck;		/* there is what cannot move */
};

/* The number of pages that can be passed over from here. */
static unsigned long look_at_page(struct page *page, unsigned long most,
				  struct content *content)
{
	unsigned long order;

	if (PageBuddy(page)) {
		/* It may be taken just now: then this is anything. */
		order = READ_ONCE(page_private(page));
		return order < BITS_PER_LONG && 1UL << order <= most ?
		       1UL << order : 1;
	}
	if (PageOffline(page))
		content->offline++;
	else if (PageReserved(page))
		content->stuck = true;
	else if (PageLRU(page))
		content->in_use++;
	else if (!page_ref_count(page) && !PageCompound(page))
		;	/* on its way to or from the buddy */
	else if (is_zone_movable_page(page))
		content->in_use++;	/* on its way to the LRU lists */
	else
		content->stuck = true;
	return 1;
}

/* Looks at the whole block. Holds fo_gate. */
static int look_at_block(const struct cycle *c, struct content *content)
{
	struct page *page = pfn_to_online_page(c->block_first);
	struct zone *zone = page ? page_zone(page) : NULL;
	unsigned long pfn;

	for (pfn = c->block_first; pfn <= c->block_last;) {
		page = pfn_to_online_page(pfn);
		if (!page || page_zone(page) != zone)
			return -EOPNOTSUPP;
		/* A newer kernel would not let it come back. */
		if (PageHWPoison(page))
			return -EHWPOISON;
		pfn += look_at_page(page, c->block_last - pfn + 1, content);
		if (IS_ALIGNED(pfn, pageblock_nr_pages))
			cond_resched();
	}
	return 0;
}

/* The online type, which says the zone; the others cannot be told. */
static const char *type_of(const struct cycle *c)
{
	switch (page_zonenum(pfn_to_page(c->first))) {
	case ZONE_MOVABLE:
		return "online_movable";
	case ZONE_NORMAL:
		return "online_kernel";
	default:
		return NULL;
	}
}

/* May the block go, and will it come back as it was? Holds fo_gate. */
static int check_block(struct cycle *c)
{
	unsigned long pages = c->block_last - c->block_first + 1;
	unsigned long marked = fo_ranges_pages(c->block_first, c->block_last);
	struct content content = {};
	int ret;

	c->type = type_of(c);
	/* With debug_pagealloc, free pages are not mapped; who has them wants it. */
	if (!c->type || debug_pagealloc_enabled())
		return -EOPNOTSUPP;
	if (fo_hook_state() != FO_HOOK_HELD)
		return -EBUSY;
	ret = look_at_block(c, &content);
	if (ret)
		return ret;
	/* What others have taken out of use there would come back as free. */
	if (content.offline != marked)
		return -EBUSY;
	if (!c->forced &&
	    (content.stuck || content.in_use > FO_THROUGH_IN_USE(pages)))
		return -EBUSY;
	/* For a moment all of it is away. */
	return fo_reserve_check(pages - marked);
}

/* Lets a pending range in. */
static int begin(struct cycle *c, struct fake_offline_client *client,
		 enum fo_wait wait)
{
	struct fo_extent e;
	int ret;

	ret = fo_cycle_begin(c->block_first, c->block_last, wait);
	if (ret)
		return ret;
	if (fo_ranges_next(c->first, c->last, &e))
		ret = -EEXIST;
	if (!ret)
		ret = fo_check_online(c->first, c->last);
	if (!ret) {
		ret = check_block(c);
		if (ret && c->forced)
			fo_log("memory block %lu is not taken offline to mark pages there: %pe\n",
			       c->number, ERR_PTR(ret));
	}
	if (!ret)
		ret = fo_ranges_insert(c->first, c->last, client,
				       c->flags | FO_RANGE_PENDING |
				       FO_RANGE_UNTAKEN, &c->serial);
	if (ret)
		fo_cycle_end();
	else
		fo_reserve_begin(c->last - c->first + 1);
	fo_gate_leave();
	return ret;
}

/* Who is taking a block offline that it was not asked to. Only one cycle is. */
static struct task_struct *impatient;

static void give_up(struct work_struct *unused)
{
	fo_signal_fake(impatient);
}

static DECLARE_DELAYED_WORK(give_up_work, give_up);

/*
 * When it was asked for, a signal ends it, and contention of the hotplug lock is
 * passed on, so that the system call starts again. Else neither is the caller's
 * business: there is another way.
 */
static int go_offline(struct cycle *c)
{
	int ret;

	if (c->forced)
		return fo_block_set_state(c->number, "offline");
	impatient = current;
	schedule_delayed_work(&give_up_work, FO_THROUGH_PATIENCE);
	ret = fo_block_set_state(c->number, "offline");
	cancel_delayed_work_sync(&give_up_work);
	fo_signal_forget();
	return ret;
}

static bool is_online(const struct cycle *c)
{
	bool online;

	mutex_lock(&fo_gate);
	online = pfn_to_online_page(c->first);
	mutex_unlock(&fo_gate);
	return online;
}

/*
 * Somebody may veto, or there may be no memory for it: it is tried again. While
 * the hotplug lock is contended it waits; only death ends that.
 */
static int come_back(const struct cycle *c)
{
	unsigned int tries = 0, pause_ms = 10;
	int ret;

	for (;;) {
		ret = fo_block_set_state(c->number, c->type);
		/* Another may have been quicker. */
		if (!ret || is_online(c))
			return 0;
		if (ret == -ENXIO)
			return ret;
		if (ret == -ERESTARTNOINTR) {
			fo_signal_forget();
			if (!fatal_signal_pending(current))
				continue;
		}
		if (++tries == FO_THROUGH_TRIES)
			return ret;
		msleep(pause_ms);
		pause_ms *= 2;
	}
}

enum outcome { GONE, UNTAKEN, OFFLINE, MARKED };

/* What has become of the range. Holds fo_gate. */
static enum outcome look_at_range(const struct cycle *c, struct fo_extent *e)
{
	if (!fo_ranges_next(c->first, c->last, e) ||
	    e->range->serial != c->serial)
		return GONE;
	if (e->range->flags & FO_RANGE_UNTAKEN)
		return UNTAKEN;
	/* Who takes it offline again takes a block with marks. */
	return c->back || pfn_to_online_page(c->first) ? MARKED : OFFLINE;
}

/* The range becomes a mark, or nothing. Inverse of begin(). */
static enum outcome end(const struct cycle *c)
{
	enum outcome became;
	struct fo_extent e;

	mutex_lock(&fo_gate);
	became = look_at_range(c, &e);
	if (became == OFFLINE) {
		/* Hotplug in flight relies on the marks of a block. */
		mutex_unlock(&fo_gate);
		fo_gate_enter(c->block_first, c->block_last, FO_WAIT);
		became = look_at_range(c, &e);
	}
	if (became == MARKED) {
		e.range->flags &= ~FO_RANGE_PENDING;
		if (c->flags & FAKE_OFFLINE_CANARY &&
		    pfn_to_online_page(c->last) &&
		    fo_inject(FO_INJECT_MARK_CORRUPT, c->first, c->last))
			fo_canary_break(c->last);
	} else if (became != GONE) {
		fo_ranges_erase(&e);
	}
	fo_reserve_end(c->last - c->first + 1);
	fo_cycle_end();
	mutex_unlock(&fo_gate);
	return became;
}

/* The block is offline, and it was us. */
static void say_lost(const struct cycle *c, int error)
{
	fo_why_set(c->block_first, c->block_last, -1, error,
		   "block %lu was taken offline to mark pages there, and does not come back, errno %d",
		   c->number, error);
	pr_err("memory block %lu was taken offline to mark pages there, and does not come back: %pe; these pages are not marked\n",
	       c->number, ERR_PTR(error));
}

static int result_of(const struct cycle *c, enum outcome became, int ret)
{
	switch (became) {
	case MARKED:
		return 0;
	case UNTAKEN:
		return ret ?: -EBUSY;
	case OFFLINE:
		/* Somebody else took it offline, before we could mark. */
		if (!c->left)
			break;
		say_lost(c, ret);
		return ret;
	case GONE:
		break;
	}
	return -ENODEV;
}

/**
 * fo_through_take() - take a part of a memory block through a cycle of it
 * @first: first PFN
 * @last: last PFN, in the same block
 * @client: the owner
 * @flags: FAKE_OFFLINE_SKIPPABLE, FAKE_OFFLINE_CANARY
 * @forced: it was asked for; else only if it is cheap, and with an end
 * @wait: for others; what is not asked for does not wait
 * @serial: as for fo_ranges_insert()
 * @valid: set when the pages might be taken, and it was tried
 *
 * The pages are not zeroed. Other clients with pages in the block are asked, and
 * told, as for any other offlining and onlining.
 *
 * Context: sleeps, holds nothing, and has the hook slot. Not from a callback.
 * Return: 0; or with nothing marked, and the block online unless the log says
 * otherwise: -EEXIST, -ENXIO, -ENODEV, -ENOMEM, -ENOSPC; -EBUSY; -EINTR;
 * -EOPNOTSUPP (the block has holes or several zones, or one that no online type
 * names), -EHWPOISON; what a notifier vetoed with; and, if forced,
 * -ERESTARTNOINTR, for the system call to start again.
 */
int fo_through_take(unsigned long first, unsigned long last,
		    struct fake_offline_client *client, unsigned int flags,
		    bool forced, enum fo_wait wait, u16 *serial, bool *valid)
{
	unsigned long block = fo_block_of(first);
	struct cycle c = {
		.number = block,
		.block_first = fo_block_first(block),
		.block_last = fo_block_last(block),
		.first = first,
		.last = last,
		.flags = flags,
		.forced = forced,
		.serial = *serial,
	};
	int ret;

	ret = begin(&c, client, forced ? wait : FO_DONT_WAIT);
	if (ret)
		return ret;
	*valid = true;
	ret = fo_unplug_watch(first, last);
	if (!ret) {
		ret = go_offline(&c);
		c.left = !ret;
	}
	if (c.left) {
		ret = come_back(&c);
		c.back = !ret;
	}
	ret = result_of(&c, end(&c), ret);
	if (ret)
		fo_unplug_unwatch(first, last);
	else
		*serial = c.serial;
	fo_stat_inc(ret ? FO_STAT_THROUGH_FAILURES : FO_STAT_THROUGH);
	return ret;
}
