/* SPDX-License-Identifier: GPL-2.0 */
/* How much memory marks must leave. */
#ifndef FO_RESERVE_H
#define FO_RESERVE_H

unsigned int fo_reserve_mib(void);
int fo_reserve_check(unsigned long nr_pages);
void fo_reserve_begin(unsigned long nr_pages);
void fo_reserve_end(unsigned long nr_pages);

#endif /* FO_RESERVE_H */
