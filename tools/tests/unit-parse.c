// SPDX-License-Identifier: GPL-2.0
/* Unit tests of the parsers in parse.c, one input a line. */
#include "unit.h"
#include "parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The test passes "" as want if the parser takes the input. */
static bool same_why(const char *reason, const char *want)
{
	return !strcmp(reason ? reason : "", want);
}

#define LARGE "too large"
#define NO_NUMBER "not a number"
#define NO_SIZE "not a size"
#define NO_RANGE "not a range"
#define NO_BLOCK "not a block"
#define WRAPS "beyond the last address"
#define BACKWARDS "ends before it starts"
#define NO_PAGES "no pages"
#define START "does not start at a page"
#define END "does not end at the end of a page"
#define LONE "an address without an end or a size"
#define UNKNOWN "the size of a memory block is not known"

static const struct {
	const char *in;
	uint64_t value;
	const char *reason;
} numbers[] = {
	{ "0", 0, "" },
	{ "010", 10, "" },
	{ "18446744073709551615", UINT64_MAX, "" },
	{ "18446744073709551616", 0, LARGE },
	{ "99999999999999999999999999999999", 0, LARGE },
	{ "0xffffffffffffffff", UINT64_MAX, "" },
	{ "0XFFFFFFFFFFFFFFFF", UINT64_MAX, "" },
	{ "0x10000000000000000", 0, LARGE },
	{ "0x00000000000000000000001", 1, "" },
	{ "", 0, NO_NUMBER },
	{ " ", 0, NO_NUMBER },
	{ " 1", 0, NO_NUMBER },
	{ "1 ", 0, NO_NUMBER },
	{ "\t1", 0, NO_NUMBER },
	{ "1\n", 0, NO_NUMBER },
	{ "-5", 0, NO_NUMBER },
	{ "+5", 0, NO_NUMBER },
	{ "12x", 0, NO_NUMBER },
	{ "1e3", 0, NO_NUMBER },
	{ "1.5", 0, NO_NUMBER },
	{ "0x", 0, NO_NUMBER },
	{ "0xg", 0, NO_NUMBER },
	{ "x1", 0, NO_NUMBER },
	{ "ff", 0, NO_NUMBER },
	{ "1K", 0, NO_NUMBER },
	{ "1\xc2\xb2", 0, NO_NUMBER },
};

static const struct {
	const char *in;
	uint64_t bytes;
	const char *reason;
} sizes[] = {
	{ "0", 0, "" },
	{ "4096", 4096, "" },
	{ "0x1000", 4096, "" },
	{ "1K", UINT64_C(1) << 10, "" },
	{ "1k", UINT64_C(1) << 10, "" },
	{ "1M", UINT64_C(1) << 20, "" },
	{ "1g", UINT64_C(1) << 30, "" },
	{ "1T", UINT64_C(1) << 40, "" },
	{ "1P", UINT64_C(1) << 50, "" },
	{ "1KiB", UINT64_C(1) << 10, "" },
	{ "2MiB", UINT64_C(2) << 20, "" },
	{ "3GiB", UINT64_C(3) << 30, "" },
	{ "4TiB", UINT64_C(4) << 40, "" },
	{ "5PiB", UINT64_C(5) << 50, "" },
	{ "1KB", 1000, "" },
	{ "1MB", 1000000, "" },
	{ "1GB", 1000000000, "" },
	{ "1TB", UINT64_C(1000000000000), "" },
	{ "1PB", UINT64_C(1000000000000000), "" },
	{ "0x10M", UINT64_C(16) << 20, "" },
	{ "16383P", UINT64_C(16383) << 50, "" },
	{ "16384P", 0, LARGE },
	{ "18446PB", UINT64_C(18446000000000000000), "" },
	{ "18447PB", 0, LARGE },
	{ "18014398509481983K", UINT64_MAX - 1023, "" },
	{ "18014398509481984K", 0, LARGE },
	{ "18446744073709551615", UINT64_MAX, "" },
	{ "18446744073709551616", 0, LARGE },
	{ "18446744073709551615K", 0, LARGE },
	{ "", 0, NO_SIZE },
	{ "M", 0, NO_SIZE },
	{ "-5", 0, NO_SIZE },
	{ "-64M", 0, NO_SIZE },
	{ " 64M", 0, NO_SIZE },
	{ "64 M", 0, NO_SIZE },
	{ "64M ", 0, NO_SIZE },
	{ "64B", 0, NO_SIZE },
	{ "64Mi", 0, NO_SIZE },
	{ "64MIB", 0, NO_SIZE },
	{ "64Mb", 0, NO_SIZE },
	{ "64MBB", 0, NO_SIZE },
	{ "64MiBx", 0, NO_SIZE },
	{ "64MK", 0, NO_SIZE },
	{ "64X", 0, NO_SIZE },
	{ "1.5G", 0, NO_SIZE },
	{ "1e3", 0, NO_SIZE },
	{ "12x", 0, NO_SIZE },
	{ "64\xcb", 0, NO_SIZE },
};

