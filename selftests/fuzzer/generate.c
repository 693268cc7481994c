// SPDX-License-Identifier: GPL-2.0
/*
 * Makes a sequence from a seed. The generator has a model of its own, in which each step
 * has its likeliest outcome, so that most operations make sense. The real outcome does not
 * change the sequence.
 */
#include "common.h"
#include "fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct generator {
	struct random r;
	struct model model;
	struct step *steps;
	unsigned int nr, max;
};

static unsigned int below(struct generator *g, unsigned int limit)
{
	return random_below(&g->r, limit);
}

static bool one_in(struct generator *g, unsigned int n)
{
	return !below(g, n);
}

/* ---------------------------------------------------------------- pages */

static unsigned int some_length(struct generator *g)
{
	static const unsigned int lengths[] = {
		1, 1, 1, 2, 3, 7, 16, 64, 511, 512, 513, 1024, 3000,
	};

	if (one_in(g, 3))
		return 1 + below(g, 700);
	return lengths[below(g, sizeof(lengths) / sizeof(lengths[0]))];
}

/* A page at the end of a block or page block, or anywhere. */
static unsigned int some_page(struct generator *g)
{
	unsigned int page = below(g, world.nr_pages), unit;

	if (one_in(g, 2))
		return page;
	unit = one_in(g, 2) ? PAGE_BLOCK : world.block_pages;
	page = page / unit * unit + below(g, 3);
	return page ? page - 1 : 0;
}

static void fit(struct request *p)
{
	if (p->start >= world.nr_pages)
		p->start = world.nr_pages - 1;
	if (p->nr > world.nr_pages - p->start)
		p->nr = world.nr_pages - p->start;
}

static void any_request(struct generator *g, struct request *p)
{
	p->start = some_page(g);
	p->nr = some_length(g);
	fit(p);
}

/* A run of marked pages, or a part of one, or a little more. */
static void marked_request(struct generator *g, struct request *p)
{
	unsigned int i, start = below(g, world.nr_pages), end;

	for (i = 0; i < world.nr_pages; i++, start++)
		if (g->model.page[start % world.nr_pages] & MARKED)
			break;
	if (i == world.nr_pages) {
		any_request(g, p);
		return;
	}
	start %= world.nr_pages;
	for (end = start; end < world.nr_pages; end++)
		if (!(g->model.page[end] & MARKED))
			break;
	p->start = start;
	p->nr = end - start;
	switch (below(g, 6)) {
	case 0:
		p->nr = 1 + below(g, p->nr);
		break;
	case 1:
		i = below(g, p->nr);
		p->start += i;
		p->nr -= i;
		break;
	case 2:
		i = below(g, p->nr);
		p->start += i;
		p->nr = 1 + below(g, p->nr - i);
		break;
	case 3:
		if (one_in(g, 3))
			p->nr++;
		break;
	}
	fit(p);
}

static unsigned int percent_marked(const struct generator *g)
{
	unsigned int i, n = 0;

	for (i = 0; i < world.nr_pages; i++)
		n += g->model.page[i] & MARKED;
	return n * 100 / world.nr_pages;
}

/* A block that is online, or offline. If there is none, any block. */
static unsigned int some_block(struct generator *g, bool online)
{
	unsigned int i, block = below(g, world.nr_blocks);

	if (one_in(g, 6))
		return block;
	for (i = 0; i < world.nr_blocks; i++, block++)
		if (g->model.block[block % world.nr_blocks].online == online)
			break;
	return block % world.nr_blocks;
}

/* ---------------------------------------------------------------- operations */

