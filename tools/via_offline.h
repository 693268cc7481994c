/* SPDX-License-Identifier: GPL-2.0 */
/*
 * offctl mark --via-offline marks pages while their memory blocks are offline. The module
 * withholds the pages when the blocks come back online.
 */
#ifndef OFFCTL_VIA_OFFLINE_H
#define OFFCTL_VIA_OFFLINE_H

#include "command.h"
#include "memblock.h"
#include "module.h"
#include "span.h"

struct via_block;

struct via_offline {
	const struct command *cmd;
	const struct module *m;
	struct units units;
	bool force;		/* even if a node or the hugetlb pool suffers */
	struct memblocks blocks;
	struct via_block *v;	/* the blocks of the ranges that were online */
	size_t n;
};

/*
 * Takes the blocks of the spans offline. If it fails, it brings the blocks back and
 * returns false after an error message.
 */
bool via_offline_take(struct via_offline *via, const struct spans *spans);
/*
 * Brings the blocks back online, each in the zone it had. Returns false after an error
 * message if a block is still offline. The caller may try again.
 */
bool via_offline_bring_back(struct via_offline *via);
/* Did a block come online in another zone? An error message has told. */
bool via_offline_zones_differ(const struct via_offline *via);
/* Frees everything. A block that is still offline keeps its record. */
void via_offline_end(struct via_offline *via);

#endif
