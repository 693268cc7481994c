// SPDX-License-Identifier: GPL-2.0
/*
 * Marking excludes on- and offlining of the same memory, and two operations on
 * the same pages exclude each other. Elsewhere everything goes on in parallel.
 *
 * - Who takes or gives back pages enters the gate: it waits until no hotplug
 *   operation is in flight there and no range there is busy. It then sets
 *   FO_RANGE_BUSY, leaves, works without a lock, and clears the bit.
 * - Who takes pages enters for the whole page blocks that these lie in. Ranges
 *   that make way there, FO_RANGE_ASIDE, are busy as well.
 * - A hotplug operation records its flight first, so that nobody new enters,
 *   and then waits for the busy ranges there to settle.
 * - Who takes pages through an offline and online of their memory block
 *   (through.c) records a cycle. Others wait at the gate until it is over, as if
 *   all of the block were busy. But flights, its own among them, don't: what is
 *   taken is FO_RANGE_PENDING instead, and FO_RANGE_UNTAKEN until the block is
 *   offline. Up to then its pages are the kernel's, and hotplug treats them so;
 *   from then on they are marked, whoever brings the block online.
 *
 * Nobody waits while holding something that others wait for: a busy range
 * never waits for a flight. That also is why the hook slot is taken before a
 * range is made busy: it needs mem_hotplug_lock, which the flight holds.
 */
#include <linux/errno.h>
#include <linux/lockdep.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "gate.h"
#include "ranges.h"

/* See gate.h for what it protects. */
DEFINE_MUTEX(fo_gate);
static DECLARE_WAIT_QUEUE_HEAD(gate_wait);
static struct fo_flight the_flight;

/* The one cycle under way. Protected by fo_gate. */
static struct {
	bool active;
	unsigned long first;
	unsigned long last;
	struct task_struct *task;
} the_cycle;

/**
 * fo_gate_is_busy() - is a range in [@first, @last] being worked on?
 * @first: first PFN
 * @last: last PFN
 *
 * Context: holds fo_gate.
 * Return: whether one is.
 */
bool fo_gate_is_busy(unsigned long first, unsigned long last)
{
	struct fo_extent e;

	fo_for_each_extent(e, first, last)
		if (e.range->flags & (FO_RANGE_BUSY | FO_RANGE_ASIDE))
			return true;
	return false;
}

static bool in_flight(unsigned long first, unsigned long last)
{
	return the_flight.active && first <= the_flight.last &&
	       last >= the_flight.first &&
	       !(the_flight.calling && the_flight.task == current);
}

static bool in_cycle(unsigned long first, unsigned long last)
{
	return the_cycle.active && first <= the_cycle.last &&
	       last >= the_cycle.first && the_cycle.task != current;
}

/* Drops fo_gate until somebody calls fo_gate_wake(). */
static int wait_for_wake(int state)
{
	DEFINE_WAIT(wait);

	prepare_to_wait(&gate_wait, &wait, state);
	mutex_unlock(&fo_gate);
	if (!signal_pending_state(state, current))
		schedule();
	finish_wait(&gate_wait, &wait);
	mutex_lock(&fo_gate);
	return signal_pending_state(state, current) ? -EINTR : 0;
}

/**
 * fo_gate_enter() - wait until [@first, @last] is settled, and take fo_gate
 * @first: first PFN
 * @last: last PFN
 * @wait: for how long
 *
 * A client's callback is part of the flight, and passes.
 *
 * Context: may sleep. Inverse: fo_gate_leave().
 * Return: 0 with fo_gate held; without it -EBUSY (would have to wait), -EINTR.
 */
int fo_gate_enter(unsigned long first, unsigned long last, enum fo_wait wait)
{
	int state = wait == FO_WAIT ? TASK_IDLE : TASK_INTERRUPTIBLE;
	int ret = 0;

	mutex_lock(&fo_gate);
	while (!ret && (in_flight(first, last) || in_cycle(first, last) ||
			fo_gate_is_busy(first, last))) {
		if (wait == FO_DONT_WAIT)
			ret = -EBUSY;
		else
			ret = wait_for_wake(state);
	}
	if (ret)
		mutex_unlock(&fo_gate);
	return ret;
}

/** fo_gate_leave() - drop fo_gate, after fo_gate_enter() */
void fo_gate_leave(void)
{
	mutex_unlock(&fo_gate);
}

/**
 * fo_cycle_begin() - enter the gate, and record a cycle
 * @first: first PFN of the memory block
 * @last: last PFN of it
 * @wait: for how long; also while there is another cycle
 *
 * Context: may sleep. Inverse: fo_cycle_end().
 * Return: 0 with fo_gate held; without it -EBUSY (would have to wait), -EINTR.
 */
