// SPDX-License-Identifier: GPL-2.0
/*
 * Takes 512 MiB out of use, by the module and by virtio-mem. For virtio-mem, QEMU
 * requests a size of 0, and the driver unplugs until its blocks are gone. virtio-mem
 * is configured as its documentation says: with blocks of 2M, and memory that the
 * kernel brings online as movable. The driver and the module are loaded in turn,
 * because both need the online-page hook. The module leaves the hook to the driver
 * by default.
 */
#include "guest.h"

#include <stdio.h>
#include <unistd.h>

#define SIZE_MIB	512
#define PATIENCE_S	120

static unsigned long its_blocks(void)
{
	return SIZE_MIB * 256 / setting.block_pages;
}

/* Do @nr of its blocks exist, and are they online? They follow those of the DIMM. */
static bool has(unsigned long nr)
{
	unsigned long i, found = 0, first = setting.first_block + setting.nr_blocks;

	for (i = 0; i < 16; i++) {
		char path[80], state[16] = "";
		FILE *file;

		snprintf(path, sizeof(path),
			 "/sys/devices/system/memory/memory%lu/state", first + i);
		file = fopen(path, "r");
		if (!file)
			continue;
		if (nr && (!fgets(state, sizeof(state), file) || state[1] != 'n')) {
			fclose(file);
			return false;
		}
		fclose(file);
		found++;
	}
	return found == nr;
}

static uint64_t resize(unsigned int mib, unsigned long nr)
{
	char command[80];
	uint64_t began;

	snprintf(command, sizeof(command), "qemu-monitor qom-set vm0 requested-size %uM",
		 mib);
	run_or_die(command);
	began = clock_ns();
	while (!has(nr)) {
		if (clock_ns() - began > PATIENCE_S * 1000000000ULL)
			die("virtio-mem does not come to %u MiB", mib);
		usleep(2000);
	}
	return clock_ns() - began;
}

void measure_virtio_mem(void)
{
	unsigned long pfn = block_pfn(test_block()), block;
	unsigned int i, n = times(9, 3);


	write_to("/sys/devices/system/memory/auto_online_blocks", "online_movable");
	for (i = 0; i < n; i++) {
		uint64_t taken = 0;

		load(NULL);
		for (block = 0; block < its_blocks(); block++)
			block_refresh(test_block() + block);
		for (block = 0; block < its_blocks(); block++)
			taken += block_withhold(test_block() + block);
		ours("take-512M", taken);
		operation("release", pfn, SIZE_MIB * 256);
		unload();
		run_or_die("modprobe virtio_mem");
		resize(SIZE_MIB, its_blocks());
		peer("take-512M", resize(0, 0));
		run_or_die("rmmod virtio_mem");
	}
	write_to("/sys/devices/system/memory/auto_online_blocks", "offline");
}
