// SPDX-License-Identifier: GPL-2.0
/*
 * The formats of lists of bad memory: their names, how to recognize them, and the choice
 * of the parser.
 */
#include "badmem.h"
#include "badmem_reader.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	enum badmem_format format;
} names[] = {
	{ "auto", BADMEM_AUTO },
	{ "memtest", BADMEM_MEMTEST },
	{ "memtest86+", BADMEM_MEMTEST },
	{ "badram", BADMEM_BADRAM },
	{ "memmap", BADMEM_MEMMAP },
	{ "csv", BADMEM_CSV },
	{ "json", BADMEM_JSON },
	{ "rasdaemon", BADMEM_SQLITE },
	{ "pfn", BADMEM_PFN },
	{ "address", BADMEM_ADDRESS },
};

const char badmem_formats[] =
	"formats are auto, memtest, badram, memmap, rasdaemon, csv, json, pfn and address";

enum badmem_format badmem_format(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i].name))
			return names[i].format;
	return BADMEM_UNKNOWN;
}

/*
 * Calls take() for each line that is not empty. comments is true if '#' begins a
 * comment. In tables it is a part of names, such as DIMM#0.
 */
static void each_line(const char *text, size_t len, bool comments,
		      void (*take)(char *line, size_t nr, void *arg), void *arg)
{
	const char *end = text + len;
	struct sb line = {0};
	size_t nr = 0;

	for (const char *p = text; p < end;) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((stop ? stop : end) - p), from;
		const char *comment = comments ? memchr(p, '#', n) : NULL;

		nr++;
		sb_clear(&line);
		sb_add(&line, p, comment ? (size_t)(comment - p) : n);
		p += n + 1;
		from = strspn(line.p, BADMEM_BLANKS);
		if (line.p[from])
			take(line.p + from, nr, arg);
	}
	sb_free(&line);
}

static bool contains(const char *text, size_t len, const char *what)
{
	size_t n = strlen(what);

	for (; len >= n; text++, len--)
		if (!strncasecmp(text, what, n))
			return true;
	return false;
}

enum badmem_format badmem_guess(const char *text, size_t len)
{
	const char *p = text, *end = text + len, *line_end;
	size_t n;

	if (len >= 16 && !memcmp(text, "SQLite format 3", 16))
		return BADMEM_SQLITE;
	/* Skip empty lines and comments. */
	for (;;) {
		while (p < end && isspace((unsigned char)*p))
			p++;
		line_end = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
		if (p == end || *p != '#' || !line_end)
			break;
		p = line_end;
	}
	if (p == end)
		return BADMEM_UNKNOWN;
	n = (size_t)((line_end ? line_end : end) - p);
	if (*p == '[' || *p == '{')
		return BADMEM_JSON;
	if (contains(p, n, "badram"))
		return BADMEM_BADRAM;
	if (contains(p, n, "memmap=") || memchr(p, '$', n))
		return BADMEM_MEMMAP;
	if (contains(text, len, "Failing Address") ||
	    (memchr(p, '(', n) && contains(p, n, "B)")))
		return BADMEM_MEMTEST;
	if (memchr(p, ',', n) &&
	    (contains(p, n, "address") || contains(p, n, "pfn")))
		return BADMEM_CSV;
	if (n > 6 && !strncmp(p, "0x", 2) && memchr(p, ',', n))
		return BADMEM_BADRAM;
	return BADMEM_UNKNOWN;
}

const char *badmem_parse(enum badmem_format format, const char *text,
			 size_t len, const struct units *u, uint64_t end,
			 struct badmem_list *list)
{
	struct reader r = {
		.list = list, .u = u, .end = end, .address = -1, .pfn = -1,
		.errors = -1, .pfns = format == BADMEM_PFN,
	};

	if (memchr(text, '\0', len))
		return "not a text file";
	switch (format) {
	case BADMEM_MEMTEST:
		each_line(text, len, true, badmem_memtest_line, &r);
		return NULL;
	case BADMEM_PFN:
	case BADMEM_ADDRESS:
		each_line(text, len, true, badmem_list_line, &r);
		return NULL;
	case BADMEM_CSV:
		each_line(text, len, false, badmem_csv_line, &r);
		return r.header ? r.reason : "the names of the columns are missing";
	case BADMEM_BADRAM:
		return badmem_parse_badram(&r, text, len);
	case BADMEM_MEMMAP:
		return badmem_parse_memmap(&r, text, len);
	case BADMEM_JSON:
		return badmem_parse_json(&r, text, len);
	default:
		return "the format is not recognized";
	}
}
