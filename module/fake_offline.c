// SPDX-License-Identifier: GPL-2.0
/*
 * fake_offline: take physical pages out of use. The memory block around them can
 * still go offline and online. If such an operation fails, no marked page is ever
 * allocated.
 *
 * This file has the parameters, init, exit, and the exported functions. debugfs and
 * other modules call nothing else of the module. The files below them:
 *
 *	client.c	the clients, and telling them what happens to their ranges
 *	request.c	requests: which can be taken together, and in which order
 *	drain.c		taking pages that may be on a per-CPU list
 *	take.c		taking pages: checked, planned, taken, recorded, and undone
 *	find.c		finding pages for a request that does not say which
 *	release.c	giving back
 *	skippable.c	changing whether offlining may skip pages
 *	list.c		listing the ranges
 *	verify.c	looking at marked pages
 *
 *	ranges.c	which pages are marked, in what state, and whose they are
 *	lock.c		serialisation, and the hotplug operation in progress
 *	notifier.c	the module's part in memory on- and offlining
 *	hook.c		the online-page hook, which withholds marked pages
 *	hypervisor.c	drivers that need that hook for themselves
 *	unplug.c	memory blocks that are gone
 *	pm.c		hibernation
 *
 *	memory.c	what memory is at a PFN
 *	pages.c		taking pages from the kernel, and giving them back
 *	freelist.c	taking single free pages from the buddy allocator's lists
 *	transfer.c	pages between the states allocated, marked and free
 *	buddy.c		reading the state of the buddy allocator
 *	page_state.c	what a marked page is made of
 *	canary.c	a pattern in marked pages
 *	floor.c		how much memory marks must leave
 *
 * Beside them reason.c (why something failed), inject.c (failures on demand),
 * stats.c (counters), trace.h (tracepoints), log.h (lines in the kernel's log),
 * block.c (asking the kernel to on- or offline a block), pfn_range.h (PFN ranges),
 * signal.h (a faked signal) and compat.h (kernels differ). debugfs.c is one of the
 * clients, and parse.c reads what is written to its files.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <linux/fake_offline_test.h>

#include "client.h"
#include "compat.h"
#include "debugfs.h"
#include "hook.h"
#include "list.h"
#include "lock.h"
#include "notifier.h"
#include "page_state.h"
#include "pm.h"
#include "ranges.h"
#include "release.h"
#include "request.h"
#include "skippable.h"
#include "unplug.h"
#include "verify.h"

static char *skip = COMPAT_SKIPS_BY_FLAG ? "native" : "frozen";
module_param(skip, charp, 0444);
MODULE_PARM_DESC(skip,
		 "How offlining is made to skip marked pages: frozen, notifier, or native; native is the default on a kernel that has it, else frozen");

/**
 * fake_offline_register() - become a client
 * @name: a name for users to see, which is copied. It is printable, has no blanks,
 *	and is shorter than FAKE_OFFLINE_NAME_LEN
 * @owner: THIS_MODULE
 * @ops: callbacks, or NULL
 * @data: passed to them
 *
 * While there is a client, the module fake_offline cannot be unloaded.
 *
 * Context: sleeps; not from a callback, nor from a memory notifier. Inverse:
 * fake_offline_unregister(), at the latest when the client's module is unloaded.
 * Return: the client, or ERR_PTR(): -EINVAL for such a name, -ENOMEM, -EDEADLK
 * (from a callback or a memory notifier), -ENODEV if the module fake_offline is
 * about to be unloaded.
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
	if (fo_in_callback() || fo_operation_is_mine())
		return ERR_PTR(-EDEADLK);
	return fo_client_create(name, owner, ops, data);
}
EXPORT_SYMBOL_GPL(fake_offline_register);

/* A callback may hold up the very operation that it would wait for. */
static enum fo_wait how_to_wait(void)
{
	return fo_in_callback() ? FO_DONT_WAIT : FO_WAIT_INTERRUPTIBLE;
}

/**
 * fake_offline_unregister() - give back everything, and be a client no more
 * @client: the client, may be NULL or an ERR_PTR()
 *
 * It does not wait for a hotplug operation in progress. Ranges that one covers
 * are listed under the owner "orphan" until it ends, and are given back then.
 * When the function returns, none of the callbacks runs or will run.
 *
 * Context: sleeps. Not from a callback: it would wait for itself. A memory notifier
 * of the client may call it. Inverse: fake_offline_register().
 */
void fake_offline_unregister(struct fake_offline_client *client)
{
	if (IS_ERR_OR_NULL(client) || WARN_ON_ONCE(fo_in_callback()))
		return;
	fo_release_all(client, FO_DONT_WAIT);
	fo_orphan_all(client);
	fo_client_destroy(client);
}
EXPORT_SYMBOL_GPL(fake_offline_unregister);

