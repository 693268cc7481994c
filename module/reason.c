// SPDX-License-Identifier: GPL-2.0
/*
 * Why a mark was refused, and why a memory block could not go offline or online.
 *
 * The kernel gives an errno. It does not say which page refused, or which notifier
 * vetoed. The module knows what it does itself. For the rest it looks at the pages
 * as the kernel's own tests do (has_unmovable_pages(), scan_movable_pages()), right
 * after the failure. Nothing keeps the pages from changing meanwhile, so the
 * result is an observation, not a proof.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>

#include "buddy.h"
#include "client.h"
#include "compat.h"
#include "lock.h"
#include "log.h"
#include "page_state.h"
#include "ranges.h"
#include "reason.h"
#include "trace.h"

static const char *const names[FAKE_OFFLINE_NR_REASONS] = {
	[FAKE_OFFLINE_REASON_NONE]		= "none",
	[FAKE_OFFLINE_REASON_MARKED]		= "marked",
	[FAKE_OFFLINE_REASON_NO_MEMORY]		= "no_memory",
	[FAKE_OFFLINE_REASON_DEVICE_MEMORY]	= "device_memory",
	[FAKE_OFFLINE_REASON_NOT_PLUGGABLE]	= "not_pluggable",
	[FAKE_OFFLINE_REASON_KERNEL_MEMORY]	= "kernel_memory",
	[FAKE_OFFLINE_REASON_NEIGHBOUR]		= "neighbour",
	[FAKE_OFFLINE_REASON_PINNED]		= "pinned",
	[FAKE_OFFLINE_REASON_IN_USE]		= "in_use",
	[FAKE_OFFLINE_REASON_TRANSIENT]		= "transient",
	[FAKE_OFFLINE_REASON_ISOLATED]		= "isolated",
	[FAKE_OFFLINE_REASON_STRAY]		= "stray",
	[FAKE_OFFLINE_REASON_FLOOR]		= "floor",
	[FAKE_OFFLINE_REASON_RESERVE]		= "reserve",
	[FAKE_OFFLINE_REASON_NOT_FOUND]		= "not_found",
	[FAKE_OFFLINE_REASON_NO_ZONE]		= "no_zone",
	[FAKE_OFFLINE_REASON_NOT_MARKED]	= "not_marked",
	[FAKE_OFFLINE_REASON_NOT_OWNER]		= "not_owner",
	[FAKE_OFFLINE_REASON_INTERRUPTED]	= "interrupted",
	[FAKE_OFFLINE_REASON_VETOED]		= "vetoed",
	[FAKE_OFFLINE_REASON_INJECTED]		= "injected",
	[FAKE_OFFLINE_REASON_UNSKIPPABLE]	= "unskippable",
	[FAKE_OFFLINE_REASON_UNMOVABLE]		= "unmovable",
	[FAKE_OFFLINE_REASON_NO_HOOK]		= "no_hook",
	[FAKE_OFFLINE_REASON_OWN_MEMMAP]	= "own_memmap",
	[FAKE_OFFLINE_REASON_UNLOADING]		= "unloading",
	[FAKE_OFFLINE_REASON_HOOK_CHANGES]	= "hook_changes",
	[FAKE_OFFLINE_REASON_KERNEL_REFUSED]	= "kernel_refused",
};

/** fo_reason_name() - the word for a reason */
const char *fo_reason_name(enum fake_offline_reason reason)
{
	return names[reason];
}

/* Protects the records of the last failures, and the watches. */
static DEFINE_SPINLOCK(failure_lock);
static struct fo_failure last_failure[FO_NR_FAILURE_KINDS];
static LIST_HEAD(watches);

/**
 * fo_failure_watch() - keep the failures of the calling task apart
 * @watch: filled in from now on by each fo_fail() of this task
 *
 * Two tasks may fail at the same time, so the last failure of all may be another's.
 *
 * Context: any. Inverse: fo_failure_unwatch().
 */
void fo_failure_watch(struct fo_failure_watch *watch)
{
	watch->task = current;
	watch->failure.count = 0;
	spin_lock(&failure_lock);
	list_add(&watch->list, &watches);
	spin_unlock(&failure_lock);
}

/** fo_failure_unwatch() - end it; inverse: fo_failure_watch() */
void fo_failure_unwatch(struct fo_failure_watch *watch)
{
	spin_lock(&failure_lock);
	list_del(&watch->list);
	spin_unlock(&failure_lock);
}

/**
 * fo_fail() - record the reason of a failure
 * @kind: of a mark, or of a hotplug operation
 * @reason: why
 * @pfns: the memory that it is about
 * @pfn: the page that was in the way, or -1
 * @owner: the owner of that page, or NULL
 * @error: the negative errno; -ECANCELED where only the kernel knows it
 * @fmt: the reason for users, without a newline
 *
 * The reason also goes to the kernel's log, but for the reasons that drivers meet
 * while they look for pages.
 *
 * Context: any.
 * Return: @error.
 */
