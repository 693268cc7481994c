/* SPDX-License-Identifier: GPL-2.0 */
/* Serialisation: marking against marking, and marking against memory hotplug. */
#ifndef FO_LOCK_H
#define FO_LOCK_H

#include <linux/mutex.h>
#include <linux/types.h>

#include "pfn_range.h"

/*
 * Protects the marked ranges and the record of the hotplug operation. Taking and
 * giving back pages happen outside of it, while the range is busy (ranges.h).
 *
 * Holding it guarantees that a memory block that is online by
 * pfn_to_online_page() keeps its memmap: the kernel poisons the memmap only after
 * the module's MEM_OFFLINE notifier, which takes this lock, too.
 *
 * Nothing that is done under it allocates with reclaim. A shrinker must only try to
 * take it (FO_TRYLOCK): on 6.1 a holder may wait for kernfs, which allocates.
 *
 * Order: mem_hotplug_lock (held around every notifier and hook) -> callback_lock
 * (lock.c) -> fo_lock. So a task that holds it must not touch the hook slot,
 * write to sysfs, or wait.
 */
extern struct mutex fo_lock;

/**
 * enum fo_wait - how to wait for other tasks and for hotplug operations
 * @FO_TRYLOCK: not at all, not even for fo_lock
 * @FO_DONT_WAIT: not at all, but for fo_lock
 * @FO_WAIT_INTERRUPTIBLE: a signal ends it
 * @FO_WAIT_KILLABLE: a fatal signal ends it
 */
enum fo_wait {
	FO_TRYLOCK,
	FO_DONT_WAIT,
	FO_WAIT_INTERRUPTIBLE,
	FO_WAIT_KILLABLE,
};

/**
 * struct fo_abort - what else ends a wait
 * @aborts: the number of times that fake_offline_abort() was called
 * @seen: what it was at the start
 */
struct fo_abort {
	const unsigned int *aborts;
	unsigned int seen;
};

static inline bool fo_aborted(const struct fo_abort *abort)
{
	return abort && READ_ONCE(*abort->aborts) != abort->seen;
}

int fo_lock_ranges(const struct pfn_range *ranges, unsigned int nr,
		   enum fo_wait wait, const struct fo_abort *abort);
bool fo_lock_is_busy(struct pfn_range pfns);
void fo_lock_wake(void);

void fo_callbacks_begin(void);
void fo_callbacks_end(void);
bool fo_in_callback(void);

enum fo_direction { FO_OFFLINING, FO_ONLINING };

/**
 * struct fo_operation - the hotplug operation in progress
 * @active: one is in progress, and the module's GOING notifier has seen it
 * @dir: offlining or onlining
 * @pfns: the memory that it covers
 * @task: the task that carries it out; the notifiers and the hook run in it
 * @vetoed: the module made it fail, and has recorded the reason
 * @refs_dropped: drop_refs() of notifier.c was done
 * @managed: pages that the module added to the managed pages
 * @refusing: page that was made to refuse, or NULL
 * @signalled: a pending signal was faked
 *
 * The kernel carries out one hotplug operation at a time. A CANCEL also reaches
 * notifiers that never saw the GOING, so it undoes what is recorded here and
 * nothing else. An operation in progress holds a reference to the module.
 */
struct fo_operation {
	bool active;
	enum fo_direction dir;
	struct pfn_range pfns;
	struct task_struct *task;
	bool vetoed;
	bool refs_dropped;
	unsigned long managed;
	struct page *refusing;
	bool signalled;
};

int fo_operation_begin(enum fo_direction dir, struct pfn_range pfns,
		       struct fo_operation **op);
struct fo_operation *fo_operation_find(enum fo_direction dir,
				       unsigned long first);
void fo_operation_end(struct fo_operation *op);
bool fo_operation_is_active(void);
bool fo_operation_is_mine(void);
bool fo_operation_prepares(unsigned long pfn);

#endif /* FO_LOCK_H */
