// SPDX-License-Identifier: GPL-2.0
// Size: a driver that is an example is one file, to be read from top to bottom.
/*
 * This driver is like virtio_mem.c, but smaller. It is an example of a driver that plugs
 * and unplugs memory in units smaller than a memory block. It uses only
 * <linux/fake_offline.h>, and needs no change to the kernel.
 *
 * The device is a region of physical address space, given by region_start
 * and region_size. The hypervisor adds DIMMs to the region and removes them. This
 * module does not. The region is divided into sub-blocks. A sub-block is plugged
 * when the kernel may use its pages, and unplugged when this module withholds
 * them. A user writes the requested size. A worker plugs and unplugs sub-blocks
 * until this size is plugged. The driver of a virtio-mem device does the same when
 * the device changes its requested size.
 *
 * The sample does this:
 *
 *  - At load it takes the whole region with FAKE_OFFLINE_SKIPPABLE and
 *    FAKE_OFFLINE_ABSENT, before any memory is there. So every page is withheld
 *    from the buddy allocator when the memory comes online for the first time. It
 *    makes no difference whether a user, udev, or auto_online_blocks brings it online.
 *  - It plugs the lowest unplugged sub-block first, and unplugs the highest
 *    plugged one first. A sub-block with pages that cannot be migrated is left,
 *    and the next one is tried. Each pass tries each sub-block once, with
 *    FAKE_OFFLINE_ONCE. A few passes make an attempt, and a timer repeats the
 *    attempt until the requested size is reached.
 *  - A write of the requested size aborts an unplug operation in progress.
 *  - A memory block of the region can go offline and come back at any time. Its
 *    unplugged sub-blocks do not prevent this, and are withheld again when it
 *    comes back. Its plugged sub-blocks are ordinary memory.
 *  - A DIMM may leave the region. Its plugged sub-blocks become unplugged, and the
 *    next DIMM there is withheld as a whole. The kernel announces no removal, so
 *    the worker looks once a second while sub-blocks are plugged.
 *  - At unload it releases all pages. Pages in online memory go to the buddy
 *    allocator. Other memory will come online as ordinary memory.
 *
 * The sample does not do this:
 *
 *  - It does not add or remove memory, nor bring memory blocks online or offline.
 *    virtio_mem.c does all of this. So a sub-block is only plugged while its memory
 *    is online, and the plugged size stays below the requested size until a
 *    memory block comes online.
 *  - It tells no hypervisor which sub-blocks are in use. A real driver would do
 *    that before plug() and after unplug().
 *  - It does not see a DIMM that is exchanged for another within the second
 *    between two checks. The sub-blocks that were plugged in the old DIMM are then
 *    plugged in the new one. The device would notify a real driver of the exchange.
 *  - It does not support memmap_on_memory. fake_offline refuses to bring a block
 *    online when the block's own memmap lies in pages that are taken.
 *  - It does not support nodes and zones, and has no mode that plugs whole blocks.
 *
 * These files are in /sys/kernel/debug/fake_offline_plugger/:
 *
 *	requested_size	the size to reach, in bytes, a multiple of subblock_size.
 *			A write returns at once
 *	plugged_size	the size that is plugged, in bytes
 *	refuse		1: veto every offline operation of a block with withheld
 *			pages. 2: veto every online operation of such a block.
 *			0: veto neither
 *	events		the number of calls of each callback
 *
 * A write needs CAP_SYS_ADMIN.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/capability.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/memory.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pfn.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <linux/fake_offline.h>

static unsigned long long region_start;
module_param(region_start, ullong, 0444);
MODULE_PARM_DESC(region_start,
		 "Physical address of the region, a multiple of the memory block size");

static unsigned long long region_size;
module_param(region_size, ullong, 0444);
MODULE_PARM_DESC(region_size,
		 "Size of the region in bytes, a multiple of the memory block size");

static unsigned long long subblock_size = SZ_2M;
module_param(subblock_size, ullong, 0444);
MODULE_PARM_DESC(subblock_size,
		 "Size of a sub-block in bytes, a power of two (default 2 MiB)");

/* The number of times that one attempt tries a sub-block that cannot be unplugged. */
#define UNPLUG_PASSES	3
/* The timer: the first and the longest delay between two attempts. */
#define RETRY_FIRST_MS	100
#define RETRY_LAST_MS	1000
/* The period in which the worker checks for removed memory. */
#define LOOK_MS		1000

