// SPDX-License-Identifier: GPL-2.0
/* offctl list, offctl blocks */
#include "command.h"
#include "memblock.h"
#include "ranges.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

static void add_u64(struct sb *cell, uint64_t value)
{
	sb_addf(cell, "%" PRIu64, value);
}

static void add_bool(struct sb *cell, bool value)
{
	sb_addf(cell, "%s", value ? "yes" : "no");
}

static void add_node(struct sb *cell, int64_t node)
{
	if (node >= 0)
		sb_addf(cell, "%" PRId64, node);
}

/* list: the rows are struct marked, the context is struct units */

static void list_range(struct sb *cell, const void *row, const void *context)
{
	const struct marked *r = row;

	add_range(cell, context, r->span);
}

static void list_size(struct sb *cell, const void *row, const void *context)
{
	const struct marked *r = row;
	const struct units *u = context;

	add_size(cell, r->span.nr * u->page);
}

static void list_pages(struct sb *cell, const void *row, const void *context)
{
	const struct marked *r = row;

	(void)context;
	add_u64(cell, r->span.nr);
}

static void list_blocks(struct sb *cell, const void *row, const void *context)
{
	const struct marked *r = row;
	const struct units *u = context;
	uint64_t per_block, first, last;

	if (!u->block)
		return;
	per_block = u->block / u->page;
	first = r->span.pfn / per_block;
	last = (r->span.pfn + r->span.nr - 1) / per_block;
	add_u64(cell, first);
	if (last != first)
		sb_addf(cell, "-%" PRIu64, last);
}

static void list_node(struct sb *cell, const void *row, const void *context)
{
	const struct marked *r = row;

	(void)context;
	add_node(cell, r->node);
}

static void list_zone(struct sb *cell, const void *row, const void *context)
{
	const struct marked *r = row;

	(void)context;
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

static void list_age(struct sb *cell, const void *row, const void *context)
{
	const struct marked *r = row;

	(void)context;
	/* Never less than two of the smaller unit, so not too coarse. */
	if (r->age < 2 * 60)
		sb_addf(cell, "%" PRIu64 "s", r->age);
	else if (r->age < 2 * 60 * 60)
		sb_addf(cell, "%" PRIu64 "min", r->age / 60);
	else if (r->age < 2 * 24 * 60 * 60)
		sb_addf(cell, "%" PRIu64 "h", r->age / (60 * 60));
	else
		sb_addf(cell, "%" PRIu64 "d", r->age / (24 * 60 * 60));
}

static const struct column list_columns[] = {
	{ "RANGE", COL_TEXT, "first and last address", list_range },
	{ "SIZE", COL_SIZE, "size", list_size },
	{ "PAGES", COL_NUMBER, "number of pages", list_pages },
	{ "BLOCKS", COL_TEXT, "memory block, or first and last", list_blocks },
	{ "NODE", COL_NUMBER, "NUMA node; '-' when the block is offline",
	  list_node },
	{ "ZONE", COL_TEXT, "zone; '-' when the block is offline", list_zone },
	{ "OWNER", COL_TEXT, "who marked it; 'debugfs' is offctl", list_owner },
	{ "SKIPPABLE", COL_BOOL, "the block can go offline all the same",
	  list_skippable },
	{ "CANARY", COL_BOOL, "filled with a pattern that 'verify' checks",
	  list_canary },
	{ "AGE", COL_TEXT, "time since it was marked", list_age },
	{ NULL, COL_TEXT, NULL, NULL },
};

static const struct table list_table = { .columns = list_columns };

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
	.synopsis = "",
	.table = &list_table,
	.run = run_list,
};

/* blocks: the rows are struct memblock */

struct blocks_context {
	struct units units;
	struct spans marked;
	bool marked_known;
};

/* False when the block size is not known. */
static bool span_of_block(const struct memblock *b, const struct units *u,
			  struct span *span)
{
	if (!u->block || b->nr > UINT64_MAX / u->block)
		return false;
	span->nr = u->block / u->page;
	span->pfn = b->nr * span->nr;
	return true;
}

static void blocks_block(struct sb *cell, const void *row, const void *context)
{
	const struct memblock *b = row;

	(void)context;
	add_u64(cell, b->nr);
}

static void blocks_range(struct sb *cell, const void *row, const void *context)
{
	const struct blocks_context *c = context;
	struct span span;

	if (span_of_block(row, &c->units, &span))
		add_range(cell, &c->units, span);
}

