// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of PFN ranges, of the tree of marked ranges and of their states.
 *
 * The file includes ranges.c, so it tests a tree of its own. The slab cache of that tree has
 * the name that the cache of fake_offline has, so only one of the two modules is loaded. It stands in for lock.c with a mutex and a counter.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/string.h>

#include "../../module/ranges.c"

#include "kunit-twin.h"

bool kunit_twin_wrong;
module_param_named(wrong, kunit_twin_wrong, bool, 0444);
MODULE_PARM_DESC(wrong, "one expectation of some tests is wrong, so that they fail");

DEFINE_MUTEX(fo_lock);
static unsigned int wakes;

void fo_lock_wake(void)
{
	wakes++;
}

/* ---- pfn_range.h */

static void range_size(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, nr_pfns(PFN_RANGE(5, 5)), 1UL);
	KUNIT_EXPECT_EQ(test, nr_pfns(PFN_RANGE(5, 9)), 5UL);
	KUNIT_EXPECT_EQ(test, nr_pfns(NO_PFNS), 0UL);
	KUNIT_EXPECT_EQ(test, nr_pfns(PFN_RANGE(1, ULONG_MAX)), ULONG_MAX);
}

static void range_overlap(struct kunit *test)
{
	const struct pfn_range r = PFN_RANGE(10, 19);

	KUNIT_EXPECT_TRUE(test, pfns_overlap(r, r));
	KUNIT_EXPECT_TRUE(test, pfns_overlap(r, PFN_RANGE(0, 10)));
	KUNIT_EXPECT_TRUE(test, pfns_overlap(r, PFN_RANGE(19, 30)));
	KUNIT_EXPECT_TRUE(test, pfns_overlap(r, PFN_RANGE(12, 13)));
	KUNIT_EXPECT_TRUE(test, pfns_overlap(r, ALL_PFNS));
	KUNIT_EXPECT_FALSE(test, pfns_overlap(r, PFN_RANGE(0, 9)));
	KUNIT_EXPECT_FALSE(test, pfns_overlap(r, PFN_RANGE(20, ULONG_MAX)));
	KUNIT_EXPECT_FALSE(test, pfns_overlap(r, NO_PFNS));
	KUNIT_EXPECT_FALSE(test, pfns_overlap(ALL_PFNS, NO_PFNS));
}

static void expect_range(struct kunit *test, struct pfn_range got,
			 unsigned long first, unsigned long last)
{
	KUNIT_EXPECT_EQ(test, got.first, first);
	KUNIT_EXPECT_EQ(test, got.last, last);
}

static void range_cut(struct kunit *test)
{
	expect_range(test, pfns_until(3, 7), 3, 6);
	expect_range(test, pfns_until(0, ULONG_MAX), 0, ULONG_MAX - 1);
	KUNIT_EXPECT_EQ(test, nr_pfns(pfns_until(7, 7)), 0UL);
	KUNIT_EXPECT_EQ(test, nr_pfns(pfns_until(8, 7)), 0UL);
	expect_range(test, pfns_common(PFN_RANGE(1, 9), PFN_RANGE(5, 20)), 5, 9);
	expect_range(test, pfns_common(ALL_PFNS, PFN_RANGE(5, 20)), 5, 20);
}

static void range_blocks(struct kunit *test)
{
	const unsigned long small = pageblock_nr_pages, block = fo_block_pages();

	expect_range(test, pageblocks_of(PFN_RANGE(0, 0)), 0, small - 1);
	expect_range(test, pageblocks_of(PFN_RANGE(small - 1, small)),
		     0, 2 * small - 1);
	expect_range(test, pageblocks_of(PFN_RANGE(3 * small, 4 * small - 1)),
		     3 * small, 4 * small - 1);
	KUNIT_EXPECT_EQ(test, fo_block_of(block - 1), 0UL);
	KUNIT_EXPECT_EQ(test, fo_block_of(block), 1UL);
	expect_range(test, fo_block_pfns(3), 3 * block, 4 * block - 1);
	expect_range(test, fo_in_first_block(PFN_RANGE(block - 2, 5 * block)),
		     block - 2, block - 1);
	expect_range(test, fo_in_first_block(PFN_RANGE(block, block + 1)),
		     block, block + 1);
}

/* ---- the states; docs/design.md has the events that cause each transition */