#define K4 { 4096, 128 << 20 }
#define K64 { 65536, 512 << 20 }
#define NO_BLOCKS { 4096, 0 }

static const struct {
	struct units u;
	const char *in;
	struct span span;
	const char *reason;
} ranges[] = {
	{ K4, "0x118000000-0x118ffffff", { 0x118000, 4096 }, "" },
	{ K4, "0x0000000118000000-0x0000000118ffffff", { 0x118000, 4096 }, "" },
	{ K4, "0x0-0xfff", { 0, 1 }, "" },
	{ K4, "0x0-0xffffffffffffffff", { 0, UINT64_C(1) << 52 }, "" },
	{ K4, "0xfffffffffffff000-0xffffffffffffffff",
	  { (UINT64_C(1) << 52) - 1, 1 }, "" },
	{ K4, "0x1000-0x10000000000000fff", { 0, 0 }, LARGE },
	{ K4, "0x118000000-0x119000000", { 0, 0 }, END },
	{ K4, "0x118000800-0x118ffffff", { 0, 0 }, START },
	{ K4, "0x1000-0x1000", { 0, 0 }, END },
	{ K4, "0x2000-0x1fff", { 0, 0 }, BACKWARDS },
	{ K4, "0x2000-0xfff", { 0, 0 }, BACKWARDS },
	{ K4, "0x2000-8191", { 0, 0 }, NO_RANGE },
	{ K4, "8192-0x2fff", { 0, 0 }, NO_RANGE },
	{ K4, "8192", { 0, 0 }, NO_RANGE },
	{ K4, "0x2000-", { 0, 0 }, NO_RANGE },
	{ K4, "0x2000-0x", { 0, 0 }, NO_RANGE },
	{ K4, "0x2000-0x2fffz", { 0, 0 }, NO_RANGE },
	{ K4, "0x2000 -0x2fff", { 0, 0 }, NO_RANGE },
	{ K4, "0x2000- 0x2fff", { 0, 0 }, NO_RANGE },
	{ K4, " 0x2000-0x2fff", { 0, 0 }, NO_RANGE },
	{ K4, "0x2000--0x2fff", { 0, 0 }, NO_RANGE },
	{ K4, "0x2000..0x2fff", { 0, 0 }, NO_RANGE },
	{ K4, "-0x2000-0x2fff", { 0, 0 }, NO_RANGE },
	{ K4, "0x118000000", { 0, 0 }, LONE },
	{ K4, "0x118000000+16M", { 0x118000, 4096 }, "" },
	{ K4, "0x118000000+4KiB", { 0x118000, 1 }, "" },
	{ K4, "0x118000000+0x1000", { 0x118000, 1 }, "" },
	{ K4, "0x118000000+4096KB", { 0x118000, 1000 }, "" },
	{ K4, "0x118000000+4KB", { 0, 0 }, END },
	{ K4, "0x118000000+1", { 0, 0 }, END },
	{ K4, "0x118000000+0", { 0, 0 }, NO_PAGES },
	{ K4, "0x118000000+", { 0, 0 }, NO_RANGE },
	{ K4, "0x118000000+-5", { 0, 0 }, NO_RANGE },
	{ K4, "0x118000000+12x", { 0, 0 }, NO_RANGE },
	{ K4, "0x118000000+1e3", { 0, 0 }, NO_RANGE },
	{ K4, "0x118000000+18446744073709551616", { 0, 0 }, LARGE },
	{ K4, "0x118000001+4K", { 0, 0 }, START },
	{ K4, "0xffffffffffffffff+4K", { 0, 0 }, START },
	{ K4, "0xfffffffffffff000+4K", { (UINT64_C(1) << 52) - 1, 1 }, "" },
	{ K4, "0xfffffffffffff000+8K", { 0, 0 }, WRAPS },
	{ K4, "0x1000+16383P", { 1, UINT64_C(16383) << 38 }, "" },
	{ K4, "0x4000000000000+16383P",
	  { UINT64_C(1) << 38, UINT64_C(16383) << 38 }, "" },
	{ K4, "0x4000000001000+16383P", { 0, 0 }, WRAPS },
	{ K4, "0x10000000000000000+4K", { 0, 0 }, LARGE },
	{ K4, "block:40", { 40 * 32768, 32768 }, "" },
	{ K4, "block:0x28", { 40 * 32768, 32768 }, "" },
	{ K4, "block:40-43", { 40 * 32768, 4 * 32768 }, "" },
	{ K4, "block:9-9", { 9 * 32768, 32768 }, "" },
	{ K4, "block:9-3", { 0, 0 }, BACKWARDS },
	{ K4, "block:", { 0, 0 }, NO_RANGE },
	{ K4, "block:-1", { 0, 0 }, NO_RANGE },
	{ K4, "block:1-", { 0, 0 }, NO_RANGE },
	{ K4, "block:1-2-3", { 0, 0 }, NO_RANGE },
	{ K4, "block:1+2", { 0, 0 }, NO_RANGE },
	{ K4, "block:12x", { 0, 0 }, NO_RANGE },
	{ K4, "block: 1", { 0, 0 }, NO_RANGE },
	{ K4, "Block:1", { 0, 0 }, NO_RANGE },
	{ K4, "block:137438953471",
	  { (UINT64_C(1) << 52) - 32768, 32768 }, "" },
	{ K4, "block:0-137438953471", { 0, UINT64_C(1) << 52 }, "" },
	{ K4, "block:137438953472", { 0, 0 }, WRAPS },
	{ K4, "block:18446744073709551615", { 0, 0 }, WRAPS },
	{ K4, "block:0-18446744073709551616", { 0, 0 }, LARGE },
	{ NO_BLOCKS, "block:1", { 0, 0 }, UNKNOWN },
	{ NO_BLOCKS, "block:x", { 0, 0 }, NO_RANGE },
	{ NO_BLOCKS, "0x0-0xfff", { 0, 1 }, "" },
	{ K4, "pfn:1", { 1, 1 }, "" },
	{ K4, "pfn:0x118000", { 0x118000, 1 }, "" },
	{ K4, "pfn:1+1", { 1, 1 }, "" },
	{ K4, "pfn:0x118000+0x1000", { 0x118000, 4096 }, "" },
	{ K4, "pfn:1+0", { 0, 0 }, NO_PAGES },
	{ K4, "pfn:", { 0, 0 }, NO_RANGE },
	{ K4, "pfn:-5", { 0, 0 }, NO_RANGE },
	{ K4, "pfn:12x", { 0, 0 }, NO_RANGE },
	{ K4, "pfn:1+", { 0, 0 }, NO_RANGE },
	{ K4, "pfn:1-2", { 0, 0 }, NO_RANGE },
	{ K4, "pfn:1+4K", { 0, 0 }, NO_RANGE },
	{ K4, "pfn:4503599627370495", { (UINT64_C(1) << 52) - 1, 1 }, "" },
	{ K4, "pfn:4503599627370495+2", { 0, 0 }, WRAPS },
	{ K4, "pfn:4503599627370496", { 0, 0 }, WRAPS },
	{ K4, "pfn:0+4503599627370496", { 0, UINT64_C(1) << 52 }, "" },
	{ K4, "pfn:1+4503599627370496", { 0, 0 }, WRAPS },
	{ K4, "pfn:0xffffffffffffffff", { 0, 0 }, WRAPS },
	{ K4, "pfn:1+0xffffffffffffffff", { 0, 0 }, WRAPS },
	{ K4, "pfn:18446744073709551616", { 0, 0 }, LARGE },
	{ K4, "", { 0, 0 }, NO_RANGE },
	{ K4, "12x", { 0, 0 }, NO_RANGE },
	{ K4, "-5", { 0, 0 }, NO_RANGE },
	{ K4, "1e3", { 0, 0 }, NO_RANGE },
	{ K4, "0x", { 0, 0 }, NO_RANGE },
	{ K64, "0x20000000-0x2000ffff", { 0x2000, 1 }, "" },
	{ K64, "0x20001000-0x2000ffff", { 0, 0 }, START },
	{ K64, "0x20000000-0x20000fff", { 0, 0 }, END },
	{ K64, "0x20000000+4K", { 0, 0 }, END },
	{ K64, "block:1", { 8192, 8192 }, "" },
	{ K64, "pfn:281474976710655", { (UINT64_C(1) << 48) - 1, 1 }, "" },
	{ K64, "pfn:281474976710656", { 0, 0 }, WRAPS },
};

