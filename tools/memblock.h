/* SPDX-License-Identifier: GPL-2.0 */
/* Memory blocks in sysfs. */
#ifndef OFFCTL_MEMBLOCK_H
#define OFFCTL_MEMBLOCK_H

#include "util.h"

struct memblock {
	uint64_t nr;	/* the N of /sys/devices/system/memory/memoryN */
	int64_t node;	/* -1: not known */
	char *state;	/* "online", "offline", "going-offline" */
	char *zones;	/* valid_zones, separated by '/'; NULL: not known */
};

struct memblocks {
	struct memblock *v;	/* in ascending order */
	size_t n, cap;
};

/* Returns the bytes in a memory block, or 0 if sysfs does not show it. */
uint64_t memblock_bytes(void);
/* Loads all memory blocks. Returns false after an error message. */
bool memblocks_load(const char *cmd, struct memblocks *blocks);
void memblocks_free(struct memblocks *blocks);
/* Returns NULL if there is no such block. */
struct memblock *memblocks_find(struct memblocks *blocks, uint64_t nr);
/* Is an online block in that zone? Can an offline block come online in it? */
bool memblock_in_zone(const struct memblock *block, const char *zone);
/* Adds the content of the block's file "removable", if there is one. */
void memblock_removable(uint64_t nr, struct sb *value);
/*
 * Writes "offline" or an online type to the block's file "state". Returns 0 or an errno.
 * memblock_refresh() reads the new state.
 */
int memblock_write_state(uint64_t nr, const char *word);
/*
 * Reads the state and the zones again. Returns false with errno, which is ENOENT for a
 * block that no longer exists.
 */
bool memblock_refresh(struct memblock *block);

#endif