/**
 * enum sb_state - the state of a sub-block
 * @SB_UNPLUGGED: the module has taken the pages, even if no memory is there. The
 *	kernel does not use them, also not when memory comes online there.
 * @SB_PLUGGING: the worker is giving the pages to the kernel. Only the worker
 *	changes the state.
 * @SB_PLUGGED: the pages are ordinary memory. They may be offline for a while.
 * @SB_UNPLUGGING: the worker, or the load of the module, is taking the pages from
 *	the kernel. Only that task changes the state.
 * @SB_NR_STATES: the number of states
 */
enum sb_state {
	SB_UNPLUGGED,
	SB_PLUGGING,
	SB_PLUGGED,
	SB_UNPLUGGING,
	SB_NR_STATES,
};

/**
 * enum event - a callback of struct fake_offline_ops
 * @EV_GOING_OFFLINE: memory of the region is about to go offline
 * @EV_CANCEL_OFFLINE: it stays online
 * @EV_OFFLINE: it is offline
 * @EV_GOING_ONLINE: memory of the region is about to come online
 * @EV_CANCEL_ONLINE: it stays offline
 * @EV_ONLINE: it is online
 * @EV_UNPLUGGED: memory of the region was removed
 * @EV_HOOK: the online-page hook is lost, or held again
 * @EV_NR: the number of callbacks
 */
enum event {
	EV_GOING_OFFLINE,
	EV_CANCEL_OFFLINE,
	EV_OFFLINE,
	EV_GOING_ONLINE,
	EV_CANCEL_ONLINE,
	EV_ONLINE,
	EV_UNPLUGGED,
	EV_HOOK,
	EV_NR,
};

static const char * const event_names[EV_NR] = {
	[EV_GOING_OFFLINE] = "going_offline",
	[EV_CANCEL_OFFLINE] = "cancel_offline",
	[EV_OFFLINE] = "offline",
	[EV_GOING_ONLINE] = "going_online",
	[EV_CANCEL_ONLINE] = "cancel_online",
	[EV_ONLINE] = "online",
	[EV_UNPLUGGED] = "unplugged",
	[EV_HOOK] = "hook",
};

/* The value of the file "refuse". */
enum refusal {
	REFUSE_NOTHING,
	REFUSE_OFFLINING,
	REFUSE_ONLINING,
	NR_REFUSALS,
};

static struct fake_offline_client *client;
static struct workqueue_struct *wq;
static struct dentry *dir;
static atomic_t events[EV_NR];
static int refuse;

/* Set at load, and constant from then on. */
static unsigned long sb_pages;
static unsigned long nr_sbs;

/*
 * Protects what follows it. Callbacks take it, so no task waits for memory hotplug
 * while it holds it: fake_offline_take() and fake_offline_release() are called
 * without it. fake_offline_owns() and fake_offline_next() do not wait for hotplug.
 *
 * Order: mem_hotplug_lock -> sb_lock -> the locks of fake_offline_owns().
 */
static DEFINE_MUTEX(sb_lock);
/* The state of each sub-block: written by sb_init() and sb_set_state() only. */
static u8 *sb_states;
/* The number of sub-blocks in each state. */
static unsigned long sb_count[SB_NR_STATES];
/* The requested number of plugged sub-blocks. */
static unsigned long nr_requested;
/* The delay until the next attempt. */
static unsigned int retry_ms;
/* Whether the worker may be queued. */
static bool running;

static void worker(struct work_struct *unused);
static DECLARE_DELAYED_WORK(work, worker);

/* The first PFN of a sub-block. */
static unsigned long sb_pfn(unsigned long id)
{
	return PHYS_PFN(region_start) + id * sb_pages;
}

static struct fake_offline_range sb_range(unsigned long id)
{
	return (struct fake_offline_range){ sb_pfn(id), sb_pages };
}

/* Sets all sub-blocks to SB_UNPLUGGING, because the load takes them. Inverse: sb_exit(). */
static int sb_init(void)
{
	unsigned long id;

	sb_pages = PHYS_PFN(subblock_size);
	nr_sbs = PHYS_PFN(region_size) / sb_pages;
	sb_states = kvmalloc_array(nr_sbs, sizeof(*sb_states), GFP_KERNEL);
	if (!sb_states)
		return -ENOMEM;
	for (id = 0; id < nr_sbs; id++)
		sb_states[id] = SB_UNPLUGGING;
	sb_count[SB_UNPLUGGING] = nr_sbs;
	return 0;
}

static void sb_exit(void)
{
	kvfree(sb_states);
}

