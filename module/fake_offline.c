// SPDX-License-Identifier: GPL-2.0
/*
 * fake_offline: take physical pages out of use, and leave the memory block
 * around them free to go offline, to come back, and to fail half-way, without
 * one of those pages ever being handed out.
 *
 * This file is the way in: parameters, init and exit, and the exported helpers,
 * through which everything is done, by debugfs as by other modules. What is
 * below them, each in a file of its own:
 *
 *	ranges.c	which pages are marked, how, and whose they are
 *	page_state.c	what a marked page is made of
 *	take.c		taking pages from the kernel, and returning them
 *	allocate.c	taking them by allocating them, also several ranges at once
 *	through.c	taking them through a cycle of their memory block
 *	reserve.c	how much memory must be left
 *	gate.c		who may do what, when
 *	notifier.c	our part in memory on- and offlining
 *	hook.c		withholding marked pages when a block comes online
 *	verify.c	looking at marked pages
 *	client.c	who owns ranges, and telling them what happens to these
 *	unplug.c	memory blocks that are gone
 *
 * beside them why.c (why a block could not go offline), inject.c (failures on
 * demand), stats.c (counters), trace.h (tracepoints), log.h (lines in the
 * kernel's log), block.c (asking the kernel to on- or offline a block),
 * block_pfn.h (which PFNs it has), signal.h (a signal that nobody sent) and
 * compat.h (kernels differ). debugfs.c is one of the users.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include <linux/fake_offline.h>

#include "allocate.h"
#include "block_pfn.h"
#include "client.h"
#include "compat.h"
#include "debugfs.h"
#include "gate.h"
#include "hook.h"
#include "notifier.h"
#include "page_state.h"
#include "ranges.h"
#include "reserve.h"
#include "stats.h"
#include "take.h"
#include "through.h"
#include "trace.h"
#include "unplug.h"
#include "verify.h"

static char *skip = COMPAT_SKIPS_BY_FLAG ? "native" : "frozen";
module_param(skip, charp, 0444);
MODULE_PARM_DESC(skip,
		 "How offlining is made to skip marked pages: frozen, notifier, or native; native is the default on a kernel that has it, else frozen");

/* -EINVAL for no pages, -ERANGE if the range wraps, -ENXIO beyond any PFN. */
static int make_span(unsigned long start_pfn, unsigned long nr_pages,
		     struct fo_span *s)
{
	if (!nr_pages)
		return -EINVAL;
	if (start_pfn + nr_pages - 1 < start_pfn)
		return -ERANGE;
	s->first = start_pfn;
	s->last = start_pfn + nr_pages - 1;
	return s->last > PHYS_PFN(~(phys_addr_t)0) ? -ENXIO : 0;
}

/* Where there cannot be a page, there is no marked one. */
static int make_marked_span(unsigned long start_pfn, unsigned long nr_pages,
			    struct fo_span *s)
{
	int ret = make_span(start_pfn, nr_pages, s);

	return ret == -ENXIO ? -ENOENT : ret;
}

/**
 * fake_offline_register() - become a client
 * @name: a name for users to see; printable, without blanks, shorter than
 *	FAKE_OFFLINE_NAME_LEN; copied
 * @owner: THIS_MODULE
 * @ops: callbacks, or NULL
 * @data: passed to them
 *
 * Context: sleeps; not from a callback. While there is a client, the module
 * fake_offline cannot be unloaded. Inverse: fake_offline_unregister(), at the
 * latest when the client's module is unloaded.
 * Return: the client, or ERR_PTR(): -EINVAL for such a name, -ENOMEM, -ENODEV
 * if the module fake_offline is about to be unloaded.
 */
struct fake_offline_client *
fake_offline_register(const char *name, struct module *owner,
		      const struct fake_offline_ops *ops, void *data)
{
	const char *c;

	if (!name || !*name)
		return ERR_PTR(-EINVAL);
	if (strlen(name) >= FAKE_OFFLINE_NAME_LEN)
		return ERR_PTR(-EINVAL);
	for (c = name; *c; c++)
		if (!isgraph(*c) || !isascii(*c))
			return ERR_PTR(-EINVAL);
	return fo_client_create(name, owner, ops, data);
}
EXPORT_SYMBOL_GPL(fake_offline_register);

