/* SPDX-License-Identifier: GPL-2.0 */
/* Taking pages from the kernel, and returning them. */
#ifndef FO_TAKE_H
#define FO_TAKE_H

#include <linux/types.h>

unsigned long fo_span_last(unsigned long first, unsigned long last);
bool fo_any_isolated(unsigned long first, unsigned long last);
bool fo_all_isolated(unsigned long first, unsigned long last);
int fo_check_online(unsigned long first, unsigned long last);

/**
 * struct fo_piece - pages that become one range, or a part of one
 * @first: first PFN
 * @last: last PFN
 * @flags: FAKE_OFFLINE_SKIPPABLE, FAKE_OFFLINE_CANARY
 * @serial: that of the range, see fo_ranges_insert()
 */
struct fo_piece {
	unsigned long first;
	unsigned long last;
	unsigned int flags;
	u16 serial;
};

int fo_take(unsigned long first, unsigned long last, unsigned int flags,
	    bool persist);
int fo_take_together(const struct fo_piece *pieces, unsigned int nr);
void fo_give_back(unsigned long first, unsigned long last, unsigned int flags);
int fo_set_skippable(unsigned long first, unsigned long last, bool skippable);
void fo_to_buddy(unsigned long first, unsigned long last);

/* Tries to take [@first, @last] for fo_find(). */
typedef int (*fo_try_fn)(unsigned long first, unsigned long last, void *arg);
int fo_find(unsigned long nr_pages, int nid, const char *zone, fo_try_fn try,
	    void *arg);

#endif /* FO_TAKE_H */
