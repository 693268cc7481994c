/* SPDX-License-Identifier: GPL-2.0 */
/*
 * "offctl status" and "offctl verify" show a file of the module as a table of one row. The
 * row is a struct pairs. A command lists its columns in a macro
 *
 *   #define COUNTS(X)  X(ID, COLUMN, TYPE, LABEL, HELP, FLAGS) ...
 *
 * ID is the name of the value in the file. COUNTS(COUNT_GETTER) makes the getters of the
 * columns, COUNTS(COUNT_COLUMN) the columns, and COUNTS(COUNT_NAME) the list of names.
 */
#ifndef OFFCTL_COUNTS_H
#define OFFCTL_COUNTS_H

#include "command.h"
#include "ranges.h"

/*
 * Reads a file of the module after the options of the command. Returns ST_DONE, or another
 * status after an error message.
 */
int counts_load(const struct command *cmd, const char *file, int argc, char **argv,
		struct pairs *pairs);
/* Adds the value of that name, or nothing. */
void add_value(struct sb *cell, const void *row, const char *name);
/* Adds the number of that name multiplied by "by", or nothing. */
void add_scaled(struct sb *cell, const void *row, const char *name, uint64_t by);

#define COUNT_GETTER(id, ...)						\
static void count_##id(struct sb *cell, const void *row,		\
		       const void *context)				\
{									\
	(void)context;							\
	add_value(cell, row, #id);					\
}
#define COUNT_COLUMN(id, column, type, label, help, flags)		\
	{ column, type, help, count_##id, flags, label },
#define COUNT_NAME(id, ...) #id,

#endif