/* Has every page of @s a mark of @client's? Holds the gate. */
static int check_owner(const struct fake_offline_client *client,
		       const struct fo_span *s)
{
	unsigned long pfn = s->first;
	struct fo_extent e;

	fo_for_each_extent(e, s->first, s->last) {
		if (e.first > pfn || e.range->flags & FO_RANGE_PENDING)
			return -ENOENT;
		if (e.range->client != client)
			return -EPERM;
		pfn = e.last + 1;
	}
	return pfn > s->last ? 0 : -ENOENT;
}

/* Makes the ranges within @s busy, or settled again. Holds the gate. */
static void set_busy(const struct fo_span *s, bool busy)
{
	struct fo_extent e;

	fo_for_each_extent(e, s->first, s->last) {
		if (busy)
			e.range->flags |= FO_RANGE_BUSY;
		else
			e.range->flags &= ~FO_RANGE_BUSY;
	}
	if (!busy)
		fo_gate_wake();
}

/* A client's callback may hold up the very operation it would wait for. */
static enum fo_wait how_long(void)
{
	return fo_clients_calling() ? FO_DONT_WAIT : FO_WAIT_FOR_SIGNAL;
}

/*
 * Gives back the busy ranges of @s, which have been cut to fit. @parts: they are
 * parts of what was not taken after all, and have never been counted.
 */
static void give_back_busy(const struct fo_span *s, bool parts)
{
	struct fo_extent e;

	mutex_lock(&fo_gate);
	/* What lies behind the current one may be somebody else's by now. */
	fo_for_each_extent(e, s->first, s->last) {
		mutex_unlock(&fo_gate);
		fo_give_back(e.first, e.last, e.range->flags);
		mutex_lock(&fo_gate);
		if (!parts) {
			trace_fake_offline_release(e.first, e.last, 0);
			fo_stat_inc(FO_STAT_UNMARKS);
		}
		fo_ranges_erase(&e);
		fo_gate_wake();
	}
	mutex_unlock(&fo_gate);
}

/* Makes exactly @s, all of it @client's, busy. */
static int begin_work(struct fake_offline_client *client, const struct fo_span *s,
		      enum fo_wait wait)
{
	int ret;

	ret = fo_gate_enter(s->first, s->last, wait);
	if (ret)
		return ret;
	ret = check_owner(client, s);
	if (!ret)
		ret = fo_ranges_split(s->first, s->last);
	if (!ret)
		set_busy(s, true);
	fo_gate_leave();
	return ret;
}

static int release(struct fake_offline_client *client, const struct fo_span *s,
		   enum fo_wait wait, bool parts)
{
	int ret;

	ret = begin_work(client, s, wait);
	if (ret) {
		trace_fake_offline_release(s->first, s->last, ret);
		return ret;
	}

	give_back_busy(s, parts);
	fo_unplug_unwatch(s->first, s->last);
	fo_hook_update();
	return 0;
}

/**
 * fake_offline_release() - give back pages
 * @client: the owner
 * @start_pfn: first PFN
 * @nr_pages: number of pages
 *
 * The pages may be a part of a range, or several adjacent ranges. Those in
 * online memory blocks go to the buddy allocator; those in offline blocks are
 * forgotten, and come back with their block as ordinary memory.
 *
 * Context: sleeps; waits while a hotplug operation is in flight there. A
 * client's callback may call it. Inverse: fake_offline_take().
 * Return: 0, or with nothing changed: -EINVAL, -ERANGE,
 * -ENOENT (a page is not marked), -EPERM (a page is another client's), -ENOMEM,
 * -EINTR, -EBUSY (from a callback, which must not wait: somebody else works on
 * these pages).
 */
int fake_offline_release(struct fake_offline_client *client,
			 unsigned long start_pfn, unsigned long nr_pages)
{
	struct fo_span s;
	int ret;

	ret = make_marked_span(start_pfn, nr_pages, &s);
	if (!ret)
		ret = release(client, &s, how_long(), false);
	return ret;
}
EXPORT_SYMBOL_GPL(fake_offline_release);

/**
 * fake_offline_may_release() - would fake_offline_release() find these pages?
 * @client: the owner
 * @start_pfn: first PFN
 * @nr_pages: number of pages
 *
 * Context: may sleep.
 * Return: 0, -EINVAL, -ERANGE, -ENOENT, -EPERM, as there.
 */
