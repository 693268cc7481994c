/* SPDX-License-Identifier: GPL-2.0 */
/* Taking pages for a client: checked, planned, taken, recorded, and undone. */
#ifndef FO_TAKE_H
#define FO_TAKE_H

#include "lock.h"
#include "pages.h"
#include "ranges.h"

struct zone;

/* A range that was taken, for the undo log. */
struct fo_taken {
	struct pfn_range pfns;
	u16 serial;
};

/**
 * struct fo_take - a call of fake_offline_take()
 * @client: for whom
 * @abort: whether it was aborted
 * @wait: how to wait
 * @tries: how often pages that are busy are tried
 * @quiet: a failure is not the last word, so its reason is not recorded
 * @tried: pages of the request at hand were tried
 * @drained: whether the per-CPU lists of the zone were drained for these pages
 * @zone: of the pages that were tried last
 * @full: a zone that was at its floor, or NULL
 * @other_full: @full is not the zone of the pages that were tried
 * @flags: of the request at hand
 * @serial: of the request at hand; 0 if it has none yet
 * @log: what was taken so far
 * @nr: number of entries in @log
 * @room: for so many
 */
struct fo_take {
	struct fake_offline_client *client;
	struct fo_abort abort;
	enum fo_wait wait;
	unsigned int tries;
	bool quiet;
	bool tried;
	enum fo_drained drained;
	struct zone *zone;
	struct zone *full;
	bool other_full;
	unsigned int flags;
	u16 serial;
	struct fo_taken *log;
	unsigned int nr;
	unsigned int room;
};

int fo_take_check(struct fo_take *t, struct pfn_range pfns);
int fo_take_ranges(struct fo_take *t, struct fo_range **ranges,
		   unsigned int *nr);
void fo_take_undo(struct fo_take *t, unsigned int nr, bool counted);
void fo_take_count(const struct fo_take *t, struct pfn_range pfns, int result);

#endif /* FO_TAKE_H */
