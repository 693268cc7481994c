// SPDX-License-Identifier: GPL-2.0
/* Listings: their options, the text of the cells, and the output by libsmartcols. */
#include "table.h"
#include "parse.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

const struct option_def table_options[] = {
	{ 'o', "output", "LIST",
	  "show these columns; +LIST adds them to the default ones" },
	{ OPT_OUTPUT_ALL, "output-all", NULL, "show all columns" },
	{ 'J', "json", NULL, "print JSON; numbers are numbers, sizes are bytes" },
	{ 'P', "pairs", NULL, "print NAME=\"value\" pairs" },
	{ 'r', "raw", NULL, "print words with one blank between them" },
	{ 'n', "noheadings", NULL, "leave out the headings" },
	{ 'b', "bytes", NULL, "show sizes in bytes and ages in seconds" },
	{ 0, NULL, NULL, NULL },
};

/* How to show the table. A command has only one. */
static struct {
	const struct column **shown;	/* NULL: the default ones */
	size_t nr;
	bool chosen;			/* by -o or --output-all */
	char format;			/* 0, or one of JPr */
	bool no_headings, bytes;
} view;

bool table_for_programs(void)
{
	return view.format;
}

const struct column *table_column(const struct table *table, const char *name,
				  size_t len)
{
	for (const struct column *c = table->columns; c->name; c++)
		if (strlen(c->name) == len && !strncasecmp(c->name, name, len))
			return c;
	return NULL;
}

void table_names(const struct table *table, struct sb *names)
{
	for (const struct column *c = table->columns; c->name; c++)
		sb_addf(names, "%s%s", c == table->columns ? "" : ", ",
			c->name);
}

static void show(const struct column *column)
{
	view.shown = xrealloc(view.shown, view.nr + 1, sizeof(*view.shown));
	view.shown[view.nr++] = column;
}

static void show_all(const struct table *table, bool hidden)
{
	view.nr = 0;
	for (const struct column *c = table->columns; c->name; c++)
		if (hidden || !(c->flags & COL_HIDDEN))
			show(c);
}

static const char *show_list(const struct table *table, const char *list,
			     char **bad)
{
	view.nr = 0;
	if (*list == '+') {
		show_all(table, false);
		list++;
	}
	for (;;) {
		size_t len = strcspn(list, ",");
		const struct column *c = table_column(table, list, len);

		if (!c) {
			*bad = xstrdup(list);
			(*bad)[len] = '\0';
			return "no such column";
		}
		show(c);
		if (!list[len])
			return NULL;
		list += len + 1;
	}
}

const char *table_option(const struct table *table, int id, const char *arg,
			 char **bad)
{
	*bad = NULL;
	switch (id) {
	case 'o':
		view.chosen = true;
		return show_list(table, arg, bad);
	case OPT_OUTPUT_ALL:
		view.chosen = true;
		show_all(table, true);
		break;
	case 'J':
	case 'P':
	case 'r':
		if (view.format && view.format != id)
			return "--json, --pairs and --raw exclude each other";
		view.format = (char)id;
		break;
	case 'n':
		view.no_headings = true;
		break;
	case 'b':
		view.bytes = true;
		break;
	}
	return NULL;
}

bool table_shows(const struct table *table, const char *column)
{
	if (!view.shown)
		show_all(table, false);
	for (size_t i = 0; i < view.nr; i++)
		if (!strcmp(view.shown[i]->name, column))
			return true;
	return false;
}

bool table_downwards(const struct table *table)
{
	return table->downwards && !view.format && !view.chosen;
}

static bool right_aligned(const struct column *column)
{
	return column->type == COL_NUMBER || column->type == COL_SIZE ||
	       column->type == COL_MS || column->flags & COL_RIGHT;
}

/* Uses a unit only for two or more of it, so that the age is not too coarse. */
static void add_age(struct sb *cell, uint64_t s)
{
	if (s < 2 * 60)
		sb_addf(cell, "%" PRIu64 "s", s);
	else if (s < 2 * 60 * 60)
		sb_addf(cell, "%" PRIu64 "min", s / 60);
	else if (s < 2 * 24 * 60 * 60)
		sb_addf(cell, "%" PRIu64 "h", s / (60 * 60));
	else
		sb_addf(cell, "%" PRIu64 "d", s / (24 * 60 * 60));
}

