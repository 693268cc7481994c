/* SPDX-License-Identifier: GPL-2.0 */
/* Turns the text that is written to the debugfs files into items. */
#ifndef FO_PARSE_H
#define FO_PARSE_H

#include <linux/types.h>

#include "inject.h"

/* Turns the words of one line into an item, and changes nothing else. */
typedef int (*fo_parse_fn)(int nr, char **words, void *item);

/* The items of parse functions that fill in no public struct. */
struct fo_skippable_item {
	unsigned long start_pfn;
	unsigned long nr_pages;
	bool skippable;
};

struct fo_block_item {
	unsigned long block;
	const char *state;	/* as the block's sysfs file takes it */
};

struct fo_inject_item {
	bool clear;
	enum fo_inject_point point;
	int error;
	unsigned int count;
};

int fo_parse_mark(int nr, char **words, void *item);
int fo_parse_unmark(int nr, char **words, void *item);
int fo_parse_skippable(int nr, char **words, void *item);
int fo_parse_block_offline(int nr, char **words, void *item);
int fo_parse_block_online(int nr, char **words, void *item);
int fo_parse_inject(int nr, char **words, void *item);

int fo_parse_text(char *text, size_t len, size_t item_size, fo_parse_fn parse,
		  void **items, int *line);
const char *fo_zone_name(int zone);

#endif /* FO_PARSE_H */
