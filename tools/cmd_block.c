// SPDX-License-Identifier: GPL-2.0
/* offctl offline, offctl online */
#include "command.h"
#include "memblock.h"
#include "module.h"
#include "ranges.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ZONE_MOVABLE "Movable"

/* What is to become of the blocks. */
struct goal {
	const struct command *cmd;
	bool online;
	const char *type;	/* NULL: the kernel's choice */
	struct units units;
	bool hinted;		/* the log need not be named twice */
};

/* The blocks, as indexes into a struct memblocks, each once. */
struct targets {
	size_t *v;
	size_t n;
	uint64_t missing;	/* blocks asked for that are not there */
};

enum outcome { DONE, FAILED, STOP };

static bool is(const struct memblock *b, const char *state)
{
	return !strcmp(b->state, state);
}

/* An online block, and the zone that the type asks for. */
static bool zone_fits(const struct memblock *b, const char *type)
{
	bool movable;

	if (!type || !strcmp(type, "online") || !b->zones)
		return true;
	movable = !strcmp(b->zones, ZONE_MOVABLE);
	return movable == !strcmp(type, "online_movable");
}

static bool reached(const struct goal *g, const struct memblock *b)
{
	if (!g->online)
		return is(b, "offline");
	return is(b, "online") && zone_fits(b, g->type);
}

static void say_reached(const struct goal *g, const struct memblock *b,
			const char *already)
{
	out("block %" PRIu64 ": %s%s", b->nr, already, b->state);
	if (g->online && b->zones && !*already)
		out(", zone %s", b->zones);
	out("\n");
}

static enum outcome say_gone(const struct goal *g, const struct memblock *b)
{
	err("%s: block %" PRIu64 ": %s", g->cmd->name, b->nr,
	    errno == ENOENT || errno == ENODEV ? "there is no such block" :
						 strerror(errno));
	return FAILED;
}

static bool same_failure(const struct failure *a, const struct failure *b)
{
	return a->span.pfn == b->span.pfn && a->span.nr == b->span.nr &&
	       a->reason && b->reason && !strcmp(a->reason, b->reason);
}

/*
 * The reason that the module has found for what just failed. What it says may
 * be of another attempt: it must be about this block, and if it is what it said
 * before, the failure must be one that it always looks into.
 */
static bool hint_reason(const struct goal *g, const struct module *m,
			const struct memblock *b, const struct failure *before,
			int error)
{
	bool always = !g->online && (error == EBUSY || error == EINVAL);
	uint64_t per_block = g->units.block / g->units.page;
	struct failure now;
	bool ours;

	if (!failure_load(m, &now))
		return false;
	/* The notifier's range may leave out pages of the block's start. */
	ours = per_block && now.span.pfn / per_block == b->nr &&
	       (always || !same_failure(before, &now));
	if (ours)
		hint("%s", now.reason);
	failure_free(&now);
	return ours;
}

static enum outcome act(struct goal *g, const struct module *m,
			struct memblock *b)
{
	const char *file = g->online ? "block_online" : "block_offline";
	struct sb data = {0}, why = {0};
	enum outcome outcome = FAILED;
	struct failure before;
	int error;

	if (!memblock_refresh(b))
		return say_gone(g, b);
	if (reached(g, b)) {
		say_reached(g, b, "already ");
		return DONE;
	}
	if (g->online && is(b, "online")) {
		err("%s: block %" PRIu64 ": is online in zone %s, not as %s",
		    g->cmd->name, b->nr, b->zones, g->type);
		hint("take it offline first");
		return FAILED;
	}

	sb_addf(&data, "%" PRIu64 "%s%s\n", b->nr, g->type ? " " : "",
		g->type ? g->type : "");
	failure_load(m, &before);
	error = module_write(m, g->cmd->name, file, &data);
	sb_free(&data);
	/* Could not be sent at all: the next one would fare no better. */
	if (error < 0) {
		outcome = STOP;
		goto out;
	}

	/* What the kernel returned is one thing, what became of it another. */
	if (!memblock_refresh(b)) {
		outcome = say_gone(g, b);
		goto out;
	}
	if (reached(g, b)) {
		say_reached(g, b, "");
		outcome = DONE;
		goto out;
	}
	if (error)
		module_errno(&why, file, error);
	else
		sb_addf(&why, "no error, and yet not done");
	err("%s: block %" PRIu64 ": %s; it is %s", g->cmd->name, b->nr,
	    sb_str(&why), b->state);
	sb_free(&why);
	if (!hint_reason(g, m, b, &before, error) && error == EBUSY &&
	    !g->hinted) {
		hint("the kernel log may say more: dmesg");
		g->hinted = true;
	}
out:
	failure_free(&before);
	return outcome;
}

