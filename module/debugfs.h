/* SPDX-License-Identifier: GPL-2.0 */
/* The debugfs interface: it parses and prints, and does nothing itself. */
#ifndef FO_DEBUGFS_H
#define FO_DEBUGFS_H

#include <linux/types.h>

int fo_debugfs_create(void);
void fo_debugfs_remove(void);

#endif /* FO_DEBUGFS_H */
