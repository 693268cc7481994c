/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The map of memory that "offctl map" shows
 *
 * A cell is a power of two of pages, so many that all fits. A marked page makes
 * its cell a marked one, however large it is; a poisoned one too. Otherwise a
 * cell is what most of its pages are. Of large cells only samples are looked
 * at: each page of a server with 1 TiB has 8 bytes in /proc/kpageflags.
 */
#ifndef OFFCTL_MAP_H
#define OFFCTL_MAP_H

#include "command.h"
#include "memblock.h"
#include "reason.h"

enum look {
	LOOK_MARKED, LOOK_OFFLINE, LOOK_FREE, LOOK_USED, LOOK_PINNED,
	LOOK_OTHER, LOOK_POISONED, LOOK_ONLINE, LOOK_HOLE, LOOKS
};

struct look_style {
	const char *name, *ascii, *utf8;
	const char *colour;	/* SGR, of the terminal */
	const char *rgb;	/* of a picture; the Okabe-Ito palette */
};
extern const struct look_style map_looks[LOOKS];

/* Blocks without a hole between them. */
struct segment {
	const struct memblock *blocks;
	size_t n;
	struct span span;
};

struct map {
	const struct command *cmd;
	struct reason_sources s;
	struct spans marked;
	struct memblocks all;
	const struct memblock *only;	/* --block */
	struct segment *segments;
	size_t n;
	uint64_t cell;			/* pages */
	size_t columns, rows;		/* cells in a row; most rows there may be */
	size_t samples;			/* pages to look at in a cell */
	bool sampled;
	bool seen[LOOKS];
	bool colour, utf8;
	size_t width;			/* of the terminal */
	unsigned char *classes;		/* room for the samples */
};

void map_find_segments(struct map *map);
/* Chooses the smallest cell that makes the map fit. Each segment has rows of its own. */
void map_scale(struct map *map);
/* Chooses how many pages of a cell are looked at: about 4 million (32 MiB) in all. */
void map_choose_samples(struct map *map);
/* Calls row() with the looks of the cells of each row. */
void map_each_row(struct map *map,
		  void (*row)(struct map *map, uint64_t pfn,
			      const unsigned char *cells, size_t n, void *arg),
		  void *arg);
/* Adds the size of a cell, in words. */
void map_add_scale(const struct map *map, struct sb *sb);

/* Writes the map as a picture. Returns false after an error message. */
bool map_draw(struct map *map, const char *file);

#endif