int fo_fail(enum fo_failure_kind kind, enum fake_offline_reason reason,
	    struct pfn_range pfns, long pfn, const char *owner, int error,
	    const char *fmt, ...)
{
	struct fo_failure f = {
		.when_s = ktime_get_seconds(),
		.error = error,
		.reason = reason,
		.pfns = pfns,
		.pfn = pfn,
	};
	struct fo_failure_watch *watch;
	va_list args;

	va_start(args, fmt);
	vscnprintf(f.text, sizeof(f.text), fmt, args);
	va_end(args);
	strscpy(f.owner, owner ?: "", sizeof(f.owner));

	spin_lock(&failure_lock);
	f.count = last_failure[kind].count + 1;
	last_failure[kind] = f;
	list_for_each_entry(watch, &watches, list)
		if (watch->task == current)
			watch->failure = f;
	spin_unlock(&failure_lock);
	if (kind == FO_FAILED_HOTPLUG) {
		trace_fake_offline_veto(&pfns, pfn, error, f.text);
		fo_log("PFN %#lx-%#lx: %s\n", pfns.first, pfns.last, f.text);
	} else if (error == -EBUSY) {
		fo_log("mark refused: PFN %#lx-%#lx: %s\n", pfns.first,
		       pfns.last, f.text);
	}
	return error;
}

/** fo_failure_get() - the last failure of one kind; context: any */
struct fo_failure fo_failure_get(enum fo_failure_kind kind)
{
	struct fo_failure f;

	spin_lock(&failure_lock);
	f = last_failure[kind];
	spin_unlock(&failure_lock);
	return f;
}

/*
 * The test of has_unmovable_pages(), as far as a module can repeat it: why a page
 * cannot move, or NULL. A page that is not on an LRU list yet has a mapping already.
 */
static const char *unmovable(struct page *page)
{
	struct folio *folio = page_folio(page);

	if (PageReserved(page))
		return "reserved: boot memory or the kernel itself";
	/* Newer kernels keep no reference to a page of a slab. */
	if (folio_test_slab(folio))
		return "kernel memory (slab)";
	if (PageBuddy(page) || !folio_ref_count(folio) || PageOffline(page) ||
	    compat_page_has_movable_ops(page))
		return NULL;
	if (PageHWPoison(page))
		return "hardware-poisoned";
	if (PageTable(page))
		return "a page table";
	if (folio_test_lru(folio) || folio_test_hugetlb(folio) ||
	    folio_test_anon(folio) || folio->mapping ||
	    page_zonenum(page) == ZONE_MOVABLE)
		return NULL;
	return "kernel memory";
}

static const char *in_use(struct page *page)
{
	return !PageBuddy(page) && folio_ref_count(page_folio(page)) &&
	       !PageOffline(page) && !PageHWPoison(page) ? "in use" : NULL;
}

static const char *pinned(struct page *page)
{
	return in_use(page) && folio_maybe_dma_pinned(page_folio(page)) ?
	       "pinned" : NULL;
}

/* A PageOffline page that scan_movable_pages() does not pass. */
static const char *refuses(struct page *page)
{
	return PageOffline(page) && page_count(page) &&
	       !compat_page_offline_skippable(page) &&
	       !compat_page_has_movable_ops(page) ? "not skippable" : NULL;
}

/* dissolve_free_huge_pages() has left it, because the pool needs it. */
static const char *free_hugetlb(struct page *page)
{
	return PageHuge(page) && !folio_ref_count(page_folio(page)) ? "free" : NULL;
}

/* A page that an offline operation has not migrated yet. */
static const char *not_migrated(struct page *page)
{
	if (!PageLRU(page) && !PageHuge(page) &&
	    !compat_page_has_movable_ops(page))
		return NULL;
	return folio_maybe_dma_pinned(page_folio(page)) ? "pinned" :
	       PageHuge(page) ? "hugetlb" : "in use";
}

/*
 * Neither a reference nor a type. Such a page is free on a per-CPU list, or it is
 * memory of the kernel: a page, other than the first, of an allocation of several
 * pages that is no compound page, or one of a frozen allocation.
 */
static const char *untyped(struct page *page)
{
	struct folio *folio = page_folio(page);

	return folio_ref_count(folio) || PageReserved(page) ||
	       PageOffline(page) || PageHWPoison(page) ||
	       folio_test_slab(folio) || folio_test_hugetlb(folio) ||
	       folio_test_lru(folio) || folio->mapping ||
	       compat_page_has_movable_ops(page) ?
	       NULL : "kernel memory, without a reference of its own";
}

