/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Listings, printed by libsmartcols. Each has one table of columns, which is
 * all there is to know of them: the default view, -o, -J and the other options
 * of a listing, and --help are made from it.
 */
#ifndef OFFCTL_TABLE_H
#define OFFCTL_TABLE_H

#include "util.h"

/*
 * What the text of a cell is. Getters add what is exact, in base units; how it
 * is shown depends on the options.
 */
enum column_type {
	COL_TEXT,
	COL_NUMBER,	/* decimal digits */
	COL_SIZE,	/* bytes; shown as 128M, but not with -b or -J */
	COL_BOOL,	/* "0" or "1"; shown as no, yes; false, true in JSON */
	COL_AGE,	/* seconds; shown as 12s, 3min, but not with -b or -J */
	COL_MS,		/* microseconds; shown as milliseconds, 12.3 */
};

enum column_flag {
	COL_HIDDEN = 1,	/* not in the default view */
	COL_TRUNC = 2,	/* may be cut when the terminal is too narrow */
	COL_SUM = 4,	/* says nothing of what rows have in common, see --merge */
	COL_RIGHT = 8,	/* text, but to the right */
};

struct column {
	const char *name;
	enum column_type type;
	const char *help;
	/* Adds the cell's text; nothing: not known, shown as "-". */
	void (*get)(struct sb *cell, const void *row, const void *context);
	unsigned int flags;
	/* Tables of one row are shown downwards, and this is in front. */
	const char *label;
};

struct table {
	const char *name;		/* of the array in JSON */
	const struct column *columns;	/* the last one has no name */
	bool downwards;			/* by default: a line for each column */
};

/* An option; an id below 256 is a character, its short form. */
struct option_def {
	int id;
	const char *name;
	const char *arg;	/* NULL: it takes none */
	const char *help;
};

/* Those that each command with a table has. */
enum { OPT_OUTPUT_ALL = 512 };
extern const struct option_def table_options[];
/*
 * Takes one of them. Returns NULL, or why not; *bad is then what it is about,
 * or NULL.
 */
const char *table_option(const struct table *table, int id, const char *arg,
			 char **bad);
/* Is this column among those that will be shown? */
bool table_shows(const struct table *table, const char *column);
/* Will it be shown downwards? */
bool table_downwards(const struct table *table);
/* Is it for programs: raw, pairs or JSON? */
bool table_for_programs(void);

/* The rows are an array of nr elements of row_size bytes. */
void table_print(const struct table *table, const void *rows, size_t nr,
		 size_t row_size, const void *context);
/* The columns and their help, for --help. */
void table_help(const struct table *table);
/* "RANGE, SIZE, PAGES": for a hint. */
void table_names(const struct table *table, struct sb *names);
/* For which column a name stands, in any case; NULL: none. */
const struct column *table_column(const struct table *table, const char *name,
				  size_t len);

#endif
