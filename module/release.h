/* SPDX-License-Identifier: GPL-2.0 */
/* Giving back what clients have taken. */
#ifndef FO_RELEASE_H
#define FO_RELEASE_H

#include <linux/types.h>

#include "lock.h"
#include "ranges.h"

struct fake_offline_client;
struct fake_offline_range;

int fo_make_range(unsigned long start_pfn, unsigned long nr_pages,
		  struct pfn_range *pfns);
void fo_sort_ranges(struct fake_offline_range *ranges, unsigned int nr);
int fo_lock_owned(struct fake_offline_client *client,
		  const struct pfn_range *ranges, unsigned int nr,
		  enum fo_wait wait);
int fo_release(struct fake_offline_client *client,
	       const struct pfn_range *ranges, unsigned int nr,
	       enum fo_wait wait);
int fo_release_all(struct fake_offline_client *client, enum fo_wait wait);
void fo_release_or_orphan(struct fake_offline_client *client,
			  struct pfn_range pfns, u16 serial,
			  bool counted);
void fo_orphan_all(struct fake_offline_client *client);
void fo_orphans_retry(void);
void fo_orphans_exit(void);

#endif /* FO_RELEASE_H */
