/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PFN ranges, and which PFNs a memory block and a page block have. All memory
 * blocks are of one size, a power of two, which is settled at boot;
 * memory_block_size_bytes() is what the kernel exports of it.
 */
#ifndef FO_PFN_RANGE_H
#define FO_PFN_RANGE_H

#include <linux/memory.h>
#include <linux/minmax.h>
#include <linux/mmzone.h>
#include <linux/pfn.h>

/**
 * struct pfn_range - a PFN range
 * @first: first PFN
 * @last: last PFN; before @first if the range is empty
 */
struct pfn_range {
	unsigned long first;
	unsigned long last;
};

#define PFN_RANGE(from, to)	((struct pfn_range){ from, to })
#define ALL_PFNS		PFN_RANGE(0, ULONG_MAX)
#define NO_PFNS			PFN_RANGE(1, 0)

#define for_each_pfn(pfn, pfns)						\
	for (pfn = (pfns).first; pfn <= (pfns).last; pfn++)

static inline unsigned long nr_pfns(struct pfn_range pfns)
{
	return pfns.last - pfns.first + 1;
}

/* An empty range overlaps none. */
static inline bool pfns_overlap(struct pfn_range a, struct pfn_range b)
{
	return max(a.first, b.first) <= min(a.last, b.last);
}

/* The PFNs from @first up to the one before @end; may be empty. */
static inline struct pfn_range pfns_until(unsigned long first,
					  unsigned long end)
{
	return end > first ? PFN_RANGE(first, end - 1) : NO_PFNS;
}

/* The PFNs that are in both. */
static inline struct pfn_range pfns_common(struct pfn_range a,
					   struct pfn_range b)
{
	return PFN_RANGE(max(a.first, b.first), min(a.last, b.last));
}

/* The page blocks that @pfns lie in. */
static inline struct pfn_range pageblocks_of(struct pfn_range pfns)
{
	return PFN_RANGE(round_down(pfns.first, pageblock_nr_pages),
			 pfns.last | (pageblock_nr_pages - 1));
}

/* How many pages a memory block has. */
static inline unsigned long fo_block_pages(void)
{
	return PHYS_PFN(memory_block_size_bytes());
}

/* The number of the memory block that has @pfn, as in sysfs. */
static inline unsigned long fo_block_of(unsigned long pfn)
{
	return pfn / fo_block_pages();
}

/* The PFNs of memory block @block. */
static inline struct pfn_range fo_block_pfns(unsigned long block)
{
	return PFN_RANGE(block * fo_block_pages(),
			 (block + 1) * fo_block_pages() - 1);
}

/* The part of @pfns in the memory block of the first one. */
static inline struct pfn_range fo_in_first_block(struct pfn_range pfns)
{
	return pfns_common(pfns, fo_block_pfns(fo_block_of(pfns.first)));
}

#endif /* FO_PFN_RANGE_H */
