// SPDX-License-Identifier: GPL-2.0
/* offctl status, offctl verify */
#include "command.h"
#include "ranges.h"

#include <getopt.h>
#include <inttypes.h>
#include <string.h>

/* status */

/* How a value of "stats" is shown. */
enum kind { AS_IS, PAGES, BYTES, MIB };

static const struct stat_def {
	const char *name;	/* in "stats" */
	const char *label;
	enum kind kind;
} stat_defs[] = {
	{ "version", "module version", AS_IS },
	{ "skip_mode", "way of skipping", AS_IS },
	{ "hook", "online-page hook", AS_IS },
	{ "reserve_mib", "reserve", MIB },
	{ "block_bytes", "memory block", BYTES },
	{ "ranges", "marked ranges", AS_IS },
	{ "pages", "marked pages", PAGES },
	{ "marks", "marks", AS_IS },
	{ "unmarks", "unmarks", AS_IS },
	{ "mark_failures", "failed marks", AS_IS },
	{ "stray_references", "stray references", AS_IS },
	{ "offline_attempts", "offline attempts", AS_IS },
	{ "offline_done", "offline done", AS_IS },
	{ "offline_cancelled", "offline cancelled", AS_IS },
	{ "offline_cancelled_early", "offline cancelled before us", AS_IS },
	{ "online_attempts", "online attempts", AS_IS },
	{ "online_done", "online done", AS_IS },
	{ "online_cancelled", "online cancelled", AS_IS },
	{ "online_cancelled_early", "online cancelled before us", AS_IS },
	{ "online_vetoed", "online vetoed", AS_IS },
	{ "withheld_pages", "withheld pages", PAGES },
	{ "injected", "injected failures", AS_IS },
};

static const struct {
	const char *value, *text;
} hook_texts[] = {
	{ "held", "held by the module" },
	{ "free", "not held, no range exists" },
	{ "taken", "held by another driver" },
};

static const struct stat_def *find_stat(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(stat_defs); i++)
		if (!strcmp(stat_defs[i].name, name))
			return &stat_defs[i];
	return NULL;
}

static void status_name(struct sb *cell, const void *row, const void *context)
{
	const struct pair *p = row;
	const struct stat_def *def = find_stat(p->name);

	(void)context;
	/* A newer module may count more than we know of. */
	sb_addf(cell, "%s", def ? def->label : p->name);
}

static void status_value(struct sb *cell, const void *row, const void *context)
{
	const struct pair *p = row;
	const struct units *u = context;
	const struct stat_def *def = find_stat(p->name);
	uint64_t value;

	if (!strcmp(p->name, "hook"))
		for (size_t i = 0; i < ARRAY_SIZE(hook_texts); i++)
			if (!strcmp(p->value, hook_texts[i].value)) {
				sb_addf(cell, "%s", hook_texts[i].text);
				return;
			}
	if (!def || def->kind == AS_IS || parse_number(p->value, &value)) {
		sb_addf(cell, "%s", p->value);
		return;
	}
	switch (def->kind) {
	case PAGES:
		sb_addf(cell, "%" PRIu64, value);
		if (value) {
			sb_addf(cell, " (");
			add_size_iec(cell, value * u->page);
			sb_addf(cell, ")");
		}
		break;
	case BYTES:
		add_size_iec(cell, value);
		break;
	case MIB:
		sb_addf(cell, "%" PRIu64 " MiB", value);
		break;
	case AS_IS:
		break;
	}
}

static const struct column status_columns[] = {
	{ "NAME", COL_TEXT, "what it is", status_name },
	{ "VALUE", COL_TEXT, "its value", status_value },
	{ NULL, COL_TEXT, NULL, NULL },
};

static const struct table status_table = {
	.columns = status_columns,
	.no_header = true,
};

static int run_status(const struct command *self, int argc, char **argv)
{
	struct pairs pairs;
	struct units units;
	struct module m;
	bool ok;

	while (next_option(self, argc, argv) != -1)
		;
	if (optind < argc)
		return usage_error_arg(self, argv[optind],
				       "not expected here", NULL);
	if (!module_open(&m, self->name, false))
		return ST_FAILED;
	ok = pairs_load(&m, self->name, "stats", &pairs);
	if (ok) {
		units = units_get();
		table_print(&status_table, pairs.v, pairs.n, sizeof(*pairs.v),
			    &units);
		pairs_free(&pairs);
	}
	module_close(&m);
	return ok ? ST_DONE : ST_FAILED;
}

