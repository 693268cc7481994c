/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a sub-command is. Its table of options drives getopt and --help, its
 * table of columns the output and --help.
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
	/* One form a line, without "offctl NAME". */
	const char *synopsis;
	/* The rest of --help; may be NULL. */
	const char *details;
	const struct option_def *options;	/* the last one has no name */
	const struct table *table;		/* of its listing, or NULL */
	/* It changes something, or shows the state: it names blocks left offline. */
	bool reports_records;
	/* Options come first: an operand may look like one (-12). */
	bool operands_last;
	int (*run)(const struct command *self, int argc, char **argv);
};

extern const struct command cmd_mark, cmd_unmark, cmd_skippable, cmd_list,
	cmd_blocks, cmd_map, cmd_offline, cmd_online, cmd_cycle, cmd_verify,
	cmd_save, cmd_restore, cmd_import, cmd_inject, cmd_status;

/*
 * The id of the next option, its argument in optarg, or -1 after the last,
 * operands then start at argv[optind]. Options that all commands have are
 * dealt with in here, and so are mistakes: neither comes back.
 */
int next_option(const struct command *cmd, int argc, char **argv);

/* A usage error: its line, the pointer to --help; returns ST_USAGE. */
int usage_error(const struct command *cmd, const char *why);
int usage_error_arg(const struct command *cmd, const char *arg,
		    const char *why, const char *forms);

/* Page and block size of the machine or the recorded tree. */
struct units units_get(void);
/* "1 page (4 KiB)", "4096 pages (16 MiB)" */
void add_pages(struct sb *sb, const struct units *u, uint64_t pages);

#endif
