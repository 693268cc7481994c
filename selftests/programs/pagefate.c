// SPDX-License-Identifier: GPL-2.0
/*
 * pagefate: tries to take pages out of use, one after the other, and tells what each
 * was and became.
 *
 *   pagefate sample SEED NR    NR different pages of System RAM, in random order
 *   pagefate blocks            page blocks and pages of System RAM, by what they hold
 *   pagefate try WAY           takes the pages whose PFNs it reads, one PFN on each
 *                              line, and prints one record for each. WAY is mark
 *                              (fake_offline), contig (alloc_contig_range() by
 *                              itself), soft (soft_offline_page) or none
 *   pagefate judge             reads such records, and says of each whether the
 *                              reason of the refusal is true
 *
 * A record has what /proc/kpageflags and the memmap have of the page, and of the page
 * that the reason names, right before and right after the try:
 *
 *   PFN BEFORE AFTER RESULT CODE CULPRIT BEFORE AFTER REASON
 *
 * A page without a flag and a reference may be on a free list of a CPU. If the try left
 * a page like that, these lists are drained before the page is looked at again. A page
 * that is still like that is not free.
 *
 * BEFORE and AFTER are FLAGS:REFERENCES:MAPCOUNT. The judge does not ask the kernel:
 * a test can hand it a record with a reason that is not true.
 */
#include "common.h"
#include "kinds.h"
#include "random.h"
#include "records.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FO	"/sys/kernel/debug/fake_offline/"

/* ---------------------------------------------------------------- System RAM */

static void system_ram(struct ranges *set)
{
	FILE *f = fopen("/proc/iomem", "r");
	char line[256], arg[64];
	uint64_t first, last;

	if (!f)
		die("/proc/iomem: %s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		if (line[0] == ' ' || !strstr(line, " : System RAM") ||
		    sscanf(line, "%" SCNx64 "-%" SCNx64, &first, &last) != 2)
			continue;
		first = (first + 4095) / 4096;
		last = (last + 1) / 4096;
		if (last <= first)
			continue;
		snprintf(arg, sizeof(arg), "%" PRIu64 "+%" PRIu64, first,
			 last - first);
		ranges_add(set, arg);
	}
	fclose(f);
	if (!ranges_pages(set))
		die("/proc/iomem shows no System RAM: not root?");
}

static void sample(uint64_t seed, uint64_t nr)
{
	struct random random = { seed };
	struct ranges ram = { 0 };
	uint64_t pages, i;
	unsigned char *drawn;

	system_ram(&ram);
	pages = ranges_pages(&ram);
	drawn = calloc(pages, 1);
	if (!drawn)
		die("out of memory");
	if (nr > pages / 2)
		die("at most half of all pages");
	while (nr) {
		uint64_t at = random_next(&random) % pages;

		if (drawn[at])
			continue;
		drawn[at] = 1;
		nr--;
		for (i = 0; at >= ram.r[i].nr; i++)
			at -= ram.r[i].nr;
		printf("%" PRIu64 "\n", ram.r[i].start + at);
	}
	free(drawn);
	free(ram.r);
}

static void blocks(void)
{
	static struct facts facts[PAGE_BLOCK];
	uint64_t pages[NR_KINDS] = { 0 }, nr = 0, unmovable = 0, kernel = 0;
	struct ranges ram = { 0 };
	size_t i;
	int k;

	facts_open();
	system_ram(&ram);
	for (i = 0; i < ram.nr; i++) {
		uint64_t pfn = ram.r[i].start, end = pfn + ram.r[i].nr;

		for (; pfn < end; pfn = (pfn | (PAGE_BLOCK - 1)) + 1) {
			uint64_t j, n = at_most(end, (pfn | (PAGE_BLOCK - 1)) + 1)
					- pfn;
			bool has[NR_KINDS] = { 0 };

			facts_read(pfn, n, facts);
			for (j = 0; j < n; j++) {
				enum kind kind = kind_of(&facts[j]);

				has[kind] = true;
				pages[kind]++;
			}
			nr++;
			has[KIND_KERNEL] = has[KIND_KERNEL] || has[KIND_SLAB] ||
					   has[KIND_PGTABLE];
			kernel += has[KIND_KERNEL];
			unmovable += has[KIND_KERNEL] || has[KIND_RESERVED];
		}
	}
	printf("page_blocks %" PRIu64 "\nwith_unmovable %" PRIu64
	       "\nwith_kernel_memory %" PRIu64 "\n", nr, unmovable, kernel);
	for (k = 0; k < NR_KINDS; k++)
		printf("pages_%s %" PRIu64 "\n", kind_name(k), pages[k]);
	free(ram.r);
}

