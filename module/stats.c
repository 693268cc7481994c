// SPDX-License-Identifier: GPL-2.0
/* Counters of what happened since the module was loaded. */
#include "stats.h"

static atomic_long_t counters[FO_NR_STATS];

static const char *const names[FO_NR_STATS] = {
	[FO_STAT_MARKS]				= "marks",
	[FO_STAT_UNMARKS]			= "unmarks",
	[FO_STAT_MARK_FAILURES]			= "mark_failures",
	[FO_STAT_STRAY_REFERENCES]		= "stray_references",
	[FO_STAT_OFFLINE_ATTEMPTS]		= "offline_attempts",
	[FO_STAT_OFFLINE_DONE]			= "offline_done",
	[FO_STAT_OFFLINE_CANCELLED]		= "offline_cancelled",
	[FO_STAT_OFFLINE_CANCELLED_EARLY]	= "offline_cancelled_early",
	[FO_STAT_ONLINE_ATTEMPTS]		= "online_attempts",
	[FO_STAT_ONLINE_DONE]			= "online_done",
	[FO_STAT_ONLINE_CANCELLED]		= "online_cancelled",
	[FO_STAT_ONLINE_CANCELLED_EARLY]	= "online_cancelled_early",
	[FO_STAT_ONLINE_VETOED]			= "online_vetoed",
	[FO_STAT_WITHHELD_PAGES]		= "withheld_pages",
	[FO_STAT_INJECTED]			= "injected",
};

/** fo_stat_add() - count @n; context: any */
void fo_stat_add(enum fo_stat stat, unsigned long n)
{
	atomic_long_add(n, &counters[stat]);
}

/** fo_stat_inc() - count one; context: any */
void fo_stat_inc(enum fo_stat stat)
{
	fo_stat_add(stat, 1);
}

/** fo_stat_get() - the count; context: any */
long fo_stat_get(enum fo_stat stat)
{
	return atomic_long_read(&counters[stat]);
}

/** fo_stat_name() - the name under which debugfs prints it */
const char *fo_stat_name(enum fo_stat stat)
{
	return names[stat];
}
