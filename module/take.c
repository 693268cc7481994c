// SPDX-License-Identifier: GPL-2.0
/*
 * Requests of clients. A request passes through these steps once:
 *
 *	check	its flags; and over several blocks, that no page is marked, that
 *		memory is there, and that the zones keep their floors: check_span()
 *	plan	cut it into pieces, each in one memory block and zone, with pages in
 *		one condition; or put neighbours together: plan()
 *	take	the pages of a piece from the kernel, and mark them: pages.c
 *	record	the piece in the tree, and in the undo log: take_pieces()
 *
 * A piece in online memory is busy while its pages are taken. A piece in memory
 * that is offline or absent is a record that waits: nothing is taken, and the
 * online-page hook withholds its pages later. A piece that the kernel has retired
 * already is out of use, and needs no more than a reference.
 *
 * One alloc_contig_range() isolates whole page blocks, looks at every page there,
 * and waits for every CPU, whether it is for one page or for all. So requests that
 * lie near each other in a page block are taken with one allocation. Pages between
 * them must be free, and go back at once. If that fails, for whatever reason, the
 * requests are taken one by one, and fail or not as they would by themselves.
 */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <linux/fake_offline_test.h>

#include "block_pfn.h"
#include "client.h"
#include "find.h"
#include "floor.h"
#include "hook.h"
#include "inject.h"
#include "lock.h"
#include "memory.h"
#include "page_state.h"
#include "pages.h"
#include "ranges.h"
#include "reason.h"
#include "release.h"
#include "stats.h"
#include "take.h"
#include "trace.h"
#include "unplug.h"

#define REQUEST_FLAGS	(FAKE_OFFLINE_SKIPPABLE | FAKE_OFFLINE_CANARY | \
			 FAKE_OFFLINE_ABSENT | FAKE_OFFLINE_ONCE)
/* What a range keeps of them. */
#define RANGE_FLAGS	(FAKE_OFFLINE_SKIPPABLE | FAKE_OFFLINE_CANARY | \
			 FAKE_OFFLINE_ABSENT)

/*
 * So many pages between two ranges cost less to take and to give back (some 750
 * instructions each, most of them for zeroing) than another alloc_contig_range()
 * (some 150 000).
 */
#define FO_NEAR_PAGES	128

/* How often pages that are busy are tried: half a second in all. */
#define FO_TAKE_TRIES	10

/* A piece that was taken, for the undo log. */
struct taken {
	struct fo_span span;
	u16 serial;
};

/**
 * struct take - a call of fake_offline_take()
 * @client: for whom
 * @abort: whether it was aborted
 * @wait: how to wait
 * @tries: how often pages that are busy are tried
 * @quiet: a failure is not the last word, so its reason is not recorded
 * @tried: pages of the range at hand were tried
 * @full: a zone that was at its floor, or NULL
 * @flags: of the request at hand
 * @serial: of the request at hand
 * @log: what was taken so far
 * @nr: number of entries in @log
 * @room: for so many
 */
struct take {
	struct fake_offline_client *client;
	struct fo_abort abort;
	enum fo_wait wait;
	unsigned int tries;
	bool quiet;
	bool tried;
	struct zone *full;
	unsigned int flags;
	u16 serial;
	struct taken *log;
	unsigned int nr;
	unsigned int room;
};

static int make_room(struct take *t, unsigned int nr)
{
	unsigned int room = max3(2 * t->room, t->nr + nr, 16U);
	struct taken *log;

	if (t->nr + nr <= t->room)
		return 0;
	log = kvmalloc_array(room, sizeof(*log), GFP_KERNEL);
	if (!log)
		return -ENOMEM;
	if (t->nr)
		memcpy(log, t->log, t->nr * sizeof(*log));
	kvfree(t->log);
	t->log = log;
	t->room = room;
	return 0;
}

static struct fo_span span_of(const struct fo_piece *pieces, unsigned int nr)
{
	return (struct fo_span){ pieces[0].first, pieces[nr - 1].last };
}

/*
 * The page blocks that alloc_contig_range() isolates to take @s. Two of them at
 * once in the same page block would undo each other's isolation.
 */
