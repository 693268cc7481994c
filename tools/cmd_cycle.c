// SPDX-License-Identifier: GPL-2.0
/* offctl cycle: takes memory blocks offline and online many times, and measures it. */
#include "blockarg.h"
#include "blockop.h"
#include "command.h"
#include "cycle_steps.h"
#include "inject.h"
#include "memblock.h"
#include "module.h"
#include "progress.h"
#include "ranges.h"
#include "sysroot.h"
#include "verify.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A failure that --inject names. */
struct planned {
	char *text;		/* action and point point into it */
	const char *action, *point;
	int error;
};

enum { OFFLINE, ONLINE };

struct cycle {
	const struct command *cmd;
	struct blockop op;
	const char *type;
	struct planned *planned;
	size_t nr_planned;
	uint64_t count;
	uint64_t verify;	/* attempts from one verification to the next; 0: none */
	uint64_t unverified;	/* attempts since the last verification */
	uint64_t mem_total;	/* in kB, at the start */
	bool drifted;		/* MemTotal was different after a cycle */
	bool keep_going;
	bool left_offline;	/* a block was online before, and is offline now */
	struct step steps[2];
	const struct module *m;
};

/*
 * Verifies the marked pages, if enough attempts were made since the last time. Returns
 * false if the command must end.
 */
static bool verify(struct cycle *c, struct step *s)
{
	struct pairs pairs;
	uint64_t bad;
	bool ok;

	if (!c->verify || ++c->unverified < c->verify)
		return true;
	c->unverified = 0;
	if (!pairs_load(c->m, c->cmd->name, "verify", &pairs))
		return false;
	ok = verify_rules_hold(c->cmd->name, &pairs, false, &bad);
	pairs_free(&pairs);
	s->verified = true;
	s->leaks += bad;
	return ok && (!bad || c->keep_going);
}

/* Arms the failure this number of times. 0 disarms it. Returns false after an error. */
static bool arm(const struct cycle *c, const struct planned *p, int count)
{
	struct sb data = {0}, reason = {0};
	int error;

	sb_addf(&data, "%s %s -%d %d\n", p->action, p->point, p->error, count);
	error = module_write(c->m, c->cmd->name, "inject", &data);
	if (error > 0) {
		module_errno(&reason, "inject", error);
		err("%s: %s", c->cmd->name, sb_str(&reason));
	}
	sb_free(&data);
	sb_free(&reason);
	return !error;
}

/* Makes one attempt with an injected failure. The attempt may still succeed. */
static enum outcome attempt_injected(struct cycle *c, struct memblock *b,
				     const struct planned *p)
{
	struct step *s = &c->steps[c->op.online];
	enum outcome outcome;

	if (!arm(c, p, 1))
		return OP_STOP;
	c->op.expect_failure = true;
	outcome = blockop_run(&c->op, c->m, b);
	c->op.expect_failure = false;
	if (!arm(c, p, 0))
		return OP_STOP;
	s->attempts++;
	if (outcome == OP_FAILED) {
		s->injected++;
		return verify(c, s) ? OP_FAILED : OP_STOP;
	}
	if (outcome == OP_DONE) {
		s->done++;
		step_note_time(s, c->op.us);
		if (!verify(c, s))
			return OP_STOP;
	}
	return outcome;
}

/* Takes a block offline or online, after an attempt for each planned failure. */
static enum outcome step(struct cycle *c, struct memblock *b, bool online,
			 const char *type)
{
	struct step *s = &c->steps[online];
	enum outcome outcome;

	c->op.online = online;
	c->op.type = online ? type : NULL;
	for (size_t i = 0; i < c->nr_planned; i++) {
		const struct planned *p = &c->planned[i];

		if (!strcmp(p->action, "online") != online || signals_seen())
			continue;
		outcome = attempt_injected(c, b, p);
		/* The attempt succeeded, so the block has reached its state. */
		if (outcome != OP_FAILED)
			return outcome;
	}
	if (signals_seen())
		return OP_FAILED;
	outcome = blockop_run(&c->op, c->m, b);
	s->attempts++;
	if (outcome == OP_DONE) {
		s->done++;
		step_note_time(s, c->op.us);
	} else if (outcome == OP_FAILED) {
		s->failed++;
	}
	if (!verify(c, s))
		return OP_STOP;
	return outcome;
}

static uint64_t mem_total(void)
{
	static const char name[] = "MemTotal:";
	struct sb text = {0};
	uint64_t kb = 0;

	if (root_read(ROOT, "proc/meminfo", &text)) {
		const char *p = strstr(sb_str(&text), name);

		if (p)
			kb = strtoull(p + sizeof(name) - 1, NULL, 10);
	}
	sb_free(&text);
	return kb;
}

