/* SPDX-License-Identifier: GPL-2.0 */
/* Taking single free pages from the free lists of the buddy allocator. */
#ifndef FO_FREELIST_H
#define FO_FREELIST_H

#include "pfn_range.h"

int fo_freelist_take(struct pfn_range pfns);

#endif /* FO_FREELIST_H */
