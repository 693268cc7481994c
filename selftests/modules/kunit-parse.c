// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of parse.c: the text that is written to the debugfs files.
 *
 * The file includes parse.c. It stands in for inject.c with a function that knows one point.
 */
#include <kunit/test.h>
#include <linux/numa.h>

#include "../../module/parse.c"

#include "kunit-twin.h"

int fo_inject_find(const char *action, const char *point, long error)
{
	if (strcmp(action, "offline") || strcmp(point, "late"))
		return -EINVAL;
	return error == -EBUSY ? FO_INJECT_OFFLINE_LATE : -ERANGE;
}

/* Parses a text of one line, and returns what fo_parse_text() does; frees the items. */
static int parse_one(struct kunit *test, fo_parse_fn parse, const char *line,
		     void *item, size_t size)
{
	char *text = kunit_kmalloc(test, strlen(line) + 2, GFP_KERNEL);
	void *items;
	int at, ret;

	KUNIT_ASSERT_NOT_NULL(test, text);
	sprintf(text, "%s\n", line);
	ret = fo_parse_text(text, strlen(text), size, parse, &items, &at);
	if (ret > 0) {
		memcpy(item, items, size);
		kvfree(items);
	}
	KUNIT_EXPECT_EQ_MSG(test, at, ret < 0, "the line of \"%s\"", line);
	return ret;
}

#define SKIPPABLE	FAKE_OFFLINE_SKIPPABLE
#define ANYWHERE	FAKE_OFFLINE_ANYWHERE
#define ANY_ZONE	FAKE_OFFLINE_ANY_ZONE

static const struct {
	const char *line;
	int ret;
	unsigned long start, nr;
	unsigned int flags;
	int nid, zone;
} marks[] = {
	{ "1 2", 1, 1, 2, SKIPPABLE, NUMA_NO_NODE, ANY_ZONE },
	{ "\t1   2\t", 1, 1, 2, SKIPPABLE, NUMA_NO_NODE, ANY_ZONE },
	{ "0x10 0X1f", 1, 16, 31, SKIPPABLE, NUMA_NO_NODE, ANY_ZONE },
	{ "010 1", 1, 10, 1, SKIPPABLE, NUMA_NO_NODE, ANY_ZONE },
	{ "1 2 unskippable", 1, 1, 2, 0, NUMA_NO_NODE, ANY_ZONE },
	{ "1 2 canary absent", 1, 1, 2,
	  SKIPPABLE | FAKE_OFFLINE_CANARY | FAKE_OFFLINE_ABSENT, NUMA_NO_NODE, ANY_ZONE },
	{ "any 9", 1, ANYWHERE, 9, SKIPPABLE, NUMA_NO_NODE, ANY_ZONE },
	{ "any 9 node=1 zone=movable", 1, ANYWHERE, 9, SKIPPABLE, 1, ZONE_MOVABLE },
	{ "any 9 zone=Normal canary", 1, ANYWHERE, 9,
	  SKIPPABLE | FAKE_OFFLINE_CANARY, NUMA_NO_NODE, ZONE_NORMAL },
	{ "any 9 zone=nothing", 1, ANYWHERE, 9, SKIPPABLE, NUMA_NO_NODE, MAX_NR_ZONES },
	{ "18446744073709551614 1", 1, ULONG_MAX - 1, 1, SKIPPABLE, NUMA_NO_NODE, ANY_ZONE },
	{ "", -EINVAL }, { " ", -EINVAL }, { "1", -EINVAL }, { "any", -EINVAL },
	{ "1 0", -EINVAL }, { "any 0", -EINVAL }, { "-1 2", -EINVAL },
	{ "+1 2", -EINVAL }, { "1 2 3", -EINVAL }, { "one 2", -EINVAL },
	{ "1 2k", -EINVAL }, { "0x 1", -EINVAL }, { "1 0x", -EINVAL },
	{ "1 2 canary canary", -EINVAL }, { "1 2 node=0", -EINVAL },
	{ "1 2 zone=Normal", -EINVAL }, { "any 2 absent", -EINVAL },
	{ "any 2 node=", -EINVAL }, { "any 2 node=-1", -EINVAL },
	{ "any 2 node=2147483648", -ERANGE },
	{ "18446744073709551615 1", -ENXIO }, /* the value of ANYWHERE */
	{ "18446744073709551615 2", -ERANGE }, { "18446744073709551616 1", -ERANGE },
	{ "2 18446744073709551615", -ERANGE },
};

