// SPDX-License-Identifier: GPL-2.0
/* Options, --help and usage errors, from the tables of a command. */
#include "command.h"
#include "memblock.h"
#include "sysroot.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#ifndef OFFCTL_VERSION
#define OFFCTL_VERSION "unknown"
#endif

static const struct option_def common_options[] = {
	{ 's', "sysroot", "DIR",
	  "use a recorded tree of files below DIR" },
	{ 'h', "help", NULL, "show this help" },
	{ 'V', "version", NULL, "show the version" },
	{ 0, NULL, NULL, NULL },
};

/* The tables for getopt_long(), made from those of the command. */
static struct {
	const struct command *cmd;
	struct option *longs;
	size_t nr;
	struct sb shorts;
	struct sb name;		/* argv[0], with which its messages begin */
} getopt_tables;

static void add_options(const struct option_def *def)
{
	for (; def && def->name; def++) {
		getopt_tables.longs[getopt_tables.nr++] = (struct option){
			.name = def->name,
			.has_arg = !def->arg ? no_argument :
				   *def->arg == '[' ? optional_argument :
						      required_argument,
			.val = def->id,
		};
		if (def->id < 256)
			sb_addf(&getopt_tables.shorts, "%c%s", def->id,
				!def->arg ? "" : *def->arg == '[' ? "::" : ":");
	}
}

static size_t count_options(const struct option_def *def)
{
	size_t n = 0;

	while (def && def[n].name)
		n++;
	return n;
}

static void make_tables(const struct command *cmd)
{
	size_t n = count_options(cmd->options) +
		   count_options(cmd->table ? table_options : NULL) +
		   count_options(common_options) + 1;

	getopt_tables.cmd = cmd;
	getopt_tables.longs = xrealloc(getopt_tables.longs, n,
				       sizeof(struct option));
	getopt_tables.nr = 0;
	sb_clear(&getopt_tables.shorts);
	sb_addf(&getopt_tables.shorts, "%s", cmd->operands_last ? "+" : "");
	add_options(cmd->options);
	if (cmd->table)
		add_options(table_options);
	add_options(common_options);
	getopt_tables.longs[getopt_tables.nr] = (struct option){0};

	sb_clear(&getopt_tables.name);
	sb_addf(&getopt_tables.name, "offctl%s%s", cmd->name ? ": " : "",
		cmd->name ? cmd->name : "");
}

static void help_options(const struct option_def *def)
{
	struct sb left = {0};

	for (; def && def->name; def++) {
		sb_clear(&left);
		if (def->id < 256)
			sb_addf(&left, "-%c, ", def->id);
		else
			sb_addf(&left, "    ");
		sb_addf(&left, "--%s%s%s", def->name,
			def->arg && *def->arg != '[' ? " " : "",
			def->arg ? def->arg : "");
		out("  %-23s %s\n", sb_str(&left), def->help);
	}
	sb_free(&left);
}

static void help(const struct command *cmd)
{
	const char *line = cmd->synopsis;

	out("Usage:\n");
	for (;;) {
		int len = (int)strcspn(line, "\n");

		/* A line that begins with a blank continues the line above. */
		if (*line == ' ')
			out("  %.*s\n", len, line);
		else
			out("  offctl%s%s%s%.*s\n", cmd->name ? " " : "",
			    cmd->name ? cmd->name : "", len ? " " : "", len,
			    line);
		if (!line[len])
			break;
		line += len + 1;
	}
	out("\n%s\n", cmd->brief);
	if (cmd->details)
		out("\n%s", cmd->details);
	out("\nOptions:\n");
	help_options(cmd->options);
	if (cmd->table)
		help_options(table_options);
	help_options(common_options);
	if (cmd->table) {
		out("\nColumns:\n");
		table_help(cmd->table);
	}
	out("\nExit status:\n"
	    "  0 done, 1 failed, 2 usage, 64 partly done\n");
}

/* Takes -o, -J and the other options of listings. A usage error ends the program. */
static void take_table_option(const struct command *cmd, int id)
{
	char *bad = NULL;
	const char *reason = table_option(cmd->table, id, optarg, &bad);
	struct sb names = {0};

	if (!reason)
		return;
	if (bad) {
		table_names(cmd->table, &names);
		err_arg(cmd->name, bad, reason);
		hint("columns are %s", sb_str(&names));
		sb_free(&names);
		free(bad);
	} else {
		usage_error(cmd, reason);
	}
	quit(ST_USAGE);
}

static bool is_table_option(int id)
{
	for (const struct option_def *def = table_options; def->name; def++)
		if (def->id == id)
			return true;
	return false;
}

int next_option(const struct command *cmd, int argc, char **argv)
{
	int id;

	if (getopt_tables.cmd != cmd) {
		make_tables(cmd);
		argv[0] = getopt_tables.name.p;
		/* With 0, glibc forgets the options of the previous tables. */
		optind = 0;
	}
	id = getopt_long(argc, argv, sb_str(&getopt_tables.shorts),
			 getopt_tables.longs, NULL);
	switch (id) {
	case 's':
		if (!root_set(optarg)) {
			err_arg("--sysroot", optarg, strerror(errno));
			quit(ST_FAILED);
		}
		return next_option(cmd, argc, argv);
	case 'h':
		help(cmd);
		quit(ST_DONE);
	case 'V':
		out("offctl " OFFCTL_VERSION "\n");
		quit(ST_DONE);
	case '?':
		try_help(cmd->name);
		quit(ST_USAGE);
	default:
		if (cmd->table && id != -1 && is_table_option(id)) {
			take_table_option(cmd, id);
			return next_option(cmd, argc, argv);
		}
		return id;
	}
}

int usage_error(const struct command *cmd, const char *reason)
{
	err("%s: %s", cmd->name, reason);
	try_help(cmd->name);
	return ST_USAGE;
}

int usage_error_arg(const struct command *cmd, const char *arg,
		    const char *reason, const char *forms)
{
	err_arg(cmd->name, arg, reason);
	if (forms)
		hint("%s", forms);
	else
		try_help(cmd->name);
	return ST_USAGE;
}

struct units units_get(void)
{
	return (struct units){
		.page = page_size(),
		.block = memblock_bytes(),
	};
}

void add_pages(struct sb *sb, const struct units *u, uint64_t pages)
{
	sb_addf(sb, "%" PRIu64 " page%s (", pages, plural(pages));
	add_size_iec(sb, pages * u->page);
	sb_addf(sb, ")");
}
