/* SPDX-License-Identifier: GPL-2.0 */
/* The marked ranges: which pages, in what state, and whose they are. */
#ifndef FO_RANGES_H
#define FO_RANGES_H

#include <linux/rbtree.h>
#include <linux/types.h>

#include "pfn_range.h"

struct fake_offline_client;

/**
 * enum fo_range_state - the state of a marked range
 * @FO_RANGE_NEW: not in the tree, or no longer
 * @FO_RANGE_TAKING: its pages are being taken from the kernel
 * @FO_RANGE_WAITING: a record alone, because its memory is offline or absent
 * @FO_RANGE_IN_FORCE: its pages are online and out of use
 * @FO_RANGE_REF_DROPPED: in force, and its pages have no reference for a moment, so
 *	that the kernel lets pages beside them be taken
 * @FO_RANGE_RELEASING: its pages are being given back
 *
 * A task that brings a range into TAKING, REF_DROPPED or RELEASING works on it
 * without a lock. The range is *busy* until that task brings it out again. The
 * table of transitions is in ranges.c.
 */
enum fo_range_state {
	FO_RANGE_NEW,
	FO_RANGE_TAKING,
	FO_RANGE_WAITING,
	FO_RANGE_IN_FORCE,
	FO_RANGE_REF_DROPPED,
	FO_RANGE_RELEASING,
	FO_NR_RANGE_STATES
};

/* In @flags of a range, next to FAKE_OFFLINE_SKIPPABLE, _CANARY and _ABSENT. */
#define FO_RANGE_FILL	BIT(7)	/* its canary is to be filled by the hook */
#define FO_RANGE_RETIRED	BIT(6)	/* its pages were hardware-poisoned before */

/**
 * struct fo_range - a marked range; it lies within one memory block
 * @node: in the tree
 * @pfns: the pages
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
	struct pfn_range pfns;
	struct fake_offline_client *client;
	u32 born_s;
	u16 serial;
	u8 flags;
	u8 state;
};

struct fo_range *fo_range_alloc(struct pfn_range pfns, unsigned int flags,
				gfp_t gfp);
void fo_range_free(struct fo_range *range);

u16 fo_ranges_serial(void);
void fo_ranges_insert(struct fo_range *range, enum fo_range_state state);
void fo_ranges_erase(struct fo_range *range);
void fo_range_set_state(struct fo_range *range, enum fo_range_state state);
bool fo_range_is_busy(const struct fo_range *range);
bool fo_range_is_marked(const struct fo_range *range);

bool fo_ranges_must_split(unsigned long pfn);
void fo_ranges_split(unsigned long pfn, struct fo_range *upper);

struct fo_range *fo_ranges_first(struct pfn_range pfns);
struct fo_range *fo_ranges_next(const struct fo_range *range,
				unsigned long last);
bool fo_ranges_empty(void);
int fo_ranges_init(void);
void fo_ranges_exit(void);

/**
 * fo_for_each_range() - the ranges that overlap @within, ascending
 * @r: struct fo_range *, the current one
 * @within: struct pfn_range
 *
 * fo_lock is held all the time. The body must not erase @r: see
 * fo_for_each_range_relocking().
 */
#define fo_for_each_range(r, within)					\
	for (r = fo_ranges_first(within); r; r = fo_ranges_next(r, (within).last))

/**
 * fo_for_each_range_relocking() - likewise, and the body may drop fo_lock
 * @r: struct fo_range *, the current one
 * @pfn: unsigned long, where to look for the next one
 * @within: struct pfn_range
 *
 * Nothing of @r is used after the body, so the body may also erase it: the next
 * range is looked up by its PFN.
 */
#define fo_for_each_range_relocking(r, pfn, within)			\
	for (pfn = (within).first;					\
	     (r = fo_ranges_first(PFN_RANGE(pfn, (within).last))) &&	\
	     (pfn = r->pfns.last + 1, true);)

#endif /* FO_RANGES_H */
