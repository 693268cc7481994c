// SPDX-License-Identifier: GPL-2.0
/* offctl offline, offctl online */
#include "blockarg.h"
#include "blockop.h"
#include "command.h"
#include "memblock.h"
#include "module.h"
#include "progress.h"
#include "ranges.h"
#include "room.h"
#include "why.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/kernel-page-flags.h>
#include <stdlib.h>
#include <string.h>

/* What is to become of which blocks. */
struct goal {
	struct blockop op;
	bool all_marked, keep_going, dry_run;
	const char *size, *node, *zone;
	uint64_t want;		/* --size: so many, whichever */
	int64_t on_node;	/* -1: any */
};

/* The blocks, as indexes into a struct memblocks, each once. */
struct targets {
	size_t *v;
	size_t n;
	uint64_t missing;	/* blocks asked for that are not there */
};

static void say_missing(const struct goal *g, struct targets *t,
			uint64_t first, uint64_t last)
{
	uint64_t nr = last - first;
	const char *cmd = g->op.cmd->name;

	if (first == last)
		err("%s: block %" PRIu64 ": there is no such block", cmd,
		    first);
	else
		err("%s: blocks %" PRIu64 "-%" PRIu64
		    ": there are no such blocks", cmd, first, last);
	/* It may be all that 64 bits can number. */
	if (__builtin_add_overflow(nr, 1, &nr) ||
	    __builtin_add_overflow(t->missing, nr, &t->missing))
		t->missing = UINT64_MAX;
}

/* Adds the blocks first to last, and tells which of them there are not. */
static void add_interval(const struct goal *g, struct targets *t, bool *taken,
			 const struct memblocks *blocks, uint64_t first,
			 uint64_t last)
{
	uint64_t next = first;

	for (size_t i = 0; i < blocks->n; i++) {
		uint64_t nr = blocks->v[i].nr;

		if (nr < first || nr > last)
			continue;
		if (nr > next)
			say_missing(g, t, next, nr - 1);
		if (!taken[i]) {
			taken[i] = true;
			t->v[t->n++] = i;
		}
		if (nr == last)
			return;
		next = nr + 1;
	}
	say_missing(g, t, next, last);
}

/* Blocks with marked pages, whoever's they are. */
static bool add_marked(const struct goal *g, const struct module *m,
		       struct targets *t, const struct memblocks *blocks)
{
	struct marked_list marked;

	if (!marked_load(m, g->op.cmd->name, &marked))
		return false;
	for (size_t i = 0; i < blocks->n; i++) {
		struct span span;

		if (block_span(&g->op.units, blocks->v[i].nr, &span) &&
		    marked_any(&marked, span))
			t->v[t->n++] = i;
	}
	marked_free(&marked);
	return true;
}

/*
 * All that --size may choose from, in chmem's order: what goes offline is taken
 * from the end of memory, what comes online from its start.
 */
static void add_any(const struct goal *g, struct targets *t,
		    const struct memblocks *blocks)
{
	for (size_t i = 0; i < blocks->n; i++) {
		size_t at = g->op.online ? i : blocks->n - 1 - i;
		const struct memblock *b = &blocks->v[at];
		const char *state = g->op.online ? "offline" : "online";

		if (!strcmp(b->state, state) &&
		    (g->on_node < 0 || b->node == g->on_node) &&
		    (!g->zone || memblock_in_zone(b, g->zone)))
			t->v[t->n++] = at;
	}
}

static uint64_t total(const struct goal *g, const struct targets *t)
{
	if (g->want)
		return g->want;
	return t->missing < UINT64_MAX - t->n ? t->missing + t->n : UINT64_MAX;
}

static int run_targets(struct goal *g, const struct module *m,
		       const struct targets *t, struct memblocks *blocks)
{
	const char *cmd = g->op.cmd->name;
	bool any = g->want, failed = false;
	size_t done = 0, i;

	progress_start(cmd, any ? g->want : t->n, g->op.units.block);
	for (i = 0; i < t->n && !(any && done == g->want); i++) {
		enum outcome outcome;

		if (signals_seen())
			break;
		outcome = blockop_run(&g->op, m, &blocks->v[t->v[i]]);
		if (outcome == OP_DONE || outcome == OP_ALREADY)
			progress_step(++done);
		else if (outcome == OP_STOP)
			break;
		else if (!any && !g->keep_going) {
			failed = true;
			i++;
			break;
		}
	}
	progress_stop();
	if (i < t->n && signals_seen())
		err("%s: interrupted; %zu of the blocks not tried", cmd,
		    t->n - i);
	else if (i < t->n && failed)
		hint("%zu of the blocks not tried; --keep-going tries them",
		     t->n - i);
	if (done == total(g, t))
		return ST_DONE;
	if (t->n > 1 || t->missing || any)
		err("%s: %zu of %" PRIu64 " blocks done", cmd, done,
		    total(g, t));
	return done ? ST_PARTLY : ST_FAILED;
}

