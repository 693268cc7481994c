// SPDX-License-Identifier: GPL-2.0
/* offctl status, offctl verify */
#include "command.h"
#include "ranges.h"
#include "verify.h"

#include <getopt.h>
#include <inttypes.h>
#include <string.h>

/* The tables have one row each, a struct pairs: what one of the files says. */

static void add_value(struct sb *cell, const void *row, const char *name)
{
	const char *value = pairs_get(row, name);

	if (value)
		sb_addf(cell, "%s", value);
}

static void add_scaled(struct sb *cell, const void *row, const char *name,
		       uint64_t by)
{
	const char *value = pairs_get(row, name);
	uint64_t number;

	if (!value || parse_number(value, &number) ||
	    __builtin_mul_overflow(number, by, &number))
		return;
	sb_add_u64(cell, number);
}

/* status */

/*
 * What is taken from "stats" as it is: its name there, the column's, the type,
 * what stands before it, the help.
 */
#define STATS_OF_MODULE(X)						\
	X(version, "VERSION", COL_TEXT, "module version",		\
	  "of the module", 0)						\
	X(skip_mode, "SKIP_MODE", COL_TEXT, "way of skipping",		\
	  "how offlining is made to skip: frozen, notifier, native", 0)

#define STATS(X)							\
	X(ranges, "RANGES", COL_NUMBER, "marked ranges",		\
	  "ranges that are marked", 0)					\
	X(pages, "PAGES", COL_NUMBER, "marked pages",			\
	  "pages that are marked", 0)					\
	X(marks, "MARKS", COL_NUMBER, "marks",				\
	  "ranges marked since the module was loaded", 0)		\
	X(unmarks, "UNMARKS", COL_NUMBER, "unmarks",			\
	  "ranges or parts given back or forgotten", 0)			\
	X(mark_failures, "MARK_FAILURES", COL_NUMBER, "failed marks",	\
	  "marks that failed after they were found valid", 0)		\
	X(stray_references, "STRAY_REFERENCES", COL_NUMBER,		\
	  "stray references",						\
	  "marks that failed because a page had a reference from elsewhere", 0)	\
	X(offline_attempts, "OFFLINE_ATTEMPTS", COL_NUMBER,		\
	  "offline attempts", "attempts to take memory offline", 0)	\
	X(offline_done, "OFFLINE_DONE", COL_NUMBER, "offline done",	\
	  "of these, done", 0)						\
	X(offline_cancelled, "OFFLINE_CANCELLED", COL_NUMBER,		\
	  "offline cancelled", "rolled back by the module", 0)		\
	X(offline_cancelled_early, "OFFLINE_CANCELLED_EARLY", COL_NUMBER, \
	  "offline cancelled before us",				\
	  "failed before the module had a part in it", 0)		\
	X(online_attempts, "ONLINE_ATTEMPTS", COL_NUMBER,		\
	  "online attempts", "attempts to bring memory online", 0)	\
	X(online_done, "ONLINE_DONE", COL_NUMBER, "online done",	\
	  "of these, done", 0)						\
	X(online_cancelled, "ONLINE_CANCELLED", COL_NUMBER,		\
	  "online cancelled", "rolled back by the module", 0)		\
	X(online_cancelled_early, "ONLINE_CANCELLED_EARLY", COL_NUMBER,	\
	  "online cancelled before us",					\
	  "failed before the module had a part in it", 0)		\
	X(online_vetoed, "ONLINE_VETOED", COL_NUMBER, "online vetoed",	\
	  "refused because another driver has the hook", 0)		\
	X(withheld_pages, "WITHHELD_PAGES", COL_NUMBER,			\
	  "withheld pages", "pages withheld when blocks came online", 0) \
	X(injected, "INJECTED", COL_NUMBER, "injected failures",	\
	  "failures made on purpose, see offctl inject", 0)

