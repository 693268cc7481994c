/* SPDX-License-Identifier: GPL-2.0 */
/* Memory blocks that are gone, and the marks that go with them. */
#ifndef FO_UNPLUG_H
#define FO_UNPLUG_H

int fo_unplug_watch(unsigned long first, unsigned long last);
void fo_unplug_unwatch(unsigned long first, unsigned long last);
int fo_unplug_forget(unsigned long first, unsigned long last);
int fo_unplug_sweep(void);
void fo_unplug_finish(void);

#endif /* FO_UNPLUG_H */
