// SPDX-License-Identifier: GPL-2.0
/* offctl mark: takes pages out of use. */
#include "command.h"
#include "ranges.h"
#include "request.h"
#include "retire.h"
#include "soft_offline.h"
#include "via_offline.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_SIZE = OPT_OWN, OPT_NODE, OPT_ZONE, OPT_UNSKIPPABLE, OPT_CANARY,
       OPT_ABSENT, OPT_VIA_OFFLINE, OPT_FORCE, OPT_SOFT };

static const struct option_def mark_options[] = {
	{ OPT_SIZE, "size", "SIZE", "take so much memory, from anywhere" },
	{ OPT_NODE, "node", "N", "with --size: only on this NUMA node" },
	{ OPT_ZONE, "zone", "ZONE",
	  "with --size: only in this zone (dma, dma32, normal, movable)" },
	{ OPT_UNSKIPPABLE, "unskippable", NULL,
	  "let the memory blocks of the pages refuse to go offline" },
	{ OPT_CANARY, "canary", NULL,
	  "fill the pages with a pattern that 'offctl verify' checks" },
	{ OPT_ABSENT, "absent", NULL,
	  "allow addresses without memory; the mark stays with them" },
	{ OPT_VIA_OFFLINE, "via-offline", NULL,
	  "mark the pages while their memory blocks are offline" },
	{ OPT_FORCE, "force", NULL,
	  "with --via-offline: even if a node or the hugetlb pool suffers" },
	{ OPT_SOFT, "or-soft-offline", "[=TIME]",
	  "let the kernel poison a page beside kernel memory" },
	{ 0, NULL, NULL, NULL },
};

static void mark_words(struct request *r)
{
	if (!r->skippable)
		sb_addf(&r->data, " unskippable");
	if (r->canary)
		sb_addf(&r->data, " canary");
	if (r->absent)
		sb_addf(&r->data, " absent");
}

static int take_anywhere(const struct command *self, struct request *r,
			 const char *size, const char *node, const char *zone)
{
	uint64_t bytes, number;
	const char *reason = parse_size(size, &bytes);

	if (!reason && !bytes)
		reason = "no pages";
	if (!reason && bytes % r->units.page)
		reason = "not a multiple of the page size";
	if (reason)
		return usage_error_arg(self, size, reason, NULL);
	r->any = true;
	r->pages = bytes / r->units.page;
	sb_addf(&r->data, "any %" PRIu64, r->pages);
	add_pages(&r->what, &r->units, r->pages);

	if (node) {
		reason = parse_number(node, &number);
		if (reason)
			return usage_error_arg(self, node, reason, NULL);
		sb_addf(&r->data, " node=%" PRIu64, number);
		sb_addf(&r->what, " on node %" PRIu64, number);
	}
	if (zone) {
		const char *name = parse_zone(zone);

		if (!name)
			return usage_error_arg(self, zone, "no such zone",
					       zone_forms);
		sb_addf(&r->data, " zone=%s", name);
		sb_addf(&r->what, " in zone %s", name);
	}
	mark_words(r);
	sb_addf(&r->data, "\n");
	return ST_DONE;
}

/*
 * Shows why the module refused the request: the range, the reason, the page in the way
 * and its owner. Returns false if the module does not show them.
 */
static bool hint_refusal(const struct request *r, const struct module *m,
			 uint64_t count_before)
{
	struct failure refusal;
	struct sb line = {0};
	bool is_match;

	if (!refusal_load(m, &refusal))
		return false;
	is_match = refusal.count != count_before &&
		   (r->any || spans_pages_in(&r->spans, refusal.span));
	if (is_match) {
		/* For --size, the span is only where the module searched. */
		if (!r->any) {
			add_range(&line, &r->units, refusal.span);
			sb_addf(&line, ": ");
		}
		sb_addf(&line, "%s", refusal.reason);
		if (refusal.pfn <= UINT64_MAX / r->units.page)
			sb_addf(&line, "; page 0x%" PRIx64 " (PFN 0x%" PRIx64 ")",
				refusal.pfn * r->units.page, refusal.pfn);
		if (refusal.owner)
			sb_addf(&line, "; owner %s", refusal.owner);
		hint("%s", line.p);
	}
	failure_free(&refusal);
	sb_free(&line);
	return is_match;
}

static void report_mark_refused(const struct command *self,
				const struct request *r, const struct module *m,
				const struct marked_list *before,
				uint64_t refusals, int error)
{
	request_refused(self, r, r->any ? "mark any" : "mark", error);
	if (!hint_refusal(r, m, refusals) && error == EEXIST) {
		struct spans before_spans = marked_spans(before, NULL);
		struct spans both = spans_intersect(&before_spans, &r->spans);

		hint_first_span(&r->units, &both, "is marked");
		spans_free(&before_spans);
		spans_free(&both);
	}
}

