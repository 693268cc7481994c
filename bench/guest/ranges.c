// SPDX-License-Identifier: GPL-2.0
/* Measures the memory and the time of many ranges. */
#include "guest.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_ours(const char *cache)
{
	return !strcmp(cache, "fo_range");
}

/* Shrinks a slab cache, so that its object counts are exact. */
static void shrink(const char *cache)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", cache);
	if (!access(path, W_OK))
		write_to(path, "1");
}

/*
 * Bytes in the slab cache that holds struct fo_range, by the counts of the kernel's
 * allocator.
 */
static long slab_bytes(void)
{
	char line[512], name[64];
	unsigned long active, size;
	long bytes = 0;
	bool found = false;
	int pass;

	for (pass = 0; pass < 2; pass++) {
		FILE *file = fopen("/proc/slabinfo", "r");

		if (!file)
			die("no /proc/slabinfo");
		while (fgets(line, sizeof(line), file)) {
			if (sscanf(line, "%63s %lu %*u %lu", name, &active, &size) != 3 ||
			    !is_ours(name))
				continue;
			found = true;
			if (!pass)
				shrink(name);
			else
				bytes += active * size;
		}
		fclose(file);
	}
	if (!found)
		die("/proc/slabinfo has no fo_range: boot with slab_nomerge");
	return bytes;
}

/* The ranges begin in the block under test. */
static void refresh_all(void)
{
	unsigned long block;

	for (block = test_block(); block < setting.first_block + setting.nr_blocks; block++)
		block_refresh(block);
}

/* Makes @nr ranges of one page. One by one, 100 000 of them would take minutes. */
static void scatter(unsigned long pfn, unsigned long nr)
{
	if (nr < 100000) {
		operation("take_scattered", pfn, nr);
	} else {
		operation("take", pfn, 2 * nr);
		operation("thin", pfn, nr);
	}
}

static void memory_of(const char *row, unsigned long pfn, unsigned long nr)
{
	long slabs = slab_bytes(), all = read_value("/proc/meminfo", "Slab");

	scatter(pfn, nr);
	ours(row, (double)(slab_bytes() - slabs) / nr);
	/* All slab caches, in whole pages. */
	if (nr == 100000)
		fact("memory-100000-by-Slab",
		     (read_value("/proc/meminfo", "Slab") - all) * 1024.0 / nr);
	operation("release_all", pfn, nr);
}

void measure_memory(void)
{
	unsigned long pfn = block_pfn(test_block());
	unsigned int i, n = times(3, 1);

	load(NULL);
	refresh_all();
	for (i = 0; i < n; i++) {
		long slabs;

		memory_of("memory-1", pfn, 1);
		memory_of("memory-1000", pfn, 1000);
		memory_of("memory-10000", pfn, 10000);
		if (!setting.quick)
			memory_of("memory-100000", pfn, 100000);
		slabs = slab_bytes();
		operation("take", pfn, 100000);
		ours("memory-page", (double)(slab_bytes() - slabs) / 100000);
		operation("release", pfn, 100000);
	}
	unload();
}

/* The text of nr marks of one page, on every eighth page, because neighbours may be joined. */
static char *marks_text(unsigned long pfn, unsigned int nr)
{
	char *text = malloc(nr * 24 + 1), *at = text;
	unsigned int i;

	if (!text)
		die("no memory");
	for (i = 0; i < nr; i++)
		at += sprintf(at, "%lu 1\n", pfn + 8UL * i);
	return text;
}

static uint64_t timed_write(int fd, const char *text)
{
	uint64_t began = clock_ns();
	int ret = try_write(fd, text);

	if (ret)
		die("mark: %s", strerror(-ret));
	return clock_ns() - began;
}

static uint64_t one_by_one(int fd, char *text)
{
	uint64_t ns = 0;
	char *line, *end;

	for (line = text; *line; line = end) {
		char next;

		end = strchr(line, '\n') + 1;
		next = *end;
		*end = '\0';
		ns += timed_write(fd, line);
		*end = next;
	}
	return ns;
}

void measure_batch(void)
{
	unsigned long pfn = block_pfn(test_block());
	unsigned int i, n = times(15, 5);
	char *text = marks_text(pfn, 1000);
	int fd;

	load(NULL);
	fd = open_or_die(DEBUGFS "mark", O_WRONLY);
	for (i = 0; i < n; i++) {
		block_refresh(test_block());
		peer("batch-1000", one_by_one(fd, text));
		write_to(DEBUGFS "unmark", "all\n");
		block_refresh(test_block());
		ours("batch-1000", timed_write(fd, text));
		write_to(DEBUGFS "unmark", "all\n");
	}
	close(fd);
	unload();
	free(text);
}

static void grow_pages(unsigned long pfn, unsigned long nr)
{
	growth("mark-pages", nr, operation("take", pfn, nr));
	growth("unmark-pages", nr, operation("release", pfn, nr));
}

/* Measures marks and operations that may depend on the number of marks. */
static void grow_ranges(unsigned long pfn, unsigned long nr)
{
	unsigned long elsewhere = setting.first_block;
	unsigned int i;
	size_t bytes;

	if (nr < 100000)
		growth("mark-ranges", nr, operation("take_scattered", pfn, nr));
	else
		scatter(pfn, nr);
	growth("look-up", nr, operation("look_up", pfn, nr) / 100000.0);
	growth("list", nr, read_all_ns(DEBUGFS "ranges", &bytes));
	block_refresh(elsewhere);
	for (i = 0; i < 5; i++) {
		growth("offline-elsewhere", nr, block_offline(elsewhere));
		growth("online-elsewhere", nr, block_online(elsewhere));
	}
	growth("unmark-ranges", nr, operation("release_all", pfn, nr));
}

/* The marks are in all blocks from the block under test on. The first block has none. */
void measure_growth(void)
{
	unsigned long pfn = block_pfn(test_block()), nr;
	unsigned int i, n = times(3, 1);

	load(NULL);
	for (i = 0; i < n; i++) {
		for (nr = 1; nr <= 100000; nr *= 10) {
			refresh_all();
			grow_pages(pfn, nr);
			refresh_all();
			grow_ranges(pfn, nr);
		}
	}
	unload();
}
