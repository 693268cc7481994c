// SPDX-License-Identifier: GPL-2.0
/* offctl map: shows memory as a map on the terminal, or as a picture. */
#include "map.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LABEL_MIN 13	/* 0x0000000000 and a blank */

static const char *glyph(const struct map *map, enum cell_state state)
{
	return map->utf8 ? map_cell_styles[state].utf8 : map_cell_styles[state].ascii;
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
			sb_addf(&line, "\033[0;%sm", map_cell_styles[cells[i]].colour);
		last = cells[i];
		sb_addf(&line, "%s", glyph(map, cells[i]));
	}
	if (map->colour)
		sb_addf(&line, "\033[0m");
	out("%s\n", sb_str(&line));
	sb_free(&line);
}

/* Explains the states that the map shows, as many on a line as fit. */
static void print_legend(const struct map *map)
{
	size_t at = 0;

	for (size_t i = 0; i < CELL_STATES; i++) {
		size_t len = 2 + strlen(map_cell_styles[i].name);

		if (!map->seen[i] || i == CELL_HOLE)
			continue;
		if (at && at + 3 + len > map->width) {
			out("\n");
			at = 0;
		}
		if (map->colour)
			out("%s\033[0;%sm%s\033[0m %s", at ? "   " : "",
			    map_cell_styles[i].colour, glyph(map, (enum cell_state)i),
			    map_cell_styles[i].name);
		else
			out("%s%s %s", at ? "   " : "",
			    glyph(map, (enum cell_state)i), map_cell_styles[i].name);
		at += len + (at ? 3 : 0);
	}
	if (at)
		out("\n");
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

	map_each_row(map, print_row, NULL);
	out("\n");
	print_legend(map);
	map_add_scale(map, &line);
	out("%s\n", sb_str(&line));
	sb_free(&line);
}

enum { OPT_BLOCK = OPT_OWN, OPT_CELL, OPT_COLOR, OPT_ASCII, OPT_SVG };

static const struct option_def options[] = {
	{ OPT_BLOCK, "block", "N", "show only this memory block" },
	{ OPT_CELL, "cell", "SIZE",
	  "memory in a cell, such as 4K; default: the map fits" },
	{ OPT_COLOR, "color", "[=WHEN]", "use colours: always, never or auto" },
	{ OPT_ASCII, "ascii", NULL, "use only ASCII, and no colours" },
	{ OPT_SVG, "svg", "FILE", "draw a picture in FILE" },
	{ 0, NULL, NULL, NULL },
};

struct choice {
	const char *block, *cell, *color, *svg;
	bool ascii;
};

/* Returns ST_DONE, or ST_USAGE after an error message. */
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
						       "not always, never or auto",
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

/* The rules of https://no-color.org */
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
	const char *reason;

	if (!u->block) {
		err("%s: the size of a memory block is not known",
		    map->cmd->name);
		return ST_FAILED;
	}
	if (c->block) {
		reason = parse_blocks(c->block, u, &first, &last);
		if (!reason && first != last)
			reason = "more than one block";
		if (reason)
			return usage_error_arg(map->cmd, c->block, reason,
					       block_forms);
		map->only = memblocks_find(&map->all, first);
		if (!map->only) {
			err("%s: block %" PRIu64 ": there is no such block",
			    map->cmd->name, first);
			return ST_FAILED;
		}
	}
	if (c->cell) {
		reason = parse_size(c->cell, &bytes);
		if (!reason && (bytes < u->page || bytes % u->page))
			reason = "not a multiple of the page size";
		if (reason)
			return usage_error_arg(map->cmd, c->cell, reason, NULL);
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

static int run_map(const struct command *self, int argc, char **argv)
{
	struct map map = { .cmd = self };
	struct choice c;
	int status = take_options(&map, argc, argv, &c);
	bool ok;

	if (status != ST_DONE)
		return status;
	ok = reason_open(&map.s, self->name);
	if (!memblocks_load(self->name, &map.all)) {
		reason_close(&map.s);
		return ST_FAILED;
	}
	status = choose(&map, &c);
	if (status == ST_DONE) {
		if (!pageflags_open(&map.s.pages))
			hint("/proc/kpageflags: %s: the map cannot show the pages of online blocks",
			     errno == EACCES ? "only root may read it" :
					       strerror(errno));
		map.marked = marked_spans(&map.s.marked, NULL);
		map_find_segments(&map);
		map_scale(&map);
		map_choose_samples(&map);
		if (c.svg)
			ok = map_draw(&map, c.svg) && ok;
		else
			print_map(&map);
		spans_free(&map.marked);
		status = ok ? ST_DONE : ST_FAILED;
	}
	free(map.segments);
	free(map.classes);
	reason_close(&map.s);
	memblocks_free(&map.all);
	return status;
}

const struct command cmd_map = {
	.name = "map",
	.brief = "Show a map of marked, offline, free and used memory.",
	.synopsis = "[--block N] [--cell SIZE] [--color[=WHEN]] [--ascii] [--svg FILE]",
	.details =
"A row begins with the address of its first cell. A cell with a marked page is\n"
"marked. Other cells show the state of most of their pages. The map uses UTF-8 with\n"
"colours if the locale is UTF-8. NO_COLOR, a pipe and --ascii give ASCII. Pages that\n"
"are pinned for DMA look like other pages in use.\n",
	.options = options,
	.run = run_map,
};
