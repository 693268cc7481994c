/* SPDX-License-Identifier: GPL-2.0 */
/* The rules for the numbers in the module's file "verify". */
#ifndef OFFCTL_VERIFY_H
#define OFFCTL_VERIFY_H

#include "ranges.h"

/*
 * Gives the number of wrong pages in *bad, and prints an error message for each broken
 * rule unless quiet. Returns false after an error message if a number is missing.
 */
bool verify_rules_hold(const char *cmd, const struct pairs *pairs, bool quiet,
		       uint64_t *bad);

#endif
