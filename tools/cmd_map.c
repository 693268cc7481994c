// SPDX-License-Identifier: GPL-2.0
/*
 * offctl map: memory as cells, on a terminal or in a picture
 *
 * A cell is a power of two of pages, so many that all fits. A marked page makes
 * its cell a marked one, however large it is; a poisoned one too. Otherwise a
 * cell is what most of its pages are. Of large cells only samples are looked
 * at: each page of a server with 1 TiB has 8 bytes in /proc/kpageflags.
 */
#include "blockarg.h"
#include "command.h"
#include "file.h"
#include "memblock.h"
#include "pageflags.h"
#include "why.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum look {
	LOOK_MARKED, LOOK_OFFLINE, LOOK_FREE, LOOK_USED, LOOK_PINNED,
	LOOK_OTHER, LOOK_POISONED, LOOK_ONLINE, LOOK_HOLE, LOOKS
};

static const struct {
	const char *name, *ascii, *utf8;
	const char *colour;	/* SGR, of the terminal */
	const char *rgb;	/* of a picture; the Okabe-Ito palette */
} looks[LOOKS] = {
	[LOOK_MARKED] = { "marked", "#", "\342\226\210", "1;31", "#d55e00" },
	[LOOK_OFFLINE] = { "offline", ".", "\302\267", "34", "#bbbbbb" },
	[LOOK_FREE] = { "free", "-", "\342\226\221", "32", "#c8e6d7" },
	[LOOK_USED] = { "in use", "+", "\342\226\222", "33", "#56b4e9" },
	[LOOK_PINNED] = { "pinned (kernel, reserved)", "@", "\342\226\223",
			  "35", "#0072b2" },
	[LOOK_OTHER] = { "of another driver", "o", "\342\227\213", "36",
			 "#e69f00" },
	[LOOK_POISONED] = { "poisoned", "x", "\303\227", "1;35", "#000000" },
	[LOOK_ONLINE] = { "online", "=", "\342\226\222", "32", "#56b4e9" },
	[LOOK_HOLE] = { "hole", " ", " ", "0", "#ffffff" },
};

/* Blocks without a hole between them. */
struct segment {
	const struct memblock *blocks;
	size_t n;
	struct span span;
};

struct map {
	const struct command *cmd;
	struct why_sources s;
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

static void find_segments(struct map *map)
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

/* The smallest cell that makes it fit. Each segment has a row of its own. */
static void scale(struct map *map)
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

static enum look look_of_class(unsigned char class)
{
	switch (class) {
	case PAGE_FREE:
		return LOOK_FREE;
	case PAGE_IN_USE:
		return LOOK_USED;
	case PAGE_KERNEL:
	case PAGE_RESERVED:
		return LOOK_PINNED;
	case PAGE_OFFLINE:
		return LOOK_OTHER;
	case PAGE_POISONED:
		return LOOK_POISONED;
	default:
		return LOOK_HOLE;
	}
}

/* Adds what the pages of an online block are; with samples only. */
static void count_pages(struct map *map, struct span span, bool movable,
			uint64_t *counts)
{
	uint64_t step = 0, chunk = span.nr;

	if (map->s.pages.fd < 0) {
		counts[LOOK_ONLINE] += span.nr;
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
			counts[LOOK_ONLINE] += chunk;
		} else {
			for (size_t i = 0; i < chunk; i++)
				counts[look_of_class(map->classes[i])]++;
		}
		if (!step)
			break;
	}
}

static enum look look_at(struct map *map, const struct segment *seg,
			 struct span cell)
{
	uint64_t per_block = map->s.units.block / map->s.units.page;
	uint64_t counts[LOOKS] = {0}, end = cell.pfn + cell.nr;
	enum look look = LOOK_OFFLINE;

	if (spans_pages_in(&map->marked, cell))
		return LOOK_MARKED;
	for (uint64_t pfn = cell.pfn; pfn < end;) {
		uint64_t in = (pfn - seg->span.pfn) / per_block;
		const struct memblock *b = &seg->blocks[in];
		uint64_t stop = seg->span.pfn + (in + 1) * per_block;
		struct span part = { pfn, (stop < end ? stop : end) - pfn };

		if (!strcmp(b->state, "offline"))
			counts[LOOK_OFFLINE] += part.nr;
		else
			count_pages(map, part,
				    b->zones && !strcmp(b->zones, "Movable"),
				    counts);
		pfn = part.pfn + part.nr;
	}
	if (counts[LOOK_POISONED])
		return LOOK_POISONED;
	for (size_t i = 0; i < LOOKS; i++)
		if (counts[i] > counts[look])
			look = (enum look)i;
	return look;
}

/* Calls row() with the looks of each row's cells. */
static void each_row(struct map *map,
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

				cells[n] = (unsigned char)look_at(map, seg,
					(struct span){ pfn, nr });
				map->seen[cells[n]] = true;
				pfn += nr;
			}
			row(map, start, cells, n, arg);
		}
	}
	free(cells);
}

