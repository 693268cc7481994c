// SPDX-License-Identifier: GPL-2.0
#include "badmem.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* More than that is no list of bad memory. */
#define MAX_SPANS (1u << 20)

static const char blanks[] = " \t\r";

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

void badmem_add(struct badmem_list *list, struct span span, uint64_t errors,
		size_t line)
{
	GROW(list);
	list->v[list->n++] = (struct badmem){ span, errors, line };
}

void badmem_free(struct badmem_list *list)
{
	free(list->v);
	*list = (struct badmem_list){0};
}

static void skip(struct badmem_list *list, size_t line, const char *why)
{
	if (!list->skipped++) {
		list->first_skipped = line;
		list->why_skipped = why;
	}
}

/* Hexadecimal digits, with or without 0x, and nothing else. */
static bool parse_hex(const char *s, size_t len, uint64_t *value)
{
	uint64_t v = 0;

	if (len > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		s += 2;
		len -= 2;
	}
	if (!len)
		return false;
	for (; len; s++, len--) {
		if (!isxdigit((unsigned char)*s) || v >> 60)
			return false;
		v = v * 16 + (uint64_t)(*s <= '9' ? *s - '0' :
						    (*s | 32) - 'a' + 10);
	}
	*value = v;
	return true;
}

static struct span page_at(uint64_t address, const struct units *u)
{
	return (struct span){ address / u->page, 1 };
}

static bool span_of_bytes(uint64_t first, uint64_t last, const struct units *u,
			  struct span *span)
{
	if (last < first)
		return false;
	span->pfn = first / u->page;
	span->nr = last / u->page - span->pfn + 1;
	return true;
}

/*
 * Calls take() for each line that is not empty. comments: '#' begins one. In
 * tables it is a part of names, DIMM#0.
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
		from = strspn(line.p, blanks);
		if (line.p[from])
			take(line.p + from, nr, arg);
	}
	sb_free(&line);
}

struct reader {
	struct badmem_list *list;
	const struct units *u;
	uint64_t end;
	const char *why;
	bool pfns;
	/* CSV */
	bool header;
	int address, pfn, errors;
};

/*
 * Memtest86+. Since version 6 an error is
 *
 *    0      0    4   00048e4c8a0 (1.13GB)  ffffffffffffffff  fffffffffffeffff
 *
 * and before it was "5  0  00048e4c8a0 - 1166.2MB  ...": the address is in front
 * of its size. A line may also be just an address, or two with '-' between.
 */
static void memtest_line(char *line, size_t nr, void *arg)
{
	struct reader *r = arg;
	char *save, *word, *before = NULL;
	uint64_t first, last = 0;
	struct span span;
	size_t words = 0;

	if (strspn(line, "-+= \t\r") == strlen(line) ||
	    strstr(line, "Failing Address"))
		return;
	for (word = strtok_r(line, blanks, &save); word;
	     word = strtok_r(NULL, blanks, &save)) {
		char *dash = words ? NULL : strchr(word, '-');

		if (dash && parse_hex(word, (size_t)(dash - word), &first) &&
		    parse_hex(dash + 1, strlen(dash + 1), &last) &&
		    span_of_bytes(first, last, r->u, &span)) {
			badmem_add(r->list, span, 1, nr);
			return;
		}
		if (before && (*word == '(' || !strcmp(word, "-")) &&
		    parse_hex(before, strlen(before), &first)) {
			char *next = strtok_r(NULL, blanks, &save);

			/* "0x1000 - 0x1fff" is a range */
			if (words == 1 && *word == '-' && next &&
			    !strncmp(next, "0x", 2) &&
			    parse_hex(next, strlen(next), &last) &&
			    span_of_bytes(first, last, r->u, &span))
				badmem_add(r->list, span, 1, nr);
			else
				badmem_add(r->list, page_at(first, r->u), 1,
					   nr);
			return;
		}
		before = word;
		words++;
	}
	if (words == 1 && parse_hex(before, strlen(before), &first))
		badmem_add(r->list, page_at(first, r->u), 1, nr);
	else
		skip(r->list, nr, "no address of an error");
}

