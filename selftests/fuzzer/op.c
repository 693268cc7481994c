// SPDX-License-Identifier: GPL-2.0
/*
 * Operations as lines of text, and back. A page is BLOCK:OFFSET, with the blocks counted
 * from 0.
 *
 *   mark PAGE NR [unskippable] [canary][, PAGE NR ...]...
 *   guard BLOCK
 *   any NR [unskippable] [canary]
 *   unmark PAGE NR[, PAGE NR]...
 *   unmark all
 *   skippable PAGE NR 0|1
 *   offline BLOCK sysfs|debugfs
 *   online BLOCK TYPE sysfs|debugfs
 *   inject ACTION POINT ERRNO COUNT
 *   clear
 *   soft PAGE
 *   hold NR
 *   drop
 *   reload
 *   balloon PAGE NR
 *   pop
 *
 * Two operations at once have " | " between them.
 */
#include "common.h"
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const online_types[NR_ONLINE_TYPES] = {
	"online", "online_kernel", "online_movable",
};

const char *const point_names[NR_POINTS] = {
	"offline before", "offline after", "offline late",
	"online before", "online after", "mark stray", "mark corrupt",
};

static const struct {
	enum op_kind kind;
	const char *name;
} names[] = {
	{ OP_MARK, "mark" },	{ OP_GUARD, "guard" },	{ OP_ANY, "any" },
	{ OP_UNMARK, "unmark" }, { OP_UNMARK_ALL, "unmark" },
	{ OP_SKIPPABLE, "skippable" }, { OP_OFFLINE, "offline" },
	{ OP_ONLINE, "online" }, { OP_INJECT, "inject" }, { OP_CLEAR, "clear" },
	{ OP_SOFT, "soft" },	{ OP_HOLD, "hold" },	{ OP_DROP, "drop" },
	{ OP_RELOAD, "reload" }, { OP_BALLOON, "balloon" }, { OP_POP, "pop" },
};

#define NR_NAMES (sizeof(names) / sizeof(names[0]))

static const char *name_of(enum op_kind kind)
{
	size_t i;

	for (i = 0; i < NR_NAMES; i++)
		if (names[i].kind == kind)
			return names[i].name;
	die("an operation without a name");
}

/* ---------------------------------------------------------------- printing */

static char *print_piece(char *to, const struct request *p, unsigned int bp)
{
	to += sprintf(to, " %u:%u %u", p->start / bp, p->start % bp, p->nr);
	to += sprintf(to, "%s%s", p->unskippable ? " unskippable" : "",
		      p->canary ? " canary" : "");
	return to;
}

static char *print_op(char *to, const struct op *op, unsigned int bp)
{
	const char *via = op->debugfs ? "debugfs" : "sysfs";
	const struct request *p = op->request;
	unsigned int i;

	to += sprintf(to, "%s", name_of(op->kind));
	switch (op->kind) {
	case OP_MARK:
	case OP_UNMARK:
		for (i = 0; i < op->nr_requests; i++) {
			to = print_piece(to, &p[i], bp);
			if (i + 1 < op->nr_requests)
				to += sprintf(to, ",");
		}
		break;
	case OP_UNMARK_ALL:
		to += sprintf(to, " all");
		break;
	case OP_GUARD:
		to += sprintf(to, " %u", op->block);
		break;
	case OP_ANY:
		to += sprintf(to, " %u%s%s", op->number,
			      p->unskippable ? " unskippable" : "",
			      p->canary ? " canary" : "");
		break;
	case OP_SKIPPABLE:
		to = print_piece(to, p, bp);
		to += sprintf(to, " %u", op->number);
		break;
	case OP_OFFLINE:
		to += sprintf(to, " %u %s", op->block, via);
		break;
	case OP_ONLINE:
		to += sprintf(to, " %u %s %s", op->block,
			      online_types[op->type], via);
		break;
	case OP_INJECT:
		to += sprintf(to, " %s %d %u", point_names[op->point],
			      -op->error, op->number);
		break;
	case OP_SOFT:
		to += sprintf(to, " %u:%u", p->start / bp, p->start % bp);
		break;
	case OP_HOLD:
		to += sprintf(to, " %u", op->number);
		break;
	case OP_BALLOON:
		to = print_piece(to, p, bp);
		break;
	case OP_CLEAR:
	case OP_DROP:
	case OP_RELOAD:
	case OP_POP:
		break;
	}
	return to;
}

void step_print(const struct step *s, unsigned int block_pages, char *text)
{
	text = print_op(text, &s->op[0], block_pages);
	if (s->nr_ops == 2) {
		text += sprintf(text, " | ");
		print_op(text, &s->op[1], block_pages);
	}
}

/* ---------------------------------------------------------------- parsing */

#define MAX_WORDS 8

/* The words of one line, or of one range in it. */
struct words {
	const char *line;
	unsigned int nr, next;
	char *word[MAX_WORDS];
};

static _Noreturn void bad_line(const struct words *w)
{
	die("not an operation: %s", w->line);
}

static const char *next_word(struct words *w)
{
	if (w->next == w->nr)
		bad_line(w);
	return w->word[w->next++];
}

static unsigned int next_number(struct words *w)
{
	return (unsigned int)parse_u64(next_word(w));
}

