/* SPDX-License-Identifier: GPL-2.0 */
/* Taking pages that may be on a per-CPU list. */
#ifndef FO_DRAIN_H
#define FO_DRAIN_H

struct fo_range;
struct fo_take;

int fo_take_and_drain(struct fo_take *t, struct fo_range *r);

#endif /* FO_DRAIN_H */
