/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Marking many ranges, each for itself, for "restore" and "import": one that
 * cannot be had must not keep the others from being marked.
 */
#ifndef OFFCTL_RETIRE_H
#define OFFCTL_RETIRE_H

#include "command.h"
#include "memblock.h"
#include "ranges.h"
#include "soft_offline.h"

struct retire {
	const struct command *cmd;
	struct units units;
	bool dry_run, partial;
	bool absent;		/* also where no memory is yet */
	struct soft_offline *soft;	/* NULL: not even as the last resort */
	struct module m;
	struct spans had;	/* marked before */
	struct spans ram;	/* all memory blocks; of these */
	struct spans offline;	/* the offline ones */
	uint64_t refusals;	/* that were counted before */
};

/* A range that is to be marked, and what became of it: a row of the table. */
struct retired {
	const char *file;
	size_t line;
	struct span span;
	bool unskippable, canary;
	uint64_t errors;	/* import: how many were counted */
	const char *invalid;	/* not NULL: the line is none */
	const char *fate;
	uint64_t pages, already;	/* marked now, and before */
	uint64_t soft;		/* soft-offlined */
	char *why;
};

/* A status; other than ST_DONE after an error message. */
int retire_open(struct retire *r, const struct command *cmd);
void retire_close(struct retire *r);
/* Marks it, or says what would happen. False: no use to go on. */
bool retire_one(struct retire *r, struct retired *d);
/* The status of all: done, failed or partly. */
int retire_status(const struct retired *v, size_t n);

extern const struct table retire_table;
/* Prints the table; the context of its columns is the units. */
void retire_print(const struct retire *r, const struct retired *v, size_t n);
/* What it costs, in one line. */
void retire_print_cost(const struct retire *r, const struct retired *v,
		       size_t n);

#endif
