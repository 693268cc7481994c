// SPDX-License-Identifier: GPL-2.0
/*
 * A client with one page and a memory notifier of its own, which releases that page when
 * its block goes offline. The kernel calls it after the notifier of fake_offline. So the
 * release would wait for the operation that it is a part of.
 */
#include <linux/err.h>
#include <linux/memory.h>
#include <linux/module.h>
#include <linux/numa.h>

#include <linux/fake_offline.h>

static unsigned long pfn;
module_param(pfn, ulong, 0444);
MODULE_PARM_DESC(pfn, "Its page");

/* The kernel calls memory notifiers one at a time. */
static int tried;
module_param(tried, int, 0444);
MODULE_PARM_DESC(tried, "How often it tried to release its page");

static int result;
module_param(result, int, 0444);
MODULE_PARM_DESC(result, "What the last try returned");

static struct fake_offline_client *client;

static int notify(struct notifier_block *nb, unsigned long action, void *arg)
{
	const struct fake_offline_range range = { pfn, 1 };
	const struct memory_notify *memory = arg;

	if (action == MEM_GOING_OFFLINE && pfn >= memory->start_pfn &&
	    pfn < memory->start_pfn + memory->nr_pages) {
		tried++;
		result = fake_offline_release(client, &range, 1);
	}
	return NOTIFY_OK;
}

static struct notifier_block notifier = {
	.notifier_call = notify,
	.priority = -1,
};

static int __init own_notifier_init(void)
{
	struct fake_offline_request request = {
		.start_pfn = pfn,
		.nr_pages = 1,
		.flags = FAKE_OFFLINE_SKIPPABLE,
		.nid = NUMA_NO_NODE,
		.zone = FAKE_OFFLINE_ANY_ZONE,
	};
	int ret;

	client = fake_offline_register("own-notifier", THIS_MODULE, NULL, NULL);
	if (IS_ERR(client))
		return PTR_ERR(client);
	ret = fake_offline_take(client, &request, 1);
	if (!ret)
		ret = register_memory_notifier(&notifier);
	if (ret)
		fake_offline_unregister(client);
	return ret;
}

static void __exit own_notifier_exit(void)
{
	unregister_memory_notifier(&notifier);
	fake_offline_unregister(client);
}

module_init(own_notifier_init);
module_exit(own_notifier_exit);

MODULE_DESCRIPTION("A client of fake_offline with a memory notifier");
MODULE_AUTHOR("the fake_offline project");
MODULE_LICENSE("GPL");
