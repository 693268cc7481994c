/* SPDX-License-Identifier: GPL-2.0 */
/* How much memory marks must leave to the kernel. */
#ifndef FO_FLOOR_H
#define FO_FLOOR_H

#include <linux/list.h>
#include <linux/types.h>

#include "pfn_range.h"

struct zone;

/**
 * struct fo_grant - pages that a task may take, but has perhaps not taken yet
 * @list: in the list of all grants
 * @zone: the zone that they are in
 * @pages: number of pages
 * @moving: how many of these may have to be migrated to another zone
 */
struct fo_grant {
	struct list_head list;
	struct zone *zone;
	unsigned long pages;
	unsigned long moving;
};

unsigned int fo_reserve_mib(void);
int fo_reserve_check(struct pfn_range pfns, unsigned long nr_pages, bool quiet);
int fo_floor_check(struct pfn_range pfns, struct fo_grant *grant, bool quiet);
int fo_floor_refuse(struct zone *zone, struct pfn_range pfns,
		    unsigned long nr_pages, unsigned long possible);
unsigned long fo_floor_room(struct zone *zone);
void fo_floor_done(struct fo_grant *grant);

#endif /* FO_FLOOR_H */