/* Makes the text that is shown from the text that a getter has added. */
static void dress(const struct column *c, struct sb *cell)
{
	bool json = view.format == 'J', exact = json || view.bytes;
	uint64_t value;

	if (!cell->len) {
		/* JSON has null and pairs have an empty value, so they need no "-". */
		if (view.format != 'J' && view.format != 'P')
			sb_add(cell, "-", 1);
		return;
	}
	if (c->type == COL_TEXT || c->type == COL_NUMBER)
		return;
	if (parse_number(cell->p, &value))
		return;
	if (c->type == COL_BOOL) {
		sb_clear(cell);
		sb_addf(cell, "%s", json ? (value ? "true" : "false") :
					   (value ? "yes" : "no"));
	} else if (c->type == COL_MS) {
		sb_clear(cell);
		sb_addf(cell, "%" PRIu64 ".%" PRIu64, value / 1000,
			value % 1000 / 100);
	} else if (!exact) {
		sb_clear(cell);
		if (c->type == COL_SIZE)
			add_size(cell, value);
		else
			add_age(cell, value);
	}
}

/* Makes the text of a cell. */
static void make_cell(const struct column *c, const void *row,
		      const void *context, struct sb *cell)
{
	sb_clear(cell);
	c->get(cell, row, context);
	dress(c, cell);
}

static _Noreturn void no_memory(void)
{
	fputs("offctl: out of memory\n", stderr);
	exit(ST_FAILED);
}

/* With --merge a column of numbers may have "0-7", which is no number in JSON. */
static bool all_numbers(const char *const *texts, size_t nr, size_t step)
{
	for (size_t i = 0; i < nr; i++) {
		const char *s = texts[i * step];

		if (s && s[strspn(s + (*s == '-'), "0123456789.") +
			   (*s == '-')])
			return false;
	}
	return true;
}

static int json_type(const struct column *c, bool numbers)
{
	switch (c->type) {
	case COL_TEXT:
		return SCOLS_JSON_STRING;
	case COL_BOOL:
		/*
		 * SCOLS_JSON_BOOLEAN would print false for an unknown value.
		 * A number is printed as it is, or as null.
		 */
		return SCOLS_JSON_NUMBER;
	default:
		return numbers ? SCOLS_JSON_NUMBER : SCOLS_JSON_STRING;
	}
}

