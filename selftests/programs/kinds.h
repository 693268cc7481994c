/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kinds of pages, out of /proc/kpageflags and the memmap. Nothing here knows
 * fake_offline.
 */
#ifndef SELFTESTS_KINDS_H
#define SELFTESTS_KINDS_H

#include <stdbool.h>
#include <stdint.h>

#include "memmap.h"

enum kind {
	KIND_FREE,	/* in the buddy allocator */
	/*
	 * No flag, no reference, no type: on a free list of a CPU; or a page, other
	 * than the first, of an allocation that is no compound page.
	 */
	KIND_LOOSE,
	KIND_CACHE,	/* page cache of files on a disk, or of a device */
	KIND_SHMEM,
	KIND_ANON,
	KIND_HUGETLB,
	KIND_SLAB,
	KIND_PGTABLE,
	KIND_RESERVED,
	KIND_KERNEL,	/* in use, and none of the above: the kernel's own */
	KIND_OFFLINE,
	KIND_POISONED,
	KIND_HOLE,
	NR_KINDS
};

struct facts {
	uint64_t flags;
	struct memmap_page page;
};

void facts_open(void);
void facts_read(uint64_t pfn, uint64_t nr, struct facts *facts);
enum kind kind_of(const struct facts *f);
const char *kind_name(enum kind kind);
/* In use, and the kernel can migrate it. */
bool kind_is_movable(enum kind kind);
/* has_unmovable_pages() of the kernel refuses the page block for it. */
bool kind_is_unmovable(enum kind kind);

#endif
