// SPDX-License-Identifier: GPL-2.0
/*
 * Why a memory block could not go offline or come online.
 *
 * The kernel tells an errno; the page that refused, or the notifier that
 * vetoed, is not in it. What we do ourselves we know. For the rest we look at
 * the block as the kernel's own tests do (has_unmovable_pages(),
 * scan_movable_pages()), right after it has failed. Nothing is held that keeps
 * the pages from changing meanwhile, so it is an observation, not a proof.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/kernel.h>

#include <linux/fake_offline.h>

#include "client.h"
#include "compat.h"
#include "gate.h"
#include "log.h"
#include "ranges.h"
#include "trace.h"
#include "why.h"

/* Protects the record of the last failure. */
static DEFINE_SPINLOCK(why_lock);
static struct fo_why last_failure;

/**
 * fo_why_set() - record the reason of a failure
 * @first: first PFN of the memory that was to go offline or come online
 * @last: last PFN
 * @pfn: the page that was in the way, or -1
 * @error: the negative errno; -ECANCELED where only the kernel knows it
 * @fmt: the reason, without a newline
 *
 * It also goes to the kernel's log.
 *
 * Context: any.
 */
void fo_why_set(unsigned long first, unsigned long last, long pfn, int error,
		const char *fmt, ...)
{
	struct fo_why why = { .first = first, .last = last, .pfn = pfn };
	va_list args;

	va_start(args, fmt);
	vscnprintf(why.text, sizeof(why.text), fmt, args);
	va_end(args);

	spin_lock(&why_lock);
	why.count = last_failure.count + 1;
	last_failure = why;
	spin_unlock(&why_lock);
	trace_fake_offline_veto(first, last, pfn, error, why.text);
	fo_log("PFN %#lx-%#lx: %s\n", first, last, why.text);
}

/** fo_why_get() - the last failure */
struct fo_why fo_why_get(void)
{
	struct fo_why why;

	spin_lock(&why_lock);
	why = last_failure;
	spin_unlock(&why_lock);
	return why;
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

static void refused_by(const struct fo_flight *flight, unsigned long pfn)
{
	struct fo_extent e;

	if (flight->refusing == pfn_to_page(pfn))
		fo_why_set(flight->first, flight->last, pfn,
			   -EBUSY, "PFN %#lx refused: injected", pfn);
	else if (fo_ranges_next(pfn, pfn, &e) &&
		 !(e.range->flags & FO_RANGE_UNTAKEN))
		fo_why_set(flight->first, flight->last, pfn,
			   -EBUSY, "PFN %#lx refused: marked unskippable by %s", pfn,
			   e.range->client->name);
	else
		fo_why_set(flight->first, flight->last, pfn,
			   -EBUSY, "PFN %#lx refused: PageOffline, not skippable, of another driver",
			   pfn);
}

static void signal_ended(const struct fo_flight *flight)
{
	long pfn = find(flight->first, flight->last, still_in_use);
	struct folio *folio;

	if (flight->signalled) {
		fo_why_set(flight->first, flight->last, -1, -EINTR,
			   "interrupted: injected");
		return;
	}
	if (pfn < 0) {
		fo_why_set(flight->first, flight->last, -1, -EINTR,
			   "interrupted by a signal");
		return;
	}
	folio = page_folio(pfn_to_page(pfn));
	fo_why_set(flight->first, flight->last, pfn, -EINTR,
		   "interrupted by a signal; PFN %#lx was in the way: %s, %d references",
		   pfn,
		   folio_maybe_dma_pinned(folio) ? "pinned" :
		   folio_test_hugetlb(folio) ? "hugetlb" : "in use",
		   folio_ref_count(folio));
}

/**
 * fo_why_cancelled() - find out why an offlining that we agreed to has failed
 * @flight: it, with nothing undone yet
 *
 * Context: MEM_CANCEL_OFFLINE, holds fo_gate.
 */
void fo_why_cancelled(const struct fo_flight *flight)
{
	long pfn;

	if (flight->vetoed)
		return;		/* the reason is recorded */
	pfn = find(flight->first, flight->last, refuses);
	if (pfn >= 0)
		refused_by(flight, pfn);
	else if (signal_pending(current))
		signal_ended(flight);
	else
		fo_why_set(flight->first, flight->last, -1, -ECANCELED,
			   "vetoed by another notifier, after ours");
}

/* What has_unmovable_pages() minds, as far as a module can tell. */
static const char *unmovable(struct page *page)
{
	if (PageReserved(page))
		return "reserved: boot memory or the kernel itself";
	if (page_zonenum(page) == ZONE_MOVABLE || !page_ref_count(page) ||
	    PageOffline(page) || PageHWPoison(page) || PageLRU(page) ||
	    PageHuge(page) || compat_page_has_movable_ops(page))
		return NULL;
	if (PageSlab(page))
		return "kernel memory (slab)";
	if (PageTable(page))
		return "a page table";
	return "kernel memory";
}

/**
 * fo_why_not_announced() - find out why offlining failed before any notifier
 * @first: first PFN of the block
 * @last: last PFN
 * @error: the kernel's errno
 *
 * Context: sleeps.
 */
void fo_why_not_announced(unsigned long first, unsigned long last, int error)
{
	const char *what = NULL;
	unsigned long pfn;

	if (error == -EINVAL) {
		fo_why_set(first, last, -1, error,
			   "offline already, or the block has holes or several zones");
		return;
	}
	mutex_lock(&fo_gate);
	for (pfn = first; pfn <= last; pfn++) {
		struct page *page = pfn_to_online_page(pfn);

		what = page ? unmovable(page) : NULL;
		if (what)
			break;
	}
	mutex_unlock(&fo_gate);
	if (what)
		fo_why_set(first, last, pfn, error, "PFN %#lx refused: %s", pfn,
			   what);
	else
		fo_why_set(first, last, -1, error,
			   "its pages could not be isolated, errno %d", error);
}
