/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Listings, which libsmartcols prints. A listing is defined by its table of columns. The
 * default view, -o, -J and the other options of a listing, and --help come from that
 * table.
 */
#ifndef OFFCTL_TABLE_H
#define OFFCTL_TABLE_H

#include "util.h"

/*
 * The type of a cell's text. Getters add the exact value in base units. The options
 * decide how it is shown.
 */
enum column_type {
	COL_TEXT,
	COL_NUMBER,	/* decimal digits */
	COL_SIZE,	/* bytes; shown as 128M without -b and -J */
	COL_BOOL,	/* "0" or "1"; shown as no and yes, in JSON as false and true */
	COL_AGE,	/* seconds; shown as 12s or 3min without -b and -J */
	COL_MS,		/* microseconds; shown as milliseconds such as 12.3 */
};

enum column_flag {
	COL_HIDDEN = 1,	/* not in the default view */
	COL_TRUNC = 2,	/* may be cut if the terminal is too narrow */
	COL_SUM = 4,	/* differs between rows that --merge joins */
	COL_RIGHT = 8,	/* text that is aligned to the right */
};

struct column {
	const char *name;
	enum column_type type;
	const char *help;
	/* Adds the cell's text, or nothing if it is not known, which is shown as "-". */
	void (*get)(struct sb *cell, const void *row, const void *context);
	unsigned int flags;
	/* The text in front of the value in a table of one row that is shown downwards. */
	const char *label;
};

struct table {
	const char *name;		/* the name of the array in JSON */
	const struct column *columns;	/* the last one has no name */
	bool downwards;			/* the default view has a line for each column */
};

/* An option. An id below 256 is its short form, a character. */
struct option_def {
	int id;
	const char *name;
	const char *arg;	/* NULL: it takes no argument; "[" begins an optional one */
	const char *help;
};

/* The options of each command with a table. */
enum { OPT_OUTPUT_ALL = 512 };
extern const struct option_def table_options[];
/*
 * Takes one of these options. Returns NULL, or why it is refused. *bad is then the wrong
 * word, which the caller frees, or NULL.
 */
const char *table_option(const struct table *table, int id, const char *arg,
			 char **bad);
/* Will this column be shown? */
bool table_shows(const struct table *table, const char *column);
/* Will the table be shown downwards? */
bool table_downwards(const struct table *table);
/* Is the output for programs, that is raw, pairs or JSON? */
bool table_for_programs(void);

/* Prints the table. The rows are an array of nr elements of row_size bytes. */
void table_print(const struct table *table, const void *rows, size_t nr,
		 size_t row_size, const void *context);
/* Prints the columns and their help for --help. */
void table_help(const struct table *table);
/* Adds "RANGE, SIZE, PAGES" for a hint. */
void table_names(const struct table *table, struct sb *names);
/* Finds a column by its name in any case. Returns NULL if there is none. */
const struct column *table_column(const struct table *table, const char *name,
				  size_t len);

#endif
