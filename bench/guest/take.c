// SPDX-License-Identifier: GPL-2.0
/* Measures taking and releasing a whole free block, and parts of a block in use. */
#include "guest.h"

/*
 * The way in which pages are released affects the next take. So the block goes
 * offline and online between two measures.
 *
 * To take a whole block, it goes offline, is marked, and comes online with its
 * pages withheld. The measure includes all three steps.
 */
void measure_take(void)
{
	unsigned long pfn = block_pfn(test_block()), nr = setting.block_pages;
	unsigned int i, n = times(15, 5);

	load(NULL);
	block_refresh(test_block());
	operation("alloc_contig", pfn, nr);	/* the first run is slower */
	operation("free_contig", pfn, nr);
	for (i = 0; i < n; i++) {
		uint64_t released;

		block_refresh(test_block());
		ours("take-block", block_withhold(test_block()));
		released = operation("release", pfn, nr);
		ours("release-contig", released);
		ours("release-online", released);

		block_refresh(test_block());
		peer("take-block", operation("alloc_contig", pfn, nr));
		peer("release-contig", operation("free_contig", pfn, nr));

		block_refresh(test_block());
		operation("alloc_contig", pfn, nr);
		operation("withhold", pfn, nr);
		peer("release-online", operation("online", pfn, nr));
	}
	unload();
}

/* Each size has two places in the block. The module and the peer use them in turn. */
static void measure_sizes(bool swap)
{
	static const struct {
		const char *row;
		unsigned long nr, places[2];
	} sizes[] = {
		{ "take-64K-half", 16, { 0x0200, 0x0600 } },
		{ "take-2M-half", 512, { 0x1000, 0x1400 } },
		{ "take-16M-half", 4096, { 0x2000, 0x4000 } },
	};
	unsigned long base = block_pfn(test_block());
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned long nr = sizes[i].nr;
		unsigned long a = base + sizes[i].places[swap];
		unsigned long b = base + sizes[i].places[!swap];

		if (!swap)
			ours(sizes[i].row, operation("take", a, nr));
		peer(sizes[i].row, operation("alloc_contig", b, nr));
		if (swap)
			ours(sizes[i].row, operation("take", a, nr));
		operation("release", a, nr);
		operation("free_contig", b, nr);
	}
}

void measure_half_used(void)
{
	unsigned int i, n = times(30, 8);

	load(NULL);
	others_offline();
	for (i = 0; i < n; i++) {
		struct occupied half;

		block_refresh(test_block());
		occupy(&half, 50);
		/* Not timed: the first take empties the lists of the CPUs. */
		operation("alloc_contig", block_pfn(test_block()), 16);
		operation("free_contig", block_pfn(test_block()), 16);
		measure_sizes(i & 1);
		vacate(&half);
	}
	others_online();
	unload();
}
