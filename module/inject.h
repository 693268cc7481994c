/* SPDX-License-Identifier: GPL-2.0 */
/* Failures on demand: which are armed, and how often. */
#ifndef FO_INJECT_H
#define FO_INJECT_H

#include <linux/types.h>

#include "pfn_range.h"

enum fo_inject_point {
	FO_INJECT_OFFLINE_BEFORE,
	FO_INJECT_OFFLINE_AFTER,
	FO_INJECT_OFFLINE_LATE,
	FO_INJECT_ONLINE_BEFORE,
	FO_INJECT_ONLINE_AFTER,
	FO_INJECT_MARK_STRAY,
	FO_INJECT_MARK_CORRUPT,
	FO_NR_INJECT_POINTS
};

/**
 * struct fo_injection - a point, and what is armed there
 * @action: offline, online or mark
 * @point: the point's name within the action
 * @error: the negative errno
 * @count: how many attempts are still to fail
 */
struct fo_injection {
	const char *action;
	const char *point;
	int error;
	unsigned int count;
};

int fo_inject(enum fo_inject_point point, struct pfn_range pfns);
int fo_inject_armed(enum fo_inject_point point);

int fo_inject_find(const char *action, const char *point, long error);
void fo_inject_arm(enum fo_inject_point point, int error, unsigned int count);
void fo_inject_clear(void);
struct fo_injection fo_inject_get(enum fo_inject_point point);

#endif /* FO_INJECT_H */
