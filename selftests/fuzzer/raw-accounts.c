// SPDX-License-Identifier: GPL-2.0
/*
 * The accounts: the module's list, /proc/kpageflags and MemTotal must agree.
 */
#include "common.h"
#include "raw.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RESERVE		"/sys/module/fake_offline/parameters/reserve_mib"
#define MAY_MARK_MIB	32

static long base_total, base_reserve;

long get_number(const char *path, const char *format)
{
	FILE *f = fopen(path, "r");
	char line[256];
	long n;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, format, &n) == 1) {
			fclose(f);
			return n;
		}
	die("%s: not as expected", path);
}

static long mem_total(void)
{
	return get_number("/proc/meminfo", "MemTotal: %ld kB");
}

/* A mark must leave the memory that is available now, less some MiB. */
static void set_reserve(void)
{
	long mib = get_number("/proc/meminfo", "MemAvailable: %ld kB") / 1024;
	char word[32];

	sprintf(word, "%ld", mib > 2 * MAY_MARK_MIB ? mib - MAY_MARK_MIB : mib / 2);
	if (!put(RESERVE, word))
		die("reserve_mib cannot be set");
}

bool all_online(void)
{
	char path[96], line[64];
	uint64_t i;

	for (i = first_block; i < first_block + nr_blocks; i++) {
		sprintf(line, "%" PRIu64 " online_movable\n", i);
		put(FO "block_online", line);
		sprintf(path, SYSMEM "memory%" PRIu64 "/online", i);
		if (get_number(path, "%ld") != 1)
			return failed("a block does not come online");
	}
	offline_since = 0;
	return true;
}

static long flagged(int bit)
{
	static uint64_t entries[4096];
	int fd = open_or_die("/proc/kpageflags", O_RDONLY);
	uint64_t i, k;
	long n = 0;

	for (i = 0; i < nr_pages; i += 4096) {
		read_entries(fd, first_pfn + i, 4096, entries);
		for (k = 0; k < 4096; k++)
			n += entries[k] >> bit & 1;
	}
	close(fd);
	return n;
}

/*
 * Counts the listed pages: those in force, those of them in the blocks under test, and
 * those that wait. All blocks are online, so a page that waits has no memory.
 */
static void count_listed(long *in_force, long *tested, long *waiting)
{
	FILE *f = fopen(FO "ranges", "r");
	char line[256], state[16];
	uint64_t start, nr, i;

	if (!f)
		die("ranges: %s", strerror(errno));
	*in_force = *tested = *waiting = 0;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%" SCNu64 " %" SCNu64 " %*d %*d %*d %*s %*s %*u %15s",
			   &start, &nr, state) != 3)
			continue;
		if (!strcmp(state, "waiting")) {
			*waiting += (long)nr;
			continue;
		}
		for (i = start; i < start + nr; i++) {
			++*in_force;
			*tested += i - first_pfn < nr_pages;
		}
	}
	fclose(f);
}

static bool same(const char *what, long want, long got)
{
	char line[160];

	if (want == got)
		return true;
	snprintf(line, sizeof(line), "%s: %ld, and is to be %ld", what, got, want);
	return failed(line);
}

static bool check_verify(long in_force, long waiting)
{
	return same("verify: pages", in_force + waiting,
		    get_number(FO "verify", "pages %ld")) &&
	       same("verify: page_offline", in_force,
		    get_number(FO "verify", "page_offline %ld")) &&
	       same("verify: skippable",
		    get_number(FO "verify", "skippable_expected %ld"),
		    get_number(FO "verify", "skippable %ld")) &&
	       same("verify: buddy", 0, get_number(FO "verify", "buddy %ld")) &&
	       same("verify: wrong_count", 0,
		    get_number(FO "verify", "wrong_count %ld"));
}

bool check_and_undo(void)
{
	long in_force, tested, waiting;

	if (!put(FO "inject", "clear\n"))
		return failed("\"clear\" is refused");
	if (!all_online())
		return false;
	count_listed(&in_force, &tested, &waiting);
	tested += planted;
	if (!same("PageOffline pages", tested, flagged(KPF_OFFLINE)) ||
	    !same("MemTotal", base_total - 4 * in_force, mem_total()) ||
	    !check_verify(in_force, waiting))
		return false;
	if (!put(FO "unmark", "all\n"))
		return failed("\"all\" is refused");
	set_reserve();
	return same("MemTotal, nothing marked", base_total, mem_total()) &&
	       check_verify(0, 0);
}

void accounts_init(void)
{
	base_total = mem_total();
	base_reserve = get_number(RESERVE, "%ld");
	set_reserve();
}

void accounts_end(void)
{
	char word[32];

	sprintf(word, "%ld", base_reserve);
	if (!put(RESERVE, word))
		die("reserve_mib cannot be set");
}