static struct fo_span page_blocks_of(const struct fo_span *s)
{
	return (struct fo_span){
		.first = round_down(s->first, pageblock_nr_pages),
		.last = s->last | (pageblock_nr_pages - 1),
	};
}

/* Marked pages of these page blocks make way for what is taken there. */
static void step_aside(const struct fo_span *blocks)
{
	struct fo_range *r;

	if (!fo_page_expected_count())
		return;
	fo_for_each_range(r, blocks->first, blocks->last) {
		if (r->state != FO_RANGE_IN_FORCE ||
		    r->flags & FO_RANGE_RETIRED)
			continue;
		fo_range_set_state(r, FO_RANGE_ASIDE);
		fo_pages_step_aside(max(r->first, blocks->first),
				    min(r->last, blocks->last));
	}
}

/* Inverse of step_aside(). */
static void step_back(const struct fo_span *blocks)
{
	struct fo_range *r;

	fo_for_each_range(r, blocks->first, blocks->last) {
		if (r->state != FO_RANGE_ASIDE)
			continue;
		fo_pages_step_back(max(r->first, blocks->first),
				   min(r->last, blocks->last));
		fo_range_set_state(r, FO_RANGE_IN_FORCE);
	}
}

/* Is a page of @s marked? */
static int check_unmarked(const struct take *t, const struct fo_span *s)
{
	struct fo_range *r;

	fo_for_each_range(r, s->first, s->last) {
		if (!fo_range_is_marked(r))
			continue;
		return t->quiet ? -EEXIST :
		       fo_fail(FO_FAILED_MARK, FO_ALREADY_MARKED, s->first,
			       s->last, max(r->first, s->first), r->client->name,
			       -EEXIST, "PFN %#lx is marked already by %s",
			       max(r->first, s->first), r->client->name);
	}
	return 0;
}

/* May @memory be marked? */
static int check_memory(const struct take *t, unsigned long pfn,
			enum fo_memory memory)
{
	switch (memory) {
	case FO_MEMORY_ONLINE:
	case FO_MEMORY_RETIRED:
	case FO_MEMORY_OFFLINE:
		return 0;
	case FO_MEMORY_DEVICE:
		return fo_fail_mark(FO_DEVICE_MEMORY, pfn, pfn, pfn, -ENXIO,
				    "PFN %#lx is memory of a device, which is never online",
				    pfn);
	case FO_MEMORY_ABSENT:
		if (t->flags & FAKE_OFFLINE_ABSENT)
			return 0;
		fallthrough;
	case FO_MEMORY_HOLE:
		return fo_fail_mark(FO_NO_MEMORY, pfn, pfn, pfn, -ENXIO,
				    "PFN %#lx is no RAM", pfn);
	case FO_MEMORY_NEVER:
		break;
	}
	return fo_fail_mark(FO_NOT_PLUGGABLE, pfn, pfn, pfn, -ENXIO,
			    "PFN %#lx is no RAM, and none can be plugged there",
			    pfn);
}

/* Would the zone of these online pages keep its floor without them? */
static int check_floor(struct take *t, const struct fo_span *s,
		       struct fo_grant *grant)
{
	int ret = fo_floor_check(s->first, s->last, grant, t->quiet);

	if (ret == -ENOSPC)
		t->full = grant->zone;
	return ret;
}

/*
 * Looks for what would make a later piece of a range over several blocks fail before
 * the first is taken. Each piece is checked again in plan().
 */
