/* SPDX-License-Identifier: GPL-2.0 */
/* Memory blocks as operands: what people name, against what there is. */
#ifndef OFFCTL_BLOCKARG_H
#define OFFCTL_BLOCKARG_H

#include "command.h"
#include "memblock.h"

/* Blocks first to last, whether they exist or not. */
struct block_interval {
	uint64_t first, last;
};

struct block_args {
	struct block_interval *v;
	size_t n;
};

/*
 * Takes all operands: numbers and ranges as parse_blocks() knows them, and DAX
 * devices (dax0.0). A status; other than ST_DONE after an error message.
 */
int block_args_take(const struct command *cmd, const struct units *u, int argc,
		    char **argv, struct block_args *args);
void block_args_free(struct block_args *args);
bool block_args_have(const struct block_args *args, uint64_t nr);

/* The pages of a block; false when the block size is not known. */
bool block_span(const struct units *u, uint64_t nr, struct span *span);
/* "32" or "32-33": the blocks that pages lie in; nothing when not known. */
void add_blocks(struct sb *sb, const struct units *u, struct span span);

#endif