static bool next_is(struct words *w, const char *word)
{
	if (w->next == w->nr || strcmp(w->word[w->next], word))
		return false;
	w->next++;
	return true;
}

static unsigned int next_page(struct words *w, unsigned int bp)
{
	unsigned int block, offset;
	char more;

	if (sscanf(next_word(w), "%u:%u%c", &block, &offset, &more) != 2 ||
	    offset >= bp)
		bad_line(w);
	return block * bp + offset;
}

static void parse_flags(struct words *w, struct request *p)
{
	p->unskippable = next_is(w, "unskippable");
	p->canary = next_is(w, "canary");
}

static void cut(struct words *w, char *text)
{
	char *save, *word;

	w->nr = w->next = 0;
	for (word = strtok_r(text, " \t", &save); word;
	     word = strtok_r(NULL, " \t", &save)) {
		if (w->nr == MAX_WORDS)
			bad_line(w);
		w->word[w->nr++] = word;
	}
}

/* The first range is in w, and the others in rest. */
static void parse_pieces(struct words *w, struct op *op, char *rest,
			 unsigned int bp)
{
	for (;;) {
		struct request *p = &op->request[op->nr_requests];
		char *comma;

		if (op->nr_requests++ == MAX_REQUESTS)
			bad_line(w);
		p->start = next_page(w, bp);
		p->nr = next_number(w);
		if (!p->nr)
			bad_line(w);
		parse_flags(w, p);
		if (w->next != w->nr)
			bad_line(w);
		if (!rest)
			return;
		comma = strchr(rest, ',');
		if (comma)
			*comma = '\0';
		cut(w, rest);
		rest = comma ? comma + 1 : NULL;
	}
}

static void parse_point(struct words *w, struct op *op)
{
	const char *action = next_word(w), *point = next_word(w);
	char name[32];
	int i;

	snprintf(name, sizeof(name), "%s %s", action, point);
	for (i = 0; i < NR_POINTS; i++)
		if (!strcmp(point_names[i], name))
			break;
	if (i == NR_POINTS)
		bad_line(w);
	op->point = (enum inject_point)i;
	op->error = -atoi(next_word(w));
	op->number = next_number(w);
}

static void parse_via(struct words *w, struct op *op)
{
	op->debugfs = next_is(w, "debugfs");
	if (!op->debugfs && !next_is(w, "sysfs"))
		bad_line(w);
}

static void parse_online(struct words *w, struct op *op)
{
	int i;

	op->block = next_number(w);
	for (i = 0; i < NR_ONLINE_TYPES; i++)
		if (next_is(w, online_types[i]))
			break;
	if (i == NR_ONLINE_TYPES)
		bad_line(w);
	op->type = (enum online_type)i;
	parse_via(w, op);
}

static enum op_kind parse_name(struct words *w)
{
	const char *name = next_word(w);
	size_t i;

	for (i = 0; i < NR_NAMES; i++)
		if (!strcmp(names[i].name, name))
			return names[i].kind;
	bad_line(w);
}

static void parse_op(struct op *op, unsigned int bp, char *text,
		     const char *line)
{
	struct words w = { .line = line };
	struct request *p = op->request;
	char *rest = strchr(text, ',');

	memset(op, 0, sizeof(*op));
	if (rest)
		*rest++ = '\0';
	cut(&w, text);
	op->kind = parse_name(&w);
	switch (op->kind) {
	case OP_MARK:
		parse_pieces(&w, op, rest, bp);
		return;
	case OP_UNMARK:
	case OP_UNMARK_ALL:
		if (next_is(&w, "all")) {
			op->kind = OP_UNMARK_ALL;
			break;
		}
		parse_pieces(&w, op, rest, bp);
		return;
	case OP_GUARD:
		op->block = next_number(&w);
		break;
	case OP_ANY:
		op->number = next_number(&w);
		parse_flags(&w, p);
		break;
	case OP_SKIPPABLE:
	case OP_BALLOON:
		op->nr_requests = 1;
		p->start = next_page(&w, bp);
		p->nr = next_number(&w);
		if (op->kind == OP_SKIPPABLE)
			op->number = next_number(&w);
		break;
	case OP_OFFLINE:
		op->block = next_number(&w);
		parse_via(&w, op);
		break;
	case OP_ONLINE:
		parse_online(&w, op);
		break;
	case OP_INJECT:
		parse_point(&w, op);
		break;
	case OP_SOFT:
		op->nr_requests = p->nr = 1;
		p->start = next_page(&w, bp);
		break;
	case OP_HOLD:
		op->number = next_number(&w);
		break;
	case OP_CLEAR:
	case OP_DROP:
	case OP_RELOAD:
	case OP_POP:
		break;
	}
	if (rest || w.next != w.nr)
		bad_line(&w);
}

void step_parse(struct step *s, unsigned int block_pages, const char *line)
{
	char text[STEP_TEXT];
	char *bar;

	if (strlen(line) >= sizeof(text))
		die("too long: %s", line);
	strcpy(text, line);
	bar = strchr(text, '|');
	if (bar)
		*bar++ = '\0';
	s->nr_ops = bar ? 2 : 1;
	parse_op(&s->op[0], block_pages, text, line);
	if (bar)
		parse_op(&s->op[1], block_pages, bar, line);
}
