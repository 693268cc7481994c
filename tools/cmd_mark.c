// SPDX-License-Identifier: GPL-2.0
/* offctl mark, offctl unmark */
#include "command.h"
#include "memblock.h"
#include "ranges.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What the user asks for. */
struct request {
	struct units units;
	struct spans spans;	/* which pages; normalized */
	bool any;		/* not these, but so many from anywhere */
	uint64_t pages;
	bool skippable, canary;	/* mark */
	const char *way;	/* mark: through, allocate, or NULL */
	bool all;		/* unmark */
	struct sb data;		/* the command, as the module wants it */
	struct sb what;		/* for messages */
};

static void request_free(struct request *r)
{
	spans_free(&r->spans);
	sb_free(&r->data);
	sb_free(&r->what);
}

/*
 * Takes the operands as ranges, a line each, words() adding what else goes on
 * the line. Returns a status.
 */
static int take_ranges(const struct command *self, struct request *r, int argc,
		       char **argv, void (*words)(struct request *r))
{
	for (int i = 0; i < argc; i++) {
		struct span span;
		const char *why = parse_range(argv[i], &r->units, &span);

		if (why)
			return usage_error_arg(self, argv[i], why,
					       range_forms);
		spans_add(&r->spans, span);
		sb_addf(&r->data, "%" PRIu64 " %" PRIu64, span.pfn, span.nr);
		if (words)
			words(r);
		sb_addf(&r->data, "\n");
	}
	if (argc == 1)
		add_range(&r->what, &r->units, r->spans.v[0]);
	else
		sb_addf(&r->what, "%d ranges", argc);
	if (spans_normalize(&r->spans))
		return usage_error(self, "the ranges overlap");
	r->pages = spans_pages(&r->spans);
	return ST_DONE;
}

static void report(const char *verb, const struct units *u,
		   const struct spans *spans)
{
	struct sb line = {0};

	for (size_t i = 0; i < spans->n; i++) {
		sb_clear(&line);
		add_pages(&line, u, spans->v[i].nr);
		sb_addf(&line, " ");
		add_range(&line, u, spans->v[i]);
		out("%s %s\n", verb, sb_str(&line));
	}
	if (spans->n > 1) {
		sb_clear(&line);
		add_pages(&line, u, spans_pages(spans));
		out("%s %s in all\n", verb, sb_str(&line));
	}
	sb_free(&line);
}

static void say_refused(const struct command *self, const struct request *r,
			const char *file, int error)
{
	struct sb why = {0};

	module_errno(&why, file, error);
	err("%s: %s: %s", self->name, sb_str(&r->what), sb_str(&why));
	sb_free(&why);
}

/* Names the first of the spans, if there is one. */
static bool hint_first(const struct units *u, const struct spans *spans,
		       const char *is)
{
	struct sb range = {0};

	if (!spans->n)
		return false;
	add_range(&range, u, spans->v[0]);
	hint("%s %s", sb_str(&range), is);
	sb_free(&range);
	return true;
}

static void hint_log(void)
{
	hint("the kernel log may say more: dmesg | grep fake_offline");
}

/* The first block with pages of the request that is offline. */
static bool hint_offline(const struct command *self, const struct request *r)
{
	struct memblocks blocks;
	bool found = false;

	if (!r->units.block || !memblocks_load(self->name, &blocks))
		return false;
	for (size_t i = 0; i < blocks.n && !found; i++) {
		uint64_t per_block = r->units.block / r->units.page;
		struct span span = { blocks.v[i].nr * per_block, per_block };

		found = !strcmp(blocks.v[i].state, "offline") &&
			spans_pages_in(&r->spans, span);
		if (found)
			hint("block %" PRIu64 " is offline", blocks.v[i].nr);
	}
	memblocks_free(&blocks);
	return found;
}

/* mark */

