// SPDX-License-Identifier: GPL-2.0
/*
 * This small balloon is an example of a driver that uses fake_offline. It includes only
 * <linux/fake_offline.h>, and another header for the canaries of its tests.
 *
 * It inflates to a size in pages and deflates again. Its pages are spread over the
 * memory blocks. The blocks can still go offline and come back, and the size of the
 * balloon does not change. These files are in
 * /sys/kernel/debug/fake_offline_balloon/:
 *
 *	pages	a write sets the requested size, and a read returns the present size
 *	refuse	1: veto every offline operation of a block with pages of the balloon
 *	leave	1: release the pages of the balloon when their block is about to go
 *		offline
 *	events	the number of calls of each callback
 *
 * A write needs CAP_SYS_ADMIN.
 */
#include <linux/atomic.h>
#include <linux/capability.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/memory.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>

#include <linux/fake_offline_test.h>	/* for the canaries */

static unsigned long pages;
module_param(pages, ulong, 0444);
MODULE_PARM_DESC(pages, "Size when the module is loaded, in pages (default 0)");

static unsigned long chunk = 256;
module_param(chunk, ulong, 0444);
MODULE_PARM_DESC(chunk, "Pages taken from one memory block at a time (default 256)");

static struct fake_offline_client *client;
static struct dentry *dir;
static bool refuse;
static bool leave;

static atomic_t going = ATOMIC_INIT(0);
static atomic_t cancelled = ATOMIC_INIT(0);
static atomic_t gone = ATOMIC_INIT(0);
static atomic_t back = ATOMIC_INIT(0);
static atomic_t unplugged = ATOMIC_INIT(0);

/*
 * Serialises changes of the size. A callback must not take it. A task that changes
 * the size may wait, with the lock held, for the hotplug operation that calls the
 * callback.
 */
static DEFINE_MUTEX(size_lock);
/* The next PFN to spread pages to. Protected by size_lock after init. */
static unsigned long next_pfn;
module_param_named(from, next_pfn, ulong, 0);
MODULE_PARM_DESC(from, "PFN of the first chunk, if its pages can be taken (default 0)");

static unsigned long size(void)
{
	struct fake_offline_info info;
	unsigned long pfn = 0, n = 0;

	while (fake_offline_next(client, pfn, &info)) {
		n += info.nr_pages;
		pfn = info.start_pfn + info.nr_pages;
	}
	return n;
}

static int take(unsigned long start_pfn, unsigned long nr_pages)
{
	struct fake_offline_request request = {
		.start_pfn = start_pfn,
		.nr_pages = nr_pages,
		.flags = FAKE_OFFLINE_SKIPPABLE | FAKE_OFFLINE_CANARY,
		.nid = NUMA_NO_NODE,
		.zone = FAKE_OFFLINE_ANY_ZONE,
	};

	return fake_offline_take(client, &request, 1);
}

static unsigned long max_pfn_online(void)
{
	unsigned long end = 0;
	int nid;

	for_each_online_node(nid)
		end = max(end, node_end_pfn(nid));
	return end;
}

/* Takes pages from the next memory block where this succeeds, or else anywhere. */
static int take_spread(unsigned long nr_pages)
{
	unsigned long block = PHYS_PFN(memory_block_size_bytes());
	unsigned long end = max_pfn_online();
	unsigned long tries;
	int ret;

	for (tries = 0; tries < DIV_ROUND_UP(end, block); tries++) {
		unsigned long pfn = next_pfn;

		/* Advances by one chunk after each round over the blocks. */
		next_pfn += block;
		if (next_pfn >= end)
			next_pfn = (next_pfn + chunk) % block;
		ret = take(pfn, nr_pages);
		if (!ret || ret == -EINTR || ret == -ENOSPC || ret == -ENOMEM)
			return ret;
	}
	return take(FAKE_OFFLINE_ANYWHERE, nr_pages);
}

static int inflate(unsigned long nr_pages)
{
	unsigned long n;
	int ret = 0;

	for (; !ret && nr_pages; nr_pages -= n) {
		n = min(nr_pages, chunk);
		ret = take_spread(n);
	}
	return ret;
}

static int deflate(unsigned long nr_pages)
{
	struct fake_offline_info info;
	struct fake_offline_range part;
	int ret = 0;

	while (!ret && nr_pages && fake_offline_next(client, 0, &info)) {
		part.start_pfn = info.start_pfn;
		part.nr_pages = min(nr_pages, info.nr_pages);
		ret = fake_offline_release(client, &part, 1);
		if (ret == -ENOENT)	/* a callback released it first */
			ret = 0;
		else if (!ret)
			nr_pages -= part.nr_pages;
	}
	return ret;
}

