// SPDX-License-Identifier: GPL-2.0
/*
 * Marking pages while their memory blocks are offline: which blocks, and their way there
 * and back.
 */
#include "via_offline.h"
#include "blockarg.h"
#include "blockop.h"
#include "offline_record.h"
#include "pageflags.h"
#include "sysroot.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/kernel-page-flags.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HUGEPAGES "sys/kernel/mm/hugepages"

/* Onlining may fail for a moment, so there are several attempts. */
#define ONLINE_TRIES 5
#define ONLINE_PAUSE_MS 200

struct via_block {
	struct memblock *b;
	char *zones;		/* the zone it had; NULL: not known */
	int record;		/* of record_begin(); -1: the block is not offline */
	bool other_zone;	/* it came online in another zone */
};

static const char *type_of(const struct via_block *vb)
{
	if (!vb->zones)
		return "online";
	return !strcmp(vb->zones, "Movable") ? "online_movable" :
					       "online_kernel";
}

static bool refuse(const struct via_offline *via, uint64_t nr, const char *reason)
{
	err("%s: block %" PRIu64 ": %s", via->cmd->name, nr, reason);
	return false;
}

static bool refuse_unforced(const struct via_offline *via, uint64_t nr,
			    const char *reason)
{
	refuse(via, nr, reason);
	hint("nothing was done; --force takes the block offline anyway");
	return false;
}

/* Has the hugetlb pool any page, of any size? */
static bool have_hugepages(void)
{
	DIR *dir = root_opendir(ROOT, HUGEPAGES);
	struct sb path = {0}, line = {0};
	const struct dirent *entry;
	bool have = false;
	uint64_t nr;

	if (!dir)
		return false;
	while ((entry = readdir(dir)) && !have) {
		sb_clear(&path);
		sb_addf(&path, HUGEPAGES "/%s/nr_hugepages", entry->d_name);
		have = root_read_line(ROOT, path.p, &line) &&
		       !parse_number(sb_str(&line), &nr) && nr;
	}
	closedir(dir);
	sb_free(&path);
	sb_free(&line);
	return have;
}

static bool check_hugetlb(const struct via_offline *via,
			  const struct pageflags *pf, bool have, uint64_t nr)
{
	struct span span;
	uint64_t huge;

	if (pf->fd >= 0 && block_span(&via->units, nr, &span) &&
	    pageflags_count(pf, span, KPF_HUGE, &huge))
		return !huge ||
		       refuse_unforced(via, nr,
			"it has pages of the hugetlb pool, and the pool would shrink for good");
	return !have ||
	       refuse_unforced(via, nr,
		"it may have pages of the hugetlb pool, and the pool would shrink for good");
}

/* Is the block one of those that will be offline? */
static bool is_taken(const struct via_offline *via, const struct memblock *b)
{
	for (size_t i = 0; i < via->n; i++)
		if (via->v[i].b == b)
			return true;
	return false;
}

/*
 * Refuses the last online block of a node. If a node loses all its memory, the kernel
 * empties cpusets and moves tasks.
 */
static bool check_node(const struct via_offline *via,
		       const struct memblock *block)
{
	struct sb reason = {0};
	bool left = false;

	for (size_t i = 0; i < via->blocks.n && !left; i++) {
		const struct memblock *b = &via->blocks.v[i];

		left = b->node == block->node && !strcmp(b->state, "online") &&
		       !is_taken(via, b);
	}
	if (left)
		return true;
	if (block->node < 0)
		sb_addf(&reason, "no other memory block would be online");
	else
		sb_addf(&reason, "no other memory block of node %" PRId64
			" would be online", block->node);
	refuse_unforced(via, block->nr, reason.p);
	sb_free(&reason);
	return false;
}

/* Finds the blocks of the spans. Returns false after an error message. */
static bool choose(struct via_offline *via, const struct spans *spans)
{
	struct spans rest = { .n = 0 }, covered = {0};
	struct sb range = {0};
	bool ok = true;

	via->v = xrealloc(NULL, via->blocks.n, sizeof(*via->v));
	for (size_t i = 0; i < via->blocks.n && ok; i++) {
		struct memblock *b = &via->blocks.v[i];
		struct span span;

		if (!block_span(&via->units, b->nr, &span)) {
			err("%s: the size of a memory block is not known",
			    via->cmd->name);
			ok = false;
			break;
		}
		if (!spans_pages_in(spans, span))
			continue;
		spans_add(&covered, span);
		if (!strcmp(b->state, "online"))
			via->v[via->n++] = (struct via_block){
				.b = b, .record = -1,
				.zones = b->zones ? xstrdup(b->zones) : NULL,
			};
		else if (strcmp(b->state, "offline"))
			ok = refuse(via, b->nr, "its state is changing at the moment");
	}
	spans_normalize(&covered);
	if (ok)
		rest = spans_subtract(spans, &covered);
	if (ok && rest.n) {
		add_range(&range, &via->units, rest.v[0]);
		err("%s: %s: there is no memory block", via->cmd->name,
		    range.p);
		ok = false;
	}
	spans_free(&rest);
	spans_free(&covered);
	sb_free(&range);
	return ok;
}

