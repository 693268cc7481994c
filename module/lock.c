// SPDX-License-Identifier: GPL-2.0
/*
 * Serialisation. A mark excludes hotplug operations on the same memory, and two
 * tasks that work on the same pages exclude each other. Everything else runs in
 * parallel.
 *
 * - A task that takes or gives back pages calls fo_lock_ranges(). That waits until
 *   no hotplug operation covers these pages and no range there is busy. The task
 *   makes its ranges busy, drops the lock, works, and makes them not busy.
 * - A task that takes pages does this for the whole page blocks that these lie
 *   in, because alloc_contig_range() isolates whole page blocks.
 * - A hotplug operation is recorded first, so that no new range there becomes
 *   busy. It then waits for the ranges that are busy already.
 *
 * A task with a busy range never waits for a hotplug operation or for another
 * busy range. So no circle of waiting tasks can exist.
 */
#include <linux/errno.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "lock.h"
#include "ranges.h"

/* See lock.h for what it protects. */
DEFINE_MUTEX(fo_lock);
static DECLARE_WAIT_QUEUE_HEAD(lock_wait);
static struct fo_operation operation;

/*
 * Protects the list of clients, and is held around their callbacks: holding it
 * guarantees that no client goes away.
 */
static DEFINE_MUTEX(callback_lock);
/* The task that holds callback_lock. Only compared with current. */
static struct task_struct *calling;

/** fo_callbacks_begin() - take callback_lock; inverse: fo_callbacks_end() */
void fo_callbacks_begin(void)
{
	mutex_lock(&callback_lock);
	WRITE_ONCE(calling, current);
}

/** fo_callbacks_end() - drop callback_lock; inverse: fo_callbacks_begin() */
void fo_callbacks_end(void)
{
	WRITE_ONCE(calling, NULL);
	mutex_unlock(&callback_lock);
}

/** fo_in_callback() - is this task in a client's callback? Context: any. */
bool fo_in_callback(void)
{
	return READ_ONCE(calling) == current;
}

/**
 * fo_lock_is_busy() - does a task work on a range there?
 * @pfns: where
 *
 * Context: holds fo_lock.
 * Return: whether one does.
 */
bool fo_lock_is_busy(struct pfn_range pfns)
{
	struct fo_range *r;

	fo_for_each_range(r, pfns)
		if (fo_range_is_busy(r))
			return true;
	return false;
}

/* Drops fo_lock until the next fo_lock_wake(). */
static int wait_for_wake(int state, const struct fo_abort *abort)
{
	DEFINE_WAIT(wait);

	prepare_to_wait(&lock_wait, &wait, state);
	mutex_unlock(&fo_lock);
	if (!signal_pending_state(state, current) && !fo_aborted(abort))
		schedule();
	finish_wait(&lock_wait, &wait);
	mutex_lock(&fo_lock);
	return signal_pending_state(state, current) ? -EINTR : 0;
}

/*
 * Return: 0 if nothing happens in these PFN ranges, -EAGAIN if the caller has to wait,
 * -EDEADLK if it would wait for itself. A callback is part of the operation of its
 * task.
 */
static int check_ranges(const struct pfn_range *ranges, unsigned int nr)
{
	bool mine = fo_operation_is_mine();
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (operation.active && !(mine && fo_in_callback()) &&
		    pfns_overlap(ranges[i], operation.pfns))
			return mine ? -EDEADLK : -EAGAIN;
		if (fo_lock_is_busy(ranges[i]))
			return -EAGAIN;
	}
	return 0;
}

/**
 * fo_lock_ranges() - take fo_lock while nothing happens in these PFN ranges
 * @ranges: PFN ranges
 * @nr: number of them
 * @wait: how to wait for the tasks that work there
 * @abort: what else ends the wait, or NULL
 *
 * A callback of a client is part of the hotplug operation, and does not wait for
 * it.
 *
 * Context: sleeps, but for FO_TRYLOCK.
 * Inverse: mutex_unlock() of fo_lock.
 * Return: 0 with fo_lock held. Without it: -EAGAIN (would wait), -EINTR,
 * -ECANCELED (aborted), -EDEADLK (would wait for the calling task itself).
 */
