/* SPDX-License-Identifier: GPL-2.0 */
/* Taking pages from the kernel, and giving them back. */
#ifndef FO_PAGES_H
#define FO_PAGES_H

#include <linux/types.h>

/**
 * struct fo_piece - pages that become one range
 * @first: first PFN
 * @last: last PFN
 * @flags: FAKE_OFFLINE_*
 */
struct fo_piece {
	unsigned long first;
	unsigned long last;
	unsigned int flags;
};

unsigned long fo_zone_last(unsigned long first, unsigned long last);
unsigned long fo_skip_free(unsigned long pfn);
unsigned long fo_folio_start(unsigned long pfn);
bool fo_any_isolated(unsigned long first, unsigned long last);
bool fo_all_isolated(unsigned long first, unsigned long last);

int fo_pages_take(const struct fo_piece *pieces, unsigned int nr,
		  unsigned int tries, bool quiet);
void fo_pages_give_back(unsigned long first, unsigned long last,
			unsigned int flags);
void fo_to_buddy(unsigned long first, unsigned long last);

#endif /* FO_PAGES_H */