/* The one place that changes the state of a sub-block. */
static void sb_set_state(unsigned long id, enum sb_state state)
{
	lockdep_assert_held(&sb_lock);
	sb_count[sb_states[id]]--;
	sb_states[id] = state;
	sb_count[state]++;
}

/*
 * Begins a change of a sub-block in state @from. Until sb_end(), only this task
 * changes its state. Inverse: sb_end(). Return: false if it is in another state.
 */
static bool sb_begin(unsigned long id, enum sb_state from, enum sb_state via)
{
	bool begun;

	mutex_lock(&sb_lock);
	begun = sb_states[id] == from;
	if (begun)
		sb_set_state(id, via);
	mutex_unlock(&sb_lock);
	return begun;
}

static void sb_end(unsigned long id, enum sb_state state)
{
	mutex_lock(&sb_lock);
	sb_set_state(id, state);
	mutex_unlock(&sb_lock);
}

/*
 * Derives the states of the sub-blocks in [@start_pfn, @start_pfn + @nr_pages)
 * anew, from what the client owns. A sub-block is taken and released as a whole,
 * so its first page decides. A sub-block that a task is changing is skipped.
 *
 * Context: a callback, or the worker.
 */
static void sb_resync(unsigned long start_pfn, unsigned long nr_pages)
{
	unsigned long id;

	mutex_lock(&sb_lock);
	for (id = 0; id < nr_sbs; id++) {
		if (sb_pfn(id) < start_pfn ||
		    sb_pfn(id) >= start_pfn + nr_pages)
			continue;
		if (sb_states[id] == SB_PLUGGING ||
		    sb_states[id] == SB_UNPLUGGING)
			continue;
		sb_set_state(id, fake_offline_owns(client, sb_pfn(id)) ?
				 SB_UNPLUGGED : SB_PLUGGED);
	}
	mutex_unlock(&sb_lock);
}

/*
 * The number of sub-blocks that remain to be plugged, or, if negative, to be
 * unplugged. It is 0 after stop(), so that the worker ends.
 */
static long nr_missing(void)
{
	long missing = 0;

	mutex_lock(&sb_lock);
	if (running)
		missing = nr_requested - sb_count[SB_PLUGGED];
	mutex_unlock(&sb_lock);
	return missing;
}

/* Queues the worker, and resets the delay of the timer. Inverse: stop(). */
static void kick(void)
{
	mutex_lock(&sb_lock);
	retry_ms = RETRY_FIRST_MS;
	if (running)
		mod_delayed_work(wq, &work, 0);
	mutex_unlock(&sb_lock);
}

/* Allows kick() to queue the worker. Inverse: stop(). */
static void start(void)
{
	mutex_lock(&sb_lock);
	running = true;
	mutex_unlock(&sb_lock);
}

/* Ends the worker. It cannot be queued again. */
static void stop(void)
{
	mutex_lock(&sb_lock);
	running = false;
	mutex_unlock(&sb_lock);
	fake_offline_abort(client);
	cancel_delayed_work_sync(&work);
}

/*
 * Takes the whole region when the module is loaded. The end of the client releases
 * it: see plugger_exit().
 */
static int take_region(void)
{
	struct fake_offline_request request = {
		.start_pfn = PHYS_PFN(region_start),
		.nr_pages = PHYS_PFN(region_size),
		.flags = FAKE_OFFLINE_SKIPPABLE | FAKE_OFFLINE_ABSENT,
	};
	unsigned long id;
	int ret;

	ret = fake_offline_take(client, &request, 1);
	if (ret)
		return ret;
	for (id = 0; id < nr_sbs; id++)
		sb_end(id, SB_UNPLUGGED);
	return 0;
}

/*
 * Gives the pages of a sub-block to the kernel. Inverse: unplug().
 * Return: 0, -EALREADY if it is plugged, or the errno of fake_offline_release().
 */
static int plug(unsigned long id)
{
	struct fake_offline_range range = sb_range(id);
	int ret;

	if (!sb_begin(id, SB_UNPLUGGED, SB_PLUGGING))
		return -EALREADY;
	ret = fake_offline_release(client, &range, 1);
	sb_end(id, ret ? SB_UNPLUGGED : SB_PLUGGED);
	return ret;
}

/*
 * Takes the pages of a sub-block from the kernel, in one try. Inverse: plug().
 * Return: 0, -EALREADY if it is unplugged, or the errno of fake_offline_take().
 */
