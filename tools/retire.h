/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Marking a list of ranges, each on its own, for "restore", "import" and
 * "mark --or-soft-offline": a range that cannot be marked does not affect the others.
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
	bool dry_run;
	bool partial;		/* mark the parts of a refused range */
	bool absent;		/* allow addresses without memory */
	struct soft_offline *soft;	/* NULL: no soft offline */
	struct module m;
	struct spans out_of_use;	/* pages that are out of use */
	struct spans ram;	/* the pages of all memory blocks */
	struct spans offline;	/* the pages of the offline ones */
	uint64_t refusals;	/* the module's counter after the last attempt */
};

/* A range of the list and its outcome. It is a row of the table. */
struct retired {
	const char *file;
	size_t line;
	struct span span;
	bool unskippable, canary;
	uint64_t errors;	/* import: memory errors in the range */
	const char *invalid;	/* the fault of the line; NULL: it has a range */
	const char *outcome;	/* the outcome */
	uint64_t pages, already;	/* pages marked now; pages marked before */
	uint64_t soft;		/* pages soft-offlined now */
	char *reason;
};

/* Returns ST_DONE, or another status after an error message. */
int retire_open(struct retire *r, const struct command *cmd);
void retire_close(struct retire *r);
/* Marks a range, or only predicts its outcome. Returns false if the module is gone. */
bool retire_one(struct retire *r, struct retired *d);
/*
 * Marks a range of several lines of the list with one command, or changes nothing.
 * Returns false if the lines must be tried one by one. *gone becomes true if the module is
 * gone.
 */
bool retire_whole(struct retire *r, struct retired *d, bool *gone);
/* Do two ranges have the same outcome, so that one row can show both? */
bool retired_alike(const struct retired *a, const struct retired *b);
/* The status of all ranges together: done, failed or partly done. */
int retire_status(const struct retired *v, size_t n);

extern const struct table retire_table;
/* Prints the table. The context of its columns is the units. */
void retire_print(const struct retire *r, const struct retired *v, size_t n);
/* Prints one line about the memory that the list costs. */
void retire_print_cost(const struct retire *r, const struct retired *v,
		       size_t n);

#endif
