/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The last resort for a page that cannot be marked: the kernel's own soft
 * offline. It poisons the page until the machine reboots.
 */
#ifndef OFFCTL_SOFT_OFFLINE_H
#define OFFCTL_SOFT_OFFLINE_H

#include "command.h"
#include "span.h"

/* Without a time of the user's. */
#define SOFT_OFFLINE_MS 10000

struct soft_offline {
	const struct command *cmd;
	struct units units;
	uint64_t limit_ms;	/* for one page */
	bool told;		/* what it costs */
	bool stuck;		/* an attempt did not end: no more are made */
	struct spans done;	/* normalized by soft_offline_report() */
};

/*
 * Takes one page out of use. An attempt runs in a child process, and is given
 * up after the limit. False: the page is not retired, and why says so.
 */
bool soft_offline_page(struct soft_offline *s, uint64_t pfn, struct sb *why);
/* Says which pages were taken, and what they cost. */
void soft_offline_report(struct soft_offline *s);
void soft_offline_free(struct soft_offline *s);

#endif
