// SPDX-License-Identifier: GPL-2.0
/* Looking at marked pages and counting what became of them. */
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
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

static void verify_page(unsigned long pfn, unsigned int flags,
			struct fake_offline_counts *c)
{
	bool skippable = flags & FAKE_OFFLINE_SKIPPABLE;
	/* One page's may be another one then, for a failure on demand. */
	bool moving = fo_flight_prepares(pfn);
	struct page *page = pfn_to_online_page(pfn);
	bool bad = false;

	c->pages++;
	if (!page) {
		c->block_offline++;
		return;
	}
	if (PageOffline(page))
		c->page_offline++;
	else
		bad = true;
	c->skippable_expected += skippable;
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
			for (pfn = from; pfn <= to; pfn++)
				verify_page(pfn, e.range->flags, c);
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
