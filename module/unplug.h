/* SPDX-License-Identifier: GPL-2.0 */
/* Memory blocks that are gone, and the ranges that go with them. */
#ifndef FO_UNPLUG_H
#define FO_UNPLUG_H

#include "pfn_range.h"

int fo_unplug_watch(unsigned long pfn);
void fo_unplug_unwatch(struct pfn_range pfns);
void fo_unplug_forget(unsigned long pfn);
void fo_unplug_sweep(void);
void fo_unplug_exit(void);

#endif /* FO_UNPLUG_H */
