// SPDX-License-Identifier: GPL-2.0
/*
 * Looks at the machine after a step.
 *
 * /proc/kpageflags has every page of the blocks under test, /proc/meminfo has MemTotal
 * to the kB. The module has its own view: ranges, verify and inject.
 */
#include "common.h"
#include "kernel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct seen seen;

void observe_init(void)
{
	seen.flags = calloc(world.nr_pages, sizeof(*seen.flags));
	seen.listed = calloc(world.nr_pages, 1);
	if (!seen.flags || !seen.listed)
		die("out of memory");
}

static void list(uint64_t start, uint64_t nr, unsigned char is)
{
	uint64_t i;

	for (i = start; i < start + nr; i++) {
		if (i - world.first_pfn < world.nr_pages)
			seen.listed[i - world.first_pfn] = is;
		else
			seen.outside++;
	}
}

static FILE *open_list(const char *path)
{
	FILE *f = fopen(path, "r");

	if (!f)
		die("%s: %s", path, strerror(errno));
	return f;
}

static void observe_ranges(void)
{
	FILE *f = open_list(FO "ranges");
	uint64_t start, nr;
	char line[256], owner[32];
	int skippable, canary;

	memset(seen.listed, 0, world.nr_pages);
	seen.outside = 0;
	while (fgets(line, sizeof(line), f)) {
		if (line[0] == '#')
			continue;
		if (sscanf(line, "%" SCNu64 " %" SCNu64 " %d %d %*d %*s %31s",
			   &start, &nr, &skippable, &canary, owner) != 5)
			die("ranges: not as expected: %s", line);
		list(start, nr, MARKED | (skippable ? SKIPPABLE : 0) |
		     (canary ? CANARY : 0) |
		     (strcmp(owner, "debugfs") ? FOREIGN : 0));
	}
	fclose(f);
}

const char *const verify_names[NR_VERIFY] = {
	"ranges", "pages", "pages_block_offline", "page_offline", "skippable",
	"skippable_expected", "buddy", "wrong_count", "canary",
	"canary_broken", "poisoned", "canary_unchecked", "first_bad_pfn",
};

static void observe_verify(void)
{
	FILE *f = open_list(FO "verify");
	char line[512], name[32];
	size_t i;

	for (i = 0; i < NR_VERIFY; i++)
		if (!fgets(line, sizeof(line), f) ||
		    sscanf(line, "%31s %ld", name, &seen.verify[i]) != 2 ||
		    strcmp(name, verify_names[i]))
			die("verify: not as expected: %s", line);
	fclose(f);
}

static void observe_inject(void)
{
	FILE *f = open_list(FO "inject");
	char line[128];
	int i;

	memset(seen.inject, 0, sizeof(seen.inject));
	while (fgets(line, sizeof(line), f))
		for (i = 0; i < NR_POINTS; i++) {
			size_t len = strlen(point_names[i]);
			int error;

			if (!strncmp(line, point_names[i], len) &&
			    sscanf(line + len, " %d %u", &error,
				   &seen.inject[i].count) == 2)
				seen.inject[i].error = -error;
		}
	fclose(f);
}

void kernel_observe(void)
{
	unsigned int i;

	for (i = 0; i < world.nr_blocks; i++)
		seen.block[i] = get_block(i);
	read_entries(flags_fd, world.first_pfn, world.nr_pages, seen.flags);
	seen.mem_total = get_mem_total();
	observe_ranges();
	observe_verify();
	observe_inject();
}
