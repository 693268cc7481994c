/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records of the memory blocks that offctl takes offline only for a while: if it
 * is killed, the next offctl knows which were left offline, and how they were
 * online. There is a file for each block, run/offctl/block-N, with the online
 * type. The offctl that made it holds a lock on it as long as it lives.
 */
#ifndef OFFCTL_OFFLINE_RECORD_H
#define OFFCTL_OFFLINE_RECORD_H

#include "util.h"

/*
 * Before the block goes offline. Returns a descriptor for record_end(), or -1 with
 * errno: EWOULDBLOCK when another offctl has the block.
 */
int record_begin(uint64_t nr, const char *type);
/* Afterwards; online: the block is back, and the record goes away. */
void record_end(int fd, uint64_t nr, bool online);
/*
 * Says which blocks were left offline, unless the offctl that took them still
 * runs. Records of blocks that are online, or gone, go away.
 */
void records_report(const char *cmd);

#endif