/* The pages that offctl has marked with the flags of the request, and poisoned ones. */
static struct spans marked_as_asked(const struct request *r,
				    const struct marked_list *list)
{
	struct spans spans = {0};

	for (size_t i = 0; i < list->n; i++) {
		const struct marked *d = &list->v[i];

		if (strcmp(d->owner, OWNER_DEBUGFS))
			continue;
		if ((d->skippable == r->skippable && d->canary == r->canary) ||
		    marked_poisoned(d))
			spans_add(&spans, d->span);
	}
	spans_normalize(&spans);
	return spans;
}

/* Reports the marked pages that the module lists. Returns a status. */
static int report_marked(const struct command *self, const struct request *r,
			 const struct marked_list *before,
			 const struct marked_list *after)
{
	struct spans now = marked_as_asked(r, after), done;
	uint64_t pages;

	if (r->any) {
		struct spans before_spans = marked_spans(before, NULL);

		done = spans_subtract(&now, &before_spans);
		spans_free(&before_spans);
	} else {
		done = spans_intersect(&now, &r->spans);
	}
	pages = spans_pages(&done);
	report_spans("marked", &r->units, &done);
	spans_free(&now);
	spans_free(&done);
	if (pages < r->pages) {
		err("%s: %s: the module lists %" PRIu64 " of %" PRIu64
		    " pages as marked", self->name, sb_str(&r->what), pages,
		    r->pages);
		return pages ? ST_PARTLY : ST_FAILED;
	}
	if (pages > r->pages)
		hint("another program marked pages at the same time");
	return ST_DONE;
}

/*
 * Takes each range on its own, and page by page if necessary. This is the way of
 * --or-soft-offline after the module has refused the request as a whole.
 */
static int mark_parts(const struct command *self, const struct request *r)
{
	struct soft_offline soft = {
		.cmd = self, .units = r->units, .limit_ms = r->soft_ms,
	};
	struct retire retire = { .soft = &soft };
	struct spans before_spans, now, done;
	struct retired *v = xrealloc(NULL, r->spans.n, sizeof(*v));
	bool module_answers = retire_open(&retire, self) == ST_DONE;
	int status = ST_FAILED;
	size_t n = 0;

	/* This is a copy, because retire_one() adds to the set. */
	before_spans = spans_subtract(&retire.out_of_use, &(struct spans){0});
	for (; n < r->spans.n && module_answers && !signals_seen(); n++) {
		v[n] = (struct retired){
			.span = r->spans.v[n], .unskippable = !r->skippable,
			.canary = r->canary,
		};
		module_answers = retire_one(&retire, &v[n]);
	}
	spans_normalize(&soft.done);
	now = spans_subtract(&retire.out_of_use, &before_spans);
	done = spans_subtract(&now, &soft.done);
	report_spans("marked", &r->units, &done);
	report_spans("soft-offlined", &r->units, &soft.done);
	for (size_t i = 0; i < n; i++) {
		uint64_t rest = v[i].span.nr - v[i].pages - v[i].already -
				v[i].soft;
		struct sb range = {0};

		add_range(&range, &r->units, v[i].span);
		if (retire_status(&v[i], 1) != ST_DONE)
			err("%s: %s: %" PRIu64 " page%s of %" PRIu64
			    " %s not taken out of use%s%s", self->name, range.p,
			    rest, plural(rest), v[i].span.nr, was_were(rest),
			    v[i].reason ? ": " : "", v[i].reason ? v[i].reason : "");
		sb_free(&range);
	}
	if (n) {
		soft_offline_report(&soft);
		status = retire_status(v, n);
	}
	if (n < r->spans.n) {
		err("%s: %zu of %zu ranges were not tried", self->name,
		    r->spans.n - n, r->spans.n);
		status = status == ST_FAILED ? ST_FAILED : ST_PARTLY;
	}
	for (size_t i = 0; i < n; i++)
		free(v[i].reason);
	free(v);
	spans_free(&before_spans);
	spans_free(&now);
	spans_free(&done);
	soft_offline_free(&soft);
	retire_close(&retire);
	return status;
}

/*
 * Can --or-soft-offline help after a refusal? The module names only the first page in the
 * way. So offctl can exclude it only for a request for a single page.
 */
static bool parts_may_help(const struct request *r, const struct module *m,
			   uint64_t before)
{
	struct failure refusal;
	bool neighbour;

	if (!refusal_load(m, &refusal))
		return false;
	neighbour = refusal.count != before && refusal_is_neighbour(&refusal);
	failure_free(&refusal);
	return neighbour || r->pages > 1;
}

