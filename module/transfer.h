/* SPDX-License-Identifier: GPL-2.0 */
/* Pages between the states allocated, marked and free. */
#ifndef FO_TRANSFER_H
#define FO_TRANSFER_H

#include "pfn_range.h"

void fo_put_singly(struct pfn_range pfns);
int fo_mark_allocated(struct pfn_range pfns, unsigned int flags,
		      unsigned long *stray);
void fo_to_buddy(struct pfn_range pfns);
void fo_give_back_zone(struct pfn_range pfns);
void fo_return_allocated(struct pfn_range pfns);

#endif /* FO_TRANSFER_H */