static int set_size(unsigned long want)
{
	unsigned long have;
	int ret;

	ret = mutex_lock_interruptible(&size_lock);
	if (ret)
		return ret;
	have = size();
	if (want > have)
		ret = inflate(want - have);
	else
		ret = deflate(have - want);
	mutex_unlock(&size_lock);
	return ret;
}

/* Root in a container may open the file, but must not take memory. */
static int pages_set(void *data, u64 want)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	return set_size(want);
}

static int pages_get(void *data, u64 *is)
{
	*is = size();
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(pages_fops, pages_get, pages_set, "%llu\n");

/* refuse, leave: @data is the switch */
static int switch_set(void *data, u64 on)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (on > 1)
		return -EINVAL;
	WRITE_ONCE(*(bool *)data, on);
	return 0;
}

static int switch_get(void *data, u64 *on)
{
	*on = READ_ONCE(*(bool *)data);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(switch_fops, switch_get, switch_set, "%llu\n");

static int events_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "going_offline %d\n", atomic_read(&going));
	seq_printf(m, "cancel_offline %d\n", atomic_read(&cancelled));
	seq_printf(m, "offline %d\n", atomic_read(&gone));
	seq_printf(m, "online %d\n", atomic_read(&back));
	seq_printf(m, "unplugged %d\n", atomic_read(&unplugged));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(events);

/* Releases the pages of the balloon in this memory. A callback may call it. */
static void release_there(unsigned long start_pfn, unsigned long nr_pages)
{
	unsigned long pfn = start_pfn, end = start_pfn + nr_pages, from, to;
	struct fake_offline_range part;
	struct fake_offline_info info;

	while (fake_offline_next(client, pfn, &info) && info.start_pfn < end) {
		from = max(info.start_pfn, start_pfn);
		to = min(info.start_pfn + info.nr_pages, end);
		part = (struct fake_offline_range){ from, to - from };
		if (fake_offline_release(client, &part, 1))
			break;
		pfn = to;
	}
}

static int on_going_offline(void *data, unsigned long start_pfn,
			    unsigned long nr_pages, const char **reason)
{
	atomic_inc(&going);
	if (READ_ONCE(refuse)) {
		*reason = "the balloon was told to refuse";
		return -EBUSY;
	}
	if (READ_ONCE(leave))
		release_there(start_pfn, nr_pages);
	return 0;
}

static void on_cancel_offline(void *data, unsigned long start_pfn,
			      unsigned long nr_pages)
{
	atomic_inc(&cancelled);
}

static void on_offline(void *data, unsigned long start_pfn,
		       unsigned long nr_pages)
{
	atomic_inc(&gone);
}

static void on_online(void *data, unsigned long start_pfn,
		      unsigned long nr_pages)
{
	atomic_inc(&back);
}

static void on_unplugged(void *data, unsigned long start_pfn,
			 unsigned long nr_pages)
{
	atomic_inc(&unplugged);
}

static const struct fake_offline_ops ops = {
	.going_offline = on_going_offline,
	.cancel_offline = on_cancel_offline,
	.offline = on_offline,
	.online = on_online,
	.unplugged = on_unplugged,
};

static int __init balloon_init(void)
{
	int ret = 0;

	if (!chunk || chunk > PHYS_PFN(memory_block_size_bytes()))
		return -EINVAL;
	client = fake_offline_register("balloon", THIS_MODULE, &ops, NULL);
	if (IS_ERR(client))
		return PTR_ERR(client);
	if (pages)
		ret = set_size(pages);
	if (ret) {
		fake_offline_unregister(client);
		return ret;
	}
	dir = debugfs_create_dir("fake_offline_balloon", NULL);
	debugfs_create_file("pages", 0600, dir, NULL, &pages_fops);
	debugfs_create_file("refuse", 0600, dir, &refuse, &switch_fops);
	debugfs_create_file("leave", 0600, dir, &leave, &switch_fops);
	debugfs_create_file("events", 0400, dir, NULL, &events_fops);
	return 0;
}

/* The end of the client releases its remaining pages, in blocks of any state. */
static void __exit balloon_exit(void)
{
	debugfs_remove(dir);
	fake_offline_unregister(client);
}

module_init(balloon_init);
module_exit(balloon_exit);

MODULE_DESCRIPTION("A balloon on top of fake_offline: an example");
MODULE_AUTHOR("the fake_offline project");
MODULE_LICENSE("GPL");