/* Unmarks the ranges, because their blocks do not come online with these marks. */
static int undo_mark(const struct command *self, const struct request *r,
		     const struct module *m, struct via_offline *via)
{
	struct sb data = {0};
	int error;

	for (size_t i = 0; i < r->spans.n; i++)
		sb_addf(&data, "%" PRIu64 " %" PRIu64 "\n", r->spans.v[i].pfn,
			r->spans.v[i].nr);
	error = module_write(m, self->name, "unmark", &data);
	if (error > 0)
		request_refused(self, r, "unmark", error);
	else if (!error)
		err("%s: %s: unmarked again, because the memory does not come online with the mark",
		    self->name, sb_str(&r->what));
	via_offline_bring_back(via);
	sb_free(&data);
	return ST_FAILED;
}

static int do_mark(const struct command *self, const struct request *r,
		   const struct module *m)
{
	struct via_offline via = {
		.cmd = self, .m = m, .units = r->units, .force = r->force,
	};
	struct marked_list before = {0}, after = {0};
	int error = 0, status = ST_FAILED;
	uint64_t refusals;
	bool back = true;

	if (!marked_load(m, self->name, &before))
		return ST_FAILED;
	refusals = refusal_count(m);
	signals_catch();
	if (r->via_offline && !via_offline_take(&via, &r->spans)) {
		error = -1;
	} else if (r->via_offline && signals_seen()) {
		err("%s: interrupted", self->name);
		error = -1;
		via_offline_bring_back(&via);
	} else {
		error = module_write(m, self->name, "mark", &r->data);
		if (!error && r->via_offline)
			out("%s: marked, waiting for memory to come online\n",
			    sb_str(&r->what));
		if (r->via_offline)
			back = via_offline_bring_back(&via);
	}
	if (error == EBUSY && r->soft && parts_may_help(r, m, refusals))
		status = mark_parts(self, r);
	else if (error > 0)
		report_mark_refused(self, r, m, &before, refusals, error);
	else if (!error && !back)
		status = undo_mark(self, r, m, &via);
	else if (!error && marked_load(m, self->name, &after))
		status = report_marked(self, r, &before, &after);
	if (status == ST_DONE && via_offline_zones_differ(&via))
		status = ST_PARTLY;
	via_offline_end(&via);
	marked_free(&before);
	marked_free(&after);
	return status;
}

static int run_mark(const struct command *self, int argc, char **argv)
{
	const char *size = NULL, *node = NULL, *zone = NULL;
	struct request r = { .skippable = true, .soft_ms = SOFT_OFFLINE_MS };
	const char *reason;
	struct module m;
	int status, id;

	while ((id = next_option(self, argc, argv)) != -1)
		switch (id) {
		case OPT_SIZE:
			size = optarg;
			break;
		case OPT_NODE:
			node = optarg;
			break;
		case OPT_ZONE:
			zone = optarg;
			break;
		case OPT_UNSKIPPABLE:
			r.skippable = false;
			break;
		case OPT_CANARY:
			r.canary = true;
			break;
		case OPT_ABSENT:
			r.absent = true;
			break;
		case OPT_VIA_OFFLINE:
			r.via_offline = true;
			break;
		case OPT_FORCE:
			r.force = true;
			break;
		case OPT_SOFT:
			r.soft = true;
			reason = optarg ? parse_duration(optarg, &r.soft_ms) :
				       NULL;
			if (reason)
				return usage_error_arg(self, optarg, reason, NULL);
			break;
		}
	argc -= optind;
	argv += optind;
	if (!size && (node || zone))
		return usage_error(self, "--node and --zone need --size");
	if (size && argc)
		return usage_error(self, "ranges and --size exclude each other");
	if (!size && !argc)
		return usage_error(self, "no range is named");
	if (r.absent && size)
		return usage_error(self, "--absent needs ranges");
	if (r.via_offline && size)
		return usage_error(self, "--via-offline needs ranges");
	if (r.soft && size)
		return usage_error(self, "--or-soft-offline needs ranges");
	if (r.via_offline + r.absent + r.soft > 1)
		return usage_error(self,
			"--absent, --via-offline and --or-soft-offline exclude each other");
	if (r.force && !r.via_offline)
		return usage_error(self, "--force needs --via-offline");

	r.units = units_get();
	status = size ? take_anywhere(self, &r, size, node, zone) :
			request_take_ranges(self, &r, argc, argv, mark_words);
	if (status == ST_DONE) {
		if (module_open(&m, self->name, false)) {
			status = do_mark(self, &r, &m);
			module_close(&m);
		} else {
			status = ST_FAILED;
		}
	}
	request_free(&r);
	return status;
}

const struct command cmd_mark = {
	.name = "mark",
	.brief = "Take pages out of use.",
	.synopsis =
"[--unskippable] [--canary] [--absent|--or-soft-offline[=TIME]] RANGE...\n"
"[--unskippable] [--canary] --via-offline [--force] RANGE...\n"
"[--unskippable] [--canary] --size SIZE [--node N] [--zone ZONE]",
	.details = RANGE_HELP
"offctl marks either all of the ranges or none.\n",
	.options = mark_options,
	.reports_records = true,
	.run = run_mark,
};
