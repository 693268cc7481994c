/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The definition of a command. Its table of options drives getopt and --help. Its table
 * of columns drives the output and --help.
 */
#ifndef OFFCTL_COMMAND_H
#define OFFCTL_COMMAND_H

#include "parse.h"
#include "table.h"
#include "util.h"

/* The first id of a command's options without a short form. */
enum { OPT_OWN = 256 };

struct command {
	const char *name;
	const char *brief;
	/* One form on each line, without "offctl NAME". A blank continues the line above. */
	const char *synopsis;
	/* The rest of --help, or NULL. */
	const char *details;
	const struct option_def *options;	/* the last one has no name */
	const struct table *table;		/* the columns of its listing, or NULL */
	/* The command reports blocks that a killed offctl has left offline. */
	bool reports_records;
	/* Options come first, since an operand may look like an option (-12). */
	bool operands_last;
	int (*run)(const struct command *self, int argc, char **argv);
};

extern const struct command cmd_mark, cmd_unmark, cmd_skippable, cmd_list,
	cmd_blocks, cmd_map, cmd_offline, cmd_online, cmd_cycle, cmd_verify,
	cmd_save, cmd_restore, cmd_import, cmd_inject, cmd_status;

/*
 * Returns the id of the next option, with its argument in optarg. After the last option
 * it returns -1, and the operands start at argv[optind]. It handles the options that all
 * commands have, and ends the program after a wrong option.
 */
int next_option(const struct command *cmd, int argc, char **argv);

/* Print a usage error and the way to more help. Return ST_USAGE. */
int usage_error(const struct command *cmd, const char *reason);
int usage_error_arg(const struct command *cmd, const char *arg,
		    const char *reason, const char *forms);

/* The page size and the block size of the machine or of the recorded tree. */
struct units units_get(void);
/* Adds "1 page (4 KiB)" or "4096 pages (16 MiB)". */
void add_pages(struct sb *sb, const struct units *u, uint64_t pages);

#endif