/* Prints the table by way of a string, so that out_text() sees each write error. */
static void print(struct libscols_table *tb)
{
	struct winsize size;
	char *text = NULL;
	bool tty = !view.format && isatty(STDOUT_FILENO);
	const char *columns = getenv("COLUMNS");
	uint64_t width = 0;

	if (tty) {
		if (columns && parse_number(columns, &width))
			width = 0;
		if (!width && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
			width = size.ws_col;
	}
	scols_table_set_termforce(tb, width ? SCOLS_TERMFORCE_ALWAYS :
					      SCOLS_TERMFORCE_NEVER);
	if (width)
		scols_table_set_termwidth(tb, width > 10000 ? 10000 : width);
	if (scols_print_table_to_string(tb, &text))
		no_memory();
	if (text && *text) {
		size_t len = strlen(text);

		out_text(text, len);
		if (text[len - 1] != '\n')
			out_text("\n", 1);
	}
	free(text);
}

static struct libscols_table *new_table(const struct table *table,
					bool no_headings)
{
	struct libscols_table *tb = scols_new_table();

	if (!tb)
		no_memory();
	scols_table_enable_json(tb, view.format == 'J');
	scols_table_enable_export(tb, view.format == 'P');
	scols_table_enable_raw(tb, view.format == 'r');
	scols_table_enable_noheadings(tb, no_headings);
	if (scols_table_set_name(tb, table->name))
		no_memory();
	return tb;
}

static void new_column(struct libscols_table *tb, const struct column *c,
		       const char *name, bool numbers)
{
	int flags = right_aligned(c) ? SCOLS_FL_RIGHT : 0;
	struct libscols_column *cl;

	if (c->flags & COL_TRUNC)
		flags |= SCOLS_FL_TRUNC;
	cl = scols_table_new_column(tb, name, 0, flags);
	if (!cl || scols_column_set_json_type(cl, json_type(c, numbers)))
		no_memory();
}

/*
 * The text above a column. libsmartcols before 2.41 makes a column as wide as its heading,
 * even if no headings are printed. An empty heading gives the same table with each version.
 * Other formats print the name in each line.
 */
static const char *heading(const struct column *c)
{
	return view.no_headings && !view.format ? "" : c->name;
}

/*
 * Prints a long listing for a file or a pipe, byte for byte as libsmartcols does.
 * libsmartcols measures each character in several ways, which takes ten times as long
 * (400 million instructions for 8192 blocks). A plain listing does not need its abilities:
 * narrow terminals, wide and unprintable characters, and other formats. Returns false if
 * the listing needs one of them. tests/t-trees.sh compares the two.
 */
#define LONG_LISTING 256

static bool print_long(const char *const *texts, size_t nr)
{
	size_t n = view.nr, *width;
	struct sb sb = {0};

	if (nr < LONG_LISTING || view.format || isatty(STDOUT_FILENO))
		return false;
	for (size_t i = 0; i < n * nr; i++)
		for (const char *s = texts[i]; *s; s++)
			if (*s < ' ' || *s > '~')
				return false;
	width = xrealloc(NULL, n, sizeof(*width));
	for (size_t c = 0; c < n; c++) {
		width[c] = strlen(heading(view.shown[c]));
		for (size_t i = 0; i < nr; i++) {
			size_t len = strlen(texts[i * n + c]);

			width[c] = len > width[c] ? len : width[c];
		}
	}
	for (size_t i = view.no_headings; i <= nr; i++)
		for (size_t c = 0; c < n; c++) {
			const char *s = i ? texts[(i - 1) * n + c] :
					    view.shown[c]->name;
			size_t len = strlen(s), pad = width[c] - len;

			if (right_aligned(view.shown[c]))
				sb_pad(&sb, pad);
			sb_add(&sb, s, len);
			if (c == n - 1)
				sb_add(&sb, "\n", 1);
			else
				sb_pad(&sb, right_aligned(view.shown[c]) ? 1 :
							pad + 1);
		}
	free(width);
	out_text(sb_str(&sb), sb.len);
	sb_free(&sb);
	return true;
}

static void set_cell(struct libscols_line *line, size_t n, const char *text)
{
	if (text && scols_line_set_data(line, n, text))
		no_memory();
}

/* Prints one row with a line for each column. */
static void print_downwards(const struct table *table, const void *row,
			    const void *context)
{
	static const struct column text = { .type = COL_TEXT };
	struct libscols_table *tb = new_table(table, true);
	struct sb cell = {0};

	new_column(tb, &text, "NAME", false);
	new_column(tb, &text, "VALUE", false);
	for (size_t i = 0; i < view.nr; i++) {
		const struct column *c = view.shown[i];
		struct libscols_line *line = scols_table_new_line(tb, NULL);

		if (!line)
			no_memory();
		set_cell(line, 0, c->label ? c->label : c->name);
		make_cell(c, row, context, &cell);
		set_cell(line, 1, cell.len ? cell.p : NULL);
	}
	print(tb);
	scols_unref_table(tb);
	sb_free(&cell);
}

void table_print(const struct table *table, const void *rows, size_t nr,
		 size_t row_size, const void *context)
{
	struct libscols_table *tb;
	const char *row = rows;
	/* "all" has the texts of all cells, each with its NUL. */
	struct sb cell = {0}, all = {0};
	const char **texts, *text;
	size_t n;

	if (!view.shown)
		show_all(table, false);
	if (table_downwards(table) && nr == 1) {
		print_downwards(table, rows, context);
		return;
	}
	n = view.nr;
	texts = xrealloc(NULL, n * nr, sizeof(*texts));
	for (size_t i = 0; i < nr; i++, row += row_size)
		for (size_t c = 0; c < n; c++) {
			make_cell(view.shown[c], row, context, &cell);
			sb_add(&all, sb_str(&cell), cell.len + 1);
		}
	sb_free(&cell);
	text = all.p;
	for (size_t i = 0; i < n * nr; i++) {
		texts[i] = *text ? text : NULL;
		text += strlen(text) + 1;
	}

	if (print_long(texts, nr)) {
		free(texts);
		sb_free(&all);
		return;
	}
	tb = new_table(table, view.no_headings);
	for (size_t c = 0; c < n; c++)
		new_column(tb, view.shown[c], heading(view.shown[c]),
			   all_numbers(texts + c, nr, n));
	for (size_t i = 0; i < nr; i++) {
		struct libscols_line *line = scols_table_new_line(tb, NULL);

		if (!line)
			no_memory();
		for (size_t c = 0; c < n; c++)
			set_cell(line, c, texts[i * n + c]);
	}
	print(tb);
	scols_unref_table(tb);
	free(texts);
	sb_free(&all);
}

void table_help(const struct table *table)
{
	int width = 10;

	for (const struct column *c = table->columns; c->name; c++)
		if ((int)strlen(c->name) > width)
			width = (int)strlen(c->name);
	for (const struct column *c = table->columns; c->name; c++)
		out("  %-*s %s%s\n", width, c->name, c->help,
		    c->flags & COL_HIDDEN ? " (with -o)" : "");
}
