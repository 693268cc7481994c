// SPDX-License-Identifier: GPL-2.0
/*
 * The tracked ranges, in a maple tree from PFN to struct fo_range. It stands
 * outside the memmap, because the memmap of an offline block is garbage.
 *
 * All of it is protected by the gate's lock (gate.h). The tree's own spinlock
 * nests inside and is there for the tree's sake.
 */
#include <linux/maple_tree.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "gate.h"
#include "ranges.h"

static DEFINE_MTREE(ranges);
static u16 last_serial;

/* Stores @entry over [@first, @last], whatever was there. */
static int store(unsigned long first, unsigned long last, struct fo_range *entry,
		 gfp_t gfp)
{
	MA_STATE(mas, &ranges, first, last);
	int ret;

	mas_lock(&mas);
	ret = mas_store_gfp(&mas, entry, gfp);
	mas_unlock(&mas);
	return ret;
}

static u16 next_serial(void)
{
	if (!++last_serial)
		last_serial = 1;
	return last_serial;
}

/**
 * fo_ranges_insert() - add a range
 * @first: first PFN
 * @last: last PFN
 * @client: the owner
 * @flags: FAKE_OFFLINE_*, FO_RANGE_*
 * @serial: if 0, filled in: tells it from another one at the same place later;
 *	else that of the ranges that this one is a part of the same request as
 *
 * Context: holds the gate's lock, may sleep. Inverse: fo_ranges_erase().
 * Return: 0, -EEXIST if it overlaps a range, -ENOMEM.
 */
int fo_ranges_insert(unsigned long first, unsigned long last,
		     struct fake_offline_client *client, unsigned int flags,
		     u16 *serial)
{
	struct fo_range *range;
	int ret;

	lockdep_assert_held(&fo_gate);
	range = kmalloc(sizeof(*range), GFP_KERNEL);
	if (!range)
		return -ENOMEM;
	range->client = client;
	range->born_s = ktime_get_seconds();
	range->flags = flags;
	range->serial = *serial ?: next_serial();

	ret = mtree_insert_range(&ranges, first, last, range, GFP_KERNEL);
	if (ret)
		kfree(range);
	else
		*serial = range->serial;
	return ret;
}

/**
 * fo_ranges_erase() - forget a range
 * @e: the range, as fo_ranges_next() gave it
 *
 * Giving back must not fail for want of a tree node, hence __GFP_NOFAIL; it is
 * for a handful of objects of 256 bytes.
 *
 * Context: holds the gate's lock, may sleep. Inverse: fo_ranges_insert().
 */
void fo_ranges_erase(const struct fo_extent *e)
{
	lockdep_assert_held(&fo_gate);
	store(e->first, e->last, NULL, GFP_KERNEL | __GFP_NOFAIL);
	kfree(e->range);
}

/* Is [@first, @last] covered by ranges of one kind and of this serial? */
static bool joinable(unsigned long first, unsigned long last, u16 serial)
{
	const struct fo_range *kind = NULL;
	unsigned long pfn = first;
	struct fo_extent e;

	fo_for_each_extent(e, first, last) {
		if (e.first != pfn || e.last > last ||
		    e.range->serial != serial ||
		    e.range->flags & (FO_RANGE_UNSETTLED | FO_RANGE_ASIDE) ||
		    (kind && e.range->flags != kind->flags))
			return false;
		kind = e.range;
		pfn = e.last + 1;
	}
	return pfn == last + 1;
}

/**
 * fo_ranges_join() - make one range of those that one request took in parts
 * @first: first PFN of the first one
 * @last: last PFN of the last one
 * @serial: of all of them
 *
 * Where somebody has changed one of them meanwhile, or without memory, they stay
 * apart, and say the same of the same pages.
 *
 * Context: holds the gate's lock, may sleep.
 */
void fo_ranges_join(unsigned long first, unsigned long last, u16 serial)
{
	struct fo_range *whole;
	struct fo_extent e;

	lockdep_assert_held(&fo_gate);
	if (!joinable(first, last, serial) || !fo_ranges_next(first, last, &e))
		return;
	whole = kmemdup(e.range, sizeof(*whole), GFP_KERNEL);
	if (!whole)
		return;
	fo_for_each_extent(e, first, last) {
		store(first, e.last, whole, GFP_KERNEL | __GFP_NOFAIL);
		kfree(e.range);
	}
}

/* Cuts the range that holds both @pfn - 1 and @pfn between the two. */
static int split_before(unsigned long pfn)
{
	struct fo_range *upper;
	struct fo_extent e;
	int ret;

	if (!fo_ranges_next(pfn, pfn, &e) || e.first == pfn)
		return 0;

	upper = kmemdup(e.range, sizeof(*upper), GFP_KERNEL);
	if (!upper)
		return -ENOMEM;
	ret = store(pfn, e.last, upper, GFP_KERNEL);
	if (ret)
		kfree(upper);
	return ret;
}

/**
 * fo_ranges_split() - let no range stick out of [@first, @last] any more
 * @first: first PFN
 * @last: last PFN
 *
 * On failure there may be one range more than before; it says the same of the
 * same pages.
 *
 * Context: holds the gate's lock, may sleep.
 * Return: 0, -ENOMEM.
 */
int fo_ranges_split(unsigned long first, unsigned long last)
{
	int ret;

	lockdep_assert_held(&fo_gate);
	ret = split_before(first);
	if (!ret)
		ret = split_before(last + 1);
	return ret;
}

/**
 * fo_ranges_next() - the first range that overlaps [@from, @to]
 * @from: first PFN
 * @to: last PFN
 * @e: filled in
 *
 * Context: holds the gate's lock.
 * Return: false if there is none.
 */
bool fo_ranges_next(unsigned long from, unsigned long to, struct fo_extent *e)
{
	MA_STATE(mas, &ranges, from, from);

	lockdep_assert_held(&fo_gate);
	mas_lock(&mas);
	e->range = mas_find(&mas, to);
	e->first = mas.index;
	e->last = mas.last;
	mas_unlock(&mas);
	return e->range;
}

/**
 * fo_ranges_empty() - is nothing tracked?
 *
 * Context: any. Without the gate's lock the answer may be old.
 * Return: whether nothing is.
 */
bool fo_ranges_empty(void)
{
	return mtree_empty(&ranges);
}

/**
 * fo_ranges_pages() - how many pages of [@first, @last] are marked
 * @first: first PFN
 * @last: last PFN
 *
 * Context: holds the gate's lock.
 * Return: the number of pages.
 */
unsigned long fo_ranges_pages(unsigned long first, unsigned long last)
{
	unsigned long pages = 0;
	struct fo_extent e;

	fo_for_each_extent(e, first, last)
		pages += min(e.last, last) - max(e.first, first) + 1;
	return pages;
}
