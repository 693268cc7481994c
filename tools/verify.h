/* SPDX-License-Identifier: GPL-2.0 */
/* What the module's file "verify" must say when all is well. */
#ifndef OFFCTL_VERIFY_H
#define OFFCTL_VERIFY_H

#include "ranges.h"

/*
 * *bad: so many pages are not as they should be, each with a line of its own
 * unless quiet. False, after an error message, when a count is missing.
 */
bool verify_rules_hold(const char *cmd, const struct pairs *pairs, bool quiet,
		       uint64_t *bad);

#endif
