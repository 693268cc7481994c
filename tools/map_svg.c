// SPDX-License-Identifier: GPL-2.0
/* The map as a picture in SVG. */
#include "file.h"
#include "map.h"

#include <inttypes.h>
#include <string.h>

#define CELL 10			/* pixels */
#define LEFT 150
#define TOP 50

struct picture {
	struct sb body;
	size_t rows;
};

static void draw_row(struct map *map, uint64_t pfn, const unsigned char *cells,
		     size_t n, void *arg)
{
	struct picture *p = arg;
	size_t y = TOP + p->rows++ * (CELL + 2);
	struct sb range = {0};

	sb_addf(&p->body,
		"<text x=\"%d\" y=\"%zu\" text-anchor=\"end\">0x%010" PRIx64
		"</text>\n", LEFT - 10, y + CELL - 1,
		pfn * map->s.units.page);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && cells[end] == cells[i];)
			end++;
		sb_clear(&range);
		add_range(&range, &map->s.units,
			  (struct span){ pfn + i * map->cell,
					 (end - i) * map->cell });
		sb_addf(&p->body,
			"<rect x=\"%zu\" y=\"%zu\" width=\"%zu\" height=\"%d\" fill=\"%s\"><title>%s %s</title></rect>\n",
			LEFT + i * CELL, y, (end - i) * CELL, CELL,
			map_cell_styles[cells[i]].rgb, map_cell_styles[cells[i]].name,
			sb_str(&range));
	}
	sb_free(&range);
}

bool map_draw(struct map *map, const char *file)
{
	struct picture p = {0};
	struct sb svg = {0}, text = {0};
	size_t width = LEFT + map->columns * CELL + 20, height, x = LEFT;
	bool ok;

	map_each_row(map, draw_row, &p);
	height = TOP + p.rows * (CELL + 2) + 50;
	map_add_scale(map, &text);
	sb_addf(&svg,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%zu\" height=\"%zu\" viewBox=\"0 0 %zu %zu\" font-family=\"monospace\" font-size=\"11\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n"
		"<text x=\"%d\" y=\"25\" font-size=\"14\">Memory map; %s</text>\n",
		width, height, width, height, LEFT, sb_str(&text));
	sb_add(&svg, sb_str(&p.body), p.body.len);
	for (size_t i = 0; i < CELL_STATES; i++) {
		if (!map->seen[i] || i == CELL_HOLE)
			continue;
		sb_addf(&svg,
			"<rect x=\"%zu\" y=\"%zu\" width=\"%d\" height=\"%d\" fill=\"%s\" stroke=\"#888888\"/>\n"
			"<text x=\"%zu\" y=\"%zu\">%s</text>\n",
			x, height - 30, CELL, CELL, map_cell_styles[i].rgb, x + CELL + 5,
			height - 21, map_cell_styles[i].name);
		x += CELL + 20 + 7 * strlen(map_cell_styles[i].name);
	}
	sb_addf(&svg, "</svg>\n");
	ok = file_write(map->cmd->name, file, &svg);
	sb_free(&svg);
	sb_free(&text);
	sb_free(&p.body);
	return ok;
}
