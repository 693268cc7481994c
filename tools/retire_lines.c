// SPDX-License-Identifier: GPL-2.0
/*
 * Marks a sorted list of ranges with few requests. Adjoining ranges are one request. If the
 * module refuses it, each half is tried, down to single ranges.
 */
#include "retire_lines.h"

#include <stdlib.h>

static uint64_t end_of(const struct retired *d)
{
	return d->span.pfn + d->span.nr;
}

/* Extends a range by the next one, which overlaps or adjoins it. */
static void append(struct retired *last, const struct retired *d)
{
	if (end_of(d) > end_of(last))
		last->span.nr = end_of(d) - last->span.pfn;
	last->errors += d->errors;
	last->pages += d->pages;
	last->already = last->span.nr - last->pages;
}

static bool touches(const struct retired *last, const struct retired *d)
{
	return d->span.pfn <= end_of(last);
}

/* By the first page and the size. Of equal ranges, the first line comes first. */
static int compare(const void *pa, const void *pb)
{
	const struct retired *a = pa, *b = pb;

	if (a->span.pfn != b->span.pfn)
		return a->span.pfn < b->span.pfn ? -1 : 1;
	if (a->span.nr != b->span.nr)
		return a->span.nr < b->span.nr ? -1 : 1;
	return (a->line > b->line) - (a->line < b->line);
}

void retired_sort(struct retired_list *list)
{
	size_t n = 0;

	if (list->n)
		qsort(list->v, list->n, sizeof(*list->v), compare);
	for (size_t i = 0; i < list->n; i++)
		if (n && list->v[n - 1].span.pfn == list->v[i].span.pfn &&
		    list->v[n - 1].span.nr == list->v[i].span.nr)
			append(&list->v[n - 1], &list->v[i]);
		else
			list->v[n++] = list->v[i];
	list->n = n;
}

void retired_join(struct retired_list *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		if (n && touches(&list->v[n - 1], &list->v[i]))
			append(&list->v[n - 1], &list->v[i]);
		else
			list->v[n++] = list->v[i];
	list->n = n;
}

struct run {
	struct retire *r;
	const struct retired *lines;
	struct retired_list rows;
	bool module_gone;
};

static void add_row(struct retired_list *rows, struct retired *d)
{
	if (rows->n && touches(&rows->v[rows->n - 1], d) &&
	    retired_alike(&rows->v[rows->n - 1], d)) {
		append(&rows->v[rows->n - 1], d);
		free(d->reason);
		return;
	}
	GROW(rows);
	rows->v[rows->n++] = *d;
}

/* Marks lines [from, to), which form one contiguous range. */
static void mark_lines(struct run *run, size_t from, size_t to)
{
	struct retired d = run->lines[from];

	for (size_t i = from + 1; i < to; i++)
		append(&d, &run->lines[i]);
	if (run->module_gone || signals_seen()) {
		/* Not tried. A row without an outcome says so. */
	} else if (to - from == 1) {
		run->module_gone = !retire_one(run->r, &d);
	} else if (!retire_whole(run->r, &d, &run->module_gone)) {
		size_t middle = from + (to - from) / 2;

		mark_lines(run, from, middle);
		mark_lines(run, middle, to);
		return;
	}
	add_row(&run->rows, &d);
}

void retire_lines(struct retire *r, struct retired_list *list)
{
	struct run run = { .r = r, .lines = list->v };
	size_t from = 0;

	while (from < list->n) {
		uint64_t end = end_of(&list->v[from]);
		size_t to = from + 1;

		for (; to < list->n && list->v[to].span.pfn <= end; to++)
			if (end_of(&list->v[to]) > end)
				end = end_of(&list->v[to]);
		mark_lines(&run, from, to);
		from = to;
	}
	free(list->v);
	*list = run.rows;
}

void retired_free(struct retired_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i].reason);
	free(list->v);
	*list = (struct retired_list){0};
}
