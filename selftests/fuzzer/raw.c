// SPDX-License-Identifier: GPL-2.0
/*
 * fuzzraw: random writes to the debugfs files of fake_offline.
 *
 *   fuzzraw [-b FIRST+NR] [-s SEED] [-n WRITES] [-v] [-p]
 *
 * Each of the WRITES (1000) is a line that is valid, or was so before changes: digits,
 * words, bytes and whole lines are changed, cut, added and repeated. Some have zero bytes
 * or a megabyte of blanks, some are made in two parts, and some have an end that is not
 * mapped. The module must refuse with EINVAL all that is not text ending in a newline,
 * and must take nothing in part. After every 4096 writes everything is given back, and the
 * accounts must be whole: the list, /proc/kpageflags and MemTotal agree, and "verify" finds
 * nothing. At the end all is as it was.
 *
 *   -b FIRST+NR  the memory blocks, which must be in ZONE_MOVABLE (32+3)
 *   -v           prints each write before it is made; after a crash, the last one is seen
 *   -p           the negative twin: the accounts have one page too many
 *
 * Some valid writes are left out or rare. These are writes that would leave a block in
 * ZONE_NORMAL, and writes that wait for half a second and more (for a page of the
 * kernel's own).
 *
 * Exit status: 0 if all was well, 1 if not, 2 if fuzzraw could not find out.
 */
#include "common.h"
#include "raw.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ROOM		(MAX_WRITE + 8192)
#define EPISODE		4096		/* writes between two checks */
#define OFFLINE_FOR	200		/* writes that a block stays offline */
#define RESCUE_SECONDS	60

struct file_state files[NR_FILES] = {
	[MARK]		= { .name = "mark", .weight = 30 },
	[UNMARK]	= { .name = "unmark", .weight = 30 },
	[SKIPPABLE]	= { .name = "skippable", .weight = 18 },
	[BLOCK_OFFLINE]	= { .name = "block_offline", .weight = 3 },
	[BLOCK_ONLINE]	= { .name = "block_online", .weight = 3 },
	[INJECT]	= { .name = "inject", .weight = 16 },
};

struct random rnd;
uint64_t first_block, nr_blocks, block_pages, first_pfn, nr_pages;
bool planted;
unsigned long offline_since, number;
char *text, *guarded_end;
size_t len;

static bool verbose;

bool failed(const char *what)
{
	printf("# FAILED after %lu writes: %s\n", number, what);
	fflush(stdout);
	return false;
}

bool put(const char *path, const char *what)
{
	int fd = open_or_die(path, O_WRONLY);
	bool good = write(fd, what, strlen(what)) == (ssize_t)strlen(what);

	close(fd);
	return good;
}

static void print_write(enum file f)
{
	size_t i, shown = at_most(len, 400);

	printf("# write %lu to %s, %zu bytes: \"", number, files[f].name, len);
	for (i = 0; i < shown; i++) {
		if (text[i] == '\n')
			printf("\\n");
		else if (text[i] < ' ' || text[i] > '~' || text[i] == '"' ||
			 text[i] == '\\')
			printf("\\%03o", (unsigned char)text[i]);
		else
			putchar(text[i]);
	}
	printf("\"%s\n", shown < len ? "..." : "");
}

/* Meanwhile, files are read in odd parts. */
static void read_some(void)
{
	static const char *const names[] = {
		FO "ranges", FO "verify", FO "stats", FO "inject",
		FO "last_failure", FO "last_refusal",
	};
	static char buf[8192];
	int fd = open_or_die(names[below(6)], O_RDONLY), times;

	for (times = 0; times < 3; times++) {
		if (one_in(3) && lseek(fd, below(2000), SEEK_SET) < 0)
			break;
		if (read(fd, buf, 1 + below(sizeof(buf) - 1)) <= 0)
			break;
	}
	close(fd);
}

static enum file some_file(void)
{
	unsigned int i, dice = below(100);