int fake_offline_may_release(struct fake_offline_client *client,
			     unsigned long start_pfn, unsigned long nr_pages)
{
	struct fo_span s;
	int ret;

	ret = make_marked_span(start_pfn, nr_pages, &s);
	if (ret)
		return ret;
	mutex_lock(&fo_gate);
	ret = check_owner(client, &s);
	mutex_unlock(&fo_gate);
	return ret;
}
EXPORT_SYMBOL_GPL(fake_offline_may_release);

/**
 * fake_offline_prepare_release() - let fake_offline_release() need no memory
 * @client: the owner
 * @start_pfn: first PFN
 * @nr_pages: number of pages
 *
 * Cuts the ranges to fit, so that who releases several can have all fail for
 * want of memory before the first is released, and none after. It does not hold
 * for pages that somebody else works on at the moment.
 *
 * Context: sleeps.
 * Return: 0, -EINVAL, -ERANGE, -ENOENT, -EPERM, -ENOMEM, as there. The same
 * pages are marked in the same way, whatever it is.
 */
int fake_offline_prepare_release(struct fake_offline_client *client,
				 unsigned long start_pfn,
				 unsigned long nr_pages)
{
	struct fo_span s;
	int ret;

	ret = make_marked_span(start_pfn, nr_pages, &s);
	if (ret)
		return ret;
	mutex_lock(&fo_gate);
	ret = check_owner(client, &s);
	/* Who works on a busy range relies on its extent. */
	if (!ret && !fo_gate_is_busy(s.first, s.last))
		ret = fo_ranges_split(s.first, s.last);
	mutex_unlock(&fo_gate);
	return ret;
}
EXPORT_SYMBOL_GPL(fake_offline_prepare_release);

/*
 * The first range of @client from @pfn on. Also one that is busy, which
 * fake_offline_next() passes over: whoever releases it waits for it. But a
 * callback may hold up the very operation that settles a pending one.
 */
static bool next_span(const struct fake_offline_client *client,
		      unsigned long pfn, struct fo_span *s)
{
	struct fo_extent e;
	bool found = false;

	mutex_lock(&fo_gate);
	fo_for_each_extent(e, pfn, ULONG_MAX) {
		found = e.range->client == client &&
			!(e.range->flags & FO_RANGE_PENDING &&
			  fo_clients_calling());
		if (found) {
			*s = (struct fo_span){ e.first, e.last };
			break;
		}
	}
	mutex_unlock(&fo_gate);
	return found;
}

static int release_all(struct fake_offline_client *client, enum fo_wait wait)
{
	unsigned long pfn = 0;
	struct fo_span s;
	int ret = 0;

	while (!ret && next_span(client, pfn, &s)) {
		ret = release(client, &s, wait, false);
		if (ret == -ENOENT || ret == -EPERM)
			ret = 0;	/* it has changed meanwhile: look again */
		else
			pfn = s.last + 1;
	}
	return ret;
}

/**
 * fake_offline_release_all() - give back everything
 * @client: the owner
 *
 * Context: as fake_offline_release().
 * Return: 0, or -ENOMEM, -EINTR, -EBUSY as there; then a part is still marked.
 */
int fake_offline_release_all(struct fake_offline_client *client)
{
	return release_all(client, how_long());
}
EXPORT_SYMBOL_GPL(fake_offline_release_all);

/**
 * fake_offline_unregister() - give back everything, and be a client no more
 * @client: the client, may be NULL or an ERR_PTR()
 *
 * Context: sleeps, is not interrupted: waits for a hotplug operation in flight
 * on memory with its pages, however long that takes. Not from a callback. When
 * it returns, none of the callbacks runs or will run. Inverse:
 * fake_offline_register().
 */
void fake_offline_unregister(struct fake_offline_client *client)
{
	if (IS_ERR_OR_NULL(client))
		return;
	while (release_all(client, FO_WAIT))
		msleep(20);	/* out of memory: there is no way but to wait */
	fo_client_destroy(client);
}
EXPORT_SYMBOL_GPL(fake_offline_unregister);

/* What one fake_offline_take() has taken, to undo it. */
struct take_log {
	struct fake_offline_client *client;
	unsigned int flags;
	unsigned int ways;
	struct fo_piece *taken;
	unsigned int nr;
	unsigned int room;
};

