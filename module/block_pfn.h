/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which PFNs a memory block has. All blocks are of one size, a power of two, which
 * is settled at boot; memory_block_size_bytes() is what the kernel exports of it.
 */
#ifndef FO_BLOCK_PFN_H
#define FO_BLOCK_PFN_H

#include <linux/memory.h>
#include <linux/pfn.h>

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

/* The first PFN of memory block @block. */
static inline unsigned long fo_block_first(unsigned long block)
{
	return block * fo_block_pages();
}

/* The last PFN of memory block @block. */
static inline unsigned long fo_block_last(unsigned long block)
{
	return fo_block_first(block + 1) - 1;
}

#endif /* FO_BLOCK_PFN_H */
