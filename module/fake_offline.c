// SPDX-License-Identifier: GPL-2.0
/*
 * fake_offline: take physical pages out of use. The memory block around them can
 * still go offline and online. The marked pages are never allocated, not even if a
 * hotplug operation fails and is rolled back.
 *
 * This file has module init and exit, the parameter "skip", and all exported
 * functions. Other modules call only these. The other files, from the top layer down:
 *
 *	dev.c		the device /dev/fake_offline; its ioctls are in dev_change.c, which
 *			takes and gives back pages, and in dev_look.c
 *	session.c	the owner of the marks of an open file of the device
 *	debugfs.c	the debugfs files, with parse.c for what is written to them
 *	client.c	the registered clients, and their callbacks
 *	request.c	which requests are taken together, and in which order
 *	drain.c		pages that may be on a per-CPU list
 *	take.c		the steps to take pages: check, plan, take, record, undo
 *	find.c		finding pages for a request without a PFN
 *	release.c	releasing ranges
 *	skippable.c	setting and clearing the skippable bit of ranges
 *	list.c		listing the ranges
 *	verify.c	checking marked pages
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
 *	transfer.c	allocated pages become marked or free ones, and back
 *	buddy.c		reading the state of the buddy allocator
 *	page_state.c	page type, flags and reference count of a marked page
 *	canary.c	a pattern in marked pages
 *	floor.c		how much memory marks must leave
 *
 * All layers use reason.c (why a request or an operation failed), inject.c (failures on
 * demand), stats.c (counters), trace.h and trace.c (tracepoints), log.h (lines in the
 * kernel's log), block.c (taking a block offline or online), pfn_range.h (PFN ranges),
 * signal.h (a faked signal) and compat.h (differences between kernels).
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
#include "dev.h"
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
		 "How offlining skips marked pages: frozen, notifier or native (default: native if the kernel has PG_offline_skippable, otherwise frozen)");

/**
 * fake_offline_register() - become a client
 * @name: the name that users see. It must be printable ASCII without blanks, and
 *	shorter than FAKE_OFFLINE_NAME_LEN. It is copied
 * @owner: THIS_MODULE
 * @ops: callbacks, or NULL
 * @data: passed to the callbacks
 *
 * While there is a client, the module fake_offline cannot be unloaded.
 *
 * Context: sleeps; not from a callback, nor from a memory notifier. Inverse:
 * fake_offline_unregister(), at the latest when the client's module is unloaded.
 * Return: the client, or ERR_PTR(): -EINVAL if @name is not as required, -ENOMEM,
 * -EDEADLK (from a callback or a memory notifier), -ENODEV if the module fake_offline
 * is about to be unloaded.
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

/* A hotplug operation may be waiting for the callback, so a callback must not wait. */
static enum fo_wait how_to_wait(void)
{
	return fo_in_callback() ? FO_DONT_WAIT : FO_WAIT_INTERRUPTIBLE;
}

/**
 * fake_offline_unregister() - release all ranges of a client, and remove it
 * @client: the client, may be NULL or an ERR_PTR()
 *
 * This function does not wait for a hotplug operation. Ranges that such an operation
 * covers get the owner "orphan", and are released when the operation ends.
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
 * @client: the client
 * @requests: the requests
 * @nr_requests: number of requests
 *
 * Either all requests are carried out, or none. Pages in use are migrated away, as
 * memory offlining does it. Each page becomes PageOffline, and leaves the managed
 * pages and MemTotal. A page that the kernel has retired already (PG_hwpoison) counts
 * as taken. In memory that is offline or absent, the request is only recorded. The
 * pages are kept from the buddy allocator when the memory comes online.
 *
 * Consecutive requests with ascending PFNs near each other are much cheaper in one
 * call than in several: see request.c.
 *
 * Context: sleeps. It waits while a hotplug operation covers these pages, and for a
 * moment until the online-page hook is registered. With FAKE_OFFLINE_ONCE in the first
 * request it waits for neither. A memory notifier or a callback gets -EDEADLK.
 * Inverse: fake_offline_release().
 * Return: 0, or with nothing taken (after a fatal signal, ranges that a hotplug operation
 * covers have the owner "orphan" until it ends):
 *
 * * -EINVAL: no pages, or an unknown flag
 * * -ERANGE: the range wraps
 * * -EEXIST: a page is marked already
 * * -ENXIO: the range has no RAM, or is memory of a device. With FAKE_OFFLINE_ABSENT:
 *   no memory can be plugged there. With FAKE_OFFLINE_ANYWHERE: no such node or zone
 * * -EBUSY: a page cannot be freed, or another task holds a reference
 * * -ENOSPC: a zone would fall below its floor, or the machine below reserve_mib. With
 *   FAKE_OFFLINE_ANYWHERE: fewer pages were found
 * * -EAGAIN: with FAKE_OFFLINE_ONCE, it would have to wait
 * * -ECANCELED: fake_offline_abort() was called
 * * -ENOMEM, -EINTR
 * * -EDEADLK: called from a client's callback or from a memory notifier
 */