int fo_lock_ranges(const struct pfn_range *ranges, unsigned int nr,
		   enum fo_wait wait, const struct fo_abort *abort)
{
	int state = wait == FO_WAIT_KILLABLE ? TASK_KILLABLE :
					       TASK_INTERRUPTIBLE;
	int ret;

	if (wait != FO_TRYLOCK)
		mutex_lock(&fo_lock);
	else if (!mutex_trylock(&fo_lock))
		return -EAGAIN;
	do {
		ret = check_ranges(ranges, nr);
		if (ret != -EAGAIN || wait <= FO_DONT_WAIT)
			break;
		ret = wait_for_wake(state, abort);
		if (fo_aborted(abort))
			ret = -ECANCELED;
	} while (!ret);
	if (ret)
		mutex_unlock(&fo_lock);
	return ret;
}

/**
 * fo_lock_wake() - a range is no longer busy, or an operation has ended
 *
 * Context: any.
 */
void fo_lock_wake(void)
{
	wake_up_all(&lock_wait);
}

/**
 * fo_operation_begin() - record a hotplug operation, and wait for busy ranges
 * @dir: offlining or onlining
 * @pfns: the memory that it covers
 * @op: filled in unless -EBUSY is returned: the record
 *
 * Context: a GOING notifier; holds fo_lock, which is dropped while it waits.
 * Inverse: fo_operation_end().
 * Return: 0; -EBUSY, with nothing recorded: the module is being unloaded; -EINTR:
 * a signal came while a range there was busy.
 */
int fo_operation_begin(enum fo_direction dir, struct pfn_range pfns,
		       struct fo_operation **op)
{
	int ret = 0;

	lockdep_assert_held(&fo_lock);
	if (!try_module_get(THIS_MODULE))
		return -EBUSY;
	WARN_ON_ONCE(operation.active);
	operation = (struct fo_operation) {
		.active = true,
		.dir = dir,
		.pfns = pfns,
		.task = current,
	};
	*op = &operation;
	while (!ret && fo_lock_is_busy(pfns))
		ret = wait_for_wake(TASK_INTERRUPTIBLE, NULL);
	return ret;
}

/**
 * fo_operation_find() - the record of an operation whose GOING was seen
 * @dir: offlining or onlining
 * @first: first PFN it covers
 *
 * Context: a notifier, holds fo_lock.
 * Return: the record, or NULL.
 */
struct fo_operation *fo_operation_find(enum fo_direction dir,
				       unsigned long first)
{
	lockdep_assert_held(&fo_lock);
	if (operation.active && operation.dir == dir &&
	    operation.pfns.first == first)
		return &operation;
	return NULL;
}

/**
 * fo_operation_end() - the operation is over, in one way or the other
 * @op: the record
 *
 * The notifier that calls it still runs in the module: exit waits for it in
 * unregister_memory_notifier().
 *
 * Context: a notifier, holds fo_lock. Inverse: fo_operation_begin().
 */
void fo_operation_end(struct fo_operation *op)
{
	lockdep_assert_held(&fo_lock);
	op->active = false;
	fo_lock_wake();
	module_put(THIS_MODULE);
}

/** fo_operation_is_active() - is one in progress? Without fo_lock it may be old. */
bool fo_operation_is_active(void)
{
	return READ_ONCE(operation.active);
}

/**
 * fo_operation_is_mine() - does the calling task carry out a hotplug operation?
 *
 * It then holds mem_hotplug_lock, and cannot wait for hotplug.
 *
 * Context: any.
 * Return: whether it does. Only the calling task can make that true.
 */
bool fo_operation_is_mine(void)
{
	return READ_ONCE(operation.active) &&
	       READ_ONCE(operation.task) == current;
}

/**
 * fo_operation_prepares() - is this a page of a block that is going offline?
 * @pfn: a page
 *
 * Its reference count or its skippable bit may then be another than usual.
 *
 * Context: holds fo_lock.
 * Return: whether it is.
 */
bool fo_operation_prepares(unsigned long pfn)
{
	return operation.active && operation.dir == FO_OFFLINING &&
	       pfns_overlap(operation.pfns, PFN_RANGE(pfn, pfn));
}
