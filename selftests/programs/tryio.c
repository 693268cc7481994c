// SPDX-License-Identifier: GPL-2.0
/*
 * tryio: one system call on a file, and its errno by name.
 *
 *   tryio [OPTION]... write FILE TEXT       one write(2) of TEXT and a newline
 *   tryio [OPTION]... write FILE            one write(2) of all of the input
 *   tryio [OPTION]... read FILE             reads it all, prints the number of bytes
 *   tryio [OPTION]... open FILE r|w         only opens it
 *   tryio [OPTION]... load FILE PARAMETERS  finit_module(2)
 *
 * -c gives up CAP_SYS_ADMIN first, and -u UID becomes that user. -b writes from an address
 * without memory. -n N makes the N-th allocation of the kernel fail in this task, counted
 * from open(2) on; the kernel must have /proc/thread-self/fail-nth. -r TIMES repeats all
 * of it TIMES times, as long as it fails.
 *
 * It prints one word: "ok" ("ok N" for read), "short" when the kernel took a part, the
 * name of the errno, or "open:" and the name of the errno. With -n it prints a second one:
 * "failed" if there was an N-th allocation, "none" if there was not. SIGUSR1 interrupts
 * the call. The exit status is 0 for ok, 1 otherwise.
 */
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_INPUT (8u << 20)

static const char *errno_name(int e)
{
	static char number[16];

	switch (e) {
#define E(name) case name: return #name
	E(EPERM); E(ENOENT); E(EINTR); E(EIO); E(ENXIO); E(E2BIG); E(EBADF);
	E(EAGAIN); E(ENOMEM); E(EACCES); E(EFAULT); E(EBUSY); E(EEXIST);
	E(ENODEV); E(EINVAL); E(ENOSPC); E(ERANGE); E(EOPNOTSUPP);
	E(EHWPOISON); E(ENOTTY); E(ESPIPE); E(EROFS); E(EISDIR); E(ETIMEDOUT);
	E(ECANCELED);
#undef E
	}
	snprintf(number, sizeof(number), "errno-%d", e);
	return number;
}

static int fail_nth = -1;	/* descriptor of the file; -1 without -n */

static void write_fail_nth(const char *nth)
{
	if (fail_nth >= 0 && write(fail_nth, nth, strlen(nth)) < 0)
		die("fail-nth: %s", strerror(errno));
}

/* Has the kernel counted down to 0? */
static const char *said_fault(void)
{
	char left[16] = "";

	if (fail_nth < 0)
		return "";
	if (pread(fail_nth, left, sizeof(left) - 1, 0) <= 0)
		die("fail-nth: %s", strerror(errno));
	write_fail_nth("0");
	return strtoul(left, NULL, 10) ? " none" : " failed";
}

static char said[64];	/* the result */

/* Keeps the result before another system call, and closes. */
static int say(int fd, const char *where, const char *what)
{
	snprintf(said, sizeof(said), "%s%s%s", where, what, said_fault());
	if (fd >= 0)
		close(fd);
	return *where || strncmp(what, "ok", 2);
}

static int fail(int fd, const char *where)
{
	return say(fd, where, errno_name(errno));
}

static void interrupted(int sig)
{
	(void)sig;
}

static void drop_sys_admin(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];
	const __u32 bit = 1u << CAP_SYS_ADMIN;

	if (syscall(SYS_capget, &h, d))
		die("capget: %s", strerror(errno));
	if (!(d[0].effective & bit))
		die("there is no CAP_SYS_ADMIN to give up");
	d[0].effective &= ~bit;
	d[0].permitted &= ~bit;
	d[0].inheritable &= ~bit;
	if (syscall(SYS_capset, &h, d))
		die("capset: %s", strerror(errno));
}

static const char *nth = "";

	/* Allocations count from here on. */
static void begin(void)
{
	write_fail_nth(nth);
}

