/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What each page is at the moment, by /proc/kpageflags. An independent witness,
 * and all that user space can know of what keeps a block from going offline. A
 * page that somebody has pinned for DMA looks like any page in use.
 */
#ifndef OFFCTL_PAGEFLAGS_H
#define OFFCTL_PAGEFLAGS_H

#include "span.h"
#include "util.h"

enum page_class {
	PAGE_FREE,
	PAGE_IN_USE,	/* can be migrated, if nobody has pinned it */
	PAGE_KERNEL,	/* slab, page tables, or of an owner nobody can tell */
	PAGE_RESERVED,	/* boot memory, or a memmap */
	PAGE_OFFLINE,	/* PageOffline */
	PAGE_POISONED,
	PAGE_HOLE,	/* no such page, or its block is offline */
	PAGE_CLASSES
};

struct pageflags {
	int fd;
};

/* False with errno. */
bool pageflags_open(struct pageflags *pf);
void pageflags_close(struct pageflags *pf);
/*
 * Classes of nr pages from pfn on. What /proc does not tell is PAGE_HOLE.
 * movable: these pages are in ZONE_MOVABLE, where nothing of the kernel's is,
 * so a page without a flag is free (on a per-CPU list), not the kernel's.
 */
bool pageflags_read(const struct pageflags *pf, uint64_t pfn, size_t nr,
		    bool movable, unsigned char *classes);

/* Counts the pages of the span that have this flag (KPF_...). False with errno. */
bool pageflags_count(const struct pageflags *pf, struct span span,
		     unsigned int flag, uint64_t *count);

struct page_census {
	uint64_t n[PAGE_CLASSES];
	uint64_t first[PAGE_CLASSES];	/* PFN of the first one, when there is one */
};

/* Counts what is in a span; false with errno. */
bool pageflags_census(const struct pageflags *pf, struct span span,
		      bool movable, struct page_census *census);

#endif
