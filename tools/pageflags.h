/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The present state of each page, by /proc/kpageflags. It does not come from the module,
 * and it is all that user space can learn about pages that keep a block from going
 * offline. A page that is pinned for DMA looks like any page in use.
 */
#ifndef OFFCTL_PAGEFLAGS_H
#define OFFCTL_PAGEFLAGS_H

#include "span.h"
#include "util.h"

enum page_class {
	PAGE_FREE,
	PAGE_IN_USE,	/* can be migrated unless it is pinned */
	PAGE_KERNEL,	/* slab, page tables, or of an unknown owner */
	PAGE_RESERVED,	/* boot memory, or a memmap */
	PAGE_OFFLINE,	/* PageOffline */
	PAGE_POISONED,
	PAGE_HOLE,	/* there is no page, or its block is offline */
	PAGE_CLASSES
};

struct pageflags {
	int fd;
};

/* Returns false with errno. */
bool pageflags_open(struct pageflags *pf);
void pageflags_close(struct pageflags *pf);
/*
 * Gives the classes of nr pages from pfn on. Pages that /proc does not list are
 * PAGE_HOLE. movable means that the pages are in ZONE_MOVABLE. The kernel has no pages of
 * its own there, so a page without a flag is free, on the list of a CPU. Returns false
 * with errno.
 */
bool pageflags_read(const struct pageflags *pf, uint64_t pfn, size_t nr,
		    bool movable, unsigned char *classes);

/* Counts the pages of the span that have this flag (KPF_...). Returns false with errno. */
bool pageflags_count(const struct pageflags *pf, struct span span,
		     unsigned int flag, uint64_t *count);

struct page_census {
	uint64_t n[PAGE_CLASSES];
	uint64_t first[PAGE_CLASSES];	/* PFN of the first one, if there is one */
};

/* Counts the pages of each class in a span. Returns false with errno. */
bool pageflags_census(const struct pageflags *pf, struct span span,
		      bool movable, struct page_census *census);

#endif
