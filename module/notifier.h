/* SPDX-License-Identifier: GPL-2.0 */
/* The memory notifier: the part of the module in hotplug operations. */
#ifndef FO_NOTIFIER_H
#define FO_NOTIFIER_H

int fo_notifier_register(void);
void fo_notifier_unregister(void);

#endif /* FO_NOTIFIER_H */