static int check_span(struct take *t, const struct fo_span *s)
{
	struct fo_span online = { 1, 0 };
	unsigned long pfn, last;
	struct fo_grant grant;
	int ret;

	mutex_lock(&fo_lock);
	ret = check_unmarked(t, s);
	for (pfn = s->first; !ret && pfn <= s->last; pfn = last + 1) {
		enum fo_memory memory = fo_memory_at(pfn);
		bool goes_on = memory == FO_MEMORY_ONLINE &&
			       online.last + 1 == pfn &&
			       page_zone(pfn_to_page(pfn)) ==
			       page_zone(pfn_to_page(online.last));

		last = fo_memory_last(pfn, s->last, memory);
		ret = check_memory(t, pfn, memory);
		if (!ret && !goes_on && online.last >= online.first) {
			ret = check_floor(t, &online, &grant);
			if (!ret)
				fo_floor_done(&grant);
		}
		if (memory == FO_MEMORY_ONLINE)
			online = (struct fo_span){
				goes_on ? online.first : pfn, last };
		else
			online = (struct fo_span){ 1, 0 };
		if (last == ULONG_MAX)
			break;
	}
	if (!ret && online.last >= online.first) {
		ret = check_floor(t, &online, &grant);
		if (!ret)
			fo_floor_done(&grant);
	}
	mutex_unlock(&fo_lock);
	return ret;
}

/* The number of pieces, from the first on, with nothing but free pages between. */
static unsigned int nr_with_free_between(const struct fo_piece *pieces,
					 unsigned int nr)
{
	unsigned long last, pfn, next;
	unsigned int n;

	last = fo_memory_last(pieces[0].first, pieces[nr - 1].last,
			      FO_MEMORY_ONLINE);
	for (n = 1; n < nr && pieces[n].last <= last; n++) {
		for (pfn = pieces[n - 1].last + 1; pfn < pieces[n].first;
		     pfn = next) {
			next = fo_skip_free(pfn);
			if (next == pfn)
				return n;
		}
	}
	return n;
}

/**
 * struct plan - what is done at once
 * @pieces: which; the last one may have become shorter, or there may be fewer
 * @nr: how many
 * @records: a record for each
 * @memory: what memory they are
 * @grant: of these pages
 */
struct plan {
	struct fo_piece *pieces;
	unsigned int nr;
	struct fo_range **records;
	enum fo_memory memory;
	struct fo_grant grant;
};

/*
 * Cuts the pieces to what can be taken at once, and checks it. Holds fo_lock, and
 * no other task works there.
 */
static int plan(struct take *t, struct plan *p)
{
	struct fo_span s;
	int ret;

	p->memory = fo_memory_at(p->pieces[0].first);
	ret = check_memory(t, p->pieces[0].first, p->memory);
	if (ret)
		return ret;
	if (p->nr == 1) {
		p->pieces[0].last = fo_memory_last(p->pieces[0].first,
						   p->pieces[0].last, p->memory);
	} else {
		if (p->memory != FO_MEMORY_ONLINE)
			return -EAGAIN;
		p->nr = nr_with_free_between(p->pieces, p->nr);
		if (p->nr == 1)
			return -EAGAIN;
	}
	s = span_of(p->pieces, p->nr);
	ret = check_unmarked(t, &s);
	if (!ret && p->memory == FO_MEMORY_ONLINE)
		ret = check_floor(t, &s, &p->grant);
	return ret;
}

static void insert_records(struct take *t, struct plan *p,
			   enum fo_range_state state)
{
	unsigned int i;

	if (!t->serial)
		t->serial = fo_ranges_serial();
	for (i = 0; i < p->nr; i++) {
		struct fo_range *r = p->records[i];

		r->first = p->pieces[i].first;
		r->last = p->pieces[i].last;
		r->flags = p->pieces[i].flags & RANGE_FLAGS;
		if (state == FO_RANGE_WAITING)
			r->flags |= FO_RANGE_FILL;
		if (p->memory == FO_MEMORY_RETIRED)
			r->flags |= FO_RANGE_RETIRED;
		r->client = t->client;
		r->serial = t->serial;
		fo_ranges_insert(r, state);
		/* Requests that are taken together are ranges of their own. */
		if (p->nr > 1)
			t->serial = fo_ranges_serial();
	}
}

/* Records the pieces, or forgets them. Holds fo_lock. */
static void finish_records(struct take *t, struct plan *p, int result)
{
	unsigned int i;

	for (i = 0; i < p->nr; i++) {
		struct fo_range *r = p->records[i];

		p->records[i] = NULL;
		if (result) {
			fo_ranges_erase(r);
			continue;
		}
		t->log[t->nr++] = (struct taken){ { r->first, r->last },
						  r->serial };
		if (r->state == FO_RANGE_TAKING)
			fo_range_set_state(r, FO_RANGE_IN_FORCE);
	}
}