static int unplug(unsigned long id)
{
	struct fake_offline_request request = {
		.start_pfn = sb_pfn(id),
		.nr_pages = sb_pages,
		.flags = FAKE_OFFLINE_SKIPPABLE | FAKE_OFFLINE_ABSENT |
			 FAKE_OFFLINE_ONCE,
	};
	int ret;

	if (!sb_begin(id, SB_PLUGGED, SB_UNPLUGGING))
		return -EALREADY;
	ret = fake_offline_take(client, &request, 1);
	sb_end(id, ret ? SB_PLUGGED : SB_UNPLUGGED);
	return ret;
}

/* Whether a sub-block is withheld in memory that is online. */
static bool can_plug(unsigned long id)
{
	struct fake_offline_info info;

	return fake_offline_next(client, sb_pfn(id), &info) &&
	       info.start_pfn <= sb_pfn(id) &&
	       info.state == FAKE_OFFLINE_IN_FORCE;
}

/* Plugs up to the requested size, the lowest sub-block first. */
static void plug_more(void)
{
	unsigned long id;

	for (id = 0; id < nr_sbs && nr_missing() > 0; id++)
		if (can_plug(id))
			plug(id);
}

/* Unplugs down to the requested size, the highest sub-block first. */
static void unplug_more(void)
{
	unsigned int pass;
	unsigned long id;

	for (pass = 0; pass < UNPLUG_PASSES; pass++)
		for (id = nr_sbs; id > 0 && nr_missing() < 0; id--)
			if (unplug(id - 1) == -ECANCELED)
				return;	/* the request has changed */
}

/*
 * Unplugs the sub-blocks that were plugged in a removed DIMM, so that the next DIMM
 * is withheld. A sub-block that cannot be unplugged now is tried again at the next
 * check.
 */
static void unplug_absent(void)
{
	unsigned long per_block = memory_block_size_bytes() / subblock_size;
	bool absent = false;
	unsigned long id;

	for (id = 0; id < nr_sbs; id++) {
		/* A DIMM holds whole memory blocks. */
		if (id % per_block == 0)
			absent = !page_is_ram(sb_pfn(id));
		if (absent)
			unplug(id);
	}
}

static void worker(struct work_struct *unused)
{
	unsigned int ms = 0;

	unplug_absent();
	if (nr_missing() > 0)
		plug_more();
	else
		unplug_more();

	mutex_lock(&sb_lock);
	if (sb_count[SB_PLUGGED])
		ms = LOOK_MS;
	if (nr_requested != sb_count[SB_PLUGGED]) {
		ms = retry_ms;
		retry_ms = min_t(unsigned int, 2 * retry_ms, RETRY_LAST_MS);
	}
	/* If kick() has queued the worker already, this call changes nothing. */
	if (running && ms)
		queue_delayed_work(wq, &work, msecs_to_jiffies(ms));
	mutex_unlock(&sb_lock);
}

static int requested_size_set(void *data, u64 size)
{
	/* Root in a container may open the file, but must not take memory. */
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (size > region_size || size & (subblock_size - 1))
		return -EINVAL;
	mutex_lock(&sb_lock);
	nr_requested = PHYS_PFN(size) / sb_pages;
	mutex_unlock(&sb_lock);
	fake_offline_abort(client);
	kick();
	return 0;
}

