/* SPDX-License-Identifier: GPL-2.0 */
/* Taking a memory block offline or online, and seeing what became of it. */
#ifndef OFFCTL_BLOCKOP_H
#define OFFCTL_BLOCKOP_H

#include "command.h"
#include "memblock.h"
#include "module.h"

/* How blocks are to be taken on- or offline, and what the last attempt was. */
struct blockop {
	const struct command *cmd;
	bool online;
	const char *type;	/* online type; NULL: the kernel's choice */
	bool sysfs;		/* by the block's file, not the module's */
	uint64_t limit_ms;	/* an attempt is ended after that; 0: never */
	bool quiet;		/* no line about what is done */
	bool expect_failure;	/* nor about what is not */
	struct units units;
	bool hinted;		/* the log need not be named twice */
	uint64_t us;		/* what the last attempt took */
};

enum outcome {
	OP_DONE,
	OP_ALREADY,	/* it was like that */
	OP_FAILED,
	OP_STOP,	/* the module cannot be talked to: no use to go on */
};

bool blockop_reached(const struct blockop *op, const struct memblock *b);
enum outcome blockop_run(struct blockop *op, const struct module *m,
			 struct memblock *b);
/* The name as the kernel writes it, or NULL: "movable", "online_movable". */
const char *blockop_type(const char *s);
extern const char blockop_types[];	/* for a hint */

#endif
