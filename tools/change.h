/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A change of the state of memory blocks, as the user requests it. "offctl offline" and
 * "offctl online" share their options, the choice of blocks, the attempts, and the frame
 * of --dry-run.
 */
#ifndef OFFCTL_CHANGE_H
#define OFFCTL_CHANGE_H

#include "blockop.h"
#include "command.h"
#include "memblock.h"
#include "reason.h"
#include "room.h"

/* The state that --dry-run looks at. */
struct dry_run {
	struct reason_sources s;
	struct room room;
};

struct change {
	struct blockop op;
	bool all_marked, keep_going, dry_run;
	const char *size, *node, *zone;
	uint64_t want;		/* --size: the number of blocks; 0 without it */
	int64_t on_node;	/* -1: any */
	/*
	 * For --dry-run: prints what would happen to a block. Returns false if it would
	 * not be done.
	 */
	bool (*predict)(const struct change *c, struct dry_run *d,
			const struct memblock *b);
};

enum { OPT_TYPE = OPT_OWN, OPT_ALL_MARKED, OPT_SIZE, OPT_NODE, OPT_ZONE,
       OPT_TIMEOUT, OPT_DRY_RUN, OPT_KEEP_GOING };

#define CHANGE_OPTIONS							\
	{ OPT_ALL_MARKED, "all-marked", NULL,				\
	  "take every block that has marked pages" },			\
	{ OPT_SIZE, "size", "SIZE",					\
	  "take so much memory, of any blocks" },			\
	{ OPT_NODE, "node", "N", "with --size: only on this NUMA node" },	\
	{ OPT_ZONE, "zone", "ZONE",					\
	  "with --size: only blocks that are in this zone, or can be" }, \
	{ OPT_TIMEOUT, "timeout", "TIME",				\
	  "give up on a block after TIME (10, 0.5s, 200ms, 2min)" },	\
	{ OPT_KEEP_GOING, "keep-going", NULL,				\
	  "continue after a block that fails or does not exist" },		\
	{ OPT_DRY_RUN, "dry-run", NULL,					\
	  "do nothing, show the outcome and the obstacles" },		\
	{ 'v', "verbose", NULL,	"show each step; this is the default" },	\
	{ 'q', "quiet", NULL, "show only failures" }

#define BLOCK_HELP							\
"BLOCK is a number (40), several numbers (40-43, block:40-43), the address at\n" \
"which a block starts, an address range of whole blocks, or a DAX device (dax0.0).\n" \
"offctl tries one block after the other until one fails. The kernel may retry an\n" \
"attempt without end. SIGINT and --timeout end it.\n"

/* Takes the options and operands and does the work. Returns a status. */
int change_run(struct change *c, int argc, char **argv);
/* Adds how many marked pages of the span stay withheld, for a line of --dry-run. */
void add_withheld(struct sb *sb, const struct reason_sources *s, struct span span);

#endif
