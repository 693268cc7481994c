// SPDX-License-Identifier: GPL-2.0
/* offctl offline: takes memory blocks offline. */
#include "blockarg.h"
#include "change.h"
#include "pageflags.h"

#include <inttypes.h>
#include <string.h>

/*
 * Adds how many pages have to leave the block, and whether there is room elsewhere.
 * Returns false if there is too little. Otherwise the room for the next block shrinks.
 */
static bool add_migration(struct sb *sb, const struct change *c,
			  struct dry_run *d, const struct memblock *b, bool would)
{
	bool movable = b->zones && !strcmp(b->zones, "Movable");
	struct page_census census;
	struct span span;
	uint64_t used, inside, elsewhere;

	if (d->s.pages.fd < 0 || !block_span(&c->op.units, b->nr, &span) ||
	    !pageflags_census(&d->s.pages, span, movable, &census))
		return true;
	used = census.n[PAGE_IN_USE];
	inside = census.n[PAGE_FREE];
	elsewhere = room_for(&d->room, b, inside);
	if (d->room.n && used > elsewhere) {
		sb_addf(sb, "%s: ", would ? "may fail" : "; may fail");
		add_pages(sb, &c->op.units, used);
		sb_addf(sb, " %s in use there, and only ", is_are(used));
		add_pages(sb, &c->op.units, elsewhere);
		sb_addf(sb, " %s free elsewhere", is_are(elsewhere));
		return false;
	}
	sb_addf(sb, "%s", would ? "would go offline" : "");
	if (used) {
		sb_addf(sb, "; ");
		add_pages(sb, &c->op.units, used);
		sb_addf(sb, " in use to be migrated");
	}
	room_move(&d->room, b, inside, used);
	return true;
}

/* Returns false if the block would refuse, or may fail for lack of room. */
static bool predict_offline(const struct change *c, struct dry_run *d,
			    const struct memblock *b)
{
	struct sb line = {0}, reason = {0};
	struct span span = {0};
	bool sure, would, fits;

	reason_not_offline(&d->s, b, &reason, &sure);
	would = !reason.len;
	if (sure && !would) {
		out("block %" PRIu64 ": would refuse: %s\n", b->nr, reason.p);
		sb_free(&reason);
		return false;
	}
	if (!would)
		sb_addf(&line, "may refuse: %s", reason.p);
	fits = add_migration(&line, c, d, b, would);
	if (would && !line.len)
		sb_addf(&line, "would go offline");
	if (block_span(&c->op.units, b->nr, &span))
		add_withheld(&line, &d->s, span);
	out("block %" PRIu64 ": %s\n", b->nr, line.p);
	sb_free(&line);
	sb_free(&reason);
	return fits;
}

static const struct option_def offline_options[] = {
	CHANGE_OPTIONS,
	{ 0, NULL, NULL, NULL },
};

static int run_offline(const struct command *self, int argc, char **argv)
{
	struct change change = { .op.cmd = self, .predict = predict_offline };

	return change_run(&change, argc, argv);
}

const struct command cmd_offline = {
	.name = "offline",
	.brief = "Take memory blocks offline.",
	.synopsis =
"[OPTION...] BLOCK...\n"
"[OPTION...] --all-marked\n"
"[OPTION...] --size SIZE [--node N] [--zone ZONE]",
	.details = BLOCK_HELP,
	.options = offline_options,
	.reports_records = true,
	.run = run_offline,
};
