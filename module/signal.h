/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A signal that no task sent, like those of the freezer. It ends each wait that a
 * signal can end, but wakes no task.
 */
#ifndef FO_SIGNAL_H
#define FO_SIGNAL_H

#include <linux/sched/signal.h>

/* Inverse: fo_signal_forget(), in that task. */
static inline void fo_signal_fake(struct task_struct *task)
{
	set_tsk_thread_flag(task, TIF_SIGPENDING);
}

/* A signal that a task has sent stays pending. */
static inline void fo_signal_forget(void)
{
	/* A task that runs keeps its own sighand. */
	struct sighand_struct *sighand =
		rcu_dereference_protected(current->sighand, true);

	spin_lock_irq(&sighand->siglock);
	recalc_sigpending();
	spin_unlock_irq(&sighand->siglock);
}

#endif /* FO_SIGNAL_H */
