// SPDX-License-Identifier: GPL-2.0
#include "retire.h"
#include "blockarg.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char marked[] = "marked", already[] = "already marked",
	would[] = "would be marked", partly[] = "partly marked",
	refused[] = "refused", no_ram[] = "no RAM there",
	invalid[] = "not understood", untried[] = "not tried";

int retire_open(struct retire *r, const struct command *cmd)
{
	struct marked_list list = {0};
	struct memblocks blocks;

	r->cmd = cmd;
	r->units = units_get();
	r->m.dirfd = -1;
	/* What it would be like can be said without the module. */
	if (!module_open(&r->m, cmd->name, r->dry_run) && !r->dry_run)
		return ST_FAILED;
	if (r->m.dirfd >= 0) {
		if (!marked_load(&r->m, cmd->name, &list))
			return ST_FAILED;
		r->had = marked_spans(&list, NULL);
		marked_free(&list);
	}
	if (!memblocks_load(cmd->name, &blocks))
		return ST_FAILED;
	for (size_t i = 0; i < blocks.n; i++) {
		struct span span;

		if (!block_span(&r->units, blocks.v[i].nr, &span))
			continue;
		spans_add(&r->ram, span);
		if (!strcmp(blocks.v[i].state, "offline"))
			spans_add(&r->offline, span);
	}
	memblocks_free(&blocks);
	spans_normalize(&r->ram);
	spans_normalize(&r->offline);
	return ST_DONE;
}

void retire_close(struct retire *r)
{
	module_close(&r->m);
	spans_free(&r->had);
	spans_free(&r->ram);
	spans_free(&r->offline);
}

static void note(struct retire *r, struct span span)
{
	spans_add(&r->had, span);
	spans_normalize(&r->had);
}

/* Each try is a write; a range that is all in use is given up at some time. */
#define MAX_TRIES 1024

struct tries {
	unsigned int left;
	int error;		/* of the first one that failed; -1: not sent */
};

/*
 * Marks a span; if it is refused, and parts will do, its halves. Returns how
 * many pages were marked.
 */
static uint64_t mark(struct retire *r, const struct retired *d,
		     struct span span, struct tries *tries)
{
	struct sb data = {0};
	uint64_t half = span.nr / 2;
	int error;

	if (!tries->left || tries->error < 0 || signals_seen())
		return 0;
	tries->left--;
	sb_addf(&data, "%" PRIu64 " %" PRIu64 "%s%s\n", span.pfn, span.nr,
		d->unskippable ? " unskippable" : "",
		d->canary ? " canary" : "");
	error = module_write(&r->m, r->cmd->name, "mark", &data);
	sb_free(&data);
	if (!error) {
		note(r, span);
		return span.nr;
	}
	if (!tries->error || error < 0)
		tries->error = error;
	/* No smaller part will do better than the whole, or nobody wants it. */
	if (error < 0 || !half || !r->partial || error == ENOSPC ||
	    error == EINTR)
		return 0;
	return mark(r, d, (struct span){ span.pfn, half }, tries) +
	       mark(r, d, (struct span){ span.pfn + half, span.nr - half },
		    tries);
}

static void set_why(struct retired *d, const char *why)
{
	free(d->why);
	d->why = xstrdup(why);
}

bool retire_one(struct retire *r, struct retired *d)
{
	struct spans asked = {0}, todo, here, offline, rest;
	struct tries tries = { .left = MAX_TRIES };
	struct sb why = {0};
	uint64_t pages;

	if (d->invalid) {
		d->fate = invalid;
		set_why(d, d->invalid);
		return true;
	}
	spans_add(&asked, d->span);
	rest = spans_subtract(&asked, &r->had);
	d->already = d->span.nr - spans_pages(&rest);
	here = spans_intersect(&rest, &r->ram);
	offline = spans_intersect(&here, &r->offline);
	/* In parts, or the module says what is wrong with the whole. */
	todo = r->partial || r->dry_run ? spans_subtract(&here, &r->offline) :
					  spans_subtract(&rest, &offline);
	pages = spans_pages(&todo);
	if (!spans_pages(&rest)) {
		d->fate = already;
	} else if (!spans_pages(&here)) {
		d->fate = no_ram;
	} else if (spans_pages(&offline) && (!pages || !r->partial)) {
		d->fate = refused;
		set_why(d, "its memory block is offline (ENODEV)");
	} else if (r->dry_run) {
		d->fate = would;
		d->pages = pages;
		for (size_t i = 0; i < todo.n; i++)
			note(r, todo.v[i]);
	} else {
		for (size_t i = 0; i < todo.n; i++)
			d->pages += mark(r, d, todo.v[i], &tries);
		d->fate = d->pages == spans_pages(&rest) ? marked :
			  d->pages ? partly :
			  signals_seen() ? untried : refused;
		if (tries.error > 0) {
			module_errno(&why, "mark", tries.error);
			set_why(d, sb_str(&why));
		} else if (d->fate == partly) {
			set_why(d, "some of it is offline, or no RAM");
		}
	}
	spans_free(&asked);
	spans_free(&todo);
	spans_free(&here);
	spans_free(&offline);
	spans_free(&rest);
	sb_free(&why);
	return tries.error >= 0;
}