enum { OPT_SIZE = OPT_OWN, OPT_NODE, OPT_ZONE, OPT_UNSKIPPABLE, OPT_CANARY,
       OPT_THROUGH, OPT_ALLOCATE, OPT_ALL };

static const struct option_def mark_options[] = {
	{ OPT_SIZE, "size", "SIZE", "so much, from anywhere" },
	{ OPT_NODE, "node", "N", "with --size: on this NUMA node" },
	{ OPT_ZONE, "zone", "ZONE",
	  "with --size: in this zone (dma, dma32, normal, movable)" },
	{ OPT_UNSKIPPABLE, "unskippable", NULL,
	  "their memory blocks then refuse to go offline" },
	{ OPT_CANARY, "canary", NULL,
	  "fill them with a pattern that 'offctl verify' checks" },
	{ OPT_THROUGH, "through", NULL,
	  "take their memory blocks offline and online again for that" },
	{ OPT_ALLOCATE, "allocate", NULL,
	  "allocate them, and take no memory block offline" },
	{ 0, NULL, NULL, NULL },
};

static void mark_words(struct request *r)
{
	if (!r->skippable)
		sb_addf(&r->data, " unskippable");
	if (r->canary)
		sb_addf(&r->data, " canary");
	if (r->way)
		sb_addf(&r->data, " %s", r->way);
}

static int take_anywhere(const struct command *self, struct request *r,
			 const char *size, const char *node, const char *zone)
{
	uint64_t bytes, number;
	const char *why = parse_size(size, &bytes);

	if (!why && !bytes)
		why = "no pages";
	if (!why && bytes % r->units.page)
		why = "not a multiple of the page size";
	if (why)
		return usage_error_arg(self, size, why, NULL);
	r->any = true;
	r->pages = bytes / r->units.page;
	sb_addf(&r->data, "any %" PRIu64, r->pages);
	add_pages(&r->what, &r->units, r->pages);

	if (node) {
		why = parse_number(node, &number);
		if (why)
			return usage_error_arg(self, node, why, NULL);
		sb_addf(&r->data, " node=%" PRIu64, number);
		sb_addf(&r->what, " on node %" PRIu64, number);
	}
	if (zone) {
		const char *name = parse_zone(zone);

		if (!name)
			return usage_error_arg(self, zone, "no such zone",
					       zone_forms);
		sb_addf(&r->data, " zone=%s", name);
		sb_addf(&r->what, " in zone %s", name);
	}
	mark_words(r);
	sb_addf(&r->data, "\n");
	return ST_DONE;
}

static void say_mark_refused(const struct command *self,
			     const struct request *r,
			     const struct marked_list *before, int error)
{
	bool told = false;

	say_refused(self, r, r->any ? "mark any" : "mark", error);
	if (error == EEXIST) {
		struct spans had = marked_spans(before, NULL);
		struct spans both = spans_intersect(&had, &r->spans);

		told = hint_first(&r->units, &both, "is marked");
		spans_free(&had);
		spans_free(&both);
	} else if (error == ENODEV) {
		told = hint_offline(self, r);
	}
	if (!told && error != EINTR && !r->any)
		hint_log();
}

/* What the list of ranges says that we marked. */
static int report_marked(const struct command *self, const struct request *r,
			 const struct marked_list *before,
			 const struct marked_list *after)
{
	struct marked_filter ours = {
		.owner = OWNER_DEBUGFS, .match_flags = true,
		.skippable = r->skippable, .canary = r->canary,
	};
	struct spans now = marked_spans(after, &ours), done;
	uint64_t pages;

	if (r->any) {
		struct spans had = marked_spans(before, NULL);

		done = spans_subtract(&now, &had);
		spans_free(&had);
	} else {
		done = spans_intersect(&now, &r->spans);
	}
	pages = spans_pages(&done);
	report("marked", &r->units, &done);
	spans_free(&now);
	spans_free(&done);
	if (pages < r->pages) {
		err("%s: %s: the list of ranges shows %" PRIu64 " of %" PRIu64
		    " pages", self->name, sb_str(&r->what), pages, r->pages);
		return pages ? ST_PARTLY : ST_FAILED;
	}
	if (pages > r->pages)
		hint("somebody else marked pages at the same time");
	return ST_DONE;
}

