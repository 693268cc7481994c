// SPDX-License-Identifier: GPL-2.0
/* Records of memory blocks that "offctl mark --via-offline" takes offline for a moment. */
#include "offline_record.h"
#include "blockop.h"
#include "memblock.h"
#include "parse.h"
#include "sysroot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUN "run"
#define DIR_NAME RUN "/offctl"
#define PREFIX "block-"

static void add_name(struct sb *path, uint64_t nr)
{
	sb_addf(path, DIR_NAME "/" PREFIX "%" PRIu64, nr);
}

/*
 * Locks a record without waiting. A record is only removed under its lock, so a locked
 * record that still has a name keeps it. Returns false with errno.
 */
static bool lock(int fd)
{
	struct stat st;

	if (flock(fd, LOCK_EX | LOCK_NB) || fstat(fd, &st))
		return false;
	errno = ENOENT;
	return st.st_nlink;
}

int record_begin(uint64_t nr, const char *type)
{
	struct sb path = {0};
	int fd = -1, error;
	bool ok = root_mkdir(RUN) && root_mkdir(DIR_NAME);

	add_name(&path, nr);
	while (ok) {
		fd = root_create(path.p);
		ok = fd >= 0 && lock(fd);
		if (ok || fd < 0 || errno != ENOENT)
			break;
		/* Another offctl removed it before this one had the lock. */
		close(fd);
		ok = true;
	}
	ok = ok && !ftruncate(fd, 0) && dprintf(fd, "%s\n", type) > 0;
	error = errno;
	sb_free(&path);
	if (!ok && fd >= 0)
		close(fd);
	errno = error;
	return ok ? fd : -1;
}

void record_end(int fd, uint64_t nr, bool online)
{
	struct sb path = {0};

	if (online) {
		add_name(&path, nr);
		root_unlink(path.p);
		sb_free(&path);
	}
	close(fd);
}

static void say_one(const char *cmd, uint64_t nr)
{
	struct memblock block = { .nr = nr, .node = -1 };
	struct sb path = {0}, line = {0};
	const char *type;
	int fd;

	add_name(&path, nr);
	fd = root_open_read(ROOT, path.p);
	if (fd < 0 || !lock(fd)) {
		/* Another offctl works on the block, or the user may not read the record. */
	} else if (!memblock_refresh(&block)) {
		if (errno == ENOENT)
			root_unlink(path.p);
	} else if (strcmp(block.state, "offline")) {
		root_unlink(path.p);
	} else {
		type = root_read_line(ROOT, path.p, &line) ?
		       blockop_type(sb_str(&line)) : NULL;
		err("%s: block %" PRIu64 " is offline: 'offctl mark --via-offline' did not bring it back",
		    cmd, nr);
		if (type)
			hint("offctl online --type %s %" PRIu64, type, nr);
		else
			hint("offctl online %" PRIu64, nr);
	}
	if (fd >= 0)
		close(fd);
	free(block.state);
	free(block.zones);
	sb_free(&path);
	sb_free(&line);
}

static int compare(const void *pa, const void *pb)
{
	const uint64_t *a = pa, *b = pb;

	return (*a > *b) - (*a < *b);
}

void records_report(const char *cmd)
{
	struct { uint64_t *v; size_t n, cap; } records = {0};
	DIR *dir = memblock_bytes() ? root_opendir(ROOT, DIR_NAME) : NULL;
	const struct dirent *entry;
	size_t len = strlen(PREFIX);
	uint64_t nr;

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (!strncmp(entry->d_name, PREFIX, len) &&
		    !parse_number(entry->d_name + len, &nr)) {
			GROW(&records);
			records.v[records.n++] = nr;
		}
	closedir(dir);
	if (records.n)
		qsort(records.v, records.n, sizeof(*records.v), compare);
	for (size_t i = 0; i < records.n; i++)
		say_one(cmd, records.v[i]);
	free(records.v);
}
