// SPDX-License-Identifier: GPL-2.0
/* Parsers of numbers, sizes, ranges, blocks, times and errnos, and the opposite. */
#include "parse.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

const char range_forms[] =
	"a range is 0xSTART-0xEND (end included), 0xSTART+SIZE, block:N[-M] or pfn:N[+M]";
const char block_forms[] =
	"a block is N, N-M, block:N[-M], or a range of addresses of whole blocks";
const char zone_forms[] = "zones are dma, dma32, normal and movable";

static const char too_large[] = "too large";
static const char not_a_number[] = "not a number";
static const char not_a_size[] = "not a size";
static const char not_a_range[] = "not a range";
static const char not_a_block[] = "not a block";
static const char wraps[] = "beyond the last address";
static const char backwards[] = "ends before it starts";
static const char no_pages[] = "no pages";
static const char start_unaligned[] = "does not start at a page";
static const char end_unaligned[] = "does not end at the end of a page";

static const char unit_letters[] = "KMGTP";

static int digit(char c, bool hex)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (hex && c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (hex && c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool is_hex(const char *s)
{
	return s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
}

/*
 * Takes the digits at *s. strtoull() is no use here, since it also takes blanks, signs
 * and octal numbers.
 */
static const char *scan(const char **s, uint64_t *value)
{
	bool hex = is_hex(*s);
	uint64_t base = hex ? 16 : 10, v = 0;
	const char *p = hex ? *s + 2 : *s;
	int d = digit(*p, hex);

	if (d < 0)
		return not_a_number;
	for (; d >= 0; d = digit(*++p, hex))
		if (__builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)d, &v))
			return too_large;
	*value = v;
	*s = p;
	return NULL;
}

const char *parse_number(const char *s, uint64_t *value)
{
	const char *reason = scan(&s, value);

	return reason ? reason : *s ? not_a_number : NULL;
}

const char *parse_size(const char *s, uint64_t *bytes)
{
	const char *reason = scan(&s, bytes), *unit;
	uint64_t base = 1024;

	if (reason)
		return reason == not_a_number ? not_a_size : reason;
	if (!*s)
		return NULL;

	unit = strchr(unit_letters, *s >= 'a' ? *s - 'a' + 'A' : *s);
	if (!unit)
		return not_a_size;
	s++;
	if (!strcmp(s, "B"))
		base = 1000;
	else if (*s && strcmp(s, "iB"))
		return not_a_size;
	for (const char *u = unit_letters; u <= unit; u++)
		if (__builtin_mul_overflow(*bytes, base, bytes))
			return too_large;
	return NULL;
}

/* The PFN behind the last possible one. */
static uint64_t pfn_limit(const struct units *u)
{
	return UINT64_MAX / u->page + 1;
}

/* "N" or "N<sep>M" */
static const char *scan_pair(const char *s, char sep, uint64_t *a, uint64_t *b,
			     bool *has_b)
{
	const char *reason = scan(&s, a);

	*has_b = false;
	if (reason)
		return reason;
	if (!*s)
		return NULL;
	if (*s != sep)
		return not_a_number;
	*has_b = true;
	return parse_number(s + 1, b);
}

/* "N" or "N-M" */
static const char *scan_blocks(const char *s, uint64_t *first, uint64_t *last)
{
	bool has_last;
	const char *reason = scan_pair(s, '-', first, last, &has_last);

	if (reason)
		return reason == not_a_number ? not_a_block : reason;
	if (!has_last)
		*last = *first;
	return *last < *first ? backwards : NULL;
}

static const char *range_of_blocks(const char *s, const struct units *u,
				   struct span *span)
{
	uint64_t first, last, per_block;
	const char *reason = scan_blocks(s, &first, &last);

	if (reason)
		return reason == not_a_block ? not_a_range : reason;
	if (!u->block)
		return "the size of a memory block is not known";
	if (last > UINT64_MAX / u->block)
		return wraps;
	per_block = u->block / u->page;
	span->pfn = first * per_block;
	span->nr = (last - first + 1) * per_block;
	return NULL;
}

static const char *range_of_pfns(const char *s, const struct units *u,
				 struct span *span)
{
	bool has_nr;
	const char *reason = scan_pair(s, '+', &span->pfn, &span->nr, &has_nr);

	if (reason)
		return reason == not_a_number ? not_a_range : reason;
	if (!has_nr)
		span->nr = 1;
	if (!span->nr)
		return no_pages;
	if (span->pfn >= pfn_limit(u) || span->nr > pfn_limit(u) - span->pfn)
		return wraps;
	return NULL;
}

static const char *range_of_addresses(const char *s, const struct units *u,
				      struct span *span)
{
	uint64_t start, end, size;
	const char *reason;

	if (!is_hex(s))
		return not_a_range;
	reason = scan(&s, &start);
	if (reason)
		return reason == not_a_number ? not_a_range : reason;

	switch (*s++) {
	case '-':
		if (!is_hex(s))
			return not_a_range;
		reason = parse_number(s, &end);
		if (reason)
			return reason == not_a_number ? not_a_range : reason;
		if (end < start)
			return backwards;
		if (start % u->page)
			return start_unaligned;
		if (end % u->page != u->page - 1)
			return end_unaligned;
		span->nr = (end - start) / u->page + 1;
		break;
	case '+':
		reason = parse_size(s, &size);
		if (reason)
			return reason == not_a_size ? not_a_range : reason;
		if (!size)
			return no_pages;
		if (start % u->page)
			return start_unaligned;
		if (size % u->page)
			return end_unaligned;
		if (size - 1 > UINT64_MAX - start)
			return wraps;
		span->nr = size / u->page;
		break;
	case '\0':
		return "an address without an end or a size";
	default:
		return not_a_range;
	}
	span->pfn = start / u->page;
	return NULL;
}