/* Plain lists, a number or a range a word. */
static void list_line(char *line, size_t nr, void *arg)
{
	struct reader *r = arg;
	uint64_t limit = UINT64_MAX / r->u->page + 1;
	char *save;

	for (char *word = strtok_r(line, " \t\r,;", &save); word;
	     word = strtok_r(NULL, " \t\r,;", &save)) {
		char *sep = strpbrk(word, "-+");
		char how = sep ? *sep : 0;
		uint64_t a, b;
		struct span span;

		if (sep)
			*sep = '\0';
		if (parse_number(word, &a) ||
		    (sep && parse_number(sep + 1, &b))) {
			skip(r->list, nr, "not a number");
			continue;
		}
		if (!how)
			b = a;
		else if (how == '+' &&
			 (!b || __builtin_add_overflow(a, b - 1, &b))) {
			skip(r->list, nr, "an empty range, or beyond all memory");
			continue;
		}
		if (r->pfns)
			span = (struct span){ a, b - a + 1 };
		if (b < a || (r->pfns && b >= limit)) {
			skip(r->list, nr, "not a range");
			continue;
		}
		if (!r->pfns)
			span_of_bytes(a, b, r->u, &span);
		badmem_add(r->list, span, 1, nr);
	}
}

/*
 * The pages that a pattern matches. Bits of the mask below a page don't matter:
 * a page is bad if a byte of it is. The lowest bits that may be anything make
 * spans, the others are counted through.
 */
static const char *add_pattern(struct reader *r, uint64_t address,
			       uint64_t mask, size_t nr)
{
	uint64_t limit = 1, must, any, low, high, sub = 0;
	size_t spans = 0;

	/* Patterns of 32-bit systems say nothing of the upper half. */
	if (address <= UINT32_MAX && mask <= UINT32_MAX)
		mask |= ~(uint64_t)UINT32_MAX;
	while (limit < r->end)
		limit <<= 1;
	mask /= r->u->page;
	must = address / r->u->page & mask;
	if (must >= limit)
		return NULL;
	any = ~mask & (limit - 1);
	/* The run of ones at the bottom. */
	low = any & (any ^ (any + 1));
	high = any & ~low;
	do {
		uint64_t pfn = must | sub;

		if (pfn >= r->end)
			break;
		if (++spans > MAX_SPANS || r->list->n > MAX_SPANS)
			return "a pattern matches far too many pages";
		badmem_add(r->list, (struct span){
			   pfn, low + 1 < r->end - pfn ? low + 1 :
							 r->end - pfn }, 1, nr);
		sub = (sub - high) & high;
	} while (sub);
	return NULL;
}

/* The words of a text: what is between blanks, commas, quotes and such. */
static const char *next_word(const char **p, const char *end, size_t *len,
			     size_t *line, const char *separators)
{
	const char *word;

	while (*p < end && strchr(separators, **p)) {
		if (**p == '\n')
			++*line;
		++*p;
	}
	word = *p;
	while (*p < end && !strchr(separators, **p))
		++*p;
	*len = (size_t)(*p - word);
	return *len ? word : NULL;
}

static const char *parse_badram(struct reader *r, const char *text, size_t len)
{
	static const char separators[] = " \t\r\n,\"'=\\";
	const char *p = text, *end = text + len, *word, *why = NULL;
	uint64_t pair[2];
	size_t n, have = 0, line = 1;

	while (!why && (word = next_word(&p, end, &n, &line, separators))) {
		/* The line's name, as in GRUB_BADRAM="..." */
		if (n > 5 && !strncasecmp(word + n - 6, "badram", 6)) {
			if (have)
				return "an address without a mask";
			continue;
		}
		if (*word == '#') {
			while (p < end && *p != '\n')
				p++;
			continue;
		}
		if (!parse_hex(word, n, &pair[have]))
			return "not pairs of address and mask";
		have ^= 1;
		if (!have)
			why = add_pattern(r, pair[0], pair[1], line);
	}
	if (!why && have)
		why = "an address without a mask";
	return why;
}

static const char *parse_memmap(struct reader *r, const char *text, size_t len)
{
	static const char separators[] = " \t\r\n,\"'=";
	const char *p = text, *end = text + len, *word;
	size_t n, line = 1;

	while ((word = next_word(&p, end, &n, &line, separators))) {
		const char *dollar = memchr(word, '$', n);
		uint64_t size, start, last;
		struct sb number = {0};
		struct span span;
		bool ok;

		if (n == 6 && !strncmp(word, "memmap", 6))
			continue;
		if (!dollar)
			return "not SIZE$ADDRESS";
		sb_add(&number, word, (size_t)(dollar - word));
		/* \$, as boot loaders want it */
		while (number.len && number.p[number.len - 1] == '\\')
			number.p[--number.len] = '\0';
		ok = !parse_size(number.p, &size) && size &&
		     parse_hex(dollar + 1, n - (size_t)(dollar + 1 - word),
			       &start) &&
		     !__builtin_add_overflow(start, size - 1, &last) &&
		     span_of_bytes(start, last, r->u, &span);
		sb_free(&number);
		if (!ok)
			return "not SIZE$ADDRESS";
		badmem_add(r->list, span, 1, line);
	}
	return NULL;
}

