/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Room for the pages that leave a memory block when it goes offline, as
 * /proc/zoneinfo shows it. The rules are those of do_migrate_range() and the page
 * allocator of Linux 6.1 to 7.3:
 *
 * - If another node has memory, the pages go to other nodes only.
 * - A page of ZONE_MOVABLE can go to every zone. A page of another zone can go to
 *   ZONE_NORMAL and below.
 * - A zone keeps its min watermark and its protection for itself.
 * - Free pages on the lists of CPUs count, since the kernel drains these lists before an
 *   allocation fails.
 * - The free pages of the block itself are no room.
 *
 * The kernel can make more room. It drops page cache and swaps. So too little room
 * means that an offline operation may fail, not that it will.
 */
#ifndef OFFCTL_ROOM_H
#define OFFCTL_ROOM_H

#include "memblock.h"
#include "util.h"

#define ROOM_ZONES 8	/* no kernel has more zones in a node */

struct room_zone {
	uint64_t node;
	size_t index;		/* of the zone in its node */
	char name[16];
	uint64_t free, min, present;	/* pages */
	uint64_t protection[ROOM_ZONES];	/* against allocations for that zone */
};

struct room {
	struct room_zone *v;
	size_t n, cap;
};

/* Reads /proc/zoneinfo. Returns false with errno. */
bool room_load(struct room *room);
void room_free(struct room *room);
/*
 * The number of pages elsewhere that can receive pages of the block. free_inside is the
 * number of free pages in the block itself.
 */
uint64_t room_for(const struct room *room, const struct memblock *b,
		  uint64_t free_inside);
/* Changes the room as if the block were offline and its used pages had moved. */
void room_move(struct room *room, const struct memblock *b, uint64_t free_inside,
	       uint64_t used);

#endif
