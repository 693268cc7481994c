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

#include "client.h"
#include "compat.h"
#include "lock.h"
#include "log.h"
#include "page_state.h"
#include "ranges.h"
#include "reason.h"
#include "trace.h"

static const char *const names[FO_NR_REASONS] = {
	[FO_ALREADY_MARKED]	= "marked",
	[FO_NO_MEMORY]		= "no_memory",
	[FO_DEVICE_MEMORY]	= "device_memory",
	[FO_NOT_PLUGGABLE]	= "not_pluggable",
	[FO_KERNEL_MEMORY]	= "kernel_memory",
	[FO_NEIGHBOUR]		= "neighbour",
	[FO_PINNED]		= "pinned",
	[FO_IN_USE]		= "in_use",
	[FO_TRANSIENT]		= "transient",
	[FO_ISOLATED]		= "isolated",
	[FO_STRAY]		= "stray",
	[FO_FLOOR]		= "floor",
	[FO_RESERVE]		= "reserve",
	[FO_NOT_FOUND]		= "not_found",
	[FO_NO_ZONE]		= "no_zone",
	[FO_INTERRUPTED]	= "interrupted",
	[FO_VETOED]		= "vetoed",
	[FO_INJECTED]		= "injected",
	[FO_UNSKIPPABLE]	= "unskippable",
	[FO_UNMOVABLE]		= "unmovable",
	[FO_NO_HOOK]		= "no_hook",
	[FO_OWN_MEMMAP]		= "own_memmap",
	[FO_UNLOADING]		= "unloading",
	[FO_HOOK_CHANGES]	= "hook_changes",
	[FO_KERNEL_REFUSED]	= "kernel_refused",
};

/** fo_reason_name() - the word for a reason */
const char *fo_reason_name(enum fo_reason reason)
{
	return names[reason];
}

/* Protects the records of the last failures. */
static DEFINE_SPINLOCK(failure_lock);
static struct fo_failure last_failure[FO_NR_FAILURE_KINDS];

/**
 * fo_fail() - record the reason of a failure
 * @kind: of a mark, or of a hotplug operation
 * @reason: why
 * @first: first PFN of the memory that it is about
 * @last: last PFN
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
int fo_fail(enum fo_failure_kind kind, enum fo_reason reason,
	    unsigned long first, unsigned long last, long pfn,
	    const char *owner, int error, const char *fmt, ...)
{
	struct fo_failure f = {
		.when_s = ktime_get_seconds(),
		.error = error,
		.reason = reason,
		.first = first,
		.last = last,
		.pfn = pfn,
	};
	va_list args;

	va_start(args, fmt);
	vscnprintf(f.text, sizeof(f.text), fmt, args);
	va_end(args);
	strscpy(f.owner, owner ?: "", sizeof(f.owner));

	spin_lock(&failure_lock);
	f.count = last_failure[kind].count + 1;
	last_failure[kind] = f;
	spin_unlock(&failure_lock);
	if (kind == FO_FAILED_HOTPLUG) {
		trace_fake_offline_veto(first, last, pfn, error, f.text);
		fo_log("PFN %#lx-%#lx: %s\n", first, last, f.text);
	} else if (error == -EBUSY) {
		fo_log("mark refused: PFN %#lx-%#lx: %s\n", first, last,
		       f.text);
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
 * What has_unmovable_pages() minds, as far as a module can tell. NULL: nothing. A
 * page that is on its way to an LRU list has a mapping already.
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

/* The first unmovable page of [@first, @last]; NULL if there is none. */
static const char *find_unmovable(unsigned long first, unsigned long last,
				  unsigned long *pfn)
{
	const char *what;

	for (*pfn = first; *pfn <= last; ++*pfn) {
		struct page *page = pfn_to_online_page(*pfn);

		what = page ? unmovable(page) : NULL;
		if (what)
			return what;
	}
	return NULL;
}

