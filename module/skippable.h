/* SPDX-License-Identifier: GPL-2.0 */
/* Changing whether offlining may skip marked pages. */
#ifndef FO_SKIPPABLE_H
#define FO_SKIPPABLE_H

#include <linux/types.h>

struct fake_offline_client;
struct fo_span;

int fo_set_skippable(struct fake_offline_client *client,
		     const struct fo_span *span, bool skippable);

#endif /* FO_SKIPPABLE_H */
