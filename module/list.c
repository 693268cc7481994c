// SPDX-License-Identifier: GPL-2.0
/*
 * Listing the marked ranges. What was one request is one line, for as long as all
 * of it is in one state. A hardware-poisoned page is a line of its own.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include <linux/fake_offline_test.h>

#include "client.h"
#include "list.h"
#include "lock.h"
#include "memory.h"
#include "ranges.h"

/* The flags that users see. */
#define INFO_FLAGS	(FAKE_OFFLINE_SKIPPABLE | FAKE_OFFLINE_CANARY | \
			 FAKE_OFFLINE_ABSENT)

static enum fake_offline_state state_of(const struct fo_range *r)
{
	if (r->state != FO_RANGE_WAITING)
		return FAKE_OFFLINE_IN_FORCE;
	/* It waits for memory, and memory of a device has come. */
	return fo_memory_at(r->first) == FO_MEMORY_DEVICE ?
	       FAKE_OFFLINE_NOT_IN_FORCE : FAKE_OFFLINE_WAITING;
}

/* How far, from @first on, pages of @r are poisoned, or are not. */
static unsigned long last_alike(const struct fo_range *r, unsigned long first,
				bool *poisoned)
{
	unsigned long pfn = first;

	*poisoned = false;
	if (r->state == FO_RANGE_WAITING)
		return r->last;
	*poisoned = PageHWPoison(pfn_to_page(first));
	while (pfn < r->last &&
	       PageHWPoison(pfn_to_page(pfn + 1)) == *poisoned)
		pfn++;
	return pfn;
}

static void fill_in(struct fake_offline_info *info, const struct fo_range *r,
		    unsigned long first)
{
	bool in_force = r->state != FO_RANGE_WAITING, poisoned;
	struct page *page = pfn_to_page(first);

	*info = (struct fake_offline_info) {
		.start_pfn = first,
		.nr_pages = last_alike(r, first, &poisoned) - first + 1,
		.flags = r->flags & INFO_FLAGS,
		.state = state_of(r),
		.age_s = ktime_get_seconds() - r->born_s,
		.nid = in_force ? page_to_nid(page) : NUMA_NO_NODE,
		.zone = in_force ? page_zonenum(page) : FAKE_OFFLINE_ANY_ZONE,
	};
	if (poisoned)
		info->flags |= FAKE_OFFLINE_POISONED;
	strscpy(info->owner, r->client->name, sizeof(info->owner));
}

/* Is @next the same as @info, in what users see, and behind it? */
static bool goes_on(const struct fake_offline_info *info,
		    const struct fake_offline_info *next)
{
	return info->start_pfn + info->nr_pages == next->start_pfn &&
	       info->flags == next->flags && info->state == next->state;
}

/**
 * fo_list_next() - fake_offline_next()
 * @client: whose, or NULL for those of all clients
 * @pfn: where to begin; the range may begin before
 * @info: filled in
 *
 * Context: sleeps.
 * Return: false when there is none.
 */
bool fo_list_next(const struct fake_offline_client *client, unsigned long pfn,
		  struct fake_offline_info *info)
{
	struct fake_offline_info more;
	bool found = false;
	struct fo_range *r;
	u16 serial = 0;

	mutex_lock(&fo_lock);
	for (r = fo_ranges_first(pfn, ULONG_MAX); r;
	     r = fo_ranges_next(r, ULONG_MAX)) {
		unsigned long first = r->first;

		if (found && (r->serial != serial || !fo_range_is_marked(r)))
			break;
		if (!fo_range_is_marked(r) || (client && r->client != client))
			continue;
		if (!found) {
			/* A listing goes on behind a poisoned page. */
			fill_in(info, r, first);
			while (info->start_pfn + info->nr_pages <= pfn)
				fill_in(info, r,
					info->start_pfn + info->nr_pages);
			serial = r->serial;
			found = true;
			if (info->start_pfn + info->nr_pages <= r->last)
				break;
			continue;
		}
		fill_in(&more, r, first);
		if (!goes_on(info, &more))
			break;
		info->nr_pages += more.nr_pages;
		if (more.start_pfn + more.nr_pages <= r->last)
			break;
	}
	mutex_unlock(&fo_lock);
	return found;
}
