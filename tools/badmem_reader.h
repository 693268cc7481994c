/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The common part of the parsers of lists of bad memory. Only badmem*.c include this file.
 */
#ifndef OFFCTL_BADMEM_READER_H
#define OFFCTL_BADMEM_READER_H

#include "badmem_list.h"

#define BADMEM_BLANKS " \t\r"

struct reader {
	struct badmem_list *list;
	const struct units *u;
	uint64_t end;		/* the PFN after the last page of RAM */
	const char *reason;	/* why the text is refused, or NULL */
	bool pfns;		/* the numbers of a plain list are PFNs, not addresses */
	/* only for CSV: the header was read, and the indexes of columns, or -1 */
	bool header;
	int address, pfn, errors;
};

/*
 * badmem_text.c: the first two parse one line, whose number is nr. The others parse a whole
 * text. They return NULL, or the reason why the text is refused.
 */
void badmem_memtest_line(char *line, size_t nr, void *arg);
void badmem_list_line(char *line, size_t nr, void *arg);
const char *badmem_parse_badram(struct reader *r, const char *text, size_t len);
const char *badmem_parse_memmap(struct reader *r, const char *text, size_t len);
/* badmem_table.c */
void badmem_csv_line(char *line, size_t nr, void *arg);
const char *badmem_parse_json(struct reader *r, const char *text, size_t len);

#endif
