// SPDX-License-Identifier: GPL-2.0
/*
 * wear: uses a machine as months of work would, so that the kernel's own memory spreads
 * over many page blocks.
 *
 *   wear SEED ROUNDS DIR FILES MIB PROCESSES READY
 *
 * In each round, it does these things in random order. It creates FILES small files in
 * DIR, and deletes half of those of an older round. It writes and reads MIB of large files,
 * and deletes some. It ends some of its PROCESSES and starts others. It starts processes
 * that end at once. The processes hold anonymous memory, huge pages and parts of them,
 * page tables, and full pipes and sockets. The same SEED makes the same operations. After
 * the last round it creates the file READY, keeps all that it holds, and waits for a
 * signal.
 */
#include "common.h"
#include "random.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB		(UINT64_C(1) << 20)
#define PAGE		4096
#define LARGE		8	/* MiB of a large file */
#define PER_DIR		64
#define BURST		1000	/* pipes */

static struct random chance;
static const char *dir;
static pid_t *holders;
static unsigned int nr_holders;

static void path_of(char *path, size_t size, const char *kind, unsigned int round,
		    unsigned int nr)
{
	snprintf(path, size, "%s/%s-%u-%u", dir, kind, round, nr);
}

/* ---------------------------------------------------------------- files */

static void write_file(const char *path, uint64_t bytes)
{
	static char buf[16 * PAGE];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	while (bytes) {
		ssize_t n = write(fd, buf, at_most(bytes, sizeof(buf)));

		if (n < 0)
			die("%s: %s", path, strerror(errno));
		bytes -= (uint64_t)n;
	}
	close(fd);
}

static void read_file(const char *path)
{
	static char buf[16 * PAGE];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;		/* it has been deleted */
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	close(fd);
}

/* The I-th small file of a round. */
static void small_path(char *path, size_t size, unsigned int round, unsigned int i)
{
	char parent[256];

	path_of(parent, sizeof(parent), "small", round, i / PER_DIR);
	snprintf(path, size, "%.200s/%u", parent, i % PER_DIR);
}

static void make_small(unsigned int round, unsigned int files)
{
	char path[256];
	unsigned int i;

	for (i = 0; i < files; i++) {
		if (i % PER_DIR == 0) {
			path_of(path, sizeof(path), "small", round, i / PER_DIR);
			if (mkdir(path, 0700))
				die("%s: %s", path, strerror(errno));
		}
		small_path(path, sizeof(path), round, i);
		write_file(path, random_below(&chance, 3 * PAGE));
	}
}

static void drop_small(unsigned int round, unsigned int files)
{
	char path[256];
	unsigned int i;

	for (i = 0; i < files; i++) {
		if (random_below(&chance, 2))
			continue;
		small_path(path, sizeof(path), round, i);
		unlink(path);
	}
}

static void make_large(unsigned int round, unsigned int nr)
{
	char path[256];
	unsigned int i;

	for (i = 0; i < nr; i++) {
		path_of(path, sizeof(path), "large", round, i);
		write_file(path, LARGE * MIB);
	}
}

/* Reads files of all rounds so far, and deletes some of the older ones. */
static void use_large(unsigned int round, unsigned int nr)
{
	char path[256];
	unsigned int i;

	for (i = 0; i < 4 * nr; i++) {
		unsigned int of = random_below(&chance, round + 1);

		path_of(path, sizeof(path), "large", of, random_below(&chance, nr));
		if (of < round && !random_below(&chance, 12))
			unlink(path);
		else
			read_file(path);
	}
}

/* ---------------------------------------------------------------- processes */

static char *map(uint64_t bytes)
{
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	return p;
}

static void touch(char *p, uint64_t bytes, uint64_t step)
{
	uint64_t at;

	for (at = 0; at < bytes; at += step)
		p[at] = 1;
}

/* Writes until a write would wait. */
static void fill(int fd)
{
	static const char buf[PAGE];

	if (fcntl(fd, F_SETFL, O_NONBLOCK))
		die("fcntl: %s", strerror(errno));
	while (write(fd, buf, sizeof(buf)) > 0)
		;
}

