// SPDX-License-Identifier: GPL-2.0
/*
 * hugepin: a process that holds a hugetlb page in a given place, so that it
 * can be neither migrated nor freed.
 *
 *   hugepin RANGE...
 *
 * maps free hugetlb pages until one of them lies in the RANGEs, and gives back the others.
 * It takes a reference to that page (a pipe does, by vmsplice), and prints "pfn P", the
 * first page frame of it.
 *
 *   hugepin -r NUMBER
 *
 * reserves so many pages of the hugetlb pool without using them, and prints "reserved".
 *
 * Both end at the end of their input.
 */
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define HUGE_SIZE (2u << 20)

/* The pages in other places form a list, so that they can be given back. */
struct elsewhere {
	struct elsewhere *next;
};

static int reserve(const char *number)
{
	size_t size = strtoul(number, NULL, 0) * HUGE_SIZE;

	if (mmap(NULL, size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0) == MAP_FAILED)
		die("cannot reserve %s hugetlb pages: %s", number, strerror(errno));
	puts("reserved");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}

int main(int argc, char **argv)
{
	struct elsewhere *list = NULL, *next;
	struct ranges set = { 0 };
	struct iovec iov;
	int pipefd[2];
	uint64_t pfn;
	char *page;

	if (argc == 3 && !strcmp(argv[1], "-r"))
		return reserve(argv[2]);
	ranges_args(&set, argc, argv, 1);
	for (;;) {
		page = mmap(NULL, HUGE_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
		if (page == MAP_FAILED)
			die("no hugetlb page to be had there: %s",
			    strerror(errno));
		memset(page, 0x5a, HUGE_SIZE);
		pagemap_read(page, 1, &pfn);
		if (ranges_have(&set, pfn))
			break;
		((struct elsewhere *)page)->next = list;
		list = (struct elsewhere *)page;
	}
	for (; list; list = next) {
		next = list->next;
		if (munmap(list, HUGE_SIZE))
			die("munmap: %s", strerror(errno));
	}

	iov.iov_base = page;
	iov.iov_len = 4096;
	if (pipe(pipefd))
		die("pipe: %s", strerror(errno));
	if (vmsplice(pipefd[1], &iov, 1, 0) != 4096)
		die("vmsplice: %s", strerror(errno));
	printf("pfn %" PRIu64 "\n", pfn);
	fflush(stdout);
	while (getchar() != EOF)
		;
	free(set.r);
	return 0;
}
