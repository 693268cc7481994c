// SPDX-License-Identifier: GPL-2.0
/*
 * Predicts all permitted outcomes of one operation. An outcome is a result, which is 0 or a
 * positive errno, and the state of the model afterwards. The kernel must show one of them.
 */
#include "common.h"
#include "model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Adds an outcome with a copy of m, and returns the copy. The caller changes it. */
static struct model *outcome(struct outcomes *out, const struct model *m,
			     int result)
{
	struct outcome *o = &out->o[out->nr];

	if (out->nr++ == MAX_OUTCOMES)
		die("too many outcomes");
	model_init(&o->model);
	model_copy(&o->model, m);
	o->result[0] = result;
	o->result[1] = 0;
	return &o->model;
}

void outcomes_free(struct outcomes *out)
{
	while (out->nr)
		model_free(&out->o[--out->nr].model);
}

/* ---------------------------------------------------------------- the pages */

static unsigned int piece_end(const struct piece *p)
{
	return p->start + p->nr;
}

static bool block_has(const struct model *m, unsigned int block,
		      unsigned char mask, unsigned char is)
{
	const unsigned char *page = m->page + block * world.block_pages;
	unsigned int i;

	for (i = 0; i < world.block_pages; i++)
		if ((page[i] & mask) == is)
			return true;
	return false;
}

/* Gives back all pages whose bits in mask are these. */
static void give_back(struct model *m, unsigned char mask, unsigned char is)
{
	unsigned int i;

	for (i = 0; i < world.nr_pages; i++)
		if ((m->page[i] & mask) == is)
			m->page[i] = 0;
}

/* May debugfs change all of these pages? */
static int check_owner(const struct model *m, const struct piece *p)
{
	unsigned int i;

	if (piece_end(p) > world.nr_pages)
		return ENOENT;
	for (i = p->start; i < piece_end(p); i++) {
		if (!(m->page[i] & MARKED))
			return ENOENT;
		if (m->page[i] & FOREIGN)
			return EPERM;
	}
	return 0;
}

/* ---------------------------------------------------------------- injections */

/* Uses up one of the armed failures. Returns its errno, or 0. */
static int consume(struct model *m, enum inject_point point)
{
	struct injection *it = &m->inject[point];

	if (!it->count)
		return 0;
	it->count--;
	return it->error;
}

/* ---------------------------------------------------------------- operations */

static int mark_piece(struct model *m, const struct piece *p)
{
	unsigned char is = MARKED;
	unsigned int i, end;

	for (i = p->start; i < piece_end(p); i++)
		if (m->page[i] & MARKED)
			return EEXIST;
	is |= (p->unskippable ? 0 : SKIPPABLE) | (p->canary ? CANARY : 0);
	/* Block by block. In an offline block no page is taken, so nothing can fail. */
	for (i = p->start; i < piece_end(p); i = end) {
		bool online = m->block[i / world.block_pages].online;

		end = (i / world.block_pages + 1) * world.block_pages;
		if (end > piece_end(p))
			end = piece_end(p);
		if (online && consume(m, MARK_STRAY))
			return EBUSY;
		memset(m->page + i, is, end - i);
		if (online && p->canary && consume(m, MARK_CORRUPT))
			m->page[end - 1] |= BROKEN;
	}
	if (plant == PLANT_FORGET && p->unskippable &&
	    m->block[(piece_end(p) - 1) / world.block_pages].online)
		m->page[piece_end(p) - 1] = 0;
	return 0;
}

static void predict_mark(const struct model *m, const struct op *op,
			 struct outcomes *out)
{
	struct model *after = outcome(out, m, 0);
	struct outcome *o = &out->o[out->nr - 1];
	unsigned int i;

	for (i = 0; i < op->nr_pieces && !o->result[0]; i++) {
		if (piece_end(&op->piece[i]) > world.nr_pages)
			die("a mark outside of the blocks under test");
		o->result[0] = mark_piece(after, &op->piece[i]);
	}
	/* All ranges are marked or none, but injections are used up. */
	if (o->result[0])
		memcpy(after->page, m->page, world.nr_pages);
	/* A page may have been in use, also in a range before the bad one. */
	if (!o->result[0] || o->result[0] == EBUSY || i > 1)
		outcome(out, m, EBUSY)->loose = true;
}

