/* SPDX-License-Identifier: GPL-2.0 */
/* Functions that read the state of the buddy allocator: free chunks, isolated page blocks. */
#ifndef FO_BUDDY_H
#define FO_BUDDY_H

#include <linux/types.h>

#include "pfn_range.h"

bool fo_free_chunk(unsigned long pfn, unsigned long *head, unsigned int *order);
unsigned long fo_skip_free(unsigned long pfn);
bool fo_any_isolated(struct pfn_range pfns);
bool fo_all_isolated(struct pfn_range pfns);

#endif /* FO_BUDDY_H */
