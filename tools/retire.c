// SPDX-License-Identifier: GPL-2.0
/* Marking a list of ranges, each on its own, and the table of outcomes. */
#include "retire.h"
#include "blockarg.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char marked[] = "marked", already[] = "already marked",
	would[] = "would be marked", partly[] = "partly marked",
	refused[] = "refused", no_ram[] = "no RAM there",
	invalid[] = "not understood", untried[] = "not tried",
	soft_offlined[] = "soft-offlined";
static const char waits[] = "waits for memory to come online";

int retire_open(struct retire *r, const struct command *cmd)
{
	struct marked_list list = {0};
	struct memblocks blocks;

	r->cmd = cmd;
	r->units = units_get();
	r->m.dirfd = -1;
	/* --dry-run works without the module. */
	if (!module_open(&r->m, cmd->name, r->dry_run) && !r->dry_run)
		return ST_FAILED;
	if (r->m.dirfd >= 0) {
		if (!marked_load(&r->m, cmd->name, &list))
			return ST_FAILED;
		r->out_of_use = marked_spans(&list, NULL);
		marked_free(&list);
		r->refusals = refusal_count(&r->m);
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
	spans_free(&r->out_of_use);
	spans_free(&r->ram);
	spans_free(&r->offline);
}

/*
 * Each attempt is a write to the module. Splitting a range down to single pages takes
 * twice as many attempts as it has pages, so there is a limit for each range.
 */
#define MAX_TRIES 1024
#define MAX_SOFT_TRIES 16384

struct tries {
	unsigned int left;
	int error;		/* errno of the first failure; -1: it could not be sent */
	char *reason;		/* the reason for the first smallest part that failed */
};

/*
 * Adds why the module has just refused this part. Returns whether the page could be taken
 * but for kernel memory in the same page block.
 */
static bool explain_refusal(struct retire *r, struct span span, int error,
			    struct sb *reason)
{
	struct failure refusal;
	bool is_match, neighbour = false;

	if (!refusal_load(&r->m, &refusal)) {
		module_errno(reason, "mark", error);
		return false;
	}
	is_match = refusal.count != r->refusals &&
		   refusal.span.pfn < span.pfn + span.nr &&
		   span.pfn < refusal.span.pfn + refusal.span.nr;
	r->refusals = refusal.count;
	if (is_match) {
		neighbour = error == EBUSY && refusal_is_neighbour(&refusal);
		sb_addf(reason, "%s (", refusal.reason);
		add_errno(reason, error);
		sb_addf(reason, ")");
	} else {
		module_errno(reason, "mark", error);
	}
	failure_free(&refusal);
	return neighbour;
}

static int send_mark(struct retire *r, const struct retired *d,
		     struct span span)
{
	struct sb data = {0};
	int error;

	sb_addf(&data, "%" PRIu64 " %" PRIu64 "%s%s%s\n", span.pfn, span.nr,
		d->unskippable ? " unskippable" : "",
		d->canary ? " canary" : "", r->absent ? " absent" : "");
	error = module_write(&r->m, r->cmd->name, "mark", &data);
	sb_free(&data);
	return error;
}

/*
 * Marks a span. If the module refuses it and parts are allowed, marks its halves. Counts
 * the marked and the soft-offlined pages.
 */
static void mark(struct retire *r, struct retired *d, struct span span,
		 struct tries *tries)
{
	struct sb reason = {0};
	uint64_t half = span.nr / 2;
	bool neighbour, parts;
	int error;

	if (tries->error < 0 || signals_seen())
		return;
	if (!tries->left) {
		if (!tries->reason)
			tries->reason = xstrdup("given up after many tries");
		return;
	}
	tries->left--;
	error = send_mark(r, d, span);
	if (!error) {
		spans_insert(&r->out_of_use, span);
		d->pages += span.nr;
		return;
	}
	if (!tries->error || error < 0)
		tries->error = error;
	if (error < 0)
		return;
	neighbour = explain_refusal(r, span, error, &reason);
	/*
	 * After ENOSPC a smaller part fails as well, and EINTR comes from the user. For
	 * soft offline the refusal of one page has no meaning for the others.
	 */
	parts = r->partial ? error != ENOSPC && error != EINTR :
			     r->soft && error == EBUSY;
	if (half && parts) {
		mark(r, d, (struct span){ span.pfn, half }, tries);
		mark(r, d, (struct span){ span.pfn + half, span.nr - half },
		     tries);
		sb_free(&reason);
		return;
	}
	if (neighbour && r->soft && span.nr == 1) {
		sb_clear(&reason);
		if (soft_offline_page(r->soft, span.pfn, &reason)) {
			/* A mark makes the module list the poisoned page. */
			send_mark(r, d, span);
			spans_insert(&r->out_of_use, span);
			d->soft++;
			sb_free(&reason);
			return;
		}
	}
	if (!tries->reason)
		tries->reason = xstrdup(sb_str(&reason));
	sb_free(&reason);
}

static void set_reason(struct retired *d, const char *reason)
{
	free(d->reason);
	d->reason = reason ? xstrdup(reason) : NULL;
}

/* Says how many pages are marked in memory that is offline or absent. */
static void report_waiting(const struct retire *r, struct retired *d,
			   const struct spans *rest)
{
	struct spans online = spans_subtract(&r->ram, &r->offline);
	struct spans waiting = spans_subtract(rest, &online);
	uint64_t pages = spans_pages(&waiting);
	struct sb reason = {0};

	if (pages == spans_pages(rest) && pages)
		sb_addf(&reason, "%s", waits);
	else if (pages)
		sb_addf(&reason, "%" PRIu64 " page%s for memory to come online",
			pages, pages == 1 ? " waits" : "s wait");
	set_reason(d, reason.len ? reason.p : NULL);
	spans_free(&online);
	spans_free(&waiting);
	sb_free(&reason);
}

/* Sets the outcome of a range after the attempts. */
static void set_outcome(const struct retire *r, struct retired *d,
			const struct spans *rest, bool present,
			const struct tries *tries)
{
	uint64_t pages = spans_pages(rest);

	if (d->pages == pages) {
		d->outcome = marked;
		report_waiting(r, d, rest);
		return;
	}
	if (d->pages + d->soft == pages) {
		struct sb reason = {0};

		d->outcome = soft_offlined;
		if (d->pages)
			sb_addf(&reason, "%" PRIu64 " of %" PRIu64
				" pages; the others are marked", d->soft, pages);
		set_reason(d, reason.len ? reason.p : NULL);
		sb_free(&reason);
		return;
	}
	d->outcome = d->pages || d->soft ? partly :
		     tries->error == ENXIO && !present ? no_ram :
		     !tries->error && signals_seen() ? untried : refused;
	if (tries->reason)
		set_reason(d, tries->reason);
	else if (d->outcome == partly)
		set_reason(d, "a part of the range is not RAM");
}

bool retire_one(struct retire *r, struct retired *d)
{
	struct tries tries = { .left = r->soft ? MAX_SOFT_TRIES : MAX_TRIES };
	struct spans asked = {0}, present, rest, nothing = {0}, absent_pages;
	const struct spans *parts[2] = { &nothing, &nothing };

	if (d->invalid) {
		d->outcome = invalid;
		set_reason(d, d->invalid);
		return true;
	}
	spans_add(&asked, d->span);
	rest = spans_subtract(&asked, &r->out_of_use);
	d->already = d->span.nr - spans_pages(&rest);
	present = spans_intersect(&rest, &r->ram);
	absent_pages = spans_subtract(&rest, &r->ram);
	/* Without --partial the module gets the whole range, and explains a refusal. */
	parts[0] = r->partial || r->dry_run ? &present : &rest;
	if (r->absent && parts[0] == &present)
		parts[1] = &absent_pages;

	if (!spans_pages(&rest)) {
		d->outcome = already;
	} else if (!spans_pages(&present) && !r->absent) {
		d->outcome = no_ram;
	} else if (r->dry_run) {
		d->outcome = would;
		d->pages = spans_pages(parts[0]) + spans_pages(parts[1]);
		report_waiting(r, d, r->absent ? &rest : &present);
		for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
			for (size_t j = 0; j < parts[i]->n; j++)
				spans_insert(&r->out_of_use, parts[i]->v[j]);
	} else {
		for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
			for (size_t j = 0; j < parts[i]->n; j++)
				mark(r, d, parts[i]->v[j], &tries);
		set_outcome(r, d, &rest, spans_pages(&present), &tries);
	}
	spans_free(&asked);
	spans_free(&present);
	spans_free(&absent_pages);
	spans_free(&rest);
	free(tries.reason);
	return tries.error >= 0;
}

bool retire_whole(struct retire *r, struct retired *d, bool *gone)
{
	struct retire whole = *r;
	struct spans asked = {0}, rest, present;
	bool one_command;

	spans_add(&asked, d->span);
	rest = spans_subtract(&asked, &r->out_of_use);
	present = spans_intersect(&rest, &r->ram);
	one_command = rest.n <= 1 &&
		      (!present.n || spans_pages(&present) == spans_pages(&rest));
	spans_free(&asked);
	spans_free(&rest);
	spans_free(&present);
	if (!one_command)
		return false;
	whole.partial = false;
	whole.soft = NULL;
	*gone = !retire_one(&whole, d);
	r->out_of_use = whole.out_of_use;
	r->refusals = whole.refusals;
	if (d->outcome != refused || *gone || signals_seen())
		return true;
	set_reason(d, NULL);
	return false;
}

bool retired_alike(const struct retired *a, const struct retired *b)
{
	if (a->outcome != b->outcome || (a->outcome != marked && a->outcome != would &&
					 a->outcome != already && a->outcome != no_ram))
		return false;
	return a->reason && b->reason ? !strcmp(a->reason, waits) && !strcmp(b->reason, waits) :
				  !a->reason && !b->reason;
}

int retire_status(const struct retired *v, size_t n)
{
	bool good = false, bad = false;

	for (size_t i = 0; i < n; i++) {
		bool well = v[i].outcome == marked || v[i].outcome == already ||
			    v[i].outcome == would || v[i].outcome == soft_offlined;

		good = good || well || v[i].outcome == partly;
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

	sb_add_u64(cell, (d->pages + d->soft) * u->page);
}

static void get_blocks(struct sb *cell, const void *row, const void *context)
{
	const struct retired *d = row;

	if (!d->invalid)
		add_blocks(cell, context, d->span);
}

static void get_outcome(struct sb *cell, const void *row, const void *context)
{
	const struct retired *d = row;

	(void)context;
	sb_addf(cell, "%s", d->outcome ? d->outcome : untried);
}

static void get_reason(struct sb *cell, const void *row, const void *context)
{
	const struct retired *d = row;

	(void)context;
	if (d->reason)
		sb_addf(cell, "%s", d->reason);
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
	{ "FILE", COL_TEXT, "file that lists the range", get_file, COL_TRUNC,
	  NULL },
	{ "LINE", COL_NUMBER, "first line or record of the range in the file",
	  get_line, 0, NULL },
	{ "RANGE", COL_TEXT, "first and last address", get_range, 0, NULL },
	{ "SIZE", COL_SIZE, "size", get_size, 0, NULL },
	{ "BLOCKS", COL_TEXT, "memory block, or first and last", get_blocks, 0,
	  NULL },
	{ "FATE", COL_TEXT,
	  "marked, already marked, would be marked, partly marked, soft-offlined, refused, no RAM there, not understood, not tried",
	  get_outcome, 0, NULL },
	{ "WHY", COL_TEXT, "reason for that outcome", get_reason, COL_TRUNC, NULL },
	{ "PAGES", COL_NUMBER, "number of pages", get_pages, COL_HIDDEN, NULL },
	{ "COST", COL_SIZE, "memory newly taken out of use", get_cost,
	  COL_HIDDEN, NULL },
	{ "ERRORS", COL_NUMBER, "memory errors in the range", get_errors,
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
		pages += v[i].pages + v[i].soft;
	add_pages(&line, &r->units, pages);
	sb_addf(&line, " of ");
	add_size_iec(&line, all * r->units.page);
	out("%s %s, %.4f %%\n", r->dry_run ? "it would cost" : "it costs",
	    sb_str(&line),
	    all ? 100.0 * (double)pages / (double)all : 0.0);
	sb_free(&line);
}
