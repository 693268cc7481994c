/* SPDX-License-Identifier: GPL-2.0 */
/* Taking pages through an offline and online of their memory block. */
#ifndef FO_THROUGH_H
#define FO_THROUGH_H

#include <linux/types.h>

#include "gate.h"

struct fake_offline_client;

bool fo_through_wanted(void);
int fo_through_take(unsigned long first, unsigned long last,
		    struct fake_offline_client *client, unsigned int flags,
		    bool forced, enum fo_wait wait, u16 *serial, bool *valid);

#endif /* FO_THROUGH_H */