/*
 * Compares MemTotal with its value at the start. A page that leaks in one cycle may come
 * back in the next one, so a check at the end alone would not find it.
 */
static void check_mem_total(struct cycle *c)
{
	uint64_t now = mem_total();

	if (now == c->mem_total)
		return;
	c->drifted = true;
	err("%s: MemTotal was %" PRIu64 " kB and is %" PRIu64 " kB now",
	    c->cmd->name, c->mem_total, now);
}

/*
 * Takes a block to the other state and back. If the block was online and is offline now,
 * makes one more attempt to bring it online, even after a signal, because the user did not
 * ask for an offline block. Returns false if the command must end.
 */
static bool cycle_block(struct cycle *c, struct memblock *b)
{
	bool was_online = !strcmp(b->state, "online");
	const char *type = c->type;
	enum outcome outcome;

	if (!type && was_online && b->zones)
		type = !strcmp(b->zones, "Movable") ? "online_movable" :
						      "online_kernel";
	outcome = step(c, b, !was_online, type);
	if (outcome == OP_DONE)
		outcome = step(c, b, was_online, type);
	if (was_online && !strcmp(b->state, "offline")) {
		c->op.online = true;
		c->op.type = type;
		if (blockop_run(&c->op, c->m, b) != OP_DONE)
			c->left_offline = true;
	}
	if (c->verify && !c->left_offline) {
		check_mem_total(c);
		if (c->drifted && !c->keep_going)
			return false;
	}
	return outcome == OP_DONE ||
	       (outcome == OP_FAILED && c->keep_going && !signals_seen());
}

static int report(struct cycle *c)
{
	uint64_t bad = 0, done = 0;

	for (size_t i = 0; i < ARRAY_SIZE(c->steps); i++) {
		struct step *s = &c->steps[i];

		step_sort_times(s);
		bad += s->failed + s->leaks;
		done += s->done;
	}
	table_print(&cycle_table, c->steps, ARRAY_SIZE(c->steps),
		    sizeof(*c->steps), NULL);
	/* With --verify, check_mem_total() may have reported a change already. */
	if (!c->drifted)
		check_mem_total(c);
	bad += c->drifted;
	if (c->left_offline) {
		err("%s: a block that was online before is offline now",
		    c->cmd->name);
		bad++;
	}
	if (signals_seen())
		err("%s: interrupted", c->cmd->name);
	if (!bad && !signals_seen())
		return ST_DONE;
	return done ? ST_PARTLY : ST_FAILED;
}

static int run_cycle_blocks(struct cycle *c, struct memblocks *blocks,
			    const struct block_args *asked)
{
	uint64_t left = c->count, steps = 0;
	size_t *todo = xrealloc(NULL, blocks->n, sizeof(*todo)), n = 0;
	int status;

	for (size_t i = 0; i < blocks->n; i++)
		if (block_args_have(asked, blocks->v[i].nr))
			todo[n++] = i;
	if (!n) {
		err("%s: there are no such blocks", c->cmd->name);
		free(todo);
		return ST_FAILED;
	}
	c->mem_total = mem_total();
	signals_catch();
	progress_start("cycle", c->count * n, 2 * c->op.units.block);
	for (; left && !signals_seen(); left--)
		for (size_t i = 0; i < n && !signals_seen(); i++) {
			if (!cycle_block(c, &blocks->v[todo[i]])) {
				left = 1;
				break;
			}
			progress_step(++steps);
		}
	progress_stop();
	free(todo);
	status = report(c);
	if (status == ST_DONE && steps != c->count * n)
		status = ST_PARTLY;
	return status;
}

enum { OPT_COUNT = OPT_OWN, OPT_INJECT, OPT_VERIFY, OPT_VERIFY_EVERY, OPT_TYPE,
       OPT_TIMEOUT, OPT_KEEP_GOING };

static const struct option_def options[] = {
	{ OPT_COUNT, "count", "N", "number of cycles; 1 is the default" },
	{ OPT_INJECT, "inject", "FAILURE",
	  "first make an attempt fail: 'ACTION POINT ERRNO'; may be repeated" },
	{ OPT_VERIFY, "verify", NULL,
	  "check marked pages after each attempt, MemTotal after each cycle" },
	{ OPT_VERIFY_EVERY, "verify-every", "N",
	  "check marked pages after every Nth attempt, MemTotal after each cycle" },
	{ OPT_TYPE, "type", "TYPE",
	  "bring blocks online as online, kernel or movable; default: as before" },
	{ OPT_TIMEOUT, "timeout", "TIME",
	  "give up on an attempt after TIME (10, 0.5s, 200ms, 2min)" },
	{ OPT_KEEP_GOING, "keep-going", NULL, "go on after a failure" },
	{ 0, NULL, NULL, NULL },
};

