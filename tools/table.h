/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Listings. Each has one table of columns, which is all there is to know of
 * them: output and --help are made from it.
 */
#ifndef OFFCTL_TABLE_H
#define OFFCTL_TABLE_H

#include "util.h"

enum column_type {
	COL_TEXT,
	COL_NUMBER,	/* to the right */
	COL_SIZE,	/* to the right */
	COL_BOOL,	/* "yes" or "no" */
};

struct column {
	const char *name;
	enum column_type type;
	const char *help;
	/* Adds the cell's text; nothing: not known, shown as "-". */
	void (*get)(struct sb *cell, const void *row, const void *context);
};

struct table {
	const struct column *columns;	/* the last one has no name */
	bool no_header;
};

/* The rows are an array of nr elements of row_size bytes. */
void table_print(const struct table *table, const void *rows, size_t nr,
		 size_t row_size, const void *context);
/* The columns and their help, for --help. */
void table_help(const struct table *table);

#endif
