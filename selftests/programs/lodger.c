// SPDX-License-Identifier: GPL-2.0
/*
 * lodger: a process that has pages of a given kind in a given place, and knows their
 * content.
 *
 *   lodger KIND COUNT RANGE...
 *
 * takes COUNT units that lie wholly within the RANGEs, fills them with a pattern, and
 * prints "units COUNT". KIND is
 *   hugetlb  2 MiB of the pool, which must have enough free pages
 *   thp      2 MiB of anonymous memory, as one transparent huge page
 *   shmem    2 MiB of shared memory, which is in the page cache, likewise
 *   mthp     64 KiB of anonymous memory, as one large folio
 *   cache    64 KiB of shared memory, likewise
 *   mlock    a page of anonymous memory that is locked
 *   file     a page of a file in /tmp
 * Then it reads one command a line, and answers with one line:
 *   where      "inside N": the number of its units that have a page in the RANGEs
 *   check      "broken N": the number of units that have lost their content
 *   list       "PFN PFN ...": the first page of each unit
 *   flag BIT   "flag N": the number of units whose first page has this flag of
 *              /proc/kpageflags
 *   spoil      "spoiled": one unit has another content
 *   mend       "mended": it has the right one again
 * At the end of its input it ends, and its pages are freed. If it cannot get that many
 * units, it prints that, and ends with status 2.
 */
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096UL
#define HUGE (2UL << 20)
#define LARGE (64UL << 10)
/* Bits of /proc/kpageflags. */
#define KPF_HEAD 15
#define KPF_TAIL 16
/* One word in this number of bytes is written and compared. */
#define STRIDE 64UL
/* The number of pages that are left free while it looks for a place. */
#define SPARE 16384

enum kind { HUGETLB, THP, SHMEM, MTHP, CACHE, MLOCK, FILE_PAGES };

static enum kind kind;
static size_t unit;
static char *base;
static size_t *kept, nr_kept;
static struct ranges set;

/* Is a unit one transparent folio of more than a page? */
static bool is_large(void)
{
	return kind == THP || kind == SHMEM || kind == MTHP || kind == CACHE;
}

static bool is_shared(void)
{
	return kind == SHMEM || kind == CACHE || kind == FILE_PAGES;
}

static uint64_t *word(size_t i, size_t offset)
{
	return (uint64_t *)(base + i * unit + offset);
}

static uint64_t pattern(size_t i, size_t offset)
{
	return (i * UINT64_C(0x9e3779b97f4a7c15)) ^ (offset + 1);
}

static void fill(size_t i)
{
	size_t offset;

	for (offset = 0; offset < unit; offset += STRIDE)
		*(volatile uint64_t *)word(i, offset) = pattern(i, offset);
}

static bool intact(size_t i)
{
	size_t offset;

	for (offset = 0; offset < unit; offset += STRIDE)
		if (*(volatile uint64_t *)word(i, offset) != pattern(i, offset))
			return false;
	return true;
}

static size_t pages_inside(size_t i, uint64_t *first)
{
	static uint64_t pfns[HUGE / PAGE];
	size_t k, n = 0;

	pagemap_read(base + i * unit, unit / PAGE, pfns);
	for (k = 0; k < unit / PAGE; k++) {
		if (!pfns[k])
			die("a page is not there any more");
		n += ranges_have(&set, pfns[k]);
	}
	*first = pfns[0];
	return n;
}

static bool has_flag(uint64_t pfn, int bit)
{
	static int fd = -1;
	uint64_t flags;

	if (fd < 0)
		fd = open_or_die("/proc/kpageflags", O_RDONLY);
	read_entries(fd, pfn, 1, &flags);
	return flags >> bit & 1;
}

static void map(size_t max)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, fd = -1;
	size_t len = max * unit;

	if (kind == HUGETLB) {
		flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB;
	} else if (kind == FILE_PAGES) {
		char name[] = "/tmp/lodger.XXXXXX";

		fd = mkstemp(name);
		if (fd < 0 || unlink(name) || ftruncate(fd, (off_t)len))
			die("/tmp: %s", strerror(errno));
		flags = MAP_SHARED;
	} else {
		if (is_shared())
			flags = MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE;
		len += HUGE;	/* room to align it */
	}
	base = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (base == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	if (is_large() || kind == MLOCK)
		base = (char *)(((uintptr_t)base + HUGE - 1) & ~(HUGE - 1));
	if (kind == MLOCK)
		small_pages(base, max * unit);
	else if (is_large() && madvise(base, max * unit, MADV_HUGEPAGE))
		die("madvise: %s", strerror(errno));
}