/*
 * The first page that @test says something of, and what; NULL if there is none.
 * Pages on the free lists are passed over.
 */
static const char *find(struct pfn_range pfns,
			const char *(*test)(struct page *page), long *found)
{
	const char *what;
	unsigned long pfn, next;

	for (pfn = pfns.first; pfn <= pfns.last; pfn = max(next, pfn + 1)) {
		struct page *page = pfn_to_online_page(pfn);

		next = page ? fo_skip_free(pfn) : pfn;
		what = page && next == pfn ? test(page) : NULL;
		if (what) {
			*found = pfn;
			return what;
		}
	}
	*found = -1;
	return NULL;
}

static int refs(long pfn)
{
	return folio_ref_count(page_folio(pfn_to_page(pfn)));
}

/*
 * Finds a page that keeps alloc_contig_range() from these pages and does not go away
 * soon: one of them, or, outside ZONE_MOVABLE, one of the same page block.
 */
static const char *find_obstacle(struct pfn_range pfns, bool drained, long *pfn)
{
	const char *what = find(pfns, unmovable, pfn);

	if (!what && drained)
		what = find(pfns, untyped, pfn);
	if (what || page_zonenum(pfn_to_page(pfns.first)) == ZONE_MOVABLE)
		return what;
	return find(pageblocks_of(pfns), unmovable, pfn);
}

/**
 * fo_is_worth_a_try() - may pages that are busy be had in a moment?
 * @pfns: in one online block and one zone
 *
 * Not if the kernel uses one of them, or one in the same page block.
 *
 * Context: sleeps. The caller keeps the block online.
 * Return: whether they may.
 */
bool fo_is_worth_a_try(struct pfn_range pfns)
{
	long pfn;

	return !find_obstacle(pfns, true, &pfn);
}

/**
 * fo_has_untyped() - may a page on a per-CPU list be all that is in the way?
 * @pfns: in one online block and one zone
 *
 * Context: sleeps. The caller keeps the block online.
 * Return: whether one does.
 */
bool fo_has_untyped(struct pfn_range pfns)
{
	long pfn;

	return !find(pfns, unmovable, &pfn) && find(pfns, untyped, &pfn);
}

static int kernel_memory(struct pfn_range pfns, unsigned long pfn,
			 const char *what)
{
	return fo_fail_mark(FAKE_OFFLINE_REASON_KERNEL_MEMORY, pfns, pfn, -EBUSY,
			    "PFN %#lx could not be freed: %s", pfn, what);
}

/**
 * fo_refuse_kernel_memory() - record that the kernel itself uses a page
 * @pfns: in one online block and one zone
 *
 * Context: sleeps. The caller keeps the block online.
 * Return: -EBUSY, or 0 if the kernel uses none of them.
 */
int fo_refuse_kernel_memory(struct pfn_range pfns)
{
	long pfn;
	const char *what = find(pfns, unmovable, &pfn);

	return what ? kernel_memory(pfns, pfn, what) : 0;
}

/**
 * fo_explain_busy() - find out why pages could not be taken
 * @pfns: in one online block and one zone
 * @isolated: the page block was isolated by another task
 * @drained: the per-CPU lists were drained, so no page is on one of them
 *
 * Context: sleeps. The caller keeps the block online.
 * Return: -EBUSY; -ENXIO if a part of it is a hole in the RAM of the block.
 */
int fo_explain_busy(struct pfn_range pfns, bool isolated, bool drained)
{
	long obstacle, found;
	const char *what = find_obstacle(pfns, drained, &obstacle);
	unsigned long pfn;

	for_each_pfn(pfn, pfns)
		if (PageReserved(pfn_to_page(pfn)) && !page_is_ram(pfn))
			return fo_fail_mark(FAKE_OFFLINE_REASON_NO_MEMORY, pfns, pfn, -ENXIO,
					    "PFN %#lx is no RAM", pfn);
	if (what && pfns_overlap(pfns, PFN_RANGE(obstacle, obstacle)))
		return kernel_memory(pfns, obstacle, what);
	if (find(pfns, pinned, &found))
		return fo_fail_mark(FAKE_OFFLINE_REASON_PINNED, pfns, found, -EBUSY,
				    "PFN %#lx could not be freed: pinned, %d references",
				    found, refs(found));
	/* A request that does not wait drains no list. */
	if (!drained && find(pfns, untyped, &found))
		return fo_fail_mark(FAKE_OFFLINE_REASON_TRANSIENT, pfns, found, -EBUSY,
				    "PFN %#lx is on the free list of a CPU, or is memory of the kernel: only a request that waits can tell",
				    found);
	if (what)
		return fo_fail_mark(FAKE_OFFLINE_REASON_NEIGHBOUR, pfns, obstacle, -EBUSY,
				    "PFN %#lx in the same page block cannot move: %s",
				    obstacle, what);
	if (isolated)
		return fo_fail_mark(FAKE_OFFLINE_REASON_ISOLATED, pfns, -1, -EBUSY,
				    "its page block is isolated by another allocation or a hotplug operation");
	if (find(pfns, in_use, &found))
		return fo_fail_mark(FAKE_OFFLINE_REASON_IN_USE, pfns, found, -EBUSY,
				    "PFN %#lx could not be freed: in use and movable, %d references, %pGp",
				    found, refs(found),
				    compat_page_flags(pfn_to_page(found)));
	return fo_fail_mark(FAKE_OFFLINE_REASON_TRANSIENT, pfns, -1, -EBUSY,
			    "another task held a page there while it was tried; all are free now, and a new try may work");
}

