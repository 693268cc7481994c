// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's soft_offline_page() waits for the end of a hotplug operation. No signal
 * ends that wait, and it holds the mutex of memory_failure(). Therefore:
 *
 * - offctl makes no attempt while a memory block goes offline.
 * - A child process does the write. offctl does not have to wait for the child.
 * - After an attempt that did not end, offctl makes no other one. It would wait for the
 *   mutex.
 */
#include "soft_offline.h"
#include "memblock.h"
#include "pageflags.h"
#include "sysroot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kernel-page-flags.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FILE_NAME "sys/devices/system/memory/soft_offline_page"

static void report_cost(struct soft_offline *s)
{
	if (s->cost_reported)
		return;
	s->cost_reported = true;
	hint("soft offline is the last resort: the kernel poisons the page until the machine reboots");
	hint("from Linux 6.12 on, a memory block with a poisoned page cannot come back online after it goes offline");
}

/* Returns false, with the reason in reason, if a memory block goes offline at the moment. */
static bool memory_is_idle(struct soft_offline *s, struct sb *reason)
{
	struct memblocks blocks;
	bool idle = true;

	if (!memblocks_load(s->cmd->name, &blocks)) {
		sb_addf(reason, "soft offline: the states of the memory blocks are not known");
		return false;
	}
	for (size_t i = 0; i < blocks.n && idle; i++) {
		idle = strcmp(blocks.v[i].state, "going-offline") != 0;
		if (!idle)
			sb_addf(reason, "soft offline: not tried while block %" PRIu64
				" goes offline", blocks.v[i].nr);
	}
	memblocks_free(&blocks);
	return idle;
}

/* The child process. Its exit status is the errno. */
_Noreturn static void child(int fd, const char *text, size_t len)
{
	ssize_t n = write(fd, text, len);

	_exit(n < 0 ? errno : (size_t)n == len ? 0 : EIO);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Waits until the child closes its end of the pipe. Returns false if that takes too long. */
static bool wait_for_end(int pipe_fd, uint64_t limit_ms)
{
	uint64_t end = now_ms() + limit_ms, now;

	while ((now = now_ms()) < end) {
		struct pollfd pfd = { .fd = pipe_fd, .events = POLLIN };
		uint64_t left = end - now;

		if (poll(&pfd, 1, left > 60000 ? 60000 : (int)left) > 0)
			return true;
		if (signals_seen())
			return false;
	}
	return false;
}

enum { SOFT_NO_CHILD = -1, SOFT_NO_END = -2 };

/* Returns 0, an errno, SOFT_NO_CHILD with errno, or SOFT_NO_END. */
static int attempt(const struct soft_offline *s, int fd, uint64_t pfn)
{
	struct sb text = {0};
	int ends[2], status, result = SOFT_NO_END;
	pid_t pid = -1;

	if (pipe2(ends, O_CLOEXEC))
		return SOFT_NO_CHILD;
	sb_addf(&text, "0x%" PRIx64 "\n", pfn * s->units.page);
	pid = fork();
	if (!pid)
		child(fd, text.p, text.len);
	close(ends[1]);
	sb_free(&text);
	if (pid < 0) {
		result = SOFT_NO_CHILD;
	} else if (wait_for_end(ends[0], s->limit_ms)) {
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		result = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
	} else {
		/* The child may live until the hotplug operation ends. */
		kill(pid, SIGKILL);
		waitpid(pid, NULL, WNOHANG);
	}
	close(ends[0]);
	return result;
}

/* Is the page poisoned? If /proc does not show it, the answer is yes. */
static bool is_poisoned(uint64_t pfn)
{
	struct pageflags pf;
	uint64_t poisoned;

	if (!pageflags_open(&pf))
		return true;
	if (!pageflags_count(&pf, (struct span){ pfn, 1 }, KPF_HWPOISON, &poisoned))
		poisoned = 1;
	pageflags_close(&pf);
	return poisoned;
}

bool soft_offline_page(struct soft_offline *s, uint64_t pfn, struct sb *reason)
{
	int fd, result;

	if (s->timed_out || signals_seen()) {
		sb_addf(reason, "soft offline: not tried");
		return false;
	}
	if (!memory_is_idle(s, reason))
		return false;
	fd = root_open_write(ROOT, FILE_NAME);
	if (fd < 0) {
		sb_addf(reason, "soft offline: %s (", errno == ENOENT ?
			"this kernel has none" : strerror(errno));
		add_errno(reason, errno);
		sb_addf(reason, ")");
		return false;
	}
	report_cost(s);
	result = attempt(s, fd, pfn);
	if (result == SOFT_NO_CHILD) {
		sb_addf(reason, "soft offline: cannot start a child process: %s",
			strerror(errno));
	} else if (result == SOFT_NO_END) {
		s->timed_out = true;
		if (signals_seen())
			sb_addf(reason, "soft offline: interrupted");
		else
			sb_addf(reason, "soft offline: given up after %" PRIu64
				".%" PRIu64 " s", s->limit_ms / 1000,
				s->limit_ms % 1000 / 100);
		sb_addf(reason, "; the kernel may still finish it");
	} else if (result) {
		sb_addf(reason, "soft offline: %s (", strerror(result));
		add_errno(reason, result);
		sb_addf(reason, ")");
	} else if (!is_poisoned(pfn)) {
		sb_addf(reason, "soft offline: the kernel reported no error, but the page is not poisoned");
	} else {
		spans_add(&s->done, (struct span){ pfn, 1 });
		close(fd);
		return true;
	}
	close(fd);
	return false;
}

void soft_offline_report(struct soft_offline *s)
{
	uint64_t per_block = s->units.block / s->units.page;
	uint64_t next = 0;	/* blocks below it have been named */
	size_t nr_blocks = 0;
	struct sb line = {0}, blocks = {0};

	spans_normalize(&s->done);
	for (size_t i = 0; i < s->done.n; i++) {
		struct span span = s->done.v[i];
		uint64_t last = per_block ? (span.pfn + span.nr - 1) / per_block :
					    0;
		uint64_t nr = per_block ? span.pfn / per_block : 1;

		sb_clear(&line);
		add_pages(&line, &s->units, span.nr);
		sb_addf(&line, " ");
		add_range(&line, &s->units, span);
		hint("%s %s poisoned until the machine reboots", line.p,
		     span.nr == 1 ? "stays" : "stay");
		for (nr = nr < next ? next : nr; nr <= last; nr++) {
			sb_addf(&blocks, "%s%" PRIu64, blocks.len ? ", " : "",
				nr);
			next = nr + 1;
			nr_blocks++;
		}
	}
	if (blocks.len)
		hint("from Linux 6.12 on, block%s %s cannot come back online after going offline",
		     plural(nr_blocks), blocks.p);
	sb_free(&line);
	sb_free(&blocks);
}

void soft_offline_free(struct soft_offline *s)
{
	spans_free(&s->done);
}
