// SPDX-License-Identifier: GPL-2.0
/*
 * The zones of grab's arguments: the kinds of their pages, and whether the module's list
 * agrees.
 */
#include "grab.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KPF_SWAPBACKED	14

struct here zones[MAX_ZONES_HERE];
size_t nr_zones;

static enum kind kind_of(uint64_t flags)
{
	const uint64_t used = UINT64_C(1) << KPF_LRU | 1 << KPF_MMAP |
			      1 << KPF_ANON | 1 << KPF_SWAPBACKED;

	if (flags >> KPF_NOPAGE & 1)
		return HOLE;
	if (flags >> KPF_OFFLINE & 1)
		return OFFLINE;
	if (flags >> KPF_BUDDY & 1)
		return FREE;
	if (flags >> KPF_RESERVED & 1)
		return RESERVED;
	if (flags & (UINT64_C(1) << KPF_SLAB | UINT64_C(1) << KPF_PGTABLE |
		     UINT64_C(1) << KPF_HWPOISON))
		return KERNEL;
	if (!flags)
		return PLAIN;
	return (flags & used) ? MOVABLE : KERNEL;
}

static int flags_fd(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open_or_die("/proc/kpageflags", O_RDONLY);
	return fd;
}

bool is_free_now(uint64_t pfn)
{
	uint64_t flags;

	read_entries(flags_fd(), pfn, 1, &flags);
	return kind_of(flags) == FREE;
}

void read_kinds(struct here *z)
{
	static uint64_t flags[4096];
	uint64_t i, j, n;

	for (i = 0; i < z->nr; i += n) {
		n = at_most(z->nr - i, 4096);
		read_entries(flags_fd(), z->start + i, n, flags);
		for (j = 0; j < n; j++)
			z->kind[i + j] = (unsigned char)kind_of(flags[j]);
	}
}

void zones_args(int argc, char **argv, int i)
{
	for (; i < argc; i++) {
		struct here *z = &zones[nr_zones++];
		struct ranges one = { 0 };
		char *colon = strchr(argv[i], ':');

		if (!colon || nr_zones > MAX_ZONES_HERE)
			die("not NAME:START+NR, or too many: %s", argv[i]);
		*colon = '\0';
		ranges_add(&one, colon + 1);
		z->name = argv[i];
		z->start = one.r[0].start;
		z->nr = one.r[0].nr;
		free(one.r);
		z->kind = calloc(z->nr, 1);
		z->listed = calloc(z->nr, 1);
		if (!z->kind || !z->listed)
			die("out of memory");
		read_kinds(z);
	}
	if (!nr_zones)
		die("no zones");
}

struct here *zone_of(uint64_t pfn)
{
	for (size_t i = 0; i < nr_zones; i++)
		if (pfn - zones[i].start < zones[i].nr)
			return &zones[i];
	return NULL;
}

/* Reads the module's list, and applies -x. */
static uint64_t read_list(uint64_t odd)
{
	FILE *f = fopen(FO "ranges", "r");
	uint64_t start, nr, stray = 0;
	struct here *z;
	char line[256];

	if (!f)
		die("ranges: %s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		if (line[0] == '#')
			continue;
		if (sscanf(line, "%" SCNu64 " %" SCNu64, &start, &nr) != 2)
			die("ranges: %s", line);
		if (!strstr(line, "in_force"))
			die("not in force: %s", line);
		for (; nr; start++, nr--) {
			z = zone_of(start);
			if (z)
				z->listed[start - z->start]++;
			else
				stray++;
		}
	}
	if (ferror(f))
		die("ranges: read error");
	fclose(f);
	z = zone_of(odd);
	if (z)
		z->listed[odd - z->start] ^= 1;
	return stray;
}

void look(uint64_t odd)
{
	uint64_t listed = 0, offline = 0, both = 0, buddy = 0, i, n;
	uint64_t stray = read_list(odd);
	struct here *z;

	for (z = zones; z < zones + nr_zones; z++) {
		for (i = n = 0; i < z->nr; i++) {
			/* A page that is in the list twice counts twice. */
			n += z->listed[i];
			offline += z->kind[i] == OFFLINE;
			both += z->listed[i] && z->kind[i] == OFFLINE;
			buddy += z->listed[i] && z->kind[i] == FREE;
		}
		printf("listed_%s %" PRIu64 "\n", z->name, n);
		listed += n;
	}
	printf("listed %" PRIu64 "\noffline %" PRIu64 "\nboth %" PRIu64
	       "\nbuddy %" PRIu64 "\nstray %" PRIu64 "\n", listed, offline, both,
	       buddy, stray);
}
