// SPDX-License-Identifier: GPL-2.0
/*
 * LD_PRELOAD=preload.so counts the memory that offctl needs during an attempt to take a
 * memory block offline on a recorded tree. The attempt is the write to the file
 * "block_offline". It lasts until the thread that shows progress has drawn three times, and
 * fails with EBUSY. stderr counts as a terminal.
 *
 * The counts go to the file $PRELOAD_REPORT. Each of them covers both threads:
 *
 *   draws        lines of progress, at least 3 unless the thread does not work
 *   allocations  calls of malloc() and the like, and of mmap()
 *   faults       page faults
 *   locked       1 if offctl has locked pages, and so may lock pages
 *
 * If $PRELOAD_WASTE is set, each line of progress allocates and uses a page.
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define DRAWS 3
/* 10 ms each. Only a thread that does not work needs so many. */
#define MAX_PAUSES 30000

static atomic_bool in_attempt, waste;
static atomic_long draws, allocations;

/* The C library's own names, which need no dlsym(). */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

static void count_allocation(void)
{
	if (in_attempt)
		allocations++;
}

void *malloc(size_t size)
{
	count_allocation();
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	count_allocation();
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	count_allocation();
	return __libc_realloc(p, size);
}

void *reallocarray(void *p, size_t n, size_t size)
{
	count_allocation();
	return __libc_realloc(p, n * size);
}

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	static void *(*real)(void *, size_t, int, int, int, off_t);

	count_allocation();
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "mmap");
	return real(addr, len, prot, flags, fd, offset);
}

int isatty(int fd)
{
	return fd == STDERR_FILENO;
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
	static ssize_t (*real)(int, const struct iovec *, int);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "writev");
	if (in_attempt && fd == STDERR_FILENO) {
		if (waste) {
			volatile char *page = malloc(1 << 20);

			if (page)
				page[1 << 19] = 1;
		}
		draws++;
	}
	return real(fd, parts, n);
}

static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

static bool have_locked_pages(void)
{
	char line[128];
	long locked = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "VmLck:", 6))
			locked = strtol(line + 6, NULL, 10);
	if (f)
		fclose(f);
	return locked;
}

static void attempt(void)
{
	const struct timespec no_time = {0}, pause = { .tv_nsec = 10000000 };
	const char *path = getenv("PRELOAD_REPORT");
	bool locked = have_locked_pages();
	long before, after;
	FILE *report;

	/* The first calls may need memory, so they come before the count. */
	nanosleep(&no_time, NULL);
	faults();
	waste = getenv("PRELOAD_WASTE") != NULL;
	before = faults();
	in_attempt = true;
	for (int i = 0; i < MAX_PAUSES && draws < DRAWS; i++)
		nanosleep(&pause, NULL);
	in_attempt = false;
	after = faults();
	report = path ? fopen(path, "w") : NULL;
	if (!report)
		return;
	fprintf(report, "draws %s\nallocations %ld\nfaults %ld\nlocked %d\n",
		draws < DRAWS ? "missing" : "done", allocations, after - before,
		locked);
	fclose(report);
}

ssize_t write(int fd, const void *buf, size_t len)
{
	static ssize_t (*real)(int, const void *, size_t);
	static const char name[] = "/block_offline";
	char link[64], path[PATH_MAX];
	ssize_t n;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "write");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		n = 0;
	path[n] = '\0';
	if ((size_t)n < sizeof(name) ||
	    strcmp(path + n - (sizeof(name) - 1), name))
		return real(fd, buf, len);
	attempt();
	errno = EBUSY;
	return -1;
}
