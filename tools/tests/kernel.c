// SPDX-License-Identifier: GPL-2.0
/*
 * The module's part in tests on a recorded tree. The linker's --wrap=write and
 * --wrap=openat put it between offctl and the C library, so offctl itself is unchanged.
 *
 * offctl uses write(2) for commands only, and stdio for all other output. The wrapper
 * appends a command to its file in the tree. Then it runs the shell script
 * $OFFCTL_TEST_KERNEL, if there is one, as "sh SCRIPT FILE DATA DIRECTORY". The script may
 * change the tree. It exits with 0 to take the command, with an errno to refuse it, or
 * with 200 to take only half of it.
 *
 * $OFFCTL_TEST_OPEN, "PATH=ERRNO", makes opening that path fail. The path is as offctl
 * passes it to openat(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The linker gives them these names. */
ssize_t __real_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len);
int __real_openat(int dirfd, const char *path, int flags, ...);
int __wrap_openat(int dirfd, const char *path, int flags, ...);

int __wrap_openat(int dirfd, const char *path, int flags, ...)
{
	const char *refuse = getenv("OFFCTL_TEST_OPEN");
	size_t len = strlen(path);
	mode_t mode = 0;

	if (refuse && !strncmp(refuse, path, len) && refuse[len] == '=') {
		errno = atoi(refuse + len + 1);
		return -1;
	}
	if (flags & O_CREAT) {
		va_list ap;

		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return __real_openat(dirfd, path, flags, mode);
}

static void fail(const char *what)
{
	perror(what);
	abort();
}

static int run_script(char *script, char *file, char *data, char *dir)
{
	char sh[] = "/bin/sh";
	char *argv[] = { sh, script, file, data, dir, NULL };
	int status;
	pid_t pid;

	if (posix_spawn(&pid, sh, NULL, NULL, argv, environ))
		fail("posix_spawn");
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			fail("waitpid");
	if (!WIFEXITED(status))
		fail("the script did not exit");
	return WEXITSTATUS(status);
}

ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
	char *script = getenv("OFFCTL_TEST_KERNEL");
	char link[64], path[PATH_MAX], *file, *data;
	ssize_t n = __real_write(fd, buf, len);
	int answer;

	if (n < 0 || !script || !*script)
		return n;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		fail("readlink");
	path[n] = '\0';
	file = strrchr(path, '/');
	if (!file)
		fail("not a path");
	*file++ = '\0';

	data = strndup(buf, len);
	if (!data)
		fail("strndup");
	answer = run_script(script, file, data, path);
	free(data);
	if (answer == 200)
		return (ssize_t)(len / 2);
	if (answer) {
		errno = answer;
		return -1;
	}
	return (ssize_t)len;
}
