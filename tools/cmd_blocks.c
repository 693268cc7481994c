// SPDX-License-Identifier: GPL-2.0
/* offctl blocks: lists the memory blocks, their marked pages and obstacles to an offline operation. */
#include "blockarg.h"
#include "command.h"
#include "memblock.h"
#include "sysroot.h"
#include "reason.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A row: one block, or with --merge several adjacent blocks that are alike. */
struct row {
	const struct memblock *b;
	uint64_t last;
};

static struct span span_of(const struct row *r, const struct units *u)
{
	struct span first = {0}, last = {0};

	if (block_span(u, r->b->nr, &first) && block_span(u, r->last, &last))
		first.nr = last.pfn + last.nr - first.pfn;
	return first;
}

static void get_block(struct sb *cell, const void *row, const void *context)
{
	const struct row *r = row;

	(void)context;
	sb_add_u64(cell, r->b->nr);
	if (r->last != r->b->nr) {
		sb_add(cell, "-", 1);
		sb_add_u64(cell, r->last);
	}
}

static void get_range(struct sb *cell, const void *row, const void *context)
{
	const struct reason_sources *s = context;
	struct span span = span_of(row, &s->units);

	if (span.nr)
		add_range(cell, &s->units, span);
}

static void get_size(struct sb *cell, const void *row, const void *context)
{
	const struct reason_sources *s = context;
	const struct row *r = row;

	if (s->units.block)
		sb_add_u64(cell, s->units.block * (r->last - r->b->nr + 1));
}

static void get_node(struct sb *cell, const void *row, const void *context)
{
	const struct row *r = row;

	(void)context;
	if (r->b->node >= 0)
		sb_add_u64(cell, (uint64_t)r->b->node);
}

static void get_zones(struct sb *cell, const void *row, const void *context)
{
	const struct row *r = row;

	(void)context;
	if (r->b->zones)
		sb_add(cell, r->b->zones, strlen(r->b->zones));
}

static void get_state(struct sb *cell, const void *row, const void *context)
{
	const struct row *r = row;

	(void)context;
	sb_add(cell, r->b->state, strlen(r->b->state));
}

static void get_marked(struct sb *cell, const void *row, const void *context)
{
	const struct reason_sources *s = context;
	struct span span = span_of(row, &s->units);
	uint64_t pages = 0, end = span.pfn + span.nr;

	if (!s->marked_known || !span.nr)
		return;
	for (size_t i = marked_first(&s->marked, span.pfn);
	     i < s->marked.n && s->marked.v[i].span.pfn < end; i++) {
		const struct span *m = &s->marked.v[i].span;
		uint64_t from = m->pfn > span.pfn ? m->pfn : span.pfn;
		uint64_t to = m->pfn + m->nr < end ? m->pfn + m->nr : end;

		pages += to - from;
	}
	sb_add_u64(cell, pages);
}

static void get_skippable(struct sb *cell, const void *row,
			  const void *context)
{
	const struct reason_sources *s = context;
	struct span span = span_of(row, &s->units);
	bool any = false, all = true;

	for (size_t i = marked_first(&s->marked, span.pfn);
	     i < s->marked.n && s->marked.v[i].span.pfn < span.pfn + span.nr;
	     i++) {
		any = true;
		all = all && s->marked.v[i].skippable;
	}
	if (any)
		sb_add(cell, all ? "1" : "0", 1);
}

/* Is the word one of those that commas separate? */
static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *w = words; *w; w += strcspn(w, ","), w += *w == ',')
		if (strcspn(w, ",") == len && !strncmp(w, word, len))
			return true;
	return false;
}

static void get_owner(struct sb *cell, const void *row, const void *context)
{
	const struct reason_sources *s = context;
	struct span span = span_of(row, &s->units);

	for (size_t i = marked_first(&s->marked, span.pfn);
	     i < s->marked.n && s->marked.v[i].span.pfn < span.pfn + span.nr;
	     i++) {
		const char *owner = s->marked.v[i].owner;

		if (!has_word(sb_str(cell), owner))
			sb_addf(cell, "%s%s", cell->len ? "," : "", owner);
	}
}

static void get_reason(struct sb *cell, const void *row, const void *context)
{
	const struct row *r = row;
	bool sure;

	reason_not_offline(context, r->b, cell, &sure);
}

/* The online type of an online block, or the possible ones of an offline block. */
static void get_types(struct sb *cell, const void *row, const void *context)
{
	const struct row *r = row;
	const char *zones = r->b->zones;
	bool movable, kernel = false;

	(void)context;
	if (!zones || !strcmp(zones, "none"))
		return;
	movable = strstr(zones, "Movable");
	for (const char *z = zones; *z && !kernel;
	     z += strcspn(z, "/"), z += *z == '/')
		kernel = strncmp(z, "Movable", 7);
	if (kernel)
		sb_addf(cell, "online_kernel");
	if (movable)
		sb_addf(cell, "%sonline_movable", kernel ? "," : "");
}

