// SPDX-License-Identifier: GPL-2.0
/* Files below the root, which --sysroot can change. */
#include "sysroot.h"
#include "parse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int root_fd = -1;
static char *root_name;		/* NULL: the root of this machine */

static int open_dir(int at, const char *path)
{
	return openat(at, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

bool root_set(const char *dir)
{
	size_t len;
	int fd = open_dir(AT_FDCWD, dir);

	if (fd < 0)
		return false;
	root_close();
	root_fd = fd;
	root_name = xstrdup(dir);
	for (len = strlen(root_name); len && root_name[len - 1] == '/';)
		root_name[--len] = '\0';
	return true;
}

void root_close(void)
{
	if (root_fd >= 0)
		close(root_fd);
	root_fd = -1;
	free(root_name);
	root_name = NULL;
}

bool root_recorded(void)
{
	return root_name;
}

char *root_path(const char *path)
{
	struct sb sb = {0};

	sb_addf(&sb, "%s/%s", root_name ? root_name : "", path);
	return sb.p;
}

static int at(int dirfd)
{
	if (dirfd != ROOT)
		return dirfd;
	if (root_fd < 0)
		root_fd = open_dir(AT_FDCWD, "/");
	return root_fd;
}

bool root_exists(const char *path)
{
	struct stat st;

	return !fstatat(at(ROOT), path, &st, 0);
}

int root_opendir_fd(const char *path)
{
	return open_dir(at(ROOT), path);
}

static int open_at(int dirfd, const char *path, int flags)
{
	int fd;

	/* A signal that offctl only remembers must not make a read fail. */
	do
		fd = openat(at(dirfd), path, flags | O_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	return fd;
}

DIR *root_opendir(int dirfd, const char *path)
{
	int fd = open_at(dirfd, path, O_RDONLY | O_DIRECTORY);
	DIR *dir;

	if (fd < 0)
		return NULL;
	dir = fdopendir(fd);
	if (!dir) {
		int error = errno;

		close(fd);
		errno = error;
	}
	return dir;
}

bool root_read(int dirfd, const char *path, struct sb *content)
{
	int fd = open_at(dirfd, path, O_RDONLY);
	char buf[16384];
	ssize_t n;
	int error;

	sb_clear(content);
	if (fd < 0)
		return false;
	for (;;) {
		n = read(fd, buf, sizeof(buf));
		if (n > 0)
			sb_add(content, buf, (size_t)n);
		else if (!n || errno != EINTR)
			break;
	}
	error = errno;
	close(fd);
	errno = error;
	return !n;
}

bool root_read_line(int dirfd, const char *path, struct sb *line)
{
	int fd = open_at(dirfd, path, O_RDONLY), error;
	char buf[256], *newline;
	ssize_t n;

	sb_clear(line);
	if (fd < 0)
		return false;
	/*
	 * offctl reads many such files. One read(2) gives a whole attribute of sysfs, and
	 * a short read is the end of it.
	 */
	do {
		do
			n = read(fd, buf, sizeof(buf));
		while (n < 0 && errno == EINTR);
		if (n > 0)
			sb_add(line, buf, (size_t)n);
	} while (n == (ssize_t)sizeof(buf));
	error = errno;
	close(fd);
	errno = error;
	if (n < 0)
		return false;
	newline = line->len ? strchr(line->p, '\n') : NULL;
	if (newline) {
		*newline = '\0';
		line->len = (size_t)(newline - line->p);
	}
	return true;
}

int root_open_read(int dirfd, const char *path)
{
	return open_at(dirfd, path, O_RDONLY);
}

int root_open_write(int dirfd, const char *path)
{
	/*
	 * debugfs ignores O_APPEND. In a recorded tree O_APPEND keeps all commands, so
	 * that tests can look at them.
	 */
	return open_at(dirfd, path, O_WRONLY | O_APPEND);
}

bool root_mkdir(const char *path)
{
	return !mkdirat(at(ROOT), path, 0755) || errno == EEXIST;
}

int root_create(const char *path)
{
	int fd;

	do
		fd = openat(at(ROOT), path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	while (fd < 0 && errno == EINTR);
	return fd;
}

bool root_unlink(const char *path)
{
	return !unlinkat(at(ROOT), path, 0);
}

uint64_t page_size(void)
{
	struct sb line = {0};
	uint64_t size = 0;

	if (!root_recorded())
		return (uint64_t)sysconf(_SC_PAGESIZE);
	if (!root_read_line(ROOT, "page_size", &line) ||
	    parse_number(sb_str(&line), &size) ||
	    size < 2 || size & (size - 1))
		size = 4096;
	sb_free(&line);
	return size;
}