static int do_mark(const struct command *self, const struct request *r,
		   const struct module *m)
{
	struct marked_list before = {0}, after = {0};
	int error, status = ST_FAILED;

	if (!marked_load(m, self->name, &before))
		return ST_FAILED;
	signals_catch();
	error = module_write(m, self->name, "mark", &r->data);
	if (error > 0)
		say_mark_refused(self, r, &before, error);
	else if (!error && marked_load(m, self->name, &after))
		status = report_marked(self, r, &before, &after);
	marked_free(&before);
	marked_free(&after);
	return status;
}

static int run_mark(const struct command *self, int argc, char **argv)
{
	const char *size = NULL, *node = NULL, *zone = NULL;
	struct request r = { .skippable = true };
	bool through = false, allocate = false;
	struct module m;
	int status, id;

	while ((id = next_option(self, argc, argv)) != -1)
		switch (id) {
		case OPT_SIZE:
			size = optarg;
			break;
		case OPT_NODE:
			node = optarg;
			break;
		case OPT_ZONE:
			zone = optarg;
			break;
		case OPT_UNSKIPPABLE:
			r.skippable = false;
			break;
		case OPT_CANARY:
			r.canary = true;
			break;
		case OPT_THROUGH:
			through = true;
			break;
		case OPT_ALLOCATE:
			allocate = true;
			break;
		}
	argc -= optind;
	argv += optind;
	if (!size && (node || zone))
		return usage_error(self, "--node and --zone go with --size");
	if (size && argc)
		return usage_error(self, "either ranges or --size");
	if (!size && !argc)
		return usage_error(self, "no range");
	if (through && allocate)
		return usage_error(self, "either --through or --allocate");
	if (through && size)
		return usage_error(self, "--through goes with ranges");
	r.way = through ? "through" : allocate ? "allocate" : NULL;

	r.units = units_get();
	status = size ? take_anywhere(self, &r, size, node, zone) :
			take_ranges(self, &r, argc, argv, mark_words);
	if (status == ST_DONE) {
		if (module_open(&m, self->name, false)) {
			status = do_mark(self, &r, &m);
			module_close(&m);
		} else {
			status = ST_FAILED;
		}
	}
	request_free(&r);
	return status;
}

#define RANGE_HELP							\
"RANGE is one of\n"							\
"  0xSTART-0xEND   addresses as lsmem prints them, the end included\n"	\
"  0xSTART+SIZE    SIZE as in 64M; K, M, G, T, P or KiB... are powers of\n" \
"                  1024, KB... powers of 1000\n"			\
"  block:N[-M]     whole memory blocks\n"				\
"  pfn:N[+M]       one page, or M pages\n"

const struct command cmd_mark = {
	.name = "mark",
	.brief = "Take pages out of use.",
	.synopsis =
"[--unskippable] [--canary] [--through|--allocate] RANGE...\n"
"[--unskippable] [--canary] [--allocate] --size SIZE [--node N] [--zone ZONE]",
	.details = RANGE_HELP
"Several ranges are taken all or none.\n",
	.options = mark_options,
	.run = run_mark,
};

/* unmark */

static const struct option_def unmark_options[] = {
	{ OPT_ALL, "all", NULL, "give back all that was marked with offctl" },
	{ 0, NULL, NULL, NULL },
};

