// SPDX-License-Identifier: GPL-2.0
/*
 * grab: marks all pages that can be marked, or looks at the marked ones.
 *
 *   grab explicit ZONE...           marks by explicit ranges
 *   grab list SEED PERCENT ZONE...  marks pages of a list of random pages that covers
 *                                   PERCENT of the zones
 *   grab look [-x PFN] ZONE...      compares the module's list with /proc/kpageflags
 *
 * A ZONE is NAME:START+NR, a zone of /proc/zoneinfo. Every page of it is one of these,
 * by /proc/kpageflags alone:
 *   hole     no page
 *   offline  PageOffline
 *   free     in the buddy allocator
 *   movable  in use by a process or a file: on the LRU, anonymous, or mapped
 *   reserved pages that the buddy allocator has never had
 *   plain    no flag at all: kernel memory, or free on a list of a CPU
 *   kernel   all others: slab, page tables, other kernel memory
 *
 * "explicit" asks for runs of pages, the longest first. These are free pages, and in page
 * blocks without a page of the last three kinds movable pages, too. It halves a run that
 * is refused. When a free page is refused because the zone is at its floor, it continues
 * with the next zone.
 *
 * "list" makes a list of runs of one to four pages, whose places SEED determines, until
 * they cover PERCENT of all pages. It offers the free and the movable ones, many lines in
 * one write. It repeats a refused write without the line that was in the way. It also
 * offers some reserved pages of the list.
 *
 * Each prints one name and one number a line. "explicit" and "list":
 *   marked          pages that the module took
 *   marked_ZONE     of these, in that zone
 *   writes          writes, refused ones included
 *   full            refusals for a floor or the reserve
 *   refused         pages that were refused for another reason, or given up
 * "list" alone:
 *   pages           pages of the zones
 *   listed          pages of the list, and then those of each kind:
 *   free movable reserved plain kernel
 *   markable_ZONE   free and movable pages of the list
 *   plain_ZONE      plain pages of the list
 *   reserved_tried reserved_refused    reserved pages that were offered, and refused (EBUSY)
 * "look":
 *   listed listed_ZONE   pages in the module's list, in force
 *   offline         pages that are PageOffline
 *   both            pages that are in the list and PageOffline
 *   buddy           pages in the list that the buddy allocator has
 *   stray           pages in the list that are in no ZONE
 * -x PFN: as if this page were not in the list, or if it is not, as if it were.
 */
#include "grab.h"
#include "random.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE_BLOCK	512
#define MAX_LINES	256	/* in one write */
#define FEW_LINES	16	/* near pages of the kernel, where a refusal is likely */
#define LIST_RUN	4	/* the most pages in a run of the list */
#define RESERVED_TRIED	16

static int mark_fd = -1;
static uint64_t writes, full, refused;

static struct range *runs;
static size_t nr_runs, room_runs;

static void push_run(uint64_t start, uint64_t nr)
{
	if (nr_runs == room_runs) {
		room_runs = room_runs ? 2 * room_runs : 1024;
		runs = realloc(runs, room_runs * sizeof(*runs));
		if (!runs)
			die("out of memory");
	}
	runs[nr_runs++] = (struct range){ start, nr };
}

/* The last refusal of the module: its code, and the start of the refused range. */
static void read_refusal(char code[32], uint64_t *start)
{
	FILE *f = fopen(FO "last_refusal", "r");
	char line[512];

	strcpy(code, "none");
	*start = UINT64_MAX;
	if (!f)
		die("last_refusal: %s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		sscanf(line, "code %31s", code);
		sscanf(line, "start_pfn %" SCNu64, start);
	}
	fclose(f);
}

/* Marks these ranges, all or none. Return: 0 or an errno. */
static int write_marks(const struct range *r, size_t nr)
{
	static char text[MAX_LINES * 44];
	size_t i, len = 0;

	if (mark_fd < 0)
		mark_fd = open_or_die(FO "mark", O_WRONLY);
	for (i = 0; i < nr; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"%" PRIu64 " %" PRIu64 "\n", r[i].start,
					r[i].nr);
	writes++;
	if (write(mark_fd, text, len) != (ssize_t)len) {
		if (errno != EBUSY && errno != ENOSPC && errno != ENOMEM &&
		    errno != EEXIST)
			die("mark %" PRIu64 "+%" PRIu64 ": %s", r->start, r->nr,
			    strerror(errno));
		full += errno == ENOSPC;
		return errno;
	}
	for (i = 0; i < nr; i++) {
		struct here *z = zone_of(r[i].start);

		z->marked += r[i].nr;
		memset(z->kind + (r[i].start - z->start), OFFLINE, r[i].nr);
	}
	return 0;
}

