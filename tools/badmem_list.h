/* SPDX-License-Identifier: GPL-2.0 */
/* A list of bad memory, as the readers make it. */
#ifndef OFFCTL_BADMEM_LIST_H
#define OFFCTL_BADMEM_LIST_H

#include "parse.h"

struct badmem {
	struct span span;
	uint64_t errors;	/* number of errors; 1 if the file has none */
	size_t line;		/* the line of the file, or the row of the table */
};

struct badmem_list {
	struct badmem *v;
	size_t n, cap;
	size_t skipped;		/* lines that were not understood */
	size_t first_skipped;	/* the first of them */
	const char *skip_reason;
	size_t no_address;	/* records without an address */
};

void badmem_free(struct badmem_list *list);
void badmem_add(struct badmem_list *list, struct span span, uint64_t errors,
		size_t line);
/*
 * Adds a record of a table. The values are texts or NULL. The address can be that of any
 * byte of the page.
 */
void badmem_record(struct badmem_list *list, const struct units *u,
		   const char *address, const char *pfn, const char *errors,
		   size_t line);
/* Keeps only the pages with at least that many errors in all. */
void badmem_at_least(struct badmem_list *list, uint64_t errors);
/* Grows each range to multiples of that number of pages, which is a power of two. */
void badmem_align(struct badmem_list *list, uint64_t pages, uint64_t limit);
/* Counts a line that is not understood. The first one is remembered. */
void badmem_skip(struct badmem_list *list, size_t line, const char *reason);
/* The page of an address. */
struct span badmem_page_at(uint64_t address, const struct units *u);

#endif
