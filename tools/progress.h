/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A line on stderr that shows the progress of a long job. It is shown only on a terminal,
 * and only if the job takes longer than a second. A thread draws it, because a timer
 * signal would interrupt the write that does the job. After progress_start() the thread
 * allocates no memory.
 */
#ifndef OFFCTL_PROGRESS_H
#define OFFCTL_PROGRESS_H

#include <stdint.h>

/* The job has "total" steps of that many bytes each. */
void progress_start(const char *verb, uint64_t total, uint64_t bytes);
void progress_step(uint64_t done);
void progress_stop(void);

#endif
