/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Marks as a text file, see "save" in offctl(8):
 *
 *   version 1
 *   mark RANGE [unskippable] [canary]
 *
 * '#' begins a comment, empty lines mean nothing, and RANGE is what the command
 * "mark" takes. Nothing in here touches the system.
 */
#ifndef OFFCTL_SAVEFILE_H
#define OFFCTL_SAVEFILE_H

#include "parse.h"

struct saved_mark {
	size_t line;
	const char *why;	/* NULL, or why this line is not understood */
	struct span span;
	bool unskippable, canary;
};

struct saved_marks {
	struct saved_mark *v;
	size_t n, cap;
};

/*
 * Takes a file apart, a mark a line, also those that are not understood. NULL,
 * or why the whole file is none; *line then says where.
 */
const char *savefile_parse(const char *text, size_t len, const struct units *u,
			   struct saved_marks *marks, size_t *line);
void savefile_free(struct saved_marks *marks);
/* The head of such a file; comment is one more line of it, or NULL. */
void savefile_add_head(struct sb *sb, const char *comment);
void savefile_add(struct sb *sb, const struct units *u, struct span span,
		  bool unskippable, bool canary);

#endif
