// SPDX-License-Identifier: GPL-2.0
/* offctl status: shows the state and the counters of the module. */
#include "command.h"
#include "counts.h"

#include <inttypes.h>
#include <string.h>

/* Values that are shown as they are in the module's file "stats". */
#define STATS_OF_MODULE(X)						\
	X(version, "VERSION", COL_TEXT, "module version",		\
	  "version of the module", 0)					\
	X(skip_mode, "SKIP_MODE", COL_TEXT, "way of skipping",		\
	  "how an offline operation skips marked pages: frozen, notifier, native", 0)

#define STATS(X)							\
	X(ranges, "RANGES", COL_NUMBER, "marked ranges",		\
	  "number of marked ranges", 0)					\
	X(pages, "PAGES", COL_NUMBER, "marked pages",			\
	  "number of marked pages", 0)					\
	X(marks, "MARKS", COL_NUMBER, "marks",				\
	  "ranges marked since the module was loaded", 0)		\
	X(unmarks, "UNMARKS", COL_NUMBER, "unmarks",			\
	  "ranges, or parts of them, given back or forgotten", 0)	\
	X(mark_failures, "MARK_FAILURES", COL_NUMBER, "failed marks",	\
	  "valid marks that failed", 0)					\
	X(stray_references, "STRAY_REFERENCES", COL_NUMBER,		\
	  "stray references",						\
	  "marks that failed because a page had a reference from elsewhere", 0)	\
	X(offline_attempts, "OFFLINE_ATTEMPTS", COL_NUMBER,		\
	  "offline attempts", "attempts to take memory offline", 0)	\
	X(offline_done, "OFFLINE_DONE", COL_NUMBER, "offline done",	\
	  "attempts that succeeded", 0)					\
	X(offline_cancelled, "OFFLINE_CANCELLED", COL_NUMBER,		\
	  "offline cancelled", "attempts that the module rolled back", 0) \
	X(offline_cancelled_early, "OFFLINE_CANCELLED_EARLY", COL_NUMBER, \
	  "offline cancelled early",					\
	  "attempts that failed before the module's part", 0)		\
	X(online_attempts, "ONLINE_ATTEMPTS", COL_NUMBER,		\
	  "online attempts", "attempts to bring memory online", 0)	\
	X(online_done, "ONLINE_DONE", COL_NUMBER, "online done",	\
	  "attempts that succeeded", 0)					\
	X(online_cancelled, "ONLINE_CANCELLED", COL_NUMBER,		\
	  "online cancelled", "attempts that the module rolled back", 0) \
	X(online_cancelled_early, "ONLINE_CANCELLED_EARLY", COL_NUMBER,	\
	  "online cancelled early",					\
	  "attempts that failed before the module's part", 0)		\
	X(online_vetoed, "ONLINE_VETOED", COL_NUMBER, "online vetoed",	\
	  "attempts refused because another driver has the hook", 0)	\
	X(withheld_pages, "WITHHELD_PAGES", COL_NUMBER,			\
	  "withheld pages", "pages withheld when blocks came online", 0) \
	X(injected, "INJECTED", COL_NUMBER, "injected failures",	\
	  "failures made by 'offctl inject'", 0)

STATS_OF_MODULE(COUNT_GETTER)
STATS(COUNT_GETTER)

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
	STATS_OF_MODULE(COUNT_COLUMN)
	{ "HOOK", COL_TEXT, "state of the online-page hook: held, free, taken, left",
	  get_hook, 0, "online-page hook" },
	{ "RESERVE", COL_SIZE, "available memory that a mark must leave",
	  get_reserve, 0, "reserve" },
	{ "BLOCK_SIZE", COL_SIZE, "size of a memory block", get_block, 0,
	  "memory block" },
	{ "SIZE", COL_SIZE, "size of the marked pages", get_size, 0,
	  "marked memory" },
	STATS(COUNT_COLUMN)
	{ NULL, COL_TEXT, NULL, NULL, 0, NULL },
};

static const struct table status_table = {
	.name = "status",
	.columns = status_columns,
	.downwards = true,
};

/* Prints the values that this offctl does not know. A newer module may have some. */
static void print_unknown(const struct pairs *pairs)
{
	static const char *const known[] = {
		"hook", "reserve_mib", "block_bytes",
		STATS_OF_MODULE(COUNT_NAME) STATS(COUNT_NAME)
	};

	for (size_t i = 0; i < pairs->n; i++) {
		bool found = false;

		for (size_t k = 0; k < ARRAY_SIZE(known) && !found; k++)
			found = !strcmp(pairs->v[i].name, known[k]);
		if (!found)
			out("%-23s %s\n", pairs->v[i].name, pairs->v[i].value);
	}
}

static int run_status(const struct command *self, int argc, char **argv)
{
	struct pairs pairs;
	struct units units;
	int status;

	while (next_option(self, argc, argv) != -1)
		;
	status = counts_load(self, "stats", argc, argv, &pairs);
	if (status != ST_DONE)
		return status;
	units = units_get();
	table_print(&status_table, &pairs, 1, sizeof(pairs), &units);
	if (table_downwards(&status_table))
		print_unknown(&pairs);
	pairs_free(&pairs);
	return ST_DONE;
}

const struct command cmd_status = {
	.name = "status",
	.brief = "Show the state and the counters of the module.",
	.synopsis = "[-o LIST] [-J|-P|-r] [-n] [-b]",
	.table = &status_table,
	.reports_records = true,
	.run = run_status,
};
