// SPDX-License-Identifier: GPL-2.0
/*
 * The files of the kernel that the fuzzer writes and reads, and the way back to the
 * machine as it was at first.
 */
#include "common.h"
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BALLOON	"fake_offline_balloon"

int flags_fd;
long base_total;

/* ---------------------------------------------------------------- files */

int put(const char *path, const char *text)
{
	size_t len = strlen(text);
	int fd = open(path, O_WRONLY | O_CLOEXEC), error = 0;
	ssize_t n;

	if (fd < 0)
		return errno;
	n = write(fd, text, len);
	if (n < 0)
		error = errno;
	else if ((size_t)n != len)
		error = SHORT_WRITE;
	close(fd);
	return error;
}

static void get_word(const char *path, char *word, int size)
{
	FILE *f = fopen(path, "r");

	if (!f || !fgets(word, size, f))
		die("%s: nothing to read", path);
	word[strcspn(word, " \n")] = '\0';
	fclose(f);
}

void block_path(char *path, unsigned int block, const char *file)
{
	sprintf(path, SYSMEM "memory%" PRIu64 "/%s", world.first_block + block,
		file);
}

struct block get_block(unsigned int block)
{
	struct block b;
	char path[96], word[32];

	block_path(path, block, "state");
	get_word(path, word, sizeof(word));
	b.online = !strcmp(word, "online");
	block_path(path, block, "valid_zones");
	get_word(path, word, sizeof(word));
	b.normal = !strcmp(word, "Normal");
	return b;
}

long get_mem_total(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	long kb;

	if (!f || fscanf(f, "MemTotal: %ld kB", &kb) != 1)
		die("/proc/meminfo: not as expected");
	fclose(f);
	return kb;
}

int command(const char *line)
{
	fflush(stdout);
	return system(line);
}

int load(void)
{
	char line[128];

	snprintf(line, sizeof(line), "modprobe fake_offline skip=%s", world.skip);
	return command(line);
}

int unload(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? errno : 0;
}

static int load_soft(void)
{
	if (access(UNPOISON, F_OK) &&
	    command("modprobe hwpoison-inject 2>/dev/null"))
		return -1;
	return access(UNPOISON, W_OK) | access(SYSMEM "soft_offline_page", W_OK);
}

/* ---------------------------------------------------------------- resetting */

/* A block leaves ZONE_NORMAL while its marks keep the kernel's data out of it. */
static bool bring_home(unsigned int block)
{
	struct block b = get_block(block);
	char path[96];
	int tries;

	block_path(path, block, "state");
	for (tries = 0; b.online && b.normal && tries < 100; tries++) {
		put(path, "offline");
		b = get_block(block);
		usleep(10000);
	}
	if (!b.online)
		put(path, "online_movable");
	b = get_block(block);
	return b.online && !b.normal;
}

/* An unskippable page would keep its block from going offline. */
static void make_skippable(void)
{
	unsigned long long start, nr;
	FILE *f = fopen(FO "ranges", "r");
	char line[256], text[64];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%llu %llu 0", &start, &nr) == 2) {
			sprintf(text, "%llu %llu 1\n", start, nr);
			put(FO "skippable", text);
		}
	if (f)
		fclose(f);
}

static bool loaded(void)
{
	return !access(FO "stats", F_OK);
}

bool kernel_reset(void)
{
	bool home = true;
	unsigned int i;

	drop();
	if (loaded()) {
		put(FO "inject", "clear\n");
		make_skippable();
	}
	for (i = 0; i < world.nr_blocks; i++)
		home &= bring_home(i);
	if (!access("/sys/module/fake_offline_balloon", F_OK))
		home &= !unload(BALLOON);
	if (loaded())
		home &= !unload("fake_offline");
	return !load() && home;
}

void kernel_init(void)
{
	world.soft = !load_soft();
	flags_fd = open_or_die("/proc/kpageflags", O_RDONLY);
	observe_init();
	if (!kernel_reset())
		die("the blocks under test are not all to be had in ZONE_MOVABLE");
	world.balloon = !command("modprobe fake-offline-balloon 2>/dev/null") &&
			!unload(BALLOON);
	kernel_rebase();
}

void kernel_rebase(void)
{
	base_total = get_mem_total();
}

unsigned int kernel_auto_normal(void)
{
	unsigned int i, bits = 0;

	for (i = 0; i < world.nr_blocks; i++)
		bits |= (unsigned int)get_block(i).normal << i;
	return bits;
}