static bool in_use(struct page *page)
{
	return !PageBuddy(page) && folio_ref_count(page_folio(page)) &&
	       !PageOffline(page) && !PageHWPoison(page);
}

static bool is_pinned(struct page *page)
{
	return in_use(page) && folio_maybe_dma_pinned(page_folio(page));
}

static long find(unsigned long first, unsigned long last,
		 bool (*test)(struct page *page))
{
	unsigned long pfn;

	for (pfn = first; pfn <= last; pfn++) {
		struct page *page = pfn_to_online_page(pfn);

		if (page && test(page))
			return pfn;
	}
	return -1;
}

/* What @pfn is that cannot move, and whether it is in the range itself. */
struct obstacle {
	const char *what;	/* NULL: nothing */
	enum fo_reason reason;
	unsigned long pfn;
};

/* What keeps alloc_contig_range() from these pages, and does not go away soon. */
static struct obstacle find_obstacle(unsigned long first, unsigned long last)
{
	struct obstacle o = { .reason = FO_KERNEL_MEMORY };

	o.what = find_unmovable(first, last, &o.pfn);
	if (o.what || page_zonenum(pfn_to_page(first)) == ZONE_MOVABLE)
		return o;
	o.reason = FO_NEIGHBOUR;
	o.what = find_unmovable(round_down(first, pageblock_nr_pages),
				last | (pageblock_nr_pages - 1), &o.pfn);
	return o;
}

/**
 * fo_is_worth_a_try() - may pages that are busy be had in a moment?
 * @first: first PFN
 * @last: last PFN, in one online block and one zone
 *
 * Not if the kernel uses one of them, or one in the same page block.
 *
 * Context: sleeps. The caller keeps the block online.
 * Return: whether they may.
 */
bool fo_is_worth_a_try(unsigned long first, unsigned long last)
{
	return !find_obstacle(first, last).what;
}

/**
 * fo_explain_busy() - find out why pages could not be taken
 * @first: first PFN
 * @last: last PFN, in one online block and one zone
 * @isolated: the page block was isolated by another task
 *
 * Context: sleeps. The caller keeps the block online.
 * Return: -EBUSY; -ENXIO if a part of it is a hole in the RAM of the block.
 */
int fo_explain_busy(unsigned long first, unsigned long last, bool isolated)
{
	struct obstacle o = find_obstacle(first, last);
	unsigned long pfn;
	long found;

	for (pfn = first; pfn <= last; pfn++)
		if (PageReserved(pfn_to_page(pfn)) && !page_is_ram(pfn))
			return fo_fail_mark(FO_NO_MEMORY, first, last, pfn, -ENXIO,
					    "PFN %#lx is no RAM", pfn);
	if (o.what && o.reason == FO_KERNEL_MEMORY)
		return fo_fail_mark(o.reason, first, last, o.pfn, -EBUSY,
				    "PFN %#lx could not be freed: %s", o.pfn,
				    o.what);
	found = find(first, last, is_pinned);
	if (found >= 0)
		return fo_fail_mark(FO_PINNED, first, last, found, -EBUSY,
				    "PFN %#lx could not be freed: pinned, %d references",
				    found, folio_ref_count(page_folio(pfn_to_page(found))));
	if (o.what)
		return fo_fail_mark(o.reason, first, last, o.pfn, -EBUSY,
				    "PFN %#lx in the same page block cannot move: %s",
				    o.pfn, o.what);
	if (isolated)
		return fo_fail_mark(FO_ISOLATED, first, last, -1, -EBUSY,
				    "its page block is isolated by another allocation or a hotplug operation");
	found = find(first, last, in_use);
	if (found >= 0)
		return fo_fail_mark(FO_IN_USE, first, last, found, -EBUSY,
				    "PFN %#lx could not be freed: in use and movable, %d references, %pGp",
				    found, folio_ref_count(page_folio(pfn_to_page(found))),
				    compat_page_flags(pfn_to_page(found)));
	return fo_fail_mark(FO_TRANSIENT, first, last, -1, -EBUSY,
			    "another task held a page there while it was tried; all are free now, and a new try may work");
}

