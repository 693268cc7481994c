/* SPDX-License-Identifier: GPL-2.0 */
/* The state of a page: what it is made of, and how it changes. */
#ifndef FO_PAGE_STATE_H
#define FO_PAGE_STATE_H

#include <linux/types.h>

#include "pfn_range.h"

struct page;

int fo_skip_mode_set(const char *name);
const char *fo_skip_mode(void);
bool fo_skips_unskippable(void);

int fo_pages_mark(struct pfn_range pfns, bool skippable, unsigned long *stray);
void fo_pages_withhold(struct pfn_range pfns, bool skippable);
unsigned long fo_pages_make_free(struct pfn_range pfns);
void fo_page_put(struct page *page);
void fo_pages_hold(struct pfn_range pfns);
void fo_pages_let_go(struct pfn_range pfns);
void fo_pages_set_skippable(struct pfn_range pfns, bool skippable);

bool fo_drops_refs_to_offline(void);
int fo_pages_drop_refs(struct pfn_range pfns, unsigned long *stray);
void fo_pages_restore_refs(struct pfn_range pfns);

void fo_page_refuse(struct page *page);
void fo_page_skip_again(struct page *page);

bool fo_page_is_retired(struct page *page);
bool fo_page_is_skippable(struct page *page);
int fo_page_expected_count(void);
unsigned long fo_pages_poisoned(struct pfn_range pfns);
unsigned long fo_pages_sound(struct pfn_range pfns, bool skippable);

#endif /* FO_PAGE_STATE_H */