static void say_missing(const struct goal *g, struct targets *t,
			uint64_t first, uint64_t last)
{
	uint64_t nr = last - first;

	if (first == last)
		err("%s: block %" PRIu64 ": there is no such block",
		    g->cmd->name, first);
	else
		err("%s: blocks %" PRIu64 "-%" PRIu64
		    ": there are no such blocks", g->cmd->name, first, last);
	/* It may be all that 64 bits can number. */
	if (__builtin_add_overflow(nr, 1, &nr) ||
	    __builtin_add_overflow(t->missing, nr, &t->missing))
		t->missing = UINT64_MAX;
}

/* Adds the blocks first to last, and tells which of them there are not. */
static void add_targets(const struct goal *g, struct targets *t, bool *taken,
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

static int run_targets(struct goal *g, const struct module *m,
		       const struct targets *t, struct memblocks *blocks)
{
	size_t done = 0, i;

	for (i = 0; i < t->n; i++) {
		enum outcome outcome;

		if (signals_seen())
			break;
		outcome = act(g, m, &blocks->v[t->v[i]]);
		if (outcome == DONE)
			done++;
		else if (outcome == STOP)
			break;
	}
	if (i < t->n && signals_seen())
		err("%s: interrupted; %zu of the blocks not tried",
		    g->cmd->name, t->n - i);
	if (done == t->n && !t->missing)
		return ST_DONE;
	if (t->n > 1 || t->missing)
		err("%s: %zu of %" PRIu64 " blocks done", g->cmd->name, done,
		    t->missing < UINT64_MAX - t->n ? t->missing + t->n :
						     UINT64_MAX);
	return done ? ST_PARTLY : ST_FAILED;
}

struct interval {
	uint64_t first, last;
};

static int run(struct goal *g, int argc, char **argv)
{
	struct interval *asked = NULL;
	struct memblocks blocks = {0};
	struct targets targets = {0};
	bool *taken = NULL;
	struct module m = { .dirfd = -1 };
	int status = ST_FAILED;

	if (!argc)
		return usage_error(g->cmd, "no block");
	g->units = units_get();
	asked = xrealloc(NULL, (size_t)argc, sizeof(*asked));
	for (int i = 0; i < argc; i++) {
		const char *why = parse_blocks(argv[i], &g->units,
					       &asked[i].first,
					       &asked[i].last);

		if (why) {
			status = usage_error_arg(g->cmd, argv[i], why,
						 block_forms);
			goto out;
		}
	}
	if (!module_open(&m, g->cmd->name, false) ||
	    !memblocks_load(g->cmd->name, &blocks))
		goto out;

	targets.v = xrealloc(NULL, blocks.n, sizeof(*targets.v));
	taken = xrealloc(NULL, blocks.n, sizeof(*taken));
	memset(taken, 0, blocks.n * sizeof(*taken));
	for (int i = 0; i < argc; i++)
		add_targets(g, &targets, taken, &blocks, asked[i].first,
			    asked[i].last);
	signals_catch();
	status = run_targets(g, &m, &targets, &blocks);
out:
	module_close(&m);
	memblocks_free(&blocks);
	free(targets.v);
	free(taken);
	free(asked);
	return status;
}

static int run_offline(const struct command *self, int argc, char **argv)
{
	struct goal goal = { .cmd = self };

	while (next_option(self, argc, argv) != -1)
		;
	return run(&goal, argc - optind, argv + optind);
}

#define BLOCK_HELP							\
"BLOCK is a number (40), numbers (40-43, block:40-43), the address a block\n" \
"starts at, or a range of addresses of whole blocks. The blocks are tried one\n" \
"after the other, also after a failure. SIGINT ends an attempt that does not\n" \
"come to an end.\n"

const struct command cmd_offline = {
	.name = "offline",
	.brief = "Take memory blocks offline.",
	.synopsis = "BLOCK...",
	.details = BLOCK_HELP,
	.run = run_offline,
};

enum { OPT_TYPE = OPT_OWN };

static const struct option_def online_options[] = {
	{ OPT_TYPE, "type", "TYPE",
	  "online (the kernel chooses), kernel or movable" },
	{ 0, NULL, NULL, NULL },
};

static const char *online_type(const char *s)
{
	static const struct {
		const char *name, *type;
	} types[] = {
		{ "online", "online" },
		{ "online_kernel", "online_kernel" },
		{ "kernel", "online_kernel" },
		{ "online_movable", "online_movable" },
		{ "movable", "online_movable" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(s, types[i].name))
			return types[i].type;
	return NULL;
}

static int run_online(const struct command *self, int argc, char **argv)
{
	struct goal goal = { .cmd = self, .online = true };
	int id;

	while ((id = next_option(self, argc, argv)) != -1)
		if (id == OPT_TYPE) {
			goal.type = online_type(optarg);
			if (!goal.type)
				return usage_error_arg(self, optarg,
						       "no such online type",
						       "types are online, online_kernel (kernel) and online_movable (movable)");
		}
	return run(&goal, argc - optind, argv + optind);
}

const struct command cmd_online = {
	.name = "online",
	.brief = "Bring memory blocks online.",
	.synopsis = "[--type TYPE] BLOCK...",
	.details = BLOCK_HELP,
	.options = online_options,
	.run = run_online,
};
