// SPDX-License-Identifier: GPL-2.0
/* The cells of "offctl map": which memory a cell stands for, and its state. */
#include "map.h"
#include "blockarg.h"
#include "pageflags.h"

#include <stdlib.h>
#include <string.h>

const struct cell_style map_cell_styles[CELL_STATES] = {
	[CELL_MARKED] = { "marked", "#", "\342\226\210", "1;31", "#d55e00" },
	[CELL_OFFLINE] = { "offline", ".", "\302\267", "34", "#bbbbbb" },
	[CELL_FREE] = { "free", "-", "\342\226\221", "32", "#c8e6d7" },
	[CELL_USED] = { "in use", "+", "\342\226\222", "33", "#56b4e9" },
	[CELL_PINNED] = { "pinned (kernel, reserved)", "@", "\342\226\223",
			  "35", "#0072b2" },
	[CELL_OTHER] = { "of another driver", "o", "\342\227\213", "36",
			 "#e69f00" },
	[CELL_POISONED] = { "poisoned", "x", "\303\227", "1;35", "#000000" },
	[CELL_ONLINE] = { "online", "=", "\342\226\222", "32", "#56b4e9" },
	[CELL_HOLE] = { "hole", " ", " ", "0", "#ffffff" },
};

void map_find_segments(struct map *map)
{
	const struct memblock *v = map->only ? map->only : map->all.v;
	size_t n = map->only ? 1 : map->all.n;

	for (size_t i = 0; i < n; i++) {
		struct segment *last = map->n ? &map->segments[map->n - 1] : NULL;
		struct span span;

		if (!block_span(&map->s.units, v[i].nr, &span))
			continue;
		if (last && last->span.pfn + last->span.nr == span.pfn) {
			last->n++;
			last->span.nr += span.nr;
			continue;
		}
		map->segments = xrealloc(map->segments, map->n + 1,
					 sizeof(*map->segments));
		map->segments[map->n++] = (struct segment){ &v[i], 1, span };
	}
}

static uint64_t rows_of(const struct map *map, uint64_t cell)
{
	uint64_t rows = 0, row = cell * map->columns;

	for (size_t i = 0; i < map->n; i++)
		rows += (map->segments[i].span.nr + row - 1) / row;
	return rows;
}

void map_scale(struct map *map)
{
	uint64_t most = 0, rows = map->n > map->rows ? map->n : map->rows;

	if (map->cell)
		return;
	for (size_t i = 0; i < map->n; i++)
		most = map->segments[i].span.nr > most ?
			       map->segments[i].span.nr : most;
	for (map->cell = 1; map->cell < most && rows_of(map, map->cell) > rows;)
		map->cell *= 2;
}

static enum cell_state state_of_class(unsigned char class)
{
	switch (class) {
	case PAGE_FREE:
		return CELL_FREE;
	case PAGE_IN_USE:
		return CELL_USED;
	case PAGE_KERNEL:
	case PAGE_RESERVED:
		return CELL_PINNED;
	case PAGE_OFFLINE:
		return CELL_OTHER;
	case PAGE_POISONED:
		return CELL_POISONED;
	default:
		return CELL_HOLE;
	}
}

/* Counts the states of the pages of an online block, or of samples of them. */
static void count_pages(struct map *map, struct span span, bool movable,
			uint64_t *counts)
{
	uint64_t step = 0, chunk = span.nr;

	if (map->s.pages.fd < 0) {
		counts[CELL_ONLINE] += span.nr;
		return;
	}
	if (span.nr > map->samples) {
		map->sampled = true;
		chunk = map->samples / 8;
		step = span.nr / 8;
	}
	for (uint64_t at = 0; at + chunk <= span.nr; at += step) {
		if (!pageflags_read(&map->s.pages, span.pfn + at,
				    (size_t)chunk, movable, map->classes)) {
			counts[CELL_ONLINE] += chunk;
		} else {
			for (size_t i = 0; i < chunk; i++)
				counts[state_of_class(map->classes[i])]++;
		}
		if (!step)
			break;
	}
}

static enum cell_state state_of_cell(struct map *map, const struct segment *seg,
				     struct span cell)
{
	uint64_t per_block = map->s.units.block / map->s.units.page;
	uint64_t counts[CELL_STATES] = {0}, end = cell.pfn + cell.nr;
	enum cell_state state = CELL_OFFLINE;

	if (spans_pages_in(&map->marked, cell))
		return CELL_MARKED;
	for (uint64_t pfn = cell.pfn; pfn < end;) {
		uint64_t in = (pfn - seg->span.pfn) / per_block;
		const struct memblock *b = &seg->blocks[in];
		uint64_t stop = seg->span.pfn + (in + 1) * per_block;
		struct span part = { pfn, (stop < end ? stop : end) - pfn };

		if (!strcmp(b->state, "offline"))
			counts[CELL_OFFLINE] += part.nr;
		else
			count_pages(map, part,
				    b->zones && !strcmp(b->zones, "Movable"),
				    counts);
		pfn = part.pfn + part.nr;
	}
	if (counts[CELL_POISONED])
		return CELL_POISONED;
	for (size_t i = 0; i < CELL_STATES; i++)
		if (counts[i] > counts[state])
			state = (enum cell_state)i;
	return state;
}

void map_each_row(struct map *map,
		     void (*row)(struct map *map, uint64_t pfn,
				 const unsigned char *cells, size_t n,
				 void *arg), void *arg)
{
	unsigned char *cells = xrealloc(NULL, map->columns, 1);

	for (size_t i = 0; i < map->n; i++) {
		const struct segment *seg = &map->segments[i];
		uint64_t end = seg->span.pfn + seg->span.nr;

		for (uint64_t pfn = seg->span.pfn; pfn < end;) {
			uint64_t start = pfn;
			size_t n = 0;

			for (; n < map->columns && pfn < end; n++) {
				uint64_t nr = map->cell < end - pfn ?
						      map->cell : end - pfn;

				cells[n] = (unsigned char)state_of_cell(map, seg,
					(struct span){ pfn, nr });
				map->seen[cells[n]] = true;
				pfn += nr;
			}
			row(map, start, cells, n, arg);
		}
	}
	free(cells);
}

void map_choose_samples(struct map *map)
{
	uint64_t cells = rows_of(map, map->cell) * map->columns;
	uint64_t samples = UINT64_C(4194304) / (cells ? cells : 1);

	samples = samples < 512 ? 512 : samples;
	samples = samples > 65536 ? 65536 : samples;
	map->samples = (size_t)samples;
	map->classes = xrealloc(NULL, map->samples, 1);
}

void map_add_scale(const struct map *map, struct sb *sb)
{
	sb_addf(sb, "one cell is ");
	add_size_iec(sb, map->cell * map->s.units.page);
	if (map->sampled)
		sb_addf(sb, ", from samples");
}
