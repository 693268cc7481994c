/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kinds of pages, from /proc/kpageflags and the memmap. Nothing here knows
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
	 * It has no flag, no reference and no type. It is on a free list of a CPU, or it
	 * is a page, not the first, of an allocation that is no compound page.
	 */
	KIND_LOOSE,
	KIND_CACHE,	/* page cache of files on a disk, or of a device */
	KIND_SHMEM,
	KIND_ANON,
	KIND_HUGETLB,
	KIND_SLAB,
	KIND_PGTABLE,
	KIND_RESERVED,
	KIND_KERNEL,	/* in use, and of none of these kinds: the kernel's own */
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
/* Is it in use, and can the kernel migrate it? */
bool kind_is_movable(enum kind kind);
/* Does has_unmovable_pages() of the kernel refuse its page block because of it? */
bool kind_is_unmovable(enum kind kind);

#endif
