// SPDX-License-Identifier: GPL-2.0
/*
 * Runs and times the operations that the benchmark compares: those of fake_offline, and
 * functions of the kernel. The time includes no system call and no parsing.
 *
 *	/sys/module/fake_offline_bench/parameters/run
 *		write "OPERATION START_PFN NR"; a read returns the time of the last
 *		operation in nanoseconds. NR is the number of pages, or of ranges
 *		of one page
 *
 * This module keeps no record of the pages that "alloc_contig" allocated, because the
 * record would be measured, too. They are lost without "free_contig" or "online".
 */
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/numa.h>
#include <linux/sched.h>
#include <linux/string.h>

#include <linux/fake_offline.h>

#include "compat.h"

#define LOOKUPS	100000

static struct fake_offline_client *client;
static u64 last_ns;

static int take(unsigned long start, unsigned long nr)
{
	struct fake_offline_request request = {
		.start_pfn = start,
		.nr_pages = nr,
		.flags = FAKE_OFFLINE_SKIPPABLE,
		.nid = NUMA_NO_NODE,
	};

	return fake_offline_take(client, &request, 1);
}

static int release(unsigned long start, unsigned long nr)
{
	struct fake_offline_range range = { start, nr };

	return fake_offline_release(client, &range, 1);
}

static int release_all(unsigned long start, unsigned long nr)
{
	return fake_offline_release_all(client);
}

/* The pages have the bit already, so this only splits their range. */
static int cut_out(unsigned long start, unsigned long nr)
{
	return fake_offline_set_skippable(client, start, nr, true);
}

/* Runs @operation for @nr single pages, which are @step pages apart. */
static int one_by_one(int (*operation)(unsigned long start, unsigned long nr),
		      unsigned long start, unsigned long nr, unsigned long step)
{
	unsigned long i;
	int ret = 0;

	for (i = 0; !ret && i < nr; i++) {
		ret = operation(start + step * i, 1);
		cond_resched();
	}
	return ret;
}

/*
 * Ranges of one page, with an unmarked page between them. Without the gap, a tree
 * could store two adjacent ranges with one border between them.
 */
static int take_scattered(unsigned long start, unsigned long nr)
{
	return one_by_one(take, start, nr, 2);
}

/*
 * Releases every other page of one range. The result is the same as that of
 * take_scattered(), in less time.
 */
static int release_every_other(unsigned long start, unsigned long nr)
{
	return one_by_one(release, start + 1, nr, 2);
}

/* Splits one range into ranges of one page. */
static int split(unsigned long start, unsigned long nr)
{
	return one_by_one(cut_out, start, nr, 1);
}

/* LOOKUPS of scattered pages, in an order that a cache cannot predict. */
static int look_up(unsigned long start, unsigned long nr)
{
	unsigned long i, found = 0;
	u32 random = 1;

	for (i = 0; i < LOOKUPS; i++) {
		random = random * 1664525 + 1013904223;
		found += fake_offline_owns(client,
					    start + 2 * ((u64)random * nr >> 32));
		if (!(i & 1023))
			cond_resched();
	}
	return found == LOOKUPS ? 0 : -ENOENT;
}

static int alloc_contig(unsigned long start, unsigned long nr)
{
	return alloc_contig_range(start, start + nr, COMPAT_ALLOC_CONTIG_HOW,
				  GFP_KERNEL | __GFP_NOWARN);
}

static int free_contig(unsigned long start, unsigned long nr)
{
	free_contig_range(start, nr);
	return 0;
}

/* Brings allocated pages into the state that generic_online_page() expects: see compat.h. */
static int withhold(unsigned long start, unsigned long nr)
{
	unsigned long i;

	for (i = 0; !COMPAT_OFFLINING_SUBTRACTS_PAGE_OFFLINE && i < nr; i++)
		__SetPageOffline(pfn_to_page(start + i));
	adjust_managed_page_count(pfn_to_page(start), -(long)nr);
	return 0;
}

/* Frees the pages in the chunks that online_pages() uses. */
static int online(unsigned long start, unsigned long nr)
{
	const unsigned int max_order = ilog2(MAX_ORDER_NR_PAGES);
	unsigned long pfn = start, end = start + nr;

	while (pfn < end) {
		unsigned int order = min_t(unsigned int, max_order, ilog2(end - pfn));

		if (pfn)
			order = min_t(unsigned int, order, __ffs(pfn));
		generic_online_page(pfn_to_page(pfn), order);
		pfn += 1UL << order;
	}
	return 0;
}

static const struct {
	const char *name;
	int (*run)(unsigned long start, unsigned long nr);
} operations[] = {
	{ "take", take },
	{ "release", release },
	{ "release_all", release_all },
	{ "take_scattered", take_scattered },
	{ "thin", release_every_other },
	{ "split", split },
	{ "look_up", look_up },
	{ "alloc_contig", alloc_contig },
	{ "free_contig", free_contig },
	{ "withhold", withhold },
	{ "online", online },
};

static int set_run(const char *value, const struct kernel_param *kp)
{
	unsigned long start, nr, i;
	char name[16];
	ktime_t began;
	int ret;

	if (sscanf(value, "%15s %lu %lu", name, &start, &nr) != 3 || !nr)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(operations); i++)
		if (!strcmp(operations[i].name, name))
			break;
	if (i == ARRAY_SIZE(operations))
		return -EINVAL;
	began = ktime_get();
	ret = operations[i].run(start, nr);
	last_ns = ktime_to_ns(ktime_sub(ktime_get(), began));
	return ret;
}

static int get_run(char *buffer, const struct kernel_param *kp)
{
	return scnprintf(buffer, PAGE_SIZE, "%llu\n", last_ns);
}

static const struct kernel_param_ops run_ops = {
	.set = set_run,
	.get = get_run,
};
module_param_cb(run, &run_ops, NULL, 0600);

static int __init bench_init(void)
{
	client = fake_offline_register("bench", THIS_MODULE, NULL, NULL);
	return PTR_ERR_OR_ZERO(client);
}

static void __exit bench_exit(void)
{
	fake_offline_unregister(client);
}

module_init(bench_init);
module_exit(bench_exit);

MODULE_DESCRIPTION("What is compared by the benchmark of fake_offline");
MODULE_AUTHOR("the fake_offline project");
MODULE_LICENSE("GPL");
