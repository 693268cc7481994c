// SPDX-License-Identifier: GPL-2.0
/*
 * Listing the marked ranges. The ranges of one request are one line, while all of
 * them have the same state. A hardware-poisoned page is a line of its own.
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
	struct pfn_range first = PFN_RANGE(r->pfns.first, r->pfns.first);

	if (r->state != FO_RANGE_WAITING)
		return FAKE_OFFLINE_IN_FORCE;
	/* It waits for memory, and memory of a device has come. */
	return fo_memory_at(&first) == FO_MEMORY_DEVICE ?
	       FAKE_OFFLINE_NOT_IN_FORCE : FAKE_OFFLINE_WAITING;
}

/* Pages of @r from @first on that are poisoned, or that are not. */
static void fill_in(struct fake_offline_info *info, const struct fo_range *r,
		    unsigned long first)
{
	bool in_force = r->state != FO_RANGE_WAITING;
	struct page *page = pfn_to_page(first);
	bool poisoned = in_force && PageHWPoison(page);
	unsigned long end = in_force ? first + 1 : r->pfns.last + 1;

	while (end <= r->pfns.last &&
	       PageHWPoison(pfn_to_page(end)) == poisoned)
		end++;
	*info = (struct fake_offline_info) {
		.start_pfn = first,
		.nr_pages = end - first,
		.flags = (r->flags & INFO_FLAGS) |
			 (poisoned ? FAKE_OFFLINE_POISONED : 0),
		.state = state_of(r),
		.age_s = ktime_get_seconds() - r->born_s,
		.nid = in_force ? page_to_nid(page) : NUMA_NO_NODE,
		.zone = in_force ? page_zonenum(page) : FAKE_OFFLINE_ANY_ZONE,
	};
	strscpy(info->owner, r->client->name, sizeof(info->owner));
}

static unsigned long end_of(const struct fake_offline_info *info)
{
	return info->start_pfn + info->nr_pages;
}

/* The first range of @client that reaches to @pfn or beyond. */
static struct fo_range *first_from(const struct fake_offline_client *client,
				   unsigned long pfn)
{
	struct fo_range *r;

	fo_for_each_range(r, PFN_RANGE(pfn, ULONG_MAX))
		if (fo_range_is_marked(r) && (!client || r->client == client))
			return r;
	return NULL;
}

/* Adds the ranges behind @r that are of the same request and in the same state. */
static void add_next(struct fake_offline_info *info, const struct fo_range *r)
{
	const u16 serial = r->serial;
	struct fake_offline_info more;

	while (end_of(info) > r->pfns.last) {
		r = fo_ranges_next(r, end_of(info));
		if (!r || r->serial != serial || !fo_range_is_marked(r))
			break;
		fill_in(&more, r, r->pfns.first);
		if (more.start_pfn != end_of(info) || more.flags != info->flags ||
		    more.state != info->state)
			break;
		info->nr_pages += more.nr_pages;
	}
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
	const struct fo_range *r;

	mutex_lock(&fo_lock);
	r = first_from(client, pfn);
	if (r) {
		fill_in(info, r, r->pfns.first);
		/* A listing continues behind a poisoned page. */
		while (end_of(info) <= pfn)
			fill_in(info, r, end_of(info));
		add_next(info, r);
	}
	mutex_unlock(&fo_lock);
	return r;
}