int fake_offline_take(struct fake_offline_client *client,
		      struct fake_offline_request *requests,
		      unsigned int nr_requests)
{
	unsigned int failed;

	return fo_take(client, requests, nr_requests, &failed);
}
EXPORT_SYMBOL_GPL(fake_offline_take);

/**
 * fake_offline_abort() - cancel the calls of fake_offline_take() of a client
 * @client: the client
 *
 * Each call releases what it has taken, and returns -ECANCELED before its next
 * allocation. fake_offline_abort() does not wait for this.
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
		if (ret)	/* no page beyond any PFN is marked */
			return ret == -ENXIO ? -ENOENT : ret;
		if (i && to[i].first <= to[i - 1].last)
			return -EINVAL;
	}
	return 0;
}

/**
 * fake_offline_release() - give back pages
 * @client: the owner
 * @ranges: the PFN ranges, ascending
 * @nr_ranges: number of ranges
 *
 * Either all ranges are released, or none. A range may be a part of the pages that one
 * request took, or the pages of several adjacent requests. Pages in online memory go
 * to the buddy allocator, except hardware-poisoned pages. The record of pages in offline
 * memory is deleted, and they come back with their block as ordinary memory.
 *
 * Context: sleeps; waits while a hotplug operation covers these pages. A callback may
 * call it. If it would have to wait, the callback gets -EAGAIN. A memory notifier may
 * call it. For pages that its own operation covers it gets -EDEADLK. Inverse:
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
 * fake_offline_release_nowait() - give back pages without a wait
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
 * Return: 0, or with nothing changed an errno of fake_offline_release(), or -EAGAIN: a
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
 * Return: 0, or -ENOMEM, -EINTR, -EAGAIN, -EDEADLK as there. After an error some
 * pages may still be marked.
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
 * notifier or a callback gets -EDEADLK. Inverse: the same function with the other
 * @skippable.
 * Return: 0, or with nothing changed an errno of fake_offline_release().
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
 * fake_offline_owns() - does the client own this page?
 * @client: the client
 * @pfn: the page
 *
 * Context: may sleep; not from a shrinker or an OOM notifier. A memory notifier or a
 * callback may call it.
 * Return: whether a range of @client has the page.
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
 * @client: the owner, or NULL for the ranges of all clients
 * @pfn: start of the search. The range that is found may begin before
 * @info: filled in
 *
 * To walk all ranges, begin at 0, and continue at the end of @info. A range that is
 * being taken or given back is skipped.
 *
 * Context: may sleep. A memory notifier or a callback may call it.
 * Return: false if there is no further range.
 */
bool fake_offline_next(const struct fake_offline_client *client,
		       unsigned long pfn, struct fake_offline_info *info)
{
	return fo_list_next(client, pfn, info);
}
EXPORT_SYMBOL_GPL(fake_offline_next);

/**
 * fake_offline_verify() - check marked pages, and count those that differ
 * @client: the owner, or NULL for the pages of all clients
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
		       "must be frozen, notifier or native");
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
	if (ret)
		goto hook;
	ret = fo_dev_create();
	if (!ret)
		return 0;

	fo_debugfs_remove();
hook:
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
 * While the module is being unloaded, its notifier refuses every hotplug operation
 * (fo_operation_begin()). So none of these functions waits for one. Pages that the device
 * and debugfs have marked in online memory go back to the buddy allocator. Their marks of
 * offline and absent memory are deleted.
 */
static void __exit fake_offline_exit(void)
{
	fo_dev_remove();
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
