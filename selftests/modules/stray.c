// SPDX-License-Identifier: GPL-2.0
/*
 * Holds a reference to a page of another owner, as code that finds pages by PFN does for a
 * moment. For selftests/stray.sh.
 *
 *	/sys/module/stray/parameters/get	a PFN; ENOENT if no reference can be taken
 *	/sys/module/stray/parameters/put	anything: puts the reference
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

static struct page *held;

static int get(const char *value, const struct kernel_param *kp)
{
	unsigned long pfn;
	struct page *page;
	int ret = kstrtoul(value, 0, &pfn);

	if (ret)
		return ret;
	if (held)
		return -EBUSY;
	page = pfn_to_online_page(pfn);
	if (!page || !get_page_unless_zero(page))
		return -ENOENT;
	held = page;
	return 0;
}

static int put(const char *value, const struct kernel_param *kp)
{
	if (!held)
		return -ENOENT;
	put_page(held);
	held = NULL;
	return 0;
}

static const struct kernel_param_ops get_ops = { .set = get };
static const struct kernel_param_ops put_ops = { .set = put };
module_param_cb(get, &get_ops, NULL, 0200);
module_param_cb(put, &put_ops, NULL, 0200);

MODULE_DESCRIPTION("Holds a reference to a page that is not its own");
MODULE_LICENSE("GPL");
