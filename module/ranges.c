// SPDX-License-Identifier: GPL-2.0
/*
 * The marked ranges, in a tree ordered by PFN. The tree stands outside the
 * memmap, because the memmap of an offline block is garbage.
 *
 * A range never crosses the border of a memory block. So one hotplug operation
 * covers a range as a whole, and the state of a range is that of all its pages.
 * Longer requests are several ranges with one serial number.
 *
 * An rb-tree, and not a maple tree: erasing from it needs no memory, so that a
 * release cannot fail for want of it, and a record that is allocated beforehand
 * goes in without an allocation under the lock.
 *
 * fo_lock (lock.h) protects all of it.
 */
#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include <linux/fake_offline_test.h>

#include "lock.h"
#include "ranges.h"

static struct rb_root tree = RB_ROOT;
static struct kmem_cache *cache;

/* Which state may follow which. */
static const u8 successors[FO_NR_RANGE_STATES] = {
	[FO_RANGE_NEW]		= BIT(FO_RANGE_TAKING) | BIT(FO_RANGE_WAITING),
	[FO_RANGE_TAKING]	= BIT(FO_RANGE_IN_FORCE) | BIT(FO_RANGE_NEW),
	[FO_RANGE_WAITING]	= BIT(FO_RANGE_IN_FORCE) | BIT(FO_RANGE_NEW) |
				  BIT(FO_RANGE_RELEASING),
	[FO_RANGE_IN_FORCE]	= BIT(FO_RANGE_WAITING) | BIT(FO_RANGE_RELEASING) |
				  BIT(FO_RANGE_REF_DROPPED),
	[FO_RANGE_REF_DROPPED]	= BIT(FO_RANGE_IN_FORCE),
	[FO_RANGE_RELEASING]	= BIT(FO_RANGE_NEW),
};

/* The flags of a request that its ranges keep. */
#define RANGE_FLAGS	(FAKE_OFFLINE_SKIPPABLE | FAKE_OFFLINE_CANARY | \
			 FAKE_OFFLINE_ABSENT)

/**
 * fo_range_alloc() - a record for fo_ranges_insert()
 * @pfns: the pages
 * @flags: FAKE_OFFLINE_* of the request
 * @gfp: allocation flags
 *
 * Inverse: fo_range_free().
 * Return: the record, or NULL.
 */
struct fo_range *fo_range_alloc(struct pfn_range pfns, unsigned int flags,
				gfp_t gfp)
{
	struct fo_range *range = kmem_cache_zalloc(cache, gfp);

	if (range) {
		range->pfns = pfns;
		range->flags = flags & RANGE_FLAGS;
	}
	return range;
}

/** fo_range_free() - free a record that is not in the tree; NULL is fine */
void fo_range_free(struct fo_range *range)
{
	if (range)
		kmem_cache_free(cache, range);
}

/** fo_ranges_serial() - a number for a request, never 0; holds fo_lock */
u16 fo_ranges_serial(void)
{
	static u16 last;

	lockdep_assert_held(&fo_lock);
	if (!++last)
		last = 1;
	return last;
}

/**
 * fo_range_is_busy() - does a task work on this range without the lock?
 * @range: in the tree
 *
 * Context: holds fo_lock.
 * Return: whether it does.
 */
bool fo_range_is_busy(const struct fo_range *range)
{
	return BIT(range->state) &
	       (BIT(FO_RANGE_TAKING) | BIT(FO_RANGE_RELEASING) |
		BIT(FO_RANGE_REF_DROPPED));
}

/**
 * fo_range_is_marked() - is it a mark that users and clients may see?
 * @range: in the tree
 *
 * Context: holds fo_lock.
 * Return: whether it is.
 */
bool fo_range_is_marked(const struct fo_range *range)
{
	return range->state != FO_RANGE_TAKING &&
	       range->state != FO_RANGE_RELEASING;
}

/**
 * fo_range_set_state() - the one way to change the state of a range
 * @range: in the tree
 * @state: a successor of its state
 *
 * Wakes the tasks that wait for a range that is no longer busy.
 *
 * Context: holds fo_lock.
 */
