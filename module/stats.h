/* SPDX-License-Identifier: GPL-2.0 */
/* Counters of what happened since the module was loaded. */
#ifndef FO_STATS_H
#define FO_STATS_H

#include <linux/atomic.h>

/* In the order in which debugfs prints them; the names are in stats.c. */
enum fo_stat {
	FO_STAT_MARKS,
	FO_STAT_UNMARKS,
	FO_STAT_MARK_FAILURES,
	FO_STAT_STRAY_REFERENCES,
	FO_STAT_OFFLINE_ATTEMPTS,
	FO_STAT_OFFLINE_DONE,
	FO_STAT_OFFLINE_CANCELLED,
	FO_STAT_OFFLINE_CANCELLED_EARLY,
	FO_STAT_ONLINE_ATTEMPTS,
	FO_STAT_ONLINE_DONE,
	FO_STAT_ONLINE_CANCELLED,
	FO_STAT_ONLINE_CANCELLED_EARLY,
	FO_STAT_ONLINE_VETOED,
	FO_STAT_WITHHELD_PAGES,
	FO_STAT_INJECTED,
	FO_NR_STATS
};

void fo_stat_add(enum fo_stat stat, unsigned long n);
void fo_stat_inc(enum fo_stat stat);
long fo_stat_get(enum fo_stat stat);
const char *fo_stat_name(enum fo_stat stat);

#endif /* FO_STATS_H */