/* Takes the pages of a plan that plan() has made. Holds fo_lock in between. */
static int take_planned(struct take *t, struct plan *p)
{
	struct fo_span s = span_of(p->pieces, p->nr), blocks = page_blocks_of(&s);
	int ret;

	switch (p->memory) {
	case FO_MEMORY_OFFLINE:
	case FO_MEMORY_ABSENT:
		insert_records(t, p, FO_RANGE_WAITING);
		finish_records(t, p, 0);
		return 0;
	case FO_MEMORY_RETIRED:
		insert_records(t, p, FO_RANGE_TAKING);
		fo_pages_hold(s.first, s.last);
		finish_records(t, p, 0);
		return 0;
	default:
		break;
	}
	insert_records(t, p, FO_RANGE_TAKING);
	step_aside(&blocks);
	mutex_unlock(&fo_lock);

	t->tried = true;
	ret = fo_pages_take(p->pieces, p->nr, t->tries, t->quiet);

	mutex_lock(&fo_lock);
	step_back(&blocks);
	fo_floor_done(&p->grant);
	finish_records(t, p, ret);
	return ret;
}

static int alloc_records(struct plan *p)
{
	unsigned int i;

	for (i = 0; i < p->nr; i++) {
		p->records[i] = fo_range_alloc(GFP_KERNEL);
		if (!p->records[i])
			return -ENOMEM;
	}
	return 0;
}

/*
 * Takes one piece, or several near each other at once. @nr: how many; filled in:
 * how many were taken, and the last page of the last one. Return: 0, an errno, or
 * -EAGAIN: only one of several could be taken, and none was.
 */
static int take_pieces(struct take *t, struct fo_piece *pieces, unsigned int *nr)
{
	struct fo_range *one = NULL;
	struct plan p = { .pieces = pieces, .nr = *nr, .records = &one };
	struct fo_span s = span_of(pieces, *nr), blocks;
	unsigned int i;
	int ret;

	if (fo_aborted(&t->abort))
		return -ECANCELED;
	s.last = min(s.last, fo_block_last(fo_block_of(s.first)));
	blocks = page_blocks_of(&s);
	if (*nr > 1) {
		p.records = kcalloc(*nr, sizeof(*p.records), GFP_KERNEL);
		if (!p.records)
			return -ENOMEM;
	}
	ret = alloc_records(&p);
	if (!ret)
		ret = make_room(t, *nr);
	if (!ret)
		ret = fo_unplug_watch(s.first);
	if (!ret)
		ret = fo_lock_range(blocks.first, blocks.last, t->wait,
				    &t->abort);
	if (!ret) {
		ret = plan(t, &p);
		if (!ret)
			ret = take_planned(t, &p);
		mutex_unlock(&fo_lock);
	}
	for (i = 0; i < *nr; i++)
		fo_range_free(p.records[i]);
	if (*nr > 1)
		kfree(p.records);
	*nr = p.nr;
	if (ret)
		fo_unplug_unwatch(s.first);
	return ret;
}

/* Takes back the entries of the log from @nr on. */
static void undo(struct take *t, unsigned int nr)
{
	while (t->nr > nr) {
		struct taken *taken = &t->log[--t->nr];

		fo_release_or_orphan(t->client, &taken->span, taken->serial);
	}
}

static void count_take(const struct take *t, const struct fo_span *s, int result)
{
	fo_stat_inc(result ? FO_STAT_MARK_FAILURES : FO_STAT_MARKS);
	trace_fake_offline_take(s->first, s->last, t->client->name, t->flags,
				result);
}

