// SPDX-License-Identifier: GPL-2.0
/*
 * A client that calls functions of the API on request. It counts its callbacks and the
 * results of its calls. For selftests/calls.sh. The files in
 * /sys/kernel/debug/fake_offline_caller/ are
 *
 *	take	"START NR" lines: fake_offline_take() of all of them, by the writer
 *	once	the same with FAKE_OFFLINE_ONCE
 *	release	"START NR": fake_offline_release()
 *	nowait	"START NR": fake_offline_release_nowait()
 *	abort	anything: fake_offline_abort()
 *	shrink	"START NR": the range that the shrinker releases when the kernel calls it
 *		next; "0 0": none. The shrinker tries until it is released
 *	seen	"NAME NUMBER" lines, see seen_show()
 *
 * fake_offline_release_nowait() must not sleep. It is called between non_block_start()
 * and non_block_end(), which a kernel with CONFIG_DEBUG_ATOMIC_SLEEP reports. The
 * scheduler's count of the task's sleeps is compared as well.
 */
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/numa.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <linux/fake_offline.h>

#include "shrinker.h"

#define MAX_REQUESTS	16
#define MAX_TEXT	1024

static struct fake_offline_client *client;
static struct shrinker *reclaimer;
static struct dentry *dir;

/* The range that the shrinker releases, and the results of its tries. */
static DEFINE_SPINLOCK(shrink_lock);
static struct fake_offline_range shrink;

static atomic_t scans = ATOMIC_INIT(0);
static atomic_t in_reclaim = ATOMIC_INIT(0);
static atomic_t released = ATOMIC_INIT(0);
static atomic_t again = ATOMIC_INIT(0);
static atomic_t last_error = ATOMIC_INIT(0);
static atomic_t slept = ATOMIC_INIT(0);
static atomic_t release_slept = ATOMIC_INIT(0);
static atomic_t hook_lost = ATOMIC_INIT(0);
static atomic_t hook_held = ATOMIC_INIT(0);

static void hook(void *data, bool held)
{
	atomic_inc(held ? &hook_held : &hook_lost);
}

static const struct fake_offline_ops ops = { .hook = hook };

static int release_nowait(const struct fake_offline_range *range)
{
	unsigned long switches = current->nvcsw;
	int ret;

	non_block_start();
	ret = fake_offline_release_nowait(client, range->start_pfn,
					  range->nr_pages);
	non_block_end();
	atomic_add(current->nvcsw - switches, &slept);
	return ret;
}

static struct fake_offline_range to_shrink(void)
{
	struct fake_offline_range range;

	spin_lock(&shrink_lock);
	range = shrink;
	spin_unlock(&shrink_lock);
	return range;
}

static unsigned long count(struct shrinker *unused, struct shrink_control *sc)
{
	return to_shrink().nr_pages ?: SHRINK_EMPTY;
}

static unsigned long scan(struct shrinker *unused, struct shrink_control *sc)
{
	struct fake_offline_range range = to_shrink();
	int ret;

	if (!range.nr_pages)
		return SHRINK_STOP;
	atomic_inc(&scans);
	if (current->flags & PF_MEMALLOC)
		atomic_inc(&in_reclaim);
	ret = release_nowait(&range);
	atomic_set(&last_error, ret);
	if (ret) {
		if (ret == -EAGAIN)
			atomic_inc(&again);
		return SHRINK_STOP;
	}
	atomic_add(range.nr_pages, &released);
	spin_lock(&shrink_lock);
	if (shrink.start_pfn == range.start_pfn)
		shrink.nr_pages = 0;
	spin_unlock(&shrink_lock);
	return range.nr_pages;
}

static int take_with(unsigned int flags,
		     const struct fake_offline_range *ranges, unsigned int nr)
{
	struct fake_offline_request requests[MAX_REQUESTS];
	unsigned int i;

	for (i = 0; i < nr; i++)
		requests[i] = (struct fake_offline_request){
			.start_pfn = ranges[i].start_pfn,
			.nr_pages = ranges[i].nr_pages,
			.flags = FAKE_OFFLINE_SKIPPABLE | flags,
			.nid = NUMA_NO_NODE,
			.zone = FAKE_OFFLINE_ANY_ZONE,
		};
	return fake_offline_take(client, requests, nr);
}

static int take(const struct fake_offline_range *ranges, unsigned int nr)
{
	return take_with(0, ranges, nr);
}

static int once(const struct fake_offline_range *ranges, unsigned int nr)
{
	return take_with(FAKE_OFFLINE_ONCE, ranges, nr);
}

static int release(const struct fake_offline_range *ranges, unsigned int nr)
{
	unsigned long switches = current->nvcsw;
	int ret = fake_offline_release(client, ranges, nr);

	atomic_add(current->nvcsw - switches, &release_slept);
	return ret;
}

