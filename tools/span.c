// SPDX-License-Identifier: GPL-2.0
/* Sets of pages as sorted, disjoint spans of PFNs. */
#include "span.h"
#include "util.h"

#include <stdlib.h>
#include <string.h>

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

/* The index of the first span of a set that ends behind pfn, or s->n. */
static size_t first_behind(const struct spans *s, uint64_t pfn)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (end_of(s->v[mid]) <= pfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void spans_insert(struct spans *s, struct span span)
{
	/* A span that ends just in front of the new one is joined, too. */
	size_t from = first_behind(s, span.pfn ? span.pfn - 1 : 0), to = from;
	uint64_t end = end_of(span);

	for (; to < s->n && s->v[to].pfn <= end; to++) {
		span.pfn = min_u64(span.pfn, s->v[to].pfn);
		end = max_u64(end, end_of(s->v[to]));
	}
	span.nr = end - span.pfn;
	/* It takes the place of the spans from "from" to "to" - 1, or of none. */
	if (from == to) {
		spans_add(s, span);
		memmove(s->v + from + 1, s->v + from,
			(s->n - 1 - from) * sizeof(*s->v));
	} else {
		memmove(s->v + from + 1, s->v + to, (s->n - to) * sizeof(*s->v));
		s->n -= to - from - 1;
	}
	s->v[from] = span;
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
	size_t j = a->n ? first_behind(b, a->v[0].pfn) : 0;

	for (size_t i = 0; i < a->n; i++) {
		uint64_t from = a->v[i].pfn, to = end_of(a->v[i]);

		while (j < b->n && end_of(b->v[j]) <= from)
			j++;
		/* The last of these may reach into the next span of a, so j stays. */
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
	uint64_t pages = 0;

	for (size_t i = first_behind(s, in.pfn);
	     i < s->n && s->v[i].pfn < end_of(in); i++)
		pages += min_u64(end_of(s->v[i]), end_of(in)) -
			 max_u64(s->v[i].pfn, in.pfn);
	return pages;
}
