/* SPDX-License-Identifier: GPL-2.0 */
/* Looking at marked pages and counting what became of them. */
#ifndef FO_VERIFY_H
#define FO_VERIFY_H

#include "pfn_range.h"

struct fake_offline_client;
struct fake_offline_counts;

int fo_verify(const struct fake_offline_client *client, struct pfn_range pfns,
	      struct fake_offline_counts *counts);

#endif /* FO_VERIFY_H */
