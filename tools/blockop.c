// SPDX-License-Identifier: GPL-2.0
/* One attempt to take a memory block offline or online, and its outcome. */
#include "blockop.h"
#include "blockarg.h"
#include "iomem.h"
#include "ranges.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ZONE_MOVABLE "Movable"

static bool is(const struct memblock *b, const char *state)
{
	return !strcmp(b->state, state);
}

/* Is the zone of an online block the one that the online type asks for? */
static bool zone_fits(const struct memblock *b, const char *type)
{
	bool movable;

	if (!type || !strcmp(type, "online") || !b->zones)
		return true;
	movable = !strcmp(b->zones, ZONE_MOVABLE);
	return movable == !strcmp(type, "online_movable");
}

bool blockop_reached(const struct blockop *op, const struct memblock *b)
{
	if (!op->online)
		return is(b, "offline");
	return is(b, "online") && zone_fits(b, op->type);
}

static void report_reached(const struct blockop *op, const struct memblock *b,
			   const char *already)
{
	if (op->quiet)
		return;
	out("block %" PRIu64 ": %s%s", b->nr, already, b->state);
	if (op->online && b->zones && !*already)
		out(", zone %s", b->zones);
	out("\n");
}

static enum outcome report_removed(const struct blockop *op, const struct memblock *b)
{
	err("%s: block %" PRIu64 ": %s", op->cmd->name, b->nr,
	    errno == ENOENT || errno == ENODEV ? "there is no such block" :
						 strerror(errno));
	return OP_FAILED;
}

/*
 * Shows why the module thinks the attempt failed. The reason must be about this block
 * and newer than the attempt. Returns false if there is no such reason.
 */
static bool hint_reason(const struct blockop *op, const struct module *m,
			const struct memblock *b, uint64_t count_before)
{
	uint64_t per_block = op->units.block / op->units.page;
	struct failure now;
	bool is_match;

	if (!failure_load(m, &now))
		return false;
	/* The notifier's range may leave out the first pages of the block. */
	is_match = per_block && now.span.pfn / per_block == b->nr &&
		   now.count != count_before && !failure_is_vague(&now);
	if (is_match)
		hint("%s", now.reason);
	failure_free(&now);
	return is_match;
}

/*
 * Shows why an online block cannot go offline with EINVAL. The kernel refuses a block with
 * holes, and then a block with pages of several zones.
 */
static void hint_invalid(const struct blockop *op, const struct memblock *b)
{
	struct sb line = {0};
	struct span span;
	uint64_t ram;

	if (!block_span(&op->units, b->nr, &span) ||
	    !iomem_ram_pages(&op->units, span, &ram))
		return;
	if (ram == span.nr) {
		hint("all of the block is RAM, so its pages are in several zones");
		return;
	}
	add_pages(&line, &op->units, span.nr - ram);
	hint("%s of the block %s no RAM, see /proc/iomem; the kernel takes no block with holes offline",
	     line.p, is_are(span.nr - ram));
	sb_free(&line);
}

/* The number of operations that have failed. */
static uint64_t count_failures(const struct module *m)
{
	struct failure failure;
	uint64_t count = 0;

	if (failure_load(m, &failure)) {
		count = failure.count;
		failure_free(&failure);
	}
	return count;
}

static uint64_t microseconds(const struct timespec *from,
			     const struct timespec *to)
{
	return (uint64_t)((to->tv_sec - from->tv_sec) * 1000000 +
			  (to->tv_nsec - from->tv_nsec) / 1000);
}

/* One attempt, with the state before it and the result. */
struct attempt {
	const char *file;	/* the module's file that takes the command */
	char state_before[16];	/* the state of the block */
	uint64_t failures_before;	/* by count_failures() */
	int error;		/* errno, or a negative number as from module_write() */
	bool timed_out;
};

