// SPDX-License-Identifier: GPL-2.0
/* The ioctls that look at marks: list and verify. */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <linux/fake_offline_test.h>

#include "dev_ioctls.h"
#include "session.h"
#include "unplug.h"

/* The number of ranges that LIST copies at a time. */
#define LIST_BATCH	256

/* The client whose ranges a call is about: the caller's, or NULL for all. */
static int client_of(struct fo_session *s, u32 flags,
		     struct fake_offline_client **client)
{
	if (flags & ~FAKE_OFFLINE_LIST_OWN)
		return -EINVAL;
	/* No listing shows marks of memory that was unplugged. */
	fo_unplug_sweep();
	*client = flags & FAKE_OFFLINE_LIST_OWN ? fo_session_client(s) : NULL;
	return 0;
}

static void fill_listed(struct fake_offline_listed *l,
			const struct fake_offline_info *info)
{
	*l = (struct fake_offline_listed) {
		.start_pfn = info->start_pfn,
		.nr_pages = info->nr_pages,
		.flags = info->flags,
		.state = info->state,
		.age_s = info->age_s,
		.nid = info->nid,
		.zone = info->zone,
	};
	strscpy(l->owner, info->owner, sizeof(l->owner));
}

/** fo_dev_list() - FAKE_OFFLINE_IOCTL_LIST */
long fo_dev_list(struct fo_session *s, void *args)
{
	struct fake_offline_list_args *a = args;
	struct fake_offline_listed *batch;
	struct fake_offline_listed __user *to = u64_to_user_ptr(a->ranges);
	struct fake_offline_client *client;
	struct fake_offline_info info;
	unsigned long pfn = fo_dev_pfn(a->cursor);
	u32 n, nr = 0;
	int ret;

	ret = client_of(s, a->flags, &client);
	if (ret || !a->nr_ranges || a->range_size != sizeof(*batch))
		return ret ?: -EINVAL;
	batch = kmalloc_array(LIST_BATCH, sizeof(*batch), GFP_KERNEL_ACCOUNT);
	if (!batch)
		return -ENOMEM;
	do {
		for (n = 0; n < LIST_BATCH && nr + n < a->nr_ranges &&
		     fake_offline_next(client, pfn, &info); n++) {
			fill_listed(&batch[n], &info);
			pfn = info.start_pfn + info.nr_pages;
		}
		if (copy_to_user(to + nr, batch, n * sizeof(*batch)))
			ret = -EFAULT;
		nr += n;
		if (!ret && signal_pending(current))
			break;
	} while (!ret && n == LIST_BATCH);
	kfree(batch);
	a->nr_ranges = nr;
	a->cursor = pfn;
	return ret;
}

/** fo_dev_verify() - FAKE_OFFLINE_IOCTL_VERIFY */
long fo_dev_verify(struct fo_session *s, void *args)
{
	struct fake_offline_verify_args *a = args;
	struct fake_offline_client *client;
	struct fake_offline_counts c;
	int ret;

	ret = client_of(s, a->flags, &client);
	if (!ret)
		ret = fake_offline_verify(client, fo_dev_pfn(a->start_pfn),
					  fo_dev_pfn(a->nr_pages), &c);
	if (ret)
		return ret;
	a->ranges = c.ranges;
	a->pages = c.pages;
	a->block_offline = c.block_offline;
	a->page_offline = c.page_offline;
	a->poisoned = c.poisoned;
	a->skippable = c.skippable;
	a->skippable_expected = c.skippable_expected;
	a->buddy = c.buddy;
	a->wrong_count = c.wrong_count;
	a->canary = c.canary;
	a->canary_broken = c.canary_broken;
	a->canary_unchecked = c.canary_unchecked;
	a->first_bad_pfn = c.first_bad_pfn < 0 ? FAKE_OFFLINE_NO_PFN :
						 c.first_bad_pfn;
	return 0;
}

