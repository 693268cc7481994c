/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's own struct page of each page frame, read through /proc/kcore.
 *
 * No file of the kernel shows a page's reference count: /proc/kpagecount counts the
 * mappings.
 */
#ifndef SELFTESTS_MEMMAP_H
#define SELFTESTS_MEMMAP_H

#include <stdbool.h>
#include <stdint.h>

struct memmap_page {
	int32_t refs;
	int32_t mapcount;	/* or the page's type */
};

/* Finds the memmap and proves it, or ends the program. Returns its address. */
uint64_t memmap_open(void);
void memmap_read(uint64_t pfn, uint64_t nr, struct memmap_page *pages);
/* Does /proc/kcore have the memmap of these pages? It lacks parts beside holes in the RAM. */
bool memmap_is_shown(uint64_t pfn, uint64_t nr);
/*
 * Does the kernel give the page a type of its own (free, slab, page table,
 * PageOffline, ...)? PAGE_MAPCOUNT_RESERVE in include/linux/page-flags.h.
 */
bool memmap_has_type(const struct memmap_page *page);

#endif