static int make_room(struct take_log *log, unsigned int nr)
{
	unsigned int room = max3(2 * log->room, log->nr + nr, 16U);
	struct fo_piece *taken;

	if (log->nr + nr <= log->room)
		return 0;
	taken = kvmalloc_array(room, sizeof(*taken), GFP_KERNEL);
	if (!taken)
		return -ENOMEM;
	if (log->nr)
		memcpy(taken, log->taken, log->nr * sizeof(*taken));
	kvfree(log->taken);
	log->taken = taken;
	log->room = room;
	return 0;
}

/*
 * Releases what is left of it: somebody else may have released pages meanwhile,
 * or marked them anew, which shows in another serial number.
 */
static void undo(struct take_log *log, const struct fo_piece *t, bool parts)
{
	struct fo_span left = { t->first, t->last };
	struct fo_extent e;
	bool found;

	do {
		found = false;
		mutex_lock(&fo_gate);
		fo_for_each_extent(e, left.first, t->last) {
			found = e.range->serial == t->serial;
			if (found)
				break;
		}
		mutex_unlock(&fo_gate);
		if (found) {
			left = (struct fo_span){ e.first, e.last };
			release(log->client, &left, FO_WAIT, parts);
			left.first = left.last + 1;
		}
	} while (found && left.first <= t->last);
}

/*
 * The next part of @whole, from @pfn on, that is taken in one way: within one
 * memory block through a cycle of it, or allocated. Return: whether the former.
 */
static bool next_part(const struct take_log *log, const struct fo_piece *whole,
		      unsigned long pfn, struct fo_piece *part)
{
	unsigned long block = fo_block_pages();
	unsigned long next = round_up(pfn, block);
	unsigned long end = pfn | (block - 1);
	unsigned long last = whole->last;

	*part = *whole;
	part->first = pfn;
	if (log->ways == FAKE_OFFLINE_THROUGH) {
		part->last = min(last, end);
		return true;
	}
	if (log->ways == FAKE_OFFLINE_ALLOCATE || !fo_through_wanted())
		return false;
	/* Whole blocks only. */
	if (pfn == next && end <= last) {
		part->last = end;
		return true;
	}
	if (next > pfn && next <= last && last - next >= block - 1)
		part->last = next - 1;
	return false;
}

/* A part as next_part() gave it. */
static int take_part(struct take_log *log, struct fo_piece *part,
		     bool through, enum fo_wait wait, bool *valid)
{
	bool forced = log->ways == FAKE_OFFLINE_THROUGH;
	unsigned int one = 1;
	int ret;

	if (through) {
		ret = fo_through_take(part->first, part->last, log->client,
				      part->flags, forced, wait, &part->serial,
				      valid);
		if (!ret || forced)
			return ret;
	}
	return fo_allocate(log->client, part, &one, wait, valid);
}

/* What would make a later part fail is looked for before the first is taken. */
static int check_whole(const struct fo_piece *whole, enum fo_wait wait)
{
	struct fo_extent e;
	int ret;

	ret = fo_gate_enter(whole->first, whole->last, wait);
	if (ret)
		return ret;
	ret = fo_ranges_next(whole->first, whole->last, &e) ? -EEXIST :
	      fo_check_online(whole->first, whole->last);
	if (!ret)
		ret = fo_reserve_check(whole->last - whole->first + 1);
	fo_gate_leave();
	return ret;
}

/* Takes all parts of @whole, or none. */
static int take_parts(struct take_log *log, struct fo_piece *whole,
		      enum fo_wait wait, bool *valid)
{
	struct fo_piece part;
	bool through;
	int ret;

	through = next_part(log, whole, whole->first, &part);
	if (part.last == whole->last)
		return take_part(log, whole, through, wait, valid);

	ret = check_whole(whole, wait);
	while (!ret) {
		ret = take_part(log, &part, through, wait, valid);
		whole->serial = part.serial;
		if (ret || part.last == whole->last)
			break;
		through = next_part(log, whole, part.last + 1, &part);
	}
	if (ret && whole->serial) {
		undo(log, whole, true);
	} else if (!ret) {
		mutex_lock(&fo_gate);
		fo_ranges_join(whole->first, whole->last, whole->serial);
		mutex_unlock(&fo_gate);
	}
	return ret;
}

static void count_take(const struct fo_piece *t, int result)
{
	fo_stat_inc(result ? FO_STAT_MARK_FAILURES : FO_STAT_MARKS);
	trace_fake_offline_take(t->first, t->last, result);
}

