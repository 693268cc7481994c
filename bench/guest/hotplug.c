// SPDX-License-Identifier: GPL-2.0
/* Measures hotplug operations. */
#include "guest.h"

#include <errno.h>
#include <stdlib.h>

/* Cycles in a row. Their median is one sample, because neighbouring cycles are alike. */
#define CYCLES	5

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static double median(uint64_t *ns, unsigned int nr)
{
	qsort(ns, nr, sizeof(*ns), compare);
	return nr & 1 ? ns[nr / 2] : (ns[nr / 2 - 1] + ns[nr / 2]) / 2.0;
}

static void cycles(const char *offline_row, const char *online_row,
		   void (*side)(const char *row, double value))
{
	uint64_t off[CYCLES], on[CYCLES];
	unsigned int i;

	/* Not timed, so that earlier measurements do not affect the result. */
	block_refresh(test_block());
	for (i = 0; i < CYCLES; i++) {
		off[i] = block_offline(test_block());
		on[i] = block_online(test_block());
	}
	side(offline_row, median(off, CYCLES));
	side(online_row, median(on, CYCLES));
}

/* A part of the block is marked, and the rest is free. The peer has no module. */
void measure_share(void)
{
	static const struct {
		unsigned int percent;
		const char *offline, *online;
	} shares[] = {
		{ 0, "offline-0", "online-0" },
		{ 25, "offline-25", "online-25" },
		{ 50, "offline-50", "online-50" },
		{ 75, "offline-75", "online-75" },
		{ 100, "offline-100", "online-100" },
	};
	unsigned long pfn = block_pfn(test_block());
	unsigned int i, k, n = times(15, 5);

	for (i = 0; i < n; i++) {
		for (k = 0; k < sizeof(shares) / sizeof(shares[0]); k++) {
			unsigned long nr = setting.block_pages * shares[k].percent / 100;

			cycles(shares[k].offline, shares[k].online, peer);
			load(NULL);
			if (nr)
				operation("take", pfn, nr);
			cycles(shares[k].offline, shares[k].online, ours);
			if (nr)
				operation("release", pfn, nr);
			unload();
		}
	}
}

static void offline_used(const char *row, unsigned int percent)
{
	struct occupied share;

	block_refresh(test_block());
	occupy(&share, percent);
	peer(row, block_offline(test_block()));
	block_online(test_block());
	vacate(&share);
}

/* The same share is in use by a process, without the module, and is migrated. */
void measure_share_used(void)
{
	static const struct {
		unsigned int percent;
		const char *row;
	} shares[] = {
		{ 25, "offline-25-used" },
		{ 50, "offline-50-used" },
		{ 75, "offline-75-used" },
		{ 100, "offline-100-used" },
	};
	unsigned long pfn = block_pfn(test_block());
	unsigned int i, k, n = times(9, 3);

	others_offline();
	for (i = 0; i < n; i++) {
		for (k = 0; k < sizeof(shares) / sizeof(shares[0]); k++) {
			unsigned long nr = setting.block_pages * shares[k].percent / 100;

			offline_used(shares[k].row, shares[k].percent);
			load(NULL);
			block_refresh(test_block());
			operation("take", pfn, nr);
			ours(shares[k].row, block_offline(test_block()));
			block_online(test_block());
			operation("release", pfn, nr);
			unload();
		}
	}
	others_online();
}

/* All of the block is marked, and the attempt is vetoed after the module's notifier. */
static void cancels(const char *skip, void (*side)(const char *row, double value))
{
	unsigned long pfn = block_pfn(test_block());
	uint64_t ns[2 * CYCLES];
	unsigned int i;

	load(skip);
	operation("take", pfn, setting.block_pages);
	write_to(DEBUGFS "inject", "offline after -12 1000\n");
	block_offline_fails(test_block(), ENOMEM);
	for (i = 0; i < 2 * CYCLES; i++)
		ns[i] = block_offline_fails(test_block(), ENOMEM);
	side("skip-cancel", median(ns, 2 * CYCLES));
	write_to(DEBUGFS "inject", "clear\n");
	unload();
}

void measure_skip(void)
{
	unsigned int i, n = times(15, 5);

	for (i = 0; i < n; i++) {
		cancels("frozen", ours);
		cancels("notifier", peer);
	}
}

/* An offline and an online operation, as one measure. */
static void whole_cycles(const char *row, void (*side)(const char *row, double value))
{
	uint64_t ns[2 * CYCLES];
	unsigned int i;

	block_refresh(test_block());
	for (i = 0; i < 2 * CYCLES; i++) {
		ns[i] = block_offline(test_block());
		ns[i] += block_online(test_block());
	}
	side(row, median(ns, 2 * CYCLES));
}

/* No page of the block under test is marked, and many pages or none elsewhere. */
void measure_idle(void)
{
	unsigned long elsewhere = block_pfn(test_block() + 1);
	unsigned int i, n = times(15, 5);

	for (i = 0; i < n; i++) {
		whole_cycles("idle-0", peer);
		load(NULL);
		whole_cycles("idle-0", ours);
		unload();

		whole_cycles("idle-100000", peer);
		load(NULL);
		operation("take", elsewhere, 100000);
		operation("split", elsewhere, 100000);
		whole_cycles("idle-100000", ours);
		unload();
	}
}
