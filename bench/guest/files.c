// SPDX-License-Identifier: GPL-2.0
/* The clock, and access to files of the kernel. */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int try_write(int fd, const char *text)
{
	size_t len = strlen(text);
	ssize_t ret = write(fd, text, len);

	if (ret < 0)
		return -errno;
	return (size_t)ret == len ? 0 : -EIO;
}

void write_to(const char *path, const char *text)
{
	int fd = open_or_die(path, O_WRONLY), ret = try_write(fd, text);

	if (ret)
		die("%s: '%.40s': %s", path, text, strerror(-ret));
	close(fd);
}

uint64_t read_all_ns(const char *path, size_t *bytes)
{
	static char buffer[65536];
	uint64_t began = clock_ns();
	int fd = open_or_die(path, O_RDONLY);
	ssize_t n;

	*bytes = 0;
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		*bytes += n;
	if (n < 0)
		die("%s: %s", path, strerror(errno));
	close(fd);
	return clock_ns() - began;
}

long read_value(const char *path, const char *name)
{
	FILE *file = fopen(path, "r");
	size_t len = strlen(name);
	char line[256];
	long value;

	if (!file)
		die("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, len) ||
		    sscanf(line + len, "%*[: ]%ld", &value) != 1)
			continue;
		fclose(file);
		return value;
	}
	die("%s: no %s", path, name);
}
