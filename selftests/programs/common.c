// SPDX-License-Identifier: GPL-2.0
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/mman.h>
#include <unistd.h>

void die(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

uint64_t at_most(uint64_t n, uint64_t limit)
{
	return n < limit ? n : limit;
}

uint64_t parse_u64(const char *word)
{
	char *end;
	uint64_t v;

	errno = 0;
	v = strtoull(word, &end, 0);
	if (errno || end == word || *end || *word == '-')
		die("not a number: %s", word);
	return v;
}

static void ranges_push(struct ranges *set, uint64_t start, uint64_t nr)
{
	struct range *r;

	if (!nr || start + nr < start)
		die("bad range %" PRIu64 "+%" PRIu64, start, nr);
	r = realloc(set->r, (set->nr + 1) * sizeof(*r));
	if (!r)
		die("out of memory");
	r[set->nr].start = start;
	r[set->nr].nr = nr;
	set->r = r;
	set->nr++;
}

static void ranges_add_file(struct ranges *set, const char *path)
{
	char line[256];
	FILE *f = fopen(path, "r");

	if (!f)
		die("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		char *save, *a, *b;

		if (line[0] == '#')
			continue;
		a = strtok_r(line, " \t\n", &save);
		if (!a)
			continue;
		b = strtok_r(NULL, " \t\n", &save);
		if (!b)
			die("%s: a line without a count", path);
		ranges_push(set, parse_u64(a), parse_u64(b));
	}
	if (ferror(f))
		die("%s: read error", path);
	fclose(f);
}

void ranges_add(struct ranges *set, const char *arg)
{
	char word[64];
	char *plus;

	if (arg[0] == '@') {
		ranges_add_file(set, arg + 1);
		return;
	}
	if (strlen(arg) >= sizeof(word))
		die("not a range: %s", arg);
	strcpy(word, arg);
	plus = strchr(word, '+');
	if (!plus)
		die("not START+NR: %s", arg);
	*plus = '\0';
	ranges_push(set, parse_u64(word), parse_u64(plus + 1));
}

static int range_cmp(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

void ranges_args(struct ranges *set, int argc, char **argv, int i)
{
	size_t k;

	for (; i < argc; i++)
		ranges_add(set, argv[i]);
	if (!set->nr)
		die("no pages named: nothing would be checked");
	qsort(set->r, set->nr, sizeof(*set->r), range_cmp);
	for (k = 1; k < set->nr; k++)
		if (set->r[k].start - set->r[k - 1].start < set->r[k - 1].nr)
			die("ranges overlap at pfn %" PRIu64, set->r[k].start);
}

uint64_t ranges_pages(const struct ranges *set)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < set->nr; i++)
		sum += set->r[i].nr;
	return sum;
}

bool ranges_have(const struct ranges *set, uint64_t pfn)
{
	size_t lo = 0, hi = set->nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (pfn < set->r[mid].start)
			hi = mid;
		else if (pfn - set->r[mid].start < set->r[mid].nr)
			return true;
		else
			lo = mid + 1;
	}
	return false;
}

