// SPDX-License-Identifier: GPL-2.0
/*
 * pagerefs: the reference counts of pages, read from the kernel's memmap.
 *
 *   pagerefs RANGE...
 *
 * prints "pages N", "ref0 N", "ref1 N", "refmore N". `pagerefs --memmap` prints
 * the address of the memmap; see memmap.c.
 */
#include "common.h"
#include "memmap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 1024

int main(int argc, char **argv)
{
	static struct memmap_page pages[CHUNK];
	uint64_t sum[3] = { 0 };
	struct ranges set = { 0 };
	size_t i;

	if (argc == 2 && !strcmp(argv[1], "--memmap")) {
		printf("0x%" PRIx64 "\n", memmap_open());
		return 0;
	}
	ranges_args(&set, argc, argv, 1);
	memmap_open();
	for (i = 0; i < set.nr; i++) {
		uint64_t pfn = set.r[i].start, left = set.r[i].nr;

		while (left) {
			uint64_t j, n = at_most(left, CHUNK);

			memmap_read(pfn, n, pages);
			for (j = 0; j < n; j++)
				sum[pages[j].refs == 0 ? 0 :
				    pages[j].refs == 1 ? 1 : 2]++;
			pfn += n;
			left -= n;
		}
	}
	printf("pages %" PRIu64 "\nref0 %" PRIu64 "\nref1 %" PRIu64
	       "\nrefmore %" PRIu64 "\n", ranges_pages(&set), sum[0], sum[1],
	       sum[2]);
	free(set.r);
	return 0;
}