/* Takes all pieces of [@first, @last], or none. */
static int take_span(struct take *t, unsigned long first, unsigned long last)
{
	struct fo_span s = { first, last };
	struct fo_piece piece = { first, last, t->flags };
	unsigned int before = t->nr, one;
	int ret = 0;

	t->tried = false;
	for (; !ret; piece.first = piece.last + 1, piece.last = last) {
		one = 1;
		ret = take_pieces(t, &piece, &one);
		if (piece.last == last)
			break;
	}
	if (ret)
		undo(t, before);
	if (!ret || (t->tried && !t->quiet))
		count_take(t, &s, ret);
	return ret;
}

/* For fo_find(): a range that is in one block and one zone. */
static int try_span(unsigned long first, unsigned long last, void *arg)
{
	struct take *t = arg;

	t->serial = 0;
	return take_span(t, first, last);
}

/* Fills in what a request for pages anywhere got. */
static int report_got(const struct take *t, unsigned int before,
		      struct fake_offline_request *r)
{
	unsigned int i;

	if (!r->got)
		return 0;
	if (t->nr - before > r->nr_got)
		return fo_fail_mark(FO_NOT_FOUND, 0, 0, -1, -ENOSPC,
				    "%lu pages are only to be had in more than %u ranges",
				    r->nr_pages, r->nr_got);
	r->nr_got = t->nr - before;
	for (i = 0; i < r->nr_got; i++) {
		const struct fo_span *s = &t->log[before + i].span;

		r->got[i] = (struct fake_offline_range){
			s->first, s->last - s->first + 1 };
	}
	return 0;
}

static void refuse_anywhere(const struct take *t, unsigned int before,
			    struct zone *full, unsigned long nr_pages)
{
	unsigned long found = 0;
	unsigned int i;

	for (i = before; i < t->nr; i++)
		found += t->log[i].span.last - t->log[i].span.first + 1;
	mutex_lock(&fo_lock);
	if (full)
		fo_floor_refuse(full, 0, 0, nr_pages, found);
	else
		fo_fail_mark(FO_NOT_FOUND, 0, 0, -1, -ENOSPC,
			     "%lu of %lu pages could be freed", found, nr_pages);
	mutex_unlock(&fo_lock);
}

static int take_anywhere(struct take *t, struct fake_offline_request *r)
{
	struct take quick = *t;
	unsigned int before = t->nr;
	int ret;

	if (!r->nr_pages || r->flags & FAKE_OFFLINE_ABSENT)
		return -EINVAL;
	mutex_lock(&fo_lock);
	ret = fo_reserve_check(r->nr_pages);
	mutex_unlock(&fo_lock);
	if (ret)
		return fo_fail_mark(FO_RESERVE, 0, 0, -1, ret,
				    "less than reserve_mib=%u MiB would be available",
				    fo_reserve_mib());
	quick.wait = FO_DONT_WAIT;
	quick.tries = 1;
	quick.quiet = true;
	quick.full = NULL;
	ret = fo_find(r->nr_pages, r->nid, r->zone, try_span, &quick);
	t->log = quick.log;
	t->nr = quick.nr;
	t->room = quick.room;
	if (!ret)
		ret = report_got(t, before, r);
	else if (ret == -ENXIO)
		fo_fail_mark(FO_NO_ZONE, 0, 0, -1, ret, "no such node or zone");
	else if (ret == -ENOSPC)
		refuse_anywhere(t, before, quick.full, r->nr_pages);
	return ret;
}

static int take_request(struct take *t, struct fake_offline_request *r)
{
	struct fo_span s;
	bool once = r->flags & FAKE_OFFLINE_ONCE;
	int ret;

	if (r->flags & ~REQUEST_FLAGS)
		return -EINVAL;
	t->flags = r->flags;
	t->wait = once ? FO_DONT_WAIT : FO_WAIT_INTERRUPTIBLE;
	t->tries = once ? 1 : FO_TAKE_TRIES;
	t->serial = 0;
	if (r->start_pfn == FAKE_OFFLINE_ANYWHERE)
		return take_anywhere(t, r);
	ret = fo_make_span(r->start_pfn, r->nr_pages, &s);
	if (!ret && fo_block_of(s.first) != fo_block_of(s.last))
		ret = check_span(t, &s);
	if (!ret)
		ret = take_span(t, s.first, s.last);
	return ret;
}

