/* SPDX-License-Identifier: GPL-2.0 */
/* Listing the marked ranges. */
#ifndef FO_LIST_H
#define FO_LIST_H

#include <linux/types.h>

struct fake_offline_client;
struct fake_offline_info;

bool fo_list_next(const struct fake_offline_client *client, unsigned long pfn,
		  struct fake_offline_info *info);

#endif /* FO_LIST_H */