/**
 * fake_offline_take() - take pages out of use
 * @client: who takes them
 * @requests: which
 * @nr_requests: how many requests
 *
 * All of them or none. Pages in use are migrated away, as memory offlining does
 * it. Each page becomes PageOffline, and leaves the managed pages and MemTotal. A
 * page that the kernel has retired already (PG_hwpoison) counts as done. In memory
 * that is offline or absent, nothing is taken: the pages are withheld when it
 * comes online.
 *
 * Neighbours in @requests that ascend and lie near each other are much cheaper
 * than as many calls: see request.c.
 *
 * Context: sleeps. It waits while a hotplug operation covers these pages, or, for
 * a moment, to have the online-page hook. With FAKE_OFFLINE_ONCE in the first
 * request it waits for neither. A memory notifier or a callback gets -EDEADLK.
 * Inverse: fake_offline_release().
 * Return: 0, or with nothing taken:
 *
 * * -EINVAL: no pages, or an unknown flag
 * * -ERANGE: the range wraps
 * * -EEXIST: a page is marked already
 * * -ENXIO: no RAM there, or memory of a device. With FAKE_OFFLINE_ABSENT: no memory
 *   can be plugged there. Of a request for pages anywhere: no such node or zone
 * * -EBUSY: a page cannot be freed, or another task holds a reference
 * * -ENOSPC: a zone would fall below its floor, or the machine below reserve_mib;
 *   anywhere: not that many pages found
 * * -EAGAIN: with FAKE_OFFLINE_ONCE, it would have to wait
 * * -ECANCELED: fake_offline_abort()
 * * -ENOMEM, -EINTR
 * * -EDEADLK: called from a client's callback or from a memory notifier
 */
int fake_offline_take(struct fake_offline_client *client,
		      struct fake_offline_request *requests,
		      unsigned int nr_requests)
{
	return fo_take(client, requests, nr_requests);
}
EXPORT_SYMBOL_GPL(fake_offline_take);

/**
 * fake_offline_abort() - end all of a client's fake_offline_take() in progress
 * @client: the client
 *
 * Each ends with -ECANCELED before its next allocation, and takes back what it
 * has. It does not wait for them.
 *
 * Context: any that may wake tasks. A memory notifier or a callback may call it.
 */
void fake_offline_abort(struct fake_offline_client *client)
{
	WRITE_ONCE(client->aborts, client->aborts + 1);
	fo_lock_wake();
}
EXPORT_SYMBOL_GPL(fake_offline_abort);

static int make_ranges(const struct fake_offline_range *from, unsigned int nr,
		       struct pfn_range *to)
{
	unsigned int i;
	int ret;

	for (i = 0; i < nr; i++) {
		ret = fo_make_range(from[i].start_pfn, from[i].nr_pages, &to[i]);
		if (ret)	/* where there is no page, none is marked */
			return ret == -ENXIO ? -ENOENT : ret;
		if (i && to[i].first <= to[i - 1].last)
			return -EINVAL;
	}
	return 0;
}

/**
 * fake_offline_release() - give back pages
 * @client: the owner
 * @ranges: which, ascending
 * @nr_ranges: how many
 *
 * All of them or none. Each may be a part of what a request took, or several
 * adjacent ones. Pages in online memory go to the buddy allocator, but for those
 * that are hardware-poisoned. Pages in offline memory are forgotten, and come back
 * with their block as ordinary memory.
 *
 * Context: sleeps; waits while a hotplug operation covers these pages. A callback
 * may call it; where it would wait, it gets -EAGAIN. A memory notifier may call it;
 * for pages that its own operation covers it gets -EDEADLK. Inverse:
 * fake_offline_take().
 * Return: 0, or with nothing changed: -EINVAL (no pages, or not ascending), -ERANGE,
 * -ENOENT (a page is not marked), -EPERM (a page is another client's), -ENOMEM,
 * -EINTR, -EAGAIN, -EDEADLK.
 */
int fake_offline_release(struct fake_offline_client *client,
			 const struct fake_offline_range *ranges,
			 unsigned int nr_ranges)
{
	struct pfn_range one, *pfns = &one;
	int ret;

	if (!nr_ranges)
		return 0;
	if (nr_ranges > 1)
		pfns = kvmalloc_array(nr_ranges, sizeof(*pfns), GFP_KERNEL);
	if (!pfns)
		return -ENOMEM;
	ret = make_ranges(ranges, nr_ranges, pfns);
	if (!ret)
		ret = fo_release(client, pfns, nr_ranges, how_to_wait());
	if (pfns != &one)
		kvfree(pfns);
	return ret;
}
EXPORT_SYMBOL_GPL(fake_offline_release);

/**
 * fake_offline_release_nowait() - give back pages, from memory reclaim
 * @client: the owner
 * @start_pfn: first PFN
 * @nr_pages: number of pages
 *
 * As fake_offline_release(), but it waits neither for a lock, nor for a hotplug
 * operation, nor for memory. Releasing exactly the pages that one request took
 * needs no memory. Releasing a part of them may need a little.
 *
 * Context: may be a shrinker or an OOM notifier; process context. A callback or a
 * memory notifier may call it. Inverse: fake_offline_take().
 * Return: 0, or with nothing changed: those of fake_offline_release(); -EAGAIN: a
 * lock is contended, or another task or a hotplug operation works on these pages.
 */
