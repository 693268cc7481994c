/* SPDX-License-Identifier: GPL-2.0 */
/* Finding pages for a request that does not say which. */
#ifndef FO_FIND_H
#define FO_FIND_H

#include "pfn_range.h"

/* Tries to take @pfns. */
typedef int (*fo_try_fn)(struct pfn_range pfns, void *arg);

int fo_find(unsigned long nr_pages, int nid, int zone, fo_try_fn try, void *arg);

#endif /* FO_FIND_H */
