// SPDX-License-Identifier: GPL-2.0
/* The common part of "offctl mark" and "offctl unmark". */
#include "request.h"
#include "module.h"

#include <inttypes.h>

void request_free(struct request *r)
{
	spans_free(&r->spans);
	sb_free(&r->data);
	sb_free(&r->what);
}

int request_take_ranges(const struct command *self, struct request *r, int argc,
		       char **argv, void (*words)(struct request *r))
{
	for (int i = 0; i < argc; i++) {
		struct span span;
		const char *reason = parse_range(argv[i], &r->units, &span);

		if (reason)
			return usage_error_arg(self, argv[i], reason,
					       range_forms);
		spans_add(&r->spans, span);
		sb_addf(&r->data, "%" PRIu64 " %" PRIu64, span.pfn, span.nr);
		if (words)
			words(r);
		sb_addf(&r->data, "\n");
	}
	if (argc == 1)
		add_range(&r->what, &r->units, r->spans.v[0]);
	else
		sb_addf(&r->what, "%d ranges", argc);
	if (spans_normalize(&r->spans))
		return usage_error(self, "the ranges overlap");
	r->pages = spans_pages(&r->spans);
	return ST_DONE;
}

void report_spans(const char *verb, const struct units *u,
		   const struct spans *spans)
{
	struct sb line = {0};

	for (size_t i = 0; i < spans->n; i++) {
		sb_clear(&line);
		add_pages(&line, u, spans->v[i].nr);
		sb_addf(&line, " ");
		add_range(&line, u, spans->v[i]);
		out("%s %s\n", verb, sb_str(&line));
	}
	if (spans->n > 1) {
		sb_clear(&line);
		add_pages(&line, u, spans_pages(spans));
		out("%s %s in all\n", verb, sb_str(&line));
	}
	sb_free(&line);
}

void request_refused(const struct command *self, const struct request *r,
			const char *file, int error)
{
	struct sb reason = {0};

	module_errno(&reason, file, error);
	err("%s: %s: %s", self->name, sb_str(&r->what), sb_str(&reason));
	sb_free(&reason);
}

bool hint_first_span(const struct units *u, const struct spans *spans,
		       const char *is)
{
	struct sb range = {0};

	if (!spans->n)
		return false;
	add_range(&range, u, spans->v[0]);
	hint("%s %s", sb_str(&range), is);
	sb_free(&range);
	return true;
}
