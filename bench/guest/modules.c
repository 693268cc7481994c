// SPDX-License-Identifier: GPL-2.0
/* Loads fake_offline and fake-offline-bench, and runs operations. */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUN	"/sys/module/fake_offline_bench/parameters/run"
#define TRIES	10

void run_or_die(const char *command)
{
	int status = system(command);

	if (status)
		die("%s: status %#x", command, status);
}

void load(const char *skip)
{
	char command[256];

	snprintf(command, sizeof(command), "modprobe fake_offline hook_force=1 %s%s %s",
		 skip ? "skip=" : "", skip ? skip : "", setting.parameters);
	run_or_die(command);
	run_or_die("modprobe fake_offline_bench");
}

void unload(void)
{
	run_or_die("rmmod fake_offline_bench");
	run_or_die("rmmod fake_offline");
}

/*
 * Pages may be busy for a moment. So an operation is repeated, as all callers of the
 * kernel's function do, and only the successful try counts.
 */
uint64_t operation(const char *name, unsigned long start, unsigned long nr)
{
	static unsigned int retries;
	char text[64], *end;
	int ret = 0, fd = open_or_die(RUN, O_RDWR);
	unsigned int i;
	uint64_t ns;

	snprintf(text, sizeof(text), "%s %lu %lu", name, start, nr);
	for (i = 0; i < TRIES; i++) {
		ret = try_write(fd, text);
		if (ret != -EBUSY)
			break;
		fact("retries", ++retries);
		usleep(1000 << i);
	}
	if (ret)
		die("%s: %s", text, strerror(-ret));
	memset(text, 0, sizeof(text));
	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		die(RUN ": %s", strerror(errno));
	ns = strtoull(text, &end, 10);
	if (end == text)
		die(RUN ": '%s'", text);
	close(fd);
	return ns;
}
