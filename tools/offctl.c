// SPDX-License-Identifier: GPL-2.0
/*
 * offctl - takes physical pages out of use through the module fake_offline,
 *	    takes memory blocks offline and online, and shows their state
 *
 * This file finds the command. Each command is in a file named after it, such as
 * cmd_mark.c. The commands share these:
 *
 * command.c		options and --help
 * table.c		listings
 * parse.c		ranges, sizes, times and errnos as people write them
 * span.c		sets of pages
 * sysroot.c, file.c	files below the root, and files that the user names
 * memblock.c		memory blocks in sysfs
 * blockarg.c, blockop.c, change.c
 *			memory blocks as operands, one attempt, several blocks
 * module.c, ranges.c	the module's files in debugfs, and what they say
 * request.c, retire.c	marking the ranges of a command line; marking a list of ranges
 * reason.c, room.c	why a memory block cannot go offline; room for its pages
 */
#include "command.h"
#include "offline_record.h"
#include "sysroot.h"

#include <getopt.h>
#include <locale.h>
#include <string.h>

static const struct command *const commands[] = {
	&cmd_mark, &cmd_unmark, &cmd_skippable, &cmd_list, &cmd_blocks,
	&cmd_map, &cmd_offline, &cmd_online, &cmd_cycle, &cmd_verify,
	&cmd_save, &cmd_restore, &cmd_import, &cmd_inject, &cmd_status,
};

static char *make_details(void)
{
	struct sb sb = {0};

	sb_addf(&sb, "Commands:\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		sb_addf(&sb, "  %-9s %s\n", commands[i]->name,
			commands[i]->brief);
	sb_addf(&sb, "\n'offctl COMMAND --help' shows more.\n");
	return sb.p;
}

int main(int argc, char **argv)
{
	static struct command self = {
		.synopsis = "[--sysroot DIR] COMMAND [ARGUMENT...]",
		.brief = "Take physical pages out of use, and memory blocks offline and online.",
		.operands_last = true,
	};
	/* It is static, since a leak checker would miss it when --help ends the program. */
	static char *details;

	stdio_init();
	/* The locale changes the width of characters, but not the numbers. */
	setlocale(LC_CTYPE, "");
	if (argc < 1)
		return ST_USAGE;
	self.details = details = make_details();
	/* It handles all options of offctl itself, so it returns no id. */
	next_option(&self, argc, argv);
	argc -= optind;
	argv += optind;
	if (!argc) {
		err("no command is named");
		try_help(NULL);
		quit(ST_USAGE);
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[0], commands[i]->name)) {
			int status = commands[i]->run(commands[i], argc, argv);

			if (commands[i]->reports_records && status != ST_USAGE)
				records_report(commands[i]->name);
			root_close();
			quit(status);
		}
	err_arg(NULL, argv[0], "no such command");
	try_help(NULL);
	quit(ST_USAGE);
}
