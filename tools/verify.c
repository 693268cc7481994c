// SPDX-License-Identifier: GPL-2.0
/* The rules for the numbers in the module's file "verify". */
#include "verify.h"
#include "parse.h"

#include <inttypes.h>

/* The rules: left plus "plus" must be right. A part that is NULL counts as 0. */
static const struct {
	const char *left, *plus, *right;
} verify_rules[] = {
	{ "page_offline", "pages_block_offline", "pages" },
	{ "skippable", NULL, "skippable_expected" },
	{ "buddy", NULL, NULL },
	{ "wrong_count", NULL, NULL },
	{ "canary_broken", NULL, NULL },
};

/* A missing number must not count as 0. */
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
	err("%s: the module does not report '%s'", cmd, name);
	hint("do the module and offctl have the same version?");
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
