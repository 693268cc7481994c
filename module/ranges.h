/* SPDX-License-Identifier: GPL-2.0 */
/* The marked ranges: which pages, in what state, and whose they are. */
#ifndef FO_RANGES_H
#define FO_RANGES_H

#include <linux/rbtree.h>
#include <linux/types.h>

struct fake_offline_client;

/**
 * struct fo_span - a PFN range
 * @first: first PFN
 * @last: last PFN
 */
struct fo_span {
	unsigned long first;
	unsigned long last;
};

/**
 * enum fo_range_state - the state of a marked range
 * @FO_RANGE_NEW: not in the tree, or no longer
 * @FO_RANGE_TAKING: its pages are being taken from the kernel
 * @FO_RANGE_WAITING: a record alone, because its memory is offline or absent
 * @FO_RANGE_IN_FORCE: its pages are online and out of use
 * @FO_RANGE_ASIDE: in force, and its pages make way for pages beside them
 * @FO_RANGE_RELEASING: its pages are being given back
 *
 * A task that brings a range into TAKING, ASIDE or RELEASING works on it
 * without a lock. The range is *busy* until that task brings it out again. The
 * table of transitions is in ranges.c.
 */
enum fo_range_state {
	FO_RANGE_NEW,
	FO_RANGE_TAKING,
	FO_RANGE_WAITING,
	FO_RANGE_IN_FORCE,
	FO_RANGE_ASIDE,
	FO_RANGE_RELEASING,
	FO_NR_RANGE_STATES
};

/* In @flags of a range, next to FAKE_OFFLINE_SKIPPABLE, _CANARY and _ABSENT. */
#define FO_RANGE_FILL	BIT(7)	/* its canary is to be filled by the hook */
#define FO_RANGE_RETIRED	BIT(6)	/* its pages were hardware-poisoned before */

/**
 * struct fo_range - a marked range; it lies within one memory block
 * @node: in the tree
 * @first: first PFN
 * @last: last PFN
 * @client: the owner
 * @born_s: when it was taken, in seconds of monotonic time
 * @serial: of the request that it was taken for; neighbours with the same serial
 *	are listed as one
 * @flags: FAKE_OFFLINE_*, FO_RANGE_FILL, FO_RANGE_RETIRED
 * @state: enum fo_range_state; changed by fo_range_set_state() alone
 *
 * Nothing is allocated per page.
 */
struct fo_range {
	struct rb_node node;
	unsigned long first;
	unsigned long last;
	struct fake_offline_client *client;
	u32 born_s;
	u16 serial;
	u8 flags;
	u8 state;
};

struct fo_range *fo_range_alloc(gfp_t gfp);
void fo_range_free(struct fo_range *range);

u16 fo_ranges_serial(void);
void fo_ranges_insert(struct fo_range *range, enum fo_range_state state);
void fo_ranges_erase(struct fo_range *range);
void fo_range_set_state(struct fo_range *range, enum fo_range_state state);
bool fo_range_is_busy(const struct fo_range *range);
bool fo_range_is_marked(const struct fo_range *range);

bool fo_ranges_must_split(unsigned long pfn);
void fo_ranges_split(unsigned long pfn, struct fo_range *upper);

struct fo_range *fo_ranges_first(unsigned long from, unsigned long to);
struct fo_range *fo_ranges_next(const struct fo_range *range, unsigned long to);
bool fo_ranges_empty(void);
int fo_ranges_init(void);
void fo_ranges_exit(void);

/**
 * fo_for_each_range() - the ranges that overlap [@from, @to], ascending
 * @r: struct fo_range *, the current one
 * @from: first PFN
 * @to: last PFN
 *
 * fo_lock is held all the time. The body must not erase @r: see
 * fo_for_each_range_relocking().
 */
#define fo_for_each_range(r, from, to)					\
	for (r = fo_ranges_first(from, to); r; r = fo_ranges_next(r, to))

/**
 * fo_for_each_range_relocking() - likewise, and the body may drop fo_lock
 * @r: struct fo_range *, the current one
 * @pfn: unsigned long, where to look for the next one
 * @from: first PFN
 * @to: last PFN
 *
 * Nothing of @r is used after the body, so the body may also erase it: the next
 * range is looked up by its PFN.
 */
#define fo_for_each_range_relocking(r, pfn, from, to)			\
	for (pfn = (from);						\
	     (r = fo_ranges_first(pfn, to)) && (pfn = r->last + 1, true);)

#endif /* FO_RANGES_H */
