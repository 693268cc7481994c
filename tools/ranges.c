// SPDX-License-Identifier: GPL-2.0
/* Parsers of the module's files in debugfs. */
#include "ranges.h"
#include "parse.h"
#include "sysroot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool malformed(const struct module *m, const char *cmd,
		      const char *file, size_t line)
{
	if (!cmd)
		return false;
	err("%s: %s/%s: line %zu is not as documented", cmd, m->path, file,
	    line);
	hint("do the module and offctl have the same version?");
	return false;
}

/* Cuts a line into words. Returns the number of words, which may exceed max. */
static size_t split(char *line, char **words, size_t max)
{
	size_t n = 0;
	char *save;

	for (char *w = strtok_r(line, " \t", &save); w;
	     w = strtok_r(NULL, " \t", &save)) {
		if (n < max)
			words[n] = w;
		n++;
	}
	return n;
}

/* The columns of the file "ranges" that offctl uses. The header has their names. */
enum { R_START, R_NR, R_SKIPPABLE, R_CANARY, R_NODE, R_ZONE, R_OWNER, R_AGE,
       R_STATE, R_COUNT };

static const char *const range_columns[R_COUNT] = {
	"start_pfn", "nr_pages", "skippable", "canary", "node", "zone",
	"owner", "age_s", "state",
};

/* For a column that an older module does not have. */
#define NO_COLUMN SIZE_MAX

/* More words than a line has. */
#define MAX_WORDS 32

static bool range_header(char *line, size_t *where)
{
	char *words[MAX_WORDS];
	size_t n, found = 0;

	if (*line != '#')
		return false;
	n = split(line + 1, words, MAX_WORDS);
	if (n > MAX_WORDS)
		return false;
	for (size_t c = 0; c < R_COUNT; c++) {
		where[c] = NO_COLUMN;
		for (size_t i = 0; i < n; i++)
			if (!strcmp(words[i], range_columns[c])) {
				where[c] = i;
				found++;
				break;
			}
	}
	return found + (where[R_STATE] == NO_COLUMN) == R_COUNT;
}

static bool parse_bool(const char *s, bool *value)
{
	*value = *s == '1';
	return !strcmp(s, "0") || !strcmp(s, "1");
}

static bool parse_signed(const char *s, int64_t *value)
{
	bool minus = *s == '-';
	uint64_t v;

	if (parse_number(s + minus, &v) || v > INT64_MAX)
		return false;
	*value = minus ? -(int64_t)v : (int64_t)v;
	return true;
}

static bool range_line(char *line, const size_t *where, struct marked *r)
{
	char *words[MAX_WORDS];
	size_t n = split(line, words, MAX_WORDS);
	uint64_t limit = UINT64_MAX / page_size() + 1;
	const char *w[R_COUNT];

	for (size_t c = 0; c < R_COUNT; c++) {
		if (where[c] == NO_COLUMN) {
			w[c] = NULL;
			continue;
		}
		if (where[c] >= n)
			return false;
		w[c] = words[where[c]];
	}
	if (parse_number(w[R_START], &r->span.pfn) ||
	    parse_number(w[R_NR], &r->span.nr) ||
	    !parse_bool(w[R_SKIPPABLE], &r->skippable) ||
	    !parse_bool(w[R_CANARY], &r->canary) ||
	    !parse_signed(w[R_NODE], &r->node) ||
	    parse_number(w[R_AGE], &r->age))
		return false;
	if (!r->span.nr || r->span.pfn >= limit ||
	    r->span.nr > limit - r->span.pfn)
		return false;
	r->zone = xstrdup(w[R_ZONE]);
	r->owner = xstrdup(w[R_OWNER]);
	r->state = w[R_STATE] ? xstrdup(w[R_STATE]) : NULL;
	for (char *p = r->state; p && *p; p++)
		if (*p == '_')
			*p = '-';
	return true;
}