/* ---------------------------------------------------------------- trying */

static int write_line(int fd, const char *line)
{
	ssize_t n = write(fd, line, strlen(line));

	return n < 0 ? errno : n == (ssize_t)strlen(line) ? 0 : EIO;
}

static int try_mark(int fd, uint64_t pfn)
{
	char line[64];

	snprintf(line, sizeof(line), "%" PRIu64 " 1\n", pfn);
	return write_line(fd, line);
}

/*
 * As the callers of alloc_contig_range() do it: what is busy is tried again. A large
 * folio is taken from its first page on, as the function does not take tail pages. All
 * goes back at once. With its reference it would keep the next one from its page block,
 * which marked pages do not.
 */
static int try_contig(int fd, uint64_t pfn)
{
	static struct facts block[PAGE_BLOCK];
	uint64_t at = pfn % PAGE_BLOCK, first = pfn - at, head;
	char line[64];
	int ret, tries = 0;

	do {
		if (tries)
			usleep(1000 << tries);
		facts_read(first, PAGE_BLOCK, block);
		head = at;
		while (head && kind_is_movable(kind_of(&block[head])) &&
		       block[head].flags >> KPF_COMPOUND_TAIL & 1)
			head--;
		snprintf(line, sizeof(line), "alloc_contig %" PRIu64 " %" PRIu64
			 "\n", first + head, at - head + 1);
		ret = write_line(fd, line);
	} while (ret == EBUSY && ++tries < 4);
	snprintf(line, sizeof(line), "free_contig %" PRIu64 " %" PRIu64 "\n",
		 first + head, at - head + 1);
	if (!ret && write_line(fd, line))
		die("free_contig %" PRIu64 ": %s", pfn, strerror(errno));
	return ret;
}

static int try_soft(int fd, uint64_t pfn)
{
	char line[64];

	snprintf(line, sizeof(line), "0x%" PRIx64 "\n", pfn * 4096);
	return write_line(fd, line);
}

static int try_none(int fd, uint64_t pfn)
{
	(void)fd;
	(void)pfn;
	return 0;
}

static const struct way {
	const char *name;
	const char *file;
	int (*try)(int fd, uint64_t pfn);
} ways[] = {
	{ "mark", FO "mark", try_mark },
	{ "contig", "/sys/module/fake_offline_bench/parameters/run", try_contig },
	{ "soft", "/sys/devices/system/memory/soft_offline_page", try_soft },
	{ "none", "/dev/null", try_none },
};

/* The reason of the last refusal; NOBODY as its number when there was none. */
static uint64_t last_refusal(struct record *r)
{
	FILE *f = fopen(FO "last_refusal", "r");
	uint64_t count = NOBODY;
	char line[512];
	int64_t pfn;

	if (!f)
		die(FO "last_refusal: %s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		sscanf(line, "count %" SCNu64, &count);
		if (sscanf(line, "pfn %" SCNd64, &pfn) == 1)
			r->culprit = (uint64_t)pfn;
		sscanf(line, "code %31s", r->code);
		if (!strncmp(line, "reason ", 7))
			snprintf(r->reason, sizeof(r->reason), "%.255s",
				 line + 7);
	}
	fclose(f);
	return count;
}

/* Of the page that the reason names, as far as it was looked at. */
static struct facts pick(const struct facts *block, uint64_t first, uint64_t pfn)
{
	return pfn >= first && pfn < first + PAGE_BLOCK ? block[pfn - first] :
	       (struct facts){ 0 };
}