/* One that lies within one page block. */
static bool is_plain(const struct fake_offline_request *r)
{
	return !(r->flags & ~(FAKE_OFFLINE_SKIPPABLE | FAKE_OFFLINE_CANARY)) &&
	       r->start_pfn != FAKE_OFFLINE_ANYWHERE && r->nr_pages &&
	       r->nr_pages <= pageblock_nr_pages -
			      (r->start_pfn & (pageblock_nr_pages - 1));
}

/* Does @b begin behind @a, not far from it, and in the same page block? */
static bool is_next(const struct fake_offline_request *a,
		    const struct fake_offline_request *b)
{
	return b->start_pfn >= a->start_pfn + a->nr_pages &&
	       b->start_pfn - a->start_pfn - a->nr_pages <= FO_NEAR_PAGES &&
	       b->start_pfn >> pageblock_order ==
	       a->start_pfn >> pageblock_order;
}

/*
 * How many requests, from the first on, might be taken together. Where a mark is to
 * fail on demand, each is taken by itself, so that one fails.
 */
static unsigned int nr_near(const struct fake_offline_request *r,
			    unsigned int nr)
{
	unsigned int n = 1;

	if (!is_plain(&r[0]) || fo_inject_armed(FO_INJECT_MARK_STRAY) ||
	    fo_inject_armed(FO_INJECT_MARK_CORRUPT))
		return 1;
	while (n < nr && is_plain(&r[n]) && is_next(&r[n - 1], &r[n]))
		n++;
	return n;
}

/* Takes these requests at once, as nr_near() found them, or none. */
static int take_together(struct take *t, const struct fake_offline_request *r,
			 unsigned int *nr)
{
	struct fo_piece *pieces;
	unsigned int i;
	int ret;

	pieces = kmalloc_array(*nr, sizeof(*pieces), GFP_KERNEL);
	if (!pieces)
		return -ENOMEM;
	for (i = 0; i < *nr; i++)
		pieces[i] = (struct fo_piece){
			.first = r[i].start_pfn,
			.last = r[i].start_pfn + r[i].nr_pages - 1,
			.flags = r[i].flags,
		};
	t->wait = FO_WAIT_INTERRUPTIBLE;
	t->tries = 1;
	t->serial = 0;
	t->quiet = true;
	ret = take_pieces(t, pieces, nr);
	t->quiet = false;
	for (i = 0; !ret && i < *nr; i++) {
		struct fo_span s = { pieces[i].first, pieces[i].last };

		t->flags = pieces[i].flags;
		count_take(t, &s, 0);
	}
	kfree(pieces);
	return ret;
}

/* In their order, so that which one fails, and how, does not change. */
static int take_requests(struct take *t, struct fake_offline_request *r,
			 unsigned int nr)
{
	unsigned int i, n;
	int ret = 0;

	for (; !ret && nr; r += n, nr -= n) {
		t->flags = 0;
		n = nr_near(r, nr);
		if (n > 1 && !take_together(t, r, &n))
			continue;
		for (i = 0; !ret && i < n; i++)
			ret = take_request(t, &r[i]);
	}
	return ret;
}

/**
 * fo_take() - fake_offline_take()
 * @client: for whom
 * @requests: which pages
 * @nr: number of requests
 *
 * Context: sleeps, holds nothing.
 * Return: as fake_offline_take().
 */
int fo_take(struct fake_offline_client *client,
	    struct fake_offline_request *requests, unsigned int nr)
{
	struct take t = {
		.client = client,
		.abort = { &client->aborts, READ_ONCE(client->aborts) },
	};
	bool once = nr && requests[0].flags & FAKE_OFFLINE_ONCE;
	int ret;

	if (fo_clients_calling() || fo_operation_is_mine())
		return -EDEADLK;
	fo_unplug_sweep();
	ret = fo_hook_want(!once);
	if (!ret)
		ret = take_requests(&t, requests, nr);
	if (ret)
		undo(&t, 0);
	fo_hook_unwant(!once);
	kvfree(t.log);
	return ret;
}