	for (i = 0; i + 1 < NR_FILES && dice >= files[i].weight; i++)
		dice -= files[i].weight;
	return (enum file)i;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool one_write(void)
{
	enum file f = some_file();
	double took;
	bool good;

	do
		make_write(f);
	while (unwanted(f));
	if (verbose) {
		print_write(f);
		fflush(stdout);
	}
	took = now();
	/* A write that never ends is ended with EINTR. */
	alarm(RESCUE_SECONDS);
	/* A part of a command on a block is another command. */
	if (one_in(20) && f != BLOCK_OFFLINE && f != BLOCK_ONLINE && f != MARK)
		good = send_pieces(f);
	else if (one_in(20))
		good = send_unmapped(f);
	else
		good = send_whole(f);
	alarm(0);
	took = now() - took;
	files[f].seconds += took;
	if (took > files[f].longest)
		files[f].longest = took;
	if (!good)
		print_write(f);
	return good;
}

static void rescue(int sig)
{
	(void)sig;
}

static uint64_t block_bytes(void)
{
	FILE *f = fopen(SYSMEM "block_size_bytes", "r");
	uint64_t bytes;

	if (!f || fscanf(f, "%" SCNx64, &bytes) != 1)
		die("no memory blocks here");
	fclose(f);
	return bytes;
}

static void set_up(void)
{
	struct sigaction sa = { .sa_handler = rescue };
	char path[96];
	unsigned int i;

	block_pages = block_bytes() / 4096;
	first_pfn = first_block * block_pages;
	nr_pages = nr_blocks * block_pages;
	text = malloc(2 * ROOM);
	guarded_end = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!text || guarded_end == MAP_FAILED)
		die("out of memory");
	guarded_end += 2 * 4096;
	if (mprotect(guarded_end, 4096, PROT_NONE))
		die("mprotect: %s", strerror(errno));
	for (i = 0; i < NR_FILES; i++) {
		sprintf(path, FO "%s", files[i].name);
		files[i].fd = open_or_die(path, O_WRONLY);
	}
	sigaction(SIGALRM, &sa, NULL);
	accounts_init();
}

static void report(double seconds)
{
	unsigned int i;

	for (i = 0; i < NR_FILES; i++)
		printf("# %s: %lu writes, ok %lu, EINVAL %lu, other errors %lu; %.0f s, the longest %.3f s\n",
		       files[i].name, files[i].writes, files[i].ok,
		       files[i].invalid, files[i].others, files[i].seconds,
		       files[i].longest);
	printf("# %lu writes in %.0f s, %.0f a second\n", number, seconds,
	       (double)number / seconds);
}

int main(int argc, char **argv)
{
	struct ranges set = { 0 };
	unsigned long writes = 1000;
	uint64_t seed = 1;
	bool good = true;
	double start;
	int opt;

	while ((opt = getopt(argc, argv, "b:n:ps:v")) != -1) {
		switch (opt) {
		case 'b':
			ranges_add(&set, optarg);
			break;
		case 'n':
			writes = parse_u64(optarg);
			break;
		case 'p':
			planted = true;
			break;
		case 's':
			seed = parse_u64(optarg);
			break;
		case 'v':
			verbose = true;
			break;
		default:
			return 2;
		}
	}
	if (!set.nr)
		ranges_add(&set, "32+3");
	if (optind != argc || set.nr != 1 || set.r[0].nr > MAX_BLOCKS)
		die("usage: fuzzraw [-b FIRST+NR] [-s SEED] [-n WRITES] [-v] [-p]");
	first_block = set.r[0].start;
	nr_blocks = set.r[0].nr;
	free(set.r);
	rnd.state = seed;
	set_up();
	printf("# seed %" PRIu64 ", %lu writes\n", seed, writes);
	fflush(stdout);
	start = now();
	while (good && number < writes) {
		number++;
		good = one_write();
		if (good && one_in(200))
			read_some();
		if (good && offline_since && number - offline_since > OFFLINE_FOR)
			good = (put(FO "inject", "clear\n"), all_online());
		if (good && number % EPISODE == 0)
			good = check_and_undo();
		if (number % 100000 == 0) {
			printf("# %lu writes, %.0f s\n", number, now() - start);
			fflush(stdout);
		}
	}
	good = good && check_and_undo();
	report(now() - start);
	accounts_end();
	if (!good)
		printf("# again: fuzzraw -b %" PRIu64 "+%" PRIu64 " -s %" PRIu64
		       " -n %lu -v\n", first_block, nr_blocks, seed, number);
	return !good;
}
