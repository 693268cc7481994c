// SPDX-License-Identifier: GPL-2.0
/*
 * Part of fuzzraw. Sends the write that make_write() has made to a file of the module, in one
 * of three ways, and checks the result. Also finds the writes that must not be sent.
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

/* The module takes only printable characters, tabs and newlines, with a newline at the end. */
static bool is_text(void)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (text[i] != '\n' && text[i] != '\t' &&
		    (text[i] < ' ' || text[i] > '~'))
			return false;
	return len && text[len - 1] == '\n';
}

/* The first two words of a line. */
struct line {
	char word[2][32];
	bool is_number[2];
	uint64_t number[2];
};

/* Reads the line at "at". Returns the start of the next line, or end. */
static const char *read_line(const char *at, const char *end, struct line *l)
{
	int i, k;

	memset(l, 0, sizeof(*l));
	for (i = 0; i < 2; i++) {
		char *word = l->word[i];

		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
		for (k = 0; at < end && !isspace((unsigned char)*at); at++)
			if (k < 31)
				l->word[i][k++] = *at;
		if (isdigit((unsigned char)*word)) {
			bool hex = word[0] == '0' && tolower(word[1]) == 'x';
			char *end_of_number;

			l->number[i] = strtoull(word, &end_of_number, hex ? 16 : 10);
			l->is_number[i] = !*end_of_number;
		}
	}
	while (at < end && *at++ != '\n')
		;
	return at;
}

/* Does the machine have this memory block? */
static bool is_block(uint64_t block)
{
	char path[96];

	sprintf(path, SYSMEM "memory%" PRIu64, block);
	return !access(path, F_OK);
}

/* Is it one of the memory blocks under test? */
static bool is_tested(uint64_t block)
{
	return block - first_block < nr_blocks;
}

/*
 * Must this line be left out? raw.c has the reasons. Lines that only take long are left out
 * most of the time, but not always.
 */
static bool unwanted_line(enum file f, const struct line *l)
{
	bool has_neighbours = l->number[0] > first_block &&
			      l->number[0] < first_block + nr_blocks - 1;

	switch (f) {
	case MARK:
		/* "any" with many pages, or without a number */
		if (!l->is_number[0])
			return !strcmp(l->word[0], "any") &&
			       (!l->is_number[1] || l->number[1] > 8192) &&
			       !one_in(50);
		/* memory of the kernel, before the blocks under test or up to 4 blocks after */
		return l->is_number[1] &&
		       (l->number[0] < first_pfn ||
			l->number[0] + l->number[1] > first_pfn + nr_pages) &&
		       l->number[0] < first_pfn + nr_pages + 4 * block_pages &&
		       !one_in(500);
	case BLOCK_OFFLINE:
		/* a second block while one is offline, or a block that is not under test */
		return l->is_number[0] &&
		       (offline_since ? is_block(l->number[0]) :
			!is_tested(l->number[0]) && is_block(l->number[0]));
	case BLOCK_ONLINE:
		/*
		 * An online type that may choose ZONE_NORMAL. If both neighbours are in
		 * ZONE_MOVABLE, only online_kernel chooses ZONE_NORMAL.
		 */
		if (!l->is_number[0] || !is_tested(l->number[0]) ||
		    !strcmp(l->word[1], "online_movable"))
			return false;
		return !has_neighbours || !strcmp(l->word[1], "online_kernel");
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

/*
 * May the module return this error for a write to this file? For block_offline and
 * block_online the answer is always yes, because any error can be injected into them.
 */
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

/* Sends the text in one write. */
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
		return failed("the module took a part of a write");
	if (len > MAX_WRITE) {
		if (error != E2BIG)
			return failed("more than a megabyte, and the errno is not E2BIG");
		return true;
	}
	if (!is_text() && error != EINVAL)
		return failed("this is not text, and the errno is not EINVAL");
	if (error && !expected(f, error))
		return failed(strerror(error));
	if (!error && f == BLOCK_OFFLINE)
		offline_since = number;
	return true;
}

/* Sends the text in two parts with one writev(). The module sees each part as a write. */
bool send_pieces(enum file f)
{
	size_t first = some_place();
	struct iovec iov[2] = {
		{ .iov_base = text, .iov_len = first },
		{ .iov_base = text + first, .iov_len = len - first },
	};
	char last_of_first = first && first < len ? text[first - 1] : '\n';
	ssize_t n = writev(files[f].fd, iov, 2);

	files[f].writes++;
	if (n > 0 && last_of_first != '\n')
		return failed("the module took a line without its newline");
	if (n > 0 && f == BLOCK_OFFLINE)
		offline_since = number;
	return true;
}

/* Sends the text from memory whose end is not mapped. The module must do nothing of it. */
bool send_unmapped(enum file f)
{
	size_t n = at_most(len, 4096);
	ssize_t ret;
	char *from = guarded_end - n;

	memcpy(from, text, n);
	ret = write(files[f].fd, from, n + 1 + below(100));
	files[f].writes++;
	if (ret != -1 || errno != EFAULT)
		return failed("the end of the text is not mapped, and the errno is not EFAULT");
	return true;
}
