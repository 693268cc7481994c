/* SPDX-License-Identifier: GPL-2.0 */
/* How much memory marks must leave to the kernel. */
#ifndef FO_FLOOR_H
#define FO_FLOOR_H

#include <linux/list.h>
#include <linux/types.h>

struct zone;

/**
 * struct fo_grant - pages that a task may take, but has perhaps not taken yet
 * @list: in the list of all grants
 * @zone: the zone that they are in
 * @pages: number of pages
 */
struct fo_grant {
	struct list_head list;
	struct zone *zone;
	unsigned long pages;
};

unsigned int fo_reserve_mib(void);
int fo_floor_check(unsigned long first, unsigned long last,
		   struct fo_grant *grant, bool quiet);
int fo_floor_refuse(struct zone *zone, unsigned long first, unsigned long last,
		    unsigned long nr_pages, unsigned long possible);
int fo_reserve_check(unsigned long nr_pages);
unsigned long fo_floor_room(struct zone *zone);
void fo_floor_done(struct fo_grant *grant);

#endif /* FO_FLOOR_H */
