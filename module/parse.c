// SPDX-License-Identifier: GPL-2.0
/*
 * Parses the text that is written to the debugfs files into items. The formats are in
 * docs/ABI/debugfs-fake_offline. A text is parsed as a whole, and nothing here changes
 * any state.
 */
#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/mmzone.h>
#include <linux/parser.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <linux/fake_offline_test.h>

#include "parse.h"

/* The zones, by the names that /proc/zoneinfo has for them. */
static const char *const zone_names[MAX_NR_ZONES] = {
#ifdef CONFIG_ZONE_DMA
	[ZONE_DMA]	= "DMA",
#endif
#ifdef CONFIG_ZONE_DMA32
	[ZONE_DMA32]	= "DMA32",
#endif
	[ZONE_NORMAL]	= "Normal",
	[ZONE_MOVABLE]	= "Movable",
#ifdef CONFIG_ZONE_DEVICE
	[ZONE_DEVICE]	= "Device",
#endif
};

/** fo_zone_name() - the name of an enum zone_type, "-" for no zone */
const char *fo_zone_name(int zone)
{
	return zone < 0 ? "-" : zone_names[zone];
}

/* MAX_NR_ZONES for a name that no zone has: the core then knows no such zone. */
static int zone_of(const char *name)
{
	int zone = MAX_NR_ZONES;

	while (zone-- > 0)
		if (zone_names[zone] && !strcasecmp(zone_names[zone], name))
			return zone;
	return MAX_NR_ZONES;
}

/* Decimal, or hexadecimal with 0x. A leading 0 does not make it octal. */
static int parse_number(const char *word, unsigned long max,
			unsigned long *number)
{
	bool hex = word[0] == '0' && tolower(word[1]) == 'x';
	int ret;

	if (!isdigit(word[0]))
		return -EINVAL;
	ret = kstrtoul(word, hex ? 16 : 10, number);
	return ret ?: *number > max ? -ERANGE : 0;
}

static int parse_range(char **words, unsigned long *start, unsigned long *nr)
{
	int ret;

	ret = parse_number(words[0], ULONG_MAX, start);
	if (!ret)
		ret = parse_number(words[1], ULONG_MAX, nr);
	if (!ret && !*nr)
		ret = -EINVAL;
	if (!ret && *start + *nr - 1 < *start)
		ret = -ERANGE;
	return ret;
}

enum { UNSKIPPABLE, CANARY, ABSENT, NODE, ZONE };

/* For a range, and for pages anywhere. */
static const match_table_t range_options = {
	{ UNSKIPPABLE, "unskippable" }, { CANARY, "canary" },
	{ ABSENT, "absent" }, { -1, NULL }
};
static const match_table_t anywhere_options = {
	{ UNSKIPPABLE, "unskippable" }, { CANARY, "canary" },
	{ NODE, "node=%s" }, { ZONE, "zone=%s" }, { -1, NULL }
};

static int parse_option(char *word, struct fake_offline_request *r,
			unsigned long *seen)
{
	bool anywhere = r->start_pfn == FAKE_OFFLINE_ANYWHERE;
	substring_t args[MAX_OPT_ARGS];
	unsigned long node;
	int option, ret = 0;

	option = match_token(word, anywhere ? anywhere_options : range_options,
			     args);
	if (option < 0 || __test_and_set_bit(option, seen))
		return -EINVAL;
	switch (option) {
	case UNSKIPPABLE:
		r->flags &= ~FAKE_OFFLINE_SKIPPABLE;
		break;
	case CANARY:
		r->flags |= FAKE_OFFLINE_CANARY;
		break;
	case ABSENT:
		r->flags |= FAKE_OFFLINE_ABSENT;
		break;
	case NODE:
		ret = parse_number(args[0].from, INT_MAX, &node);
		r->nid = node;
		break;
	case ZONE:
		r->zone = zone_of(args[0].from);
		break;
	}
	return ret;
}

/** fo_parse_mark() - a line to a struct fake_offline_request */
int fo_parse_mark(int nr, char **words, void *item)
{
	struct fake_offline_request *r = item;
	unsigned long seen = 0;
	int i, ret;

	if (nr < 2)
		return -EINVAL;
	r->flags = FAKE_OFFLINE_SKIPPABLE;
	r->nid = NUMA_NO_NODE;
	r->zone = FAKE_OFFLINE_ANY_ZONE;
	if (!strcmp(words[0], "any")) {
		r->start_pfn = FAKE_OFFLINE_ANYWHERE;
		ret = parse_number(words[1], ULONG_MAX, &r->nr_pages);
		if (!ret && !r->nr_pages)
			ret = -EINVAL;
	} else {
		ret = parse_range(words, &r->start_pfn, &r->nr_pages);
		if (!ret && r->start_pfn == FAKE_OFFLINE_ANYWHERE)
			ret = -ENXIO;
	}
	for (i = 2; !ret && i < nr; i++)
		ret = parse_option(words[i], r, &seen);
	return ret;
}