int fo_cycle_begin(unsigned long first, unsigned long last, enum fo_wait wait)
{
	int ret;

	for (;;) {
		ret = fo_gate_enter(first, last, wait);
		if (ret)
			return ret;
		if (!the_cycle.active)
			break;
		ret = wait == FO_DONT_WAIT ? -EBUSY :
		      wait_for_wake(TASK_INTERRUPTIBLE);
		fo_gate_leave();
		if (ret)
			return ret;
	}
	the_cycle.active = true;
	the_cycle.first = first;
	the_cycle.last = last;
	the_cycle.task = current;
	return 0;
}

/**
 * fo_cycle_end() - the cycle is over, one way or the other
 *
 * Context: holds fo_gate. Inverse: fo_cycle_begin().
 */
void fo_cycle_end(void)
{
	lockdep_assert_held(&fo_gate);
	the_cycle.active = false;
	fo_gate_wake();
}

/**
 * fo_cycle_is_mine() - is this task taking pages through a cycle?
 *
 * Context: holds fo_gate.
 * Return: whether it is.
 */
bool fo_cycle_is_mine(void)
{
	lockdep_assert_held(&fo_gate);
	return the_cycle.active && the_cycle.task == current;
}

/**
 * fo_gate_wake() - a range is no longer busy, or a flight has ended
 *
 * Context: any.
 */
void fo_gate_wake(void)
{
	wake_up_all(&gate_wait);
}

/**
 * fo_flight_begin() - record a hotplug operation, and wait for busy ranges
 * @dir: offlining or onlining
 * @first: first PFN it covers
 * @last: last PFN it covers
 * @flight: filled in, also on failure: the record
 *
 * Context: a GOING notifier, holds fo_gate, which is dropped while waiting.
 * Inverse: fo_flight_end().
 * Return: 0, or -EINTR: a signal came while some range there was busy.
 */
int fo_flight_begin(enum fo_direction dir, unsigned long first,
		    unsigned long last, struct fo_flight **flight)
{
	int ret = 0;

	lockdep_assert_held(&fo_gate);
	WARN_ON_ONCE(the_flight.active);
	the_flight = (struct fo_flight) {
		.active = true,
		.dir = dir,
		.first = first,
		.last = last,
		.task = current,
	};
	*flight = &the_flight;
	while (!ret && fo_gate_is_busy(first, last))
		ret = wait_for_wake(TASK_INTERRUPTIBLE);
	return ret;
}

/**
 * fo_flight_find() - the record of an operation that our GOING notifier saw
 * @dir: offlining or onlining
 * @first: first PFN it covers
 *
 * Context: a notifier, holds fo_gate.
 * Return: the record, or NULL.
 */
struct fo_flight *fo_flight_find(enum fo_direction dir, unsigned long first)
{
	lockdep_assert_held(&fo_gate);
	if (the_flight.active && the_flight.dir == dir &&
	    the_flight.first == first)
		return &the_flight;
	return NULL;
}

/**
 * fo_flight_end() - the operation is over, one way or the other
 * @flight: the record
 *
 * Context: a notifier, holds fo_gate. Inverse: fo_flight_begin().
 */
void fo_flight_end(struct fo_flight *flight)
{
	lockdep_assert_held(&fo_gate);
	flight->active = false;
	fo_gate_wake();
}

/**
 * fo_flight_calls_clients() - let the clients' callbacks pass the gate, or not
 * @flight: the record
 * @calling: whether they are about to be called, or have been
 *
 * Context: a notifier, holds fo_gate.
 */
void fo_flight_calls_clients(struct fo_flight *flight, bool calling)
{
	lockdep_assert_held(&fo_gate);
	flight->calling = calling;
}

/**
 * fo_flight_is_mine() - is this task in a notifier or a hook of ours?
 *
 * It then holds mem_hotplug_lock, and cannot wait for hotplug.
 *
 * Context: sleeps, not under fo_gate.
 * Return: whether it is.
 */
bool fo_flight_is_mine(void)
{
	bool mine;

	mutex_lock(&fo_gate);
	mine = the_flight.active && the_flight.task == current;
	mutex_unlock(&fo_gate);
	return mine;
}

/**
 * fo_flight_prepares() - are these pages of a block that is going offline?
 * @pfn: a page
 *
 * Its reference count may then be another than usual, or its skippable bit.
 *
 * Context: holds fo_gate.
 * Return: whether it is.
 */
bool fo_flight_prepares(unsigned long pfn)
{
	return the_flight.active && the_flight.dir == FO_OFFLINING &&
	       pfn >= the_flight.first && pfn <= the_flight.last;
}