void badmem_record(struct badmem_list *list, const struct units *u,
		   const char *address, const char *pfn, const char *errors,
		   size_t line)
{
	uint64_t value, count = 1;
	const char *text = address && *address ? address : pfn;

	if (errors && (parse_number(errors, &count) || !count))
		count = 1;
	if (!text || !*text) {
		list->no_address++;
	} else if (*text == '-') {
		/* Older rasdaemons stored the lower 32 bits, with a sign. */
		skip(list, line, "an address that was cut to 32 bits");
	} else if (parse_number(text, &value)) {
		skip(list, line, "not an address");
	} else if (!value) {
		/* What the EDAC driver says when it cannot tell. */
		list->no_address++;
	} else if (text == address) {
		badmem_add(list, page_at(value, u), count, line);
	} else if (value > UINT64_MAX / u->page) {
		skip(list, line, "not a page number");
	} else {
		badmem_add(list, (struct span){ value, 1 }, count, line);
	}
}

/* One field of a line of CSV, unquoted in place; *p goes behind it. */
static char *csv_field(char **p)
{
	char *from = *p, *field = *p, *to;

	if (!*p)
		return NULL;
	if (*from == '"') {
		from++;
		field = to = from;
		while (*from && (*from != '"' || from[1] == '"')) {
			if (*from == '"')
				from++;
			*to++ = *from++;
		}
		if (*from)
			from++;
		while (*from && *from != ',')
			from++;
	} else {
		while (*from && *from != ',')
			from++;
		to = from;
	}
	*p = *from ? from + 1 : NULL;
	while (to > field && strchr(blanks, to[-1]))
		to--;
	*to = '\0';
	return field + strspn(field, " \t");
}

static void csv_line(char *line, size_t nr, void *arg)
{
	struct reader *r = arg;
	const char *address = NULL, *pfn = NULL, *errors = NULL, *field;
	char *p = line;
	int i = 0;

	if (!r->header) {
		r->header = true;
		for (; (field = csv_field(&p)); i++) {
			if (!strcasecmp(field, "address"))
				r->address = i;
			else if (!strcasecmp(field, "pfn"))
				r->pfn = i;
			else if (!strcasecmp(field, "err_count"))
				r->errors = i;
		}
		if (r->address < 0 && r->pfn < 0)
			r->why = "no column is called address or pfn";
		return;
	}
	if (r->why)
		return;
	for (; (field = csv_field(&p)); i++) {
		if (i == r->address)
			address = field;
		else if (i == r->pfn)
			pfn = field;
		else if (i == r->errors)
			errors = field;
	}
	badmem_record(r->list, r->u, address, pfn, errors, nr);
}

/*
 * JSON, as `sqlite3 -json` and others write it: each object with a member
 * "address" or "pfn", wherever it is, is a record.
 */
struct json {
	const char *p, *end;
	size_t line;
	struct reader *r;
};

static void json_blanks(struct json *j)
{
	for (; j->p < j->end && strchr(" \t\r\n", *j->p) && *j->p; j->p++)
		j->line += *j->p == '\n';
}

static bool json_string(struct json *j, struct sb *text)
{
	sb_clear(text);
	for (j->p++; j->p < j->end && *j->p != '"'; j->p++) {
		if (*j->p == '\\' && ++j->p == j->end)
			return false;
		sb_add(text, j->p, 1);
	}
	return j->p++ < j->end;
}

static bool json_value(struct json *j, struct sb *text, int depth);

