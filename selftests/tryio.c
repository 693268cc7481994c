// SPDX-License-Identifier: GPL-2.0
/*
 * tryio: one system call on a file, and its errno by name.
 *
 *   tryio [-c] [-u UID] write FILE TEXT   one write(2) of TEXT and a newline
 *   tryio [-c] [-u UID] write FILE        one write(2) of all of the input
 *   tryio [-c] [-u UID] read FILE         reads it all, says how many bytes
 *   tryio [-c] [-u UID] open FILE r|w     only opens it
 *
 * -c gives up CAP_SYS_ADMIN first, -u becomes that user.
 * It prints one word: "ok" ("ok N" for read), "short" when the kernel took a
 * part, the errno's name, or "open:" and the errno's name. SIGUSR1 interrupts
 * the call. The exit status is 0 for ok, 1 otherwise.
 */
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
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

static int fail(const char *where)
{
	printf("%s%s\n", where, errno_name(errno));
	return 1;
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

static int try_write(const char *file, const char *text)
{
	size_t len;
	ssize_t n;
	char *buf;
	int fd;

	if (text) {
		len = strlen(text) + 1;
		buf = malloc(len + 1);
		if (!buf)
			die("out of memory");
		sprintf(buf, "%s\n", text);
	} else {
		len = read_input(&buf);
	}
	fd = open(file, O_WRONLY);
	if (fd < 0)
		return fail("open:");
	n = write(fd, buf, len);
	if (n < 0)
		return fail("");
	free(buf);
	close(fd);
	printf("%s\n", (size_t)n == len ? "ok" : "short");
	return (size_t)n != len;
}

static int try_read(const char *file)
{
	char buf[4096];
	size_t sum = 0;
	ssize_t n;
	int fd = open(file, O_RDONLY);

	if (fd < 0)
		return fail("open:");
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		sum += (size_t)n;
	if (n < 0)
		return fail("");
	close(fd);
	printf("ok %zu\n", sum);
	return 0;
}

static int try_open(const char *file, const char *how)
{
	int fd;

	if (strcmp(how, "r") && strcmp(how, "w"))
		die("neither r nor w: %s", how);
	fd = open(file, *how == 'r' ? O_RDONLY : O_WRONLY);
	if (fd < 0)
		return fail("open:");
	close(fd);
	printf("ok\n");
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = interrupted };
	int opt;

	sigaction(SIGUSR1, &sa, NULL);
	while ((opt = getopt(argc, argv, "+cu:")) != -1) {
		if (opt == 'c')
			drop_sys_admin();
		else if (opt != 'u')
			return 2;
		else if (setgid((gid_t)parse_u64(optarg)) ||
			 setuid((uid_t)parse_u64(optarg)))
			die("setuid: %s", strerror(errno));
	}
	argc -= optind;
	argv += optind;
	if ((argc == 2 || argc == 3) && !strcmp(argv[0], "write"))
		return try_write(argv[1], argc == 3 ? argv[2] : NULL);
	if (argc == 2 && !strcmp(argv[0], "read"))
		return try_read(argv[1]);
	if (argc == 3 && !strcmp(argv[0], "open"))
		return try_open(argv[1], argv[2]);
	die("usage: tryio [-c] [-u UID] write|read|open FILE ...");
}
