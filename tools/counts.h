/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables of one row that show a file of the module: "stats" or "verify". The row is a
 * struct pairs.
 */
#ifndef OFFCTL_COUNTS_H
#define OFFCTL_COUNTS_H

#include "util.h"

/* Adds the value of that name, or nothing. */
void add_value(struct sb *cell, const void *row, const char *name);
/* Adds the number of that name multiplied by "by", or nothing. */
void add_scaled(struct sb *cell, const void *row, const char *name, uint64_t by);

/* The getter of a column that shows the value "id" of the file as it is. */
#define GETTER(file, id, column, type, label, help, flags)		\
static void file##_##id(struct sb *cell, const void *row,		\
			const void *context)				\
{									\
	(void)context;							\
	add_value(cell, row, #id);					\
}

#endif
