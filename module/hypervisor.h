/* SPDX-License-Identifier: GPL-2.0 */
/* Drivers of the hypervisor that need the online-page hook for themselves. */
#ifndef FO_HYPERVISOR_H
#define FO_HYPERVISOR_H

#include <linux/types.h>

const char *fo_hypervisor_needs_hook(void);

#endif /* FO_HYPERVISOR_H */
