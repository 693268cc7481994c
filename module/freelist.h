/* SPDX-License-Identifier: GPL-2.0 */
/* Taking single free pages from the free lists of the buddy allocator. */
#ifndef FO_FREELIST_H
#define FO_FREELIST_H

#include <linux/types.h>

bool fo_free_chunk(unsigned long pfn, unsigned long *head, unsigned int *order);
int fo_freelist_take(unsigned long first, unsigned long last);

#endif /* FO_FREELIST_H */
