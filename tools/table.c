// SPDX-License-Identifier: GPL-2.0
#include "table.h"

#include <stdlib.h>
#include <string.h>

static size_t count(const struct table *table)
{
	size_t n = 0;

	while (table->columns[n].name)
		n++;
	return n;
}

static bool to_the_right(const struct column *column)
{
	return column->type == COL_NUMBER || column->type == COL_SIZE;
}

static void print_cell(const struct column *column, const char *text,
		       size_t width, bool last)
{
	int w = (int)width;

	if (to_the_right(column))
		out("%*s", w, text);
	else if (last)
		out("%s", text);
	else
		out("%-*s", w, text);
	out("%s", last ? "\n" : " ");
}

void table_print(const struct table *table, const void *rows, size_t nr,
		 size_t row_size, const void *context)
{
	size_t n = count(table), i, c;
	/* All texts, each with its NUL, one behind the other. */
	struct sb texts = {0}, cell = {0};
	size_t *width = xrealloc(NULL, n, sizeof(*width));
	const char *row = rows, *text;

	for (c = 0; c < n; c++)
		width[c] = table->no_header ? 0 :
			   strlen(table->columns[c].name);
	for (i = 0; i < nr; i++, row += row_size) {
		for (c = 0; c < n; c++) {
			sb_clear(&cell);
			table->columns[c].get(&cell, row, context);
			if (!cell.len)
				sb_add(&cell, "-", 1);
			if (cell.len > width[c])
				width[c] = cell.len;
			sb_add(&texts, cell.p, cell.len + 1);
		}
	}

	if (!table->no_header)
		for (c = 0; c < n; c++)
			print_cell(&table->columns[c], table->columns[c].name,
				   width[c], c == n - 1);
	text = sb_str(&texts);
	for (i = 0; i < nr; i++)
		for (c = 0; c < n; c++) {
			print_cell(&table->columns[c], text, width[c],
				   c == n - 1);
			text += strlen(text) + 1;
		}
	sb_free(&texts);
	sb_free(&cell);
	free(width);
}

void table_help(const struct table *table)
{
	for (const struct column *c = table->columns; c->name; c++)
		out("  %-10s %s\n", c->name, c->help);
}
