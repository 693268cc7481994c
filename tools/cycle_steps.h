/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The summary of "offctl cycle". It has one row for offline operations and one for online
 * operations.
 */
#ifndef OFFCTL_CYCLE_STEPS_H
#define OFFCTL_CYCLE_STEPS_H

#include "table.h"

/* A row of the summary: all attempts to take blocks offline, or online. */
struct step {
	const char *name;
	uint64_t attempts, done, failed, injected, leaks;
	uint64_t *us;		/* microseconds of each successful attempt */
	size_t n, cap;
	bool verified;
};

/* Remembers how long a successful attempt took. */
void step_note_time(struct step *s, uint64_t us);
/* Sorts the times, which the columns MIN, MEDIAN and MAX need. */
void step_sort_times(struct step *s);

extern const struct table cycle_table;

#endif
