// SPDX-License-Identifier: GPL-2.0
/* Changing whether offlining may skip marked pages. */
#include <linux/errno.h>
#include <linux/sched.h>

#include <linux/fake_offline.h>

#include "lock.h"
#include "page_state.h"
#include "ranges.h"
#include "release.h"
#include "skippable.h"

/**
 * fo_set_skippable() - fake_offline_set_skippable()
 * @client: the owner
 * @pfns: the pages
 * @skippable: what the pages are to be
 *
 * If the memory is offline, the online-page hook changes the pages later.
 *
 * Context: sleeps. Its own inverse.
 * Return: 0, or with nothing changed what fo_lock_owned() returns.
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