#define GETTER(file, id, column, type, label, help, flags)		\
static void file##_##id(struct sb *cell, const void *row,		\
			const void *context)				\
{									\
	(void)context;							\
	add_value(cell, row, #id);					\
}
#define STATS_GETTER(...) GETTER(stats, __VA_ARGS__)
#define STATS_COLUMN(id, column, type, label, help, flags)		\
	{ column, type, help, stats_##id, flags, label },
#define STATS_NAME(id, ...) #id,

STATS_OF_MODULE(STATS_GETTER)
STATS(STATS_GETTER)

static void get_hook(struct sb *cell, const void *row, const void *context)
{
	static const struct {
		const char *value, *text;
	} texts[] = {
		{ "held", "held by the module" },
		{ "free", "not held, no range exists" },
		{ "left", "left to the hypervisor's driver" },
		{ "taken", "held by another driver" },
	};
	const char *value = pairs_get(row, "hook");

	(void)context;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (value && !table_for_programs() &&
		    !strcmp(value, texts[i].value))
			value = texts[i].text;
	if (value)
		sb_addf(cell, "%s", value);
}

static void get_reserve(struct sb *cell, const void *row, const void *context)
{
	(void)context;
	add_scaled(cell, row, "reserve_mib", 1024 * 1024);
}

static void get_block(struct sb *cell, const void *row, const void *context)
{
	(void)context;
	add_scaled(cell, row, "block_bytes", 1);
}

static void get_size(struct sb *cell, const void *row, const void *context)
{
	const struct units *u = context;

	add_scaled(cell, row, "pages", u->page);
}

static const struct column status_columns[] = {
	STATS_OF_MODULE(STATS_COLUMN)
	{ "HOOK", COL_TEXT, "who has the online-page hook: held, free, taken, left",
	  get_hook, 0, "online-page hook" },
	{ "RESERVE", COL_SIZE, "available memory that a mark must leave",
	  get_reserve, 0, "reserve" },
	{ "BLOCK_SIZE", COL_SIZE, "size of a memory block", get_block, 0,
	  "memory block" },
	{ "SIZE", COL_SIZE, "size of the marked pages", get_size, 0,
	  "marked memory" },
	STATS(STATS_COLUMN)
	{ NULL, COL_TEXT, NULL, NULL, 0, NULL },
};

static const struct table status_table = {
	.name = "status",
	.columns = status_columns,
	.downwards = true,
};

/* A newer module may count more than we know of. */
static void print_unknown(const struct pairs *pairs)
{
	static const char *const known[] = {
		"hook", "reserve_mib", "block_bytes",
		STATS_OF_MODULE(STATS_NAME) STATS(STATS_NAME)
	};

	for (size_t i = 0; i < pairs->n; i++) {
		bool found = false;

		for (size_t k = 0; k < ARRAY_SIZE(known) && !found; k++)
			found = !strcmp(pairs->v[i].name, known[k]);
		if (!found)
			out("%-27s %s\n", pairs->v[i].name, pairs->v[i].value);
	}
}

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
		bool downwards = table_downwards(&status_table);

		units = units_get();
		table_print(&status_table, &pairs, 1, sizeof(pairs), &units);
		if (downwards)
			print_unknown(&pairs);
		pairs_free(&pairs);
	}
	module_close(&m);
	return ok ? ST_DONE : ST_FAILED;
}

const struct command cmd_status = {
	.name = "status",
	.brief = "Show the state of the module, and what it has counted.",
	.synopsis = "[-o LIST] [-J|-P|-r] [-n] [-b]",
	.table = &status_table,
	.names_left = true,
	.run = run_status,
};

/* verify */

static const struct option_def verify_options[] = {
	{ 'q', "quiet", NULL, "only the exit status tells" },
	{ 0, NULL, NULL, NULL },
};

