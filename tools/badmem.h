/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lists of bad memory in the formats of other programs, see "import" in offctl(8). These
 * functions make no system calls.
 */
#ifndef OFFCTL_BADMEM_H
#define OFFCTL_BADMEM_H

#include "badmem_list.h"

enum badmem_format {
	BADMEM_AUTO,
	BADMEM_MEMTEST,		/* Memtest86+'s list of errors, or addresses */
	BADMEM_BADRAM,		/* address,mask,address,mask... */
	BADMEM_MEMMAP,		/* memmap=SIZE$ADDRESS,... */
	BADMEM_CSV,		/* a table with a column "address" or "pfn" */
	BADMEM_JSON,		/* objects with a member "address" or "pfn" */
	BADMEM_PFN,		/* page numbers */
	BADMEM_ADDRESS,		/* addresses */
	BADMEM_SQLITE,		/* rasdaemon's database, see rasdaemon.h */
	BADMEM_UNKNOWN,
};

/* The format of a name, or BADMEM_UNKNOWN. */
enum badmem_format badmem_format(const char *name);
extern const char badmem_formats[];	/* for a hint */
/* The format that the text seems to have, or BADMEM_UNKNOWN. */
enum badmem_format badmem_guess(const char *text, size_t len);

/*
 * Parses a text and appends to *list. Patterns match no pages from the PFN "end" on, which
 * lies behind the last page of RAM. Returns NULL, or why it failed.
 */
const char *badmem_parse(enum badmem_format format, const char *text,
			 size_t len, const struct units *u, uint64_t end,
			 struct badmem_list *list);

#endif
