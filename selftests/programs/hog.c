// SPDX-License-Identifier: GPL-2.0
/*
 * hog: takes all movable memory that the kernel gives, and counts the pages that lie in one
 * of the RANGEs, which no process may get.
 *
 *   hog [-b BLOCK_RANGE] RANGE...
 *
 * prints lines with a name and a number:
 *   pages      pages that it got
 *   broken     of these pages, those that lost their content
 *   hits       of these pages, those in a RANGE
 *   first_hit  the lowest PFN of the hits, or -1
 *   left       pages above the watermarks that it did not get
 * With -b it also classifies the pages of that memory block, while the hog holds its memory.
 * Each page counts in the first of these lines that applies, so the lines add up to the
 * block:
 *   block_hog      pages of the hog
 *   block_offline  PageOffline
 *   block_free     in the buddy allocator
 *   block_plain    no flag: on a per-CPU list, or memory of the kernel
 *   block_other    all others
 *
 * A child process takes the memory. The exit status is 0 if the output is complete, 1 if
 * the kernel killed the child because memory ran out, and 2 after an error.
 */
#include "fill.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK 4096

static void print_block(const struct range *block, const struct ranges *mine)
{
	static uint64_t flags[CHUNK];
	uint64_t sum[5] = { 0 }, i, j;
	int fd = open_or_die("/proc/kpageflags", O_RDONLY);

	for (i = 0; i < block->nr; i += CHUNK) {
		uint64_t pfn = block->start + i;
		uint64_t n = at_most(block->nr - i, CHUNK);

		read_entries(fd, pfn, n, flags);
		for (j = 0; j < n; j++) {
			if (ranges_have(mine, pfn + j))
				sum[0]++;
			else if (flags[j] >> KPF_OFFLINE & 1)
				sum[1]++;
			else if (flags[j] >> KPF_BUDDY & 1)
				sum[2]++;
			else if (!flags[j])
				sum[3]++;
			else
				sum[4]++;
		}
	}
	close(fd);
	printf("block_hog %" PRIu64 "\nblock_offline %" PRIu64
	       "\nblock_free %" PRIu64 "\nblock_plain %" PRIu64
	       "\nblock_other %" PRIu64 "\n",
	       sum[0], sum[1], sum[2], sum[3], sum[4]);
}

static int pfn_cmp(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/*
 * A refill of a per-CPU list may bring a zone below its watermark. The zone then gives
 * nothing more, even if pages are on the list. The pages that fill_more() leaves allow for
 * this on one CPU only. So the process stays on one CPU.
 */
static void stay_on_this_cpu(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		die("sched_setaffinity: %s", strerror(errno));
}

static void hog(const struct ranges *set, const struct range *block)
{
	static uint64_t pfns[CHUNK];
	uint64_t hits = 0, broken = 0, first = UINT64_MAX;
	struct ranges mine = { 0 };
	struct fill f;
	size_t i, j;

	/* This is allocated before memory is short. */
	if (block->nr) {
		mine.r = calloc(block->nr, sizeof(*mine.r));
		if (!mine.r)
			die("out of memory");
		memset(mine.r, 0xff, block->nr * sizeof(*mine.r));
	}
	stay_on_this_cpu();
	fill_init(&f, false, true);
	while (fill_more(&f, f.max))
		;
	for (i = 0; i < f.nr; i += CHUNK) {
		size_t n = at_most(f.nr - i, CHUNK);

		pagemap_read(f.base + i * f.page_size, n, pfns);
		for (j = 0; j < n; j++) {
			if (!pfns[j])
				die("a page is not there any more");
			if (!fill_intact(&f, i + j))
				broken++;
			if (ranges_have(set, pfns[j])) {
				hits++;
				if (pfns[j] < first)
					first = pfns[j];
			}
			if (pfns[j] - block->start < block->nr) {
				if (mine.nr == block->nr)
					die("pages moved while they were counted");
				mine.r[mine.nr].start = pfns[j];
				mine.r[mine.nr++].nr = 1;
			}
		}
	}
	printf("pages %zu\nbroken %" PRIu64 "\nhits %" PRIu64
	       "\nfirst_hit %" PRId64 "\nleft %ld\n",
	       f.nr, broken, hits, (int64_t)first, pages_to_get());
	if (block->nr) {
		qsort(mine.r, mine.nr, sizeof(*mine.r), pfn_cmp);
		print_block(block, &mine);
	}
	free(mine.r);
}

int main(int argc, char **argv)
{
	struct ranges set = { 0 }, b = { 0 };
	struct range block = { 0 };
	int opt, status;
	pid_t pid;

	while ((opt = getopt(argc, argv, "b:")) != -1) {
		if (opt != 'b')
			die("usage: hog [-b BLOCK_RANGE] RANGE...");
		ranges_add(&b, optarg);
		block = b.r[0];
	}
	ranges_args(&set, argc, argv, optind);
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid) {
		hog(&set, &block);
		exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("wait: %s", strerror(errno));
	free(set.r);
	free(b.r);
	if (WIFSIGNALED(status)) {
		fprintf(stderr, "the hog was killed by signal %d\n",
			WTERMSIG(status));
		return 1;
	}
	return WEXITSTATUS(status);
}
