/* SPDX-License-Identifier: GPL-2.0 */
/* Memory blocks as operands of a command line. */
#ifndef OFFCTL_BLOCKARG_H
#define OFFCTL_BLOCKARG_H

#include "command.h"
#include "memblock.h"

/* The blocks first to last. They need not exist. */
struct block_interval {
	uint64_t first, last;
};

struct block_args {
	struct block_interval *v;
	size_t n;
};

/*
 * Takes all operands: numbers and ranges as parse_blocks() knows them, and DAX
 * devices (dax0.0). Returns ST_DONE, or another status after an error message.
 */
int block_args_take(const struct command *cmd, const struct units *u, int argc,
		    char **argv, struct block_args *args);
void block_args_free(struct block_args *args);
bool block_args_have(const struct block_args *args, uint64_t nr);

/* Gives the pages of a block. Returns false if the block size is not known. */
bool block_span(const struct units *u, uint64_t nr, struct span *span);
/* Adds the blocks that pages lie in, "32" or "32-33"; nothing if that is not known. */
void add_blocks(struct sb *sb, const struct units *u, struct span span);

#endif