/* Takes huge pages, and then frees parts of them. */
static void hold_huge(struct random *r)
{
	uint64_t huge = (1 + random_below(r, 3)) * 2 * MIB, i;
	char *p = map(huge + 2 * MIB);

	p = (char *)(((uintptr_t)p + 2 * MIB - 1) & ~(uintptr_t)(2 * MIB - 1));
	madvise(p, huge, MADV_HUGEPAGE);
	touch(p, huge, PAGE);
	for (i = 0; i < huge / MIB; i++)
		if (!random_below(r, 3))
			madvise(p + i * MIB, MIB / 2, MADV_DONTNEED);
}

/* Fills many pipes at once, closes most of them, and empties the others. */
static void hold_burst(struct random *r)
{
	static char buf[15 * PAGE];
	static int fds[BURST][2];
	int i;

	for (i = 0; i < BURST; i++) {
		if (pipe(fds[i]))
			die("pipe: %s", strerror(errno));
		fill(fds[i][1]);
	}
	for (i = 0; i < BURST; i++) {
		if (random_below(r, 4)) {
			close(fds[i][0]);
			close(fds[i][1]);
		} else if (read(fds[i][0], buf, sizeof(buf)) != sizeof(buf)) {
			die("a pipe: %s", strerror(errno));
		}
	}
}

static void hold(struct random *r)
{
	uint64_t i, n;
	int fds[2];

	if (!random_below(r, 4))
		hold_huge(r);
	else if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		die("PR_SET_THP_DISABLE: %s", strerror(errno));
	n = (1 + random_below(r, 1536)) * PAGE;
	touch(map(n), n, PAGE);
	/* One page, and one page table, for each 2 MiB. */
	n = (1 + random_below(r, 32)) * 2 * MIB;
	touch(map(n), n, 2 * MIB);
	if (!random_below(r, 8))
		hold_burst(r);
	for (i = random_below(r, 5); i; i--) {
		if (pipe(fds))
			die("pipe: %s", strerror(errno));
		fill(fds[1]);
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
			die("socketpair: %s", strerror(errno));
		fill(fds[1]);
	}
}

/* A process holds its memory until it is killed, or ends at once. */
static pid_t start(bool stays)
{
	struct random own = { random_next(&chance) };
	pid_t pid;
	int ready[2];
	char c;

	if (pipe(ready))
		die("pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid) {
		close(ready[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		hold(&own);
		if (!stays)
			_exit(0);
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	/* The process has all it wants, or has ended. */
	while (read(ready[0], &c, 1) < 0 && errno == EINTR)
		;
	close(ready[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void change_holders(void)
{
	unsigned int i;

	for (i = 0; i < nr_holders; i++) {
		if (random_below(&chance, 4))
			continue;
		if (holders[i])
			end(holders[i]);
		holders[i] = random_below(&chance, 4) ? start(true) : 0;
	}
}

static void short_ones(void)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		waitpid(start(false), NULL, 0);
}

/* ---------------------------------------------------------------- rounds */

static void one_round(unsigned int round, unsigned int files, unsigned int large)
{
	unsigned int left = (1U << 6) - 1;

	while (left) {
		unsigned int what = random_below(&chance, 6);

		if (!(left >> what & 1))
			continue;
		left &= ~(1U << what);
		switch (what) {
		case 0:
			make_small(round, files);
			break;
		case 1:
			if (round)
				drop_small(random_below(&chance, round), files);
			break;
		case 2:
			make_large(round, large);
			break;
		case 3:
			use_large(round, large);
			break;
		case 4:
			change_holders();
			break;
		case 5:
			short_ones();
			break;
		}
	}
}

int main(int argc, char **argv)
{
	struct rlimit limit = { 4 * BURST, 4 * BURST };
	unsigned int rounds, files, large, i;
	int fd;

	if (argc != 8)
		die("usage: wear SEED ROUNDS DIR FILES MIB PROCESSES READY");
	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("setrlimit: %s", strerror(errno));
	chance.state = parse_u64(argv[1]);
	rounds = (unsigned int)parse_u64(argv[2]);
	dir = argv[3];
	files = (unsigned int)parse_u64(argv[4]);
	large = (unsigned int)parse_u64(argv[5]) / LARGE;
	nr_holders = (unsigned int)parse_u64(argv[6]);
	holders = calloc(nr_holders, sizeof(*holders));
	if (!holders)
		die("out of memory");
	for (i = 0; i < rounds; i++)
		one_round(i, files, large);
	fd = open(argv[7], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		die("%s: %s", argv[7], strerror(errno));
	close(fd);
	for (;;)
		pause();
}