static const struct {
	struct units u;
	const char *in;
	uint64_t first, last;
	const char *reason;
} blocks[] = {
	{ K4, "40", 40, 40, "" },
	{ K4, "40-43", 40, 43, "" },
	{ K4, "block:40", 40, 40, "" },
	{ K4, "block:40-43", 40, 43, "" },
	{ K4, "0", 0, 0, "" },
	{ K4, "0-18446744073709551615", 0, UINT64_MAX, "" },
	{ K4, "18446744073709551616", 0, 0, LARGE },
	{ K4, "43-40", 0, 0, BACKWARDS },
	{ K4, "block:9-3", 0, 0, BACKWARDS },
	{ K4, "", 0, 0, NO_BLOCK },
	{ K4, "-5", 0, 0, NO_BLOCK },
	{ K4, "12x", 0, 0, NO_BLOCK },
	{ K4, "1e3", 0, 0, NO_BLOCK },
	{ K4, "1,2", 0, 0, NO_BLOCK },
	{ K4, "memory40", 0, 0, NO_BLOCK },
	{ K4, "block:", 0, 0, NO_BLOCK },
	{ K4, "0x140000000", 40, 40, "" },
	{ K4, "0x140001000", 0, 0, "no memory block starts there" },
	{ K4, "0x140000000-0x147ffffff", 40, 40, "" },
	{ K4, "0x140000000-0x15fffffff", 40, 43, "" },
	{ K4, "0x140000000+512M", 40, 43, "" },
	{ K4, "pfn:0x140000+0x8000", 40, 40, "" },
	{ K4, "pfn:0x140000", 0, 0, "does not cover whole memory blocks" },
	{ K4, "0x140000000-0x140ffffff", 0, 0,
	  "does not cover whole memory blocks" },
	{ K4, "0x140001000+128M", 0, 0, "does not cover whole memory blocks" },
	{ K4, "0x140000000-0x148000000", 0, 0, END },
	{ K4, "0x140000000-", 0, 0, NO_BLOCK },
	{ K4, "0x28-0x2b", 0, 0, START },
	{ K4, "0x0-0xffffffffffffffff", 0, (UINT64_C(1) << 37) - 1, "" },
	{ NO_BLOCKS, "40", 40, 40, "" },
	{ NO_BLOCKS, "0x140000000", 0, 0, UNKNOWN },
};

