// SPDX-License-Identifier: GPL-2.0
/* Reading and replacing files that the user names. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A larger file is not a list. */
#define MAX_BYTES (256u << 20)

bool file_read(const char *cmd, const char *path, struct sb *content)
{
	bool standard = !strcmp(path, "-");
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	char buf[16384];
	ssize_t n = -1;
	int error;

	sb_clear(content);
	errno = fd < 0 ? errno : 0;
	while (fd >= 0 && content->len <= MAX_BYTES) {
		n = read(fd, buf, sizeof(buf));
		if (n > 0)
			sb_add(content, buf, (size_t)n);
		else if (!n || errno != EINTR)
			break;
	}
	error = n > 0 ? EFBIG : errno;
	if (fd >= 0 && !standard)
		close(fd);
	if (!n)
		return true;
	err_arg(cmd, path, strerror(error));
	return false;
}

/* The mode that open(2) gives a new file. */
static mode_t new_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0644 & ~mask;
}

bool file_write(const char *cmd, const char *path, const struct sb *content)
{
	struct sb temporary = {0};
	struct stat st;
	FILE *f;
	int fd, error;
	bool ok;

	if (!strcmp(path, "-")) {
		out_text(sb_str(content), content->len);
		return true;
	}
	/* A device or a pipe is written to and not replaced. */
	if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
		f = fopen(path, "we");
		ok = f && fwrite(sb_str(content), 1, content->len, f) ==
				  content->len;
		if (f)
			ok = !fclose(f) && ok;
		if (!ok)
			err_arg(cmd, path, strerror(errno));
		return ok;
	}
	sb_addf(&temporary, "%s.XXXXXX", path);
	fd = mkostemp(temporary.p, O_CLOEXEC);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	ok = f && fwrite(sb_str(content), 1, content->len, f) == content->len;
	ok = ok && !fflush(f) && !fchmod(fd, new_mode()) && !fsync(fd);
	error = errno;
	if (f && fclose(f) && ok) {
		ok = false;
		error = errno;
	}
	if (ok && rename(temporary.p, path)) {
		ok = false;
		error = errno;
	}
	if (!ok) {
		if (fd >= 0)
			unlink(temporary.p);
		err_arg(cmd, path, strerror(error));
	}
	sb_free(&temporary);
	return ok;
}