/* A PageOffline page that scan_movable_pages() does not pass. */
static bool refuses(struct page *page)
{
	return PageOffline(page) && page_count(page) &&
	       !compat_page_offline_skippable(page) &&
	       !compat_page_has_movable_ops(page);
}

static bool still_in_use(struct page *page)
{
	return PageLRU(page) || PageHuge(page) ||
	       compat_page_has_movable_ops(page);
}

static void refused_by(const struct fo_operation *op, unsigned long pfn)
{
	struct fo_range *r = fo_ranges_first(pfn, pfn);

	if (op->refusing == pfn_to_page(pfn))
		fo_fail_hotplug(FO_INJECTED, op->first, op->last, pfn, -EBUSY,
				"PFN %#lx refused: injected", pfn);
	else if (r)
		fo_fail(FO_FAILED_HOTPLUG, FO_UNSKIPPABLE, op->first, op->last,
			pfn, r->client->name, -EBUSY,
			"PFN %#lx refused: marked unskippable by %s", pfn,
			r->client->name);
	else
		fo_fail_hotplug(FO_UNSKIPPABLE, op->first, op->last, pfn, -EBUSY,
				"PFN %#lx refused: PageOffline, not skippable, of another driver",
				pfn);
}

static void signal_ended(const struct fo_operation *op)
{
	long pfn = find(op->first, op->last, still_in_use);
	struct folio *folio;

	if (op->signalled) {
		fo_fail_hotplug(FO_INJECTED, op->first, op->last, -1, -EINTR,
				"interrupted: injected");
		return;
	}
	if (pfn < 0) {
		fo_fail_hotplug(FO_INTERRUPTED, op->first, op->last, -1, -EINTR,
				"interrupted by a signal");
		return;
	}
	folio = page_folio(pfn_to_page(pfn));
	fo_fail_hotplug(FO_INTERRUPTED, op->first, op->last, pfn, -EINTR,
			"interrupted by a signal; PFN %#lx was in the way: %s, %d references",
			pfn,
			folio_maybe_dma_pinned(folio) ? "pinned" :
			folio_test_hugetlb(folio) ? "hugetlb" : "in use",
			folio_ref_count(folio));
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
	pfn = find(op->first, op->last, refuses);
	if (pfn >= 0)
		refused_by(op, pfn);
	else if (signal_pending(current))
		signal_ended(op);
	else
		fo_fail_hotplug(FO_VETOED, op->first, op->last, -1, -ECANCELED,
				"vetoed by another notifier, after this module's");
}

/**
 * fo_explain_state() - find out why a block changed its state without a notifier
 *	that says so
 * @first: first PFN of the block
 * @last: last PFN
 * @error: the kernel's errno
 *
 * Context: sleeps.
 */
void fo_explain_state(unsigned long first, unsigned long last, int error)
{
	const char *what = NULL;
	unsigned long pfn;

	if (error == -EINVAL) {
		fo_fail_hotplug(FO_KERNEL_REFUSED, first, last, -1, error,
				"in that state already, or the block has holes or several zones");
		return;
	}
	if (error == -EBUSY) {
		mutex_lock(&fo_lock);
		what = find_unmovable(first, last, &pfn);
		mutex_unlock(&fo_lock);
	}
	if (what)
		fo_fail_hotplug(FO_UNMOVABLE, first, last, pfn, error,
				"PFN %#lx refused: %s", pfn, what);
	else if (error == -EBUSY)
		fo_fail_hotplug(FO_KERNEL_REFUSED, first, last, -1, error,
				"its pages could not be isolated, errno %d", error);
	else
		fo_fail_hotplug(FO_KERNEL_REFUSED, first, last, -1, error,
				"the kernel refused before any notifier was asked, errno %d",
				error);
}