static void mark_lines(struct kunit *test)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(marks); i++) {
		struct fake_offline_request r = {};
		int ret = parse_one(test, fo_parse_mark, marks[i].line, &r, sizeof(r));

		KUNIT_EXPECT_EQ_MSG(test, ret, marks[i].ret, "%s", marks[i].line);
		if (ret != 1 || marks[i].ret != 1)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, r.start_pfn, marks[i].start + (!i && kunit_twin_wrong),
				    "%s", marks[i].line);
		KUNIT_EXPECT_EQ_MSG(test, r.nr_pages, marks[i].nr, "%s", marks[i].line);
		KUNIT_EXPECT_EQ_MSG(test, r.flags, marks[i].flags, "%s", marks[i].line);
		KUNIT_EXPECT_EQ_MSG(test, r.nid, marks[i].nid, "%s", marks[i].line);
		KUNIT_EXPECT_EQ_MSG(test, r.zone, marks[i].zone, "%s", marks[i].line);
	}
}

static void unmark_lines(struct kunit *test)
{
	struct fake_offline_range range = {};

	KUNIT_EXPECT_EQ(test, parse_one(test, fo_parse_unmark, "7 8", &range,
					sizeof(range)), 1);
	KUNIT_EXPECT_EQ(test, range.start_pfn, 7UL);
	KUNIT_EXPECT_EQ(test, range.nr_pages, 8UL);
	KUNIT_EXPECT_EQ(test, parse_one(test, fo_parse_unmark, "all", &range,
					sizeof(range)), 1);
	KUNIT_EXPECT_EQ(test, range.nr_pages, 0UL);
	KUNIT_EXPECT_EQ(test, parse_one(test, fo_parse_unmark, "7", &range,
					sizeof(range)), -EINVAL);
	KUNIT_EXPECT_EQ(test, parse_one(test, fo_parse_unmark, "7 8 canary",
					&range, sizeof(range)), -EINVAL);
	KUNIT_EXPECT_EQ(test, parse_one(test, fo_parse_unmark, "all all",
					&range, sizeof(range)), -EINVAL);
	KUNIT_EXPECT_EQ(test, parse_one(test, fo_parse_unmark, "7 0", &range,
					sizeof(range)), -EINVAL);
}

static void skippable_lines(struct kunit *test)
{
	struct fo_skippable_item it = {};

	KUNIT_EXPECT_EQ(test, parse_one(test, fo_parse_skippable, "7 8 1", &it,
					sizeof(it)), 1);
	KUNIT_EXPECT_EQ(test, it.start_pfn, 7UL);
	KUNIT_EXPECT_EQ(test, it.nr_pages, 8UL);
	KUNIT_EXPECT_TRUE(test, it.skippable);
	KUNIT_EXPECT_EQ(test, parse_one(test, fo_parse_skippable, "7 8 0", &it,
					sizeof(it)), 1);
	KUNIT_EXPECT_FALSE(test, it.skippable);
	KUNIT_EXPECT_EQ(test, parse_one(test, fo_parse_skippable, "7 8 2", &it,
					sizeof(it)), -EINVAL);
	KUNIT_EXPECT_EQ(test, parse_one(test, fo_parse_skippable, "7 8", &it,
					sizeof(it)), -EINVAL);
}

static void block_lines(struct kunit *test)
{
	struct fo_block_item it = {};

	KUNIT_EXPECT_EQ(test, parse_one(test, fo_parse_block_offline, "33", &it,
					sizeof(it)), 1);
	KUNIT_EXPECT_EQ(test, it.block, 33UL);
	KUNIT_EXPECT_STREQ(test, it.state, "offline");
	KUNIT_EXPECT_EQ(test, parse_one(test, fo_parse_block_online, "33", &it,
					sizeof(it)), 1);
	KUNIT_EXPECT_STREQ(test, it.state, "online");
	KUNIT_EXPECT_EQ(test, parse_one(test, fo_parse_block_online,
					"0x21 online_movable", &it, sizeof(it)), 1);
	KUNIT_EXPECT_EQ(test, it.block, 33UL);
	KUNIT_EXPECT_STREQ(test, it.state, "online_movable");
	KUNIT_EXPECT_EQ(test, parse_one(test, fo_parse_block_online,
					"33 offline", &it, sizeof(it)), -EINVAL);
	KUNIT_EXPECT_EQ(test, parse_one(test, fo_parse_block_online,
					"33 online online", &it, sizeof(it)), -EINVAL);
	KUNIT_EXPECT_EQ(test, parse_one(test, fo_parse_block_offline, "33 34",
					&it, sizeof(it)), -EINVAL);
}

