// SPDX-License-Identifier: GPL-2.0
/* offctl skippable: changes the skippable bit of marked pages. */
#include "command.h"
#include "ranges.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool parse_onoff(const char *s, bool *on)
{
	*on = !strcmp(s, "yes") || !strcmp(s, "on") || !strcmp(s, "1");
	return *on || !strcmp(s, "no") || !strcmp(s, "off") || !strcmp(s, "0");
}

/* Does the module's list have the whole span with that skippable bit? */
static bool is_so(const struct command *self, const struct module *m,
		  struct span span, bool skippable)
{
	struct marked_filter no = { .owner = OWNER_DEBUGFS };
	struct marked_list list;
	struct spans all;
	bool ok;

	if (!marked_load(m, self->name, &list))
		return false;
	all = marked_spans(&list, &no);
	ok = spans_pages_in(&all, span) == span.nr;
	spans_free(&all);
	for (size_t i = marked_first(&list, span.pfn);
	     i < list.n && list.v[i].span.pfn < span.pfn + span.nr; i++)
		ok = ok && list.v[i].skippable == skippable;
	marked_free(&list);
	return ok;
}

static bool set(const struct command *self, const struct module *m,
		const struct units *u, struct span span, bool skippable)
{
	struct sb data = {0}, range = {0}, reason = {0};
	bool ok = false;
	int error;

	sb_addf(&data, "%" PRIu64 " %" PRIu64 " %d\n", span.pfn, span.nr,
		skippable);
	add_range(&range, u, span);
	error = module_write(m, self->name, "skippable", &data);
	if (error > 0) {
		module_errno(&reason, "skippable", error);
		err("%s: %s: %s", self->name, sb_str(&range), sb_str(&reason));
	} else if (!error && !is_so(self, m, span, skippable)) {
		err("%s: %s: the module reported no error, but lists no such change",
		    self->name, sb_str(&range));
	} else if (!error) {
		add_pages(&reason, u, span.nr);
		out("%s %s: %s\n", sb_str(&reason), sb_str(&range),
		    skippable ? "skippable" : "not skippable");
		ok = true;
	}
	sb_free(&data);
	sb_free(&range);
	sb_free(&reason);
	return ok;
}

static int run_skippable(const struct command *self, int argc, char **argv)
{
	struct units units;
	struct span *spans;
	struct module m;
	bool on;
	int n, done = 0;

	while (next_option(self, argc, argv) != -1)
		;
	argc -= optind;
	argv += optind;
	if (argc && !parse_onoff(argv[0], &on))
		return usage_error_arg(self, argv[0], "not yes or no", NULL);
	if (argc < 2)
		return usage_error(self, "yes or no and a range are needed");
	units = units_get();
	n = argc - 1;
	spans = xrealloc(NULL, (size_t)n, sizeof(*spans));
	for (int i = 0; i < n; i++) {
		const char *reason = parse_range(argv[i + 1], &units, &spans[i]);

		if (reason) {
			free(spans);
			return usage_error_arg(self, argv[i + 1], reason,
					       range_forms);
		}
	}
	if (!module_open(&m, self->name, false)) {
		free(spans);
		return ST_FAILED;
	}
	signals_catch();
	for (int i = 0; i < n && !signals_seen(); i++)
		done += set(self, &m, &units, spans[i], on);
	module_close(&m);
	free(spans);
	if (done == n)
		return ST_DONE;
	if (n > 1)
		err("%s: %d of %d ranges %s changed", self->name, done, n,
		    was_were((uint64_t)done));
	return done ? ST_PARTLY : ST_FAILED;
}

const struct command cmd_skippable = {
	.name = "skippable",
	.brief = "Allow or forbid that the memory blocks of marked pages go offline.",
	.synopsis = "yes|no RANGE...",
	.details =
"RANGE is as for 'offctl mark'. It can cover a part of a marked range, which is then\n"
"split, or several adjacent ranges. With 'no' the memory blocks of the pages refuse\n"
"to go offline. Each RANGE changes as a whole or not at all.\n",
	.reports_records = true,
	.run = run_skippable,
};