/* On the terminal */

#define LABEL_MIN 13	/* 0x0000000000 and a blank */

static const char *glyph(const struct map *map, enum look look)
{
	return map->utf8 ? looks[look].utf8 : looks[look].ascii;
}

static void print_row(struct map *map, uint64_t pfn,
		      const unsigned char *cells, size_t n, void *arg)
{
	struct sb line = {0};
	int last = -1;

	(void)arg;
	sb_addf(&line, "0x%010" PRIx64 " ", pfn * map->s.units.page);
	for (size_t i = 0; i < n; i++) {
		if (map->colour && cells[i] != last)
			sb_addf(&line, "\033[0;%sm", looks[cells[i]].colour);
		last = cells[i];
		sb_addf(&line, "%s", glyph(map, cells[i]));
	}
	if (map->colour)
		sb_addf(&line, "\033[0m");
	out("%s\n", sb_str(&line));
	sb_free(&line);
}

/* Only what is there, as many on a line as fit. */
static void print_legend(const struct map *map)
{
	size_t at = 0;

	for (size_t i = 0; i < LOOKS; i++) {
		size_t len = 2 + strlen(looks[i].name);

		if (!map->seen[i] || i == LOOK_HOLE)
			continue;
		if (at && at + 3 + len > map->width) {
			out("\n");
			at = 0;
		}
		if (map->colour)
			out("%s\033[0;%sm%s\033[0m %s", at ? "   " : "",
			    looks[i].colour, glyph(map, (enum look)i),
			    looks[i].name);
		else
			out("%s%s %s", at ? "   " : "",
			    glyph(map, (enum look)i), looks[i].name);
		at += len + (at ? 3 : 0);
	}
	if (at)
		out("\n");
}

static void add_scale(const struct map *map, struct sb *sb)
{
	sb_addf(sb, "one cell is ");
	add_size_iec(sb, map->cell * map->s.units.page);
	if (map->sampled)
		sb_addf(sb, ", by samples");
}

static size_t terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	uint64_t width;

	if (columns && !parse_number(columns, &width) && width &&
	    width < 10000)
		return (size_t)width;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	return 80;
}

static void print_map(struct map *map)
{
	struct sb line = {0};

	each_row(map, print_row, NULL);
	out("\n");
	print_legend(map);
	add_scale(map, &line);
	out("%s\n", sb_str(&line));
	sb_free(&line);
}

/* As a picture */

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
			looks[cells[i]].rgb, looks[cells[i]].name,
			sb_str(&range));
	}
	sb_free(&range);
}

static bool draw_map(struct map *map, const char *file)
{
	struct picture p = {0};
	struct sb svg = {0}, text = {0};
	size_t width = LEFT + map->columns * CELL + 20, height, x = LEFT;
	bool ok;

	each_row(map, draw_row, &p);
	height = TOP + p.rows * (CELL + 2) + 50;
	add_scale(map, &text);
	sb_addf(&svg,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%zu\" height=\"%zu\" viewBox=\"0 0 %zu %zu\" font-family=\"monospace\" font-size=\"11\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n"
		"<text x=\"%d\" y=\"25\" font-size=\"14\">Memory map; %s</text>\n",
		width, height, width, height, LEFT, sb_str(&text));
	sb_add(&svg, sb_str(&p.body), p.body.len);
	for (size_t i = 0; i < LOOKS; i++) {
		if (!map->seen[i] || i == LOOK_HOLE)
			continue;
		sb_addf(&svg,
			"<rect x=\"%zu\" y=\"%zu\" width=\"%d\" height=\"%d\" fill=\"%s\" stroke=\"#888888\"/>\n"
			"<text x=\"%zu\" y=\"%zu\">%s</text>\n",
			x, height - 30, CELL, CELL, looks[i].rgb, x + CELL + 5,
			height - 21, looks[i].name);
		x += CELL + 20 + 7 * strlen(looks[i].name);
	}
	sb_addf(&svg, "</svg>\n");
	ok = file_write(map->cmd->name, file, &svg);
	sb_free(&svg);
	sb_free(&text);
	sb_free(&p.body);
	return ok;
}

enum { OPT_BLOCK = OPT_OWN, OPT_CELL, OPT_COLOR, OPT_ASCII, OPT_SVG };

static const struct option_def options[] = {
	{ OPT_BLOCK, "block", "N", "only this memory block, down to pages" },
	{ OPT_CELL, "cell", "SIZE",
	  "memory in a cell, 4K to see each page; default: all fits" },
	{ OPT_COLOR, "color", "[=WHEN]", "colours: always, never or auto" },
	{ OPT_ASCII, "ascii", NULL, "nothing but ASCII, no colours" },
	{ OPT_SVG, "svg", "FILE", "as a picture in FILE" },
	{ 0, NULL, NULL, NULL },
};

struct choice {
	const char *block, *cell, *color, *svg;
	bool ascii;
};

