/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process that takes all movable memory it can get and is not killed for it. It reads
 * the kernel's own watermarks (see pages_to_get()), and stops just before them.
 */
#ifndef SELFTESTS_FILL_H
#define SELFTESTS_FILL_H

#include "common.h"

struct fill {
	char *base;
	size_t page_size;
	size_t nr;		/* pages taken so far, from base on */
	size_t max;
};

/* Address space for all memory of the machine. With shared, it is a tmpfs's. */
void fill_init(struct fill *f, bool shared, bool huge);
/*
 * Takes more pages, at most limit, and returns their number: 0 when no more are available.
 * Each new page gets its pattern.
 */
size_t fill_more(struct fill *f, size_t limit);
/* These write and compare the pattern of a page, which its place determines. */
void fill_write(struct fill *f, size_t i);
bool fill_intact(const struct fill *f, size_t i);

#endif