static void inject_lines(struct kunit *test)
{
	struct fo_inject_item it = {};

	KUNIT_EXPECT_EQ(test, parse_one(test, fo_parse_inject,
					"offline late -16 3", &it, sizeof(it)), 1);
	KUNIT_EXPECT_EQ(test, it.point, FO_INJECT_OFFLINE_LATE);
	KUNIT_EXPECT_EQ(test, it.error, -EBUSY);
	KUNIT_EXPECT_EQ(test, it.count, 3U);
	KUNIT_EXPECT_FALSE(test, it.clear);
	KUNIT_EXPECT_EQ(test, parse_one(test, fo_parse_inject, "clear", &it,
					sizeof(it)), 1);
	KUNIT_EXPECT_TRUE(test, it.clear);
	KUNIT_EXPECT_EQ(test, parse_one(test, fo_parse_inject,
					"offline late -1 3", &it, sizeof(it)), -ERANGE);
	KUNIT_EXPECT_EQ(test, parse_one(test, fo_parse_inject,
					"offline late x 3", &it, sizeof(it)), -EINVAL);
	KUNIT_EXPECT_EQ(test, parse_one(test, fo_parse_inject,
					"offline late -16 4294967296", &it,
					sizeof(it)), -ERANGE);
	KUNIT_EXPECT_EQ(test, parse_one(test, fo_parse_inject,
					"offline late -16", &it, sizeof(it)), -EINVAL);
}

/* The whole text is refused if one line is, and the answer names that line. */
static void whole_text(struct kunit *test)
{
	char good[] = "1 2\n3 4\n5 6\n", bad[] = "1 2\n3 4\n5 x\n7 8\n";
	char cut[] = "1 2\n3 4", nul[] = "1 2\n3\0 4\n", utf8[] = "1 \xc2\xb2\n";
	struct fake_offline_range *ranges;
	void *items;
	int line;

	KUNIT_ASSERT_EQ(test, fo_parse_text(good, sizeof(good) - 1, sizeof(*ranges),
					    fo_parse_unmark, &items, &line), 3);
	ranges = items;
	KUNIT_EXPECT_EQ(test, line, 0);
	KUNIT_EXPECT_EQ(test, ranges[2].start_pfn, 5UL);
	KUNIT_EXPECT_EQ(test, ranges[2].nr_pages, 6UL);
	kvfree(items);
	KUNIT_EXPECT_EQ(test, fo_parse_text(bad, sizeof(bad) - 1, sizeof(*ranges),
					    fo_parse_unmark, &items, &line), -EINVAL);
	KUNIT_EXPECT_EQ(test, line, 3);
	/* A text that may have been cut, or that is no text, has no line. */
	KUNIT_EXPECT_EQ(test, fo_parse_text(cut, sizeof(cut) - 1, sizeof(*ranges),
					    fo_parse_unmark, &items, &line), -EINVAL);
	KUNIT_EXPECT_EQ(test, line, 0);
	KUNIT_EXPECT_EQ(test, fo_parse_text(nul, sizeof(nul) - 1, sizeof(*ranges),
					    fo_parse_unmark, &items, &line), -EINVAL);
	KUNIT_EXPECT_EQ(test, line, 0);
	KUNIT_EXPECT_EQ(test, fo_parse_text(utf8, sizeof(utf8) - 1, sizeof(*ranges),
					    fo_parse_unmark, &items, &line), -EINVAL);
	KUNIT_EXPECT_EQ(test, line, 0);
}

static void zones(struct kunit *test)
{
	KUNIT_EXPECT_STREQ(test, fo_zone_name(ZONE_NORMAL), "Normal");
	KUNIT_EXPECT_STREQ(test, fo_zone_name(ZONE_MOVABLE), "Movable");
	KUNIT_EXPECT_STREQ(test, fo_zone_name(-1), "-");
	KUNIT_EXPECT_EQ(test, zone_of("movable"), ZONE_MOVABLE);
	KUNIT_EXPECT_EQ(test, zone_of("Mov"), MAX_NR_ZONES);
	KUNIT_EXPECT_EQ(test, zone_of(""), MAX_NR_ZONES);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(mark_lines), KUNIT_CASE(unmark_lines),
	KUNIT_CASE(skippable_lines), KUNIT_CASE(block_lines),
	KUNIT_CASE(inject_lines), KUNIT_CASE(whole_text), KUNIT_CASE(zones), {}
};

static struct kunit_suite suite = {
	.name = "fake_offline_parse",
	.test_cases = cases,
};
kunit_test_suite(suite);