static void make_mark(struct generator *g, struct op *op)
{
	bool near = one_in(g, 2);	/* so that they are taken together */
	unsigned int i;

	op->kind = OP_MARK;
	op->nr_requests = one_in(g, 4) ? 2 + below(g, 4) : 1;
	for (i = 0; i < op->nr_requests; i++) {
		struct request *p = &op->request[i];

		any_request(g, p);
		if (one_in(g, 5)) {
			/* The place is beside a mark, or over its end. */
			marked_request(g, p);
			p->start += p->nr - (one_in(g, 4) ? 1 : 0);
			p->nr = some_length(g);
			fit(p);
		} else if (i && near) {
			p->start = p[-1].start + p[-1].nr + below(g, 150);
			p->nr = 1 + below(g, 9);
			fit(p);
		}
		p->unskippable = one_in(g, 8);
		p->canary = one_in(g, 2);
	}
}

static void make_unmark(struct generator *g, struct op *op)
{
	unsigned int i;

	op->kind = OP_UNMARK;
	op->nr_requests = one_in(g, 4) ? 2 + below(g, 3) : 1;
	for (i = 0; i < op->nr_requests; i++) {
		if (one_in(g, 10))
			any_request(g, &op->request[i]);
		else
			marked_request(g, &op->request[i]);
	}
}

static void make_skippable(struct generator *g, struct op *op)
{
	op->kind = OP_SKIPPABLE;
	op->nr_requests = 1;
	if (one_in(g, 8))
		any_request(g, op->request);
	else
		marked_request(g, op->request);
	/* An unskippable page keeps its block online, so few are made unskippable. */
	op->number = !one_in(g, 3);
}

static void make_offline(struct generator *g, struct op *op)
{
	op->kind = OP_OFFLINE;
	op->block = some_block(g, true);
	op->debugfs = one_in(g, 2);
}

static void make_online(struct generator *g, struct op *op)
{
	op->kind = OP_ONLINE;
	op->block = some_block(g, false);
	op->debugfs = one_in(g, 2);
	op->type = one_in(g, 4) ? ONLINE : one_in(g, 4) ? ONLINE_KERNEL :
		   ONLINE_MOVABLE;
}

static void make_inject(struct generator *g, struct op *op)
{
	static const int errors[] = { EPERM, EIO, ENOMEM, EBUSY, EINVAL, 511 };

	op->kind = OP_INJECT;
	op->point = (enum inject_point)below(g, NR_POINTS);
	op->number = below(g, 3);
	switch (op->point) {
	case OFFLINE_LATE:
		op->error = one_in(g, 2) ? EBUSY : EINTR;
		break;
	case MARK_STRAY:
		op->error = EBUSY;
		break;
	case MARK_CORRUPT:
		op->error = EIO;
		break;
	default:
		op->error = errors[below(g, sizeof(errors) / sizeof(*errors))];
	}
}

static void make_soft(struct generator *g, struct op *op)
{
	op->kind = OP_SOFT;
	if (one_in(g, 2))
		any_request(g, op->request);
	else
		marked_request(g, op->request);
	op->nr_requests = op->request[0].nr = 1;
}

static void make_any(struct generator *g, struct op *op)
{
	op->kind = OP_ANY;
	op->number = 1 + below(g, 600);
	op->request[0].unskippable = one_in(g, 8);
	op->request[0].canary = one_in(g, 2);
}

static void make_balloon(struct generator *g, struct op *op)
{
	op->kind = OP_BALLOON;
	op->nr_requests = 1;
	any_request(g, op->request);
}

static void make_hold(struct generator *g, struct op *op)
{
	op->kind = OP_HOLD;
	op->number = 1 + below(g, 3000);
}

static void make_clear(struct generator *g, struct op *op)
{
	(void)g;
	op->kind = OP_CLEAR;
}

static void make_drop(struct generator *g, struct op *op)
{
	(void)g;
	op->kind = OP_DROP;
}

static void make_unmark_all(struct generator *g, struct op *op)
{
	(void)g;
	op->kind = OP_UNMARK_ALL;
}

static void make_reload(struct generator *g, struct op *op)
{
	(void)g;
	op->kind = OP_RELOAD;
}

