// SPDX-License-Identifier: GPL-2.0
/*
 * Shrinks a sequence that fails: it leaves out all that is not needed for a failure of the
 * same kind. It begins with steps (delta debugging: runs of them, from half of them down to
 * single ones), and continues with parts of steps.
 *
 * A failure that depends on chance may not come again. So the result is the shortest
 * sequence that was seen to fail. The number of runs is limited.
 */
#include "common.h"
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RUNS 300

struct shrinking {
	struct step *steps;
	unsigned int nr;
	unsigned int runs;
	struct failure *f;
	struct step *trial;
};

/* Does the trial fail in the same way? If so, it becomes the sequence. */
static bool better(struct shrinking *s, unsigned int nr)
{
	struct failure f;

	if (s->runs == MAX_RUNS)
		return false;
	s->runs++;
	if (run_steps(s->trial, nr, true, &f) || f.kind != s->f->kind)
		return false;
	/* The trial may fail earlier. */
	if (f.step < nr)
		nr = f.step + 1;
	memcpy(s->steps, s->trial, nr * sizeof(*s->steps));
	s->nr = nr;
	*s->f = f;
	printf("# shrinking: %u steps after %u runs\n", s->nr, s->runs);
	fflush(stdout);
	return true;
}

/* Tries the sequence without nr steps, from first on. */
static bool without(struct shrinking *s, unsigned int first, unsigned int nr)
{
	unsigned int rest = s->nr - first - nr;

	memcpy(s->trial, s->steps, first * sizeof(*s->trial));
	memcpy(s->trial + first, s->steps + first + nr,
	       rest * sizeof(*s->trial));
	return better(s, first + rest);
}

/* The last steps come first, since the failure is at the end. */
static bool leave_out_steps(struct shrinking *s)
{
	unsigned int size, first;
	bool any = false;

	for (size = (s->nr + 1) / 2; size; size /= 2)
		for (first = s->nr; first;) {
			first = first > size ? first - size : 0;
			if (first + size <= s->nr && s->nr > 1 &&
			    without(s, first, size))
				any = true;
			if (first > s->nr)
				first = s->nr;
		}
	return any;
}

static bool change(struct shrinking *s, unsigned int i, const struct step *to)
{
	if (!memcmp(to, &s->steps[i], sizeof(*to)))
		return false;
	memcpy(s->trial, s->steps, s->nr * sizeof(*s->trial));
	s->trial[i] = *to;
	return better(s, s->nr);
}

/* Tries each way to make a range simpler. */
static bool simpler_piece(struct shrinking *s, unsigned int i, unsigned int o,
			  unsigned int k)
{
	const unsigned int bp = world.block_pages;
	bool any = false;
	unsigned int way;

	for (way = 0; way < 6 && i < s->nr; way++) {
		struct step to = s->steps[i];
		struct request *p;

		if (o >= to.nr_ops || k >= to.op[o].nr_requests)
			return any;
		p = &to.op[o].request[k];
		switch (way) {
		case 0:
			p->nr = 1;
			break;
		case 1:
			p->nr = (p->nr + 1) / 2;
			break;
		case 2:
			p->canary = false;
			break;
		case 3:
			p->unskippable = false;
			break;
		case 4:
			p->start = p->start / bp * bp;
			break;
		case 5:
			if (to.op[o].nr_requests == 1)
				return any;
			memmove(p, p + 1, (--to.op[o].nr_requests - k) * sizeof(*p));
			memset(&to.op[o].request[to.op[o].nr_requests], 0,
			       sizeof(*p));
			break;
		}
		any |= change(s, i, &to);
	}
	return any;
}

/* One of two operations at once may be enough. */
static bool single(struct shrinking *s, unsigned int i)
{
	unsigned int o;

	for (o = 0; o < 2 && s->steps[i].nr_ops == 2; o++) {
		struct step to = { .nr_ops = 1 };

		to.op[0] = s->steps[i].op[o];
		if (change(s, i, &to))
			return true;
	}
	return false;
}

static bool mark_at(struct shrinking *s, unsigned int i, unsigned int page)
{
	struct step to = s->steps[i];
	struct op *op = &to.op[0];

	if (page / world.block_pages != op->block)
		return false;
	op->kind = OP_MARK;
	op->nr_requests = 1;
	op->request[0] = (struct request){ .start = page, .nr = 1 };
	return change(s, i, &to);
}

/* One mark in the block may be enough: at its start, or at the place of a later step. */
static bool mark_for_guard(struct shrinking *s, unsigned int i)
{
	const struct step *step = &s->steps[i];
	unsigned int k, o, p;

	if (step->nr_ops == 2 || step->op[0].kind != OP_GUARD)
		return false;
	if (mark_at(s, i, step->op[0].block * world.block_pages))
		return true;
	for (k = i + 1; k < s->nr; k++)
		for (o = 0; o < s->steps[k].nr_ops; o++)
			for (p = 0; p < s->steps[k].op[o].nr_requests; p++)
				if (mark_at(s, i, s->steps[k].op[o].request[p].start))
					return true;
	return false;
}

/* In ZONE_MOVABLE no mark is needed to keep kernel data out of the block. */
static bool movable(struct shrinking *s, unsigned int i)
{
	struct step to = s->steps[i];

	if (to.nr_ops == 2 || to.op[0].kind != OP_ONLINE)
		return false;
	to.op[0].type = ONLINE_MOVABLE;
	return change(s, i, &to);
}

static bool simplify(struct shrinking *s)
{
	unsigned int i, o, k;
	bool any = false;

	for (i = 0; i < s->nr; i++) {
		any |= single(s, i);
		any |= movable(s, i);
		any |= mark_for_guard(s, i);
		for (o = 0; i < s->nr && o < s->steps[i].nr_ops; o++)
			for (k = s->steps[i].op[o].nr_requests; k--;)
				any |= simpler_piece(s, i, o, k);
	}
	return any;
}

unsigned int shrink(struct step *steps, unsigned int nr, struct failure *f)
{
	struct shrinking s = { .steps = steps, .nr = nr, .f = f };

	s.trial = calloc(nr, sizeof(*s.trial));
	if (!s.trial)
		die("out of memory");
	if (f->step < nr)
		s.nr = f->step + 1;
	while (leave_out_steps(&s) | simplify(&s))
		;
	printf("# shrunk to %u steps in %u runs%s\n", s.nr, s.runs,
	       s.runs == MAX_RUNS ? ", and stopped there" : "");
	free(s.trial);
	return s.nr;
}