static const struct {
	const char *in;
	int number;
	const char *reason;
} errnos[] = {
	{ "ENOMEM", 12, "" },
	{ "EBUSY", 16, "" },
	{ "EINTR", 4, "" },
	{ "EHWPOISON", 133, "" },
	{ "-12", 12, "" },
	{ "12", 12, "" },
	{ "0xc", 12, "" },
	{ "4095", 4095, "" },
	{ "4096", 0, "an errno is 1 to 4095" },
	{ "0", 0, "an errno is 1 to 4095" },
	{ "-0", 0, "an errno is 1 to 4095" },
	{ "18446744073709551616", 0, LARGE },
	{ "", 0, "not an errno" },
	{ "-", 0, "not an errno" },
	{ "--12", 0, "not an errno" },
	{ "enomem", 0, "not an errno" },
	{ "12x", 0, "not an errno" },
	{ "E", 0, "no errno of that name" },
	{ "ENOSUCH", 0, "no errno of that name" },
	{ "ENOMEM ", 0, "no errno of that name" },
};

static const struct {
	uint64_t bytes;
	const char *shown, *iec;
} shown_sizes[] = {
	{ 0, "0B", "0 bytes" },
	{ 1, "1B", "1 bytes" },
	{ 4096, "4K", "4 KiB" },
	{ 12288, "12K", "12 KiB" },
	{ 128 << 20, "128M", "128 MiB" },
	{ (128 << 20) + 4096, "131076K", "131076 KiB" },
	{ UINT64_C(3) << 30, "3G", "3 GiB" },
	{ UINT64_C(1536) << 20, "1536M", "1536 MiB" },
	{ UINT64_C(1) << 40, "1T", "1 TiB" },
	{ UINT64_C(16383) << 50, "16383P", "16383 PiB" },
	{ UINT64_MAX, "18446744073709551615B", "18446744073709551615 bytes" },
};