int fake_offline_release_nowait(struct fake_offline_client *client,
				unsigned long start_pfn,
				unsigned long nr_pages)
{
	struct fake_offline_range range = { start_pfn, nr_pages };
	struct pfn_range pfns;
	int ret;

	ret = make_ranges(&range, 1, &pfns);
	return ret ?: fo_release(client, &pfns, 1, FO_TRYLOCK);
}
EXPORT_SYMBOL_GPL(fake_offline_release_nowait);

/**
 * fake_offline_release_all() - give back everything
 * @client: the owner
 *
 * Context: as fake_offline_release().
 * Return: 0, or -ENOMEM, -EINTR, -EAGAIN, -EDEADLK as there; then a part is still
 * marked.
 */
int fake_offline_release_all(struct fake_offline_client *client)
{
	return fo_release_all(client, how_to_wait());
}
EXPORT_SYMBOL_GPL(fake_offline_release_all);

/**
 * fake_offline_set_skippable() - change whether offlining may skip pages
 * @client: the owner
 * @start_pfn: first PFN
 * @nr_pages: number of pages; part of a range, or several adjacent ones
 * @skippable: whether it may
 *
 * Context: sleeps; waits while a hotplug operation covers these pages. A memory
 * notifier or a callback gets -EDEADLK. Its own inverse.
 * Return: 0, or with nothing changed: those of fake_offline_release().
 */
int fake_offline_set_skippable(struct fake_offline_client *client,
			       unsigned long start_pfn, unsigned long nr_pages,
			       bool skippable)
{
	struct fake_offline_range range = { start_pfn, nr_pages };
	struct pfn_range pfns;
	int ret;

	if (fo_in_callback() || fo_operation_is_mine())
		return -EDEADLK;
	ret = make_ranges(&range, 1, &pfns);
	return ret ?: fo_set_skippable(client, pfns, skippable);
}
EXPORT_SYMBOL_GPL(fake_offline_set_skippable);

/**
 * fake_offline_owns() - is this page a client's?
 * @client: the client
 * @pfn: the page
 *
 * Context: may sleep. A memory notifier or a callback may call it.
 * Return: whether it is in one of its ranges.
 */
bool fake_offline_owns(const struct fake_offline_client *client,
		       unsigned long pfn)
{
	struct fo_range *r;
	bool owns;

	mutex_lock(&fo_lock);
	r = fo_ranges_first(PFN_RANGE(pfn, pfn));
	owns = r && r->client == client;
	mutex_unlock(&fo_lock);
	return owns;
}
EXPORT_SYMBOL_GPL(fake_offline_owns);

/**
 * fake_offline_next() - walk the marked ranges
 * @client: whose, or NULL for those of all clients
 * @pfn: where to begin; the range may begin before
 * @info: filled in
 *
 * To walk them all, begin at 0, and go on at @info's end. A range that is being
 * taken or given back at the moment is passed over.
 *
 * Context: may sleep. A memory notifier or a callback may call it.
 * Return: false when there is none.
 */
bool fake_offline_next(const struct fake_offline_client *client,
		       unsigned long pfn, struct fake_offline_info *info)
{
	return fo_list_next(client, pfn, info);
}
EXPORT_SYMBOL_GPL(fake_offline_next);

/**
 * fake_offline_verify() - look at marked pages, and count what became of them
 * @client: whose, or NULL for those of all clients
 * @start_pfn: first PFN
 * @nr_pages: number of pages; ~0UL for all from @start_pfn on
 * @counts: filled in
 *
 * Context: sleeps. A memory notifier or a callback may call it.
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
	return fo_verify(client, PFN_RANGE(start_pfn, last), counts);
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
	ret = fo_ranges_init();
	if (ret)
		return ret;
	ret = fo_clients_init();
	if (ret)
		goto ranges;
	ret = fo_pm_init();
	if (ret)
		goto clients;
	ret = fo_notifier_register();
	if (ret)
		goto pm;
	fo_hook_init();
	ret = fo_debugfs_create();
	if (!ret)
		return 0;

	fo_hook_exit();
	fo_notifier_unregister();
	fo_hook_stop();
pm:
	fo_pm_exit();
clients:
	fo_clients_exit();
ranges:
	fo_ranges_exit();
	return ret;
}

/*
 * Other clients, open files and running hotplug operations keep the module loaded.
 * From here on the notifier refuses every hotplug operation. So nothing here waits
 * for one. Pages that debugfs has marked in online memory go back to the buddy
 * allocator. Its marks of offline and absent memory are deleted.
 */
static void __exit fake_offline_exit(void)
{
	fo_debugfs_remove();
	fo_orphans_exit();
	fo_hook_exit();
	fo_notifier_unregister();
	fo_hook_stop();
	fo_pm_exit();
	fo_unplug_exit();
	fo_clients_exit();
	fo_ranges_exit();
}

module_init(fake_offline_init);
module_exit(fake_offline_exit);

MODULE_DESCRIPTION("Take physical pages out of use without giving up memory hotplug");
MODULE_AUTHOR("the fake_offline project");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
