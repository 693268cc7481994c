// SPDX-License-Identifier: GPL-2.0
/* Memory blocks as operands of a command line. */
#include "blockarg.h"
#include "sysroot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DAX "sys/bus/dax/devices/"

static bool read_number(const char *device, const char *file, uint64_t *value)
{
	struct sb path = {0}, line = {0};
	bool ok;

	sb_addf(&path, DAX "%s/%s", device, file);
	ok = root_read_line(ROOT, sb_str(&path), &line) &&
	     !parse_number(sb_str(&line), value);
	sb_free(&path);
	sb_free(&line);
	return ok;
}

/* Finds the blocks that lie wholly in the device's memory, as daxctl does. */
static const char *blocks_of_dax(const char *device, const struct units *u,
				 struct block_interval *in)
{
	uint64_t start, size, end;

	if (strchr(device, '/') || !read_number(device, "resource", &start) ||
	    !read_number(device, "size", &size) ||
	    __builtin_add_overflow(start, size, &end))
		return "not a DAX device with memory";
	if (!u->block)
		return "the size of a memory block is not known";
	in->first = start / u->block + !!(start % u->block);
	if (end / u->block <= in->first)
		return "no whole memory block";
	in->last = end / u->block - 1;
	return NULL;
}

int block_args_take(const struct command *cmd, const struct units *u, int argc,
		    char **argv, struct block_args *args)
{
	*args = (struct block_args){0};
	args->v = xrealloc(NULL, (size_t)argc, sizeof(*args->v));
	for (int i = 0; i < argc; i++) {
		struct block_interval *in = &args->v[i];
		const char *reason;

		if (!strncmp(argv[i], "dax", 3))
			reason = blocks_of_dax(argv[i], u, in);
		else
			reason = parse_blocks(argv[i], u, &in->first, &in->last);
		if (reason) {
			block_args_free(args);
			return usage_error_arg(cmd, argv[i], reason, block_forms);
		}
		args->n++;
	}
	return ST_DONE;
}

void block_args_free(struct block_args *args)
{
	free(args->v);
	*args = (struct block_args){0};
}

bool block_args_have(const struct block_args *args, uint64_t nr)
{
	for (size_t i = 0; i < args->n; i++)
		if (nr >= args->v[i].first && nr <= args->v[i].last)
			return true;
	return false;
}

bool block_span(const struct units *u, uint64_t nr, struct span *span)
{
	if (!u->block || nr > UINT64_MAX / u->block)
		return false;
	span->nr = u->block / u->page;
	span->pfn = nr * span->nr;
	return true;
}

void add_blocks(struct sb *sb, const struct units *u, struct span span)
{
	uint64_t first, last;

	if (!u->block)
		return;
	first = span.pfn / (u->block / u->page);
	last = (span.pfn + span.nr - 1) / (u->block / u->page);
	sb_add_u64(sb, first);
	if (last != first)
		sb_addf(sb, "-%" PRIu64, last);
}
