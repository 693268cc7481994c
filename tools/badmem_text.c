// SPDX-License-Identifier: GPL-2.0
/*
 * Parsers of lists of bad memory in text formats. The formats are the output of Memtest86+,
 * BadRAM patterns, memmap= parameters, and plain lists of addresses or PFNs.
 */
#include "badmem_reader.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* The spans that BadRAM patterns may match. A mask with few bits matches millions. */
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

/*
 * Sets span to the pages that contain the bytes from first to last. Returns false if last is
 * before first.
 */
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
 * Parses a line of a list of Memtest86+ and adds its page or pages. nr is the number of the
 * line. The line has one of these forms:
 *
 *    0      0    4   00048e4c8a0 (1.13GB)  ffffffffffffffff  fffffffffffeffff
 *    5  0  00048e4c8a0 - 1166.2MB  ...
 *    00048e4c8a0
 *    0x48e4c8a0-0x48e4c8ff
 *    0x48e4c8a0 - 0x48e4c8ff
 *
 * The first is an error in the output of version 6 and later, and the second an error in the
 * output of older versions. In both, the word after the address begins with '(' or is '-',
 * and then the same address follows in MB or GB. The other forms are for lists that a user
 * has written. Headings and lines of dashes are ignored.
 */
void badmem_memtest_line(char *line, size_t nr, void *arg)
{
	struct reader *r = arg;
	char *save, *word, *word_before = NULL;
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
		if (word_before && (*word == '(' || !strcmp(word, "-")) &&
		    parse_hex(word_before, strlen(word_before), &first)) {
			char *next = strtok_r(NULL, BADMEM_BLANKS, &save);

			/* A number with 0x after the dash is the end of a range. */
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
		word_before = word;
		words++;
	}
	if (words == 1 && parse_hex(word_before, strlen(word_before), &first))
		badmem_add(r->list, badmem_page_at(first, r->u), 1, nr);
	else
		badmem_skip(r->list, nr, "the line has no address");
}

/*
 * Parses a line of a plain list and adds its pages. nr is the number of the line. Each word
 * is NUMBER, FIRST-LAST or FIRST+COUNT. The numbers are PFNs if the reader says so, and
 * addresses otherwise. A word that is refused does not affect the others.
 */
void badmem_list_line(char *line, size_t nr, void *arg)
{
	struct reader *r = arg;
	uint64_t limit = UINT64_MAX / r->u->page + 1;	/* the first PFN whose address does not fit */
	char *save;

	for (char *word = strtok_r(line, " \t\r,;", &save); word;
	     word = strtok_r(NULL, " \t\r,;", &save)) {
		char *separator = strpbrk(word, "-+");
		char kind = separator ? *separator : 0;
		uint64_t first, last;	/* last holds the count of FIRST+COUNT at first */
		struct span span;

		if (separator)
			*separator = '\0';
		if (parse_number(word, &first) ||
		    (separator && parse_number(separator + 1, &last))) {
			badmem_skip(r->list, nr, "a word is not a number");
			continue;
		}
		if (!kind)
			last = first;
		else if (kind == '+' &&
			 (!last || __builtin_add_overflow(first, last - 1, &last))) {
			badmem_skip(r->list, nr, "a range is empty or too large");
			continue;
		}
		if (r->pfns)
			span = (struct span){ first, last - first + 1 };
		if (last < first || (r->pfns && last >= limit)) {
			badmem_skip(r->list, nr, "a range is too large or ends before it starts");
			continue;
		}
		if (!r->pfns)
			span_of_bytes(first, last, r->u, &span);
		badmem_add(r->list, span, 1, nr);
	}
}

/*
 * Adds the pages that a BadRAM pattern matches. line is its line. Returns NULL, or the reason
 * why the pattern is refused. A byte is bad if its address has the bits of "address" at the
 * ones of the mask. The other bits of its address are free. A page is bad if one of its bytes
 * is bad. So the bits of the mask below the page size have no effect.
 *
 * A span of consecutive pages has all values of the free bits at the lower end of a PFN. The
 * loop counts through all values of the other free bits, and so finds each span.
 */
static const char *add_pattern(struct reader *r, uint64_t address,
			       uint64_t mask, size_t line)
{
	uint64_t limit = 1, fixed, free_bits, low_free, high_free, high = 0;
	size_t spans = 0;

	/* A pattern of 32 bits matches only addresses below 4 GiB. */
	if (address <= UINT32_MAX && mask <= UINT32_MAX)
		mask |= ~(uint64_t)UINT32_MAX;
	/* The least power of two that all PFNs are below. */
	while (limit < r->end)
		limit <<= 1;
	mask /= r->u->page;
	fixed = address / r->u->page & mask;
	if (fixed >= limit)
		return NULL;
	free_bits = ~mask & (limit - 1);
	low_free = free_bits & (free_bits ^ (free_bits + 1));
	high_free = free_bits & ~low_free;
	do {
		uint64_t pfn = fixed | high;

		if (pfn >= r->end)
			break;
		if (++spans > MAX_SPANS || r->list->n > MAX_SPANS)
			return "a pattern matches far too many pages";
		badmem_add(r->list, (struct span){
			   pfn, low_free + 1 < r->end - pfn ? low_free + 1 :
							      r->end - pfn }, 1, line);
		/* The next value of the high free bits. Other bits do not change. */
		high = (high - high_free) & high_free;
	} while (high);
	return NULL;
}

/*
 * Returns the next word from *p on, and its length, or NULL. Moves *p behind the word. Adds
 * the line ends before the word to *line.
 */
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

/* A list of pairs of address and mask. A comment runs from '#' to the end of the line. */
const char *badmem_parse_badram(struct reader *r, const char *text, size_t len)
{
	static const char separators[] = " \t\r\n,\"'=\\";
	const char *p = text, *end = text + len, *word, *reason = NULL;
	uint64_t pair[2];
	size_t n, in_pair = 0, line = 1;	/* in_pair: numbers read of the pair */

	while (!reason && (word = next_word(&p, end, &n, &line, separators))) {
		/* The name before the pairs, such as GRUB_BADRAM="..." or badram=. */
		if (n > 5 && !strncasecmp(word + n - 6, "badram", 6)) {
			if (in_pair)
				return "an address without a mask";
			continue;
		}
		if (*word == '#') {
			while (p < end && *p != '\n')
				p++;
			continue;
		}
		if (!parse_hex(word, n, &pair[in_pair]))
			return "not a list of pairs of address and mask";
		in_pair ^= 1;
		if (!in_pair)
			reason = add_pattern(r, pair[0], pair[1], line);
	}
	if (!reason && in_pair)
		reason = "an address without a mask";
	return reason;
}

/* A list of SIZE$ADDRESS, with or without "memmap=" before them. */
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
		/* The configuration of a boot loader has \$ in place of $. */
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
