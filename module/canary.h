/* SPDX-License-Identifier: GPL-2.0 */
/* Canaries: a pattern in marked pages, made from their PFNs. */
#ifndef FO_CANARY_H
#define FO_CANARY_H

#include <linux/types.h>

#include "pfn_range.h"

void fo_canary_fill(struct pfn_range pfns);
void fo_canary_wipe(struct pfn_range pfns);
void fo_canary_break(unsigned long pfn);
bool fo_canary_intact(unsigned long pfn);

#endif /* FO_CANARY_H */
