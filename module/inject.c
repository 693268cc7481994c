// SPDX-License-Identifier: GPL-2.0
/*
 * Failures on demand. This file knows what is armed; the places that fail ask
 * it, and do by themselves what failing there takes.
 */
#include <linux/errno.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "inject.h"
#include "stats.h"
#include "trace.h"

/* Protects error and count of every point. */
static DEFINE_SPINLOCK(inject_lock);

static struct fo_injection points[FO_NR_INJECT_POINTS] = {
	[FO_INJECT_OFFLINE_BEFORE]	= { "offline", "before" },
	[FO_INJECT_OFFLINE_AFTER]	= { "offline", "after" },
	[FO_INJECT_OFFLINE_LATE]	= { "offline", "late" },
	[FO_INJECT_ONLINE_BEFORE]	= { "online", "before" },
	[FO_INJECT_ONLINE_AFTER]	= { "online", "after" },
	[FO_INJECT_MARK_STRAY]		= { "mark", "stray" },
	[FO_INJECT_MARK_CORRUPT]	= { "mark", "corrupt" },
};

/* Beyond, errnos mean something to the kernel's way back to the user. */
#define MAX_INJECTED_ERRNO	511

/* At these points the kernel, or the damage itself, decides the errno. */
static bool error_possible(enum fo_inject_point point, long error)
{
	switch (point) {
	case FO_INJECT_OFFLINE_LATE:
		return error == -EBUSY || error == -EINTR;
	case FO_INJECT_MARK_STRAY:
		return error == -EBUSY;
	case FO_INJECT_MARK_CORRUPT:
		return error == -EIO;
	default:
		return error < 0 && error >= -MAX_INJECTED_ERRNO;
	}
}

/**
 * fo_inject() - is this attempt to fail here?
 * @point: here
 * @pfns: what it is about
 *
 * Context: any. Counts as a failed attempt.
 * Return: the negative errno to fail with, or 0.
 */
int fo_inject(enum fo_inject_point point, struct pfn_range pfns)
{
	struct fo_injection *it = &points[point];
	int error = 0;

	spin_lock(&inject_lock);
	if (it->count) {
		it->count--;
		error = it->error;
	}
	spin_unlock(&inject_lock);
	if (error) {
		fo_stat_inc(FO_STAT_INJECTED);
		trace_fake_offline_inject(&pfns, error, it->action, it->point);
	}
	return error;
}

/**
 * fo_inject_armed() - would fo_inject() let it fail?
 * @point: where
 *
 * Context: any.
 * Return: the negative errno, or 0.
 */
int fo_inject_armed(enum fo_inject_point point)
{
	struct fo_injection it = fo_inject_get(point);

	return it.count ? it.error : 0;
}

/**
 * fo_inject_find() - the point of that name, if it can fail like that
 * @action: offline, online or mark
 * @point: the point's name
 * @error: the negative errno
 *
 * Return: the point, or -EINVAL.
 */
int fo_inject_find(const char *action, const char *point, long error)
{
	int i;

	for (i = 0; i < FO_NR_INJECT_POINTS; i++)
		if (!strcmp(points[i].action, action) &&
		    !strcmp(points[i].point, point))
			return error_possible(i, error) ? i : -EINVAL;
	return -EINVAL;
}

/**
 * fo_inject_arm() - let attempts fail
 * @point: where
 * @error: with this negative errno, from fo_inject_find()
 * @count: so many attempts; 0 disarms
 *
 * Context: any. Inverse: fo_inject_clear().
 */
void fo_inject_arm(enum fo_inject_point point, int error, unsigned int count)
{
	spin_lock(&inject_lock);
	points[point].error = error;
	points[point].count = count;
	spin_unlock(&inject_lock);
}

/** fo_inject_clear() - disarm everything */
void fo_inject_clear(void)
{
	enum fo_inject_point i;

	for (i = 0; i < FO_NR_INJECT_POINTS; i++)
		fo_inject_arm(i, 0, 0);
}

/**
 * fo_inject_get() - what is armed at a point
 * @point: which
 *
 * Context: any.
 * Return: a copy.
 */
struct fo_injection fo_inject_get(enum fo_inject_point point)
{
	struct fo_injection copy;

	spin_lock(&inject_lock);
	copy = points[point];
	spin_unlock(&inject_lock);
	return copy;
}