/* --dry-run */

static void add_withheld(struct sb *sb, const struct why_sources *s,
			 struct span span)
{
	struct spans all = marked_spans(&s->marked, NULL);
	uint64_t pages = spans_pages_in(&all, span);

	if (pages)
		sb_addf(sb, "; %" PRIu64 " marked page%s withheld", pages,
			pages == 1 ? " stays" : "s stay");
	spans_free(&all);
}

/*
 * Adds how many pages have to leave the block, and whether they find room elsewhere.
 * Returns false when they may not. If they do, there is less room for the next block.
 */
static bool add_migration(struct sb *sb, const struct goal *g,
			  const struct why_sources *s, struct room *room,
			  const struct memblock *b, bool would)
{
	struct page_census census;
	struct span span;
	uint64_t used, inside, elsewhere;

	if (s->pages.fd < 0 || !block_span(&g->op.units, b->nr, &span) ||
	    !pageflags_census(&s->pages, span, true, &census) ||
	    !pageflags_count(&s->pages, span, KPF_BUDDY, &inside))
		return true;
	used = census.n[PAGE_IN_USE];
	elsewhere = room_for(room, b, inside);
	if (room->n && used > elsewhere) {
		sb_addf(sb, "%s: ", would ? "may fail" : "; may fail");
		add_pages(sb, &g->op.units, used);
		sb_addf(sb, " %s in use there, and only ",
			used == 1 ? "is" : "are");
		add_pages(sb, &g->op.units, elsewhere);
		sb_addf(sb, " %s free elsewhere", elsewhere == 1 ? "is" : "are");
		return false;
	}
	sb_addf(sb, "%s", would ? "would go offline" : "");
	if (used) {
		sb_addf(sb, "; ");
		add_pages(sb, &g->op.units, used);
		sb_addf(sb, " in use to be migrated");
	}
	room_move(room, b, inside, used);
	return true;
}

/* Returns false when the block would refuse, or may fail for lack of room. */
static bool say_offline(const struct goal *g, const struct why_sources *s,
			struct room *room, const struct memblock *b)
{
	struct sb line = {0}, why = {0};
	struct span span = {0};
	bool sure, would, fits;

	why_not_offline(s, b, &why, &sure);
	would = !why.len;
	if (sure && !would) {
		out("block %" PRIu64 ": would refuse: %s\n", b->nr, why.p);
		sb_free(&why);
		return false;
	}
	if (!would)
		sb_addf(&line, "may refuse: %s", why.p);
	fits = add_migration(&line, g, s, room, b, would);
	if (would && !line.len)
		sb_addf(&line, "would go offline");
	if (block_span(&g->op.units, b->nr, &span))
		add_withheld(&line, s, span);
	out("block %" PRIu64 ": %s\n", b->nr, line.p);
	sb_free(&line);
	sb_free(&why);
	return fits;
}

static bool say_online(const struct goal *g, const struct why_sources *s,
		       const struct memblock *b)
{
	const char *zones = b->zones ? b->zones : "";
	const char *movable = strstr(zones, "Movable"), *type = g->op.type;
	struct sb line = {0};
	struct span span = {0};
	int len = (int)strcspn(zones, "/");

	if (strcmp(b->state, "offline")) {
		out("block %" PRIu64 ": would refuse: it is %s in zone %s\n",
		    b->nr, b->state, *zones ? zones : "-");
		return false;
	}
	if (type && *zones && !strcmp(type, "online_movable")) {
		if (!movable) {
			out("block %" PRIu64
			    ": would refuse: it cannot be in zone Movable\n",
			    b->nr);
			return false;
		}
		zones = "Movable";
		len = 7;
	} else if (type && !strcmp(type, "online_kernel") && movable) {
		if (movable == zones && strchr(zones, '/'))
			zones = strchr(zones, '/') + 1;
		else if (movable == zones)
			zones = "";
		len = (int)strcspn(zones, "/");
	}
	block_span(&g->op.units, b->nr, &span);
	add_withheld(&line, s, span);
	if (*zones)
		out("block %" PRIu64 ": would come online in zone %.*s%s\n",
		    b->nr, len, zones, sb_str(&line));
	else
		out("block %" PRIu64 ": would come online%s\n", b->nr,
		    sb_str(&line));
	sb_free(&line);
	return true;
}

