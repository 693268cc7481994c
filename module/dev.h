/* SPDX-License-Identifier: GPL-2.0 */
/* The character device /dev/fake_offline. */
#ifndef FO_DEV_H
#define FO_DEV_H

int fo_dev_create(void);
void fo_dev_remove(void);

#endif /* FO_DEV_H */
