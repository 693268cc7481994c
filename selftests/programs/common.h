/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The programs of these tests share this: sets of page frames, and the kernel's own
 * files about them. Nothing here knows fake_offline.
 *
 * A function that cannot do its work ends the program with a message and status 2. So no
 * caller continues with half an answer.
 */
#ifndef SELFTESTS_COMMON_H
#define SELFTESTS_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bits of an entry of /proc/kpageflags, include/uapi/linux/kernel-page-flags.h */
#define KPF_SLAB		7
#define KPF_LRU			5
#define KPF_BUDDY		10
#define KPF_MMAP		11
#define KPF_ANON		12
#define KPF_SWAPBACKED		14
#define KPF_COMPOUND_HEAD	15
#define KPF_COMPOUND_TAIL	16
#define KPF_HUGE		17
#define KPF_HWPOISON		19
#define KPF_NOPAGE		20
#define KPF_THP			22
#define KPF_OFFLINE		23
#define KPF_PGTABLE		26
#define KPF_RESERVED		32
#define KPF_OWNER_2		34	/* 6.12; KPF_MAPPEDTODISK before */
#define KPF_OWNER_PRIVATE	37
/* Only the kernel with the flag has it, see kernel/. */
#define KPF_OFFLINE_SKIPPABLE	27

/* Pages of a page block, on x86-64. */
#define PAGE_BLOCK		512

struct range {
	uint64_t start;
	uint64_t nr;
};

struct ranges {
	struct range *r;
	size_t nr;
};

/* One zone as /proc/zoneinfo shows it. */
struct zone {
	char name[16];
	int node;
	long free;
	long min;
	long managed;
	long protection;	/* the reserve against requests that may use Movable */
	long pcp;		/* free pages on the lists of the CPUs */
};

#define MAX_ZONES 32

void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

uint64_t at_most(uint64_t n, uint64_t limit);

/* A number, decimal or with 0x, which must be the whole word. */
uint64_t parse_u64(const char *word);

/*
 * Adds the pages of one argument: START+NR, or @FILE with "START NR" at the start of
 * each line. Empty lines and lines that start with '#' are skipped.
 */
void ranges_add(struct ranges *set, const char *arg);
/* All arguments from argv[i] on, sorted. Without any, or with an overlap, it ends the program. */
void ranges_args(struct ranges *set, int argc, char **argv, int i);
uint64_t ranges_pages(const struct ranges *set);
/* The set must be one that ranges_args() made. */
bool ranges_have(const struct ranges *set, uint64_t pfn);

/* Reads nr entries of /proc/kpageflags or /proc/kpagecount from pfn on. */
int open_or_die(const char *path, int flags);
void read_entries(int fd, uint64_t pfn, uint64_t nr, uint64_t *out);
const char *flag_name(int bit);
/* The bit of a flag's name. An unknown name ends the program. */
int flag_bit(const char *name);

/*
 * The page frames behind nr pages at addr, 0 where none is present. Ends the
 * program if the kernel hides them (no CAP_SYS_ADMIN).
 */
void pagemap_read(const void *addr, size_t nr, uint64_t *pfns);

/*
 * The kernel must not back this memory with transparent huge pages. A kernel that has
 * none refuses such a request with EINVAL, which is as good.
 */
void small_pages(void *addr, size_t len);

/* All zones with managed pages, with the kernel's per-CPU counts folded in. */
int zones_read(struct zone *zones);
/*
 * Pages that a user's request for movable memory can still get, over all
 * zones, before the kernel would have to reclaim or kill.
 */
long pages_to_get(void);

/*
 * For a program that works all the time and may have that share of a CPU: the number of
 * milliseconds to sleep now. Short sleeps are put together, since a sleep has a cost.
 */
int share_to_sleep(unsigned int percent);

#endif