static const char *const state_names[FO_NR_RANGE_STATES] = {
	"NEW", "TAKING", "WAITING", "IN_FORCE", "REF_DROPPED", "RELEASING"
};

/* The states that may follow, in the order of the enum: one row for each state. */
static const char *const allowed[FO_NR_RANGE_STATES] = {
	[FO_RANGE_NEW]		= ".TW...",
	[FO_RANGE_TAKING]	= "N..I..",
	[FO_RANGE_WAITING]	= "N..I.R",
	[FO_RANGE_IN_FORCE]	= "..W.DR",
	[FO_RANGE_REF_DROPPED]	= "...I..",
	[FO_RANGE_RELEASING]	= "N.....",
};

static void state_transitions(struct kunit *test)
{
	int from, to;

	for (from = 0; from < FO_NR_RANGE_STATES; from++) {
		for (to = 0; to < FO_NR_RANGE_STATES; to++) {
			bool want = allowed[from][to] != '.';

			if (!from && !to)
				want ^= kunit_twin_wrong;
			KUNIT_EXPECT_EQ_MSG(test, !!(successors[from] & BIT(to)), want,
					    "%s to %s", state_names[from],
					    state_names[to]);
		}
	}
}

/* Every state can be reached, and from every state a range can be given back. */
static void state_paths(struct kunit *test)
{
	unsigned long forth = BIT(FO_RANGE_NEW), back = 0;
	int i, state;

	for (i = 0; i < FO_NR_RANGE_STATES; i++) {
		for (state = 0; state < FO_NR_RANGE_STATES; state++) {
			if (forth & BIT(state))
				forth |= successors[state];
			if (successors[state] & (back | BIT(FO_RANGE_NEW)))
				back |= BIT(state);
		}
	}
	KUNIT_EXPECT_EQ(test, forth, BIT(FO_NR_RANGE_STATES) - 1);
	KUNIT_EXPECT_EQ(test, back, BIT(FO_NR_RANGE_STATES) - 1);
}

static void state_kinds(struct kunit *test)
{
	static const bool busy[] = { 0, 1, 0, 0, 1, 1 };
	static const bool marked[] = { 1, 0, 1, 1, 1, 0 };
	struct fo_range r = {};

	for (r.state = 0; r.state < FO_NR_RANGE_STATES; r.state++) {
		KUNIT_EXPECT_EQ_MSG(test, fo_range_is_busy(&r), busy[r.state],
				    "%s", state_names[r.state]);
		KUNIT_EXPECT_EQ_MSG(test, fo_range_is_marked(&r),
				    marked[r.state], "%s", state_names[r.state]);
	}
}

/* A transition wakes the tasks that wait if the range was busy before, and only then. */
static void state_wakes(struct kunit *test)
{
	static const u8 walk[] = {
		FO_RANGE_TAKING, FO_RANGE_IN_FORCE, FO_RANGE_REF_DROPPED,
		FO_RANGE_IN_FORCE, FO_RANGE_WAITING, FO_RANGE_IN_FORCE,
		FO_RANGE_RELEASING, FO_RANGE_NEW,
	};
	static const bool wakes_after[] = { 0, 1, 0, 1, 0, 0, 0, 1 };
	struct fo_range r = {};
	int i;

	mutex_lock(&fo_lock);
	for (i = 0; i < ARRAY_SIZE(walk); i++) {
		wakes = 0;
		fo_range_set_state(&r, walk[i]);
		KUNIT_EXPECT_EQ(test, r.state, walk[i]);
		KUNIT_EXPECT_EQ_MSG(test, wakes, (unsigned int)wakes_after[i],
				    "step %d", i);
	}
	mutex_unlock(&fo_lock);
}

/* ---- the tree */

#define NR_SLOTS	500
#define SLOT_PAGES	10UL

/* A range of 1 to SLOT_PAGES pages in each slot, at its start. */
static struct pfn_range slot_pfns(unsigned int slot)
{
	return PFN_RANGE(slot * SLOT_PAGES,
			 slot * SLOT_PAGES + slot % SLOT_PAGES);
}