static void drop(size_t i)
{
	void *p = base + i * unit;
	int ret;

	if (kind == HUGETLB)
		ret = munmap(p, unit);
	else
		ret = madvise(p, unit, is_shared() ? MADV_REMOVE : MADV_DONTNEED);
	if (ret)
		die("giving back a unit: %s", strerror(errno));
}

static bool is_folio(uint64_t first)
{
	uint64_t n;

	for (n = 1; n < unit / PAGE; n++)
		if (!has_flag(first + n, KPF_TAIL))
			return false;
	return has_flag(first, KPF_HEAD) && has_flag(first, KPF_THP);
}

static bool wanted(size_t i)
{
	uint64_t first;

	if (pages_inside(i, &first) != unit / PAGE)
		return false;
	return !is_large() || is_folio(first);
}

static void move_in(size_t count, size_t max)
{
	size_t i, n, k;

	kept = calloc(count, sizeof(*kept));
	if (!kept)
		die("out of memory");
	for (n = 0; n < max && nr_kept < count; n++) {
		if (kind != HUGETLB && !(n * unit % HUGE) &&
		    pages_to_get() < SPARE)
			break;
		fill(n);
		if (wanted(n))
			kept[nr_kept++] = n;
	}
	for (i = k = 0; i < (kind == HUGETLB ? max : n); i++) {
		if (k < nr_kept && kept[k] == i)
			k++;
		else
			drop(i);
	}
	if (nr_kept < count)
		die("only %zu of %zu units to be had there", nr_kept, count);
	for (k = 0; kind == MLOCK && k < nr_kept; k++)
		if (mlock(base + kept[k] * unit, unit))
			die("mlock: %s", strerror(errno));
}

static size_t pool_free(void)
{
	char line[128];
	size_t n = 0;
	FILE *f = fopen("/proc/meminfo", "r");

	if (!f)
		die("/proc/meminfo: %s", strerror(errno));
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "HugePages_Free: %zu", &n) == 1)
			break;
	fclose(f);
	if (!n)
		die("no huge page is free");
	return n;
}

static void answer(const char *line)
{
	uint64_t first;
	size_t i, n = 0;

	if (!strcmp(line, "where")) {
		for (i = 0; i < nr_kept; i++)
			n += !!pages_inside(kept[i], &first);
		printf("inside %zu\n", n);
	} else if (!strcmp(line, "check")) {
		for (i = 0; i < nr_kept; i++)
			n += !intact(kept[i]);
		printf("broken %zu\n", n);
	} else if (!strcmp(line, "list")) {
		for (i = 0; i < nr_kept; i++) {
			pages_inside(kept[i], &first);
			printf("%" PRIu64 "%c", first,
			       i + 1 < nr_kept ? ' ' : '\n');
		}
	} else if (!strncmp(line, "flag ", 5)) {
		for (i = 0; i < nr_kept; i++) {
			pages_inside(kept[i], &first);
			n += has_flag(first, (int)parse_u64(line + 5));
		}
		printf("flag %zu\n", n);
	} else if (!strcmp(line, "spoil") || !strcmp(line, "mend")) {
		*word(kept[nr_kept - 1], unit - STRIDE) ^= 1;
		printf(*line == 's' ? "spoiled\n" : "mended\n");
	} else {
		die("no such command: %s", line);
	}
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = {
		"hugetlb", "thp", "shmem", "mthp", "cache", "mlock", "file",
	};
	size_t count, max;
	char line[64];

	if (argc < 4)
		die("usage: lodger hugetlb|thp|shmem|mthp|cache|mlock|file COUNT RANGE...");
	for (kind = 0; strcmp(argv[1], kinds[kind]); kind++)
		if (kind == FILE_PAGES)
			die("no such kind: %s", argv[1]);
	ranges_args(&set, argc, argv, 3);
	count = parse_u64(argv[2]);
	if (!count)
		die("no pages: nothing would be checked");
	unit = kind == MLOCK || kind == FILE_PAGES ? PAGE :
	       kind == MTHP || kind == CACHE ? LARGE : HUGE;
	max = kind == HUGETLB ? pool_free() :
	      (size_t)sysconf(_SC_PHYS_PAGES) * PAGE / unit;
	map(max);
	move_in(count, max);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("units %zu\n", nr_kept);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		answer(line);
	}
	free(kept);
	free(set.r);
	return 0;
}