/* A usage error, or ST_DONE. */
static int take_options(struct map *map, int argc, char **argv,
			struct choice *c)
{
	int id;

	*c = (struct choice){ .color = "auto" };
	while ((id = next_option(map->cmd, argc, argv)) != -1)
		switch (id) {
		case OPT_BLOCK:
			c->block = optarg;
			break;
		case OPT_CELL:
			c->cell = optarg;
			break;
		case OPT_COLOR:
			c->color = optarg ? optarg : "always";
			if (strcmp(c->color, "always") &&
			    strcmp(c->color, "never") &&
			    strcmp(c->color, "auto"))
				return usage_error_arg(map->cmd, c->color,
						       "is not always, never or auto",
						       NULL);
			break;
		case OPT_ASCII:
			c->ascii = true;
			break;
		case OPT_SVG:
			c->svg = optarg;
			break;
		}
	if (optind < argc)
		return usage_error_arg(map->cmd, argv[optind],
				       "not expected here", NULL);
	return ST_DONE;
}

/* https://no-color.org */
static bool want_colour(const char *when)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (strcmp(when, "auto"))
		return !strcmp(when, "always");
	return isatty(STDOUT_FILENO) && !(no && *no) && term && *term &&
	       strcmp(term, "dumb");
}

static int choose(struct map *map, const struct choice *c)
{
	const struct units *u = &map->s.units;
	uint64_t first, last, bytes;
	const char *why;

	if (!u->block) {
		err("%s: the size of a memory block is not known",
		    map->cmd->name);
		return ST_FAILED;
	}
	if (c->block) {
		why = parse_blocks(c->block, u, &first, &last);
		if (!why && first != last)
			why = "more than one block";
		if (why)
			return usage_error_arg(map->cmd, c->block, why,
					       block_forms);
		map->only = memblocks_find(&map->all, first);
		if (!map->only) {
			err("%s: block %" PRIu64 ": there is no such block",
			    map->cmd->name, first);
			return ST_FAILED;
		}
	}
	if (c->cell) {
		why = parse_size(c->cell, &bytes);
		if (!why && (bytes < u->page || bytes % u->page))
			why = "not a multiple of the page size";
		if (why)
			return usage_error_arg(map->cmd, c->cell, why, NULL);
		map->cell = bytes / u->page;
	}
	map->colour = !c->ascii && want_colour(c->color);
	map->utf8 = map->colour && !strcmp(nl_langinfo(CODESET), "UTF-8");
	map->width = terminal_width();
	map->columns = c->svg ? 96 :
		       map->width >= LABEL_MIN + 8 ? map->width - LABEL_MIN : 8;
	map->rows = c->svg ? 64 : c->block ? 32 : 16;
	return ST_DONE;
}

/* In all about 4 million pages, 32 MiB to read. */
static void choose_samples(struct map *map)
{
	uint64_t cells = rows_of(map, map->cell) * map->columns;
	uint64_t samples = UINT64_C(4194304) / (cells ? cells : 1);

	samples = samples < 512 ? 512 : samples;
	samples = samples > 65536 ? 65536 : samples;
	map->samples = (size_t)samples;
	map->classes = xrealloc(NULL, map->samples, 1);
}

static int run_map(const struct command *self, int argc, char **argv)
{
	struct map map = { .cmd = self };
	struct choice c;
	int status = take_options(&map, argc, argv, &c);
	bool ok;

	if (status != ST_DONE)
		return status;
	ok = why_open(&map.s, self->name);
	if (!memblocks_load(self->name, &map.all)) {
		why_close(&map.s);
		return ST_FAILED;
	}
	status = choose(&map, &c);
	if (status == ST_DONE) {
		if (!pageflags_open(&map.s.pages))
			hint("/proc/kpageflags: %s: what is online can't be told apart",
			     errno == EACCES ? "only root may look at it" :
					       strerror(errno));
		map.marked = marked_spans(&map.s.marked, NULL);
		find_segments(&map);
		scale(&map);
		choose_samples(&map);
		if (c.svg)
			ok = draw_map(&map, c.svg) && ok;
		else
			print_map(&map);
		spans_free(&map.marked);
		status = ok ? ST_DONE : ST_FAILED;
	}
	free(map.segments);
	free(map.classes);
	why_close(&map.s);
	memblocks_free(&map.all);
	return status;
}

const struct command cmd_map = {
	.name = "map",
	.brief = "Show memory as a map: what is marked, offline, free, in use.",
	.synopsis = "[--block N] [--cell SIZE] [--color[=WHEN]] [--ascii] [--svg FILE]",
	.details =
"A row begins with the address of its first cell. A cell is marked if one of its\n"
"pages is; otherwise it is what most of its pages are. With colours it uses\n"
"UTF-8 if the locale has it; NO_COLOR, a pipe and --ascii give ASCII. Pages that\n"
"are pinned for DMA look like other pages in use.\n",
	.options = options,
	.run = run_map,
};
