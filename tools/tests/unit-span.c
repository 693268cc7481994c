// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of the sets of pages in span.c. The oracle is a number with a bit for each
 * of the pages 0 to 63.
 */
#include "unit.h"
#include "span.h"

#include <inttypes.h>

static struct spans spans_of(uint64_t bits)
{
	struct spans s = {0};

	/* Page by page, the last one first: normalizing has work to do. */
	for (unsigned int i = 64; i--;)
		if (bits >> i & 1)
			spans_add(&s, (struct span){ i, 1 });
	spans_normalize(&s);
	return s;
}

/* Returns false if it is not a sorted set of separate spans. */
static bool bits_of(const struct spans *s, uint64_t *bits)
{
	*bits = 0;
	for (size_t i = 0; i < s->n; i++) {
		if (!s->v[i].nr || (i && s->v[i - 1].pfn + s->v[i - 1].nr >=
				    s->v[i].pfn))
			return false;
		for (uint64_t k = 0; k < s->v[i].nr; k++)
			*bits |= UINT64_C(1) << (s->v[i].pfn + k);
	}
	return true;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void test_sets(void)
{
	uint64_t seed = 88172645463325252U, bits;
	bool back = true, both = true, minus = true, count = true, in = true;
	bool insert = true;

	for (int round = 0; round < 2000; round++) {
		/* Anded for longer gaps, ored for longer spans. */
		uint64_t a = next_random(&seed), b = next_random(&seed);
		unsigned int from, nr;
		struct spans sa, sb, r;

		if (round % 3)
			a &= next_random(&seed) | a << 1;
		if (round % 5)
			b |= b << 1 | b << 2 | b << 3;
		if (round == 7)
			a = 0;
		if (round == 8)
			b = UINT64_MAX;
		sa = spans_of(a);
		sb = spans_of(b);
		back &= bits_of(&sa, &bits) && bits == a;
		r = spans_intersect(&sa, &sb);
		both &= bits_of(&r, &bits) && bits == (a & b);
		spans_free(&r);
		r = spans_subtract(&sa, &sb);
		minus &= bits_of(&r, &bits) && bits == (a & ~b);
		spans_free(&r);
		count &= spans_pages(&sa) ==
			 (uint64_t)__builtin_popcountll(a);
		from = (unsigned int)(next_random(&seed) % 64);
		nr = 1 + (unsigned int)(next_random(&seed) % 8);
		in &= spans_pages_in(&sa, (struct span){ from, nr }) ==
		      (uint64_t)__builtin_popcountll(
			      a & ((UINT64_C(1) << nr) - 1) << from);
		for (size_t i = 0; i < sb.n; i++)
			spans_insert(&sa, sb.v[i]);
		insert &= bits_of(&sa, &bits) && bits == (a | b);
		spans_free(&sa);
		spans_free(&sb);
	}
	result(back, "spans", "normalize", "");
	result(both, "spans", "intersect", "");
	result(minus, "spans", "subtract", "");
	result(count, "spans", "pages", "");
	result(in, "spans", "pages in", "");
	result(insert, "spans", "insert", "");
}

static void test_overlap(void)
{
	struct spans s = {0};

	spans_add(&s, (struct span){ 10, 10 });
	spans_add(&s, (struct span){ 0, 10 });
	result(spans_normalize(&s) == 0 && s.n == 1, "spans", "touching", "");
	spans_add(&s, (struct span){ 19, 2 });
	result(spans_normalize(&s) == 1 && s.v[0].nr == 21, "spans",
	       "one page twice", "");
	spans_add(&s, (struct span){ 5, 3 });
	result(spans_normalize(&s) == 3 && s.n == 1 && s.v[0].nr == 21,
	       "spans", "inside another", "");
	spans_free(&s);
}

void test_spans(void)
{
	test_sets();
	test_overlap();
}