/* Inserts a range for each slot in a random order that is the same in every run. */
static void fill_tree(struct kunit *test, struct fo_range **slots)
{
	static unsigned int order[NR_SLOTS];
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, 20261127);
	for (i = 0; i < NR_SLOTS; i++) {
		unsigned int j = prandom_u32_state(&rnd) % (i + 1);

		order[i] = order[j];
		order[j] = i;
	}
	for (i = 0; i < NR_SLOTS; i++) {
		unsigned int slot = order[i];

		slots[slot] = fo_range_alloc(slot_pfns(slot), 0, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, slots[slot]);
	}
	mutex_lock(&fo_lock);
	for (i = 0; i < NR_SLOTS; i++)
		fo_ranges_insert(slots[order[i]], FO_RANGE_WAITING);
	mutex_unlock(&fo_lock);
}

static void erase(struct fo_range *range)
{
	mutex_lock(&fo_lock);
	fo_ranges_erase(range);
	mutex_unlock(&fo_lock);
	fo_range_free(range);
}

/*
 * The model: slot s has a range or has none. Compares the tree with it, at every PFN, by
 * looking up one page, and by walking a part.
 */
static void compare(struct kunit *test, struct fo_range **slots)
{
	unsigned long pfn, wrong = 0;
	unsigned int slot = 0;
	struct fo_range *r;

	mutex_lock(&fo_lock);
	for (pfn = 0; pfn < (NR_SLOTS + 2) * SLOT_PAGES; pfn++) {
		struct fo_range *want = NULL;

		slot = pfn / SLOT_PAGES;
		if (slot < NR_SLOTS && slots[slot] &&
		    pfn <= slots[slot]->pfns.last)
			want = slots[slot];
		wrong += fo_ranges_first(PFN_RANGE(pfn, pfn)) != want;
		wrong += fo_ranges_must_split(pfn) !=
			 (want && want->pfns.first < pfn);
	}
	slot = 0;
	fo_for_each_range(r, ALL_PFNS) {
		while (slot < NR_SLOTS && !slots[slot])
			slot++;
		wrong += slot == NR_SLOTS || slots[slot] != r;
		slot++;
	}
	while (slot < NR_SLOTS && !slots[slot])
		slot++;
	mutex_unlock(&fo_lock);
	KUNIT_EXPECT_EQ(test, wrong, (unsigned long)kunit_twin_wrong);
	KUNIT_EXPECT_EQ(test, slot, (unsigned int)NR_SLOTS);
}

static void tree_order(struct kunit *test)
{
	struct fo_range **slots;
	unsigned int i;

	slots = kunit_kcalloc(test, NR_SLOTS, sizeof(*slots), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, slots);
	KUNIT_EXPECT_TRUE(test, fo_ranges_empty());
	fill_tree(test, slots);
	compare(test, slots);
	for (i = 0; i < NR_SLOTS; i++) {
		if (i % 3 == 1)
			continue;
		erase(slots[i]);
		slots[i] = NULL;
	}
	compare(test, slots);
	KUNIT_EXPECT_FALSE(test, fo_ranges_empty());
	for (i = 0; i < NR_SLOTS; i++)
		if (slots[i])
			erase(slots[i]);
	KUNIT_EXPECT_TRUE(test, fo_ranges_empty());
}

static void tree_bounds(struct kunit *test)
{
	struct fo_range *low, *high;

	low = fo_range_alloc(PFN_RANGE(0, 0), 0, GFP_KERNEL);
	high = fo_range_alloc(PFN_RANGE(ULONG_MAX, ULONG_MAX), 0, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, low);
	KUNIT_ASSERT_NOT_NULL(test, high);
	mutex_lock(&fo_lock);
	fo_ranges_insert(high, FO_RANGE_WAITING);
	fo_ranges_insert(low, FO_RANGE_WAITING);
	KUNIT_EXPECT_PTR_EQ(test, fo_ranges_first(ALL_PFNS), low);
	KUNIT_EXPECT_PTR_EQ(test, fo_ranges_next(low, ULONG_MAX), high);
	KUNIT_EXPECT_NULL(test, fo_ranges_next(low, ULONG_MAX - 1));
	KUNIT_EXPECT_NULL(test, fo_ranges_next(high, ULONG_MAX));
	KUNIT_EXPECT_NULL(test, fo_ranges_first(PFN_RANGE(1, ULONG_MAX - 1)));
	KUNIT_EXPECT_NULL(test, fo_ranges_first(NO_PFNS));
	mutex_unlock(&fo_lock);
	erase(low);
	erase(high);
}

