// SPDX-License-Identifier: GPL-2.0
/*
 * Lets the kernel do a step: one operation, or two at once in two tasks.
 */
#include "common.h"
#include "kernel.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char *put_flags(char *to, const struct request *p)
{
	return to + sprintf(to, "%s%s\n", p->unskippable ? " unskippable" : "",
			    p->canary ? " canary" : "");
}

static int run_pieces(const char *file, const struct op *op)
{
	char text[STEP_TEXT], *to = text;
	unsigned int i;

	if (!op->nr_requests)
		return 0;
	for (i = 0; i < op->nr_requests; i++) {
		const struct request *p = &op->request[i];

		to += sprintf(to, "%" PRIu64 " %u", pfn_of(p->start), p->nr);
		to = put_flags(to, p);
	}
	return put(file, text);
}

static int run_any(const struct op *op)
{
	char text[128], *to = text;

	to += sprintf(to, "any %u zone=Movable", op->number);
	put_flags(to, op->request);
	return put(FO "mark", text);
}

static int run_skippable(const struct op *op)
{
	char text[128];

	sprintf(text, "%" PRIu64 " %u %u\n", pfn_of(op->request[0].start),
		op->request[0].nr, op->number);
	return put(FO "skippable", text);
}

static int run_offline(const struct op *op)
{
	char path[96];

	if (op->debugfs) {
		sprintf(path, "%" PRIu64 "\n", world.first_block + op->block);
		return put(FO "block_offline", path);
	}
	block_path(path, op->block, "state");
	return put(path, "offline");
}

/* For -p behind: releases a page of the block. The model does not know of it. */
static void give_back_one(const struct model *m, unsigned int block)
{
	unsigned int i = (block + 1) * world.block_pages;
	char text[64];

	while (i-- > block * world.block_pages)
		if ((m->page[i] & (MARKED | FOREIGN)) == MARKED) {
			sprintf(text, "%" PRIu64 " 1\n", pfn_of(i));
			put(FO "unmark", text);
			return;
		}
}

static int run_online(const struct op *op, const struct model *before)
{
	const char *type = online_types[op->type];
	char path[96];
	int error;

	if (op->debugfs) {
		sprintf(path, "%" PRIu64 " %s\n", world.first_block + op->block,
			type);
		error = put(FO "block_online", path);
	} else {
		block_path(path, op->block, "state");
		error = put(path, type);
	}
	if (plant == PLANT_BEHIND && !error)
		give_back_one(before, op->block);
	return error;
}

static int run_inject(const struct op *op)
{
	char text[128];

	sprintf(text, "%s %d %u\n", point_names[op->point], -op->error,
		op->number);
	return put(FO "inject", text);
}

static bool poisoned(unsigned int page)
{
	uint64_t flags;

	read_entries(flags_fd, pfn_of(page), 1, &flags);
	return flags >> KPF_HWPOISON & 1;
}

/*
 * Soft-offlines a page. If this poisons the page, unpoisons it again, because a block with a
 * poisoned page may not come online.
 */
static int run_soft(const struct op *op, const struct model *before)
{
	unsigned int page = op->request[0].start, tries;
	bool is_marked = before->page[page] & MARKED;
	bool online = before->block[page / world.block_pages].online;
	char text[64];
	int error;

	sprintf(text, "%#" PRIx64 "\n", pfn_of(page) * PAGE_SIZE);
	error = put(SYSMEM "soft_offline_page", text);
	if (is_marked || !online)
		return error;
	sprintf(text, "%" PRIu64 "\n", pfn_of(page));
	for (tries = 0; tries < 20 && poisoned(page); tries++) {
		put(UNPOISON, text);
		usleep(1000);
	}
	return poisoned(page) ? STILL_POISONED : 0;
}

static int run_reload(void)
{
	int error = unload("fake_offline");

	return error ? error : load() ? NOT_DONE : 0;
}

static int run_balloon(const struct op *op)
{
	char line[160];

	sprintf(line, "modprobe fake-offline-balloon from=%" PRIu64
		" chunk=%u pages=%u", pfn_of(op->request[0].start),
		op->request[0].nr, op->request[0].nr);
	return command(line) ? NOT_DONE : 0;
}

static int pop(void)
{
	return unload("fake_offline_balloon");
}

static int run_op(const struct op *given, const struct model *before)
{
	struct op op = *given;

	model_resolve(before, &op);
	switch (op.kind) {
	case OP_GUARD:
	case OP_MARK:
		return run_pieces(FO "mark", &op);
	case OP_ANY:
		return run_any(&op);
	case OP_UNMARK:
		return run_pieces(FO "unmark", &op);
	case OP_UNMARK_ALL:
		return put(FO "unmark", "all\n");
	case OP_SKIPPABLE:
		return run_skippable(&op);
	case OP_OFFLINE:
		return run_offline(&op);
	case OP_ONLINE:
		return run_online(&op, before);
	case OP_INJECT:
		return run_inject(&op);
	case OP_CLEAR:
		return put(FO "inject", "clear\n");
	case OP_SOFT:
		return run_soft(&op, before);
	case OP_HOLD:
		return hold(op.number);
	case OP_DROP:
		return drop();
	case OP_RELOAD:
		return run_reload();
	case OP_BALLOON:
		return run_balloon(&op);
	case OP_POP:
		return pop();
	}
	return NOT_DONE;
}

struct half {
	const struct op *op;
	const struct model *before;
	pthread_barrier_t *start;
	int result;
};

static void *run_half(void *data)
{
	struct half *h = data;

	pthread_barrier_wait(h->start);
	h->result = run_op(h->op, h->before);
	return NULL;
}

void kernel_run(const struct step *s, const struct model *before, int *result)
{
	pthread_barrier_t start;
	struct half half[2];
	pthread_t thread;
	int i;

	result[1] = 0;
	if (s->nr_ops == 1) {
		result[0] = run_op(&s->op[0], before);
		return;
	}
	pthread_barrier_init(&start, NULL, 2);
	for (i = 0; i < 2; i++)
		half[i] = (struct half){ &s->op[i], before, &start, 0 };
	if (pthread_create(&thread, NULL, run_half, &half[1]))
		die("no second task");
	run_half(&half[0]);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&start);
	for (i = 0; i < 2; i++)
		result[i] = half[i].result;
}
