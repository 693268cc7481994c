// SPDX-License-Identifier: GPL-2.0
/*
 * Memory blocks that are gone, and the marks that go with them.
 *
 * A memory block that is unplugged takes its marks with it: when a DIMM comes
 * back at the same place, its pages are ordinary memory. The kernel has no
 * notifier for the removal. But an open sysfs file knows: once its device is
 * gone, polling it reports an error, for ever, and a device of the same name
 * does not bring it back. So a file of each block with marks is kept open.
 *
 * Polling is all that is done with it, since it takes no lock that is ever held
 * around a notifier. It is looked at where it matters: before the block comes
 * online, before pages are taken, and when debugfs shows the marks.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/memory.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/xarray.h>

#include <linux/fake_offline.h>

#include "client.h"
#include "gate.h"
#include "hook.h"
#include "ranges.h"
#include "stats.h"
#include "unplug.h"

/* From the number of a block to its open file. Protected by fo_gate. */
static DEFINE_XARRAY(watches);

static unsigned long block_of(unsigned long pfn)
{
	return pfn / PHYS_PFN(memory_block_size_bytes());
}

static unsigned long block_first(unsigned long block)
{
	return block * PHYS_PFN(memory_block_size_bytes());
}

static unsigned long block_last(unsigned long block)
{
	return block_first(block + 1) - 1;
}

/* Until it has been read once, polling reports that there is news. */
static struct file *open_block(unsigned long block)
{
	char path[sizeof("/sys/devices/system/memory/memory/phys_index") + 20];
	struct file *file;
	loff_t pos = 0;
	ssize_t ret;
	char byte;

	snprintf(path, sizeof(path),
		 "/sys/devices/system/memory/memory%lu/phys_index", block);
	file = filp_open(path, O_RDONLY, 0);
	if (IS_ERR(file))
		return file;
	ret = kernel_read(file, &byte, sizeof(byte), &pos);
	if (ret < 0) {
		filp_close(file, NULL);
		return ERR_PTR(ret);
	}
	return file;
}

static bool is_gone(struct file *file)
{
	return vfs_poll(file, NULL) & EPOLLERR;
}

static int watch_block(unsigned long block)
{
	struct file *file, *old;
	int ret = 0;

	mutex_lock(&fo_gate);
	old = xa_load(&watches, block);
	mutex_unlock(&fo_gate);
	if (old)
		return 0;

	file = open_block(block);
	if (IS_ERR(file))
		return PTR_ERR(file) == -ENOENT ? -ENXIO : PTR_ERR(file);
	mutex_lock(&fo_gate);
	if (!xa_load(&watches, block)) {
		ret = xa_err(xa_store(&watches, block, file, GFP_KERNEL));
		if (!ret)
			file = NULL;
	}
	mutex_unlock(&fo_gate);
	if (file)
		filp_close(file, NULL);
	return ret;
}

/**
 * fo_unplug_watch() - notice it when these blocks go
 * @first: first PFN
 * @last: last PFN
 *
 * Context: sleeps, holds nothing. Inverse: fo_unplug_unwatch().
 * Return: 0; -ENXIO if there is no such block; -ENOMEM; what opening a file in
 * /sys may return. Blocks watched by then stay so, which does no harm.
 */
int fo_unplug_watch(unsigned long first, unsigned long last)
{
	unsigned long block;
	int ret = 0;

	for (block = block_of(first); !ret && block <= block_of(last); block++)
		ret = watch_block(block);
	return ret;
}

/* Drops fo_gate for a moment. */
static void close_watch(unsigned long block, struct file *file)
{
	xa_erase(&watches, block);
	mutex_unlock(&fo_gate);
	filp_close(file, NULL);
	mutex_lock(&fo_gate);
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
	unsigned long block = block_of(first);
	struct file *file;
	struct fo_extent e;

	mutex_lock(&fo_gate);
	xa_for_each_range(&watches, block, file, block, block_of(last)) {
		if (!fo_ranges_next(block_first(block), block_last(block), &e))
			close_watch(block, file);
	}
	mutex_unlock(&fo_gate);
}

/* Forgets the marks of one block that is gone. Holds fo_gate. */
static int forget_block(unsigned long block)
{
	unsigned long first = block_first(block), last = block_last(block);
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
	unsigned long block = block_of(first);
	struct file *file;
	bool any = false;
	int ret = 0;

	mutex_lock(&fo_gate);
	xa_for_each_range(&watches, block, file, block, block_of(last)) {
		if (!is_gone(file))
			continue;
		ret = forget_block(block);
		if (ret == -EAGAIN)
			continue;
		if (ret)
			break;
		close_watch(block, file);
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
