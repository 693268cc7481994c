// SPDX-License-Identifier: GPL-2.0
/* Looking at marked pages and counting what became of them. */
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-flags.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include <linux/fake_offline.h>

#include "gate.h"
#include "page_state.h"
#include "ranges.h"
#include "verify.h"

/* Pages looked at before the gate's lock is dropped for a moment. */
#define FO_VERIFY_CHUNK	512UL

/* One page of an online block, exactly. */
static void verify_page(unsigned long pfn, unsigned int flags,
			struct fake_offline_counts *c)
{
	bool skippable = flags & FAKE_OFFLINE_SKIPPABLE;
	/* One page's may be another one then, for a failure on demand. */
	bool moving = fo_flight_prepares(pfn);
	struct page *page = pfn_to_page(pfn);
	bool bad = false;

	if (PageOffline(page))
		c->page_offline++;
	else
		bad = true;
	if (fo_page_is_skippable(page))
		c->skippable++;
	if (!moving && fo_page_is_skippable(page) != skippable)
		bad = true;
	if (PageBuddy(page)) {
		c->buddy++;
		bad = true;
	}
	if (!moving && !(flags & FO_RANGE_ASIDE) &&
	    page_ref_count(page) != fo_page_expected_count(skippable)) {
		c->wrong_count++;
		bad = true;
	}
	/* Reading memory that is known to be bad is a machine check. */
	if (flags & FAKE_OFFLINE_CANARY && !PageHWPoison(page)) {
		c->canary++;
		if (!fo_canary_intact(pfn)) {
			c->canary_broken++;
			bad = true;
		}
	}
	if (bad && c->first_bad_pfn < 0)
		c->first_bad_pfn = pfn;
}

/*
 * Pages of one range, in one sub-section, online. Nearly all are as they should
 * be, which is found at a glance, and counted as verify_page() would. It is laxer
 * with pages of a block in flight, and with those that make way, but never
 * stricter, so the glance holds for them too. A canary has to be read.
 */
static void verify_online(unsigned long first, unsigned long last,
			  unsigned int flags, struct fake_offline_counts *c)
{
	bool skippable = flags & FAKE_OFFLINE_SKIPPABLE;
	bool at_a_glance = !(flags & FAKE_OFFLINE_CANARY);
	unsigned long pfn = first, n;

	c->pages += last - first + 1;
	c->skippable_expected += skippable ? last - first + 1 : 0;
	while (pfn <= last) {
		n = at_a_glance ? fo_pages_sound(pfn, last, skippable) : 0;
		c->page_offline += n;
		c->skippable += skippable ? n : 0;
		pfn += n;
		if (pfn <= last)
			verify_page(pfn++, flags, c);
	}
}

/* Pages of one range. A memmap comes and goes by sub-sections at the finest. */
static void verify_pages(unsigned long first, unsigned long last,
			 unsigned int flags, struct fake_offline_counts *c)
{
	unsigned long pfn, end;

	for (pfn = first; pfn <= last; pfn = end + 1) {
		end = min(last, pfn | (PAGES_PER_SUBSECTION - 1));
		if (pfn_to_online_page(pfn)) {
			verify_online(pfn, end, flags, c);
		} else {
			c->pages += end - pfn + 1;
			c->block_offline += end - pfn + 1;
		}
	}
}

/**
 * fo_verify() - look at every marked page of [@first, @last]
 * @client: only its pages, or NULL for all
 * @first: first PFN
 * @last: last PFN
 * @c: filled in
 *
 * What is being taken or given back at the moment is not looked at.
 *
 * Context: sleeps, takes the gate's lock for a chunk of pages at a time.
 * Return: 0, -EINTR.
 */
int fo_verify(const struct fake_offline_client *client, unsigned long first,
	      unsigned long last, struct fake_offline_counts *c)
{
	unsigned long pfn = first, from, to;
	struct fo_extent e;

	memset(c, 0, sizeof(*c));
	c->first_bad_pfn = -1;

	mutex_lock(&fo_gate);
	while (pfn <= last && fo_ranges_next(pfn, last, &e)) {
		from = max(e.first, pfn);
		to = min3(e.last, last, from + FO_VERIFY_CHUNK - 1);
		if (!(e.range->flags & FO_RANGE_UNSETTLED) &&
		    (!client || e.range->client == client)) {
			c->ranges += from == max(e.first, first);
			verify_pages(from, to, e.range->flags, c);
		}
		pfn = to + 1;

		mutex_unlock(&fo_gate);
		if (signal_pending(current))
			return -EINTR;
		cond_resched();
		mutex_lock(&fo_gate);
	}
	mutex_unlock(&fo_gate);
	return 0;
}
