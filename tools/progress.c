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
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define CLEAR_END "\033[K"
#define CLEAR_LINE "\r" CLEAR_END

/*
 * The lock guards the whole struct and the line on the terminal.
 *
 * An attempt to take memory offline may last while memory is full. The thread must not
 * need a page then, since the kernel would kill offctl for it. So it uses only its stack
 * and this struct, and it runs all of its code once before progress_start() returns.
 */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t ended, warm;
	pthread_t thread;
	bool running, is_warm, end, drawn;
	const char *verb;
	uint64_t total, done, bytes;
	struct timespec start;
} p = { .lock = PTHREAD_MUTEX_INITIALIZER, .warm = PTHREAD_COND_INITIALIZER };

/* The whole stack of the thread is locked in memory. The default would be 8 MiB. */
#define STACK_SIZE (256 * 1024)

/*
 * Write errors are ignored, since progress is not a result. It is not write(2), because
 * offctl uses that for commands only, and the tests rely on this.
 */
static void put(char *text, size_t len)
{
	struct iovec part = { text, len };

	if (writev(STDERR_FILENO, &part, 1) < 0)
		return;
}

static void clear_locked(void)
{
	if (p.drawn) {
		char erase[] = CLEAR_LINE;

		put(erase, sizeof(erase) - 1);
	}
	p.drawn = false;
}

static void clear(void)
{
	pthread_mutex_lock(&p.lock);
	clear_locked();
	pthread_mutex_unlock(&p.lock);
}

/* The conversion of a double to text may allocate memory. So all numbers are integers. */
static uint64_t rounded(double x)
{
	return x < 1e15 ? (uint64_t)(x + 0.5) : (uint64_t)1e15;
}

static void draw_locked(double seconds, bool visible)
{
	char line[256] = "";
	struct winsize size;
	size_t len, width = 80;
	double rate = (double)p.done / seconds;

	if (p.done)
		len = (size_t)snprintf(line, sizeof(line),
			"\r%s: %" PRIu64 " of %" PRIu64 ", %" PRIu64
			" MiB/s, about %" PRIu64 " s left", p.verb, p.done,
			p.total, rounded(rate * (double)p.bytes / 1048576),
			rounded((double)(p.total - p.done) / rate));
	else
		len = (size_t)snprintf(line, sizeof(line),
			"\r%s: %" PRIu64 " of %" PRIu64 ", %" PRIu64 " s", p.verb,
			p.done, p.total, rounded(seconds));
	if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		width = size.ws_col;
	/* A full line would scroll a narrow terminal. */
	if (len > width)
		len = width;
	if (len > sizeof(line) - sizeof(CLEAR_END))
		len = sizeof(line) - sizeof(CLEAR_END);
	memcpy(line + len, CLEAR_END, sizeof(CLEAR_END));
	put(line, visible ? len + sizeof(CLEAR_END) - 1 : 0);
	p.drawn = visible;
}

/* Runs the code of the thread without output. */
static void warm_up_locked(struct timespec past)
{
	draw_locked(1, false);
	clear_locked();
	pthread_cond_timedwait(&p.ended, &p.lock, &past);
	p.is_warm = true;
	pthread_cond_signal(&p.warm);
}

static void *run(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&p.lock);
	warm_up_locked(p.start);
	while (!p.end) {
		struct timespec now, until;
		double seconds;

		clock_gettime(CLOCK_MONOTONIC, &now);
		seconds = (double)(now.tv_sec - p.start.tv_sec) +
			  (double)(now.tv_nsec - p.start.tv_nsec) / 1e9;
		if (seconds >= 1)
			draw_locked(seconds, true);
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

static bool start_thread(void)
{
	pthread_attr_t attr;
	sigset_t all, old;
	bool ok;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	/* The thread that waits in the kernel must get the signals. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	ok = !pthread_create(&p.thread, &attr, run, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return ok;
}

void progress_start(const char *verb, uint64_t total, uint64_t bytes)
{
	pthread_condattr_t attr;

	if (p.running || !isatty(STDERR_FILENO))
		return;
	p.verb = verb;
	p.total = total;
	p.bytes = bytes;
	p.done = 0;
	p.is_warm = p.end = p.drawn = false;
	clock_gettime(CLOCK_MONOTONIC, &p.start);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p.ended, &attr);
	pthread_condattr_destroy(&attr);
	p.running = start_thread();
	if (!p.running)
		return;
	pthread_mutex_lock(&p.lock);
	while (!p.is_warm)
		pthread_cond_wait(&p.warm, &p.lock);
	pthread_mutex_unlock(&p.lock);
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