#define COUNTS(X)							\
	X(ranges, "RANGES", COL_NUMBER, "ranges",			\
	  "marked ranges", 0)						\
	X(pages, "PAGES", COL_NUMBER, "pages", "marked pages", 0)	\
	X(pages_block_offline, "PAGES_BLOCK_OFFLINE", COL_NUMBER,	\
	  "pages_block_offline", "of these, in offline memory blocks", 0) \
	X(page_offline, "PAGE_OFFLINE", COL_NUMBER, "page_offline",	\
	  "pages that are PageOffline, in online blocks", 0)		\
	X(skippable, "SKIPPABLE", COL_NUMBER, "skippable",		\
	  "pages that have the skippable bit", 0)			\
	X(skippable_expected, "SKIPPABLE_EXPECTED", COL_NUMBER,		\
	  "skippable_expected", "pages that should have it", 0)		\
	X(buddy, "BUDDY", COL_NUMBER, "buddy",				\
	  "pages that the buddy allocator has; must be 0", 0)		\
	X(wrong_count, "WRONG_COUNT", COL_NUMBER, "wrong_count",	\
	  "pages with a wrong reference count; must be 0", 0)		\
	X(canary, "CANARY", COL_NUMBER, "canary",			\
	  "pages whose canary was checked", 0)				\
	X(canary_broken, "CANARY_BROKEN", COL_NUMBER, "canary_broken",	\
	  "pages whose canary is not intact; must be 0", 0)		\
	X(poisoned, "POISONED", COL_NUMBER, "poisoned",			\
	  "pages that the kernel has retired", 0)			\
	X(canary_unchecked, "CANARY_UNCHECKED", COL_NUMBER,		\
	  "canary_unchecked",						\
	  "pages whose canary is not checked while the machine hibernates", 0) \
	X(first_bad_pfn, "FIRST_BAD_PFN", COL_NUMBER, "first_bad_pfn",	\
	  "lowest PFN that is not as it should be, or -1", 0)		\
	X(last_failure, "LAST_FAILURE", COL_TEXT, "last_failure",	\
	  "why the last offlining or onlining failed", COL_TRUNC)

#define VERIFY_GETTER(...) GETTER(verify, __VA_ARGS__)
#define VERIFY_COLUMN(id, column, type, label, help, flags)		\
	{ column, type, help, verify_##id, flags, label },

COUNTS(VERIFY_GETTER)

static const struct column verify_columns[] = {
	COUNTS(VERIFY_COLUMN)
	{ NULL, COL_TEXT, NULL, NULL, 0, NULL },
};

static const struct table verify_table = {
	.name = "verify",
	.columns = verify_columns,
	.downwards = true,
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
static bool get_count(const char *cmd, const struct pairs *pairs,
		      const char *name, uint64_t *value)
{
	const char *text;

	*value = 0;
	if (!name)
		return true;
	text = pairs_get(pairs, name);
	if (text && !parse_number(text, value))
		return true;
	err("%s: no count of '%s' from the module", cmd, name);
	hint("do module and offctl have the same version?");
	return false;
}

bool verify_rules_hold(const char *cmd, const struct pairs *pairs, bool quiet,
		       uint64_t *bad)
{
	*bad = 0;
	for (size_t i = 0; i < ARRAY_SIZE(verify_rules); i++) {
		const char *l = verify_rules[i].left;
		const char *p = verify_rules[i].plus;
		const char *r = verify_rules[i].right;
		uint64_t left, plus, right;

		if (!get_count(cmd, pairs, l, &left) ||
		    !get_count(cmd, pairs, p, &plus) ||
		    !get_count(cmd, pairs, r, &right))
			return false;
		left += plus;
		if (left == right)
			continue;
		*bad += left > right ? left - right : right - left;
		if (!quiet)
			err("%s: %s%s%s is %" PRIu64 ", must be %" PRIu64
			    "%s%s", cmd, l, p ? " + " : "", p ? p : "", left,
			    right, r ? " as " : "", r ? r : "");
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
	bool quiet = false, ok, downwards;
	uint64_t bad = 1;
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
	downwards = table_downwards(&verify_table);
	ok = pairs_load(&m, self->name, "verify", &pairs);
	if (ok) {
		if (!quiet)
			table_print(&verify_table, &pairs, 1, sizeof(pairs),
				    NULL);
		ok = verify_rules_hold(self->name, &pairs, quiet, &bad);
		if (ok && bad && !quiet)
			hint_first_bad(&pairs);
		if (ok && !bad && !quiet && downwards)
			out("all is well\n");
		pairs_free(&pairs);
	}
	module_close(&m);
	return ok && !bad ? ST_DONE : ST_FAILED;
}

const struct command cmd_verify = {
	.name = "verify",
	.brief = "Look at every marked page, and tell whether all is well.",
	.synopsis = "[--quiet] [-o LIST] [-J|-P|-r] [-n] [-b]",
	.details =
"The exit status is 1 when a page that should be withheld is not.\n",
	.options = verify_options,
	.table = &verify_table,
	.run = run_verify,
};