/* Takes [@first, @last] whole or not at all. */
static int take_span(struct take_log *log, unsigned long first,
		     unsigned long last, enum fo_wait wait)
{
	struct fo_piece t = { first, last, .flags = log->flags };
	bool valid = false;
	int ret;

	ret = make_room(log, 1);
	if (!ret)
		ret = take_parts(log, &t, wait, &valid);
	if (ret && !valid)
		return ret;
	if (!ret)
		log->taken[log->nr++] = t;
	count_take(&t, ret);
	return ret;
}

static int try_take(unsigned long first, unsigned long last, void *log)
{
	return take_span(log, first, last, FO_DONT_WAIT);
}

static int take_request(struct take_log *log,
			const struct fake_offline_request *r)
{
	struct fo_span s;
	int ret;

	if (r->flags & ~(FAKE_OFFLINE_FLAGS | FAKE_OFFLINE_WAYS))
		return -EINVAL;
	log->flags = r->flags & FAKE_OFFLINE_FLAGS;
	log->ways = r->flags & FAKE_OFFLINE_WAYS;
	if (log->ways == FAKE_OFFLINE_WAYS)
		return -EINVAL;
	if (r->start_pfn == FAKE_OFFLINE_ANYWHERE) {
		if (!r->nr_pages || log->ways == FAKE_OFFLINE_THROUGH)
			return -EINVAL;
		mutex_lock(&fo_gate);
		ret = fo_reserve_check(r->nr_pages);
		mutex_unlock(&fo_gate);
		if (ret)
			return ret;
		return fo_find(r->nr_pages, r->nid, r->zone, try_take, log);
	}
	ret = make_span(r->start_pfn, r->nr_pages, &s);
	if (!ret)
		ret = take_span(log, s.first, s.last, FO_WAIT_FOR_SIGNAL);
	return ret;
}

/* Takes all of these requests at once, which fo_allocate_near() found, or none. */
static int take_together(struct take_log *log,
			 const struct fake_offline_request *r, unsigned int *nr)
{
	struct fo_piece *t;
	bool unused;
	unsigned int i;
	int ret;

	ret = make_room(log, *nr);
	if (ret)
		return ret;
	t = &log->taken[log->nr];
	for (i = 0; i < *nr; i++)
		t[i] = (struct fo_piece) {
			.first = r[i].start_pfn,
			.last = r[i].start_pfn + r[i].nr_pages - 1,
			.flags = r[i].flags & FAKE_OFFLINE_FLAGS,
		};
	ret = fo_allocate(log->client, t, nr, FO_WAIT_FOR_SIGNAL, &unused);
	if (ret)
		return ret;
	for (i = 0; i < *nr; i++)
		count_take(&t[i], 0);
	log->nr += *nr;
	return 0;
}

/*
 * In their order. Where some cannot be taken together, for whatever reason, it
 * is done one by one: so what fails, and how, is the same.
 */
static int take_requests(struct take_log *log,
			 const struct fake_offline_request *r, unsigned int nr)
{
	unsigned int i, n;
	int ret = 0;

	for (; !ret && nr; r += n, nr -= n) {
		n = fo_allocate_near(r, nr);
		if (n > 1 && !take_together(log, r, &n))
			continue;
		for (i = 0; !ret && i < n; i++)
			ret = take_request(log, &r[i]);
	}
	return ret;
}

