// SPDX-License-Identifier: GPL-2.0
/*
 * How much memory marks must leave to the kernel.
 *
 * MemAvailable is no measure for this: it counts ZONE_MOVABLE, other nodes and the
 * page cache, none of which serves GFP_KERNEL in a zone that is full. So each zone
 * that serves kernel allocations, which is any but ZONE_MOVABLE, keeps a floor. It is
 * the larger of
 *
 * - the zone's own reserves, its high watermark and its largest lowmem reserve, as
 *   the kernel last computed them;
 * - a share of its present pages, because a zone whose pages were withheld when it
 *   came online has watermarks near 0.
 *
 * The floor holds for the zone that the marked pages are in. A marked page that is
 * in use is migrated first. So the floor also holds for the zones that the kernel
 * migrates to: see check_targets(). A node that has only ZONE_MOVABLE needs no floor,
 * because to hold all of a movable DIMM is a main use.
 *
 * The check is made for each part of a request right before its pages are taken. Its
 * grant counts until they are taken.
 */
#include <linux/errno.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/moduleparam.h>
#include <linux/page-flags.h>
#include <linux/vmstat.h>

#include "buddy.h"
#include "floor.h"
#include "lock.h"
#include "reason.h"

/* The share of the present pages, and what it is at most. */
#define FO_FLOOR_SHARE		16
#define FO_FLOOR_MOST		PHYS_PFN(512UL << 20)

static uint reserve_mib = 64;
module_param(reserve_mib, uint, 0644);
MODULE_PARM_DESC(reserve_mib,
		 "Refuse a mark that would leave less available memory in the whole machine, in MiB (default 64); zones have floors besides");

/* Protected by fo_lock. */
static LIST_HEAD(grants);

/** fo_reserve_mib() - the parameter; context: any */
unsigned int fo_reserve_mib(void)
{
	return READ_ONCE(reserve_mib);
}

/* The pages that grants may take from @zone, or, with NULL, from all zones. */
static unsigned long granted(const struct zone *zone)
{
	unsigned long pages = 0;
	struct fo_grant *g;

	list_for_each_entry(g, &grants, list)
		pages += !zone || g->zone == zone ? g->pages : g->moving;
	return pages;
}

static bool serves_kernel(const struct zone *zone)
{
	return zone_idx(zone) != ZONE_MOVABLE;
}

/* Free, or freed without writing: as si_mem_available() has it, of one zone. */
static long available(struct zone *zone)
{
	unsigned long cache = zone_page_state(zone, NR_ZONE_INACTIVE_FILE) +
			      zone_page_state(zone, NR_ZONE_ACTIVE_FILE);

	cache -= min(cache, zone_page_state(zone, NR_ZONE_WRITE_PENDING));
	cache -= min(cache / 2, low_wmark_pages(zone));
	return zone_page_state(zone, NR_FREE_PAGES) + cache - granted(zone);
}

static long floor_of(const struct zone *zone)
{
	unsigned long share = min(zone->present_pages / FO_FLOOR_SHARE,
				  FO_FLOOR_MOST);
	long reserve = 0;
	int i;

	if (!serves_kernel(zone))
		return high_wmark_pages(zone);
	for (i = 0; i < MAX_NR_ZONES; i++)
		reserve = max(reserve, zone->lowmem_reserve[i]);
	return max_t(long, share, reserve + high_wmark_pages(zone));
}

/* How many pages of a zone are above its floor; negative if it is below. */
static long room_in(struct zone *zone)
{
	return available(zone) - floor_of(zone);
}

/* How many of these pages the kernel will have to migrate. */
static unsigned long pages_in_use(struct pfn_range pfns)
{
	unsigned long pfn, next, n = 0;

	for (pfn = pfns.first; pfn <= pfns.last; pfn = max(next, pfn + 1)) {
		struct page *page = pfn_to_page(pfn);

		next = fo_skip_free(pfn);
		/* Free pages on per-CPU lists have no reference. */
		n += next == pfn && !PageHWPoison(page) &&
		     (page_count(page) || PageHuge(page));
	}
	return n;
}

/**
 * fo_floor_refuse() - record that a zone would fall below its floor
 * @zone: the zone
 * @pfns: of the request
 * @nr_pages: pages that were wanted
 * @possible: pages that could be marked
 *
 * Context: holds fo_lock.
 * Return: -ENOSPC.
 */
int fo_floor_refuse(struct zone *zone, struct pfn_range pfns,
		    unsigned long nr_pages, unsigned long possible)
{
	return fo_fail_mark(FAKE_OFFLINE_REASON_FLOOR, pfns, -1, -ENOSPC,
			    "zone %s of node %d must keep %ld pages and has %ld left: %lu of these %lu pages could be marked",
			    zone->name, zone_to_nid(zone), floor_of(zone),
			    available(zone), possible, nr_pages);
}

