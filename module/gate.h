/* SPDX-License-Identifier: GPL-2.0 */
/* Who may do what, when: marking against marking, and against hotplug. */
#ifndef FO_GATE_H
#define FO_GATE_H

#include <linux/mutex.h>
#include <linux/types.h>

/*
 * Protects the tracked ranges and the flight record, and nothing slow: taking
 * and giving back pages happen outside, behind FO_RANGE_BUSY.
 *
 * Holding it guarantees that a memory block that is online by
 * pfn_to_online_page() keeps its memmap until it is dropped: the kernel
 * poisons the memmap only after our MEM_OFFLINE notifier, which takes it too.
 *
 * Order: mem_hotplug_lock (held around every notifier and hook) -> fo_gate.
 * So nobody may, holding it, touch the hook slot, write to sysfs, or wait.
 */
extern struct mutex fo_gate;

struct fo_flight;

enum fo_direction { FO_OFFLINING, FO_ONLINING };

/* How long to wait for others: not at all, until a signal, or for ever. */

enum fo_wait { FO_DONT_WAIT, FO_WAIT_FOR_SIGNAL, FO_WAIT };

int fo_gate_enter(unsigned long first, unsigned long last, enum fo_wait wait);
void fo_gate_leave(void);
bool fo_gate_is_busy(unsigned long first, unsigned long last);
void fo_gate_wake(void);

int fo_cycle_begin(unsigned long first, unsigned long last, enum fo_wait wait);
void fo_cycle_end(void);
bool fo_cycle_is_mine(void);

int fo_flight_begin(enum fo_direction dir, unsigned long first,
		    unsigned long last, struct fo_flight **flight);
struct fo_flight *fo_flight_find(enum fo_direction dir, unsigned long first);
void fo_flight_end(struct fo_flight *flight);
void fo_flight_calls_clients(struct fo_flight *flight, bool calling);
bool fo_flight_is_mine(void);
bool fo_flight_prepares(unsigned long pfn);

/**
 * struct fo_flight - the one hotplug operation in flight, and what we did in it
 * @active: it is in flight, and our GOING notifier has seen it
 * @dir: offlining or onlining
 * @first: first PFN it covers
 * @last: last PFN it covers
 * @task: who carries it out: the notifiers and the hook run in this task, and
 *	while it calls clients, the gate lets it pass
 * @calling: it is calling clients
 * @vetoed: we made it fail, and have recorded why
 * @prepared: fo_pages_going_offline() was done
 * @managed: pages we added to the managed pages
 * @refusing: page that was made to refuse, or NULL
 * @signalled: a pending signal was faked
 *
 * Hotplug operations are exclusive in the kernel. A CANCEL reaches also those
 * who never saw the GOING, so it undoes what stands here and nothing else.
 */
struct fo_flight {
	bool active;
	enum fo_direction dir;
	unsigned long first;
	unsigned long last;
	struct task_struct *task;
	bool calling;
	bool vetoed;
	bool prepared;
	unsigned long managed;
	struct page *refusing;
	bool signalled;
};

#endif /* FO_GATE_H */