/** fo_parse_unmark() - a line to a struct fake_offline_range, 0 pages for "all" */
int fo_parse_unmark(int nr, char **words, void *item)
{
	struct fake_offline_range *range = item;

	if (nr == 1 && !strcmp(words[0], "all")) {
		*range = (struct fake_offline_range){};
		return 0;
	}
	return nr != 2 ? -EINVAL :
	       parse_range(words, &range->start_pfn, &range->nr_pages);
}

/** fo_parse_skippable() - a line to a struct fo_skippable_item */
int fo_parse_skippable(int nr, char **words, void *item)
{
	struct fo_skippable_item *it = item;
	unsigned long value = 0;
	int ret;

	if (nr != 3)
		return -EINVAL;
	ret = parse_range(words, &it->start_pfn, &it->nr_pages);
	if (!ret)
		ret = parse_number(words[2], ULONG_MAX, &value);
	it->skippable = value;
	return ret ?: value > 1 ? -EINVAL : 0;
}

/** fo_parse_block_offline() - a line to a struct fo_block_item */
int fo_parse_block_offline(int nr, char **words, void *item)
{
	struct fo_block_item *it = item;

	it->state = "offline";
	return nr != 1 ? -EINVAL : parse_number(words[0], ULONG_MAX, &it->block);
}

/** fo_parse_block_online() - a line to a struct fo_block_item */
int fo_parse_block_online(int nr, char **words, void *item)
{
	static const char *const types[] = {
		"online", "online_kernel", "online_movable",
	};
	struct fo_block_item *it = item;
	int type = nr == 2 ? match_string(types, ARRAY_SIZE(types), words[1]) : 0;

	if (nr > 2 || type < 0)
		return -EINVAL;
	it->state = types[type];
	return parse_number(words[0], ULONG_MAX, &it->block);
}

/** fo_parse_inject() - a line to a struct fo_inject_item */
int fo_parse_inject(int nr, char **words, void *item)
{
	struct fo_inject_item *it = item;
	unsigned long count = 0;
	int ret;

	it->clear = nr == 1 && !strcmp(words[0], "clear");
	if (it->clear)
		return 0;
	if (nr != 4)
		return -EINVAL;
	ret = kstrtoint(words[2], 10, &it->error);
	if (!ret)
		ret = parse_number(words[3], UINT_MAX, &count);
	it->count = count;
	if (!ret)
		ret = fo_inject_find(words[0], words[1], it->error);
	it->point = ret;
	return min(ret, 0);
}

/* The number of lines, or -EINVAL for what is not text. */
static int count_lines(const char *text, size_t len)
{
	int lines = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		if (text[i] == '\n')
			lines++;
		else if (text[i] != '\t' && !(isascii(text[i]) && isprint(text[i])))
			return -EINVAL;
	}
	/* A line without its newline may have been cut. */
	return len && text[len - 1] == '\n' ? lines : -EINVAL;
}

static int parse_line(const char *text, fo_parse_fn parse, void *item)
{
	int nr, ret;
	char **words;

	words = argv_split(GFP_KERNEL, text, &nr);
	if (!words)
		return -ENOMEM;
	ret = nr ? parse(nr, words, item) : -EINVAL;
	argv_free(words);
	return ret;
}

/**
 * fo_parse_text() - turn lines into items
 * @text: the lines, each with its newline; changed
 * @len: its length
 * @item_size: bytes of an item
 * @parse: parses one line
 * @items: filled in: the items, for kvfree()
 * @line: filled in: the number of the line that was refused, or 0
 *
 * Context: sleeps.
 * Return: the number of items; -EINVAL, -ENOMEM, what @parse returns.
 */
int fo_parse_text(char *text, size_t len, size_t item_size, fo_parse_fn parse,
		  void **items, int *line)
{
	int lines = count_lines(text, len), i, ret = 0;

	*line = 0;
	if (lines < 0)
		return lines;
	text[len - 1] = '\0';
	*items = kvcalloc(lines, item_size, GFP_KERNEL);
	if (!*items)
		return -ENOMEM;
	for (i = 0; !ret && i < lines; i++)
		ret = parse_line(strsep(&text, "\n"), parse,
				 *items + i * item_size);
	if (!ret)
		return lines;
	*line = i;
	kvfree(*items);
	return ret;
}
