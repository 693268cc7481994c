// SPDX-License-Identifier: GPL-2.0
/*
 * Sets or clears the skippable bit of marked pages. In offline memory only the record
 * changes, and the online-page hook gives the pages the bit later.
 */
#include <linux/errno.h>
#include <linux/sched.h>

#include <linux/fake_offline.h>

#include "lock.h"
#include "page_state.h"
#include "ranges.h"
#include "release.h"
#include "skippable.h"

/**
 * fo_set_skippable() - set or clear the skippable bit of marked pages
 * @client: the owner
 * @pfns: the pages
 * @skippable: whether an offline operation may skip the pages
 *
 * A range that is partly in @pfns is split. See fake_offline_set_skippable().
 *
 * Context: sleeps. Inverse: the same function with the other @skippable.
 * Return: 0. On an error, which is one of fo_lock_owned(), nothing has changed.
 */
int fo_set_skippable(struct fake_offline_client *client,
		     struct pfn_range pfns, bool skippable)
{
	struct fo_range *r;
	int ret;

	ret = fo_lock_owned(client, &pfns, 1, FO_WAIT_INTERRUPTIBLE);
	if (ret)
		return ret;
	fo_for_each_range(r, pfns) {
		if (!!(r->flags & FAKE_OFFLINE_SKIPPABLE) == skippable)
			continue;
		r->flags ^= FAKE_OFFLINE_SKIPPABLE;
		if (r->state == FO_RANGE_IN_FORCE &&
		    !(r->flags & FO_RANGE_RETIRED))
			fo_pages_set_skippable(r->pfns, skippable);
		cond_resched();
	}
	mutex_unlock(&fo_lock);
	return 0;
}
