/* SPDX-License-Identifier: GPL-2.0 */
/* One attempt to take a memory block offline or online, and its outcome. */
#ifndef OFFCTL_BLOCKOP_H
#define OFFCTL_BLOCKOP_H

#include "command.h"
#include "memblock.h"
#include "module.h"

/* The way to take blocks offline or online, and the time of the last attempt. */
struct blockop {
	const struct command *cmd;
	bool online;
	const char *type;	/* online type; NULL: the kernel's choice */
	bool sysfs;		/* write the block's file "state", not the module's file */
	uint64_t limit_ms;	/* time limit of an attempt; 0: none */
	bool quiet;		/* print no line about a success */
	bool expect_failure;	/* print no line about a failure */
	struct units units;
	bool hinted;		/* a hint has named the kernel log already */
	uint64_t us;		/* time of the last attempt in microseconds */
};

enum outcome {
	OP_DONE,
	OP_ALREADY,	/* the block was in that state before */
	OP_FAILED,
	OP_STOP,	/* the module does not answer: further attempts are useless */
};

/* Is the block in the state that the operation is for? */
bool blockop_reached(const struct blockop *op, const struct memblock *b);
/* Makes one attempt and prints its outcome. */
enum outcome blockop_run(struct blockop *op, const struct module *m,
			 struct memblock *b);
/* The kernel's name of an online type ("online_movable" for "movable"), or NULL. */
const char *blockop_type(const char *s);
extern const char blockop_types[];	/* for a hint */

#endif
