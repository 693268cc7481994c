// SPDX-License-Identifier: GPL-2.0
/* This process uses pages of a block, so that they can be migrated. */
#include "guest.h"

#include <stdlib.h>
#include <sys/mman.h>

/* With all other movable blocks offline, movable memory is in the block under test. */
void others_offline(void)
{
	unsigned long i;

	for (i = 0; i < setting.nr_blocks; i++)
		if (setting.first_block + i != test_block())
			block_offline(setting.first_block + i);
}

void others_online(void)
{
	unsigned long i;

	for (i = 0; i < setting.nr_blocks; i++)
		if (setting.first_block + i != test_block())
			block_online(setting.first_block + i);
}

/* The share is the same in every four pages, and so in any part of the block. */
static bool wanted(uint64_t pfn, unsigned int percent)
{
	static const unsigned int from[] = { 0, 50, 25, 75 };
	unsigned long first = block_pfn(test_block());

	return pfn >= first && pfn < first + setting.block_pages &&
	       percent > from[pfn & 3];
}

void occupy(struct occupied *o, unsigned int percent)
{
	unsigned long nr = setting.block_pages + setting.block_pages / 2;
	unsigned long i, used = 0;
	uint64_t *pfns = malloc(nr * sizeof(*pfns));

	o->bytes = nr * PAGE_BYTES;
	o->memory = mmap(NULL, o->bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (o->memory == MAP_FAILED || !pfns)
		die("no memory to use");
	madvise(o->memory, o->bytes, MADV_NOHUGEPAGE);
	for (i = 0; i < nr; i++)
		o->memory[i * PAGE_BYTES] = 1;
	pagemap_read(o->memory, nr, pfns);
	for (i = 0; i < nr; i++) {
		if (wanted(pfns[i], percent))
			used++;
		else
			madvise(o->memory + i * PAGE_BYTES, PAGE_BYTES,
				MADV_DONTNEED);
	}
	free(pfns);
	/* A zone keeps some pages for atomic allocations, so not all can be used. */
	if (used < setting.block_pages * percent / 100 * 9 / 10)
		die("of %lu pages of the block only %lu are in use, not %u %%",
		    setting.block_pages, used, percent);
}

void vacate(struct occupied *o)
{
	munmap(o->memory, o->bytes);
}
