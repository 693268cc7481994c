// SPDX-License-Identifier: GPL-2.0
/*
 * The common part of "offctl offline" and "offctl online": options, choice of blocks,
 * attempts, and the frame of --dry-run.
 */
#include "change.h"
#include "blockarg.h"
#include "module.h"
#include "progress.h"
#include "ranges.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The chosen blocks as indexes into a struct memblocks, each once. */
struct targets {
	size_t *v;
	size_t n;
	uint64_t missing;	/* named blocks that do not exist */
};

static void report_missing(const struct change *c, struct targets *t,
			   uint64_t first, uint64_t last)
{
	uint64_t nr = last - first;
	const char *cmd = c->op.cmd->name;

	if (first == last)
		err("%s: block %" PRIu64 ": there is no such block", cmd,
		    first);
	else
		err("%s: blocks %" PRIu64 "-%" PRIu64
		    ": there are no such blocks", cmd, first, last);
	/* The interval may have all 2^64 numbers. */
	if (__builtin_add_overflow(nr, 1, &nr) ||
	    __builtin_add_overflow(t->missing, nr, &t->missing))
		t->missing = UINT64_MAX;
}

/* Adds the blocks first to last, and reports those that do not exist. */
static void add_interval(const struct change *c, struct targets *t, bool *taken,
			 const struct memblocks *blocks, uint64_t first,
			 uint64_t last)
{
	uint64_t next = first;

	for (size_t i = 0; i < blocks->n; i++) {
		uint64_t nr = blocks->v[i].nr;

		if (nr < first || nr > last)
			continue;
		if (nr > next)
			report_missing(c, t, next, nr - 1);
		if (!taken[i]) {
			taken[i] = true;
			t->v[t->n++] = i;
		}
		if (nr == last)
			return;
		next = nr + 1;
	}
	report_missing(c, t, next, last);
}

/* Adds the blocks with marked pages of any owner. Returns false after an error message. */
static bool add_marked(const struct change *c, const struct module *m,
		       struct targets *t, const struct memblocks *blocks)
{
	struct marked_list marked;

	if (!marked_load(m, c->op.cmd->name, &marked))
		return false;
	for (size_t i = 0; i < blocks->n; i++) {
		struct span span;

		if (block_span(&c->op.units, blocks->v[i].nr, &span) &&
		    marked_any(&marked, span))
			t->v[t->n++] = i;
	}
	marked_free(&marked);
	return true;
}

/*
 * Adds all blocks that --size can choose from, in the order of chmem. An offline
 * operation begins at the end of memory, an online operation at its start.
 */
static void add_any(const struct change *c, struct targets *t,
		    const struct memblocks *blocks)
{
	for (size_t i = 0; i < blocks->n; i++) {
		size_t at = c->op.online ? i : blocks->n - 1 - i;
		const struct memblock *b = &blocks->v[at];
		const char *state = c->op.online ? "offline" : "online";

		if (!strcmp(b->state, state) &&
		    (c->on_node < 0 || b->node == c->on_node) &&
		    (!c->zone || memblock_in_zone(b, c->zone)))
			t->v[t->n++] = at;
	}
}

static uint64_t total(const struct change *c, const struct targets *t)
{
	if (c->want)
		return c->want;
	return t->missing < UINT64_MAX - t->n ? t->missing + t->n : UINT64_MAX;
}

