/* SPDX-License-Identifier: GPL-2.0 */
/* Sets or clears the skippable bit of marked pages. */
#ifndef FO_SKIPPABLE_H
#define FO_SKIPPABLE_H

#include <linux/types.h>

#include "pfn_range.h"

struct fake_offline_client;

int fo_set_skippable(struct fake_offline_client *client,
		     struct pfn_range pfns, bool skippable);

#endif /* FO_SKIPPABLE_H */
