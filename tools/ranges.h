/* SPDX-License-Identifier: GPL-2.0 */
/* What the module's files say, taken apart. */
#ifndef OFFCTL_RANGES_H
#define OFFCTL_RANGES_H

#include "module.h"
#include "span.h"
#include "util.h"

/* The owner of what is marked through debugfs, that is with offctl. */
#define OWNER_DEBUGFS "debugfs"

struct marked {
	struct span span;
	bool skippable, canary;
	int64_t node;		/* -1: its memory is offline or absent */
	char *zone, *owner;	/* zone "-": the same */
	/*
	 * "in-force", "waiting" (for its memory), "not-in-force" or "poisoned";
	 * NULL: the module is older, and does not say.
	 */
	char *state;
	uint64_t age;		/* seconds */
};

struct marked_list {
	struct marked *v;	/* ascending, disjoint */
	size_t n, cap;
};

/* Reads "ranges"; false after an error message. */
bool marked_load(const struct module *m, const char *cmd,
		 struct marked_list *list);
void marked_free(struct marked_list *list);

/* The first one that ends behind pfn, or list->n. */
size_t marked_first(const struct marked_list *list, uint64_t pfn);
/* Is a page of the span marked? */
bool marked_any(const struct marked_list *list, struct span span);

/* Which of them a set is to hold. */
struct marked_filter {
	const char *owner;	/* NULL: any */
	bool match_flags;	/* only those that have these: */
	bool skippable, canary;
};

/* Has the kernel retired these pages (PG_hwpoison)? */
bool marked_poisoned(const struct marked *r);

struct spans marked_spans(const struct marked_list *list,
			  const struct marked_filter *filter);

struct injected {
	char *action, *point;
	int error;		/* 12 for ENOMEM */
	uint64_t count;
};

struct injected_list {
	struct injected *v;
	size_t n, cap;
};

/* Reads "inject"; false after an error message. */
bool injected_load(const struct module *m, const char *cmd,
		   struct injected_list *list);
void injected_free(struct injected_list *list);

/*
 * "verify", "stats", "last_failure", "last_refusal": one name and one value a line. The value
 * may be empty, or several words.
 */
struct pair {
	char *name, *value;
};

struct pairs {
	struct pair *v;
	size_t n, cap;
};

/* False after an error message; without one when cmd is NULL. */
bool pairs_load(const struct module *m, const char *cmd, const char *file,
		struct pairs *pairs);
void pairs_free(struct pairs *pairs);
/* NULL when there is none of that name. */
const char *pairs_get(const struct pairs *pairs, const char *name);

/*
 * "last_failure": why the last offlining or onlining that failed did so.
 * "last_refusal": why the last mark that was refused was.
 */
struct failure {
	uint64_t count;		/* how many have failed, this one included */
	struct span span;	/* the memory it was about */
	uint64_t pfn;		/* that was in the way, or UINT64_MAX */
	char *code, *owner;	/* of that page; NULL: not known, or none */
	char *reason;
};

/* False, without a message, when there is none. */
bool failure_load(const struct module *m, struct failure *failure);
bool refusal_load(const struct module *m, struct failure *refusal);
/* Is only kernel memory in the same page block in the way, not the page itself? */
bool refusal_is_neighbour(const struct failure *refusal);
/* How many marks were refused; 0 when none was, or nothing tells. */
uint64_t refusal_count(const struct module *m);
void failure_free(struct failure *failure);

#endif