static void refused_by(const struct fo_operation *op, unsigned long pfn)
{
	struct fo_range *r = fo_ranges_first(PFN_RANGE(pfn, pfn));

	if (op->refusing == pfn_to_page(pfn))
		fo_fail_hotplug(FAKE_OFFLINE_REASON_INJECTED, op->pfns, pfn, -EBUSY,
				"PFN %#lx refused: injected", pfn);
	else if (r)
		fo_fail(FO_FAILED_HOTPLUG, FAKE_OFFLINE_REASON_UNSKIPPABLE, op->pfns, pfn,
			r->client->name, -EBUSY,
			"PFN %#lx refused: marked unskippable by %s", pfn,
			r->client->name);
	else
		fo_fail_hotplug(FAKE_OFFLINE_REASON_UNSKIPPABLE, op->pfns, pfn, -EBUSY,
				"PFN %#lx refused: PageOffline, not skippable, of another driver",
				pfn);
}

static void signal_ended(const struct fo_operation *op)
{
	const char *what;
	long pfn;

	what = op->signalled ? NULL : find(op->pfns, not_migrated, &pfn);
	if (what)
		fo_fail_hotplug(FAKE_OFFLINE_REASON_INTERRUPTED, op->pfns, pfn, -EINTR,
				"interrupted by a signal; PFN %#lx was in the way: %s, %d references",
				pfn, what, refs(pfn));
	else if (op->signalled)
		fo_fail_hotplug(FAKE_OFFLINE_REASON_INJECTED, op->pfns, -1, -EINTR,
				"interrupted: injected");
	else
		fo_fail_hotplug(FAKE_OFFLINE_REASON_INTERRUPTED, op->pfns, -1, -EINTR,
				"interrupted by a signal");
}

/**
 * fo_explain_cancel() - find out why an offlining that the module agreed to failed
 * @op: it, with nothing undone yet
 *
 * Context: MEM_CANCEL_OFFLINE, holds fo_lock.
 */
void fo_explain_cancel(const struct fo_operation *op)
{
	long pfn;

	if (op->vetoed)
		return;		/* the reason is recorded */
	if (find(op->pfns, refuses, &pfn))
		refused_by(op, pfn);
	else if (signal_pending(current))
		signal_ended(op);
	else if (find(op->pfns, free_hugetlb, &pfn))
		fo_fail_hotplug(FAKE_OFFLINE_REASON_UNMOVABLE, op->pfns, pfn, -EBUSY,
				"PFN %#lx could not be dissolved: a free huge page that the hugetlb pool needs",
				pfn);
	else
		fo_fail_hotplug(FAKE_OFFLINE_REASON_VETOED, op->pfns, -1, -ECANCELED,
				"vetoed by another notifier, after this module's");
}

/**
 * fo_explain_state() - find out why a block changed its state without a notifier
 *	that says so
 * @pfns: of the block
 * @error: the kernel's errno
 *
 * Context: sleeps.
 */
void fo_explain_state(struct pfn_range pfns, int error)
{
	const char *what = NULL;
	long pfn;

	if (error == -EBUSY) {
		mutex_lock(&fo_lock);
		what = find(pfns, unmovable, &pfn);
		mutex_unlock(&fo_lock);
	}
	if (what)
		fo_fail_hotplug(FAKE_OFFLINE_REASON_UNMOVABLE, pfns, pfn, error,
				"PFN %#lx refused: %s", pfn, what);
	else if (error == -EINVAL)
		fo_fail_hotplug(FAKE_OFFLINE_REASON_KERNEL_REFUSED, pfns, -1, error,
				"in that state already, or the block has holes or several zones");
	else
		fo_fail_hotplug(FAKE_OFFLINE_REASON_KERNEL_REFUSED, pfns, -1, error,
				error == -EBUSY ?
				"its pages could not be isolated, errno %d" :
				"the kernel refused before any notifier was asked, errno %d",
				error);
}
