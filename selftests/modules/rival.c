// SPDX-License-Identifier: GPL-2.0
/*
 * Allocates a page by its number when the memory block around it has just been isolated
 * to go offline. alloc_contig_range() fails then. For selftests/isolation.sh.
 *
 *	/sys/module/rival/parameters/pfn	the page; 0 for none
 *	/sys/module/rival/parameters/tried	the number of tries
 *	/sys/module/rival/parameters/result	the errno of the last try
 */
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>

#include "compat.h"

static unsigned long pfn;
module_param(pfn, ulong, 0644);

/* Only the notifier writes these, and hotplug operations are serialised. */
static unsigned int tried;
module_param(tried, uint, 0444);
static int result;
module_param(result, int, 0444);

static int notify(struct notifier_block *nb, unsigned long action, void *arg)
{
	const struct memory_notify *block = arg;
	unsigned long wanted = READ_ONCE(pfn);

	if (action != MEM_GOING_OFFLINE || wanted < block->start_pfn ||
	    wanted >= block->start_pfn + block->nr_pages)
		return NOTIFY_OK;
	result = compat_alloc_contig(wanted, wanted + 1,
				     GFP_KERNEL | __GFP_NOWARN);
	if (!result) {
		if (!COMPAT_TAKEN_COUNT)
			page_ref_inc(pfn_to_page(wanted));
		__free_page(pfn_to_page(wanted));
	}
	tried++;
	return NOTIFY_OK;
}

/* It is called before fake_offline's notifier, which looks at the result. */
static struct notifier_block notifier = {
	.notifier_call = notify,
	.priority = 1,
};

static int __init rival_init(void)
{
	return register_memory_notifier(&notifier);
}

static void __exit rival_exit(void)
{
	unregister_memory_notifier(&notifier);
}

module_init(rival_init);
module_exit(rival_exit);

MODULE_DESCRIPTION("Allocates a page of a memory block that is going offline");
MODULE_LICENSE("GPL");
