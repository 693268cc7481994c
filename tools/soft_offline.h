/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's soft offline, the last resort for a page that cannot be marked. The kernel
 * migrates the page away and poisons it. It stays poisoned until the machine reboots.
 */
#ifndef OFFCTL_SOFT_OFFLINE_H
#define OFFCTL_SOFT_OFFLINE_H

#include "command.h"
#include "span.h"

/* The time limit if the user gives none. */
#define SOFT_OFFLINE_MS 10000

struct soft_offline {
	const struct command *cmd;
	struct units units;
	uint64_t limit_ms;	/* time limit for one page */
	bool cost_reported;		/* the cost has been reported */
	bool timed_out;		/* an attempt did not end, so no more are made */
	struct spans done;	/* normalized by soft_offline_report() */
};

/*
 * Takes one page out of use. A child process makes the attempt, and offctl gives up
 * after the time limit. Returns false and adds the reason if the page is not poisoned.
 */
bool soft_offline_page(struct soft_offline *s, uint64_t pfn, struct sb *reason);
/* Reports the pages that were taken, and their cost. */
void soft_offline_report(struct soft_offline *s);
void soft_offline_free(struct soft_offline *s);

#endif
