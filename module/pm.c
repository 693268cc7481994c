// SPDX-License-Identifier: GPL-2.0
/*
 * Hibernation, which does not keep the content of marked pages.
 *
 * The image holds no PageOffline pages (saveable_page()). So after a resume from
 * another boot, the pages hold what that boot left in them, and every canary looks
 * broken. This file fills the canaries anew. From PM_HIBERNATION_PREPARE until then
 * they are not checked, because tasks are thawed before PM_POST_HIBERNATION.
 *
 * PM_POST_HIBERNATION also comes when no image was made, or when the image was read
 * back in the same boot (test_resume). Then the content is still there, and is
 * checked as before. A sentinel distinguishes the two cases. It is one more PageOffline
 * page, and holds a random number. Another boot would have another number there.
 */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/page-flags.h>
#include <linux/random.h>
#include <linux/suspend.h>

#include <linux/fake_offline_test.h>

#include "canary.h"
#include "lock.h"
#include "pm.h"
#include "ranges.h"

static struct page *sentinel;
static u64 number;
static bool unknown;

/**
 * fo_content_is_known() - may the content of marked pages be checked?
 *
 * Context: holds fo_lock.
 * Return: whether it may.
 */
bool fo_content_is_known(void)
{
	return !unknown;
}

static void set_unknown(bool value)
{
	mutex_lock(&fo_lock);
	unknown = value;
	mutex_unlock(&fo_lock);
}

static void make_sentinel(void)
{
	sentinel = alloc_page(GFP_KERNEL);
	if (!sentinel)
		return;		/* the canaries are filled anew in any case */
	number = get_random_u64();
	*(u64 *)page_address(sentinel) = number;
	page_offline_begin();
	__SetPageOffline(sentinel);
	page_offline_end();
}

/* Inverse of make_sentinel(). Return: whether the content is still there. */
static bool take_sentinel(void)
{
	bool same;

	if (!sentinel)
		return false;
	same = *(u64 *)page_address(sentinel) == number;
	__ClearPageOffline(sentinel);
	__free_page(sentinel);
	sentinel = NULL;
	return same;
}

static void refill(void)
{
	struct fo_range *r;
	unsigned long pfn;

	mutex_lock(&fo_lock);
	fo_for_each_range_relocking(r, pfn, ALL_PFNS) {
		if (!(r->flags & FAKE_OFFLINE_CANARY))
			continue;
		/* A task that takes or gives back a range knows its content. */
		if (r->state == FO_RANGE_WAITING)
			r->flags |= FO_RANGE_FILL;
		else if (fo_range_is_marked(r) &&
			 !(r->flags & FO_RANGE_RETIRED))
			fo_canary_fill(r->pfns);
		mutex_unlock(&fo_lock);
		cond_resched();
		mutex_lock(&fo_lock);
	}
	mutex_unlock(&fo_lock);
}

static int notify(struct notifier_block *nb, unsigned long action, void *unused)
{
	switch (action) {
	case PM_HIBERNATION_PREPARE:
		set_unknown(true);
		make_sentinel();
		break;
	case PM_POST_HIBERNATION:
		if (!take_sentinel())
			refill();
		set_unknown(false);
		break;
	}
	return NOTIFY_OK;
}

static struct notifier_block notifier = { .notifier_call = notify };

/** fo_pm_init() - module init; 0 or an errno; inverse: fo_pm_exit() */
int fo_pm_init(void)
{
	return register_pm_notifier(&notifier);
}

/** fo_pm_exit() - module exit, nothing is marked */
void fo_pm_exit(void)
{
	unregister_pm_notifier(&notifier);
	take_sentinel();
}
