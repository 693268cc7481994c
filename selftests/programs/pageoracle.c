// SPDX-License-Identifier: GPL-2.0
/*
 * pageoracle: the state of pages in exact numbers, from /proc/kpageflags and
 * /proc/kpagecount.
 *
 *   pageoracle count RANGE...       one name and one number a line
 *   pageoracle runs FLAG RANGE...   the pages that have FLAG, "START NR" a line
 *   pageoracle used RANGE...        the same for pages that are neither free nor offline,
 *                                   so in use
 *
 * KPF_BUDDY needs no correction: 6.1 and later set it for every page of a
 * free chunk (is_free_buddy_page() in fs/proc/page.c), not only for its head. Free pages
 * on the lists of the CPUs have no flag at all. They are counted as "plain", with the
 * pages that the kernel allocated for itself. /proc/kpagecount is the number of mappings,
 * not of references: "mapped".
 */
#include "common.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 4096

/* The flags that are counted, in the order in which they are printed. */
static const int counted[] = {
	KPF_NOPAGE, KPF_OFFLINE, KPF_OFFLINE_SKIPPABLE, KPF_BUDDY, KPF_HWPOISON,
	KPF_OWNER_PRIVATE, KPF_OWNER_2, KPF_RESERVED, KPF_SLAB, KPF_PGTABLE, KPF_LRU,
};
#define NR_COUNTED (sizeof(counted) / sizeof(counted[0]))

static int flags_fd, count_fd;

static bool has(uint64_t flags, int bit)
{
	return flags >> bit & 1;
}

static bool wanted(uint64_t flags, int bit)
{
	if (bit >= 0)
		return has(flags, bit);
	return flags && !has(flags, KPF_BUDDY) && !has(flags, KPF_OFFLINE) &&
	       !has(flags, KPF_NOPAGE);
}

static void print_counts(const struct ranges *set)
{
	static uint64_t flags[CHUNK], maps[CHUNK];
	uint64_t sums[NR_COUNTED] = { 0 }, mapped = 0, plain = 0;
	size_t i, k;

	for (i = 0; i < set->nr; i++) {
		uint64_t pfn = set->r[i].start, left = set->r[i].nr;

		while (left) {
			uint64_t j, n = at_most(left, CHUNK);

			read_entries(flags_fd, pfn, n, flags);
			read_entries(count_fd, pfn, n, maps);
			for (j = 0; j < n; j++) {
				for (k = 0; k < NR_COUNTED; k++)
					sums[k] += has(flags[j], counted[k]);
				plain += !flags[j];
				mapped += !!maps[j];
			}
			pfn += n;
			left -= n;
		}
	}
	printf("pages %" PRIu64 "\n", ranges_pages(set));
	for (k = 0; k < NR_COUNTED; k++)
		printf("%s %" PRIu64 "\n", flag_name(counted[k]), sums[k]);
	printf("plain %" PRIu64 "\n", plain);
	printf("mapped %" PRIu64 "\n", mapped);
}

static void print_runs(const struct ranges *set, int bit)
{
	static uint64_t flags[CHUNK];
	size_t i;

	for (i = 0; i < set->nr; i++) {
		uint64_t pfn = set->r[i].start, left = set->r[i].nr;
		uint64_t start = 0, run = 0;

		while (left) {
			uint64_t j, n = at_most(left, CHUNK);

			read_entries(flags_fd, pfn, n, flags);
			for (j = 0; j < n; j++) {
				if (wanted(flags[j], bit)) {
					if (!run)
						start = pfn + j;
					run++;
				} else if (run) {
					printf("%" PRIu64 " %" PRIu64 "\n",
					       start, run);
					run = 0;
				}
			}
			pfn += n;
			left -= n;
		}
		if (run)
			printf("%" PRIu64 " %" PRIu64 "\n", start, run);
	}
}

int main(int argc, char **argv)
{
	struct ranges set = { 0 };

	flags_fd = open_or_die("/proc/kpageflags", O_RDONLY);
	count_fd = open_or_die("/proc/kpagecount", O_RDONLY);
	if (argc > 2 && !strcmp(argv[1], "count")) {
		ranges_args(&set, argc, argv, 2);
		print_counts(&set);
	} else if (argc > 2 && !strcmp(argv[1], "used")) {
		ranges_args(&set, argc, argv, 2);
		print_runs(&set, -1);
	} else if (argc > 3 && !strcmp(argv[1], "runs")) {
		ranges_args(&set, argc, argv, 3);
		print_runs(&set, flag_bit(argv[2]));
	} else {
		die("usage: pageoracle count|used|runs FLAG RANGE...");
	}
	free(set.r);
	return 0;
}