static void say_unmark_refused(const struct command *self,
			       const struct request *r,
			       const struct marked_list *before, int error)
{
	bool told = false;

	say_refused(self, r, "unmark", error);
	if (error == ENOENT) {
		struct spans had = marked_spans(before, NULL);
		struct spans none = spans_subtract(&r->spans, &had);

		told = hint_first(&r->units, &none, "is not marked");
		spans_free(&had);
		spans_free(&none);
	} else if (error == EPERM) {
		struct marked_filter ours = { .owner = OWNER_DEBUGFS };
		struct spans had = marked_spans(before, &ours);
		struct spans others = spans_subtract(&r->spans, &had);

		told = hint_first(&r->units, &others,
				  "is not ours, see 'offctl list'");
		spans_free(&had);
		spans_free(&others);
	}
	if (!told && error != EINTR)
		hint_log();
}

/*
 * A write that was interrupted may have given back some of the ranges: the
 * lists say which. refused: its error has been told.
 */
static int report_unmarked(const struct command *self, struct request *r,
			   const struct marked_list *before,
			   const struct marked_list *after, bool refused)
{
	struct marked_filter ours = { .owner = OWNER_DEBUGFS };
	struct spans had = marked_spans(before, &ours);
	struct spans now = marked_spans(after, &ours);
	struct spans gone = spans_subtract(&had, &now);
	struct spans done, left;
	uint64_t pages, pages_left;

	if (r->all) {
		spans_free(&r->spans);
		r->spans = had;
		had = (struct spans){0};
		r->pages = spans_pages(&r->spans);
	}
	done = spans_intersect(&gone, &r->spans);
	left = spans_intersect(&now, &r->spans);
	pages = spans_pages(&done);
	pages_left = spans_pages(&left);
	report("unmarked", &r->units, &done);
	if (r->all && !r->pages && !refused)
		out("no pages were marked with offctl\n");
	if (pages_left && !refused) {
		err("%s: %s: %" PRIu64 " pages are still marked", self->name,
		    sb_str(&r->what), pages_left);
		hint_first(&r->units, &left, "is marked");
	}
	spans_free(&had);
	spans_free(&now);
	spans_free(&gone);
	spans_free(&done);
	spans_free(&left);
	if (!refused && !pages_left)
		return ST_DONE;
	return pages ? ST_PARTLY : ST_FAILED;
}

static int do_unmark(const struct command *self, struct request *r,
		     const struct module *m)
{
	struct marked_list before = {0}, after = {0};
	int error, status = ST_FAILED;

	if (!marked_load(m, self->name, &before))
		return ST_FAILED;
	signals_catch();
	error = module_write(m, self->name, "unmark", &r->data);
	if (error > 0)
		say_unmark_refused(self, r, &before, error);
	if (error >= 0 && marked_load(m, self->name, &after))
		status = report_unmarked(self, r, &before, &after, error);
	marked_free(&before);
	marked_free(&after);
	return status;
}

static int run_unmark(const struct command *self, int argc, char **argv)
{
	struct request r = {0};
	struct module m;
	int status = ST_DONE, id;

	while ((id = next_option(self, argc, argv)) != -1)
		if (id == OPT_ALL)
			r.all = true;
	argc -= optind;
	argv += optind;
	if (r.all && argc)
		return usage_error(self, "either ranges or --all");
	if (!r.all && !argc)
		return usage_error(self, "no range");

	r.units = units_get();
	if (r.all) {
		sb_addf(&r.data, "all\n");
		sb_addf(&r.what, "all");
	} else {
		status = take_ranges(self, &r, argc, argv, NULL);
	}
	if (status == ST_DONE) {
		if (module_open(&m, self->name, false)) {
			status = do_unmark(self, &r, &m);
			module_close(&m);
		} else {
			status = ST_FAILED;
		}
	}
	request_free(&r);
	return status;
}

const struct command cmd_unmark = {
	.name = "unmark",
	.brief = "Give pages back.",
	.synopsis = "RANGE...\n--all",
	.details = RANGE_HELP
"It may be a part of a marked range, or several adjacent ones.\n",
	.options = unmark_options,
	.run = run_unmark,
};
