// SPDX-License-Identifier: GPL-2.0
/* offctl verify: checks every marked page. */
#include "command.h"
#include "counts.h"
#include "verify.h"

#include <inttypes.h>

static const struct option_def verify_options[] = {
	{ 'q', "quiet", NULL, "print nothing, only set the exit status" },
	{ 0, NULL, NULL, NULL },
};

#define COUNTS(X)							\
	X(ranges, "RANGES", COL_NUMBER, "ranges",			\
	  "marked ranges", 0)						\
	X(pages, "PAGES", COL_NUMBER, "pages", "marked pages", 0)	\
	X(pages_block_offline, "PAGES_BLOCK_OFFLINE", COL_NUMBER,	\
	  "pages_block_offline", "marked pages in offline memory blocks", 0) \
	X(page_offline, "PAGE_OFFLINE", COL_NUMBER, "page_offline",	\
	  "pages that are PageOffline, in online blocks", 0)		\
	X(skippable, "SKIPPABLE", COL_NUMBER, "skippable",		\
	  "pages that have the skippable bit", 0)			\
	X(skippable_expected, "SKIPPABLE_EXPECTED", COL_NUMBER,		\
	  "skippable_expected", "pages that should have the bit", 0)	\
	X(buddy, "BUDDY", COL_NUMBER, "buddy",				\
	  "pages in the buddy allocator; must be 0", 0)			\
	X(wrong_count, "WRONG_COUNT", COL_NUMBER, "wrong_count",	\
	  "pages with a wrong reference count; must be 0", 0)		\
	X(canary, "CANARY", COL_NUMBER, "canary",			\
	  "pages whose canary was checked", 0)				\
	X(canary_broken, "CANARY_BROKEN", COL_NUMBER, "canary_broken",	\
	  "pages with a broken canary; must be 0", 0)			\
	X(poisoned, "POISONED", COL_NUMBER, "poisoned",			\
	  "pages that the kernel has retired", 0)			\
	X(canary_unchecked, "CANARY_UNCHECKED", COL_NUMBER,		\
	  "canary_unchecked",						\
	  "pages that were not checked because the machine hibernates", 0) \
	X(first_bad_pfn, "FIRST_BAD_PFN", COL_NUMBER, "first_bad_pfn",	\
	  "lowest PFN of a wrong page, or -1", 0)			\
	X(last_failure, "LAST_FAILURE", COL_TEXT, "last_failure",	\
	  "reason of the last failed offline or online operation", COL_TRUNC)

COUNTS(COUNT_GETTER)

static const struct column verify_columns[] = {
	COUNTS(COUNT_COLUMN)
	{ NULL, COL_TEXT, NULL, NULL, 0, NULL },
};

static const struct table verify_table = {
	.name = "verify",
	.columns = verify_columns,
	.downwards = true,
};

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
	struct pairs pairs;
	bool quiet = false, ok;
	uint64_t bad = 1;
	int status, id;

	while ((id = next_option(self, argc, argv)) != -1)
		if (id == 'q')
			quiet = true;
	status = counts_load(self, "verify", argc, argv, &pairs);
	if (status != ST_DONE)
		return status;
	if (!quiet)
		table_print(&verify_table, &pairs, 1, sizeof(pairs), NULL);
	ok = verify_rules_hold(self->name, &pairs, quiet, &bad);
	if (ok && bad && !quiet)
		hint_first_bad(&pairs);
	if (ok && !bad && !quiet && table_downwards(&verify_table))
		out("no fault was found\n");
	pairs_free(&pairs);
	return ok && !bad ? ST_DONE : ST_FAILED;
}

const struct command cmd_verify = {
	.name = "verify",
	.brief = "Check every marked page.",
	.synopsis = "[--quiet] [-o LIST] [-J|-P|-r] [-n] [-b]",
	.details =
"The exit status is 1 if a marked page is not withheld or its canary is broken.\n",
	.options = verify_options,
	.table = &verify_table,
	.run = run_verify,
};