static int run_targets(struct change *c, const struct module *m,
		       const struct targets *t, struct memblocks *blocks)
{
	const char *cmd = c->op.cmd->name;
	bool any = c->want, failed = false;
	size_t done = 0, i;

	progress_start(cmd, any ? c->want : t->n, c->op.units.block);
	for (i = 0; i < t->n && !(any && done == c->want); i++) {
		enum outcome outcome;

		if (signals_seen())
			break;
		outcome = blockop_run(&c->op, m, &blocks->v[t->v[i]]);
		if (outcome == OP_DONE || outcome == OP_ALREADY)
			progress_step(++done);
		else if (outcome == OP_STOP)
			break;
		else if (!any && !c->keep_going) {
			failed = true;
			i++;
			break;
		}
	}
	progress_stop();
	if (i < t->n && signals_seen())
		err("%s: interrupted; %zu block%s %s not tried", cmd, t->n - i,
		    plural(t->n - i), was_were(t->n - i));
	else if (i < t->n && failed)
		hint("%zu block%s %s not tried; --keep-going continues after a failure",
		     t->n - i, plural(t->n - i), was_were(t->n - i));
	if (done == total(c, t))
		return ST_DONE;
	if (t->n > 1 || t->missing || any)
		err("%s: %zu of %" PRIu64 " blocks %s %s", cmd, done, total(c, t),
		    is_are(done), c->op.online ? "online" : "offline");
	return done ? ST_PARTLY : ST_FAILED;
}

/* --dry-run */

void add_withheld(struct sb *sb, const struct reason_sources *s,
			 struct span span)
{
	struct spans all = marked_spans(&s->marked, NULL);
	uint64_t pages = spans_pages_in(&all, span);

	if (pages)
		sb_addf(sb, "; %" PRIu64 " marked page%s withheld", pages,
			pages == 1 ? " stays" : "s stay");
	spans_free(&all);
}

static int dry_run(const struct change *c, const struct targets *t,
		   const struct memblocks *blocks)
{
	const char *cmd = c->op.cmd->name;
	struct dry_run d = {0};
	uint64_t would = 0, change = 0;
	struct sb line = {0};
	bool ok = reason_open(&d.s, cmd);

	if (ok && !c->op.online && !reason_open_pages(&d.s, cmd))
		hint("offctl cannot look at the pages of the blocks");
	else if (ok && !c->op.online && !room_load(&d.room))
		hint("/proc/zoneinfo: %s: offctl cannot tell whether the pages in use have room elsewhere",
		     strerror(errno));
	for (size_t i = 0; ok && i < t->n && !(c->want && would == c->want);
	     i++) {
		const struct memblock *b = &blocks->v[t->v[i]];

		if (blockop_reached(&c->op, b)) {
			out("block %" PRIu64 ": already %s\n", b->nr, b->state);
			would++;
		} else if (c->predict(c, &d, b)) {
			would++;
			change++;
		}
	}
	if (ok) {
		add_size_iec(&line, change * c->op.units.block);
		out("%" PRIu64 " block%s, %s, would go %s\n", change,
		    plural(change), sb_str(&line),
		    c->op.online ? "online" : "offline");
	}
	sb_free(&line);
	room_free(&d.room);
	reason_close(&d.s);
	if (!ok)
		return ST_FAILED;
	if (would == total(c, t))
		return ST_DONE;
	return would ? ST_PARTLY : ST_FAILED;
}

/* Checks the options that choose blocks. Returns ST_DONE or ST_USAGE. */
static int take_choice(struct change *c, int argc)
{
	const struct command *cmd = c->op.cmd;
	uint64_t bytes, node;
	const char *reason;

	if (!!argc + c->all_marked + !!c->size > 1)
		return usage_error(cmd,
			"blocks, --all-marked and --size exclude each other");
	if (!argc && !c->all_marked && !c->size)
		return usage_error(cmd, "no block is named");
	if ((c->node || c->zone) && !c->size)
		return usage_error(cmd, "--node and --zone need --size");
	if (c->size) {
		reason = parse_size(c->size, &bytes);
		if (!reason && !c->op.units.block)
			reason = "the size of a memory block is not known";
		if (!reason && (!bytes || bytes % c->op.units.block))
			reason = "not a multiple of the size of a memory block";
		if (reason)
			return usage_error_arg(cmd, c->size, reason, NULL);
		c->want = bytes / c->op.units.block;
	}
	if (c->node) {
		reason = parse_number(c->node, &node);
		if (!reason && node > INT32_MAX)
			reason = "too large";
		if (reason)
			return usage_error_arg(cmd, c->node, reason, NULL);
		c->on_node = (int64_t)node;
	}
	return ST_DONE;
}

