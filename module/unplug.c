// SPDX-License-Identifier: GPL-2.0
/*
 * Memory blocks that are gone, and the marks that go with them.
 *
 * A memory block that is unplugged takes its marks with it: when a DIMM comes
 * back at the same place, its pages are ordinary memory. The kernel has no
 * notifier for the removal. But a device of the same name has another directory in
 * sysfs. So the node of that of each block with marks is kept, and while it is,
 * no other can be at its address.
 *
 * That keeps neither the device nor a mount, and needs no /sys in the caller's
 * namespace. It is asked where it matters: before the block comes online, before
 * pages are taken, and when debugfs shows the marks.
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

#include "block_pfn.h"
#include "client.h"
#include "gate.h"
#include "hook.h"
#include "ranges.h"
#include "stats.h"
#include "unplug.h"

/* From the number of a block to its node. Protected by fo_gate. */
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
static struct kernfs_node *find_block(unsigned long block)
{
	struct kernfs_node *dir = memory_dir(), *node;
	char name[sizeof("memory") + 20];

	if (!dir)
		return NULL;
	snprintf(name, sizeof(name), "memory%lu", block);
	node = sysfs_get_dirent(dir, name);
	kernfs_put(dir);
	return node;
}

/* What is online cannot be unplugged, and is not looked for. */
static bool is_gone(unsigned long block, const struct kernfs_node *node)
{
	struct kernfs_node *now;

	if (pfn_to_online_page(fo_block_first(block)))
		return false;
	now = find_block(block);
	kernfs_put(now);
	return now != node;
}

static int watch_block(unsigned long block)
{
	struct kernfs_node *node, *old;
	int ret = 0;

	mutex_lock(&fo_gate);
	old = xa_load(&watches, block);
	mutex_unlock(&fo_gate);
	if (old)
		return 0;

	node = find_block(block);
	if (!node)
		return -ENXIO;
	mutex_lock(&fo_gate);
	if (!xa_load(&watches, block)) {
		ret = xa_err(xa_store(&watches, block, node, GFP_KERNEL));
		if (!ret)
			node = NULL;
	}
	mutex_unlock(&fo_gate);
	kernfs_put(node);
	return ret;
}

/**
 * fo_unplug_watch() - notice it when these blocks go
 * @first: first PFN
 * @last: last PFN
 *
 * Context: sleeps, holds nothing. Inverse: fo_unplug_unwatch().
 * Return: 0; -ENXIO if there is no such block; -ENOMEM. Blocks watched by then
 * stay so, which does no harm.
 */
int fo_unplug_watch(unsigned long first, unsigned long last)
{
	unsigned long block;
	int ret = 0;

	for (block = fo_block_of(first); !ret && block <= fo_block_of(last);
	     block++)
		ret = watch_block(block);
	return ret;
}

/* Holds fo_gate. */
static void drop_watch(unsigned long block, struct kernfs_node *node)
{
	xa_erase(&watches, block);
	kernfs_put(node);
}

/**
 * fo_unplug_unwatch() - watch no longer what has no marks any more
 * @first: first PFN
 * @last: last PFN
 *
 * Context: sleeps, holds nothing. Inverse: fo_unplug_watch().
 */
void fo_unplug_unwatch(unsigned long first, unsigned long last)
{
	unsigned long block = fo_block_of(first);
	struct kernfs_node *node;
	struct fo_extent e;

	mutex_lock(&fo_gate);
	xa_for_each_range(&watches, block, node, block, fo_block_of(last)) {
		if (!fo_ranges_next(fo_block_first(block), fo_block_last(block), &e))
			drop_watch(block, node);
	}
	mutex_unlock(&fo_gate);
}

/* Forgets the marks of one block that is gone. Holds fo_gate. */
static int forget_block(unsigned long block)
{
	unsigned long first = fo_block_first(block), last = fo_block_last(block);
	struct fo_extent e;
	int ret;

	if (fo_gate_is_busy(first, last))
		return -EAGAIN;
	ret = fo_ranges_split(first, last);
	if (ret)
		return ret;
	fo_for_each_extent(e, first, last) {
		/* Who is still taking it finds that it is gone. */
		if (!(e.range->flags & FO_RANGE_PENDING)) {
			fo_client_unplugged(e.range->client, first, last);
			fo_stat_inc(FO_STAT_UNMARKS);
		}
		fo_ranges_erase(&e);
	}
	return 0;
}

/**
 * fo_unplug_forget() - forget the marks of blocks that are gone
 * @first: first PFN
 * @last: last PFN
 *
 * Where something is being worked on at the moment, it is left for later.
 *
 * Context: sleeps, not under fo_gate.
 * Return: 0, or -ENOMEM: something is left.
 */
int fo_unplug_forget(unsigned long first, unsigned long last)
{
	unsigned long block = fo_block_of(first);
	struct kernfs_node *node;
	bool any = false;
	int ret = 0;

	mutex_lock(&fo_gate);
	xa_for_each_range(&watches, block, node, block, fo_block_of(last)) {
		if (!is_gone(block, node))
			continue;
		ret = forget_block(block);
		if (ret == -EAGAIN)
			continue;
		if (ret)
			break;
		drop_watch(block, node);
		any = true;
	}
	mutex_unlock(&fo_gate);
	if (any)
		fo_hook_update();
	return ret == -EAGAIN ? 0 : ret;
}

/**
 * fo_unplug_sweep() - fo_unplug_forget() for all memory
 *
 * Context: sleeps, not under fo_gate.
 * Return: 0, -ENOMEM.
 */
int fo_unplug_sweep(void)
{
	return fo_unplug_forget(0, ULONG_MAX);
}

/**
 * fo_unplug_finish() - watch nothing any more
 *
 * Context: module exit, nothing is marked.
 */
void fo_unplug_finish(void)
{
	fo_unplug_unwatch(0, ULONG_MAX);
	xa_destroy(&watches);
}
