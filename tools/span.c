// SPDX-License-Identifier: GPL-2.0
#include "span.h"
#include "util.h"

#include <stdlib.h>

static uint64_t end_of(struct span s)
{
	return s.pfn + s.nr;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void spans_add(struct spans *s, struct span span)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 16;
		s->v = xrealloc(s->v, s->cap, sizeof(*s->v));
	}
	s->v[s->n++] = span;
}

static int compare(const void *pa, const void *pb)
{
	const struct span *a = pa, *b = pb;

	return (a->pfn > b->pfn) - (a->pfn < b->pfn);
}

uint64_t spans_normalize(struct spans *s)
{
	uint64_t twice = 0;
	size_t n = 0;

	if (s->n)
		qsort(s->v, s->n, sizeof(*s->v), compare);
	for (size_t i = 0; i < s->n; i++) {
		struct span next = s->v[i];

		if (n && next.pfn <= end_of(s->v[n - 1])) {
			uint64_t end = end_of(s->v[n - 1]);

			twice += min_u64(end, end_of(next)) - next.pfn;
			s->v[n - 1].nr = max_u64(end, end_of(next)) -
					 s->v[n - 1].pfn;
		} else {
			s->v[n++] = next;
		}
	}
	s->n = n;
	return twice;
}

void spans_free(struct spans *s)
{
	free(s->v);
	*s = (struct spans){0};
}

struct spans spans_intersect(const struct spans *a, const struct spans *b)
{
	struct spans r = {0};

	for (size_t i = 0, j = 0; i < a->n && j < b->n;) {
		uint64_t from = max_u64(a->v[i].pfn, b->v[j].pfn);
		uint64_t to = min_u64(end_of(a->v[i]), end_of(b->v[j]));

		if (from < to)
			spans_add(&r, (struct span){ from, to - from });
		if (end_of(a->v[i]) < end_of(b->v[j]))
			i++;
		else
			j++;
	}
	return r;
}

struct spans spans_subtract(const struct spans *a, const struct spans *b)
{
	struct spans r = {0};
	size_t j = 0;

	for (size_t i = 0; i < a->n; i++) {
		uint64_t from = a->v[i].pfn, to = end_of(a->v[i]);

		while (j < b->n && end_of(b->v[j]) <= from)
			j++;
		/* The last of these may reach into the next a: keep j there. */
		for (size_t k = j; k < b->n && b->v[k].pfn < to; k++) {
			if (from < b->v[k].pfn)
				spans_add(&r, (struct span){
					  from, b->v[k].pfn - from });
			from = max_u64(from, end_of(b->v[k]));
		}
		if (from < to)
			spans_add(&r, (struct span){ from, to - from });
	}
	return r;
}

uint64_t spans_pages(const struct spans *s)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < s->n; i++)
		pages += s->v[i].nr;
	return pages;
}

uint64_t spans_pages_in(const struct spans *s, struct span in)
{
	size_t lo = 0, hi = s->n;
	uint64_t pages = 0;

	/* The first span that ends behind the start. */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (end_of(s->v[mid]) <= in.pfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < s->n && s->v[lo].pfn < end_of(in); lo++)
		pages += min_u64(end_of(s->v[lo]), end_of(in)) -
			 max_u64(s->v[lo].pfn, in.pfn);
	return pages;
}
