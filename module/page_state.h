/* SPDX-License-Identifier: GPL-2.0 */
/* The state of a page: what it is made of, and how it changes. */
#ifndef FO_PAGE_STATE_H
#define FO_PAGE_STATE_H

#include <linux/types.h>

struct page;

int fo_skip_mode_set(const char *name);
const char *fo_skip_mode(void);
bool fo_skips_unskippable(void);

int fo_pages_mark(unsigned long first, unsigned long last, bool skippable,
		  unsigned long *stray);
void fo_pages_hold(unsigned long first, unsigned long last);
void fo_pages_let_go(unsigned long first, unsigned long last);
void fo_pages_withhold(unsigned long first, unsigned long last, bool skippable);
unsigned long fo_pages_make_free(unsigned long first, unsigned long last);
void fo_page_put(struct page *page);
void fo_pages_set_skippable(unsigned long first, unsigned long last,
			    bool skippable);

int fo_pages_going_offline(unsigned long first, unsigned long last,
			   unsigned long *stray);
void fo_pages_cancel_offline(unsigned long first, unsigned long last);
unsigned long fo_pages_poisoned(unsigned long first, unsigned long last);

void fo_pages_step_aside(unsigned long first, unsigned long last);
void fo_pages_step_back(unsigned long first, unsigned long last);

void fo_page_refuse(struct page *page);
void fo_page_skip_again(struct page *page);

bool fo_page_is_retired(struct page *page);
bool fo_page_is_skippable(struct page *page);
int fo_page_expected_count(void);
unsigned long fo_pages_sound(unsigned long first, unsigned long last,
			     bool skippable);

#endif /* FO_PAGE_STATE_H */
