/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A line on stderr that says how far a long job has come: only when stderr is
 * a terminal and the job takes longer than a second. It is drawn by a thread,
 * for a signal would interrupt the very write that takes the time.
 */
#ifndef OFFCTL_PROGRESS_H
#define OFFCTL_PROGRESS_H

#include <stdint.h>

/* total steps, of that many bytes each. */
void progress_start(const char *verb, uint64_t total, uint64_t bytes);
void progress_step(uint64_t done);
void progress_stop(void);

#endif
