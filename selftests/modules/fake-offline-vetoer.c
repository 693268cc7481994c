// SPDX-License-Identifier: GPL-2.0
/*
 * A client with one page that vetoes each offlining of its block. Beside the sample, it
 * shows the effect of one client's veto on another client.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/numa.h>

#include <linux/fake_offline.h>

static unsigned long pfn;
module_param(pfn, ulong, 0444);
MODULE_PARM_DESC(pfn, "Its page");

/* Callbacks are serialised, and they alone write these. */
static int asked;
module_param(asked, int, 0444);
MODULE_PARM_DESC(asked, "How often it was asked");

static int told;
module_param(told, int, 0444);
MODULE_PARM_DESC(told, "How often it was told of a rollback, which it knows by itself");

static struct fake_offline_client *client;

static int going_offline(void *data, unsigned long start_pfn,
			 unsigned long nr_pages, const char **reason)
{
	asked++;
	*reason = "it always does";
	return -EPERM;
}

static void cancel_offline(void *data, unsigned long start_pfn,
			   unsigned long nr_pages)
{
	told++;
}

static const struct fake_offline_ops ops = {
	.going_offline = going_offline,
	.cancel_offline = cancel_offline,
};

static int __init vetoer_init(void)
{
	struct fake_offline_request request = {
		.start_pfn = pfn,
		.nr_pages = 1,
		.flags = FAKE_OFFLINE_SKIPPABLE,
		.nid = NUMA_NO_NODE,
		.zone = FAKE_OFFLINE_ANY_ZONE,
	};
	int ret;

	client = fake_offline_register("vetoer", THIS_MODULE, &ops, NULL);
	if (IS_ERR(client))
		return PTR_ERR(client);
	ret = fake_offline_take(client, &request, 1);
	if (ret)
		fake_offline_unregister(client);
	return ret;
}

static void __exit vetoer_exit(void)
{
	fake_offline_unregister(client);
}

module_init(vetoer_init);
module_exit(vetoer_exit);

MODULE_DESCRIPTION("A client of fake_offline that vetoes");
MODULE_AUTHOR("the fake_offline project");
MODULE_LICENSE("GPL");