/**
 * fake_offline_take() - take pages out of use
 * @client: who takes them
 * @requests: which
 * @nr_requests: how many requests
 *
 * All of them or none. Pages in use are migrated away, as memory offlining does
 * it. Each page becomes PageOffline, and leaves the managed pages and MemTotal.
 *
 * Neighbours in @requests that ascend and lie near each other are much cheaper
 * than as many calls: see allocate.c.
 *
 * Whole memory blocks that are free but for a few pages may be taken offline and
 * online again for that, where it is cheaper than to allocate them; others with
 * FAKE_OFFLINE_THROUGH. What a client may not rely on, then: that pages are
 * zeroed, and that no memory notifier runs in its own task. Who holds a lock that
 * one takes says FAKE_OFFLINE_ALLOCATE.
 *
 * Context: sleeps; waits while a hotplug operation is in flight there, and for
 * the first range also while one is in flight anywhere, to have the online-page
 * hook. Inverse: fake_offline_release().
 * Return: 0, or with nothing taken:
 *
 * * -EINVAL: no pages, an unknown flag, both ways, or FAKE_OFFLINE_THROUGH
 *   anywhere
 * * -ERANGE: the range wraps
 * * -EEXIST: a page is marked already
 * * -ENXIO: no RAM there; anywhere: no such node or zone
 * * -ENODEV: RAM in a memory block that is offline
 * * -EBUSY: a page cannot be freed, or somebody else holds a reference
 * * -ENOSPC: the parameter reserve_mib; anywhere: not that many pages found
 * * -ENOMEM, -EINTR
 * * -EDEADLK: called from a client's callback
 *
 * and with FAKE_OFFLINE_THROUGH, when a memory block cannot go offline or does
 * not come back, the kernel's errno for that, and
 *
 * * -EOPNOTSUPP: the block has holes, several zones, or one that no online type
 *   names: neither Normal nor Movable; or debug_pagealloc is on
 * * -EHWPOISON: a page of the block is hardware-poisoned, so it would not come back
 * * -ERESTARTNOINTR: the hotplug lock is contended; for a system call to return,
 *   which starts again
 */
int fake_offline_take(struct fake_offline_client *client,
		      const struct fake_offline_request *requests,
		      unsigned int nr_requests)
{
	struct take_log log = { .client = client };
	int ret;

	if (fo_clients_calling())
		return -EDEADLK;
	ret = fo_unplug_sweep();
	if (ret)
		return ret;

	ret = fo_hook_want();
	if (!ret)
		ret = take_requests(&log, requests, nr_requests);
	while (ret && log.nr)
		undo(&log, &log.taken[--log.nr], false);
	fo_hook_unwant();
	kvfree(log.taken);
	return ret;
}
EXPORT_SYMBOL_GPL(fake_offline_take);

/* Gives the busy ranges of @s that are not so yet another skippable bit. */
static int toggle_busy(const struct fo_span *s, bool skippable)
{
	struct fo_extent e;
	int ret = 0;

	mutex_lock(&fo_gate);
	fo_for_each_extent(e, s->first, s->last) {
		if (!!(e.range->flags & FAKE_OFFLINE_SKIPPABLE) == skippable)
			continue;
		mutex_unlock(&fo_gate);
		ret = fo_set_skippable(e.first, e.last, skippable);
		mutex_lock(&fo_gate);
		if (ret)
			break;
		e.range->flags ^= FAKE_OFFLINE_SKIPPABLE | FO_RANGE_TOGGLED;
	}
	mutex_unlock(&fo_gate);
	return ret;
}

/* Undoes what toggle_busy() did before it failed, or says that it may stay. */
static void finish_toggle(const struct fo_span *s, bool skippable, bool undo)
{
	struct fo_extent e;

	mutex_lock(&fo_gate);
	fo_for_each_extent(e, s->first, s->last) {
		if (!(e.range->flags & FO_RANGE_TOGGLED))
			continue;
		e.range->flags ^= FO_RANGE_TOGGLED;
		if (!undo)
			continue;
		e.range->flags ^= FAKE_OFFLINE_SKIPPABLE;
		mutex_unlock(&fo_gate);
		WARN_ON_ONCE(fo_set_skippable(e.first, e.last, !skippable));
		mutex_lock(&fo_gate);
	}
	set_busy(s, false);
	mutex_unlock(&fo_gate);
}

/**
 * fake_offline_set_skippable() - change whether offlining may skip pages
 * @client: the owner
 * @start_pfn: first PFN
 * @nr_pages: number of pages; part of a range, or several adjacent ones
 * @skippable: whether it may
 *
 * Context: sleeps; waits while a hotplug operation is in flight there. Not from
 * a client's callback. Its own inverse.
 * Return: 0, or with nothing changed: those of fake_offline_release(), -EBUSY
 * if somebody else holds a reference, -EDEADLK from a callback.
 */
int fake_offline_set_skippable(struct fake_offline_client *client,
			       unsigned long start_pfn, unsigned long nr_pages,
			       bool skippable)
{
	struct fo_span s;
	int ret;

	if (fo_clients_calling())
		return -EDEADLK;
	ret = make_marked_span(start_pfn, nr_pages, &s);
	if (!ret)
		ret = begin_work(client, &s, FO_WAIT_FOR_SIGNAL);
	if (ret)
		return ret;
	ret = toggle_busy(&s, skippable);
	finish_toggle(&s, skippable, ret);
	return ret;
}
EXPORT_SYMBOL_GPL(fake_offline_set_skippable);

