// SPDX-License-Identifier: GPL-2.0
/* Access to the module's directory in debugfs, and the meaning of its errnos. */
#include "module.h"
#include "parse.h"
#include "sysroot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODULE "fake_offline"
#define DEBUGFS "sys/kernel/debug"

/* Replaces escapes such as \040, which stands for a blank in /proc/mounts, in place. */
static void unescape(char *s)
{
	char *to = s;

	while (*s) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' &&
		    s[2] >= '0' && s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 +
				       (s[3] - '0'));
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

/*
 * Returns the mount point of debugfs without the leading '/', or NULL. *known is false
 * if there is no list of mounts.
 */
static char *find_debugfs(bool *known)
{
	struct sb mounts = {0};
	char *found = NULL, *save_line, *save;

	*known = root_read(ROOT, "proc/mounts", &mounts);
	if (*known && mounts.len)
		for (char *l = strtok_r(mounts.p, "\n", &save_line);
		     l && !found; l = strtok_r(NULL, "\n", &save_line)) {
			const char *dev = strtok_r(l, " ", &save);
			char *where = dev ? strtok_r(NULL, " ", &save) : NULL;
			const char *type =
				where ? strtok_r(NULL, " ", &save) : NULL;

			if (!type || strcmp(type, "debugfs") || *where != '/')
				continue;
			unescape(where);
			found = xstrdup(where + 1);
		}
	sb_free(&mounts);
	return found;
}

static void report_not_root(const char *cmd)
{
	err("%s: only root may do this", cmd);
}

/* Explains EPERM, which does not come from the mode of a file. */
static void hint_eperm(void)
{
	struct sb line = {0};

	if (!root_read_line(ROOT, "sys/kernel/security/lockdown", &line) ||
	    !line.len)
		hint("the capability CAP_SYS_ADMIN is needed, and the kernel must not be locked down");
	else if (!strstr(line.p, "[none]"))
		hint("the kernel is locked down (%s), which closes debugfs",
		     line.p);
	else
		hint("the capability CAP_SYS_ADMIN is needed");
	sb_free(&line);
}

/* Asks for the causes that are possible if the directory is missing. */
static void hint_no_directory(bool debugfs_mounted)
{
	bool loaded = root_exists("sys/module/" MODULE);

	if (loaded && debugfs_mounted)
		hint("is the module being loaded or unloaded at the moment?");
	else if (loaded)
		hint("is debugfs mounted there?");
	else if (debugfs_mounted)
		hint("is the module loaded (modprobe " MODULE ")?");
	else
		hint("is the module loaded (modprobe " MODULE "), and is debugfs mounted there?");
}

/* Explains why the directory cannot be opened. error is the errno of open(2). */
static void explain_no_directory(const char *cmd, int error, bool mounts_known,
				 const char *debugfs)
{
	if (!root_recorded() && geteuid()) {
		/* Only root can look into debugfs. */
		report_not_root(cmd);
	} else if (root_exists("sys/module") &&
		   !root_exists("sys/module/" MODULE)) {
		err("%s: the module " MODULE " is not loaded", cmd);
		hint("modprobe " MODULE);
	} else if (mounts_known && !debugfs) {
		err("%s: debugfs is not mounted", cmd);
		hint("mount -t debugfs none /" DEBUGFS);
	} else if (error == ENOENT) {
		char *path = root_path(debugfs ? debugfs : DEBUGFS);

		err("%s: %s: the module " MODULE " has no directory there", cmd,
		    path);
		hint_no_directory(debugfs);
		free(path);
	} else {
		char *path = root_path(debugfs ? debugfs : DEBUGFS);

		err("%s: %s/" MODULE ": %s", cmd, path, strerror(error));
		if (error == EPERM)
			hint_eperm();
		free(path);
	}
}

bool module_open(struct module *m, const char *cmd, bool quiet)
{
	bool mounts_known = false;
	char *debugfs = NULL;
	struct sb path = {0};
	int error;

	sb_addf(&path, DEBUGFS "/" MODULE);
	m->dirfd = root_opendir_fd(sb_str(&path));
	error = errno;
	if (m->dirfd < 0) {
		debugfs = find_debugfs(&mounts_known);
		if (debugfs && error == ENOENT) {
			sb_clear(&path);
			sb_addf(&path, "%s/" MODULE, debugfs);
			m->dirfd = root_opendir_fd(sb_str(&path));
			error = errno;
		}
	}
	if (m->dirfd < 0 && !quiet)
		explain_no_directory(cmd, error, mounts_known, debugfs);
	m->path = m->dirfd < 0 ? NULL : root_path(sb_str(&path));
	free(debugfs);
	sb_free(&path);
	return m->dirfd >= 0;
}