void fo_range_set_state(struct fo_range *range, enum fo_range_state state)
{
	bool was_busy = fo_range_is_busy(range);

	lockdep_assert_held(&fo_lock);
	WARN_ON_ONCE(!(successors[range->state] & BIT(state)));
	range->state = state;
	if (was_busy)
		fo_lock_wake();
}

static struct fo_range *range_of(struct rb_node *node)
{
	return rb_entry_safe(node, struct fo_range, node);
}

/**
 * fo_ranges_insert() - put a range into the tree
 * @range: filled in, overlaps no range of the tree
 * @state: FO_RANGE_TAKING or FO_RANGE_WAITING
 *
 * Context: holds fo_lock. Inverse: fo_ranges_erase().
 */
void fo_ranges_insert(struct fo_range *range, enum fo_range_state state)
{
	struct rb_node **link = &tree.rb_node, *parent = NULL;

	lockdep_assert_held(&fo_lock);
	while (*link) {
		parent = *link;
		link = range->pfns.first < range_of(parent)->pfns.first ?
		       &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&range->node, parent, link);
	rb_insert_color(&range->node, &tree);
	if (range->state == FO_RANGE_NEW) {
		range->born_s = ktime_get_seconds();
		fo_range_set_state(range, state);
	}
}

/**
 * fo_ranges_erase() - take a range out of the tree
 * @range: waiting, or busy and worked on by the caller, who frees it
 *
 * Context: holds fo_lock; does not sleep. Inverse: fo_ranges_insert().
 */
void fo_ranges_erase(struct fo_range *range)
{
	fo_range_set_state(range, FO_RANGE_NEW);
	rb_erase(&range->node, &tree);
}

/**
 * fo_ranges_must_split() - does a range cross from @pfn - 1 to @pfn?
 * @pfn: a page
 *
 * Context: holds fo_lock.
 * Return: whether it does.
 */
bool fo_ranges_must_split(unsigned long pfn)
{
	const struct fo_range *r = fo_ranges_first(PFN_RANGE(pfn, pfn));

	return r && r->pfns.first < pfn;
}

/**
 * fo_ranges_split() - cut a range before @pfn
 * @pfn: a page; fo_ranges_must_split() holds for it
 * @upper: a fresh record, becomes the part from @pfn on
 *
 * Context: holds fo_lock; does not sleep. The range is not busy.
 */
void fo_ranges_split(unsigned long pfn, struct fo_range *upper)
{
	struct fo_range *r = fo_ranges_first(PFN_RANGE(pfn, pfn));

	*upper = *r;
	upper->pfns.first = pfn;
	r->pfns.last = pfn - 1;
	fo_ranges_insert(upper, r->state);
}

/**
 * fo_ranges_first() - the first range that overlaps @pfns
 * @pfns: where; if it is empty, no range does
 *
 * Context: holds fo_lock.
 * Return: the range, or NULL.
 */
struct fo_range *fo_ranges_first(struct pfn_range pfns)
{
	struct rb_node *node = tree.rb_node;
	struct fo_range *r, *found = NULL;

	lockdep_assert_held(&fo_lock);
	while (node) {
		r = range_of(node);
		if (r->pfns.last >= pfns.first) {
			found = r;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found && pfns_overlap(found->pfns, pfns) ? found : NULL;
}

/**
 * fo_ranges_next() - the next range up to @last
 * @range: in the tree
 * @last: last PFN
 *
 * Context: holds fo_lock.
 * Return: the range, or NULL.
 */
struct fo_range *fo_ranges_next(const struct fo_range *range,
				unsigned long last)
{
	struct fo_range *r = range_of(rb_next(&range->node));

	return r && r->pfns.first <= last ? r : NULL;
}

/** fo_ranges_empty() - is nothing marked? Without fo_lock, the answer may be old. */
bool fo_ranges_empty(void)
{
	return !READ_ONCE(tree.rb_node);
}

/** fo_ranges_init() - module init; 0 or -ENOMEM; inverse: fo_ranges_exit() */
int fo_ranges_init(void)
{
	cache = KMEM_CACHE(fo_range, 0);
	return cache ? 0 : -ENOMEM;
}

/** fo_ranges_exit() - module exit, nothing is marked */
void fo_ranges_exit(void)
{
	kmem_cache_destroy(cache);
}