/**
 * fake_offline_owner() - whose page is it?
 * @pfn: the page
 *
 * Context: may sleep.
 * Return: the client, or NULL if it is not marked. Only good to be compared,
 * unless the caller knows that the client stays.
 */
const struct fake_offline_client *fake_offline_owner(unsigned long pfn)
{
	const struct fake_offline_client *owner = NULL;
	struct fo_extent e;

	mutex_lock(&fo_gate);
	if (fo_ranges_next(pfn, pfn, &e))
		owner = e.range->client;
	mutex_unlock(&fo_gate);
	return owner;
}
EXPORT_SYMBOL_GPL(fake_offline_owner);

/**
 * fake_offline_next() - walk the marked ranges
 * @client: whose, or NULL for everybody's
 * @pfn: where to begin; the range may begin before
 * @info: filled in
 *
 * To walk them all, begin at 0, and go on at @info's end. A range that is being
 * taken or given back at the moment is passed over.
 *
 * Context: may sleep.
 * Return: false when there is none.
 */
bool fake_offline_next(const struct fake_offline_client *client,
		       unsigned long pfn, struct fake_offline_info *info)
{
	struct fo_extent e;
	bool found = false;
	struct page *page;

	mutex_lock(&fo_gate);
	fo_for_each_extent(e, pfn, ULONG_MAX) {
		if ((e.range->flags & FO_RANGE_UNSETTLED) ||
		    (client && e.range->client != client))
			continue;
		page = pfn_to_online_page(e.first);
		*info = (struct fake_offline_info) {
			.start_pfn = e.first,
			.nr_pages = e.last - e.first + 1,
			.flags = e.range->flags & FAKE_OFFLINE_FLAGS,
			.age_s = ktime_get_seconds() - e.range->born_s,
			.nid = page ? page_to_nid(page) : NUMA_NO_NODE,
			.zone = page ? page_zone(page)->name : NULL,
			.client = e.range->client,
		};
		strscpy(info->owner, e.range->client->name,
			sizeof(info->owner));
		found = true;
		break;
	}
	mutex_unlock(&fo_gate);
	return found;
}
EXPORT_SYMBOL_GPL(fake_offline_next);

/**
 * fake_offline_verify() - look at marked pages, and count what became of them
 * @client: whose, or NULL for everybody's
 * @start_pfn: first PFN
 * @nr_pages: number of pages; ~0UL for all from @start_pfn on
 * @counts: filled in
 *
 * Context: sleeps.
 * Return: 0, -EINVAL for no pages, -EINTR.
 */
int fake_offline_verify(const struct fake_offline_client *client,
			unsigned long start_pfn, unsigned long nr_pages,
			struct fake_offline_counts *counts)
{
	unsigned long last = start_pfn + nr_pages - 1;

	if (!nr_pages)
		return -EINVAL;
	if (last < start_pfn || nr_pages == ~0UL)
		last = ULONG_MAX;
	return fo_verify(client, start_pfn, last, counts);
}
EXPORT_SYMBOL_GPL(fake_offline_verify);

static int __init fake_offline_init(void)
{
	int ret;

	ret = fo_skip_mode_set(skip);
	if (ret) {
		pr_err("skip=%s: %s\n", skip, ret == -EOPNOTSUPP ?
		       "this kernel has no PG_offline_skippable" :
		       "it is frozen, notifier or native");
		return ret;
	}
	ret = fo_notifier_register();
	if (ret)
		return ret;
	ret = fo_debugfs_create();
	if (ret)
		fo_notifier_unregister();
	return ret;
}

/*
 * Other clients keep the module loaded, so only debugfs's own ranges are left:
 * what is online goes back to the buddy allocator, the rest is forgotten. The
 * last of them returns the hook slot.
 */
static void __exit fake_offline_exit(void)
{
	fo_debugfs_remove();
	fo_notifier_unregister();
	fo_hook_finish();
	fo_clients_finish();
	fo_unplug_finish();
}

module_init(fake_offline_init);
module_exit(fake_offline_exit);

MODULE_DESCRIPTION("Take physical pages out of use without giving up memory hotplug");
MODULE_AUTHOR("the fake_offline project");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
