// SPDX-License-Identifier: GPL-2.0
/*
 * tenant: a process that has pages in a given place, and knows their content.
 *
 *   tenant [-s] COUNT RANGE...
 *
 * takes COUNT pages within the RANGEs (movable memory: anonymous, with -s tmpfs's), fills
 * them with a pattern, and prints "pages COUNT". Then it reads one command a line, and
 * answers with one line:
 *   where   "inside N": the number of its pages that lie within the RANGEs now
 *   check   "broken N": the number of pages that have lost their content
 *   list    "PFN PFN ...": the places of its pages
 *   spoil   "spoiled": changes a byte of its first page, so that "check" finds it
 *   pin     "pfn P": takes a reference to its first page (a pipe does, by vmsplice), so
 *           that the page can be neither migrated nor freed
 *   longpin the same in the way of a driver for a device's DMA, with FOLL_PIN (io_uring
 *           does, for registered buffers). It does not work for a page in ZONE_MOVABLE,
 *           which the kernel would migrate first
 *   unpin   "unpinned": ends a pin of either kind
 * At the end of its input it ends, and its pages are freed.
 */
#include "fill.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define STEP 1024

static struct fill f;
static struct ranges set;
static size_t *kept;		/* places of the pages that it keeps */
static size_t nr_kept;
static int holders[2] = { -1, -1 };	/* the pin is held by a pipe, or by a ring */

static uint64_t pfn_of(size_t i)
{
	uint64_t pfn;

	pagemap_read(f.base + i * f.page_size, 1, &pfn);
	if (!pfn)
		die("a page is not there any more");
	return pfn;
}

static void move_in(size_t count, bool shared)
{
	size_t i = 0, k;

	kept = calloc(count, sizeof(*kept));
	if (!kept)
		die("out of memory");
	fill_init(&f, shared, false);
	while (nr_kept < count) {
		if (!fill_more(&f, STEP))
			die("only %zu of %zu pages to be had there", nr_kept,
			    count);
		for (; i < f.nr && nr_kept < count; i++)
			if (ranges_have(&set, pfn_of(i)))
				kept[nr_kept++] = i;
	}
	for (i = k = 0; i < f.nr; i++) {
		if (k < nr_kept && kept[k] == i) {
			k++;
			continue;
		}
		if (madvise(f.base + i * f.page_size, f.page_size,
			    shared ? MADV_REMOVE : MADV_DONTNEED))
			die("madvise: %s", strerror(errno));
	}
}

static struct iovec first_page(void)
{
	struct iovec iov = {
		.iov_base = f.base + kept[0] * f.page_size,
		.iov_len = f.page_size,
	};

	if (holders[0] >= 0)
		die("pinned already");
	return iov;
}

static void pin(void)
{
	struct iovec iov = first_page();

	if (pipe(holders))
		die("pipe: %s", strerror(errno));
	if (vmsplice(holders[1], &iov, 1, 0) != (ssize_t)f.page_size)
		die("vmsplice: %s", strerror(errno));
	printf("pfn %" PRIu64 "\n", pfn_of(kept[0]));
}

static void longpin(void)
{
	struct iovec iov = first_page();
	struct io_uring_params params = { 0 };

	holders[0] = (int)syscall(SYS_io_uring_setup, 1, &params);
	if (holders[0] < 0)
		die("io_uring_setup: %s", strerror(errno));
	if (syscall(SYS_io_uring_register, holders[0], IORING_REGISTER_BUFFERS,
		    &iov, 1))
		die("io_uring_register: %s", strerror(errno));
	printf("pfn %" PRIu64 "\n", pfn_of(kept[0]));
}

static void unpin(void)
{
	if (holders[0] < 0)
		die("not pinned");
	close(holders[0]);
	if (holders[1] >= 0)
		close(holders[1]);
	holders[0] = holders[1] = -1;
	printf("unpinned\n");
}

int main(int argc, char **argv)
{
	bool shared = false;
	char line[64];
	size_t i, n;
	int opt;

	while ((opt = getopt(argc, argv, "s")) != -1) {
		if (opt != 's')
			die("usage: tenant [-s] COUNT RANGE...");
		shared = true;
	}
	if (argc - optind < 2)
		die("usage: tenant [-s] COUNT RANGE...");
	ranges_args(&set, argc, argv, optind + 1);
	n = parse_u64(argv[optind]);
	if (!n)
		die("no pages: nothing would be checked");
	move_in(n, shared);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("pages %zu\n", nr_kept);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		n = 0;
		if (!strcmp(line, "where")) {
			for (i = 0; i < nr_kept; i++)
				n += ranges_have(&set, pfn_of(kept[i]));
			printf("inside %zu\n", n);
		} else if (!strcmp(line, "check")) {
			for (i = 0; i < nr_kept; i++)
				n += !fill_intact(&f, kept[i]);
			printf("broken %zu\n", n);
		} else if (!strcmp(line, "list")) {
			for (i = 0; i < nr_kept; i++)
				printf("%" PRIu64 "%c", pfn_of(kept[i]),
				       i + 1 < nr_kept ? ' ' : '\n');
		} else if (!strcmp(line, "spoil")) {
			f.base[kept[0] * f.page_size] ^= 1;
			printf("spoiled\n");
		} else if (!strcmp(line, "pin")) {
			pin();
		} else if (!strcmp(line, "longpin")) {
			longpin();
		} else if (!strcmp(line, "unpin")) {
			unpin();
		} else {
			die("no such command: %s", line);
		}
	}
	free(kept);
	free(set.r);
	return 0;
}