void test_parsers(void)
{
	char got[256];

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint64_t v = 0;
		const char *reason = parse_number(numbers[i].in, &v);

		snprintf(got, sizeof(got), "%" PRIu64 " %s", v, reason ? reason : "");
		result(same_why(reason, numbers[i].reason) &&
		       (reason || v == numbers[i].value),
		       "number", numbers[i].in, got);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint64_t v = 0;
		const char *reason = parse_size(sizes[i].in, &v);

		snprintf(got, sizeof(got), "%" PRIu64 " %s", v, reason ? reason : "");
		result(same_why(reason, sizes[i].reason) &&
		       (reason || v == sizes[i].bytes),
		       "size", sizes[i].in, got);
	}
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		struct span s = { 0, 0 };
		const char *reason = parse_range(ranges[i].in, &ranges[i].u, &s);

		snprintf(got, sizeof(got), "%" PRIu64 " %" PRIu64 " %s", s.pfn,
			 s.nr, reason ? reason : "");
		result(same_why(reason, ranges[i].reason) &&
		       (reason || (s.pfn == ranges[i].span.pfn &&
				   s.nr == ranges[i].span.nr)),
		       "range", ranges[i].in, got);
	}
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
		uint64_t first = 0, last = 0;
		const char *reason = parse_blocks(blocks[i].in, &blocks[i].u,
						  &first, &last);

		snprintf(got, sizeof(got), "%" PRIu64 " %" PRIu64 " %s", first,
			 last, reason ? reason : "");
		result(same_why(reason, blocks[i].reason) &&
		       (reason || (first == blocks[i].first &&
				   last == blocks[i].last)),
		       "blocks", blocks[i].in, got);
	}
	for (size_t i = 0; i < ARRAY_SIZE(errnos); i++) {
		int n = 0;
		const char *reason = parse_errno(errnos[i].in, &n);

		snprintf(got, sizeof(got), "%d %s", n, reason ? reason : "");
		result(same_why(reason, errnos[i].reason) &&
		       (reason || n == errnos[i].number),
		       "errno", errnos[i].in, got);
	}
	for (size_t i = 0; i < ARRAY_SIZE(shown_sizes); i++) {
		struct sb a = {0}, b = {0};
		uint64_t back;

		add_size(&a, shown_sizes[i].bytes);
		add_size_iec(&b, shown_sizes[i].bytes);
		snprintf(got, sizeof(got), "%s, %s", a.p, b.p);
		result(!strcmp(a.p, shown_sizes[i].shown) &&
		       !strcmp(b.p, shown_sizes[i].iec),
		       "size shown", shown_sizes[i].shown, got);
		/* The parser reads the sizes that offctl prints. */
		if (a.p[a.len - 1] == 'B')
			a.p[a.len - 1] = '\0';
		result(!parse_size(a.p, &back) &&
		       back == shown_sizes[i].bytes,
		       "size shown and parsed", shown_sizes[i].shown, a.p);
		sb_free(&a);
		sb_free(&b);
	}
}