int open_or_die(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

void read_entries(int fd, uint64_t pfn, uint64_t nr, uint64_t *out)
{
	size_t want = nr * sizeof(*out), got = 0;

	while (got < want) {
		ssize_t n = pread(fd, (char *)out + got, want - got,
				  (off_t)(pfn * sizeof(*out) + got));

		if (n < 0)
			die("read at pfn %" PRIu64 ": %s", pfn, strerror(errno));
		if (!n)
			die("pfn %" PRIu64 ": beyond the end", pfn);
		got += (size_t)n;
	}
}

static const struct {
	int bit;
	const char *name;
} flags[] = {
	{ KPF_NOPAGE, "nopage" },
	{ KPF_OFFLINE, "offline" },
	{ KPF_BUDDY, "buddy" },
	{ KPF_HWPOISON, "hwpoison" },
	{ KPF_OWNER_PRIVATE, "owner_private" },
	{ KPF_OFFLINE_SKIPPABLE, "offline_skippable" },
	{ KPF_OWNER_2, "owner_2" },
	{ KPF_RESERVED, "reserved" },
	{ KPF_SLAB, "slab" },
	{ KPF_PGTABLE, "pgtable" },
	{ KPF_LRU, "lru" },
	{ KPF_MMAP, "mmap" },
	{ KPF_ANON, "anon" },
	{ KPF_HUGE, "huge" },
};

const char *flag_name(int bit)
{
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (flags[i].bit == bit)
			return flags[i].name;
	die("no name for flag %d", bit);
}

int flag_bit(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (!strcmp(flags[i].name, name))
			return flags[i].bit;
	die("no flag has the name %s", name);
}

void small_pages(void *addr, size_t len)
{
	if (madvise(addr, len, MADV_NOHUGEPAGE) && errno != EINVAL)
		die("madvise: %s", strerror(errno));
}

void pagemap_read(const void *addr, size_t nr, uint64_t *pfns)
{
	static int fd = -1;
	static long page;
	size_t i;

	if (fd < 0) {
		fd = open_or_die("/proc/self/pagemap", O_RDONLY);
		page = sysconf(_SC_PAGESIZE);
	}
	read_entries(fd, (uintptr_t)addr / (uintptr_t)page, nr, pfns);
	for (i = 0; i < nr; i++) {
		bool present;

		/* There is no swap: this page is being migrated at the moment. */
		while (pfns[i] >> 62 == 1) {
			sched_yield();
			read_entries(fd, (uintptr_t)addr / (uintptr_t)page + i,
				     1, &pfns[i]);
		}
		present = pfns[i] >> 63;

		pfns[i] = present ? pfns[i] & ((UINT64_C(1) << 55) - 1) : 0;
		if (present && !pfns[i])
			die("the kernel hides page frame numbers: not root?");
	}
}

/* A read of this file adds the per-CPU counts of free pages to those of the zones. */
static void refresh_counts(void)
{
	int fd = open_or_die("/proc/sys/vm/stat_refresh", O_WRONLY);

	if (write(fd, "1", 1) != 1)
		die("stat_refresh: %s", strerror(errno));
	close(fd);
}

static void parse_protection(struct zone *z, char *line, int movable)
{
	char *save, *word = strtok_r(strchr(line, '(') + 1, ", )\n", &save);
	int i;

	for (i = 0; word && i < movable; i++)
		word = strtok_r(NULL, ", )\n", &save);
	if (!word)
		die("zoneinfo: protection has no entry for Movable");
	z->protection = (long)parse_u64(word);
}

int zones_read(struct zone *zones)
{
	/* The numbers of "protection" are in the order in which the zones are listed. */
	int movable = -1, nr = 0, index = 0;
	struct zone all[MAX_ZONES], *z = NULL;
	char (*protection)[256];
	char line[256];
	FILE *f;
	int i;

	protection = calloc(MAX_ZONES, sizeof(*protection));
	if (!protection)
		die("out of memory");
	refresh_counts();
	f = fopen("/proc/zoneinfo", "r");
	if (!f)
		die("/proc/zoneinfo: %s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		char name[16];
		long v;
		int node;

		if (sscanf(line, "Node %d, zone %15s", &node, name) == 2) {
			if (nr == MAX_ZONES)
				die("zoneinfo: too many zones");
			index = z && z->node == node ? index + 1 : 0;
			z = &all[nr];
			memset(z, 0, sizeof(*z));
			z->node = node;
			strcpy(z->name, name);
			if (!strcmp(name, "Movable"))
				movable = index;
			nr++;
		} else if (!z) {
			continue;
		} else if (sscanf(line, " pages free %ld", &v) == 1) {
			z->free = v;
		} else if (sscanf(line, " min %ld", &v) == 1) {
			z->min = v;
		} else if (sscanf(line, " managed %ld", &v) == 1) {
			z->managed = v;
		} else if (sscanf(line, " count: %ld", &v) == 1) {
			z->pcp += v;
		} else if (strstr(line, "protection: (")) {
			strcpy(protection[nr - 1], line);
		}
	}
	if (ferror(f) || !nr || movable < 0)
		die("zoneinfo: not as expected");
	fclose(f);
	for (i = index = 0; i < nr; i++) {
		if (!all[i].managed)
			continue;
		parse_protection(&all[i], protection[i], movable);
		zones[index++] = all[i];
	}
	free(protection);
	return index;
}

long pages_to_get(void)
{
	struct zone zones[MAX_ZONES];
	int i, nr = zones_read(zones);
	long sum = 0;

	for (i = 0; i < nr; i++) {
		long over = zones[i].free - zones[i].min - zones[i].protection;

		if (over > 0)
			sum += over;
	}
	return sum;
}

static int64_t cpu_time(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t))
		die("clock_gettime: %s", strerror(errno));
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int share_to_sleep(unsigned int percent)
{
	static int64_t due, since;
	int64_t now, ms;

	if (percent >= 100)
		return 0;
	now = cpu_time();
	due += (now - since) * (100 - percent) / percent;
	since = now;
	ms = due / 1000000;
	if (ms < 4)
		return 0;
	due = 0;
	/* An answer to a command may take long. That time is not made up for. */
	return ms < 100 ? (int)ms : 100;
}