static size_t read_input(char **buf)
{
	size_t len = 0;

	*buf = malloc(MAX_INPUT);
	if (!*buf)
		die("out of memory");
	for (;;) {
		ssize_t n = read(0, *buf + len, MAX_INPUT - len);

		if (n < 0)
			die("input: %s", strerror(errno));
		if (!n)
			return len;
		len += (size_t)n;
		if (len == MAX_INPUT)
			die("too much input");
	}
}

static int try_write(const char *file, const char *text, size_t len)
{
	ssize_t n;
	int fd;

	begin();
	fd = open(file, O_WRONLY);
	if (fd < 0)
		return fail(fd, "open:");
	n = write(fd, text, len);
	if (n < 0)
		return fail(fd, "");
	return say(fd, "", (size_t)n == len ? "ok" : "short");
}

static int try_read(const char *file)
{
	char buf[4096];
	size_t sum = 0;
	ssize_t n;
	int fd;

	begin();
	fd = open(file, O_RDONLY);
	if (fd < 0)
		return fail(fd, "open:");
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		sum += (size_t)n;
	if (n < 0)
		return fail(fd, "");
	snprintf(buf, sizeof(buf), "ok %zu", sum);
	return say(fd, "", buf);
}

static int try_open(const char *file, const char *how)
{
	int fd;

	if (strcmp(how, "r") && strcmp(how, "w"))
		die("neither r nor w: %s", how);
	begin();
	fd = open(file, *how == 'r' ? O_RDONLY : O_WRONLY);
	return fd < 0 ? fail(fd, "open:") : say(fd, "", "ok");
}

static int try_load(const char *file, const char *parameters)
{
	int fd;

	begin();
	fd = open(file, O_RDONLY);
	if (fd < 0)
		return fail(fd, "open:");
	return syscall(SYS_finit_module, fd, parameters, 0) ?
		fail(fd, "") : say(fd, "", "ok");
}

/* The bytes to write. */
static size_t the_text(char *arg, char **text)
{
	size_t len;

	if (!arg)
		return read_input(text);
	len = strlen(arg) + 1;
	*text = malloc(len + 1);
	if (!*text)
		die("out of memory");
	sprintf(*text, "%s\n", arg);
	return len;
}

static bool nowhere;	/* -b */

static int try(int argc, char **argv)
{
	if ((argc == 2 || argc == 3) && !strcmp(argv[0], "write")) {
		static char *text;
		static size_t len;

		if (!text)
			len = the_text(argv[2], &text);
		return try_write(argv[1], nowhere ? (char *)sizeof(text) : text,
				 len);
	}
	if (argc == 2 && !strcmp(argv[0], "read"))
		return try_read(argv[1]);
	if (argc == 3 && !strcmp(argv[0], "open"))
		return try_open(argv[1], argv[2]);
	if (argc == 3 && !strcmp(argv[0], "load"))
		return try_load(argv[1], argv[2]);
	die("usage: tryio [-b] [-c] [-u UID] [-n N] [-r TIMES] write|read|open|load FILE ...");
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = interrupted };
	uint64_t times = 1;
	int opt, ret;

	sigaction(SIGUSR1, &sa, NULL);
	while ((opt = getopt(argc, argv, "+bcu:n:r:")) != -1) {
		switch (opt) {
		case 'b':
			nowhere = true;
			break;
		case 'c':
			drop_sys_admin();
			break;
		case 'u':
			if (setgid((gid_t)parse_u64(optarg)) ||
			    setuid((uid_t)parse_u64(optarg)))
				die("setuid: %s", strerror(errno));
			break;
		case 'n':
			nth = optarg;
			fail_nth = open("/proc/thread-self/fail-nth", O_RDWR);
			if (fail_nth < 0)
				die("fail-nth: %s", strerror(errno));
			break;
		case 'r':
			times = parse_u64(optarg);
			break;
		default:
			return 2;
		}
	}
	argc -= optind;
	argv += optind;
	do
		ret = try(argc, argv);
	while (ret && --times);
	printf("%s\n", said);
	return ret;
}
