// SPDX-License-Identifier: GPL-2.0
/*
 * Makes a write: valid lines, most of them changed.
 */
#include "common.h"
#include "raw.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------------- valid lines */

static char *number_text(char *to, uint64_t n)
{
	return to + sprintf(to, one_in(8) ? "0x%" PRIx64 : "%" PRIu64, n);
}

/* Ranges that were marked, which later lines use again. */
#define REMEMBERED 32

static struct {
	char text[REMEMBERED][64];
	unsigned int nr;
} marked;

void remember(void)
{
	unsigned long long start, nr;
	char line[64] = "";

	memcpy(line, text, at_most(len, sizeof(line) - 1));
	if (sscanf(line, "%llu %llu", &start, &nr) == 2)
		sprintf(marked.text[marked.nr++ % REMEMBERED], "%llu %llu",
			start, nr);
}

static char *marked_range(char *to)
{
	const char *it = marked.text[below(REMEMBERED)];

	return to + sprintf(to, "%s", *it ? it : "0 1");
}

static char *valid_range(char *to)
{
	static const unsigned int lengths[] = { 1, 1, 2, 3, 8, 16, 64, 100 };
	unsigned int n = lengths[below(sizeof(lengths) / sizeof(*lengths))];
	uint64_t page;

	/* The places are few, so that ranges meet again. */
	page = (uint64_t)below(256) * (uint64_t)(nr_pages / 256) + below(4);
	to = number_text(to, first_pfn + page);
	*to++ = ' ';
	return number_text(to, n);
}

static char *valid_mark(char *to)
{
	if (one_in(10))
		to += sprintf(to, "any %u%s%s", 1 + below(64),
			      one_in(8) ? "" : " zone=Movable",
			      one_in(4) ? " node=0" : "");
	else
		to = valid_range(to);
	return to + sprintf(to, "%s%s", one_in(6) ? " unskippable" : "",
			    one_in(3) ? " canary" : "");
}

static char *valid_inject(char *to)
{
	static const char *const points[] = {
		"offline before -12", "offline after -16", "offline late -16",
		"offline late -4", "online before -1", "online after -12",
		"mark stray -16", "mark corrupt -5",
	};
	const char *point = points[below(sizeof(points) / sizeof(*points))];

	/* Each mark that fails by this injection takes a fifth of a second. */
	if (one_in(3) || (!strncmp(point, "mark stray", 10) && !one_in(8)))
		return to + sprintf(to, "clear");
	return to + sprintf(to, "%s %u", point, below(3));
}

static char *valid_line(enum file f, char *to)
{
	uint64_t block = first_block + below((unsigned int)nr_blocks);

	switch (f) {
	case MARK:
		to = valid_mark(to);
		break;
	case UNMARK:
		if (one_in(20))
			to += sprintf(to, "all");
		else
			to = marked_range(to);
		break;
	case SKIPPABLE:
		to = marked_range(to);
		to += sprintf(to, " %u", below(2));
		break;
	case BLOCK_OFFLINE:
		to = number_text(to, block);
		break;
	case BLOCK_ONLINE:
		to = number_text(to, block);
		to += sprintf(to, " online_movable");
		break;
	default:
		to = valid_inject(to);
		break;
	}
	*to++ = '\n';
	return to;
}

/* ---------------------------------------------------------------- mutations */

static void insert(size_t at, const char *what, size_t n)
{
	if (len + n > MAX_WRITE + 4096)
		return;
	memmove(text + at + n, text + at, len - at);
	memcpy(text + at, what, n);
	len += n;
}

static void cut_out(size_t at, size_t n)
{
	memmove(text + at, text + at + n, len - at - n);
	len -= n;
}

size_t some_place(void)
{
	return below((unsigned int)len + 1);
}

static void change_digit(void)
{
	size_t i, at = some_place();

	for (i = 0; i < len; i++)
		if (isdigit((unsigned char)text[(at + i) % len])) {
			text[(at + i) % len] = (char)('0' + below(10));
			return;
		}
}