static void tree_relocking(struct kunit *test)
{
	struct fo_range **slots, *r;
	unsigned long pfn;
	unsigned int nr = 0;

	slots = kunit_kcalloc(test, NR_SLOTS, sizeof(*slots), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, slots);
	fill_tree(test, slots);
	mutex_lock(&fo_lock);
	fo_for_each_range_relocking(r, pfn, ALL_PFNS) {
		fo_ranges_erase(r);
		fo_range_free(r);
		nr++;
	}
	mutex_unlock(&fo_lock);
	KUNIT_EXPECT_EQ(test, nr, (unsigned int)NR_SLOTS);
	KUNIT_EXPECT_TRUE(test, fo_ranges_empty());
}

static void tree_split(struct kunit *test)
{
	const unsigned int flags = FAKE_OFFLINE_SKIPPABLE | FAKE_OFFLINE_CANARY;
	struct fo_range *r, *upper;

	/* FAKE_OFFLINE_ONCE is about the request, and a range does not keep it. */
	r = fo_range_alloc(PFN_RANGE(100, 199), flags | FAKE_OFFLINE_ONCE,
			   GFP_KERNEL);
	upper = fo_range_alloc(NO_PFNS, 0, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, r);
	KUNIT_ASSERT_NOT_NULL(test, upper);
	KUNIT_EXPECT_EQ(test, (unsigned int)r->flags, flags);
	mutex_lock(&fo_lock);
	fo_ranges_insert(r, FO_RANGE_WAITING);
	r->serial = 7;
	r->born_s = 1234;
	KUNIT_EXPECT_FALSE(test, fo_ranges_must_split(100));
	KUNIT_EXPECT_TRUE(test, fo_ranges_must_split(101));
	KUNIT_EXPECT_TRUE(test, fo_ranges_must_split(199));
	KUNIT_EXPECT_FALSE(test, fo_ranges_must_split(200));
	fo_ranges_split(150, upper);
	KUNIT_EXPECT_FALSE(test, fo_ranges_must_split(150));
	expect_range(test, r->pfns, 100, 149);
	expect_range(test, upper->pfns, 150, 199);
	KUNIT_EXPECT_EQ(test, upper->flags, r->flags);
	KUNIT_EXPECT_EQ(test, upper->state, r->state);
	KUNIT_EXPECT_EQ(test, upper->serial, 7);
	KUNIT_EXPECT_EQ(test, upper->born_s, 1234U);
	KUNIT_EXPECT_PTR_EQ(test, fo_ranges_next(r, ULONG_MAX), upper);
	mutex_unlock(&fo_lock);
	erase(r);
	erase(upper);
}

/* A serial number has 16 bits. 0 is no serial number. */
static void tree_serial(struct kunit *test)
{
	unsigned int i, same = 0, zero = 0;
	u16 last, serial;

	mutex_lock(&fo_lock);
	last = fo_ranges_serial();
	for (i = 0; i < 2 * U16_MAX + 2; i++) {
		serial = fo_ranges_serial();
		same += serial == last;
		zero += !serial;
		last = serial;
	}
	mutex_unlock(&fo_lock);
	KUNIT_EXPECT_EQ(test, same, 0U);
	KUNIT_EXPECT_EQ(test, zero, 0U);
}

static int begin(struct kunit_suite *suite)
{
	return fo_ranges_init();
}

static void end(struct kunit_suite *suite)
{
	fo_ranges_exit();
}

static struct kunit_case cases[] = {
	KUNIT_CASE(range_size), KUNIT_CASE(range_overlap),
	KUNIT_CASE(range_cut), KUNIT_CASE(range_blocks),
	KUNIT_CASE(state_transitions), KUNIT_CASE(state_paths),
	KUNIT_CASE(state_kinds), KUNIT_CASE(state_wakes),
	KUNIT_CASE(tree_order), KUNIT_CASE(tree_bounds),
	KUNIT_CASE(tree_relocking), KUNIT_CASE(tree_split),
	KUNIT_CASE(tree_serial), {}
};

static struct kunit_suite suite = {
	.name = "fake_offline_ranges",
	.suite_init = begin,
	.suite_exit = end,
	.test_cases = cases,
};
kunit_test_suite(suite);

MODULE_DESCRIPTION("Unit tests of fake_offline");
MODULE_LICENSE("GPL");
