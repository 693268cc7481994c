// SPDX-License-Identifier: GPL-2.0
/* A line on the terminal that shows the progress of a long job. */
#include "progress.h"
#include "parse.h"
#include "util.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* The lock guards the whole struct and the line on the terminal. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	pthread_t thread;
	bool running, end, drawn;
	const char *verb;
	uint64_t total, done, bytes;
	struct timespec start;
} p = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Write errors are ignored, since progress is not a result. */
static void put(const char *text, size_t len)
{
	fwrite(text, 1, len, stderr);
}

static void clear_locked(void)
{
	if (p.drawn)
		put("\r\033[K", 4);
	p.drawn = false;
}

static void clear(void)
{
	pthread_mutex_lock(&p.lock);
	clear_locked();
	pthread_mutex_unlock(&p.lock);
}

static void draw_locked(double seconds)
{
	struct winsize size;
	struct sb line = {0};
	size_t width = 80;

	sb_addf(&line, "\r%s: %" PRIu64 " of %" PRIu64, p.verb, p.done,
		p.total);
	if (p.done) {
		double rate = (double)p.done / seconds;

		sb_addf(&line, ", %.0f MiB/s, about %.0f s left",
			rate * (double)p.bytes / 1048576,
			(double)(p.total - p.done) / rate);
	} else {
		sb_addf(&line, ", %.0f s", seconds);
	}
	if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		width = size.ws_col;
	/* A full line would scroll a narrow terminal. */
	if (line.len > width)
		line.len = width;
	sb_add(&line, "\033[K", 3);
	put(sb_str(&line), line.len);
	sb_free(&line);
	p.drawn = true;
}

static void *run(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&p.lock);
	while (!p.end) {
		struct timespec now, until;
		double seconds;

		clock_gettime(CLOCK_MONOTONIC, &now);
		seconds = (double)(now.tv_sec - p.start.tv_sec) +
			  (double)(now.tv_nsec - p.start.tv_nsec) / 1e9;
		if (seconds >= 1)
			draw_locked(seconds);
		until = now;
		until.tv_nsec += 200000000;
		if (until.tv_nsec >= 1000000000) {
			until.tv_nsec -= 1000000000;
			until.tv_sec++;
		}
		pthread_cond_timedwait(&p.ended, &p.lock, &until);
	}
	clear_locked();
	pthread_mutex_unlock(&p.lock);
	return NULL;
}

void progress_start(const char *verb, uint64_t total, uint64_t bytes)
{
	pthread_condattr_t attr;
	sigset_t all, old;

	if (p.running || !isatty(STDERR_FILENO))
		return;
	p.verb = verb;
	p.total = total;
	p.bytes = bytes;
	p.done = 0;
	p.end = p.drawn = false;
	clock_gettime(CLOCK_MONOTONIC, &p.start);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p.ended, &attr);
	pthread_condattr_destroy(&attr);
	/* The thread that waits in the kernel must get the signals. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	p.running = !pthread_create(&p.thread, NULL, run, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (p.running)
		before_output = clear;
}

void progress_step(uint64_t done)
{
	pthread_mutex_lock(&p.lock);
	p.done = done;
	pthread_mutex_unlock(&p.lock);
}

void progress_stop(void)
{
	if (!p.running)
		return;
	pthread_mutex_lock(&p.lock);
	p.end = true;
	pthread_cond_signal(&p.ended);
	pthread_mutex_unlock(&p.lock);
	pthread_join(p.thread, NULL);
	p.running = false;
	before_output = NULL;
}
