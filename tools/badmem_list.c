// SPDX-License-Identifier: GPL-2.0
/* The list of bad memory that the parsers of all formats fill. */
#include "badmem_list.h"

#include <stdlib.h>
#include <string.h>

void badmem_add(struct badmem_list *list, struct span span, uint64_t errors,
		size_t line)
{
	GROW(list);
	list->v[list->n++] = (struct badmem){ span, errors, line };
}

void badmem_free(struct badmem_list *list)
{
	free(list->v);
	*list = (struct badmem_list){0};
}

void badmem_skip(struct badmem_list *list, size_t line, const char *reason)
{
	if (!list->skipped++) {
		list->first_skipped = line;
		list->skip_reason = reason;
	}
}

struct span badmem_page_at(uint64_t address, const struct units *u)
{
	return (struct span){ address / u->page, 1 };
}

void badmem_record(struct badmem_list *list, const struct units *u,
		   const char *address, const char *pfn, const char *errors,
		   size_t line)
{
	uint64_t value, count = 1;
	const char *text = address && *address ? address : pfn;

	if (errors && (parse_number(errors, &count) || !count))
		count = 1;
	if (!text || !*text) {
		list->no_address++;
	} else if (*text == '-') {
		/* Older rasdaemons stored the lower 32 bits, with a sign. */
		badmem_skip(list, line, "the address was cut to 32 bits");
	} else if (parse_number(text, &value)) {
		badmem_skip(list, line, "the address is not a number");
	} else if (!value) {
		/* The EDAC driver reports 0 if it does not know the address. */
		list->no_address++;
	} else if (text == address) {
		badmem_add(list, badmem_page_at(value, u), count, line);
	} else if (value > UINT64_MAX / u->page) {
		badmem_skip(list, line, "the page number is too large");
	} else {
		badmem_add(list, (struct span){ value, 1 }, count, line);
	}
}

static int compare(const void *pa, const void *pb)
{
	const struct badmem *a = pa, *b = pb;

	return (a->span.pfn > b->span.pfn) - (a->span.pfn < b->span.pfn);
}

void badmem_at_least(struct badmem_list *list, uint64_t errors)
{
	size_t n = 0;

	if (list->n)
		qsort(list->v, list->n, sizeof(*list->v), compare);
	for (size_t i = 0; i < list->n;) {
		struct badmem one = list->v[i];
		uint64_t sum = 0;

		for (; i < list->n && list->v[i].span.pfn == one.span.pfn; i++)
			if (__builtin_add_overflow(sum, list->v[i].errors,
						   &sum))
				sum = UINT64_MAX;
		one.errors = sum;
		if (sum >= errors)
			list->v[n++] = one;
	}
	list->n = n;
}

void badmem_align(struct badmem_list *list, uint64_t pages, uint64_t limit)
{
	for (size_t i = 0; i < list->n; i++) {
		struct span *s = &list->v[i].span;
		uint64_t end = s->pfn + s->nr;

		s->pfn -= s->pfn % pages;
		if (end % pages)
			end = limit - end < pages ? limit :
						    end + pages - end % pages;
		s->nr = end - s->pfn;
	}
}
