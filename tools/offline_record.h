/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records of the memory blocks that "offctl mark --via-offline" takes offline for a
 * moment. If offctl is killed, the next offctl reads from them which blocks are still
 * offline and how to bring them back. The record of block N is the file
 * /run/offctl/block-N, which has the online type. offctl holds a lock on the file for as
 * long as it works on the block.
 */
#ifndef OFFCTL_OFFLINE_RECORD_H
#define OFFCTL_OFFLINE_RECORD_H

#include "util.h"

/*
 * Writes the record before the block goes offline. Returns a descriptor for record_end(),
 * or -1 with errno, which is EWOULDBLOCK if another offctl has the block.
 */
int record_begin(uint64_t nr, const char *type);
/* Removes the record if the block is online again, and gives the lock back. */
void record_end(int fd, uint64_t nr, bool online);
/*
 * Reports the blocks that were left offline, unless the offctl that took them still
 * runs. Removes the records of blocks that are online or no longer exist.
 */
void records_report(const char *cmd);

#endif
