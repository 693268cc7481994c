/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The map of memory that "offctl map" shows.
 *
 * A cell stands for a power of two of pages, so that the whole memory fits. A single
 * marked page makes its cell a marked one, and so does a poisoned page. Otherwise a cell
 * shows the state of most of its pages. offctl looks only at samples of large cells,
 * since /proc/kpageflags has 8 bytes for each page, which are 2 GiB for 1 TiB of memory.
 */
#ifndef OFFCTL_MAP_H
#define OFFCTL_MAP_H

#include "command.h"
#include "memblock.h"
#include "reason.h"

enum cell_state {
	CELL_MARKED, CELL_OFFLINE, CELL_FREE, CELL_USED, CELL_PINNED,
	CELL_OTHER, CELL_POISONED, CELL_ONLINE, CELL_HOLE, CELL_STATES
};

struct cell_style {
	const char *name, *ascii, *utf8;
	const char *colour;	/* SGR, of the terminal */
	const char *rgb;	/* of a picture; the Okabe-Ito palette */
};
extern const struct cell_style map_cell_styles[CELL_STATES];

/* Adjacent memory blocks. */
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
	size_t columns, rows;		/* cells in a row; limit for the rows */
	size_t samples;			/* pages to look at in a cell */
	bool sampled;			/* some cells were only sampled */
	bool seen[CELL_STATES];		/* for the legend */
	bool colour, utf8;
	size_t width;			/* of the terminal */
	unsigned char *classes;		/* room for the samples */
};

void map_find_segments(struct map *map);
/* Chooses the smallest cell that makes the map fit. Each segment has rows of its own. */
void map_scale(struct map *map);
/* Chooses how many pages of a cell are looked at: about 4 million (32 MiB) in all. */
void map_choose_samples(struct map *map);
/* Calls row() with the states of the cells of each row. */
void map_each_row(struct map *map,
		  void (*row)(struct map *map, uint64_t pfn,
			      const unsigned char *cells, size_t n, void *arg),
		  void *arg);
/* Adds the size of a cell in words. */
void map_add_scale(const struct map *map, struct sb *sb);

/* Writes the map as a picture. Returns false after an error message. */
bool map_draw(struct map *map, const char *file);

#endif
