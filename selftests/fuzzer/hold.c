// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that the fuzzer has in use. Their content tells whether a page was lost or given
 * to another task.
 */
#include "common.h"
#include "kernel.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#define MAX_HOLDS	64
#define MAX_HELD	8192	/* pages */

static struct {
	unsigned int nr;
	unsigned int pages;
	struct hold {
		char *base;
		unsigned int nr;
		uint64_t key;
	} hold[MAX_HOLDS];
} holds;

static uint64_t *held_word(const struct hold *h, unsigned int i)
{
	return (uint64_t *)(h->base + (size_t)i * PAGE_SIZE + 8 * (i % 512));
}

int hold(unsigned int nr)
{
	struct hold *h = &holds.hold[holds.nr];
	unsigned int i;

	if (holds.nr == MAX_HOLDS || holds.pages + nr > MAX_HELD)
		return 0;
	h->nr = nr;
	h->key = UINT64_C(0x9e3779b97f4a7c15) * (holds.nr + 1);
	h->base = mmap(NULL, (size_t)nr * PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (h->base == MAP_FAILED)
		return errno;
	for (i = 0; i < nr; i++)
		*held_word(h, i) = h->key + i;
	holds.nr++;
	holds.pages += nr;
	return 0;
}

static bool held_intact(const struct hold *h)
{
	unsigned int i;

	for (i = 0; i < h->nr; i++)
		if (*held_word(h, i) != h->key + i)
			return false;
	return true;
}

int drop(void)
{
	int error = 0;

	while (holds.nr) {
		struct hold *h = &holds.hold[--holds.nr];

		if (!held_intact(h))
			error = CONTENT_LOST;
		munmap(h->base, (size_t)h->nr * PAGE_SIZE);
	}
	holds.pages = 0;
	return error;
}

bool compare_held(const struct model *m, char *detail)
{
	static uint64_t pfns[MAX_HELD];
	unsigned int i, k;

	for (k = 0; k < holds.nr; k++) {
		const struct hold *h = &holds.hold[k];

		if (!held_intact(h)) {
			snprintf(detail, DETAIL, "content is lost");
			return false;
		}
		pagemap_read(h->base, h->nr, pfns);
		for (i = 0; i < h->nr; i++) {
			uint64_t page = pfns[i] - world.first_pfn;

			if (page < world.nr_pages && m->page[page]) {
				snprintf(detail, DETAIL, "page %u:%u is marked, and a process has it",
					 (unsigned int)page / world.block_pages,
					 (unsigned int)page % world.block_pages);
				return false;
			}
		}
	}
	return true;
}