static bool check(const struct via_offline *via)
{
	struct pageflags pf = { .fd = -1 };
	bool have = have_hugepages(), ok = true;

	if (via->force)
		return true;
	/* Without /proc/kpageflags any page in the hugetlb pool is a reason to refuse. */
	pageflags_open(&pf);
	for (size_t i = 0; i < via->n && ok; i++)
		ok = check_node(via, via->v[i].b) &&
		     check_hugetlb(via, &pf, have, via->v[i].b->nr);
	pageflags_close(&pf);
	return ok;
}

static bool take_one(struct via_offline *via, struct via_block *vb)
{
	struct blockop op = {
		.cmd = via->cmd, .sysfs = true, .units = via->units,
	};

	if (signals_seen()) {
		err("%s: interrupted", via->cmd->name);
		return false;
	}
	vb->record = record_begin(vb->b->nr, type_of(vb));
	if (vb->record < 0) {
		struct sb reason = {0};

		if (errno == EWOULDBLOCK)
			sb_addf(&reason, "another offctl is taking it offline");
		else
			sb_addf(&reason, "offctl cannot record it in /run/offctl: %s",
				strerror(errno));
		refuse(via, vb->b->nr, reason.p);
		sb_free(&reason);
		return false;
	}
	return blockop_run(&op, via->m, vb->b) == OP_DONE;
}

bool via_offline_take(struct via_offline *via, const struct spans *spans)
{
	/* If offctl is killed, it must have reported each step that was done. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!memblocks_load(via->cmd->name, &via->blocks) ||
	    !choose(via, spans) || !check(via))
		return false;
	for (size_t i = 0; i < via->blocks.n; i++) {
		const struct memblock *b = &via->blocks.v[i];
		struct span span;

		if (!strcmp(b->state, "offline") &&
		    block_span(&via->units, b->nr, &span) &&
		    spans_pages_in(spans, span))
			out("block %" PRIu64 ": already offline, stays offline\n",
			    b->nr);
	}
	for (size_t i = 0; i < via->n; i++)
		if (!take_one(via, &via->v[i])) {
			via_offline_bring_back(via);
			return false;
		}
	return true;
}

static void pause_ms(long ms)
{
	struct timespec t = { 0, ms * 1000000 };

	nanosleep(&t, NULL);
}

/* Brings a block back online, even after a signal. */
static bool bring_back_one(struct via_offline *via, struct via_block *vb)
{
	struct blockop op = {
		.cmd = via->cmd, .sysfs = true, .units = via->units,
		.online = true, .type = type_of(vb),
	};
	/* The block may not have gone offline, or another program has onlined it. */
	bool back = memblock_refresh(vb->b) && !strcmp(vb->b->state, "online");

	for (int i = 1; i <= ONLINE_TRIES && !back; i++) {
		enum outcome outcome;

		op.expect_failure = i < ONLINE_TRIES;
		outcome = blockop_run(&op, via->m, vb->b);
		back = outcome == OP_DONE || outcome == OP_ALREADY;
		if (!back && i < ONLINE_TRIES)
			pause_ms(ONLINE_PAUSE_MS);
	}
	if (back && vb->zones && vb->b->zones &&
	    strcmp(vb->zones, vb->b->zones)) {
		vb->other_zone = true;
		err("%s: block %" PRIu64 ": it was in zone %s, and came online in zone %s",
		    via->cmd->name, vb->b->nr, vb->zones, vb->b->zones);
	}
	return back;
}

bool via_offline_bring_back(struct via_offline *via)
{
	bool all = true;

	for (size_t i = 0; i < via->n; i++) {
		struct via_block *vb = &via->v[i];

		if (vb->record < 0)
			continue;
		if (bring_back_one(via, vb)) {
			record_end(vb->record, vb->b->nr, true);
			vb->record = -1;
		} else {
			all = false;
		}
	}
	return all;
}

bool via_offline_zones_differ(const struct via_offline *via)
{
	for (size_t i = 0; i < via->n; i++)
		if (via->v[i].other_zone)
			return true;
	return false;
}

void via_offline_end(struct via_offline *via)
{
	for (size_t i = 0; i < via->n; i++) {
		if (via->v[i].record >= 0)
			record_end(via->v[i].record, via->v[i].b->nr, false);
		free(via->v[i].zones);
	}
	free(via->v);
	memblocks_free(&via->blocks);
}
