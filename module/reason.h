/* SPDX-License-Identifier: GPL-2.0 */
/* Why a mark was refused, or a memory block could not go offline or online. */
#ifndef FO_REASON_H
#define FO_REASON_H

#include <linux/types.h>

#include <linux/fake_offline.h>

#include "pfn_range.h"

struct fo_operation;

/* Each has a word in reason.c, by which users know it. */
enum fo_reason {
	/* a mark */
	FO_ALREADY_MARKED,	/* a page is marked already */
	FO_NO_MEMORY,		/* no RAM there */
	FO_DEVICE_MEMORY,	/* memory of a device, which is never online */
	FO_NOT_PLUGGABLE,	/* no RAM there, and none can be plugged */
	FO_KERNEL_MEMORY,	/* the kernel uses the page itself */
	FO_NEIGHBOUR,		/* the kernel uses a page of the same page block */
	FO_PINNED,		/* a movable page is pinned */
	FO_IN_USE,		/* a movable page could not be migrated now */
	FO_TRANSIENT,		/* it was in use for a moment, and is free now */
	FO_ISOLATED,		/* its page block is isolated */
	FO_STRAY,		/* another task holds a reference */
	FO_FLOOR,		/* a zone would be left with too little */
	FO_RESERVE,		/* so would the machine: reserve_mib */
	FO_NOT_FOUND,		/* anywhere: not that many pages */
	FO_NO_ZONE,		/* anywhere: no such node or zone */
	/* a hotplug operation */
	FO_VETOED,		/* a client or another notifier vetoed */
	FO_INJECTED,		/* it failed on demand */
	FO_INTERRUPTED,		/* a signal ended it */
	FO_UNSKIPPABLE,		/* a PageOffline page that is not skippable */
	FO_UNMOVABLE,		/* a page cannot move */
	FO_NO_HOOK,		/* the module does not have the online-page hook */
	FO_OWN_MEMMAP,		/* a mark lies in the block's own memmap */
	FO_UNLOADING,		/* the module is being unloaded */
	FO_HOOK_CHANGES,	/* the module is changing the hook slot */
	FO_KERNEL_REFUSED,	/* for a reason that only the kernel knows */
	FO_NR_REASONS
};

/* The kinds of operation that fail. The last failure of each kind is kept. */
enum fo_failure_kind { FO_FAILED_HOTPLUG, FO_FAILED_MARK, FO_NR_FAILURE_KINDS };

/**
 * struct fo_failure - the last failure of one kind
 * @count: how many there were; 0 if there was none yet
 * @when_s: when, in seconds of monotonic time
 * @error: the negative errno
 * @reason: why
 * @pfns: the memory that it is about
 * @pfn: the page that was in the way, or -1
 * @owner: the owner of that page, or an empty string
 * @text: the reason, one line for users
 */
struct fo_failure {
	unsigned long count;
	u32 when_s;
	int error;
	enum fo_reason reason;
	struct pfn_range pfns;
	long pfn;
	char owner[FAKE_OFFLINE_NAME_LEN];
	char text[192];
};

__printf(7, 8)
int fo_fail(enum fo_failure_kind kind, enum fo_reason reason,
	    struct pfn_range pfns, long pfn, const char *owner, int error,
	    const char *fmt, ...);
#define fo_fail_hotplug(reason, pfns, pfn, error, fmt, ...)		\
	fo_fail(FO_FAILED_HOTPLUG, reason, pfns, pfn, NULL, error,	\
		fmt, ##__VA_ARGS__)
#define fo_fail_mark(reason, pfns, pfn, error, fmt, ...)		\
	fo_fail(FO_FAILED_MARK, reason, pfns, pfn, NULL, error,		\
		fmt, ##__VA_ARGS__)
struct fo_failure fo_failure_get(enum fo_failure_kind kind);
const char *fo_reason_name(enum fo_reason reason);

bool fo_is_worth_a_try(struct pfn_range pfns);
bool fo_has_untyped(struct pfn_range pfns);
int fo_refuse_kernel_memory(struct pfn_range pfns);
int fo_explain_busy(struct pfn_range pfns, bool isolated, bool drained);
void fo_explain_cancel(const struct fo_operation *op);
void fo_explain_state(struct pfn_range pfns, int error);

#endif /* FO_REASON_H */
