/* SPDX-License-Identifier: GPL-2.0 */
/* A list of bad memory, as the readers make it. */
#ifndef OFFCTL_BADMEM_LIST_H
#define OFFCTL_BADMEM_LIST_H

#include "parse.h"

struct badmem {
	struct span span;
	uint64_t errors;	/* counted there; 1 when nothing is */
	size_t line;		/* of the list, or the row of a table */
};

struct badmem_list {
	struct badmem *v;
	size_t n, cap;
	size_t skipped;		/* lines that are not understood */
	size_t first_skipped;
	const char *why_skipped;
	size_t no_address;	/* records that tell no address */
};

void badmem_free(struct badmem_list *list);
void badmem_add(struct badmem_list *list, struct span span, uint64_t errors,
		size_t line);
/* One record, as texts or NULL; the address may be that of any byte. */
void badmem_record(struct badmem_list *list, const struct units *u,
		   const char *address, const char *pfn, const char *errors,
		   size_t line);
/* Only the pages that have so many errors in all. */
void badmem_at_least(struct badmem_list *list, uint64_t errors);
/* Whole rows: from and to a multiple of so many pages, a power of two. */
void badmem_align(struct badmem_list *list, uint64_t pages, uint64_t limit);
/* Counts a line that is not understood. The first one is remembered. */
void badmem_skip(struct badmem_list *list, size_t line, const char *why);
/* The page of an address. */
struct span badmem_page_at(uint64_t address, const struct units *u);

#endif