static const char *after_prefix(const char *s, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(s, prefix, len) ? NULL : s + len;
}

const char *parse_range(const char *s, const struct units *u,
			struct span *span)
{
	const char *rest;

	rest = after_prefix(s, "block:");
	if (rest)
		return range_of_blocks(rest, u, span);
	rest = after_prefix(s, "pfn:");
	if (rest)
		return range_of_pfns(rest, u, span);
	return range_of_addresses(s, u, span);
}

const char *parse_blocks(const char *s, const struct units *u,
			 uint64_t *first, uint64_t *last)
{
	const char *rest = after_prefix(s, "block:"), *reason;
	uint64_t address, per_block;
	struct span span;

	if (rest)
		return scan_blocks(rest, first, last);
	if (!is_hex(s) && !after_prefix(s, "pfn:"))
		return scan_blocks(s, first, last);
	if (!u->block)
		return "the size of a memory block is not known";

	if (is_hex(s) && !parse_number(s, &address)) {
		if (address % u->block)
			return "no memory block starts there";
		*first = *last = address / u->block;
		return NULL;
	}
	reason = parse_range(s, u, &span);
	if (reason)
		return reason == not_a_range ? not_a_block : reason;
	per_block = u->block / u->page;
	if (span.pfn % per_block || span.nr % per_block)
		return "does not cover whole memory blocks";
	*first = span.pfn / per_block;
	*last = *first + span.nr / per_block - 1;
	return NULL;
}

const char *parse_zone(const char *s)
{
	static const char *const zones[] = { "DMA", "DMA32", "Normal",
					     "Movable" };

	for (size_t i = 0; i < ARRAY_SIZE(zones); i++)
		if (!strcasecmp(s, zones[i]))
			return zones[i];
	return NULL;
}

const char *parse_duration(const char *s, uint64_t *ms)
{
	static const char not_a_time[] = "not a time";
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = {
		{ "", 1000 }, { "s", 1000 }, { "ms", 1 }, { "min", 60000 },
	};
	uint64_t whole, fraction = 0, scale = 1;
	const char *reason;

	if (is_hex(s))
		return not_a_time;
	reason = scan(&s, &whole);
	if (reason)
		return reason == not_a_number ? not_a_time : reason;
	if (*s == '.') {
		if (digit(s[1], false) < 0)
			return not_a_time;
		for (s++; digit(*s, false) >= 0; s++)
			if (scale < 1000) {
				fraction = fraction * 10 +
					   (uint64_t)digit(*s, false);
				scale *= 10;
			}
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strcmp(s, units[i].name))
			continue;
		/* A time of more than a year is not a time limit. */
		if (whole > UINT64_C(31536000000) / units[i].ms)
			return too_large;
		*ms = whole * units[i].ms + fraction * units[i].ms / scale;
		return *ms ? NULL : not_a_time;
	}
	return not_a_time;
}

const char *parse_errno(const char *s, int *number)
{
	uint64_t value;
	const char *reason;

	if (*s == 'E') {
		/* All errnos of Linux are smaller. */
		for (int e = 1; e < 4096; e++) {
			const char *name = strerrorname_np(e);

			if (name && !strcmp(name, s)) {
				*number = e;
				return NULL;
			}
		}
		return "no errno of that name";
	}
	reason = parse_number(*s == '-' ? s + 1 : s, &value);
	if (reason)
		return reason == not_a_number ? "not an errno" : reason;
	if (!value || value > 4095)
		return "an errno is 1 to 4095";
	*number = (int)value;
	return NULL;
}

void add_errno(struct sb *sb, int number)
{
	const char *name = strerrorname_np(number);

	if (name)
		sb_addf(sb, "%s", name);
	else
		sb_addf(sb, "errno %d", number);
}

static unsigned int exact_unit(uint64_t *bytes)
{
	unsigned int unit = 0;

	while (*bytes && !(*bytes % 1024) && unit < sizeof(unit_letters) - 1) {
		*bytes /= 1024;
		unit++;
	}
	return unit;
}

void add_size(struct sb *sb, uint64_t bytes)
{
	unsigned int unit = exact_unit(&bytes);

	sb_add_u64(sb, bytes);
	sb_add(sb, unit ? &unit_letters[unit - 1] : "B", 1);
}

void add_size_iec(struct sb *sb, uint64_t bytes)
{
	unsigned int unit = exact_unit(&bytes);

	if (unit)
		sb_addf(sb, "%" PRIu64 " %ciB", bytes, unit_letters[unit - 1]);
	else
		sb_addf(sb, "%" PRIu64 " bytes", bytes);
}

static void add_address(struct sb *sb, uint64_t address)
{
	char text[18] = "0x";

	for (size_t i = sizeof(text); i-- > 2; address >>= 4)
		text[i] = "0123456789abcdef"[address & 15];
	sb_add(sb, text, sizeof(text));
}

void add_range(struct sb *sb, const struct units *u, struct span span)
{
	add_address(sb, span.pfn * u->page);
	sb_add(sb, "-", 1);
	add_address(sb, (span.pfn + span.nr) * u->page - 1);
}
