/* SPDX-License-Identifier: GPL-2.0 */
/* The contents of the module's files. */
#ifndef OFFCTL_RANGES_H
#define OFFCTL_RANGES_H

#include "module.h"
#include "span.h"
#include "util.h"

/* The owner of ranges that were marked through debugfs, as offctl does. */
#define OWNER_DEBUGFS "debugfs"

struct marked {
	struct span span;
	bool skippable, canary;
	int64_t node;		/* -1: the memory is offline or absent */
	char *zone, *owner;	/* zone "-": the memory is offline or absent */
	/*
	 * "in-force", "waiting" (for memory), "not-in-force" or "poisoned". NULL: an
	 * older module, which does not show it.
	 */
	char *state;
	uint64_t age;		/* seconds */
};

struct marked_list {
	struct marked *v;	/* ascending, disjoint */
	size_t n, cap;
};

/* Reads the file "ranges". Returns false after an error message. */
bool marked_load(const struct module *m, const char *cmd,
		 struct marked_list *list);
void marked_free(struct marked_list *list);

/* The index of the first range that ends behind pfn, or list->n. */
size_t marked_first(const struct marked_list *list, uint64_t pfn);
/* Is a page of the span marked? */
bool marked_any(const struct marked_list *list, struct span span);

/* Selects ranges. */
struct marked_filter {
	const char *owner;	/* NULL: any */
	bool match_flags;	/* only ranges with these flags: */
	bool skippable, canary;
};

/* Has the kernel retired these pages (PG_hwpoison)? */
bool marked_poisoned(const struct marked *r);

/* The pages of the selected ranges. filter may be NULL. */
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

/* Reads the file "inject". Returns false after an error message. */
bool injected_load(const struct module *m, const char *cmd,
		   struct injected_list *list);
void injected_free(struct injected_list *list);

/*
 * The files "verify", "stats", "last_failure" and "last_refusal" have one name and one
 * value on each line. The value may be empty or several words.
 */
struct pair {
	char *name, *value;
};

struct pairs {
	struct pair *v;
	size_t n, cap;
};

/* Returns false after an error message, or without one if cmd is NULL. */
bool pairs_load(const struct module *m, const char *cmd, const char *file,
		struct pairs *pairs);
void pairs_free(struct pairs *pairs);
/* Returns NULL if there is no value of that name. */
const char *pairs_get(const struct pairs *pairs, const char *name);

/*
 * The file "last_failure" explains the last hotplug operation that failed, and
 * "last_refusal" the last mark that the module refused.
 */
struct failure {
	uint64_t count;		/* failures until now, including this one */
	struct span span;	/* the memory of the request */
	uint64_t pfn;		/* the page in the way, or UINT64_MAX */
	int64_t error;		/* negative errno; 0: not known */
	char *code;		/* of the reason; NULL: not known */
	char *owner;		/* of that page; NULL: not known, or none */
	char *reason;
};

/* Return false without a message if there is none. */
bool failure_load(const struct module *m, struct failure *failure);
bool refusal_load(const struct module *m, struct failure *refusal);
/*
 * Does the reason list the possible causes of an errno only? offctl knows more, because it
 * has read the state of the block.
 */
bool failure_is_vague(const struct failure *failure);
/* Is only kernel memory in the same page block in the way, not the page itself? */
bool refusal_is_neighbour(const struct failure *refusal);
/* The number of refused marks, or 0 if the module does not show it. */
uint64_t refusal_count(const struct module *m);
void failure_free(struct failure *failure);

#endif
