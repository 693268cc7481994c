/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lists of bad memory as others write them, see "import" in offctl(8). Nothing
 * in here touches the system.
 */
#ifndef OFFCTL_BADMEM_H
#define OFFCTL_BADMEM_H

#include "badmem_list.h"

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

#endif