/*
 * Calls take() for each line of a file of the module. The last line must end in a newline
 * as well. Otherwise it may have been cut. Returns false after an error message.
 */
static bool each_line(const struct module *m, const char *cmd,
		      const char *file,
		      bool (*take)(char *line, size_t nr, void *arg), void *arg)
{
	struct sb content = {0};
	size_t nr = 0;
	bool ok = module_read(m, cmd, file, &content);

	/* A NUL would hide the rest of the file. */
	if (ok && strlen(sb_str(&content)) != content.len)
		ok = malformed(m, cmd, file, 1);
	for (char *line = content.p, *end; ok && line && *line;
	     line = end + 1) {
		nr++;
		end = strchr(line, '\n');
		if (!end) {
			ok = malformed(m, cmd, file, nr);
			break;
		}
		*end = '\0';
		if (!take(line, nr, arg))
			ok = malformed(m, cmd, file, nr);
	}
	sb_free(&content);
	return ok;
}

struct marked_reader {
	struct marked_list *list;
	size_t where[R_COUNT];
	bool header;
};

static bool take_range(char *line, size_t nr, void *arg)
{
	struct marked_reader *reader = arg;
	struct marked_list *list = reader->list;
	struct marked r = {0};

	if (nr == 1) {
		reader->header = range_header(line, reader->where);
		return reader->header;
	}
	if (!range_line(line, reader->where, &r))
		return false;
	GROW(list);
	list->v[list->n++] = r;
	if (list->n < 2)
		return true;
	return list->v[list->n - 2].span.pfn + list->v[list->n - 2].span.nr <=
	       r.span.pfn;
}

bool marked_load(const struct module *m, const char *cmd,
		 struct marked_list *list)
{
	struct marked_reader reader = { .list = list };
	bool ok;

	*list = (struct marked_list){0};
	ok = each_line(m, cmd, "ranges", take_range, &reader);
	if (ok && !reader.header)
		ok = malformed(m, cmd, "ranges", 1);
	if (!ok)
		marked_free(list);
	return ok;
}

void marked_free(struct marked_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->v[i].zone);
		free(list->v[i].owner);
		free(list->v[i].state);
	}
	free(list->v);
	*list = (struct marked_list){0};
}

bool marked_poisoned(const struct marked *r)
{
	return r->state && !strcmp(r->state, "poisoned");
}

size_t marked_first(const struct marked_list *list, uint64_t pfn)
{
	size_t lo = 0, hi = list->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct span *s = &list->v[mid].span;

		if (s->pfn + s->nr <= pfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool marked_any(const struct marked_list *list, struct span span)
{
	size_t at = marked_first(list, span.pfn);

	return at < list->n && list->v[at].span.pfn < span.pfn + span.nr;
}

struct spans marked_spans(const struct marked_list *list,
			  const struct marked_filter *filter)
{
	struct spans spans = {0};

	for (size_t i = 0; i < list->n; i++) {
		const struct marked *r = &list->v[i];

		if (filter && filter->owner && strcmp(r->owner, filter->owner))
			continue;
		if (filter && filter->match_flags &&
		    (r->skippable != filter->skippable ||
		     r->canary != filter->canary))
			continue;
		spans_add(&spans, r->span);
	}
	spans_normalize(&spans);
	return spans;
}

static bool take_injected(char *line, size_t nr, void *arg)
{
	struct injected_list *list = arg;
	struct injected in = {0};
	char *words[4];

	if (nr == 1)
		return *line == '#';
	if (split(line, words, 4) != 4 || parse_errno(words[2], &in.error) ||
	    parse_number(words[3], &in.count))
		return false;
	in.action = xstrdup(words[0]);
	in.point = xstrdup(words[1]);
	GROW(list);
	list->v[list->n++] = in;
	return true;
}

bool injected_load(const struct module *m, const char *cmd,
		   struct injected_list *list)
{
	*list = (struct injected_list){0};
	if (each_line(m, cmd, "inject", take_injected, list))
		return true;
	injected_free(list);
	return false;
}

void injected_free(struct injected_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->v[i].action);
		free(list->v[i].point);
	}
	free(list->v);
	*list = (struct injected_list){0};
}