static void predict_any(const struct model *m, const struct op *op,
			struct outcomes *out)
{
	unsigned int i, to_have = 0;
	struct model *after;

	for (i = 0; i < world.nr_pages; i++) {
		const struct block *b = &m->block[i / world.block_pages];

		if (b->online && !b->normal)
			to_have += !(m->page[i] & MARKED);
	}
	for (i = 0; i < world.nr_blocks; i++)
		if (m->block[i].online && !m->block[i].normal)
			break;
	if (i == world.nr_blocks) {
		outcome(out, m, ENXIO);
		return;
	}
	after = outcome(out, m, 0);
	after->learn = op->number;
	after->learn_owner = 0;
	/* Many pages may be in use and hard to move, but not nearly all. */
	if (to_have < 8192 + 4 * op->number)
		outcome(out, m, ENOSPC);
}

static int compare_starts(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static int check_unmark(const struct model *m, const struct op *op)
{
	struct piece sorted[MAX_PIECES];
	unsigned int i;
	int ret = 0;

	memcpy(sorted, op->piece, op->nr_pieces * sizeof(*sorted));
	qsort(sorted, op->nr_pieces, sizeof(*sorted), compare_starts);
	for (i = 1; i < op->nr_pieces; i++)
		if (sorted[i].start < piece_end(&sorted[i - 1]))
			return EINVAL;
	for (i = 0; i < op->nr_pieces && !ret; i++)
		ret = check_owner(m, &sorted[i]);
	return ret;
}

static void predict_unmark(const struct model *m, const struct op *op,
			   struct outcomes *out)
{
	int result = check_unmark(m, op);
	struct model *after = outcome(out, m, result);
	unsigned int i;

	for (i = 0; i < op->nr_pieces && !result; i++)
		memset(after->page + op->piece[i].start, 0, op->piece[i].nr);
}

static void predict_skippable(const struct model *m, const struct op *op,
			      struct outcomes *out)
{
	const struct piece *p = op->piece;
	int result = check_owner(m, p);
	struct model *after;
	unsigned int i;

	if (plant == PLANT_ERRNO && !result &&
	    !m->block[p->start / world.block_pages].online)
		result = EBUSY;
	after = outcome(out, m, result);
	for (i = p->start; i < piece_end(p) && !result; i++)
		after->page[i] = (after->page[i] & ~SKIPPABLE) |
				 (op->number ? SKIPPABLE : 0);
}

static int offline_block(struct model *m, unsigned int block)
{
	int error;

	if (!m->block[block].online)
		return EINVAL;
	error = consume(m, OFFLINE_BEFORE);
	/* The module refuses where the kernel would skip these pages, too. */
	if (!error && !strcmp(world.skip, "frozen") &&
	    block_has(m, block, MARKED | SKIPPABLE, MARKED))
		error = EBUSY;
	if (!error)
		error = consume(m, OFFLINE_AFTER);
	if (!error && (m->inject[OFFLINE_LATE].error == EINTR ||
		       block_has(m, block, SKIPPABLE, SKIPPABLE)))
		error = consume(m, OFFLINE_LATE);
	if (!error && block_has(m, block, MARKED | SKIPPABLE, MARKED))
		error = EBUSY;
	if (!error)
		m->block[block].online = false;
	return error;
}

static void predict_offline(const struct model *m, const struct op *op,
			    struct outcomes *out)
{
	struct model *after = outcome(out, m, 0);

	out->o[out->nr - 1].result[0] = offline_block(after, op->block);
	/* Kernel data may be in the block, and keep it from being isolated. */
	if (m->block[op->block].online && m->block[op->block].normal)
		outcome(out, m, EBUSY)->loose = true;
}

static void online_block(const struct model *m, const struct op *op,
			 bool normal, struct outcomes *out)
{
	struct model *after = outcome(out, m, 0);
	int error = 0;

	if (m->block[op->block].online)
		error = EINVAL;
	if (!error)
		error = consume(after, ONLINE_BEFORE);
	if (!error)
		error = consume(after, ONLINE_AFTER);
	if (!error) {
		after->block[op->block].online = true;
		after->block[op->block].normal = normal;
	}
	out->o[out->nr - 1].result[0] = error;
}

static void predict_online(const struct model *m, const struct op *op,
			   unsigned int auto_normal, bool racing,
			   struct outcomes *out)
{
	bool normal = auto_normal >> op->block & 1;

	switch (op->type) {
	case ONLINE_KERNEL:
		online_block(m, op, true, out);
		break;
	case ONLINE_MOVABLE:
		online_block(m, op, false, out);
		break;
	default:
		online_block(m, op, normal, out);
		/* The other operation may have changed which zone that is. */
		if (racing)
			online_block(m, op, !normal, out);
		break;
	}
}

static void predict_soft(const struct model *m, const struct op *op,
			 struct outcomes *out)
{
	unsigned int page = op->piece[0].start;

	if (page >= world.nr_pages)
		die("soft-offlining outside of the blocks under test");
	if (!m->block[page / world.block_pages].online) {
		outcome(out, m, EIO);
		outcome(out, m, ENXIO);
	} else if (m->page[page] & MARKED) {
		outcome(out, m, EIO);
	} else {
		/* In every case the soft offline has been undone. */
		outcome(out, m, 0);
	}
}

static void predict_reload(const struct model *m, struct outcomes *out)
{
	struct model *after;

	if (m->balloon) {
		outcome(out, m, EAGAIN);
		return;
	}
	after = outcome(out, m, 0);
	memset(after->inject, 0, sizeof(after->inject));
	memset(after->page, 0, world.nr_pages);
}

static void predict_balloon(const struct model *m, const struct op *op,
			    struct outcomes *out)
{
	struct model *after = outcome(out, m, 0);

	after->balloon = true;
	after->learn = op->piece[0].nr;
	after->learn_owner = FOREIGN;
}

static void predict_inject(const struct model *m, const struct op *op,
			   struct outcomes *out)
{
	struct model *after = outcome(out, m, 0);

	after->inject[op->point].error = op->error;
	after->inject[op->point].count = op->number;
}

static void predict_pop(const struct model *m, struct outcomes *out)
{
	struct model *after = outcome(out, m, 0);

	give_back(after, FOREIGN, FOREIGN);
	after->balloon = false;
	after->outside = 0;
}

void predict(const struct model *m, const struct op *given,
	     unsigned int auto_normal, bool racing, struct outcomes *out)
{
	struct op op = *given;

	model_resolve(m, &op);
	switch (op.kind) {
	case OP_GUARD:
	case OP_MARK:
		predict_mark(m, &op, out);
		break;
	case OP_ANY:
		predict_any(m, &op, out);
		break;
	case OP_UNMARK:
		predict_unmark(m, &op, out);
		break;
	case OP_UNMARK_ALL:
		give_back(outcome(out, m, 0), FOREIGN, 0);
		break;
	case OP_SKIPPABLE:
		predict_skippable(m, &op, out);
		break;
	case OP_OFFLINE:
		predict_offline(m, &op, out);
		break;
	case OP_ONLINE:
		predict_online(m, &op, auto_normal, racing, out);
		break;
	case OP_INJECT:
		predict_inject(m, &op, out);
		break;
	case OP_CLEAR:
		memset(outcome(out, m, 0)->inject, 0, sizeof(m->inject));
		break;
	case OP_SOFT:
		predict_soft(m, &op, out);
		break;
	case OP_HOLD:
	case OP_DROP:
		outcome(out, m, 0);
		break;
	case OP_RELOAD:
		predict_reload(m, out);
		break;
	case OP_BALLOON:
		predict_balloon(m, &op, out);
		break;
	case OP_POP:
		predict_pop(m, out);
		break;
	}
	/* Each of the two may find page blocks that the other one has isolated. */
	if (racing && (op.kind == OP_MARK || op.kind == OP_OFFLINE))
		outcome(out, m, EBUSY)->loose = true;
}
