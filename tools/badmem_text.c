// SPDX-License-Identifier: GPL-2.0
/*
 * Parsers of text formats of bad memory: Memtest86+, BadRAM, memmap=, and plain lists of
 * addresses or PFNs.
 */
#include "badmem_reader.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Limit for patterns of BadRAM: a mask with few bits would match millions of spans. */
#define MAX_SPANS (1u << 20)

/* Parses a hexadecimal number with or without 0x. The whole text must be the number. */
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
 * A line of Memtest86+. Since version 6 an error is
 *
 *    0      0    4   00048e4c8a0 (1.13GB)  ffffffffffffffff  fffffffffffeffff
 *
 * Before it was "5  0  00048e4c8a0 - 1166.2MB  ...". In both the same address follows in
 * other units. A line may also be just an address, or two addresses with '-' between.
 */
void badmem_memtest_line(char *line, size_t nr, void *arg)
{
	struct reader *r = arg;
	char *save, *word, *before = NULL;
	uint64_t first, last = 0;
	struct span span;
	size_t words = 0;

	if (strspn(line, "-+= \t\r") == strlen(line) ||
	    strstr(line, "Failing Address"))
		return;
	for (word = strtok_r(line, BADMEM_BLANKS, &save); word;
	     word = strtok_r(NULL, BADMEM_BLANKS, &save)) {
		char *dash = words ? NULL : strchr(word, '-');

		if (dash && parse_hex(word, (size_t)(dash - word), &first) &&
		    parse_hex(dash + 1, strlen(dash + 1), &last) &&
		    span_of_bytes(first, last, r->u, &span)) {
			badmem_add(r->list, span, 1, nr);
			return;
		}
		if (before && (*word == '(' || !strcmp(word, "-")) &&
		    parse_hex(before, strlen(before), &first)) {
			char *next = strtok_r(NULL, BADMEM_BLANKS, &save);

			/* "0x1000 - 0x1fff" is a range. */
			if (words == 1 && *word == '-' && next &&
			    !strncmp(next, "0x", 2) &&
			    parse_hex(next, strlen(next), &last) &&
			    span_of_bytes(first, last, r->u, &span))
				badmem_add(r->list, span, 1, nr);
			else
				badmem_add(r->list, badmem_page_at(first, r->u), 1,
					   nr);
			return;
		}
		before = word;
		words++;
	}
	if (words == 1 && parse_hex(before, strlen(before), &first))
		badmem_add(r->list, badmem_page_at(first, r->u), 1, nr);
	else
		badmem_skip(r->list, nr, "the line has no address");
}

/* A line of a plain list. Each word is a number or a range. */
void badmem_list_line(char *line, size_t nr, void *arg)
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
			badmem_skip(r->list, nr, "a word is not a number");
			continue;
		}
		if (!how)
			b = a;
		else if (how == '+' &&
			 (!b || __builtin_add_overflow(a, b - 1, &b))) {
			badmem_skip(r->list, nr, "a range is empty or too large");
			continue;
		}
		if (r->pfns)
			span = (struct span){ a, b - a + 1 };
		if (b < a || (r->pfns && b >= limit)) {
			badmem_skip(r->list, nr, "a range is too large or ends before it starts");
			continue;
		}
		if (!r->pfns)
			span_of_bytes(a, b, r->u, &span);
		badmem_add(r->list, span, 1, nr);
	}
}

/*
 * Adds the pages that a pattern matches. A page is bad if one of its bytes is, so the
 * bits of the mask below the page size have no effect. The lowest free bits give the
 * length of the spans. The loop counts through the other free bits.
 */
static const char *add_pattern(struct reader *r, uint64_t address,
			       uint64_t mask, size_t nr)
{
	uint64_t limit = 1, must, any, low, high, sub = 0;
	size_t spans = 0;

	/* A pattern of 32 bits matches only addresses below 4 GiB. */
	if (address <= UINT32_MAX && mask <= UINT32_MAX)
		mask |= ~(uint64_t)UINT32_MAX;
	while (limit < r->end)
		limit <<= 1;
	mask /= r->u->page;
	must = address / r->u->page & mask;
	if (must >= limit)
		return NULL;
	any = ~mask & (limit - 1);
	/* The ones at the lower end. */
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

/* Returns the next word between separators, or NULL. */
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

const char *badmem_parse_badram(struct reader *r, const char *text, size_t len)
{
	static const char separators[] = " \t\r\n,\"'=\\";
	const char *p = text, *end = text + len, *word, *reason = NULL;
	uint64_t pair[2];
	size_t n, have = 0, line = 1;

	while (!reason && (word = next_word(&p, end, &n, &line, separators))) {
		/* A name in front of the pairs, as in GRUB_BADRAM="...". */
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
			return "not a list of pairs of address and mask";
		have ^= 1;
		if (!have)
			reason = add_pattern(r, pair[0], pair[1], line);
	}
	if (!reason && have)
		reason = "an address without a mask";
	return reason;
}

const char *badmem_parse_memmap(struct reader *r, const char *text, size_t len)
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
		/* Boot loaders need \$ in place of $. */
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
