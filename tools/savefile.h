/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Marked ranges as a text file, see FILES in offctl(8):
 *
 *   version 1
 *   mark RANGE [unskippable] [canary]
 *
 * '#' begins a comment, empty lines are ignored, and RANGE is as for "offctl mark".
 * These functions make no system calls.
 */
#ifndef OFFCTL_SAVEFILE_H
#define OFFCTL_SAVEFILE_H

#include "parse.h"

struct saved_mark {
	size_t line;
	const char *reason;	/* NULL, or the fault of this line */
	struct span span;
	bool unskippable, canary;
};

struct saved_marks {
	struct saved_mark *v;
	size_t n, cap;
};

/*
 * Parses a file. Each line becomes a mark, and so does a faulty line. Returns NULL, or
 * why the whole file is refused; *line is then the number of the faulty line.
 */
const char *savefile_parse(const char *text, size_t len, const struct units *u,
			   struct saved_marks *marks, size_t *line);
void savefile_free(struct saved_marks *marks);
/* Adds the head of such a file. comment is one more line of it, or NULL. */
void savefile_add_head(struct sb *sb, const char *comment);
void savefile_add(struct sb *sb, const struct units *u, struct span span,
		  bool unskippable, bool canary);

#endif