/*
 * Adds a planned failure from a text like "offline late EBUSY" or "offline:late:EBUSY".
 * Returns false on a usage error.
 */
static bool plan(struct cycle *c, const char *text)
{
	char *copy = xstrdup(text), *save;
	struct planned p = { .text = copy };
	const char *error, *reason;

	p.action = strtok_r(copy, " :", &save);
	p.point = p.action ? strtok_r(NULL, " :", &save) : NULL;
	error = p.point ? strtok_r(NULL, " :", &save) : NULL;
	if (!error || strtok_r(NULL, " :", &save))
		reason = "not ACTION POINT ERRNO";
	else
		reason = parse_errno(error, &p.error);
	if (!reason && !strcmp(p.action, "mark"))
		reason = "cycle has only the actions offline and online";
	if (!reason)
		reason = inject_check(p.action, p.point, p.error);
	if (reason) {
		err_arg(c->cmd->name, text, reason);
		inject_hint();
		free(copy);
		return false;
	}
	c->planned = xrealloc(c->planned, c->nr_planned + 1,
			      sizeof(*c->planned));
	c->planned[c->nr_planned++] = p;
	return true;
}

static int take_options(struct cycle *c, int argc, char **argv)
{
	int id;

	while ((id = next_option(c->cmd, argc, argv)) != -1) {
		const char *reason = NULL;

		switch (id) {
		case OPT_COUNT:
			reason = parse_number(optarg, &c->count);
			if (!reason && (!c->count || c->count > 1000000000))
				reason = "not a number from 1 to 1000000000";
			break;
		case OPT_INJECT:
			if (!plan(c, optarg))
				return ST_USAGE;
			break;
		case OPT_VERIFY:
			c->verify = 1;
			break;
		case OPT_VERIFY_EVERY:
			reason = parse_number(optarg, &c->verify);
			if (!reason && !c->verify)
				reason = "must be 1 or more";
			break;
		case OPT_TYPE:
			c->type = blockop_type(optarg);
			if (!c->type)
				return usage_error_arg(c->cmd, optarg,
						       "no such online type",
						       blockop_types);
			break;
		case OPT_TIMEOUT:
			reason = parse_duration(optarg, &c->op.limit_ms);
			break;
		case OPT_KEEP_GOING:
			c->keep_going = true;
			break;
		}
		if (reason)
			return usage_error_arg(c->cmd, optarg, reason, NULL);
	}
	return optind < argc ? ST_DONE :
			       usage_error(c->cmd, "no block is named");
}

static int run_cycle(const struct command *self, int argc, char **argv)
{
	struct cycle c = {
		.cmd = self, .count = 1,
		.op = { .cmd = self, .quiet = true },
		.steps = { { .name = "offline" }, { .name = "online" } },
	};
	struct block_args asked = {0};
	struct memblocks blocks = {0};
	struct module m = { .dirfd = -1 };
	int status = take_options(&c, argc, argv);

	if (status == ST_DONE) {
		c.op.units = units_get();
		status = block_args_take(self, &c.op.units, argc - optind,
					 argv + optind, &asked);
	}
	if (status == ST_DONE) {
		status = ST_FAILED;
		c.m = &m;
		if (module_open(&m, self->name, false) &&
		    memblocks_load(self->name, &blocks))
			status = run_cycle_blocks(&c, &blocks, &asked);
	}
	module_close(&m);
	memblocks_free(&blocks);
	block_args_free(&asked);
	for (size_t i = 0; i < c.nr_planned; i++)
		free(c.planned[i].text);
	free(c.planned);
	free(c.steps[OFFLINE].us);
	free(c.steps[ONLINE].us);
	return status;
}

const struct command cmd_cycle = {
	.name = "cycle",
	.brief = "Take memory blocks offline and online many times, and measure it.",
	.synopsis =
"[--count N] [--inject FAILURE]... [--verify|--verify-every N]\n"
"             [--type TYPE] [--timeout TIME] [--keep-going] [-o LIST] [-J|-P|-r] [-n] BLOCK...",
	.details =
"Each block goes offline and comes back online in the same zone. A block that was\n"
"offline comes online and goes offline again. ACTION and POINT are those of\n"
"'offctl inject'. ERRNO is a name or a number. The command ends at the first failure\n"
"that --inject did not ask for, and at the first wrong marked page.\n",
	.options = options,
	.table = &cycle_table,
	.reports_records = true,
	.run = run_cycle,
};
