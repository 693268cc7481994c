// SPDX-License-Identifier: GPL-2.0
/*
 * bench [--quick] [--few] [--suffix=TEXT] [--parameters=TEXT] GROUP...
 *
 * Measures groups of rows, in a guest with hot-added memory that is online in
 * ZONE_MOVABLE: see bench/run. --parameters are those of fake_offline.
 */
#include "guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct setting setting = { .suffix = "", .parameters = "" };

static const struct {
	const char *name;
	void (*measure)(void);
} groups[] = {
	{ "take", measure_take },
	{ "half-used", measure_half_used },
	{ "share", measure_share },
	{ "share-used", measure_share_used },
	{ "skip", measure_skip },
	{ "idle", measure_idle },
	{ "memory", measure_memory },
	{ "verify", measure_verify },
	{ "batch", measure_batch },
	{ "growth", measure_growth },
	{ "virtio-mem", measure_virtio_mem },
};
#define NR_GROUPS (sizeof(groups) / sizeof(groups[0]))

unsigned long test_block(void)
{
	return setting.first_block + 1;
}

unsigned long block_pfn(unsigned long block)
{
	return block * setting.block_pages;
}

unsigned int times(unsigned int many, unsigned int few)
{
	return setting.few ? few : many;
}

/* The hot-added memory is above 4 GiB, without a hole. */
static void find_blocks(void)
{
	char path[80], text[32];
	FILE *file = fopen("/sys/devices/system/memory/block_size_bytes", "r");
	unsigned long block;

	if (!file || !fgets(text, sizeof(text), file))
		die("no memory blocks in sysfs");
	fclose(file);
	setting.block_pages = strtoul(text, NULL, 16) / PAGE_BYTES;
	setting.first_block = (1UL << 32) / PAGE_BYTES / setting.block_pages;
	for (block = setting.first_block;; block++) {
		snprintf(path, sizeof(path),
			 "/sys/devices/system/memory/memory%lu/state", block);
		if (access(path, W_OK))
			break;
	}
	setting.nr_blocks = block - setting.first_block;
	if (setting.nr_blocks < 8)
		die("%lu hot-added blocks are too few", setting.nr_blocks);
}

static void measure(const char *name)
{
	uint64_t began = clock_ns();
	size_t i;

	for (i = 0; i < NR_GROUPS; i++) {
		if (strcmp(groups[i].name, name))
			continue;
		fprintf(stderr, "# %s%s\n", name, setting.suffix);
		groups[i].measure();
		fprintf(stderr, "# %s%s: %.0f s\n", name, setting.suffix,
			(double)(clock_ns() - began) / 1e9);
		return;
	}
	die("there is no group %s", name);
}

int main(int argc, char **argv)
{
	int i;

	find_blocks();
	/* Kernel messages on the console take longer than the measured operations. */
	write_to("/proc/sys/kernel/printk", "4");
	if (!system("grep -q '^virtio_mem ' /proc/modules"))
		run_or_die("rmmod virtio_mem");
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--quick"))
			setting.quick = true;
		else if (!strcmp(argv[i], "--few"))
			setting.few = true;
		else if (!strncmp(argv[i], "--suffix=", 9))
			setting.suffix = argv[i] + 9;
		else if (!strncmp(argv[i], "--parameters=", 13))
			setting.parameters = argv[i] + 13;
		else
			measure(argv[i]);
	}
	return 0;
}
