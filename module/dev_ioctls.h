/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ioctls of /dev/fake_offline. Each gets its arguments as a structure of
 * <uapi/linux/fake_offline.h>, in kernel memory, and may change them.
 *
 * Context of all: sleeps, holds nothing. Return: 0, or the negative errno that the header
 * names.
 */
#ifndef FO_DEV_IOCTLS_H
#define FO_DEV_IOCTLS_H

#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/types.h>

struct fo_session;

/* The most requests or ranges in one call. */
#define FO_MAX_REQUESTS	65536

/* No memory has a PFN that does not fit. The core refuses it as one beyond all memory. */
static inline unsigned long fo_dev_pfn(u64 pfn)
{
	return min_t(u64, pfn, ULONG_MAX);
}

long fo_dev_take(struct fo_session *s, void *args);
long fo_dev_release(struct fo_session *s, void *args);
long fo_dev_skippable(struct fo_session *s, void *args);
long fo_dev_list(struct fo_session *s, void *args);
long fo_dev_verify(struct fo_session *s, void *args);

#endif /* FO_DEV_IOCTLS_H */
