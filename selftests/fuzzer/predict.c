// SPDX-License-Identifier: GPL-2.0
/*
 * Predicts all permitted outcomes of one operation. An outcome is a result, which is 0 or a
 * positive errno, and the state of the model after the operation. The result and the state of
 * the kernel must match one of the outcomes.
 *
 * For example, a mark may fail with EBUSY because another task holds a page for a moment. The
 * model cannot know that, so EBUSY is a second outcome. Nothing is marked then, but the
 * kernel may have used up armed failures before it returned EBUSY.
 */
#include "common.h"
#include "model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Adds an outcome. Its state is a copy of m, which the caller changes into the state after the
 * operation. Returns the copy.
 */
static struct model *add_outcome(struct outcomes *out, const struct model *m,
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

/* An outcome in which nothing changes, except that fewer failures may be armed. */
static void add_unchanged(struct outcomes *out, const struct model *m, int result)
{
	add_outcome(out, m, result)->armed_at_most = true;
}

void outcomes_free(struct outcomes *out)
{
	while (out->nr)
		model_free(&out->o[--out->nr].model);
}

/* ---------------------------------------------------------------- the pages */

static unsigned int piece_end(const struct request *p)
{
	return p->start + p->nr;
}

/* Has the block a page whose properties in mask are exactly these? */
static bool block_has(const struct model *m, unsigned int block,
		      unsigned char mask, unsigned char properties)
{
	const unsigned char *page = m->page + block * world.block_pages;
	unsigned int i;

	for (i = 0; i < world.block_pages; i++)
		if ((page[i] & mask) == properties)
			return true;
	return false;
}

static bool has_unskippable(const struct model *m, unsigned int block)
{
	return block_has(m, block, MARKED | SKIPPABLE, MARKED);
}

/* Releases all pages whose properties in mask are exactly these. */
static void release_pages(struct model *m, unsigned char mask,
			  unsigned char properties)
{
	unsigned int i;

	for (i = 0; i < world.nr_pages; i++)
		if ((m->page[i] & mask) == properties)
			m->page[i] = 0;
}

/* Returns 0 if all of these pages were marked by debugfs, or the errno of the module. */
static int check_owner(const struct model *m, const struct request *p)
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

/*
 * Returns the errno of the failure that is armed at this point, and uses up one of its
 * count. Returns 0 if none is armed.
 */
static int take_injected_error(struct model *m, enum inject_point point)
{
	struct injection *armed = &m->inject[point];

	if (!armed->count)
		return 0;
	armed->count--;
	return armed->error;
}

/* ---------------------------------------------------------------- operations */

/* Marks the pages of one range. Returns 0, or an errno with part of the pages marked. */
static int mark_piece(struct model *m, const struct request *p)
{
	unsigned char properties = MARKED;
	unsigned int i, end;

	for (i = p->start; i < piece_end(p); i++)
		if (m->page[i] & MARKED)
			return EEXIST;
	properties |= (p->unskippable ? 0 : SKIPPABLE) | (p->canary ? CANARY : 0);
	/*
	 * The module marks block by block. It takes pages only in online blocks, so the
	 * failures that are injected into marks happen only there.
	 */
	for (i = p->start; i < piece_end(p); i = end) {
		bool online = m->block[i / world.block_pages].online;

		end = (i / world.block_pages + 1) * world.block_pages;
		if (end > piece_end(p))
			end = piece_end(p);
		if (online && take_injected_error(m, MARK_STRAY))
			return EBUSY;
		memset(m->page + i, properties, end - i);
		if (online && p->canary && take_injected_error(m, MARK_CORRUPT))
			m->page[end - 1] |= BROKEN;
	}
	/* With -p forget, the model forgets the last page. */
	if (plant == PLANT_FORGET && p->unskippable &&
	    m->block[(piece_end(p) - 1) / world.block_pages].online)
		m->page[piece_end(p) - 1] = 0;
	return 0;
}

static void predict_mark(const struct model *m, const struct op *op,
			 struct outcomes *out)
{
	struct model *after = add_outcome(out, m, 0);
	struct outcome *o = &out->o[out->nr - 1];
	unsigned int i;

	for (i = 0; i < op->nr_requests && !o->result[0]; i++) {
		if (piece_end(&op->request[i]) > world.nr_pages)
			die("a mark outside of the blocks under test");
		o->result[0] = mark_piece(after, &op->request[i]);
	}
	/* No range is marked if one fails, but the armed failures stay used up. */
	if (o->result[0])
		memcpy(after->page, m->page, world.nr_pages);
	/*
	 * A page may be in use for a moment, so a mark may fail with EBUSY. Only if the first
	 * range fails with another errno has the module taken no page before.
	 */
	if (!o->result[0] || o->result[0] == EBUSY || i > 1)
		add_unchanged(out, m, EBUSY);
}

static void predict_any(const struct model *m, const struct op *op,
			struct outcomes *out)
{
	unsigned int i, unmarked = 0;
	struct model *after;

	for (i = 0; i < world.nr_pages; i++) {
		const struct block *b = &m->block[i / world.block_pages];

		if (b->online && !b->normal)
			unmarked += !(m->page[i] & MARKED);
	}
	for (i = 0; i < world.nr_blocks; i++)
		if (m->block[i].online && !m->block[i].normal)
			break;
	if (i == world.nr_blocks) {
		add_outcome(out, m, ENXIO);
		return;
	}
	after = add_outcome(out, m, 0);
	after->unplaced = op->number;
	after->unplaced_owner = 0;
	/*
	 * ENOSPC is right if too few pages can be taken. The model does not know which pages
	 * are in use. It permits ENOSPC if ZONE_MOVABLE has few unmarked pages, with a wide
	 * margin.
	 */
	if (unmarked < 8192 + 4 * op->number)
		add_outcome(out, m, ENOSPC);
}

static int compare_starts(const void *a, const void *b)
{
	const struct request *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static int check_unmark(const struct model *m, const struct op *op)
{
	struct request sorted[MAX_REQUESTS];
	unsigned int i;
	int ret = 0;

	memcpy(sorted, op->request, op->nr_requests * sizeof(*sorted));
	qsort(sorted, op->nr_requests, sizeof(*sorted), compare_starts);
	for (i = 1; i < op->nr_requests; i++)
		if (sorted[i].start < piece_end(&sorted[i - 1]))
			return EINVAL;
	for (i = 0; i < op->nr_requests && !ret; i++)
		ret = check_owner(m, &sorted[i]);
	return ret;
}

static void predict_unmark(const struct model *m, const struct op *op,
			   struct outcomes *out)
{
	int result = check_unmark(m, op);
	struct model *after = add_outcome(out, m, result);
	unsigned int i;

	for (i = 0; i < op->nr_requests && !result; i++)
		memset(after->page + op->request[i].start, 0, op->request[i].nr);
}

static void predict_skippable(const struct model *m, const struct op *op,
			      struct outcomes *out)
{
	const struct request *p = op->request;
	int result = check_owner(m, p);
	struct model *after;
	unsigned int i;

	/* With -p errno, the model expects EBUSY in an offline block. */
	if (plant == PLANT_ERRNO && !result &&
	    !m->block[p->start / world.block_pages].online)
		result = EBUSY;
	after = add_outcome(out, m, result);
	for (i = p->start; i < piece_end(p) && !result; i++)
		after->page[i] = (after->page[i] & ~SKIPPABLE) |
				 (op->number ? SKIPPABLE : 0);
}

static int offline_block(struct model *m, unsigned int block)
{
	int error;

	if (!m->block[block].online)
		return EINVAL;
	error = take_injected_error(m, OFFLINE_BEFORE);
	/*
	 * With frozen, the kernel would skip unskippable pages as well. So the module refuses
	 * them itself, and does so earlier than the kernel would.
	 */
	if (!error && !strcmp(world.skip, "frozen") && has_unskippable(m, block))
		error = EBUSY;
	if (!error)
		error = take_injected_error(m, OFFLINE_AFTER);
	/* For EBUSY, the module needs a skippable page that it can make refuse. */
	if (!error && (m->inject[OFFLINE_LATE].error == EINTR ||
		       block_has(m, block, SKIPPABLE, SKIPPABLE)))
		error = take_injected_error(m, OFFLINE_LATE);
	if (!error && has_unskippable(m, block))
		error = EBUSY;
	if (!error)
		m->block[block].online = false;
	return error;
}

static void predict_offline(const struct model *m, const struct op *op,
			    struct outcomes *out)
{
	struct model *after = add_outcome(out, m, 0);

	out->o[out->nr - 1].result[0] = offline_block(after, op->block);
	/* The block may hold kernel data, and cannot be isolated then. */
	if (m->block[op->block].online && m->block[op->block].normal)
		add_unchanged(out, m, EBUSY);
}

static void online_block(const struct model *m, const struct op *op,
			 bool normal, struct outcomes *out)
{
	struct model *after = add_outcome(out, m, 0);
	int error = 0;

	if (m->block[op->block].online)
		error = EINVAL;
	if (!error)
		error = take_injected_error(after, ONLINE_BEFORE);
	if (!error)
		error = take_injected_error(after, ONLINE_AFTER);
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
		/* The other operation may have changed the zone that "online" chooses. */
		if (racing)
			online_block(m, op, !normal, out);
		break;
	}
}

static void predict_soft(const struct model *m, const struct op *op,
			 struct outcomes *out)
{
	unsigned int page = op->request[0].start;

	if (page >= world.nr_pages)
		die("soft-offlining outside of the blocks under test");
	if (!m->block[page / world.block_pages].online) {
		add_outcome(out, m, EIO);
		add_outcome(out, m, ENXIO);
	} else if (m->page[page] & MARKED) {
		add_outcome(out, m, EIO);
	} else {
		/* The fuzzer undoes the soft offline at once. */
		add_outcome(out, m, 0);
	}
}

static void predict_reload(const struct model *m, struct outcomes *out)
{
	struct model *after;

	if (m->balloon) {
		add_outcome(out, m, EAGAIN);
		return;
	}
	after = add_outcome(out, m, 0);
	memset(after->inject, 0, sizeof(after->inject));
	memset(after->page, 0, world.nr_pages);
}

static void predict_balloon(const struct model *m, const struct op *op,
			    struct outcomes *out)
{
	struct model *after = add_outcome(out, m, 0);

	after->balloon = true;
	after->unplaced = op->request[0].nr;
	after->unplaced_owner = FOREIGN;
}

static void predict_inject(const struct model *m, const struct op *op,
			   struct outcomes *out)
{
	struct model *after = add_outcome(out, m, 0);

	after->inject[op->point].error = op->error;
	after->inject[op->point].count = op->number;
}

static void predict_pop(const struct model *m, struct outcomes *out)
{
	struct model *after = add_outcome(out, m, 0);

	release_pages(after, FOREIGN, FOREIGN);
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
		release_pages(add_outcome(out, m, 0), FOREIGN, 0);
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
		memset(add_outcome(out, m, 0)->inject, 0, sizeof(m->inject));
		break;
	case OP_SOFT:
		predict_soft(m, &op, out);
		break;
	case OP_HOLD:
	case OP_DROP:
		add_outcome(out, m, 0);
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
	/* This operation may find page blocks that the other one has isolated. */
	if (racing && (op.kind == OP_MARK || op.kind == OP_OFFLINE))
		add_unchanged(out, m, EBUSY);
}
