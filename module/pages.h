/* SPDX-License-Identifier: GPL-2.0 */
/* Taking pages from the kernel, and giving them back. */
#ifndef FO_PAGES_H
#define FO_PAGES_H

#include <linux/types.h>

#include "pfn_range.h"

struct fo_range;

/*
 * Whether the per-CPU lists of the zone were drained for a page that might be on one.
 * Only then is it known whether such a page is free.
 */
enum fo_drained { FO_MAY_DRAIN, FO_CANNOT_DRAIN, FO_DRAINED };

struct pfn_range fo_in_first_zone(struct pfn_range pfns);

int fo_pages_take(struct fo_range *const *ranges, unsigned int nr,
		  unsigned int tries, bool quiet,
		  enum fo_drained drained);
void fo_pages_give_back(struct pfn_range pfns, unsigned int flags);

#endif /* FO_PAGES_H */