static bool json_members(struct json *j, int depth, bool object)
{
	struct sb name = {0}, value = {0};
	struct sb address = {0}, pfn = {0}, errors = {0};
	char close = object ? '}' : ']';
	bool ok = depth < 64, first = true, record = false;
	size_t line = j->line;

	for (j->p++; ok; first = false) {
		json_blanks(j);
		if (j->p < j->end && *j->p == close) {
			j->p++;
			break;
		}
		if (!first) {
			ok = j->p < j->end && *j->p++ == ',';
			json_blanks(j);
		}
		if (ok && object) {
			ok = j->p < j->end && *j->p == '"' &&
			     json_string(j, &name);
			json_blanks(j);
			ok = ok && j->p < j->end && *j->p++ == ':';
			json_blanks(j);
		}
		ok = ok && json_value(j, &value, depth + 1);
		if (ok && object) {
			struct sb *to = !strcmp(sb_str(&name), "address") ?
						&address :
					!strcmp(sb_str(&name), "pfn") ? &pfn :
					!strcmp(sb_str(&name), "err_count") ?
						&errors : NULL;

			if (to) {
				sb_clear(to);
				sb_add(to, sb_str(&value), value.len);
				record = record || to != &errors;
			}
		}
	}
	if (ok && record)
		badmem_record(j->r->list, j->r->u, sb_str(&address),
			      sb_str(&pfn), errors.len ? errors.p : NULL, line);
	sb_free(&name);
	sb_free(&value);
	sb_free(&address);
	sb_free(&pfn);
	sb_free(&errors);
	return ok;
}

/* The text of a string or a number; nothing for what else there is. */
static bool json_value(struct json *j, struct sb *text, int depth)
{
	static const char word[] = "+-.0123456789abcdefghijklmnopqrstuvwxyzE";

	sb_clear(text);
	json_blanks(j);
	if (j->p == j->end)
		return false;
	if (*j->p == '"')
		return json_string(j, text);
	if (*j->p == '{' || *j->p == '[')
		return json_members(j, depth, *j->p == '{');
	while (j->p < j->end && *j->p && strchr(word, *j->p))
		sb_add(text, j->p++, 1);
	if (!text->len)
		return false;
	if (isalpha((unsigned char)*text->p))
		sb_clear(text);
	return true;
}

static const char *parse_json(struct reader *r, const char *text, size_t len)
{
	struct json j = { .p = text, .end = text + len, .line = 1, .r = r };
	struct sb value = {0};
	bool ok = true;

	/* Several values, one behind the other, are JSON lines. */
	for (json_blanks(&j); ok && j.p < j.end; json_blanks(&j))
		ok = json_value(&j, &value, 0);
	sb_free(&value);
	return ok ? NULL : "not valid JSON";
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
	/* The first line that says something. */
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
		return "not a text";
	switch (format) {
	case BADMEM_MEMTEST:
		each_line(text, len, true, memtest_line, &r);
		return NULL;
	case BADMEM_PFN:
	case BADMEM_ADDRESS:
		each_line(text, len, true, list_line, &r);
		return NULL;
	case BADMEM_CSV:
		each_line(text, len, false, csv_line, &r);
		return r.header ? r.why : "no line with the names of the columns";
	case BADMEM_BADRAM:
		return parse_badram(&r, text, len);
	case BADMEM_MEMMAP:
		return parse_memmap(&r, text, len);
	case BADMEM_JSON:
		return parse_json(&r, text, len);
	default:
		return "no format that is known";
	}
}

static int compare(const void *pa, const void *pb)
{
	const struct badmem *a = pa, *b = pb;

	return (a->span.pfn > b->span.pfn) - (a->span.pfn < b->span.pfn);
}

void badmem_at_least(struct badmem_list *list, uint64_t errors)
{
	size_t n = 0;

	if (list->n)
		qsort(list->v, list->n, sizeof(*list->v), compare);
	for (size_t i = 0; i < list->n;) {
		struct badmem one = list->v[i];
		uint64_t sum = 0;

		for (; i < list->n && list->v[i].span.pfn == one.span.pfn; i++)
			if (__builtin_add_overflow(sum, list->v[i].errors,
						   &sum))
				sum = UINT64_MAX;
		one.errors = sum;
		if (sum >= errors)
			list->v[n++] = one;
	}
	list->n = n;
}

void badmem_align(struct badmem_list *list, uint64_t pages, uint64_t limit)
{
	for (size_t i = 0; i < list->n; i++) {
		struct span *s = &list->v[i].span;
		uint64_t end = s->pfn + s->nr;

		s->pfn -= s->pfn % pages;
		if (end % pages)
			end = limit - end < pages ? limit :
						    end + pages - end % pages;
		s->nr = end - s->pfn;
	}
}