int retire_status(const struct retired *v, size_t n)
{
	bool good = false, bad = false;

	for (size_t i = 0; i < n; i++) {
		bool well = v[i].fate == marked || v[i].fate == already ||
			    v[i].fate == would;

		good = good || well || v[i].fate == partly;
		bad = bad || !well;
	}
	return !bad ? ST_DONE : good ? ST_PARTLY : ST_FAILED;
}

static void get_range(struct sb *cell, const void *row, const void *context)
{
	const struct retired *d = row;

	if (!d->invalid)
		add_range(cell, context, d->span);
}

static void get_pages(struct sb *cell, const void *row, const void *context)
{
	const struct retired *d = row;

	(void)context;
	if (!d->invalid)
		sb_add_u64(cell, d->span.nr);
}

static void get_size(struct sb *cell, const void *row, const void *context)
{
	const struct retired *d = row;
	const struct units *u = context;

	if (!d->invalid)
		sb_add_u64(cell, d->span.nr * u->page);
}

static void get_cost(struct sb *cell, const void *row, const void *context)
{
	const struct retired *d = row;
	const struct units *u = context;

	sb_add_u64(cell, d->pages * u->page);
}

static void get_blocks(struct sb *cell, const void *row, const void *context)
{
	const struct retired *d = row;

	if (!d->invalid)
		add_blocks(cell, context, d->span);
}

static void get_fate(struct sb *cell, const void *row, const void *context)
{
	const struct retired *d = row;

	(void)context;
	sb_addf(cell, "%s", d->fate ? d->fate : untried);
}

static void get_why(struct sb *cell, const void *row, const void *context)
{
	const struct retired *d = row;

	(void)context;
	if (d->why)
		sb_addf(cell, "%s", d->why);
}

static void get_file(struct sb *cell, const void *row, const void *context)
{
	const struct retired *d = row;

	(void)context;
	sb_addf(cell, "%s", d->file);
}

static void get_line(struct sb *cell, const void *row, const void *context)
{
	const struct retired *d = row;

	(void)context;
	if (d->line)
		sb_add_u64(cell, d->line);
}

static void get_errors(struct sb *cell, const void *row, const void *context)
{
	const struct retired *d = row;

	(void)context;
	if (d->errors)
		sb_add_u64(cell, d->errors);
}

static const struct column columns[] = {
	{ "FILE", COL_TEXT, "where it is from", get_file, COL_TRUNC, NULL },
	{ "LINE", COL_NUMBER, "line or record there, the first one", get_line,
	  0, NULL },
	{ "RANGE", COL_TEXT, "first and last address", get_range, 0, NULL },
	{ "SIZE", COL_SIZE, "size", get_size, 0, NULL },
	{ "BLOCKS", COL_TEXT, "memory block, or first and last", get_blocks, 0,
	  NULL },
	{ "FATE", COL_TEXT,
	  "marked, already marked, would be marked, partly marked, refused, no RAM there, not understood",
	  get_fate, 0, NULL },
	{ "WHY", COL_TEXT, "why not", get_why, COL_TRUNC, NULL },
	{ "PAGES", COL_NUMBER, "number of pages", get_pages, COL_HIDDEN, NULL },
	{ "COST", COL_SIZE, "memory that is newly out of use by it", get_cost,
	  COL_HIDDEN, NULL },
	{ "ERRORS", COL_NUMBER, "errors that were counted there", get_errors,
	  COL_HIDDEN, NULL },
	{ NULL, COL_TEXT, NULL, NULL, 0, NULL },
};

const struct table retire_table = {
	.name = "marks",
	.columns = columns,
};

void retire_print(const struct retire *r, const struct retired *v, size_t n)
{
	table_print(&retire_table, v, n, sizeof(*v), &r->units);
}

void retire_print_cost(const struct retire *r, const struct retired *v,
		       size_t n)
{
	uint64_t pages = 0, all = spans_pages(&r->ram);
	struct sb line = {0};

	for (size_t i = 0; i < n; i++)
		pages += v[i].pages;
	add_pages(&line, &r->units, pages);
	sb_addf(&line, " of ");
	add_size_iec(&line, all * r->units.page);
	out("%s %s, %.4f %%\n", r->dry_run ? "it would cost" : "it costs",
	    sb_str(&line),
	    all ? 100.0 * (double)pages / (double)all : 0.0);
	sb_free(&line);
}
