/* SPDX-License-Identifier: GPL-2.0 */
/* Memory blocks, from sysfs alone. */
#ifndef OFFCTL_MEMBLOCK_H
#define OFFCTL_MEMBLOCK_H

#include "util.h"

struct memblock {
	uint64_t nr;	/* of /sys/devices/system/memory/memoryN */
	int64_t node;	/* -1: not known */
	char *state;	/* "online", "offline", "going-offline" */
	char *zones;	/* valid_zones, separated by '/'; NULL: not known */
};

struct memblocks {
	struct memblock *v;	/* in ascending order */
	size_t n, cap;
};

/* Bytes in a memory block, or 0 when sysfs does not say. */
uint64_t memblock_bytes(void);
/* All of them; false after an error message. */
bool memblocks_load(const char *cmd, struct memblocks *blocks);
void memblocks_free(struct memblocks *blocks);
/* NULL when there is no such block. */
struct memblock *memblocks_find(struct memblocks *blocks, uint64_t nr);
/* Is it in that zone, or when offline, can it be? */
bool memblock_in_zone(const struct memblock *block, const char *zone);
/* Adds what "removable" says, if it says something. */
void memblock_removable(uint64_t nr, struct sb *value);
/*
 * Writes to its file "state": "offline" or an online type. Returns an errno, or
 * 0; what became of the block is for memblock_refresh() to tell.
 */
int memblock_write_state(uint64_t nr, const char *word);
/* Reads state and zones anew; false with errno, ENOENT for a vanished block. */
bool memblock_refresh(struct memblock *block);

#endif