static void get_removable(struct sb *cell, const void *row,
			  const void *context)
{
	const struct row *r = row;

	(void)context;
	memblock_removable(r->b->nr, cell);
}

static const struct column columns[] = {
	{ "BLOCK", COL_NUMBER, "number of the memory block", get_block,
	  COL_SUM, NULL },
	{ "RANGE", COL_TEXT, "first and last address", get_range, COL_SUM,
	  NULL },
	{ "SIZE", COL_SIZE, "size", get_size, COL_SUM, NULL },
	{ "NODE", COL_NUMBER, "NUMA node", get_node, 0, NULL },
	{ "ZONES", COL_TEXT,
	  "zone, or possible zones if it is offline, the default first",
	  get_zones, 0, NULL },
	{ "STATE", COL_TEXT, "online, offline or going-offline", get_state, 0,
	  NULL },
	{ "MARKED", COL_NUMBER,
	  "number of marked pages; '-' if the module does not answer",
	  get_marked, COL_SUM, NULL },
	{ "SKIPPABLE", COL_BOOL, "the block can go offline with its marked pages",
	  get_skippable, 0, NULL },
	{ "WHY", COL_TEXT, "reason why it cannot go offline, see --scan", get_reason,
	  COL_TRUNC, NULL },
	{ "TYPES", COL_TEXT, "possible online types", get_types, COL_HIDDEN,
	  NULL },
	{ "OWNER", COL_TEXT, "owners of its marked pages", get_owner,
	  COL_HIDDEN | COL_TRUNC, NULL },
	{ "REMOVABLE", COL_BOOL, "the kernel can take memory offline",
	  get_removable, COL_HIDDEN, NULL },
	{ NULL, COL_TEXT, NULL, NULL, 0, NULL },
};

static const struct table blocks_table = {
	.name = "blocks",
	.columns = columns,
};

/* The columns that keep rows apart, as indexes into columns[]. */
struct split {
	bool by[ARRAY_SIZE(columns)];
};

static bool split_list(const struct command *self, const char *list,
		       struct split *split)
{
	*split = (struct split){0};
	if (!strcmp(list, "none"))
		return true;
	for (;;) {
		size_t len = strcspn(list, ",");
		const struct column *c = table_column(&blocks_table, list, len);

		if (!c) {
			usage_error_arg(self, list, "no such column", NULL);
			return false;
		}
		split->by[c - columns] = true;
		if (!list[len])
			return true;
		list += len + 1;
	}
}

static void split_by_shown(struct split *split)
{
	for (size_t i = 0; columns[i].name; i++)
		split->by[i] = !(columns[i].flags & COL_SUM) &&
			       table_shows(&blocks_table, columns[i].name);
}

static bool alike(const struct split *split, const struct row *a,
		  const struct row *b, const struct reason_sources *s)
{
	struct sb one = {0}, other = {0};
	bool same = true;

	for (size_t i = 0; same && columns[i].name; i++) {
		if (!split->by[i])
			continue;
		sb_clear(&one);
		sb_clear(&other);
		columns[i].get(&one, a, s);
		columns[i].get(&other, b, s);
		same = !strcmp(sb_str(&one), sb_str(&other));
	}
	sb_free(&one);
	sb_free(&other);
	return same;
}

static size_t merge(struct row *rows, size_t n, const struct split *split,
		    const struct reason_sources *s)
{
	size_t to = 0;

	for (size_t i = 1; i < n; i++) {
		if (rows[i].b->nr == rows[to].last + 1 &&
		    alike(split, &rows[to], &rows[i], s))
			rows[to].last = rows[i].last;
		else
			rows[++to] = rows[i];
	}
	return n ? to + 1 : 0;
}

/* Prints the totals as lsmem does. */
static void print_summary(const struct row *rows, size_t n,
			  const struct units *u)
{
	uint64_t online = 0, offline = 0;
	struct sb sb = {0};

	for (size_t i = 0; i < n; i++) {
		uint64_t bytes = (rows[i].last - rows[i].b->nr + 1) * u->block;

		if (!strcmp(rows[i].b->state, "offline"))
			offline += bytes;
		else
			online += bytes;
	}
	add_size(&sb, u->block);
	out("Memory block size:    %8s\n", sb_str(&sb));
	sb_clear(&sb);
	add_size(&sb, online);
	out("Total online memory:  %8s\n", sb_str(&sb));
	sb_clear(&sb);
	add_size(&sb, offline);
	out("Total offline memory: %8s\n", sb_str(&sb));
	sb_free(&sb);
}

enum { OPT_MERGE = OPT_OWN, OPT_SUMMARY, OPT_SCAN, OPT_MARKED };

