/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process that takes all movable memory it can get, without being killed
 * for it: it asks the kernel's own watermarks how much is left (see
 * pages_to_get()), and stops just before them.
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

/* Address space for all the memory there is; shared makes it tmpfs's. */
void fill_init(struct fill *f, bool shared, bool huge);
/*
 * Takes more pages, at most limit, and returns how many: 0 when there is no
 * more to get. Each new page has its pattern.
 */
size_t fill_more(struct fill *f, size_t limit);
/* The pattern of a page, by its place: written, and looked at. */
void fill_write(struct fill *f, size_t i);
bool fill_intact(const struct fill *f, size_t i);

#endif