static int longer(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->nr != y->nr)
		return x->nr > y->nr ? -1 : 1;
	return x->start < y->start ? -1 : x->start > y->start;
}

/* Marks a range of one zone, all of it or as much as halves of halves give. */
static void mark_halving(struct here *z, struct range r)
{
	int error;

	if (z->full)
		return;
	error = write_marks(&r, 1);
	if (!error)
		return;
	if (r.nr == 1) {
		if (error != ENOSPC)
			refused++;
		else if (is_free_now(r.start))
			z->full = true;
		return;
	}
	mark_halving(z, (struct range){ r.start, r.nr / 2 });
	mark_halving(z, (struct range){ r.start + r.nr / 2, r.nr - r.nr / 2 });
}

/* The first page of the page block of a PFN, or the first one in the zone. */
static uint64_t block_start(const struct here *z, uint64_t pfn)
{
	pfn -= pfn % PAGE_BLOCK;
	return pfn > z->start ? pfn - z->start : 0;
}

/* Does the kernel use a page of the page block at i that is in the zone? */
static bool is_shared(const struct here *z, uint64_t i)
{
	uint64_t end = i + PAGE_BLOCK - (z->start + i) % PAGE_BLOCK;

	for (; i < end && i < z->nr; i++)
		if (z->kind[i] >= RESERVED)
			return true;
	return false;
}

static void mark_explicit(struct here *z)
{
	uint64_t i, n;
	bool shared = false;

	/* Pages have moved since the zone before this one was marked. */
	read_kinds(z);
	nr_runs = 0;
	for (i = n = 0; i < z->nr; i++) {
		bool fresh = !i || !((z->start + i) % PAGE_BLOCK), was = shared;

		if (fresh)
			shared = is_shared(z, i);
		/* A run ends where page blocks of the other sort begin. */
		if (n && fresh && (shared || was)) {
			push_run(z->start + i - n, n);
			n = 0;
		}
		if (z->kind[i] == FREE || (z->kind[i] == MOVABLE && !shared)) {
			n++;
		} else if (n) {
			push_run(z->start + i - n, n);
			n = 0;
		}
	}
	if (n)
		push_run(z->start + i - n, n);
	if (nr_runs)
		qsort(runs, nr_runs, sizeof(*runs), longer);
	for (i = 0; i < nr_runs && !z->full; i++)
		mark_halving(z, runs[i]);
}

/* The line that holds the start of the refused range, or nr. */
static size_t line_of(const struct range *r, size_t nr, uint64_t start)
{
	size_t i;

	for (i = 0; i < nr && start - r[i].start >= r[i].nr; i++)
		;
	return i;
}

/* Marks all lines of one zone that can be marked, in as few writes as possible. */
static void mark_lines(struct here *z, const struct range *r, size_t nr)
{
	uint64_t start;
	char code[32];

	while (nr && !z->full) {
		int error = write_marks(r, nr);
		size_t i;

		if (!error)
			return;
		if (nr == 1) {
			mark_halving(z, *r);
			return;
		}
		read_refusal(code, &start);
		i = error == EBUSY ? line_of(r, nr, start) : nr;
		if (i == nr) {
			mark_lines(z, r, nr / 2);
			r += nr / 2;
			nr -= nr / 2;
			continue;
		}
		mark_lines(z, r, i);
		if (r[i].nr > 1)
			mark_halving(z, r[i]);
		else
			refused++;
		/* A refusal for one movable page holds for all of the same page block. */
		if (!strcmp(code, "neighbour"))
			while (i + 1 < nr && z->kind[r[i + 1].start - z->start] ==
			       MOVABLE && r[i + 1].start / PAGE_BLOCK ==
			       r[i].start / PAGE_BLOCK)
				refused += r[++i].nr;
		r += i + 1;
		nr -= i + 1;
	}
}

/* The lines of the list that have this kind. */
static void mark_listed(struct here *z, enum kind kind)
{
	uint64_t i, n;
	size_t k;

	nr_runs = 0;
	for (i = n = 0; i <= z->nr; i++) {
		if (i < z->nr && z->listed[i] && z->kind[i] == kind) {
			n++;
		} else if (n) {
			push_run(z->start + i - n, n);
			n = 0;
		}
	}
	for (k = 0; k < nr_runs; k += n) {
		bool shared = is_shared(z, block_start(z, runs[k].start));
		size_t most = shared ? FEW_LINES : MAX_LINES;

		for (n = 1; n < most && k + n < nr_runs; n++)
			if (is_shared(z, block_start(z, runs[k + n].start)) != shared)
				break;
		mark_lines(z, runs + k, n);
	}
}

