// SPDX-License-Identifier: GPL-2.0
/*
 * bustle: a process that needs kernel memory all the time.
 *
 *   bustle DIR [PERCENT]
 *
 * makes one round after the other. In each round it
 * - makes FILES files of a page each in DIR, a tmpfs, and reads them;
 * - opens PAIRS pairs of sockets, and fills one end of each until it takes no more;
 * - forks CHILDREN children, each of which writes to CHILD_PAGES pages of its own;
 * - checks that the other ends of the sockets give all bytes, and that each child
 *   ended well; closes, and unlinks.
 * All files, sockets and children of a round exist at once. They take some 10 MiB of
 * memory, most of it the kernel's. Between two rounds nothing exists. PERCENT limits its
 * share of a CPU's time, without that of its children.
 *
 * It prints "ready" after the first round. Between two rounds it reads one command a
 * line, and answers with one line:
 *   report  "rounds R files F sockets S bytes B forks K failures N": its work since it
 *           began; sockets are pairs, and bytes went through them
 *   why     the first operation that failed, or "-"
 *   hold    "held": it does nothing, and holds nothing, until the next command
 * It ends at the end of its input.
 */
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILES 600
#define PAIRS 16
#define CHILDREN 8
#define CHILD_PAGES 64
#define PAIR_LEAST 65536	/* bytes that a socket takes at least */

static const char *dir;
static uint64_t rounds, files, sockets, bytes, forks, failures;
static char first_failure[128] = "-";

static int pairs[PAIRS][2];
static uint64_t sent[PAIRS];
static pid_t children[CHILDREN];

static void fail(const char *what, int number)
{
	int error = errno;

	if (!failures++)
		snprintf(first_failure, sizeof(first_failure), "%s %d: %s", what,
			 number, strerror(error));
}

static void path_of(char *path, size_t size, int i)
{
	snprintf(path, size, "%s/file%d", dir, i);
}

static void make_file(int i)
{
	static char page[4096], back[4096];
	char path[256];
	int fd;

	path_of(path, sizeof(path), i);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0) {
		fail("create file", i);
		return;
	}
	memset(page, i, sizeof(page));
	errno = 0;
	if (write(fd, page, sizeof(page)) != sizeof(page))
		fail("write file", i);
	else if (pread(fd, back, sizeof(back), 0) != sizeof(back) ||
		 memcmp(page, back, sizeof(page)))
		fail("read file", i);
	else
		files++;
	close(fd);
}

static void remove_file(int i)
{
	char path[256];

	path_of(path, sizeof(path), i);
	if (unlink(path) && errno != ENOENT)
		fail("unlink file", i);
}

static void fill_pair(int i)
{
	static char buffer[4096];
	ssize_t n;

	sent[i] = 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pairs[i])) {
		fail("socketpair", i);
		pairs[i][0] = pairs[i][1] = -1;
		return;
	}
	while ((n = write(pairs[i][0], buffer, sizeof(buffer))) > 0)
		sent[i] += (uint64_t)n;
	if (n == 0 || errno != EAGAIN || sent[i] < PAIR_LEAST)
		fail("fill socket", i);
}

static void drain_pair(int i)
{
	static char buffer[4096];
	uint64_t got = 0;
	ssize_t n;

	if (pairs[i][0] < 0)
		return;
	while ((n = read(pairs[i][1], buffer, sizeof(buffer))) > 0)
		got += (uint64_t)n;
	if (got != sent[i])
		fail("drain socket", i);
	else
		sockets++;
	bytes += got;
	close(pairs[i][0]);
	close(pairs[i][1]);
}

/* The child keeps its pages until the parent closes the pipe. */
static void child(int end_pipe)
{
	size_t size = CHILD_PAGES * (size_t)sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char end;

	if (pages == MAP_FAILED)
		_exit(1);
	memset(pages, 0x5a, size);
	if (read(end_pipe, &end, 1))
		_exit(2);
	for (size_t i = 0; i < size; i++)
		if (pages[i] != 0x5a)
			_exit(3);
	_exit(0);
}

static void fork_all(const int end_pipe[2])
{
	for (int i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		if (children[i] < 0)
			fail("fork", i);
		if (!children[i]) {
			close(end_pipe[1]);
			child(end_pipe[0]);
		}
	}
}

static void wait_all(void)
{
	int status;

	for (int i = 0; i < CHILDREN; i++) {
		if (children[i] < 0)
			continue;
		errno = 0;
		if (waitpid(children[i], &status, 0) != children[i] || status)
			fail("child", i);
		else
			forks++;
	}
}

static void go_round(void)
{
	int end_pipe[2], i;

	for (i = 0; i < FILES; i++)
		make_file(i);
	for (i = 0; i < PAIRS; i++)
		fill_pair(i);
	if (pipe(end_pipe)) {
		fail("pipe", 0);
	} else {
		fork_all(end_pipe);
		close(end_pipe[1]);
		wait_all();
		close(end_pipe[0]);
	}
	for (i = 0; i < PAIRS; i++)
		drain_pair(i);
	for (i = 0; i < FILES; i++)
		remove_file(i);
	rounds++;
}

static void answer(const char *line)
{
	if (!strcmp(line, "report"))
		printf("rounds %" PRIu64 " files %" PRIu64 " sockets %" PRIu64
		       " bytes %" PRIu64 " forks %" PRIu64 " failures %" PRIu64
		       "\n", rounds, files, sockets, bytes, forks, failures);
	else if (!strcmp(line, "why"))
		printf("%s\n", first_failure);
	else if (!strcmp(line, "hold"))
		printf("held\n");
	else
		die("no such command: %s", line);
}

/* Takes a command. Return: false at the end of the input. */
static bool command(void)
{
	char line[64];

	do {
		if (!fgets(line, sizeof(line), stdin))
			return false;
		line[strcspn(line, "\n")] = '\0';
		answer(line);
	} while (!strcmp(line, "hold"));
	return true;
}

int main(int argc, char **argv)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	unsigned int percent = 100;

	if (argc != 2 && argc != 3)
		die("usage: bustle DIR [PERCENT]");
	dir = argv[1];
	if (argc == 3)
		percent = (unsigned int)parse_u64(argv[2]);
	if (percent < 1 || percent > 100)
		die("1 to 100 percent");
	setvbuf(stdout, NULL, _IOLBF, 0);
	setvbuf(stdin, NULL, _IONBF, 0);
	go_round();
	printf("ready\n");
	for (;;) {
		if (poll(&in, 1, share_to_sleep(percent)) > 0 && !command())
			break;
		go_round();
	}
	return 0;
}
