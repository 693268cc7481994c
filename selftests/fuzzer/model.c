// SPDX-License-Identifier: GPL-2.0
/*
 * The model predicts what the kernel must do in a step, and what must be seen after it.
 *
 * A prediction is a list of outcomes. An outcome is a result for each operation, and the
 * state after it. Most steps have one outcome. A page may be in use for a moment, so a
 * mark may also end with EBUSY and change nothing. Two operations at once have the outcomes
 * of both orders.
 */
#include "common.h"
#include "model.h"

#include <stdlib.h>
#include <string.h>

struct world world;
enum plant plant;

void model_init(struct model *m)
{
	unsigned int i;

	memset(m, 0, sizeof(*m));
	m->page = calloc(world.nr_pages, 1);
	if (!m->page)
		die("out of memory");
	for (i = 0; i < world.nr_blocks; i++)
		m->block[i].online = true;
}

void model_copy(struct model *to, const struct model *from)
{
	unsigned char *page = to->page;

	*to = *from;
	to->page = page;
	memcpy(page, from->page, world.nr_pages);
}

void model_free(struct model *m)
{
	free(m->page);
	m->page = NULL;
}

/* ---------------------------------------------------------------- steps */

/* Kernel data may come into a block in ZONE_NORMAL with a page block without marks. */
static bool guarded(const struct model *m, unsigned int block)
{
	const unsigned char *page = m->page + block * world.block_pages;
	unsigned int i, j;

	for (i = 0; i < world.block_pages; i += PAGE_BLOCK) {
		for (j = 0; j < PAGE_BLOCK && !(page[i + j] & MARKED); j++)
			;
		if (j == PAGE_BLOCK)
			return false;
	}
	return true;
}

/* The outcomes of two operations at once, if this one is first. */
static void predict_order(const struct model *m, const struct step *s,
			  unsigned int first, unsigned int auto_normal,
			  struct outcomes *out)
{
	struct outcomes one = { 0 };
	unsigned int i;

	predict(m, &s->op[first], auto_normal, true, &one);
	for (i = 0; i < one.nr; i++) {
		unsigned int k = out->nr;

		predict(&one.o[i].model, &s->op[!first], auto_normal, true, out);
		for (; k < out->nr; k++) {
			struct outcome *o = &out->o[k];
			int second = o->result[0];

			o->result[first] = one.o[i].result[0];
			o->result[!first] = second;
			o->model.armed_at_most |= one.o[i].model.armed_at_most;
		}
	}
	outcomes_free(&one);
}

void model_predict(const struct model *m, const struct step *s,
		   unsigned int auto_normal, struct outcomes *out)
{
	out->nr = 0;
	if (s->nr_ops == 1) {
		predict(m, &s->op[0], auto_normal, false, out);
		return;
	}
	predict_order(m, s, 0, auto_normal, out);
	predict_order(m, s, 1, auto_normal, out);
}

/*
 * These two look for pages, and go elsewhere when taking some fails at random places. A
 * page with a broken canary could not be told from the others.
 */
static bool forbidden_now(const struct model *m, const struct op *op)
{
	bool finds = op->kind == OP_ANY || op->kind == OP_BALLOON;

	return (finds && (m->inject[MARK_STRAY].count ||
			  m->inject[MARK_CORRUPT].count)) ||
	       (op->kind == OP_BALLOON && (m->balloon || !world.balloon)) ||
	       (op->kind == OP_POP && !m->balloon) ||
	       (op->kind == OP_SOFT && !world.soft);
}

/*
 * The other operations need a known state before or after them. An operation that takes
 * several steps in the module lets others in between.
 */
bool model_may_be_together(const struct op *a, const struct op *b)
{
	static const bool may[] = {
		[OP_MARK] = true, [OP_UNMARK] = true, [OP_UNMARK_ALL] = true,
		[OP_SKIPPABLE] = true, [OP_OFFLINE] = true, [OP_ONLINE] = true,
		[OP_INJECT] = true, [OP_CLEAR] = true, [OP_HOLD] = true,
		[OP_DROP] = true, [OP_POP] = false,
	};
	bool a_holds = a->kind == OP_HOLD || a->kind == OP_DROP;
	bool b_holds = b->kind == OP_HOLD || b->kind == OP_DROP;

	return may[a->kind] && may[b->kind] && !(a_holds && b_holds) &&
	       a->nr_requests < 2 && b->nr_requests < 2;
}

bool model_forbids(const struct model *m, const struct step *s,
		   const struct outcomes *out)
{
	unsigned int i, k;

	if (s->nr_ops == 2 && !model_may_be_together(&s->op[0], &s->op[1]))
		return true;
	for (i = 0; i < s->nr_ops; i++)
		if (forbidden_now(m, &s->op[i]))
			return true;
	for (i = 0; i < out->nr; i++) {
		const struct model *after = &out->o[i].model;

		for (k = 0; k < world.nr_blocks; k++)
			if (after->block[k].online && after->block[k].normal &&
			    !guarded(after, k))
				return true;
	}
	return false;
}

void model_resolve(const struct model *m, struct op *op)
{
	const unsigned char *page = m->page + op->block * world.block_pages;
	unsigned int i, j;

	if (op->kind != OP_GUARD)
		return;
	op->kind = OP_MARK;
	op->nr_requests = 0;
	for (i = 0; i < world.block_pages && op->nr_requests < MAX_REQUESTS;
	     i += PAGE_BLOCK) {
		for (j = 0; j < PAGE_BLOCK && !(page[i + j] & MARKED); j++)
			;
		if (j < PAGE_BLOCK)
			continue;
		op->request[op->nr_requests++] = (struct request) {
			.start = op->block * world.block_pages + i + 300,
			.nr = 1,
			.canary = true,
		};
	}
}