static const struct option_def options[] = {
	{ 'a', "all", NULL, "print a line for each block; this is the default" },
	{ OPT_MERGE, "merge", NULL,
	  "join adjacent blocks that differ in no shown column" },
	{ 'S', "split", "LIST",
	  "join adjacent blocks that differ in none of these columns" },
	{ OPT_MARKED, "marked", NULL, "show only blocks with marked pages" },
	{ OPT_SCAN, "scan", NULL,
	  "look for WHY in each page (/proc/kpageflags)" },
	{ OPT_SUMMARY, "summary", "[=WHEN]",
	  "print totals: only (without WHEN), always or never (default)" },
	{ 0, NULL, NULL, NULL },
};

struct choice {
	bool merge, marked, scan, table, summary, have_split;
	struct split split;
};

/* Takes the WHEN of --summary. Returns false on a usage error. */
static bool take_summary(const struct command *self, const char *when,
			 struct choice *c)
{
	c->table = strcmp(when, "only");
	c->summary = !c->table || !strcmp(when, "always");
	if (c->summary || !strcmp(when, "never"))
		return true;
	usage_error_arg(self, when, "not always, only or never", NULL);
	return false;
}

/* Returns false on a usage error. */
static bool take_options(const struct command *self, int argc, char **argv,
			 struct choice *c)
{
	int id;

	*c = (struct choice){ .table = true };
	while ((id = next_option(self, argc, argv)) != -1)
		switch (id) {
		case 'a':
			c->merge = false;
			break;
		case OPT_MERGE:
			c->merge = true;
			break;
		case 'S':
			c->merge = c->have_split = true;
			if (!split_list(self, optarg, &c->split))
				return false;
			break;
		case OPT_MARKED:
			c->marked = true;
			break;
		case OPT_SCAN:
			c->scan = true;
			break;
		case OPT_SUMMARY:
			if (!take_summary(self, optarg ? optarg : "only", c))
				return false;
			break;
		}
	if (c->summary && table_for_programs()) {
		usage_error(self, "--summary does not go with --json, --pairs or --raw");
		return false;
	}
	return true;
}

static bool has_marked(const struct memblock *b, const struct reason_sources *s)
{
	struct span span;

	return block_span(&s->units, b->nr, &span) &&
	       marked_any(&s->marked, span);
}

static int show(const struct command *self, struct choice *c,
		const struct block_args *asked, const struct memblocks *blocks,
		const struct reason_sources *s)
{
	struct row *rows = xrealloc(NULL, blocks->n, sizeof(*rows));
	size_t n = 0;

	for (size_t i = 0; i < blocks->n; i++) {
		const struct memblock *b = &blocks->v[i];

		if ((asked->n && !block_args_have(asked, b->nr)) ||
		    (c->marked && !has_marked(b, s)))
			continue;
		rows[n++] = (struct row){ b, b->nr };
	}
	if (asked->n && !n && !c->marked) {
		err("%s: there are no such blocks", self->name);
		free(rows);
		return ST_FAILED;
	}
	if (c->table) {
		size_t shown = n;

		if (c->merge) {
			if (!c->have_split)
				split_by_shown(&c->split);
			shown = merge(rows, n, &c->split, s);
		}
		table_print(&blocks_table, rows, shown, sizeof(*rows), s);
		n = shown;
	}
	if (c->table && c->summary)
		out("\n");
	if (c->summary)
		print_summary(rows, n, &s->units);
	free(rows);
	return ST_DONE;
}

static int run_blocks(const struct command *self, int argc, char **argv)
{
	struct memblocks blocks = {0};
	struct block_args asked = {0};
	struct reason_sources sources;
	struct choice choice;
	struct units units;
	int status, shown;

	if (!take_options(self, argc, argv, &choice))
		return ST_USAGE;
	units = units_get();
	status = block_args_take(self, &units, argc - optind, argv + optind,
				 &asked);
	if (status != ST_DONE)
		return status;
	if (!memblocks_load(self->name, &blocks)) {
		block_args_free(&asked);
		return ST_FAILED;
	}
	/* Without the module, or without root, sysfs alone is still useful. */
	if (!reason_open(&sources, self->name))
		status = ST_FAILED;
	if (choice.scan && !reason_open_pages(&sources, self->name))
		status = ST_FAILED;
	shown = show(self, &choice, &asked, &blocks, &sources);
	if (shown != ST_DONE)
		status = shown;
	reason_close(&sources);
	block_args_free(&asked);
	memblocks_free(&blocks);
	return status;
}

const struct command cmd_blocks = {
	.name = "blocks",
	.brief = "List the memory blocks.",
	.synopsis =
"[--scan] [--marked] [--merge|-S LIST] [--summary[=WHEN]]\n"
"              [-o LIST] [-J|-P|-r] [-n] [-b] [BLOCK...]",
	.details =
"BLOCK is a number (40), several numbers (40-43, block:40-43), the address at which\n"
"a block starts, an address range of whole blocks, or a DAX device (dax0.0). Without\n"
"the module the listing shows only the state in sysfs.\n",
	.options = options,
	.table = &blocks_table,
	.reports_records = true,
	.run = run_blocks,
};