static int dry_run(const struct goal *g, const struct targets *t,
		   const struct memblocks *blocks)
{
	const char *cmd = g->op.cmd->name;
	struct why_sources sources;
	struct room room = {0};
	uint64_t would = 0, change = 0;
	struct sb line = {0};
	bool ok = why_open(&sources, cmd);

	if (ok && !g->op.online && !why_open_pages(&sources, cmd))
		hint("so the pages themselves are not looked at");
	else if (ok && !g->op.online && !room_load(&room))
		hint("/proc/zoneinfo: %s: offctl does not know whether pages in use find room elsewhere",
		     strerror(errno));
	for (size_t i = 0; ok && i < t->n && !(g->want && would == g->want);
	     i++) {
		const struct memblock *b = &blocks->v[t->v[i]];

		if (blockop_reached(&g->op, b)) {
			out("block %" PRIu64 ": already %s\n", b->nr, b->state);
			would++;
		} else if (g->op.online ? say_online(g, &sources, b) :
					  say_offline(g, &sources, &room, b)) {
			would++;
			change++;
		}
	}
	if (ok) {
		add_size_iec(&line, change * g->op.units.block);
		out("%" PRIu64 " block%s, %s, would go %s\n", change,
		    change == 1 ? "" : "s", sb_str(&line),
		    g->op.online ? "online" : "offline");
	}
	sb_free(&line);
	room_free(&room);
	why_close(&sources);
	if (!ok)
		return ST_FAILED;
	if (would == total(g, t))
		return ST_DONE;
	return would ? ST_PARTLY : ST_FAILED;
}

/* The options that choose blocks; a usage error otherwise. */
static int take_choice(struct goal *g, int argc)
{
	const struct command *cmd = g->op.cmd;
	uint64_t bytes, node;
	const char *why;

	if (!!argc + g->all_marked + !!g->size > 1)
		return usage_error(cmd, "either blocks, --all-marked or --size");
	if (!argc && !g->all_marked && !g->size)
		return usage_error(cmd, "no block");
	if ((g->node || g->zone) && !g->size)
		return usage_error(cmd, "--node and --zone go with --size");
	if (g->size) {
		why = parse_size(g->size, &bytes);
		if (!why && !g->op.units.block)
			why = "the size of a memory block is not known";
		if (!why && (!bytes || bytes % g->op.units.block))
			why = "not a multiple of the size of a memory block";
		if (why)
			return usage_error_arg(cmd, g->size, why, NULL);
		g->want = bytes / g->op.units.block;
	}
	if (g->node) {
		why = parse_number(g->node, &node);
		if (!why && node > INT32_MAX)
			why = "too large";
		if (why)
			return usage_error_arg(cmd, g->node, why, NULL);
		g->on_node = (int64_t)node;
	}
	return ST_DONE;
}

/* Makes the list; false after an error message. */
static bool choose(const struct goal *g, const struct module *m,
		   const struct block_args *asked,
		   const struct memblocks *blocks, struct targets *t)
{
	bool *taken = xrealloc(NULL, blocks->n, sizeof(*taken));

	t->v = xrealloc(NULL, blocks->n, sizeof(*t->v));
	memset(taken, 0, blocks->n * sizeof(*taken));
	for (size_t i = 0; i < asked->n; i++)
		add_interval(g, t, taken, blocks, asked->v[i].first,
			     asked->v[i].last);
	free(taken);
	if (g->want)
		add_any(g, t, blocks);
	return !g->all_marked || add_marked(g, m, t, blocks);
}

static int carry_out(struct goal *g, const struct module *m,
		     const struct targets *t, struct memblocks *blocks)
{
	if (g->dry_run)
		return dry_run(g, t, blocks);
	if (t->missing && !g->keep_going) {
		if (t->n)
			hint("nothing was done; --keep-going does it with those that there are");
		return ST_FAILED;
	}
	if (g->all_marked && !t->n)
		out("no block has marked pages\n");
	signals_catch();
	return run_targets(g, m, t, blocks);
}

static int run(struct goal *g, int argc, char **argv)
{
	/* What would happen can be said without the module, in part. */
	bool need_module = !g->dry_run || g->all_marked;
	struct module m = { .dirfd = -1 };
	struct block_args asked = {0};
	struct memblocks blocks = {0};
	struct targets targets = {0};
	int status;

	g->op.units = units_get();
	g->on_node = -1;
	status = take_choice(g, argc);
	if (status == ST_DONE)
		status = block_args_take(g->op.cmd, &g->op.units, argc, argv,
					 &asked);
	if (status != ST_DONE)
		return status;
	status = ST_FAILED;
	if ((module_open(&m, g->op.cmd->name, !need_module) || !need_module) &&
	    memblocks_load(g->op.cmd->name, &blocks) &&
	    choose(g, &m, &asked, &blocks, &targets))
		status = carry_out(g, &m, &targets, &blocks);
	module_close(&m);
	memblocks_free(&blocks);
	block_args_free(&asked);
	free(targets.v);
	return status;
}