static void make_pop(struct generator *g, struct op *op)
{
	(void)g;
	op->kind = OP_POP;
}

struct choice {
	unsigned int weight;
	void (*make)(struct generator *g, struct op *op);
};

/* Operations that can run beside another one. */
static const struct choice common[] = {
	{ 20, make_mark },	{ 10, make_unmark },	{ 9, make_skippable },
	{ 10, make_offline },	{ 10, make_online },	{ 5, make_inject },
	{ 2, make_clear },	{ 2, make_hold },	{ 1, make_drop },
	{ 1, make_unmark_all },
};

/* Operations that must run alone. */
static const struct choice lone[] = {
	{ 3, make_soft },	{ 3, make_any },	{ 1, make_reload },
	{ 3, make_balloon },	{ 2, make_pop },
};

static void choose(struct generator *g, const struct choice *c, size_t nr,
		   struct op *op)
{
	unsigned int sum = 0, dice;
	size_t i;

	memset(op, 0, sizeof(*op));
	for (i = 0; i < nr; i++)
		sum += c[i].weight;
	dice = below(g, sum);
	for (i = 0; dice >= c[i].weight; i++)
		dice -= c[i].weight;
	c[i].make(g, op);
}

static void make_op(struct generator *g, struct op *op)
{
	choose(g, common, sizeof(common) / sizeof(*common), op);
	/* When much is marked, most new marks would only be refused. */
	if (op->kind == OP_MARK && percent_marked(g) > 30 && !one_in(g, 4)) {
		memset(op, 0, sizeof(*op));
		make_unmark(g, op);
	}
}

static void make_lone(struct generator *g, struct op *op)
{
	choose(g, lone, sizeof(lone) / sizeof(*lone), op);
}

/* Applies the likeliest outcome to the model of the generator. */
static void add(struct generator *g, const struct step *s)
{
	static struct outcomes out;

	if (g->nr == g->max)
		return;
	model_predict(&g->model, s, 0, &out);
	if (!model_forbids(&g->model, s, &out)) {
		struct model *after = &out.o[0].model;

		/* No kernel tells the generator the places. Its model marks no pages. */
		after->unplaced = 0;
		model_copy(&g->model, after);
		g->model.armed_at_most = false;
	}
	outcomes_free(&out);
	g->steps[g->nr++] = *s;
}

static void add_op(struct generator *g, const struct op *op)
{
	struct step s = { .nr_ops = 1 };

	s.op[0] = *op;
	add(g, &s);
}

/* A block goes offline and online, perhaps in another zone. */
static void add_cycle(struct generator *g)
{
	struct op guard = { .kind = OP_GUARD }, off = { 0 }, on = { 0 };

	make_offline(g, &off);
	make_online(g, &on);
	guard.block = on.block = off.block;
	if (one_in(g, 3))
		on.type = ONLINE_KERNEL;
	if (on.type != ONLINE_MOVABLE)
		add_op(g, &guard);
	add_op(g, &off);
	if (one_in(g, 3)) {
		struct op between;

		make_op(g, &between);
		add_op(g, &between);
	}
	add_op(g, &on);
}

void generate(uint64_t seed, struct step *steps, unsigned int nr)
{
	struct generator g = { .steps = steps, .max = nr };

	g.r.state = seed;
	model_init(&g.model);
	while (g.nr < nr) {
		struct step s = { .nr_ops = 1 };

		switch (below(&g, 10)) {
		case 0:
			make_lone(&g, &s.op[0]);
			break;
		case 1:
			add_cycle(&g);
			continue;
		case 2:
			make_op(&g, &s.op[0]);
			make_op(&g, &s.op[1]);
			if (model_may_be_together(&s.op[0], &s.op[1]))
				s.nr_ops = 2;
			break;
		default:
			make_op(&g, &s.op[0]);
		}
		add(&g, &s);
	}
	model_free(&g.model);
}
