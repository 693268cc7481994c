/* SPDX-License-Identifier: GPL-2.0 */
/* Hibernation, which does not keep the content of marked pages. */
#ifndef FO_PM_H
#define FO_PM_H

#include <linux/types.h>

bool fo_content_is_known(void);
int fo_pm_init(void);
void fo_pm_exit(void);

#endif /* FO_PM_H */