enum { OPT_TYPE = OPT_OWN, OPT_ALL_MARKED, OPT_SIZE, OPT_NODE, OPT_ZONE,
       OPT_TIMEOUT, OPT_DRY_RUN, OPT_KEEP_GOING };

#define BLOCK_OPTIONS							\
	{ OPT_ALL_MARKED, "all-marked", NULL,				\
	  "every block that has marked pages" },			\
	{ OPT_SIZE, "size", "SIZE",					\
	  "so much, of whichever blocks do it" },			\
	{ OPT_NODE, "node", "N", "with --size: on this NUMA node" },	\
	{ OPT_ZONE, "zone", "ZONE",					\
	  "with --size: of those that are in this zone, or can be" },	\
	{ OPT_TIMEOUT, "timeout", "TIME",				\
	  "give a block up after TIME (10, 0.5s, 200ms, 2min)" },	\
	{ OPT_KEEP_GOING, "keep-going", NULL,				\
	  "go on after a block that fails or is not there" },		\
	{ OPT_DRY_RUN, "dry-run", NULL,					\
	  "do nothing, say what would happen and what is in the way" },	\
	{ 'v', "verbose", NULL,	"say what is done; this is the default" }, \
	{ 'q', "quiet", NULL, "only say what fails" }

static const struct option_def offline_options[] = {
	BLOCK_OPTIONS,
	{ 0, NULL, NULL, NULL },
};

static const struct option_def online_options[] = {
	{ OPT_TYPE, "type", "TYPE",
	  "online (the kernel chooses), kernel or movable" },
	BLOCK_OPTIONS,
	{ 0, NULL, NULL, NULL },
};

static int run_options(struct goal *g, int argc, char **argv)
{
	const struct command *cmd = g->op.cmd;
	const char *why;
	int id;

	while ((id = next_option(cmd, argc, argv)) != -1)
		switch (id) {
		case OPT_TYPE:
			g->op.type = blockop_type(optarg);
			if (!g->op.type)
				return usage_error_arg(cmd, optarg,
						       "no such online type",
						       blockop_types);
			break;
		case OPT_ALL_MARKED:
			g->all_marked = true;
			break;
		case OPT_SIZE:
			g->size = optarg;
			break;
		case OPT_NODE:
			g->node = optarg;
			break;
		case OPT_ZONE:
			g->zone = parse_zone(optarg);
			if (!g->zone)
				return usage_error_arg(cmd, optarg,
						       "no such zone",
						       zone_forms);
			break;
		case OPT_TIMEOUT:
			why = parse_duration(optarg, &g->op.limit_ms);
			if (why)
				return usage_error_arg(cmd, optarg, why, NULL);
			break;
		case OPT_DRY_RUN:
			g->dry_run = true;
			break;
		case OPT_KEEP_GOING:
			g->keep_going = true;
			break;
		case 'q':
			g->op.quiet = true;
			break;
		case 'v':
			g->op.quiet = false;
			break;
		}
	return run(g, argc - optind, argv + optind);
}

static int run_offline(const struct command *self, int argc, char **argv)
{
	struct goal goal = { .op.cmd = self };

	return run_options(&goal, argc, argv);
}

static int run_online(const struct command *self, int argc, char **argv)
{
	struct goal goal = { .op.cmd = self, .op.online = true };

	return run_options(&goal, argc, argv);
}

#define BLOCK_HELP							\
"BLOCK is a number (40), numbers (40-43, block:40-43), the address a block\n" \
"starts at, a range of addresses of whole blocks, or a DAX device (dax0.0).\n" \
"The blocks are tried one after the other, until one fails. SIGINT ends an\n" \
"attempt that does not come to an end, and so does --timeout.\n"

const struct command cmd_offline = {
	.name = "offline",
	.brief = "Take memory blocks offline.",
	.synopsis =
"[OPTION...] BLOCK...\n"
"[OPTION...] --all-marked\n"
"[OPTION...] --size SIZE [--node N] [--zone ZONE]",
	.details = BLOCK_HELP,
	.options = offline_options,
	.names_left = true,
	.run = run_offline,
};

const struct command cmd_online = {
	.name = "online",
	.brief = "Bring memory blocks online.",
	.synopsis =
"[--type TYPE] [OPTION...] BLOCK...\n"
"[--type TYPE] [OPTION...] --all-marked\n"
"[--type TYPE] [OPTION...] --size SIZE [--node N] [--zone ZONE]",
	.details = BLOCK_HELP,
	.options = online_options,
	.names_left = true,
	.run = run_online,
};