static void blocks_size(struct sb *cell, const void *row, const void *context)
{
	const struct blocks_context *c = context;

	(void)row;
	if (c->units.block)
		add_size(cell, c->units.block);
}

static void blocks_node(struct sb *cell, const void *row, const void *context)
{
	const struct memblock *b = row;

	(void)context;
	add_node(cell, b->node);
}

static void blocks_zones(struct sb *cell, const void *row, const void *context)
{
	const struct memblock *b = row;

	(void)context;
	if (b->zones)
		sb_addf(cell, "%s", b->zones);
}

static void blocks_state(struct sb *cell, const void *row, const void *context)
{
	const struct memblock *b = row;

	(void)context;
	sb_addf(cell, "%s", b->state);
}

static void blocks_marked(struct sb *cell, const void *row,
			  const void *context)
{
	const struct blocks_context *c = context;
	struct span span;

	if (c->marked_known && span_of_block(row, &c->units, &span))
		add_u64(cell, spans_pages_in(&c->marked, span));
}

static const struct column blocks_columns[] = {
	{ "BLOCK", COL_NUMBER, "number of the memory block", blocks_block },
	{ "RANGE", COL_TEXT, "first and last address", blocks_range },
	{ "SIZE", COL_SIZE, "size", blocks_size },
	{ "NODE", COL_NUMBER, "NUMA node", blocks_node },
	{ "ZONES", COL_TEXT,
	  "its zone, or when offline those it can go to, the default first",
	  blocks_zones },
	{ "STATE", COL_TEXT, "online, offline or going-offline", blocks_state },
	{ "MARKED", COL_NUMBER,
	  "marked pages in it; '-' when the module cannot be asked",
	  blocks_marked },
	{ NULL, COL_TEXT, NULL, NULL },
};

static const struct table blocks_table = { .columns = blocks_columns };

/* Is the block one of those that the operands name? */
static bool wanted(uint64_t nr, const struct spans *numbers)
{
	return !numbers->n ||
	       spans_pages_in(numbers, (struct span){ nr, 1 });
}

static int run_blocks(const struct command *self, int argc, char **argv)
{
	struct blocks_context context = {0};
	struct spans numbers = {0};
	struct memblocks blocks = {0}, shown = {0};
	struct marked_list list;
	struct module m;
	int status = ST_DONE;

	while (next_option(self, argc, argv) != -1)
		;
	context.units = units_get();
	for (int i = optind; i < argc; i++) {
		uint64_t first, last;
		const char *why = parse_blocks(argv[i], &context.units,
					       &first, &last);

		/* A set holds spans that end below 2^64. */
		if (!why && last == UINT64_MAX)
			why = "too large";
		if (why) {
			status = usage_error_arg(self, argv[i], why,
						 block_forms);
			goto out;
		}
		spans_add(&numbers, (struct span){ first, last - first + 1 });
	}
	spans_normalize(&numbers);

	if (!memblocks_load(self->name, &blocks)) {
		status = ST_FAILED;
		goto out;
	}
	/* Without the module, or as a user, the rest is still of use. */
	if (module_open(&m, self->name, true)) {
		context.marked_known = marked_load(&m, self->name, &list);
		if (context.marked_known) {
			context.marked = marked_spans(&list, NULL);
			marked_free(&list);
		} else {
			status = ST_FAILED;
		}
		module_close(&m);
	}
	/* Same memory, fewer rows: shown owns nothing but its array. */
	shown.v = xrealloc(NULL, blocks.n, sizeof(*shown.v));
	for (size_t i = 0; i < blocks.n; i++)
		if (wanted(blocks.v[i].nr, &numbers))
			shown.v[shown.n++] = blocks.v[i];
	if (numbers.n && !shown.n) {
		err("%s: there are no such blocks", self->name);
		status = ST_FAILED;
	} else {
		table_print(&blocks_table, shown.v, shown.n, sizeof(*shown.v),
			    &context);
	}
out:
	free(shown.v);
	spans_free(&context.marked);
	spans_free(&numbers);
	memblocks_free(&blocks);
	return status;
}

const struct command cmd_blocks = {
	.name = "blocks",
	.brief = "List the memory blocks.",
	.synopsis = "[BLOCK...]",
	.details =
"BLOCK is a number (40), numbers (40-43, block:40-43), the address a block\n"
"starts at, or a range of addresses of whole blocks. It works without the\n"
"module too, as far as sysfs alone can tell.\n",
	.table = &blocks_table,
	.run = run_blocks,
};
