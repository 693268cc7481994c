// SPDX-License-Identifier: GPL-2.0
/*
 * Memory blocks that are gone, and the marks that go with them.
 *
 * The marks of a memory block are deleted when the block is unplugged. If a DIMM comes
 * back at the same place, its pages are ordinary memory. The kernel does not notify
 * modules of the removal. But the new device has another directory in sysfs. So this
 * file holds a reference to the kernfs node of the directory of each block with marks.
 * While it does, no other node can have the same address.
 *
 * The reference pins neither the device nor a mount, and no /sys is needed in the
 * caller's namespace. The node is compared before the block comes online, before pages
 * are taken, and when debugfs shows the marks.
 */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/kernfs.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/sysfs.h>
#include <linux/xarray.h>

#include <linux/fake_offline.h>

#include "client.h"
#include "hook.h"
#include "lock.h"
#include "ranges.h"
#include "stats.h"
#include "unplug.h"

/* From the number of a block to its node. Erased under fo_lock. */
static DEFINE_XARRAY(watches);

/*
 * The directory /sys/devices/system/memory. Nothing exported leads there but the
 * way over a CPU, which is in its sibling; and a path, which is longer, and only
 * as good as the caller's mounts.
 */
static struct kernfs_node *memory_dir(void)
{
	struct device *cpu = get_cpu_device(cpumask_first(cpu_possible_mask));
	struct kobject *cpus = cpu ? cpu->kobj.parent : NULL;

	if (!cpus || !cpus->parent)
		return NULL;
	return sysfs_get_dirent(cpus->parent->sd, "memory");
}

/* Inverse: kernfs_put(). Return: NULL if there is no such block. */
static struct kernfs_node *find_block(struct kernfs_node *dir,
				      unsigned long block)
{
	char name[sizeof("memory") + 20];

	snprintf(name, sizeof(name), "memory%lu", block);
	return sysfs_get_dirent(dir, name);
}

/* Whether the block is another one than @node was. */
static bool is_gone(unsigned long block, const struct kernfs_node *node)
{
	struct kernfs_node *dir, *now;

	/* Online memory cannot be unplugged. */
	if (pfn_to_online_page(fo_block_pfns(block).first))
		return false;
	dir = memory_dir();
	if (!dir)
		return false;	/* there is no telling */
	now = find_block(dir, block);
	kernfs_put(now);
	kernfs_put(dir);
	return now != node;
}

/**
 * fo_unplug_watch() - notice it when a block goes
 * @pfn: a page of it
 *
 * Context: sleeps, holds nothing. Inverse: fo_unplug_unwatch().
 * Return: 0, also if there is no such block; -ENOMEM.
 */
int fo_unplug_watch(unsigned long pfn)
{
	unsigned long block = fo_block_of(pfn);
	struct kernfs_node *dir, *node;
	int ret = 0;

	if (xa_load(&watches, block))
		return 0;
	dir = memory_dir();
	node = dir ? find_block(dir, block) : NULL;
	kernfs_put(dir);
	if (!node)
		return 0;
	ret = xa_insert(&watches, block, node, GFP_KERNEL);
	if (ret)
		kernfs_put(node);
	return ret == -EBUSY ? 0 : ret;
}

/* Holds fo_lock. */
static void drop_watch(unsigned long block)
{
	kernfs_put(xa_erase(&watches, block));
}

/**
 * fo_unplug_unwatch() - watch no longer what has no ranges any more
 * @pfns: pages of blocks
 *
 * Context: sleeps, not under fo_lock. Inverse: fo_unplug_watch().
 */
void fo_unplug_unwatch(struct pfn_range pfns)
{
	struct kernfs_node *node;
	unsigned long block;

	mutex_lock(&fo_lock);
	xa_for_each_range(&watches, block, node, fo_block_of(pfns.first),
			  fo_block_of(pfns.last))
		if (!fo_ranges_first(fo_block_pfns(block)))
			drop_watch(block);
	mutex_unlock(&fo_lock);
}

/* Forgets the ranges of a block that is gone, but for those of the place. */
static void forget_block(unsigned long block)
{
	struct pfn_range pfns = fo_block_pfns(block);
	unsigned long pfn;
	struct fo_range *r;

	fo_for_each_range_relocking(r, pfn, pfns) {
		fo_client_unplugged(r->client, pfns);
		if (r->flags & FAKE_OFFLINE_ABSENT) {
			/* The content of its pages is gone. */
			r->flags |= FO_RANGE_FILL;
			continue;
		}
		fo_stat_inc(FO_STAT_UNMARKS);
		fo_ranges_erase(r);
		fo_range_free(r);
	}
}

static void forget_if_gone(unsigned long block, const struct kernfs_node *node)
{
	if (!is_gone(block, node) ||
	    fo_lock_is_busy(fo_block_pfns(block)))
		return;		/* what is busy is left for later */
	forget_block(block);
	drop_watch(block);
	fo_hook_ask();
}

/**
 * fo_unplug_forget() - forget the ranges of a block if it is gone
 * @pfn: a page of it
 *
 * Context: holds fo_lock.
 */
void fo_unplug_forget(unsigned long pfn)
{
	struct kernfs_node *node = xa_load(&watches, fo_block_of(pfn));

	lockdep_assert_held(&fo_lock);
	if (node)
		forget_if_gone(fo_block_of(pfn), node);
}

/**
 * fo_unplug_sweep() - forget the ranges of all blocks that are gone
 *
 * Context: sleeps, not under fo_lock.
 */
void fo_unplug_sweep(void)
{
	struct kernfs_node *node;
	unsigned long block;

	mutex_lock(&fo_lock);
	xa_for_each(&watches, block, node)
		forget_if_gone(block, node);
	mutex_unlock(&fo_lock);
}

/** fo_unplug_exit() - watch nothing any more; module exit, nothing is marked */
void fo_unplug_exit(void)
{
	fo_unplug_unwatch(ALL_PFNS);
	xa_destroy(&watches);
}