static bool take_pair(char *line, size_t nr, void *arg)
{
	struct pairs *pairs = arg;
	char *name = line + strspn(line, " \t");
	char *value = name + strcspn(name, " \t");

	(void)nr;
	if (*value)
		*value++ = '\0';
	value += strspn(value, " \t");
	if (!*name)
		return false;
	GROW(pairs);
	pairs->v[pairs->n].name = xstrdup(name);
	pairs->v[pairs->n++].value = xstrdup(value);
	return true;
}

bool pairs_load(const struct module *m, const char *cmd, const char *file,
		struct pairs *pairs)
{
	*pairs = (struct pairs){0};
	if (each_line(m, cmd, file, take_pair, pairs))
		return true;
	pairs_free(pairs);
	return false;
}

void pairs_free(struct pairs *pairs)
{
	for (size_t i = 0; i < pairs->n; i++) {
		free(pairs->v[i].name);
		free(pairs->v[i].value);
	}
	free(pairs->v);
	*pairs = (struct pairs){0};
}

const char *pairs_get(const struct pairs *pairs, const char *name)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (!strcmp(pairs->v[i].name, name))
			return pairs->v[i].value;
	return NULL;
}

/* Returns a copy of the value, or NULL if it is missing, empty or "-". */
static char *get_word(const struct pairs *pairs, const char *name)
{
	const char *value = pairs_get(pairs, name);

	return value && *value && strcmp(value, "-") ? xstrdup(value) : NULL;
}

/* Ignores unknown lines, since a newer module may have more of them. */
static bool load(const struct module *m, const char *file,
		 struct failure *failure)
{
	const char *start, *nr, *count, *pfn, *error;
	struct pairs pairs;
	bool ok = false;

	*failure = (struct failure){0};
	if (!pairs_load(m, NULL, file, &pairs))
		return false;
	start = pairs_get(&pairs, "start_pfn");
	nr = pairs_get(&pairs, "nr_pages");
	pfn = pairs_get(&pairs, "pfn");
	if (!pfn || parse_number(pfn, &failure->pfn))
		failure->pfn = UINT64_MAX;
	error = pairs_get(&pairs, "errno");
	if (!error || !parse_signed(error, &failure->error))
		failure->error = 0;
	count = pairs_get(&pairs, "count");
	if (count && parse_number(count, &failure->count))
		failure->count = 0;
	failure->code = get_word(&pairs, "code");
	failure->owner = get_word(&pairs, "owner");
	failure->reason = get_word(&pairs, "reason");
	if (start && nr && failure->reason &&
	    !parse_number(start, &failure->span.pfn) &&
	    !parse_number(nr, &failure->span.nr))
		ok = true;
	else
		failure_free(failure);
	pairs_free(&pairs);
	return ok;
}

bool failure_load(const struct module *m, struct failure *failure)
{
	return load(m, "last_failure", failure);
}

bool failure_is_vague(const struct failure *failure)
{
	return failure->error == -EINVAL && failure->code &&
	       !strcmp(failure->code, "kernel_refused");
}

bool refusal_load(const struct module *m, struct failure *refusal)
{
	return load(m, "last_refusal", refusal);
}

bool refusal_is_neighbour(const struct failure *refusal)
{
	return refusal->code && !strcmp(refusal->code, "neighbour");
}

uint64_t refusal_count(const struct module *m)
{
	struct failure refusal;
	uint64_t count = 0;

	if (refusal_load(m, &refusal)) {
		count = refusal.count;
		failure_free(&refusal);
	}
	return count;
}

void failure_free(struct failure *failure)
{
	free(failure->code);
	free(failure->owner);
	free(failure->reason);
	*failure = (struct failure){0};
}
