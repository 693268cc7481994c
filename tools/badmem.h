/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lists of bad memory as others write them, see "import" in offctl(8). Nothing
 * in here touches the system.
 */
#ifndef OFFCTL_BADMEM_H
#define OFFCTL_BADMEM_H

#include "parse.h"

enum badmem_format {
	BADMEM_AUTO,
	BADMEM_MEMTEST,		/* Memtest86+: its list of errors, or addresses */
	BADMEM_BADRAM,		/* address,mask,address,mask... */
	BADMEM_MEMMAP,		/* memmap=SIZE$ADDRESS,... */
	BADMEM_CSV,		/* with a column "address" or "pfn" */
	BADMEM_JSON,		/* objects with a member "address" or "pfn" */
	BADMEM_PFN,		/* page numbers */
	BADMEM_ADDRESS,		/* addresses */
	BADMEM_SQLITE,		/* rasdaemon's database; not parsed here */
	BADMEM_UNKNOWN,
};

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

/* The format of a name, or BADMEM_UNKNOWN. */
enum badmem_format badmem_format(const char *name);
extern const char badmem_formats[];	/* for a hint */
/* What it seems to be, or BADMEM_UNKNOWN. */
enum badmem_format badmem_guess(const char *text, size_t len);

/*
 * Takes a list apart and appends to *list. end is one behind the last PFN that
 * there is RAM at: patterns match no pages behind it. NULL, or why not.
 */
const char *badmem_parse(enum badmem_format format, const char *text,
			 size_t len, const struct units *u, uint64_t end,
			 struct badmem_list *list);
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

#endif
