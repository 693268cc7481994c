// SPDX-License-Identifier: GPL-2.0
/*
 * Sends a write in one of several ways, and judges the answer.
 */
#include "common.h"
#include "raw.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* Text, by the module's rule: printable or blank, and a newline at the end. */
static bool is_text(void)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (text[i] != '\n' && text[i] != '\t' &&
		    (text[i] < ' ' || text[i] > '~'))
			return false;
	return len && text[len - 1] == '\n';
}

struct line {
	uint64_t n[2];		/* the first two words, if they are numbers */
	bool is[2];
	char word[2][32];
};

static const char *read_line(const char *at, const char *end, struct line *l)
{
	int i, k;

	memset(l, 0, sizeof(*l));
	for (i = 0; i < 2; i++) {
		char *stop = l->word[i];

		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
		for (k = 0; at < end && !isspace((unsigned char)*at); at++)
			if (k < 31)
				l->word[i][k++] = *at;
		if (isdigit((unsigned char)*stop)) {
			bool hex = stop[0] == '0' && tolower(stop[1]) == 'x';

			l->n[i] = strtoull(stop, &stop, hex ? 16 : 10);
			l->is[i] = !*stop;
		}
	}
	while (at < end && *at++ != '\n')
		;
	return at;
}

static bool is_block(uint64_t block)
{
	char path[96];

	sprintf(path, SYSMEM "memory%" PRIu64, block);
	return !access(path, F_OK);
}

static bool is_tested(uint64_t block)
{
	return block - first_block < nr_blocks;
}

/* Must this line not be sent, or seldom? See raw.c. */
static bool unwanted_line(enum file f, const struct line *l)
{
	bool middle = l->n[0] > first_block &&
		      l->n[0] < first_block + nr_blocks - 1;

	switch (f) {
	case MARK:
		if (!l->is[0])
			return !strcmp(l->word[0], "any") &&
			       (!l->is[1] || l->n[1] > 8192) && !one_in(50);
		return l->is[1] && (l->n[0] < first_pfn ||
				    l->n[0] + l->n[1] > first_pfn + nr_pages) &&
		       l->n[0] < first_pfn + nr_pages + 4 * block_pages &&
		       !one_in(500);
	case BLOCK_OFFLINE:
		return l->is[0] && (offline_since ? is_block(l->n[0]) :
				    !is_tested(l->n[0]) && is_block(l->n[0]));
	case BLOCK_ONLINE:
		if (!l->is[0] || !is_tested(l->n[0]) ||
		    !strcmp(l->word[1], "online_movable"))
			return false;
		return !middle || !strcmp(l->word[1], "online_kernel");
	default:
		return false;
	}
}

bool unwanted(enum file f)
{
	const char *at = text, *end = text + len;
	struct line l;

	if (len > MAX_WRITE || !is_text())
		return false;
	while (at < end) {
		at = read_line(at, end, &l);
		if (unwanted_line(f, &l))
			return true;
	}
	return false;
}

/* May the module return that? Any error can be injected into operations on blocks. */
static bool expected(enum file f, int error)
{
	static const struct {
		unsigned int files;
		int error;
	} list[] = {
		{ 1 << MARK, EEXIST }, { 1 << MARK, ENXIO },
		{ 1 << MARK | 1 << SKIPPABLE, EBUSY }, { 1 << MARK, ENOSPC },
		{ 1 << MARK | 1 << UNMARK | 1 << SKIPPABLE, ENOMEM },
		{ 1 << MARK | 1 << UNMARK | 1 << SKIPPABLE, EINTR },
		{ 1 << UNMARK | 1 << SKIPPABLE, ENOENT },
	};
	size_t i;

	if (error == EINVAL || error == ERANGE || f == BLOCK_OFFLINE ||
	    f == BLOCK_ONLINE)
		return true;
	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (list[i].files >> f & 1 && list[i].error == error)
			return true;
	return false;
}

/* Sends it in one write. */
bool send_whole(enum file f)
{
	ssize_t n = write(files[f].fd, text, len);
	int error = n < 0 ? errno : 0;

	files[f].writes++;
	if (!error && f == MARK)
		remember();
	if (!error)
		files[f].ok++;
	else if (error == EINVAL)
		files[f].invalid++;
	else
		files[f].others++;
	if (!error && (size_t)n != len)
		return failed("a write was taken in part");
	if (len > MAX_WRITE) {
		if (error != E2BIG)
			return failed("more than a megabyte, and not E2BIG");
		return true;
	}
	if (!is_text() && error != EINVAL)
		return failed("this is not text, and not EINVAL");
	if (error && !expected(f, error))
		return failed(strerror(error));
	if (!error && f == BLOCK_OFFLINE)
		offline_since = number;
	return true;
}

/* Sends it in two parts: each is a write of its own to the module. */
bool send_pieces(enum file f)
{
	size_t first = some_place();
	struct iovec iov[2] = {
		{ .iov_base = text, .iov_len = first },
		{ .iov_base = text + first, .iov_len = len - first },
	};
	char cut = first && first < len ? text[first - 1] : '\n';
	ssize_t n = writev(files[f].fd, iov, 2);

	files[f].writes++;
	if (n > 0 && cut != '\n')
		return failed("a line without its newline was taken");
	if (n > 0 && f == BLOCK_OFFLINE)
		offline_since = number;
	return true;
}

/* Sends it with an end that cannot be read: nothing of it may be carried out. */
bool send_unmapped(enum file f)
{
	size_t n = at_most(len, 4096);
	ssize_t ret;
	char *from = guarded_end - n;

	memcpy(from, text, n);
	ret = write(files[f].fd, from, n + 1 + below(100));
	files[f].writes++;
	if (ret != -1 || errno != EFAULT)
		return failed("its end is not mapped, and not EFAULT");
	return true;
}
