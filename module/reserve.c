// SPDX-License-Identifier: GPL-2.0
/* How much memory marks must leave: the parameter reserve_mib. */
#include <linux/errno.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>

#include "gate.h"
#include "reserve.h"

static uint reserve_mib = 64;
module_param(reserve_mib, uint, 0644);
MODULE_PARM_DESC(reserve_mib,
		 "Refuse a mark that would leave less available memory, in MiB (default 64)");

/*
 * Pages of ranges that are being taken, but may not have been yet. Protected by
 * fo_gate.
 */
static unsigned long pending;

/** fo_reserve_mib() - the parameter; context: any */
unsigned int fo_reserve_mib(void)
{
	return READ_ONCE(reserve_mib);
}

/**
 * fo_reserve_check() - is there enough memory to take so many pages?
 * @nr_pages: number of pages
 *
 * MemAvailable counts: free, or freed without swapping.
 *
 * Context: holds fo_gate.
 * Return: 0, -ENOSPC.
 */
int fo_reserve_check(unsigned long nr_pages)
{
	unsigned long reserve = (unsigned long)fo_reserve_mib() <<
				(20 - PAGE_SHIFT);
	long available = si_mem_available() - pending;

	lockdep_assert_held(&fo_gate);
	if (available < 0 || nr_pages > available ||
	    available - nr_pages < reserve)
		return -ENOSPC;
	return 0;
}

/**
 * fo_reserve_begin() - so many pages are about to be taken
 * @nr_pages: number of pages
 *
 * Context: holds fo_gate. Inverse: fo_reserve_end().
 */
void fo_reserve_begin(unsigned long nr_pages)
{
	lockdep_assert_held(&fo_gate);
	pending += nr_pages;
}

/**
 * fo_reserve_end() - they are taken, or will not be
 * @nr_pages: number of pages
 *
 * Context: holds fo_gate. Inverse: fo_reserve_begin().
 */
void fo_reserve_end(unsigned long nr_pages)
{
	lockdep_assert_held(&fo_gate);
	pending -= nr_pages;
}