const struct command cmd_status = {
	.name = "status",
	.brief = "Show the state of the module, and what it has counted.",
	.synopsis = "",
	.run = run_status,
};

/* verify */

static const struct option_def verify_options[] = {
	{ 'q', "quiet", NULL, "only the exit status tells" },
	{ 0, NULL, NULL, NULL },
};

static void verify_name(struct sb *cell, const void *row, const void *context)
{
	const struct pair *p = row;

	(void)context;
	sb_addf(cell, "%s", p->name);
}

static void verify_value(struct sb *cell, const void *row, const void *context)
{
	const struct pair *p = row;

	(void)context;
	sb_addf(cell, "%s", p->value);
}

static const struct column verify_columns[] = {
	{ "NAME", COL_TEXT, "what was counted", verify_name },
	/* Not a number: the last one is a text. */
	{ "VALUE", COL_TEXT, "how many", verify_value },
	{ NULL, COL_TEXT, NULL, NULL },
};

static const struct table verify_table = {
	.columns = verify_columns,
	.no_header = true,
};

/*
 * What must hold: left, and if it is there plus, add up to right, or to 0
 * when there is no right.
 */
static const struct {
	const char *left, *plus, *right;
} verify_rules[] = {
	{ "page_offline", "pages_block_offline", "pages" },
	{ "skippable", NULL, "skippable_expected" },
	{ "buddy", NULL, NULL },
	{ "wrong_count", NULL, NULL },
	{ "canary_broken", NULL, NULL },
};

/* A count that is missing must not pass for 0. */
static bool get_count(const struct command *self, const struct pairs *pairs,
		      const char *name, uint64_t *value)
{
	const char *text;

	*value = 0;
	if (!name)
		return true;
	text = pairs_get(pairs, name);
	if (text && !parse_number(text, value))
		return true;
	err("%s: no count of '%s' from the module", self->name, name);
	hint("do module and offctl have the same version?");
	return false;
}

static bool check_rules(const struct command *self, const struct pairs *pairs,
			bool quiet, bool *well)
{
	*well = true;
	for (size_t i = 0; i < ARRAY_SIZE(verify_rules); i++) {
		const char *l = verify_rules[i].left;
		const char *p = verify_rules[i].plus;
		const char *r = verify_rules[i].right;
		uint64_t left, plus, right;

		if (!get_count(self, pairs, l, &left) ||
		    !get_count(self, pairs, p, &plus) ||
		    !get_count(self, pairs, r, &right))
			return false;
		if (left + plus == right)
			continue;
		*well = false;
		if (!quiet)
			err("%s: %s%s%s is %" PRIu64 ", must be %" PRIu64
			    "%s%s", self->name, l, p ? " + " : "",
			    p ? p : "", left + plus, right,
			    r ? " as " : "", r ? r : "");
	}
	return true;
}

static void hint_first_bad(const struct pairs *pairs)
{
	const char *text = pairs_get(pairs, "first_bad_pfn");
	struct units u = units_get();
	struct sb range = {0};
	uint64_t pfn;

	if (!text || parse_number(text, &pfn) || pfn > UINT64_MAX / u.page)
		return;
	add_range(&range, &u, (struct span){ pfn, 1 });
	hint("the first bad page is %s", sb_str(&range));
	sb_free(&range);
}

static int run_verify(const struct command *self, int argc, char **argv)
{
	bool quiet = false, ok, well = false;
	struct pairs pairs;
	struct module m;
	int id;

	while ((id = next_option(self, argc, argv)) != -1)
		if (id == 'q')
			quiet = true;
	if (optind < argc)
		return usage_error_arg(self, argv[optind],
				       "not expected here", NULL);
	if (!module_open(&m, self->name, false))
		return ST_FAILED;
	ok = pairs_load(&m, self->name, "verify", &pairs);
	if (ok) {
		if (!quiet)
			table_print(&verify_table, pairs.v, pairs.n,
				    sizeof(*pairs.v), NULL);
		ok = check_rules(self, &pairs, quiet, &well);
		if (ok && !well && !quiet)
			hint_first_bad(&pairs);
		if (ok && well && !quiet)
			out("all is well\n");
		pairs_free(&pairs);
	}
	module_close(&m);
	return ok && well ? ST_DONE : ST_FAILED;
}

const struct command cmd_verify = {
	.name = "verify",
	.brief = "Look at every marked page, and tell whether all is well.",
	.synopsis = "[--quiet]",
	.details =
"The exit status is 1 when a page that should be withheld is not.\n",
	.options = verify_options,
	.run = run_verify,
};
