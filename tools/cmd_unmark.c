// SPDX-License-Identifier: GPL-2.0
/* offctl unmark: gives marked pages back. */
#include "command.h"
#include "ranges.h"
#include "request.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>

enum { OPT_ALL = OPT_OWN };

static const struct option_def unmark_options[] = {
	{ OPT_ALL, "all", NULL, "give back all pages that were marked with offctl" },
	{ 0, NULL, NULL, NULL },
};

static void report_unmark_refused(const struct command *self,
				  const struct request *r,
				  const struct marked_list *before, int error)
{
	bool hinted = false;

	request_refused(self, r, "unmark", error);
	if (error == ENOENT) {
		struct spans had = marked_spans(before, NULL);
		struct spans none = spans_subtract(&r->spans, &had);

		hinted = hint_first_span(&r->units, &none, "is not marked");
		spans_free(&had);
		spans_free(&none);
	} else if (error == EPERM) {
		struct marked_filter own = { .owner = OWNER_DEBUGFS };
		struct spans had = marked_spans(before, &own);
		struct spans others = spans_subtract(&r->spans, &had);

		hinted = hint_first_span(&r->units, &others,
				  "was not marked with offctl, see 'offctl list'");
		spans_free(&had);
		spans_free(&others);
	}
	if (!hinted && error != EINTR)
		hint("the kernel log may say more: dmesg | grep fake_offline");
}

/*
 * Reports the pages that were given back. The module's lists show them, because an
 * interrupted write may have given back a part. refused means that an error message has been printed.
 * Returns a status.
 */
static int report_unmarked(const struct command *self, struct request *r,
			   const struct marked_list *before,
			   const struct marked_list *after, bool refused)
{
	struct marked_filter own = { .owner = OWNER_DEBUGFS };
	struct spans had = marked_spans(before, &own);
	struct spans now = marked_spans(after, &own);
	struct spans gone = spans_subtract(&had, &now);
	struct spans done, left;
	uint64_t pages, pages_left;

	if (r->all) {
		spans_free(&r->spans);
		r->spans = had;
		had = (struct spans){0};
		r->pages = spans_pages(&r->spans);
	}
	done = spans_intersect(&gone, &r->spans);
	left = spans_intersect(&now, &r->spans);
	pages = spans_pages(&done);
	pages_left = spans_pages(&left);
	report_spans("unmarked", &r->units, &done);
	if (r->all && !r->pages && !refused)
		out("no pages were marked with offctl\n");
	if (pages_left && !refused) {
		err("%s: %s: %" PRIu64 " page%s %s still marked", self->name,
		    sb_str(&r->what), pages_left, plural(pages_left),
		    is_are(pages_left));
		hint_first_span(&r->units, &left, "is marked");
	}
	spans_free(&had);
	spans_free(&now);
	spans_free(&gone);
	spans_free(&done);
	spans_free(&left);
	if (!refused && !pages_left)
		return ST_DONE;
	return pages ? ST_PARTLY : ST_FAILED;
}

static int do_unmark(const struct command *self, struct request *r,
		     const struct module *m)
{
	struct marked_list before = {0}, after = {0};
	int error, status = ST_FAILED;

	if (!marked_load(m, self->name, &before))
		return ST_FAILED;
	signals_catch();
	error = module_write(m, self->name, "unmark", &r->data);
	if (error > 0)
		report_unmark_refused(self, r, &before, error);
	if (error >= 0 && marked_load(m, self->name, &after))
		status = report_unmarked(self, r, &before, &after, error);
	marked_free(&before);
	marked_free(&after);
	return status;
}

static int run_unmark(const struct command *self, int argc, char **argv)
{
	struct request r = {0};
	struct module m;
	int status = ST_DONE, id;

	while ((id = next_option(self, argc, argv)) != -1)
		if (id == OPT_ALL)
			r.all = true;
	argc -= optind;
	argv += optind;
	if (r.all && argc)
		return usage_error(self, "ranges and --all exclude each other");
	if (!r.all && !argc)
		return usage_error(self, "no range is named");

	r.units = units_get();
	if (r.all) {
		sb_addf(&r.data, "all\n");
		sb_addf(&r.what, "all");
	} else {
		status = request_take_ranges(self, &r, argc, argv, NULL);
	}
	if (status == ST_DONE) {
		if (module_open(&m, self->name, false)) {
			status = do_unmark(self, &r, &m);
			module_close(&m);
		} else {
			status = ST_FAILED;
		}
	}
	request_free(&r);
	return status;
}

const struct command cmd_unmark = {
	.name = "unmark",
	.brief = "Give pages back.",
	.synopsis = "RANGE...\n--all",
	.details = RANGE_HELP
"It can be a part of a marked range, or cover several adjacent ranges.\n",
	.options = unmark_options,
	.reports_records = true,
	.run = run_unmark,
};
