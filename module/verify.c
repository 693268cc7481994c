// SPDX-License-Identifier: GPL-2.0
/* Looking at marked pages and counting what became of them. */
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-flags.h>
#include <linux/sched/signal.h>

#include <linux/fake_offline_test.h>

#include "canary.h"
#include "lock.h"
#include "page_state.h"
#include "pm.h"
#include "ranges.h"
#include "verify.h"

/* Pages looked at before fo_lock is dropped for a moment. */
#define FO_VERIFY_CHUNK	512UL

/* One page of an online block, exactly. */
static void verify_page(unsigned long pfn, const struct fo_range *r,
			struct fake_offline_counts *c)
{
	bool skippable = r->flags & FAKE_OFFLINE_SKIPPABLE;
	/* One page's may be another one then, for a failure on demand. */
	bool moving = fo_operation_prepares(pfn);
	struct page *page = pfn_to_page(pfn);
	bool bad = false;

	c->poisoned += PageHWPoison(page);
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
	if (!moving && r->state != FO_RANGE_REF_DROPPED &&
	    page_ref_count(page) != fo_page_expected_count()) {
		c->wrong_count++;
		bad = true;
	}
	if (r->flags & FAKE_OFFLINE_CANARY && !fo_content_is_known()) {
		c->canary_unchecked++;
	/* Reading memory that is known to be bad is a machine check. */
	} else if (r->flags & FAKE_OFFLINE_CANARY && !PageHWPoison(page)) {
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
 * Checks online pages of one range, in one sub-section. Nearly all are as they should
 * be. fo_pages_sound() finds these fast, and they are counted as verify_page() would
 * count them. verify_page() accepts more: pages of a block that goes offline, and pages
 * without their reference. So a page that fo_pages_sound() accepts is always right. A
 * canary has to be read.
 */
static void verify_online(struct pfn_range pfns, const struct fo_range *r,
			  struct fake_offline_counts *c)
{
	bool skippable = r->flags & FAKE_OFFLINE_SKIPPABLE;
	bool at_a_glance = !(r->flags & FAKE_OFFLINE_CANARY);
	unsigned long n;

	c->skippable_expected += skippable ? nr_pfns(pfns) : 0;
	while (pfns.first <= pfns.last) {
		n = at_a_glance ? fo_pages_sound(pfns, skippable) : 0;
		c->page_offline += n;
		c->skippable += skippable ? n : 0;
		pfns.first += n;
		if (pfns.first <= pfns.last)
			verify_page(pfns.first++, r, c);
	}
}

/* Pages of one range. The memmap of a sub-section is contiguous. */
static void verify_pages(struct pfn_range pfns, const struct fo_range *r,
			 struct fake_offline_counts *c)
{
	c->pages += nr_pfns(pfns);
	if (r->state == FO_RANGE_WAITING) {
		c->block_offline += nr_pfns(pfns);
		return;
	}
	if (r->flags & FO_RANGE_RETIRED) {
		c->page_offline += nr_pfns(pfns);
		c->poisoned += nr_pfns(pfns);
		return;
	}
	while (pfns.first <= pfns.last) {
		struct pfn_range part = PFN_RANGE(pfns.first,
			min(pfns.last, pfns.first | (PAGES_PER_SUBSECTION - 1)));

		verify_online(part, r, c);
		pfns.first = part.last + 1;
	}
}

/**
 * fo_verify() - look at every marked page
 * @client: only its pages, or NULL for all
 * @pfns: where
 * @c: filled in
 *
 * Pages that are being taken or given back at the moment are not looked at.
 *
 * Context: sleeps, takes fo_lock for a chunk of pages at a time.
 * Return: 0, -EINTR.
 */
int fo_verify(const struct fake_offline_client *client, struct pfn_range pfns,
	      struct fake_offline_counts *c)
{
	struct pfn_range left = pfns, now;
	unsigned long next = 0;
	struct fo_range *r;
	u16 serial = 0;

	*c = (struct fake_offline_counts){ .first_bad_pfn = -1 };

	mutex_lock(&fo_lock);
	while (left.first <= left.last && (r = fo_ranges_first(left))) {
		now = pfns_common(r->pfns, left);
		now.last = min(now.last, now.first + FO_VERIFY_CHUNK - 1);
		if (fo_range_is_marked(r) && (!client || r->client == client)) {
			c->ranges += now.first == max(r->pfns.first, pfns.first) &&
				     (r->serial != serial || now.first != next);
			serial = r->serial;
			next = now.last + 1;
			verify_pages(now, r, c);
		}
		left.first = now.last + 1;

		mutex_unlock(&fo_lock);
		if (signal_pending(current))
			return -EINTR;
		cond_resched();
		mutex_lock(&fo_lock);
	}
	mutex_unlock(&fo_lock);
	return 0;
}
