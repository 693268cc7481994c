/* SPDX-License-Identifier: GPL-2.0 */
/* Sets of pages, as sorted, disjoint spans of PFNs. */
#ifndef OFFCTL_SPAN_H
#define OFFCTL_SPAN_H

#include <stddef.h>
#include <stdint.h>

/* nr pages from pfn on. pfn + nr does not overflow. */
struct span {
	uint64_t pfn, nr;
};

/* {0} is the empty set. */
struct spans {
	struct span *v;
	size_t n, cap;
};

/* Appends a span. The set is sorted and disjoint again after spans_normalize(). */
void spans_add(struct spans *s, struct span span);
/* Sorts the spans and joins adjacent ones. Returns the number of pages that overlapped. */
uint64_t spans_normalize(struct spans *s);
void spans_free(struct spans *s);
/*
 * Adds a span and keeps the set sorted and disjoint. That is fastest for a span behind
 * all others.
 */
void spans_insert(struct spans *s, struct span span);

/* Both sets are normalized. The result is a new set. */
struct spans spans_intersect(const struct spans *a, const struct spans *b);
struct spans spans_subtract(const struct spans *a, const struct spans *b);

uint64_t spans_pages(const struct spans *s);
/* The number of pages of a set within one span. */
uint64_t spans_pages_in(const struct spans *s, struct span in);

#endif