/*
 * How many of @moving pages of @zone find no place that keeps the floors? @own other
 * pages of the request are free. They will be taken, so they are no room in the zone.
 *
 * alloc_migration_target() asks for ZONE_MOVABLE only if the page is there already.
 * get_page_from_freelist() takes the zones of the node's zonelist in turn, each down
 * to its low watermark and lowmem reserve. If the first zone is ZONE_NORMAL, it
 * prefers the next zones of the node to mixing migratetypes in a page block
 * (ALLOC_NOFRAGMENT). So each zone of the node may get all of the pages. A zone that
 * would fall below its floor is @full. If no zone has a free place for a page, the
 * kernel reclaims page cache, which may be in any of these zones.
 */
static unsigned long check_targets(struct zone *zone, long moving, long own,
				   struct zone **full)
{
	int nid = zone_to_nid(zone);
	struct zoneref *ref = NODE_DATA(nid)->
			      node_zonelists[ZONELIST_FALLBACK]._zonerefs;
	enum zone_type highest = max_t(enum zone_type, zone_idx(zone),
				       ZONE_NORMAL);
	long rest = moving, reclaimed = 0;

	*full = NULL;
	for (; ref->zone; ref++) {
		struct zone *to = ref->zone;
		long gone = to == zone ? own : 0;
		long room = max(room_in(to) - gone, 0L);
		long most = highest == ZONE_NORMAL && zone_to_nid(to) == nid ?
			    moving : rest;
		long taken = zone_page_state(to, NR_FREE_PAGES) - gone -
			     (long)granted(to) - (long)low_wmark_pages(to) -
			     to->lowmem_reserve[highest];

		if (zone_idx(to) > highest)
			continue;
		taken = clamp(taken, 0L, most);
		if (!*full)
			*full = to;
		if (serves_kernel(to) && taken > room) {
			*full = to;
			return moving - room;
		}
		rest -= min(rest, taken);
		reclaimed += room - min(room, taken);
	}
	return rest - min(rest, reclaimed);
}

/**
 * fo_reserve_check() - does the machine keep reserve_mib?
 * @pfns: of the request
 * @nr_pages: number of pages to be taken
 * @quiet: record no reason
 *
 * Context: holds fo_lock.
 * Return: 0, -ENOSPC.
 */
int fo_reserve_check(struct pfn_range pfns, unsigned long nr_pages, bool quiet)
{
	long reserve = (long)fo_reserve_mib() << (20 - PAGE_SHIFT);
	long left = si_mem_available() - granted(NULL) - reserve;

	lockdep_assert_held(&fo_lock);
	if (left >= 0 && nr_pages <= left)
		return 0;
	return quiet ? -ENOSPC :
	       fo_fail_mark(FAKE_OFFLINE_REASON_RESERVE, pfns, -1, -ENOSPC,
			    "less than reserve_mib=%u MiB would be available",
			    fo_reserve_mib());
}

/**
 * fo_floor_check() - may these pages be taken?
 * @pfns: online pages of one zone
 * @grant: filled in, if they may; else its zone is the one that would fall below
 *	its floor, or NULL for the reserve
 * @quiet: record no reason
 *
 * A page that the kernel uses itself cannot be migrated to anywhere. This reason
 * comes before a lack of room for it.
 *
 * Context: holds fo_lock. Inverse: fo_floor_done().
 * Return: 0, -ENOSPC, -EBUSY.
 */
int fo_floor_check(struct pfn_range pfns, struct fo_grant *grant, bool quiet)
{
	struct zone *zone = page_zone(pfn_to_page(pfns.first));
	unsigned long nr = nr_pfns(pfns), moving = nr, rest;
	long room = room_in(zone);

	grant->zone = NULL;
	if (fo_reserve_check(pfns, nr, quiet))
		return -ENOSPC;
	grant->zone = zone;
	if (serves_kernel(zone) && room < (long)nr)
		return quiet ? -ENOSPC :
		       fo_floor_refuse(zone, pfns, nr, max(room, 0L));
	/* To look at each page is expensive, and seldom needed. */
	rest = check_targets(zone, nr, nr, &grant->zone);
	if (rest) {
		moving = pages_in_use(pfns);
		rest = check_targets(zone, moving, nr - moving, &grant->zone);
	}
	if (rest && quiet)
		return -ENOSPC;
	if (rest)
		return fo_refuse_kernel_memory(pfns) ?:
		       fo_floor_refuse(grant->zone, pfns, nr, nr - rest);
	*grant = (struct fo_grant){
		.zone = zone,
		.pages = nr,
		.moving = moving,
	};
	list_add(&grant->list, &grants);
	return 0;
}

/**
 * fo_floor_room() - how many pages of a zone may be taken at the moment
 * @zone: a zone
 *
 * Context: sleeps, not under fo_lock.
 * Return: the number of pages.
 */
unsigned long fo_floor_room(struct zone *zone)
{
	long room;

	mutex_lock(&fo_lock);
	room = room_in(zone);
	mutex_unlock(&fo_lock);
	return max(room, 0L);
}

/** fo_floor_done() - the pages are taken, or will not be; holds fo_lock */
void fo_floor_done(struct fo_grant *grant)
{
	lockdep_assert_held(&fo_lock);
	list_del(&grant->list);
}