/* Writes the command under the time limit. */
static void make_attempt(struct blockop *op, const struct module *m,
			 const struct memblock *b, struct attempt *a)
{
	struct timespec start, end;
	struct sb data = {0};

	snprintf(a->state_before, sizeof(a->state_before), "%s", b->state);
	a->failures_before = count_failures(m);
	sb_addf(&data, "%" PRIu64 "%s%s\n", b->nr, op->type ? " " : "",
		op->type ? op->type : "");
	memory_lock();
	if (op->limit_ms)
		time_limit_start(op->limit_ms);
	clock_gettime(CLOCK_MONOTONIC, &start);
	if (op->sysfs)
		a->error = memblock_write_state(b->nr, !op->online ? "offline" :
						op->type ? op->type : "online");
	else
		a->error = module_write(m, op->cmd->name, a->file, &data);
	clock_gettime(CLOCK_MONOTONIC, &end);
	a->timed_out = op->limit_ms && time_limit_stop();
	op->us = microseconds(&start, &end);
	sb_free(&data);
}

/*
 * Reports the state of the block, and why it is not the requested one. "still" says that
 * the attempt has not changed the state.
 */
static void report_failed(struct blockop *op, const struct module *m,
			  const struct memblock *b, const struct attempt *a)
{
	struct sb line = {0};

	sb_addf(&line, "%s%s", is(b, a->state_before) ? "still " : "", b->state);
	if (op->online && is(b, "online"))
		sb_addf(&line, " in zone %s", b->zones);
	if (a->error == EINTR && a->timed_out) {
		sb_addf(&line, ": given up after %" PRIu64 ".%" PRIu64 " s",
			op->limit_ms / 1000, op->limit_ms % 1000 / 100);
	} else if (a->error) {
		sb_addf(&line, ": ");
		module_errno(&line, a->file, a->error);
	} else {
		sb_addf(&line, ", although the kernel reported no error");
	}
	err("%s: block %" PRIu64 ": %s", op->cmd->name, b->nr, sb_str(&line));
	sb_free(&line);
	if (hint_reason(op, m, b, a->failures_before))
		return;
	if (a->error == EINVAL && !op->online && is(b, "online")) {
		hint_invalid(op, b);
	} else if (a->error == EBUSY && !op->hinted) {
		hint("the kernel log may say more: dmesg");
		op->hinted = true;
	}
}

enum outcome blockop_run(struct blockop *op, const struct module *m,
			 struct memblock *b)
{
	struct attempt a = {
		.file = op->online ? "block_online" : "block_offline",
	};

	op->us = 0;
	if (!memblock_refresh(b))
		return report_removed(op, b);
	if (blockop_reached(op, b)) {
		report_reached(op, b, "already ");
		return OP_ALREADY;
	}
	if (op->online && is(b, "online")) {
		err("%s: block %" PRIu64 ": already online in zone %s, which does not fit %s",
		    op->cmd->name, b->nr, b->zones, op->type);
		hint("take it offline first");
		return OP_FAILED;
	}

	make_attempt(op, m, b, &a);
	/* The command could not be sent, and the next one could not be sent either. */
	if (a.error < 0)
		return OP_STOP;
	/* The state of the block counts, not the errno. */
	if (!memblock_refresh(b))
		return report_removed(op, b);
	if (blockop_reached(op, b)) {
		report_reached(op, b, "");
		return OP_DONE;
	}
	if (!op->expect_failure)
		report_failed(op, m, b, &a);
	return OP_FAILED;
}

const char blockop_types[] =
	"types are online, online_kernel (kernel) and online_movable (movable)";

const char *blockop_type(const char *s)
{
	static const struct {
		const char *name, *type;
	} types[] = {
		{ "online", "online" },
		{ "online_kernel", "online_kernel" },
		{ "kernel", "online_kernel" },
		{ "online_movable", "online_movable" },
		{ "movable", "online_movable" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(s, types[i].name))
			return types[i].type;
	return NULL;
}