static uint64_t make_list(uint64_t seed, uint64_t percent)
{
	uint64_t pages = 0, listed = 0, wanted, i;
	struct random random = { seed };
	unsigned int sum = 0;
	struct here *z;

	for (z = zones; z < zones + nr_zones; z++) {
		sum += (unsigned int)z->nr;
		for (i = 0; i < z->nr; i++)
			pages += z->kind[i] != HOLE;
	}
	wanted = pages * percent / 100;
	while (listed < wanted) {
		uint64_t n;

		i = random_below(&random, sum);
		n = 1 + random_below(&random, LIST_RUN);
		for (z = zones; i >= z->nr; z++)
			i -= z->nr;
		for (; n && i < z->nr && listed < wanted; i++, n--) {
			if (z->kind[i] == HOLE || z->listed[i])
				continue;
			z->listed[i] = 1;
			listed++;
		}
	}
	printf("pages %" PRIu64 "\nlisted %" PRIu64 "\n", pages, listed);
	return listed;
}

/* Offers reserved pages of the list, one in each thousandth of their zone. */
static void try_reserved(void)
{
	unsigned int tried = 0, busy = 0;
	struct here *z;
	uint64_t i;

	for (z = zones; z < zones + nr_zones; z++) {
		for (i = 0; i < z->nr && tried < RESERVED_TRIED; i++) {
			struct range r = { z->start + i, 1 };

			if (!z->listed[i] || z->kind[i] != RESERVED)
				continue;
			tried++;
			busy += write_marks(&r, 1) == EBUSY;
			i += z->nr / 1000;
		}
	}
	printf("reserved_tried %u\nreserved_refused %u\n", tried, busy);
}

static void print_kinds(void)
{
	static const char *const names[NR_KINDS] = {
		[FREE] = "free", [MOVABLE] = "movable", [RESERVED] = "reserved",
		[PLAIN] = "plain", [KERNEL] = "kernel",
	};
	uint64_t all[NR_KINDS] = { 0 }, i;
	struct here *z;
	int k;

	for (z = zones; z < zones + nr_zones; z++) {
		uint64_t sums[NR_KINDS] = { 0 };

		for (i = 0; i < z->nr; i++)
			sums[z->kind[i]] += z->listed[i];
		for (k = 0; k < NR_KINDS; k++)
			all[k] += sums[k];
		printf("markable_%s %" PRIu64 "\nplain_%s %" PRIu64 "\n", z->name,
		       sums[FREE] + sums[MOVABLE], z->name, sums[PLAIN]);
	}
	for (k = FREE; k < NR_KINDS; k++)
		printf("%s %" PRIu64 "\n", names[k], all[k]);
}

static void mark_list(uint64_t seed, uint64_t percent)
{
	struct here *z;

	make_list(seed, percent);
	print_kinds();
	try_reserved();
	for (z = zones; z < zones + nr_zones; z++) {
		mark_listed(z, FREE);
		mark_listed(z, MOVABLE);
	}
}

static void print_marked(void)
{
	uint64_t marked = 0;

	for (size_t i = 0; i < nr_zones; i++) {
		marked += zones[i].marked;
		printf("marked_%s %" PRIu64 "\n", zones[i].name, zones[i].marked);
	}
	printf("marked %" PRIu64 "\nwrites %" PRIu64 "\nfull %" PRIu64
	       "\nrefused %" PRIu64 "\n", marked, writes, full, refused);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	uint64_t odd = UINT64_MAX;

	if (!strcmp(what, "explicit")) {
		zones_args(argc, argv, 2);
		for (size_t i = 0; i < nr_zones; i++)
			mark_explicit(&zones[i]);
		print_marked();
	} else if (!strcmp(what, "list") && argc > 4) {
		zones_args(argc, argv, 4);
		mark_list(parse_u64(argv[2]), parse_u64(argv[3]));
		print_marked();
	} else if (!strcmp(what, "look") && argc > 2) {
		int i = 2;

		if (!strcmp(argv[2], "-x") && argc > 4) {
			odd = parse_u64(argv[3]);
			i = 4;
		}
		zones_args(argc, argv, i);
		look(odd);
	} else {
		die("usage: grab explicit|list SEED PERCENT|look [-x PFN] ZONE...");
	}
	return 0;
}
