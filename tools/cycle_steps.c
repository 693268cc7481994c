// SPDX-License-Identifier: GPL-2.0
/* The summary of "offctl cycle". */
#include "cycle_steps.h"

#include <stdlib.h>

static void get_step(struct sb *cell, const void *row, const void *context)
{
	const struct step *s = row;

	(void)context;
	sb_addf(cell, "%s", s->name);
}

#define GETTER(field)							\
static void get_##field(struct sb *cell, const void *row,		\
			const void *context)				\
{									\
	const struct step *s = row;					\
									\
	(void)context;							\
	sb_add_u64(cell, s->field);					\
}
GETTER(attempts)
GETTER(done)
GETTER(failed)
GETTER(injected)

static void get_min(struct sb *cell, const void *row, const void *context)
{
	const struct step *s = row;

	(void)context;
	if (s->n)
		sb_add_u64(cell, s->us[0]);
}

static void get_median(struct sb *cell, const void *row, const void *context)
{
	const struct step *s = row;

	(void)context;
	if (s->n)
		sb_add_u64(cell, (s->us[(s->n - 1) / 2] + s->us[s->n / 2]) / 2);
}

static void get_max(struct sb *cell, const void *row, const void *context)
{
	const struct step *s = row;

	(void)context;
	if (s->n)
		sb_add_u64(cell, s->us[s->n - 1]);
}

static void get_leaks(struct sb *cell, const void *row, const void *context)
{
	const struct step *s = row;

	(void)context;
	if (s->verified)
		sb_add_u64(cell, s->leaks);
}

static const struct column columns[] = {
	{ "STEP", COL_TEXT, "offline or online", get_step, 0, NULL },
	{ "ATTEMPTS", COL_NUMBER, "number of attempts", get_attempts, 0, NULL },
	{ "DONE", COL_NUMBER, "attempts that succeeded", get_done, 0, NULL },
	{ "FAILED", COL_NUMBER, "attempts that failed unexpectedly",
	  get_failed, 0, NULL },
	{ "INJECTED", COL_NUMBER, "attempts that --inject made fail",
	  get_injected, 0, NULL },
	{ "MIN", COL_MS, "shortest successful attempt in milliseconds",
	  get_min, 0, NULL },
	{ "MEDIAN", COL_MS, "median of the successful attempts", get_median, 0,
	  NULL },
	{ "MAX", COL_MS, "longest successful attempt", get_max, 0, NULL },
	{ "LEAKS", COL_NUMBER, "wrong marked pages; needs --verify", get_leaks,
	  0, NULL },
	{ NULL, COL_TEXT, NULL, NULL, 0, NULL },
};

const struct table cycle_table = {
	.name = "cycle",
	.columns = columns,
};

static int compare(const void *pa, const void *pb)
{
	const uint64_t *a = pa, *b = pb;

	return (*a > *b) - (*a < *b);
}

void step_note_time(struct step *s, uint64_t us)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->us = xrealloc(s->us, s->cap, sizeof(*s->us));
	}
	s->us[s->n++] = us;
}

void step_sort_times(struct step *s)
{
	if (s->n)
		qsort(s->us, s->n, sizeof(*s->us), compare);
}
