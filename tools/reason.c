// SPDX-License-Identifier: GPL-2.0
/* Why a memory block cannot go offline, as far as offctl can tell without trying. */
#include "reason.h"
#include "blockarg.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

bool reason_open(struct reason_sources *s, const char *cmd)
{
	struct module m;
	bool ok = true;

	*s = (struct reason_sources){ .units = units_get(), .pages.fd = -1 };
	if (!module_open(&m, cmd, true))
		return true;
	ok = s->marked_known = marked_load(&m, cmd, &s->marked);
	if (ok)
		s->have_failure = failure_load(&m, &s->failure);
	module_close(&m);
	return ok;
}

bool reason_open_pages(struct reason_sources *s, const char *cmd)
{
	if (pageflags_open(&s->pages))
		return true;
	err("%s: /proc/kpageflags: %s", cmd, strerror(errno));
	if (errno == EACCES)
		hint("only root may look at pages");
	return false;
}

void reason_close(struct reason_sources *s)
{
	marked_free(&s->marked);
	if (s->have_failure)
		failure_free(&s->failure);
	pageflags_close(&s->pages);
}

static bool unskippable(const struct reason_sources *s, struct span span,
			struct sb *reason)
{
	const struct marked *first = NULL;
	uint64_t pages = 0;

	for (size_t i = marked_first(&s->marked, span.pfn);
	     i < s->marked.n && s->marked.v[i].span.pfn < span.pfn + span.nr;
	     i++) {
		const struct marked *r = &s->marked.v[i];
		uint64_t from = r->span.pfn, to = from + r->span.nr;

		if (r->skippable)
			continue;
		if (!first)
			first = r;
		if (from < span.pfn)
			from = span.pfn;
		if (to > span.pfn + span.nr)
			to = span.pfn + span.nr;
		pages += to - from;
	}
	if (!first)
		return false;
	sb_addf(reason, "%" PRIu64 " page%s marked unskippable by %s", pages,
		plural(pages), first->owner);
	return true;
}

static bool refusing_pages(const struct reason_sources *s, struct span span,
			   bool movable, struct sb *reason)
{
	static const struct {
		enum page_class class;
		const char *what;
	} kinds[] = {
		{ PAGE_RESERVED, "reserved" },
		{ PAGE_KERNEL, "of the kernel" },
	};
	struct page_census census;
	uint64_t first = UINT64_MAX;

	if (!pageflags_census(&s->pages, span, movable, &census))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		enum page_class class = kinds[i].class;

		if (!census.n[class])
			continue;
		sb_addf(reason, "%s%" PRIu64 " page%s %s",
			first == UINT64_MAX ? "" : ", ", census.n[class],
			plural(census.n[class]), kinds[i].what);
		if (census.first[class] < first)
			first = census.first[class];
	}
	if (first == UINT64_MAX)
		return false;
	sb_addf(reason, ", the first is PFN 0x%" PRIx64, first);
	return true;
}

/*
 * Is the page of the last failure marked? If it were still unskippable, it would be the
 * reason. So it has become skippable, and that failure is of no interest any more.
 */
static bool is_marked(const struct reason_sources *s, uint64_t pfn)
{
	size_t at = marked_first(&s->marked, pfn);

	return pfn != UINT64_MAX && at < s->marked.n &&
	       s->marked.v[at].span.pfn <= pfn;
}

void reason_not_offline(const struct reason_sources *s, const struct memblock *b,
		     struct sb *reason, bool *sure)
{
	struct span span;

	*sure = false;
	if (!strcmp(b->state, "offline") ||
	    !block_span(&s->units, b->nr, &span))
		return;
	*sure = true;
	if (unskippable(s, span, reason))
		return;
	if (b->zones && !strcmp(b->zones, "none")) {
		sb_addf(reason, "it has holes or several zones");
		return;
	}
	if (s->pages.fd >= 0 &&
	    refusing_pages(s, span,
			   b->zones && !strcmp(b->zones, "Movable"), reason)) {
		/* The kernel may free its own pages at any time, but not reserved ones. */
		*sure = strstr(sb_str(reason), "reserved");
		return;
	}
	*sure = false;
	if (s->have_failure && s->failure.span.pfn / span.nr == b->nr &&
	    !failure_is_vague(&s->failure) && !is_marked(s, s->failure.pfn))
		sb_addf(reason, "last failure: %s", s->failure.reason);
}