/* How many refusals have been told. */
static uint64_t refusals;
/*
 * For each zone, a page that was marked, in a page block where nothing keeps pages from
 * moving.
 */
static uint64_t last_ok[] = { NOBODY, NOBODY, NOBODY };

/* ZONE_DMA, ZONE_DMA32, and what comes behind. */
static uint64_t *last_ok_of(uint64_t pfn)
{
	return &last_ok[pfn < 4096 ? 0 : pfn < 1048576 ? 1 : 2];
}

static bool all_movable(const struct facts *block)
{
	int i;

	for (i = 0; i < PAGE_BLOCK; i++)
		if (kind_is_unmovable(kind_of(&block[i])))
			return false;
	return true;
}

/*
 * Free pages on the lists of the CPUs go back to the buddy allocator before pages are
 * allocated by their number: a page that is marked already is given back and marked
 * again, one of the same zone. Returns whether there was one.
 */
static bool drain(int fd, uint64_t again)
{
	char line[64];
	int unmark;

	if (again == NOBODY)
		return false;
	unmark = open_or_die(FO "unmark", O_WRONLY);
	snprintf(line, sizeof(line), "%" PRIu64 " 1\n", again);
	if (write_line(unmark, line) || write_line(fd, line))
		die("PFN %" PRIu64 " cannot be marked again", again);
	close(unmark);
	return true;
}

static void try_one(const struct way *way, int fd, uint64_t pfn)
{
	static struct facts before[PAGE_BLOCK], after[PAGE_BLOCK];
	uint64_t first = pfn & ~(uint64_t)(PAGE_BLOCK - 1);
	struct record r = {
		.pfn = pfn, .code = "-", .culprit = NOBODY, .reason = "-",
	};
	bool whole = way->try == try_mark;
	uint64_t from = whole ? first : pfn, nr = whole ? PAGE_BLOCK : 1;
	int error;

	facts_read(from, nr, before + (from - first));
	error = way->try(fd, pfn);
	if (error && whole) {
		struct record why = r;
		uint64_t count = last_refusal(&why);

		if (count != refusals)
			r = why;
		refusals = count;
	}
	facts_read(from, nr, after + (from - first));
	if (whole && !error && all_movable(before)) {
		*last_ok_of(pfn) = pfn;
	} else if (whole && error &&
		   kind_of(&after[pfn - first]) == KIND_LOOSE) {
		if (drain(fd, *last_ok_of(pfn)))
			facts_read(pfn, 1, &after[pfn - first]);
		else
			fprintf(stderr, "PFN %" PRIu64 ": not drained\n", pfn);
	}
	snprintf(r.result, sizeof(r.result), "%s",
		 error ? strerrorname_np(error) : "ok");
	r.before = before[pfn - first];
	r.after = after[pfn - first];
	if (whole) {
		r.culprit_before = pick(before, first, r.culprit);
		r.culprit_after = pick(after, first, r.culprit);
	}
	record_print(&r);
}

static void try_all(const char *name)
{
	const struct way *way = NULL;
	char line[64];
	size_t i;
	int fd;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(name, ways[i].name))
			way = &ways[i];
	if (!way)
		die("no such way: %s", name);
	fd = open_or_die(way->file, O_WRONLY);
	facts_open();
	if (way->try == try_mark)
		refusals = last_refusal(&(struct record){ 0 });
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, " \n")] = '\0';
		try_one(way, fd, parse_u64(line));
	}
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "sample"))
		sample(parse_u64(argv[2]), parse_u64(argv[3]));
	else if (argc == 2 && !strcmp(argv[1], "blocks"))
		blocks();
	else if (argc == 3 && !strcmp(argv[1], "try"))
		try_all(argv[2]);
	else if (argc == 2 && !strcmp(argv[1], "judge"))
		records_judge();
	else
		die("usage: pagefate sample SEED NR | blocks | try WAY | judge");
	return 0;
}
