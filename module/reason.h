/* SPDX-License-Identifier: GPL-2.0 */
/* Why a mark was refused, or a memory block could not go offline or online. */
#ifndef FO_REASON_H
#define FO_REASON_H

#include <linux/list.h>
#include <linux/types.h>

#include <linux/fake_offline.h>

#include "pfn_range.h"

struct fo_operation;
struct task_struct;

/* The kinds of operation that fail. The last failure of each kind is kept. */
enum fo_failure_kind {
	FO_FAILED_HOTPLUG,
	FO_FAILED_MARK,
	FO_FAILED_RELEASE,
	FO_NR_FAILURE_KINDS
};

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
	enum fake_offline_reason reason;
	struct pfn_range pfns;
	long pfn;
	char owner[FAKE_OFFLINE_NAME_LEN];
	char text[FAKE_OFFLINE_TEXT_LEN];
};

/**
 * struct fo_failure_watch - the failures of one task, for its own answer
 * @list: in the list of all watches
 * @task: the task
 * @failure: its last failure of any kind; count is 0 if there was none
 */
struct fo_failure_watch {
	struct list_head list;
	struct task_struct *task;
	struct fo_failure failure;
};

void fo_failure_watch(struct fo_failure_watch *watch);
void fo_failure_unwatch(struct fo_failure_watch *watch);

__printf(7, 8)
int fo_fail(enum fo_failure_kind kind, enum fake_offline_reason reason,
	    struct pfn_range pfns, long pfn, const char *owner, int error,
	    const char *fmt, ...);
#define fo_fail_hotplug(reason, pfns, pfn, error, fmt, ...)		\
	fo_fail(FO_FAILED_HOTPLUG, reason, pfns, pfn, NULL, error,	\
		fmt, ##__VA_ARGS__)
#define fo_fail_mark(reason, pfns, pfn, error, fmt, ...)		\
	fo_fail(FO_FAILED_MARK, reason, pfns, pfn, NULL, error,		\
		fmt, ##__VA_ARGS__)
struct fo_failure fo_failure_get(enum fo_failure_kind kind);
const char *fo_reason_name(enum fake_offline_reason reason);

bool fo_is_worth_a_try(struct pfn_range pfns);
bool fo_has_untyped(struct pfn_range pfns);
int fo_refuse_kernel_memory(struct pfn_range pfns);
int fo_explain_busy(struct pfn_range pfns, bool isolated, bool drained);
void fo_explain_cancel(const struct fo_operation *op);
void fo_explain_state(struct pfn_range pfns, int error);

#endif /* FO_REASON_H */
