/* SPDX-License-Identifier: GPL-2.0 */
/*
 * offctl mark --via-offline: pages are marked while their memory blocks are
 * offline. The module withholds them when the blocks come back.
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
	bool force;		/* whatever it costs */
	struct memblocks blocks;
	struct via_block *v;	/* those that were online */
	size_t n;
};

/*
 * Takes the blocks of the spans offline. False after an error message: those
 * that went offline are back.
 */
bool via_offline_take(struct via_offline *via, const struct spans *spans);
/*
 * Brings them back, each in the zone it had. False after an error message: a
 * block is still offline. Can be called again.
 */
bool via_offline_bring_back(struct via_offline *via);
/* Did a block come online in another zone? It has been said. */
bool via_offline_zones_differ(const struct via_offline *via);
/* A block that is still offline keeps its record. */
void via_offline_end(struct via_offline *via);

#endif
