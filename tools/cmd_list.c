// SPDX-License-Identifier: GPL-2.0
/* offctl list: lists the marked ranges. */
#include "blockarg.h"
#include "command.h"
#include "ranges.h"

#include <getopt.h>
#include <string.h>

/* The table prints 1 as "yes", and as "true" in JSON. */
static void add_bool(struct sb *cell, bool value)
{
	sb_add(cell, value ? "1" : "0", 1);
}

/*
 * These functions print the cell of a column. The row is a struct marked, and the context is
 * a struct units.
 */

static void list_range(struct sb *cell, const void *row, const void *context)
{
	const struct marked *r = row;

	add_range(cell, context, r->span);
}

static void list_size(struct sb *cell, const void *row, const void *context)
{
	const struct marked *r = row;
	const struct units *u = context;

	sb_add_u64(cell, r->span.nr * u->page);
}

static void list_pages(struct sb *cell, const void *row, const void *context)
{
	const struct marked *r = row;

	(void)context;
	sb_add_u64(cell, r->span.nr);
}

static void list_blocks(struct sb *cell, const void *row, const void *context)
{
	const struct marked *r = row;

	add_blocks(cell, context, r->span);
}

static void list_node(struct sb *cell, const void *row, const void *context)
{
	const struct marked *r = row;

	(void)context;
	if (r->node >= 0)
		sb_add_u64(cell, (uint64_t)r->node);
}

static void list_zone(struct sb *cell, const void *row, const void *context)
{
	const struct marked *r = row;

	(void)context;
	if (strcmp(r->zone, "-"))
		sb_addf(cell, "%s", r->zone);
}

static void list_owner(struct sb *cell, const void *row, const void *context)
{
	const struct marked *r = row;

	(void)context;
	sb_addf(cell, "%s", r->owner);
}

static void list_skippable(struct sb *cell, const void *row,
			   const void *context)
{
	const struct marked *r = row;

	(void)context;
	add_bool(cell, r->skippable);
}

static void list_canary(struct sb *cell, const void *row, const void *context)
{
	const struct marked *r = row;

	(void)context;
	add_bool(cell, r->canary);
}

static void list_state(struct sb *cell, const void *row, const void *context)
{
	const struct marked *r = row;

	(void)context;
	if (r->state)
		sb_addf(cell, "%s", r->state);
}

static void list_age(struct sb *cell, const void *row, const void *context)
{
	const struct marked *r = row;

	(void)context;
	sb_add_u64(cell, r->age);
}

static void list_pfn(struct sb *cell, const void *row, const void *context)
{
	const struct marked *r = row;

	(void)context;
	sb_add_u64(cell, r->span.pfn);
}

static const struct column list_columns[] = {
	{ "RANGE", COL_TEXT, "first and last address", list_range, 0, NULL },
	{ "SIZE", COL_SIZE, "size", list_size, 0, NULL },
	{ "PAGES", COL_NUMBER, "number of pages", list_pages, 0, NULL },
	{ "BLOCKS", COL_TEXT, "memory block, or first and last", list_blocks,
	  0, NULL },
	{ "NODE", COL_NUMBER, "NUMA node; '-' if the memory is not online",
	  list_node, 0, NULL },
	{ "ZONE", COL_TEXT, "zone; '-' if the memory is not online",
	  list_zone, 0, NULL },
	{ "STATE", COL_TEXT,
	  "in-force, waiting (for memory), not-in-force, poisoned",
	  list_state, 0, NULL },
	{ "OWNER", COL_TEXT, "driver that marked the range; 'debugfs' is offctl",
	  list_owner, COL_TRUNC, NULL },
	{ "SKIPPABLE", COL_BOOL, "the memory block can go offline",
	  list_skippable, 0, NULL },
	{ "CANARY", COL_BOOL, "the pages hold a pattern that 'verify' checks",
	  list_canary, 0, NULL },
	{ "AGE", COL_AGE, "time since the range was marked", list_age, 0, NULL },
	{ "PFN", COL_NUMBER, "number of the first page", list_pfn, COL_HIDDEN,
	  NULL },
	{ NULL, COL_TEXT, NULL, NULL, 0, NULL },
};

static const struct table list_table = {
	.name = "ranges",
	.columns = list_columns,
};

static int run_list(const struct command *self, int argc, char **argv)
{
	struct marked_list list;
	struct units units;
	struct module m;
	bool ok;

	while (next_option(self, argc, argv) != -1)
		;
	if (optind < argc)
		return usage_error_arg(self, argv[optind],
				       "not expected here", NULL);
	if (!module_open(&m, self->name, false))
		return ST_FAILED;
	ok = marked_load(&m, self->name, &list);
	if (ok) {
		units = units_get();
		table_print(&list_table, list.v, list.n, sizeof(*list.v),
			    &units);
		marked_free(&list);
	}
	module_close(&m);
	return ok ? ST_DONE : ST_FAILED;
}

const struct command cmd_list = {
	.name = "list",
	.brief = "List the marked ranges of pages.",
	.synopsis = "[-o LIST] [-J|-P|-r] [-n] [-b]",
	.table = &list_table,
	.run = run_list,
};
