// SPDX-License-Identifier: GPL-2.0
/* Marked ranges as a text file. */
#include "savefile.h"

#include <stdlib.h>
#include <string.h>

static const char blanks[] = " \t\r";

static void take_mark(char *words, const struct units *u,
		      struct saved_mark *mark)
{
	char *save, *word = strtok_r(words, blanks, &save);

	if (!word) {
		mark->reason = "no range is named";
		return;
	}
	mark->reason = parse_range(word, u, &mark->span);
	while (!mark->reason && (word = strtok_r(NULL, blanks, &save))) {
		bool *flag = !strcmp(word, "unskippable") ? &mark->unskippable :
			     !strcmp(word, "canary") ? &mark->canary : NULL;

		if (!flag)
			mark->reason = "an unknown word follows the range";
		else if (*flag)
			mark->reason = "a word is repeated";
		else
			*flag = true;
	}
}

static struct saved_mark *new_mark(struct saved_marks *marks, size_t line)
{
	GROW(marks);
	marks->v[marks->n] = (struct saved_mark){ .line = line };
	return &marks->v[marks->n++];
}

/* Checks the first line that is not empty. Returns NULL, or its fault. */
static const char *check_version(char *words)
{
	char *save, *word = strtok_r(words, blanks, &save);
	uint64_t version;

	if (strcmp(word, "version"))
		return "the first line is not 'version 1'";
	word = strtok_r(NULL, blanks, &save);
	if (!word || parse_number(word, &version) ||
	    strtok_r(NULL, blanks, &save))
		return "the first line is not 'version 1'";
	return version == 1 ? NULL : "this offctl does not know the version of the file";
}

const char *savefile_parse(const char *text, size_t len, const struct units *u,
			   struct saved_marks *marks, size_t *line)
{
	const char *end = text + len, *reason = NULL;
	struct sb words = {0};
	bool version = false;

	*marks = (struct saved_marks){0};
	*line = 0;
	if (memchr(text, '\0', len)) {
		*line = 1;
		return "not a text file";
	}
	for (const char *p = text; p < end && !reason;) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((stop ? stop : end) - p), skip;
		const char *comment = memchr(p, '#', n);
		struct saved_mark *mark;

		++*line;
		sb_clear(&words);
		sb_add(&words, p, comment ? (size_t)(comment - p) : n);
		p += n + 1;
		skip = strspn(words.p, blanks);
		if (!words.p[skip])
			continue;
		if (!version) {
			reason = check_version(words.p + skip);
			version = true;
			continue;
		}
		n = strcspn(words.p + skip, blanks);
		mark = new_mark(marks, *line);
		if (n == 4 && !strncmp(words.p + skip, "mark", 4))
			take_mark(words.p + skip + n, u, mark);
		else
			mark->reason = "the line does not begin with 'mark'";
	}
	sb_free(&words);
	if (!version && !reason) {
		*line = 1;
		reason = "the first line is not 'version 1'";
	}
	if (reason)
		savefile_free(marks);
	return reason;
}

void savefile_free(struct saved_marks *marks)
{
	free(marks->v);
	*marks = (struct saved_marks){0};
}

void savefile_add_head(struct sb *sb, const char *comment)
{
	sb_addf(sb, "# Pages that 'offctl restore' takes out of use, see offctl(8).\n");
	if (comment)
		sb_addf(sb, "# %s\n", comment);
	sb_addf(sb, "version 1\n");
}

void savefile_add(struct sb *sb, const struct units *u, struct span span,
		  bool unskippable, bool canary)
{
	sb_addf(sb, "mark ");
	add_range(sb, u, span);
	sb_addf(sb, "%s%s\n", unskippable ? " unskippable" : "",
		canary ? " canary" : "");
}
