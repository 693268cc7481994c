// SPDX-License-Identifier: GPL-2.0
/*
 * A module with one bug for each detector of the debug kernel, for
 * vm/debug/selftest. Loading it with bug=NAME triggers that bug once.
 */
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mmdebug.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timer.h>

static char *bug = "none";
module_param(bug, charp, 0);
MODULE_PARM_DESC(bug, "the bug to trigger");

static DEFINE_MUTEX(one);
static DEFINE_MUTEX(other);
static DEFINE_SPINLOCK(spin);

static void lock_order(void)
{
	mutex_lock(&one);
	mutex_lock(&other);
	mutex_unlock(&other);
	mutex_unlock(&one);
	mutex_lock(&other);
	mutex_lock(&one);
	mutex_unlock(&one);
	mutex_unlock(&other);
}

static void sleep_in_atomic(void)
{
	spin_lock(&spin);
	might_sleep();
	spin_unlock(&spin);
}

static void shift(void)
{
	unsigned int by = 70;

	OPTIMIZER_HIDE_VAR(by);
	pr_info("%d\n", 1 << by);
}

static void list(void)
{
	LIST_HEAD(head);
	struct list_head entry;

	list_add(&entry, &head);
	__list_del_entry(&entry);
	__list_del_entry(&entry);
}

static void vm(void)
{
	VM_WARN_ON_ONCE(1);
}

static void never(struct timer_list *timer)
{
}

static void object(void)
{
	struct timer_list *timer = kzalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, never, 0);
	mod_timer(timer, jiffies + 1000 * HZ);
	kfree(timer);
}

/* Writes without a check by KASAN, as DMA of a device does. */
static noinline __no_sanitize_address void scribble(unsigned long *word)
{
	*word = 1;
}

static void poison(void)
{
	unsigned long address = __get_free_page(GFP_KERNEL);
	int i;

	if (!address)
		return;
	free_page(address);
	scribble((unsigned long *)address);
	/* The list of this CPU returns it first, unless the task has moved. */
	for (i = 0; i < 1000; i++)
		if (__get_free_page(GFP_KERNEL) == address)
			break;
}

static void leak(void)
{
	int i;

	/* Stale pointers may exist to some of the objects, but not to all. */
	for (i = 0; i < 100; i++)
		if (!kmalloc(200, GFP_KERNEL))
			return;
}

static void bounds(void)
{
	char *object = kmalloc(24, GFP_KERNEL);
	size_t at = 24;

	if (!object)
		return;
	OPTIMIZER_HIDE_VAR(at);
	object[at] = 1;
	kfree(object);
}

static const struct {
	const char *name;
	void (*make)(void);
} bugs[] = {
	{ "lock_order", lock_order },
	{ "sleep_in_atomic", sleep_in_atomic },
	{ "shift", shift },
	{ "list", list },
	{ "vm", vm },
	{ "object", object },
	{ "poison", poison },
	{ "leak", leak },
	{ "bounds", bounds },
};

static int __init planted_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(bugs); i++)
		if (!strcmp(bug, bugs[i].name)) {
			bugs[i].make();
			return 0;
		}
	return -EINVAL;
}
module_init(planted_init);

static void __exit planted_exit(void)
{
}
module_exit(planted_exit);

MODULE_DESCRIPTION("One bug for each detector of a debug kernel");
MODULE_LICENSE("GPL");