/* Makes the list of blocks. Returns false after an error message. */
static bool choose(const struct change *c, const struct module *m,
		   const struct block_args *asked,
		   const struct memblocks *blocks, struct targets *t)
{
	bool *taken = xrealloc(NULL, blocks->n, sizeof(*taken));

	t->v = xrealloc(NULL, blocks->n, sizeof(*t->v));
	memset(taken, 0, blocks->n * sizeof(*taken));
	for (size_t i = 0; i < asked->n; i++)
		add_interval(c, t, taken, blocks, asked->v[i].first,
			     asked->v[i].last);
	free(taken);
	if (c->want)
		add_any(c, t, blocks);
	return !c->all_marked || add_marked(c, m, t, blocks);
}

static int carry_out(struct change *c, const struct module *m,
		     const struct targets *t, struct memblocks *blocks)
{
	if (c->dry_run)
		return dry_run(c, t, blocks);
	if (t->missing && !c->keep_going) {
		if (t->n)
			hint("nothing was done; --keep-going continues with the blocks that exist");
		return ST_FAILED;
	}
	if (c->all_marked && !t->n)
		out("no block has marked pages\n");
	signals_catch();
	return run_targets(c, m, t, blocks);
}

static int choose_and_run(struct change *c, int argc, char **argv)
{
	/* --dry-run can do a part of its work without the module. */
	bool need_module = !c->dry_run || c->all_marked;
	struct module m = { .dirfd = -1 };
	struct block_args asked = {0};
	struct memblocks blocks = {0};
	struct targets targets = {0};
	int status;

	c->op.units = units_get();
	c->on_node = -1;
	status = take_choice(c, argc);
	if (status == ST_DONE)
		status = block_args_take(c->op.cmd, &c->op.units, argc, argv,
					 &asked);
	if (status != ST_DONE)
		return status;
	status = ST_FAILED;
	if ((module_open(&m, c->op.cmd->name, !need_module) || !need_module) &&
	    memblocks_load(c->op.cmd->name, &blocks) &&
	    choose(c, &m, &asked, &blocks, &targets))
		status = carry_out(c, &m, &targets, &blocks);
	module_close(&m);
	memblocks_free(&blocks);
	block_args_free(&asked);
	free(targets.v);
	return status;
}

int change_run(struct change *c, int argc, char **argv)
{
	const struct command *cmd = c->op.cmd;
	const char *reason;
	int id;

	while ((id = next_option(cmd, argc, argv)) != -1)
		switch (id) {
		case OPT_TYPE:
			c->op.type = blockop_type(optarg);
			if (!c->op.type)
				return usage_error_arg(cmd, optarg,
						       "no such online type",
						       blockop_types);
			break;
		case OPT_ALL_MARKED:
			c->all_marked = true;
			break;
		case OPT_SIZE:
			c->size = optarg;
			break;
		case OPT_NODE:
			c->node = optarg;
			break;
		case OPT_ZONE:
			c->zone = parse_zone(optarg);
			if (!c->zone)
				return usage_error_arg(cmd, optarg,
						       "no such zone",
						       zone_forms);
			break;
		case OPT_TIMEOUT:
			reason = parse_duration(optarg, &c->op.limit_ms);
			if (reason)
				return usage_error_arg(cmd, optarg, reason, NULL);
			break;
		case OPT_DRY_RUN:
			c->dry_run = true;
			break;
		case OPT_KEEP_GOING:
			c->keep_going = true;
			break;
		case 'q':
			c->op.quiet = true;
			break;
		case 'v':
			c->op.quiet = false;
			break;
		}
	return choose_and_run(c, argc - optind, argv + optind);
}
