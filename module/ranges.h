/* SPDX-License-Identifier: GPL-2.0 */
/* The tracked ranges: which pages are marked, how, and whose they are. */
#ifndef FO_RANGES_H
#define FO_RANGES_H

#include <linux/types.h>

struct fake_offline_client;

/**
 * struct fo_span - the pages that an operation is about
 * @first: first PFN
 * @last: last PFN
 */
struct fo_span {
	unsigned long first;
	unsigned long last;
};

/* Internal to the module, next to FAKE_OFFLINE_SKIPPABLE and _CANARY. */
#define FO_RANGE_BUSY		BIT(15)	/* being worked on: see gate.c */
#define FO_RANGE_TOGGLED	BIT(14)	/* its skippable bit was changed */
#define FO_RANGE_ASIDE		BIT(13)	/* makes way for pages beside it */
#define FO_RANGE_PENDING	BIT(12)	/* being taken through a cycle: gate.c */
#define FO_RANGE_UNTAKEN	BIT(11)	/* and the pages are still the kernel's */

/* What those are not to see who look at ranges or give them back. */
#define FO_RANGE_UNSETTLED	(FO_RANGE_BUSY | FO_RANGE_PENDING)

/**
 * struct fo_range - what the pages of one range have in common
 * @client: the owner
 * @born_s: when it was taken, in seconds of monotonic time
 * @flags: FAKE_OFFLINE_* and FO_RANGE_*
 * @serial: of the fo_ranges_insert() that made it, or what it was split from;
 *	what one request takes in parts has one; never 0
 *
 * Where the range lies is known to the tree alone: 16 bytes here, nothing per
 * page.
 */
struct fo_range {
	struct fake_offline_client *client;
	u32 born_s;
	u16 flags;
	u16 serial;
};

/**
 * struct fo_extent - a range and where it lies
 * @first: first PFN
 * @last: last PFN
 * @range: the rest
 */
struct fo_extent {
	unsigned long first;
	unsigned long last;
	struct fo_range *range;
};

int fo_ranges_insert(unsigned long first, unsigned long last,
		     struct fake_offline_client *client, unsigned int flags,
		     u16 *serial);
void fo_ranges_erase(const struct fo_extent *e);
void fo_ranges_join(unsigned long first, unsigned long last, u16 serial);
int fo_ranges_split(unsigned long first, unsigned long last);
bool fo_ranges_next(unsigned long from, unsigned long to, struct fo_extent *e);
bool fo_ranges_empty(void);
unsigned long fo_ranges_pages(unsigned long first, unsigned long last);

/**
 * fo_for_each_extent() - the ranges that overlap [@from, @to], ascending
 * @e: struct fo_extent, the current one; it may be erased in the loop's body
 * @from: first PFN
 * @to: last PFN
 *
 * A range at either end may stick out of it.
 */
#define fo_for_each_extent(e, from, to)					\
	for (bool __more = fo_ranges_next(from, to, &(e)); __more;	\
	     __more = (e).last < (to) && fo_ranges_next((e).last + 1, to, &(e)))

#endif /* FO_RANGES_H */
