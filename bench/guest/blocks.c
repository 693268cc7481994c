// SPDX-License-Identifier: GPL-2.0
/* Takes memory blocks offline and online through sysfs. */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TRIES	10

static uint64_t set_state(unsigned long block, const char *state, int expected)
{
	char path[80];
	unsigned int i;
	uint64_t ns = 0;
	int fd, ret = 0;

	snprintf(path, sizeof(path), "/sys/devices/system/memory/memory%lu/state",
		 block);
	fd = open_or_die(path, O_WRONLY);
	for (i = 0; i < TRIES; i++) {
		uint64_t began = clock_ns();

		ret = try_write(fd, state);
		ns = clock_ns() - began;
		if (ret != -EBUSY || expected == EBUSY)
			break;
		usleep(1000 << i);
	}
	if (ret != -expected)
		die("block %lu, %s: %s", block, state, strerror(-ret));
	close(fd);
	return ns;
}

uint64_t block_offline(unsigned long block)
{
	return set_state(block, "offline", 0);
}

uint64_t block_offline_fails(unsigned long block, int error)
{
	return set_state(block, "offline", error);
}

uint64_t block_online(unsigned long block)
{
	return set_state(block, "online_movable", 0);
}

uint64_t block_withhold(unsigned long block)
{
	uint64_t ns = block_offline(block);

	ns += operation("take", block_pfn(block), setting.block_pages);
	return ns + block_online(block);
}

void block_refresh(unsigned long block)
{
	block_offline(block);
	block_online(block);
}