/* Puts a number at some place, instead of the number that is there. */
static void insert_number(void)
{
	static const char *const numbers[] = {
		"0", "-1", "+1", "1", "00", "0x", "0x0", "18446744073709551615",
		"18446744073709551616", "9223372036854775807", "4294967295",
		"4294967296", "4503599627370495", "0xffffffffffffffff",
		"99999999999999999999999999", "1e3", "2.0", "1099511627776",
	};
	const char *n = numbers[below(sizeof(numbers) / sizeof(*numbers))];
	size_t at = some_place(), digits = 0;

	while (at + digits < len && isdigit((unsigned char)text[at + digits]))
		digits++;
	cut_out(at, digits);
	insert(at, n, strlen(n));
}

static void insert_word(void)
{
	static const char *const words[] = {
		" all ", " any ", " canary", " unskippable", " node=0",
		" node=-1", " zone=", " zone=Movable", " zone=DMA", " clear ",
		" online", " offline", " mark", " absent", "\n", "\t", " ", "\r\n", "#",
		"%s%n", "$(id)", "../..", ";", "\n\n",
	};
	const char *word = words[below(sizeof(words) / sizeof(*words))];

	insert(some_place(), word, strlen(word));
}

static void insert_bytes(void)
{
	char bytes[16];
	size_t i, n = 1 + below(sizeof(bytes));

	for (i = 0; i < n; i++)
		bytes[i] = (char)below(256);
	insert(some_place(), bytes, n);
}

/* Blanks can make a line as long as a write may be, and longer. */
static void insert_blanks(void)
{
	static const size_t lengths[] = { 2, 100, 4095, 4096, 4097, 65536 };
	size_t at = some_place(), n = lengths[below(6)];

	if (n > 100 && !one_in(20))
		n = 3;
	if (one_in(4000))
		n = MAX_WRITE - len + below(3);
	memmove(text + at + n, text + at, len - at);
	memset(text + at, ' ', n);
	len += n;
}

static void repeat_line(void)
{
	unsigned int times = one_in(100) ? 1000 : 1 + below(20);
	size_t n = len;

	while (n && times-- && len + n < 65536) {
		memcpy(text + len, text, n);
		len += n;
	}
}

static void add_line(void)
{
	char line[256];
	size_t n = (size_t)(valid_line((enum file)below(NR_FILES), line) - line);

	insert(one_in(2) ? len : some_place(), line, n);
}

static void mutate(void)
{
	if (len > 100000)
		return;
	switch (below(13)) {
	case 0:
	case 1:
		change_digit();
		break;
	case 2:
		insert_number();
		break;
	case 3:
		insert_word();
		break;
	case 4:
		insert_bytes();
		break;
	case 5:
		if (len)
			text[below((unsigned int)len)] = (char)below(256);
		break;
	case 6:
		if (len)
			text[below((unsigned int)len)] ^= (char)(1 << below(8));
		break;
	case 7:
		insert(some_place(), "", 1);	/* a zero byte */
		break;
	case 8:
		len = some_place();		/* the rest is cut off */
		break;
	case 9:
		if (len > 1) {
			size_t at = below((unsigned int)len);

			cut_out(at, 1 + below((unsigned int)at_most(len - at, 5)));
		}
		break;
	case 10:
		repeat_line();
		break;
	case 11:
		add_line();
		break;
	default:
		insert_blanks();
	}
}

void make_write(enum file f)
{
	unsigned int lines = one_in(6) ? 1 + below(6) : 1, n;
	char *to = text;

	while (lines--)
		to = valid_line(f, to);
	len = (size_t)(to - text);
	if (one_in(10))
		return;
	if (one_in(50)) {
		len = below(200);
		for (n = 0; n < len; n++)
			text[n] = (char)below(256);
		return;
	}
	for (n = 1 + below(3); n; n--)
		mutate();
}
