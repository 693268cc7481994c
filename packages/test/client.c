// SPDX-License-Identifier: GPL-2.0
/* A minimal client of fake_offline, for the test of builds of other modules. */
#include <linux/err.h>
#include <linux/module.h>

#include <linux/fake_offline.h>

static struct fake_offline_client *client;

static int __init client_init(void)
{
	client = fake_offline_register("packages-test", THIS_MODULE,
				       NULL, NULL);
	return PTR_ERR_OR_ZERO(client);
}
module_init(client_init);

static void __exit client_exit(void)
{
	fake_offline_unregister(client);
}
module_exit(client_exit);

MODULE_DESCRIPTION("Test client of fake_offline");
MODULE_LICENSE("GPL");
