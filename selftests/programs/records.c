// SPDX-License-Identifier: GPL-2.0
#include "records.h"
#include "common.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void print_facts(const struct facts *f)
{
	printf(" %" PRIx64 ":%d:%d", f->flags, f->page.refs, f->page.mapcount);
}

void record_print(const struct record *r)
{
	printf("%" PRIu64, r->pfn);
	print_facts(&r->before);
	print_facts(&r->after);
	printf(" %s %s %" PRId64, r->result, r->code, (int64_t)r->culprit);
	print_facts(&r->culprit_before);
	print_facts(&r->culprit_after);
	printf(" %s\n", r->reason);
}

static bool parse(const char *line, struct record *r)
{
	struct facts *f[] = { &r->before, &r->after, &r->culprit_before,
			      &r->culprit_after };
	int64_t culprit;
	int end = -1;

	memset(r, 0, sizeof(*r));
	sscanf(line, "%" SCNu64 " %" SCNx64 ":%d:%d %" SCNx64
	       ":%d:%d %31s %31s %" SCNd64 " %" SCNx64 ":%d:%d %" SCNx64
	       ":%d:%d %n", &r->pfn,
	       &f[0]->flags, &f[0]->page.refs, &f[0]->page.mapcount,
	       &f[1]->flags, &f[1]->page.refs, &f[1]->page.mapcount,
	       r->result, r->code, &culprit,
	       &f[2]->flags, &f[2]->page.refs, &f[2]->page.mapcount,
	       &f[3]->flags, &f[3]->page.refs, &f[3]->page.mapcount, &end);
	if (end < 0)
		return false;
	r->culprit = (uint64_t)culprit;
	snprintf(r->reason, sizeof(r->reason), "%s", line + end);
	r->reason[strcspn(r->reason, "\n")] = '\0';
	return true;
}

/* The words of the module for a page that cannot move, and the kinds that they fit. */
static enum kind said_kind(const char *reason)
{
	static const struct {
		const char *words;
		enum kind kind;
	} said[] = {
		{ ": reserved: boot memory or the kernel itself", KIND_RESERVED },
		{ ": kernel memory (slab)", KIND_SLAB },
		{ ": a page table", KIND_PGTABLE },
		{ ": hardware-poisoned", KIND_POISONED },
		{ ": kernel memory, without a reference of its own", KIND_LOOSE },
		{ ": kernel memory", KIND_KERNEL },
	};
	size_t i, n = strlen(reason);

	for (i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		size_t len = strlen(said[i].words);

		if (n > len && !strcmp(reason + n - len, said[i].words))
			return said[i].kind;
	}
	return NR_KINDS;
}

static bool names_itself(const struct record *r)
{
	return r->culprit == r->pfn;
}

static bool same_block(const struct record *r)
{
	return r->culprit != NOBODY && !names_itself(r) &&
	       r->culprit / PAGE_BLOCK == r->pfn / PAGE_BLOCK;
}

/* Is the reason true of a page of that kind? */
static bool page_fits(const struct record *r, const struct facts *page)
{
	enum kind kind = kind_of(page), said = said_kind(r->reason);

	if (!strcmp(r->code, "kernel_memory"))
		return names_itself(r) &&
		       (kind == said || (kind == KIND_KERNEL &&
					 said == KIND_LOOSE && !page->page.refs));
	if (!strcmp(r->code, "neighbour"))
		return same_block(r) &&
		       (kind == KIND_FREE || kind_is_movable(kind));
	if (!strcmp(r->code, "pinned") || !strcmp(r->code, "in_use"))
		return names_itself(r) && kind_is_movable(kind);
	if (!strcmp(r->code, "transient"))
		return kind == KIND_FREE;
	if (!strcmp(r->code, "marked"))
		return kind == KIND_OFFLINE;
	return false;
}

/* Is it true of the page that it names, too? */
static bool culprit_fits(const struct record *r, const struct facts *culprit)
{
	return strcmp(r->code, "neighbour") ||
	       kind_of(culprit) == said_kind(r->reason);
}

/*
 * true: the reason fits the pages before and after the try. once: it fits only before or
 * only after, since a page changed in between. untrue: it fits neither. Only the look after
 * the try tells whether a loose page is free.
 */
static const char *judge_one(const struct record *r)
{
	const struct facts *was = kind_of(&r->before) == KIND_LOOSE ?
				  &r->after : &r->before;
	bool page[2], culprit[2];

	if (!strcmp(r->result, "ok"))
		return kind_of(&r->after) == KIND_OFFLINE ? "true" : "untrue";
	page[0] = page_fits(r, was);
	page[1] = page_fits(r, &r->after);
	culprit[0] = culprit_fits(r, &r->culprit_before);
	culprit[1] = culprit_fits(r, &r->culprit_after);
	if (page[0] && page[1] && culprit[0] && culprit[1])
		return "true";
	return (page[0] || page[1]) && (culprit[0] || culprit[1]) ? "once" :
	       "untrue";
}

/* PFN KIND AFTER RESULT CODE VERDICT CULPRIT KIND REASON */
void records_judge(void)
{
	struct record r;
	char line[1024];

	while (fgets(line, sizeof(line), stdin)) {
		if (!parse(line, &r))
			die("no record: %s", line);
		printf("%" PRIu64 " %s %s %s %s %s %" PRId64 " %s %s\n", r.pfn,
		       kind_name(kind_of(&r.before)),
		       kind_name(kind_of(&r.after)), r.result, r.code,
		       judge_one(&r), (int64_t)r.culprit,
		       r.culprit == NOBODY ? "-" :
		       kind_name(kind_of(&r.culprit_after)), r.reason);
	}
}
