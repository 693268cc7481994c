/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Marking a long list of ranges, for "import". Each range of the list is a request of its
 * own. Adjacent ranges are joined to one command for the module. If the module refuses
 * it, halves of the list are tried, down to single ranges. So a page that cannot be
 * marked costs a few commands, and does not affect the other ranges.
 */
#ifndef OFFCTL_RETIRE_LINES_H
#define OFFCTL_RETIRE_LINES_H

#include "retire.h"

struct retired_list {
	struct retired *v;
	size_t n, cap;
};

/* Sorts the list, and makes one range of equal ranges. */
void retired_sort(struct retired_list *list);
/* Joins the ranges of a sorted list that overlap or are adjacent. */
void retired_join(struct retired_list *list);
/*
 * Marks the ranges of a sorted list, or only predicts the outcome. Then the list has one
 * range for each outcome: adjacent ranges with the same outcome are joined, but a refused
 * range is never joined with another one.
 */
void retire_lines(struct retire *r, struct retired_list *list);
void retired_free(struct retired_list *list);

#endif