void module_close(struct module *m)
{
	if (m->dirfd >= 0)
		close(m->dirfd);
	m->dirfd = -1;
	free(m->path);
	m->path = NULL;
}

/* Explains why a file of the module cannot be opened or read. */
static void report_file_error(const struct module *m, const char *cmd,
			      const char *file, int error)
{
	if (error == EACCES && !root_recorded() && geteuid()) {
		report_not_root(cmd);
		return;
	}
	err("%s: %s/%s: %s", cmd, m->path, file, strerror(error));
	if (error == EPERM)
		hint_eperm();
	else if (error == ENOENT)
		hint("do the module and offctl have the same version?");
}

bool module_read(const struct module *m, const char *cmd, const char *file,
		 struct sb *content)
{
	if (root_read(m->dirfd, file, content))
		return true;
	if (cmd)
		report_file_error(m, cmd, file, errno);
	return false;
}

int module_write(const struct module *m, const char *cmd, const char *file,
		 const struct sb *data)
{
	int fd = root_open_write(m->dirfd, file), error;
	ssize_t n;

	if (fd < 0) {
		report_file_error(m, cmd, file, errno);
		return -1;
	}
	/* No retry: EINTR is an answer of the module. */
	n = write(fd, sb_str(data), data->len);
	error = errno;
	close(fd);
	if (n < 0)
		return error;
	if ((size_t)n != data->len) {
		err("%s: %s/%s: the module took %zd of %zu bytes", cmd, m->path,
		    file, n, data->len);
		return -1;
	}
	return 0;
}

static const struct {
	const char *file;	/* NULL: any */
	int error;
	const char *reason;
} meanings[] = {
	{ "mark", EEXIST, "a page is marked already" },
	{ "mark", ENXIO, "there is no memory that can be marked" },
	{ "mark", EBUSY, "a page cannot be taken out of use" },
	{ "mark", ENOSPC, "too little memory would be left" },
	{ "mark", ENOMEM, "no memory to record the mark or to migrate pages to" },
	{ "mark any", ENXIO, "there is no such node, or it has no such zone" },
	{ "mark any", ENOSPC, "too few pages are free, or too little memory would be left" },
	{ "mark any", EBUSY, "pages cannot be taken out of use" },
	{ "mark any", ENOMEM, "no memory to record the mark or to migrate pages to" },
	{ "unmark", ENOENT, "a page is not marked" },
	{ "unmark", EPERM, "a page belongs to another owner" },
	{ "unmark", ENOMEM, "no memory to split a range" },
	{ "skippable", ENOENT, "a page is not marked" },
	{ "skippable", EPERM, "a page belongs to another owner" },
	{ "skippable", ENOMEM, "no memory to split a range" },
	{ "skippable", EBUSY, "a page has a reference from elsewhere" },
	{ "block_offline", EBUSY, "a page cannot be migrated, or a memory notifier refused" },
	{ "block_offline", EINVAL, "it has holes or several zones" },
	{ "block_offline", ENXIO, "there is no such block" },
	{ "block_online", EBUSY, "a memory notifier refused, or another driver has the online-page hook that its marked pages need" },
	{ "block_online", EINVAL, "it cannot come online this way" },
	{ "block_online", ENXIO, "there is no such block" },
	{ NULL, EINTR, "interrupted" },
	{ NULL, EINVAL, "the module does not understand the command" },
	{ NULL, ERANGE, "a number is too large" },
	{ NULL, E2BIG, "too many at once" },
};

void module_errno(struct sb *sb, const char *file, int error)
{
	const char *reason = strerror(error);

	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
		if (meanings[i].error == error &&
		    (!meanings[i].file || !strcmp(meanings[i].file, file))) {
			reason = meanings[i].reason;
			break;
		}
	sb_addf(sb, "%s (", reason);
	add_errno(sb, error);
	sb_addf(sb, ")");
}
