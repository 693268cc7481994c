/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A request to mark or unmark pages. "offctl mark" and "offctl unmark" share the parsing
 * of ranges, the command for the module, and the messages about the outcome.
 */
#ifndef OFFCTL_REQUEST_H
#define OFFCTL_REQUEST_H

#include "command.h"
#include "span.h"

struct request {
	struct units units;
	struct spans spans;	/* the pages; normalized */
	uint64_t pages;		/* their number */
	struct sb data;		/* the command for the module */
	struct sb what;		/* the name of the pages in messages */
	/* mark */
	bool any;		/* --size: any pages; spans is empty */
	bool skippable, canary;
	bool absent;		/* --absent */
	bool via_offline, force;	/* --via-offline, --force */
	bool soft;		/* --or-soft-offline, with its time limit */
	uint64_t soft_ms;
	/* unmark */
	bool all;		/* --all */
};

void request_free(struct request *r);
/*
 * Takes the operands as ranges, one for each line of the command for the module.
 * words() adds the rest of a line; it may be NULL. Returns a status.
 */
int request_take_ranges(const struct command *self, struct request *r, int argc,
			char **argv, void (*words)(struct request *r));
/* Says that the module refused the request. file is as for module_errno(). */
void request_refused(const struct command *self, const struct request *r,
		     const char *file, int error);

/* Prints one line for each span, such as "marked 2 pages (8 KiB) 0x...-0x...". */
void report_spans(const char *verb, const struct units *u,
		  const struct spans *spans);
/* Names the first span in a hint. Returns false if there is none. */
bool hint_first_span(const struct units *u, const struct spans *spans,
		     const char *is);

#define RANGE_HELP							\
"RANGE is one of\n"							\
"  0xSTART-0xEND   addresses as lsmem prints them; END is included\n"	\
"  0xSTART+SIZE    a SIZE such as 64M; K, M, G, T, P and KiB... are powers of\n" \
"                  1024, KB... are powers of 1000\n"			\
"  block:N[-M]     whole memory blocks\n"				\
"  pfn:N[+M]       one page, or M pages\n"

#endif
