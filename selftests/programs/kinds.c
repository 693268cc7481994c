// SPDX-License-Identifier: GPL-2.0
#include "kinds.h"
#include "common.h"

#include <fcntl.h>
#include <stddef.h>

/* One page holds this number of struct pages. /proc/kcore has it as a whole, or not at all. */
#define CHUNK 64

static int flags_fd;

void facts_open(void)
{
	flags_fd = open_or_die("/proc/kpageflags", O_RDONLY);
	memmap_open();
}

void facts_read(uint64_t pfn, uint64_t nr, struct facts *facts)
{
	uint64_t flags[CHUNK];
	struct memmap_page pages[CHUNK];

	while (nr) {
		uint64_t i, n = at_most(nr, CHUNK - pfn % CHUNK);

		read_entries(flags_fd, pfn, n, flags);
		for (i = 0; i < n; i++)
			pages[i] = (struct memmap_page){ 0, -1 };
		if (memmap_is_shown(pfn, n))
			memmap_read(pfn, n, pages);
		for (i = 0; i < n; i++)
			facts[i] = (struct facts){ flags[i], pages[i] };
		pfn += n;
		facts += n;
		nr -= n;
	}
}

/* The kind by the first flag that is set. The order matters. */
static const struct {
	int bit;
	enum kind kind;
} by_flag[] = {
	{ KPF_NOPAGE, KIND_HOLE },
	{ KPF_HWPOISON, KIND_POISONED },
	{ KPF_OFFLINE, KIND_OFFLINE },
	{ KPF_BUDDY, KIND_FREE },
	{ KPF_RESERVED, KIND_RESERVED },
	{ KPF_SLAB, KIND_SLAB },
	{ KPF_PGTABLE, KIND_PGTABLE },
	{ KPF_HUGE, KIND_HUGETLB },
	{ KPF_ANON, KIND_ANON },
};

static bool has(const struct facts *f, int bit)
{
	return f->flags >> bit & 1;
}

enum kind kind_of(const struct facts *f)
{
	size_t i;

	for (i = 0; i < sizeof(by_flag) / sizeof(by_flag[0]); i++)
		if (has(f, by_flag[i].bit))
			return by_flag[i].kind;
	if (has(f, KPF_LRU))
		return has(f, KPF_SWAPBACKED) ? KIND_SHMEM : KIND_CACHE;
	if (!has(f, KPF_COMPOUND_HEAD) && !has(f, KPF_COMPOUND_TAIL) &&
	    !f->page.refs && !memmap_has_type(&f->page))
		return KIND_LOOSE;
	return KIND_KERNEL;
}

const char *kind_name(enum kind kind)
{
	static const char *const names[NR_KINDS] = {
		[KIND_FREE] = "free",
		[KIND_LOOSE] = "loose",
		[KIND_CACHE] = "cache",
		[KIND_SHMEM] = "shmem",
		[KIND_ANON] = "anon",
		[KIND_HUGETLB] = "hugetlb",
		[KIND_SLAB] = "slab",
		[KIND_PGTABLE] = "pgtable",
		[KIND_RESERVED] = "reserved",
		[KIND_KERNEL] = "kernel",
		[KIND_OFFLINE] = "offline",
		[KIND_POISONED] = "poisoned",
		[KIND_HOLE] = "hole",
	};

	return names[kind];
}

bool kind_is_movable(enum kind kind)
{
	return kind == KIND_CACHE || kind == KIND_SHMEM || kind == KIND_ANON ||
	       kind == KIND_HUGETLB;
}

bool kind_is_unmovable(enum kind kind)
{
	return kind == KIND_SLAB || kind == KIND_PGTABLE ||
	       kind == KIND_RESERVED || kind == KIND_KERNEL;
}
