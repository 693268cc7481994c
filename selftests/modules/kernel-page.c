// SPDX-License-Identifier: GPL-2.0
/*
 * A page of the kernel's own that cannot move, at a given place. It is allocated when the
 * module is loaded, and freed when it is unloaded. With frozen=1 it has no reference, like
 * a page of a frozen allocation, or a page other than the first of an allocation that is
 * no compound page. For soft-offline.sh, reasons.sh and calls.sh.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/page_ref.h>

#include "compat.h"

static unsigned long pfn;
module_param(pfn, ulong, 0444);
MODULE_PARM_DESC(pfn, "The page, which must be free");

static bool frozen;
module_param(frozen, bool, 0444);
MODULE_PARM_DESC(frozen, "The page has no reference");

static int __init kernel_page_init(void)
{
	int ret = compat_alloc_contig(pfn, pfn + 1, GFP_KERNEL | __GFP_NOWARN);

	if (!ret)
		set_page_count(pfn_to_page(pfn), frozen ? 0 : 1);
	return ret;
}

static void __exit kernel_page_exit(void)
{
	set_page_count(pfn_to_page(pfn), 1);
	__free_page(pfn_to_page(pfn));
}

module_init(kernel_page_init);
module_exit(kernel_page_exit);

MODULE_DESCRIPTION("Holds a page at a given place");
MODULE_LICENSE("GPL");