static int requested_size_get(void *data, u64 *size)
{
	mutex_lock(&sb_lock);
	*size = nr_requested * subblock_size;
	mutex_unlock(&sb_lock);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(requested_size_fops, requested_size_get,
			 requested_size_set, "%llu\n");

static int plugged_size_get(void *data, u64 *size)
{
	mutex_lock(&sb_lock);
	*size = sb_count[SB_PLUGGED] * subblock_size;
	mutex_unlock(&sb_lock);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(plugged_size_fops, plugged_size_get, NULL, "%llu\n");

static int refuse_set(void *data, u64 what)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (what >= NR_REFUSALS)
		return -EINVAL;
	WRITE_ONCE(refuse, what);
	return 0;
}

static int refuse_get(void *data, u64 *what)
{
	*what = READ_ONCE(refuse);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(refuse_fops, refuse_get, refuse_set, "%llu\n");

static int events_show(struct seq_file *m, void *unused)
{
	enum event event;

	for (event = 0; event < EV_NR; event++)
		seq_printf(m, "%s %d\n", event_names[event],
			   atomic_read(&events[event]));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(events);

static int on_going_offline(void *data, unsigned long start_pfn,
			    unsigned long nr_pages, const char **reason)
{
	atomic_inc(&events[EV_GOING_OFFLINE]);
	if (READ_ONCE(refuse) == REFUSE_OFFLINING) {
		*reason = "the plugger was told to refuse offlining";
		return -EBUSY;
	}
	return 0;
}

/* Inverse of on_going_offline(). */
static void on_cancel_offline(void *data, unsigned long start_pfn,
			      unsigned long nr_pages)
{
	atomic_inc(&events[EV_CANCEL_OFFLINE]);
	sb_resync(start_pfn, nr_pages);
	kick();
}

static void on_offline(void *data, unsigned long start_pfn,
		       unsigned long nr_pages)
{
	atomic_inc(&events[EV_OFFLINE]);
	kick();
}

static int on_going_online(void *data, unsigned long start_pfn,
			   unsigned long nr_pages, const char **reason)
{
	atomic_inc(&events[EV_GOING_ONLINE]);
	if (READ_ONCE(refuse) == REFUSE_ONLINING) {
		*reason = "the plugger was told to refuse onlining";
		return -EBUSY;
	}
	return 0;
}

/* Inverse of on_going_online(). */
static void on_cancel_online(void *data, unsigned long start_pfn,
			     unsigned long nr_pages)
{
	atomic_inc(&events[EV_CANCEL_ONLINE]);
	sb_resync(start_pfn, nr_pages);
}

/* Sub-blocks in this memory can be plugged now. */
static void on_online(void *data, unsigned long start_pfn,
		      unsigned long nr_pages)
{
	atomic_inc(&events[EV_ONLINE]);
	kick();
}

/* The unplugged sub-blocks stay, because they are FAKE_OFFLINE_ABSENT. */
static void on_unplugged(void *data, unsigned long start_pfn,
			 unsigned long nr_pages)
{
	atomic_inc(&events[EV_UNPLUGGED]);
	sb_resync(start_pfn, nr_pages);
	kick();
}

static void on_hook(void *data, bool held)
{
	atomic_inc(&events[EV_HOOK]);
	pr_info("the online-page hook is %s\n", held ? "held again" :
		"lost: memory of the region cannot come online");
}

static const struct fake_offline_ops ops = {
	.going_offline = on_going_offline,
	.cancel_offline = on_cancel_offline,
	.offline = on_offline,
	.going_online = on_going_online,
	.cancel_online = on_cancel_online,
	.online = on_online,
	.unplugged = on_unplugged,
	.hook = on_hook,
};

static int check_parameters(void)
{
	unsigned long block = memory_block_size_bytes();

	if (!region_size || (region_start | region_size) & (block - 1))
		return -EINVAL;
	if (region_start + region_size < region_start)
		return -EINVAL;
	if (!is_power_of_2(subblock_size) || subblock_size < PAGE_SIZE ||
	    subblock_size > block)
		return -EINVAL;
	return 0;
}

static int __init plugger_init(void)
{
	int ret;

	ret = check_parameters();
	if (ret)
		return ret;
	ret = sb_init();
	if (ret)
		return ret;
	ret = -ENOMEM;
	wq = alloc_workqueue("fake_offline_plugger", WQ_UNBOUND, 0);
	if (!wq)
		goto states;
	client = fake_offline_register("plugger", THIS_MODULE, &ops, NULL);
	ret = PTR_ERR_OR_ZERO(client);
	if (ret)
		goto workqueue;
	ret = take_region();
	if (ret)
		goto unregister;
	start();

	dir = debugfs_create_dir("fake_offline_plugger", NULL);
	debugfs_create_file("requested_size", 0600, dir, NULL,
			    &requested_size_fops);
	debugfs_create_file("plugged_size", 0400, dir, NULL,
			    &plugged_size_fops);
	debugfs_create_file("refuse", 0600, dir, NULL, &refuse_fops);
	debugfs_create_file("events", 0400, dir, NULL, &events_fops);
	return 0;

unregister:
	fake_offline_unregister(client);
workqueue:
	destroy_workqueue(wq);
states:
	sb_exit();
	return ret;
}

/* The end of the client releases all sub-blocks, in memory of any state. */
static void __exit plugger_exit(void)
{
	debugfs_remove(dir);
	stop();
	fake_offline_unregister(client);
	destroy_workqueue(wq);
	sb_exit();
}

module_init(plugger_init);
module_exit(plugger_exit);

MODULE_DESCRIPTION("Plugs and unplugs parts of DIMMs on top of fake_offline: an example");
MODULE_AUTHOR("the fake_offline project");
MODULE_LICENSE("GPL");