static int nowait(const struct fake_offline_range *ranges, unsigned int nr)
{
	return release_nowait(&ranges[0]);
}

static int arm(const struct fake_offline_range *ranges, unsigned int nr)
{
	spin_lock(&shrink_lock);
	shrink = ranges[0];
	spin_unlock(&shrink_lock);
	return 0;
}

/* Each line is "START NR". The function of the file does the rest. */
static ssize_t ranges_write(struct file *file, const char __user *buf,
			    size_t len, loff_t *pos)
{
	int (*call)(const struct fake_offline_range *ranges,
		    unsigned int nr) =
		file_inode(file)->i_private;
	struct fake_offline_range ranges[MAX_REQUESTS];
	char text[MAX_TEXT], *rest = text, *line;
	unsigned int nr = 0;
	int ret;

	if (len >= sizeof(text))
		return -E2BIG;
	if (copy_from_user(text, buf, len))
		return -EFAULT;
	text[len] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		if (!*line)
			continue;
		if (nr == MAX_REQUESTS)
			return -E2BIG;
		if (sscanf(line, "%lu %lu", &ranges[nr].start_pfn,
			   &ranges[nr].nr_pages) != 2)
			return -EINVAL;
		nr++;
	}
	if (!nr)
		return -EINVAL;
	ret = call(ranges, nr);
	return ret ?: len;
}

static const struct file_operations ranges_fops = {
	.owner = THIS_MODULE,
	.open = nonseekable_open,
	.write = ranges_write,
};

static ssize_t abort_write(struct file *file, const char __user *buf,
			   size_t len, loff_t *pos)
{
	fake_offline_abort(client);
	return len;
}

static const struct file_operations abort_fops = {
	.owner = THIS_MODULE,
	.open = nonseekable_open,
	.write = abort_write,
};

/*
 * scans		the kernel called the shrinker while it had pages, so often
 * in_reclaim		the same by a task that had run out of memory
 * released		pages that the shrinker released
 * again		tries of it that returned -EAGAIN
 * last_error		the result of its last try
 * slept		sleeps in fake_offline_release_nowait()
 * release_slept	sleeps in fake_offline_release()
 * hook_lost, hook_held	calls of the callback "hook" with these
 */
static int seen_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "scans %d\n", atomic_read(&scans));
	seq_printf(m, "in_reclaim %d\n", atomic_read(&in_reclaim));
	seq_printf(m, "released %d\n", atomic_read(&released));
	seq_printf(m, "again %d\n", atomic_read(&again));
	seq_printf(m, "last_error %d\n", atomic_read(&last_error));
	seq_printf(m, "slept %d\n", atomic_read(&slept));
	seq_printf(m, "release_slept %d\n", atomic_read(&release_slept));
	seq_printf(m, "hook_lost %d\n", atomic_read(&hook_lost));
	seq_printf(m, "hook_held %d\n", atomic_read(&hook_held));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(seen);

static int __init caller_init(void)
{
	int ret;

	reclaimer = shrinker_alloc(0, "fake-offline-caller");
	if (!reclaimer)
		return -ENOMEM;
	reclaimer->count_objects = count;
	reclaimer->scan_objects = scan;
	/* The kernel calls this whenever it wants pages. */
	reclaimer->batch = 1;
	client = fake_offline_register("caller", THIS_MODULE, &ops, NULL);
	if (IS_ERR(client)) {
		ret = PTR_ERR(client);
		goto no_client;
	}
	ret = compat_shrinker_register(reclaimer, "fake-offline-caller");
	if (ret)
		goto no_shrinker;
	dir = debugfs_create_dir("fake_offline_caller", NULL);
	debugfs_create_file("take", 0200, dir, take, &ranges_fops);
	debugfs_create_file("once", 0200, dir, once, &ranges_fops);
	debugfs_create_file("release", 0200, dir, release, &ranges_fops);
	debugfs_create_file("nowait", 0200, dir, nowait, &ranges_fops);
	debugfs_create_file("shrink", 0200, dir, arm, &ranges_fops);
	debugfs_create_file("abort", 0200, dir, NULL, &abort_fops);
	debugfs_create_file("seen", 0400, dir, NULL, &seen_fops);
	return 0;

no_shrinker:
	fake_offline_unregister(client);
no_client:
	shrinker_free(reclaimer);
	return ret;
}

static void __exit caller_exit(void)
{
	debugfs_remove_recursive(dir);
	shrinker_free(reclaimer);
	fake_offline_unregister(client);
}

module_init(caller_init);
module_exit(caller_exit);

MODULE_DESCRIPTION("A client of fake_offline that calls its API on request");
MODULE_AUTHOR("the fake_offline project");
MODULE_LICENSE("GPL");
