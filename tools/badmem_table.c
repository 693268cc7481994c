// SPDX-License-Identifier: GPL-2.0
/* Lists of bad memory as tables: CSV and JSON. */
#include "badmem_reader.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Returns the next field of a line of CSV, unquoted in place. *p moves behind it. */
static char *csv_field(char **p)
{
	char *from = *p, *field = *p, *to;

	if (!*p)
		return NULL;
	if (*from == '"') {
		from++;
		field = to = from;
		while (*from && (*from != '"' || from[1] == '"')) {
			if (*from == '"')
				from++;
			*to++ = *from++;
		}
		if (*from)
			from++;
		while (*from && *from != ',')
			from++;
	} else {
		while (*from && *from != ',')
			from++;
		to = from;
	}
	*p = *from ? from + 1 : NULL;
	while (to > field && strchr(BADMEM_BLANKS, to[-1]))
		to--;
	*to = '\0';
	return field + strspn(field, " \t");
}

void badmem_csv_line(char *line, size_t nr, void *arg)
{
	struct reader *r = arg;
	const char *address = NULL, *pfn = NULL, *errors = NULL, *field;
	char *p = line;
	int i = 0;

	if (!r->header) {
		r->header = true;
		for (; (field = csv_field(&p)); i++) {
			if (!strcasecmp(field, "address"))
				r->address = i;
			else if (!strcasecmp(field, "pfn"))
				r->pfn = i;
			else if (!strcasecmp(field, "err_count"))
				r->errors = i;
		}
		if (r->address < 0 && r->pfn < 0)
			r->reason = "no column is called address or pfn";
		return;
	}
	if (r->reason)
		return;
	for (; (field = csv_field(&p)); i++) {
		if (i == r->address)
			address = field;
		else if (i == r->pfn)
			pfn = field;
		else if (i == r->errors)
			errors = field;
	}
	badmem_record(r->list, r->u, address, pfn, errors, nr);
}

/*
 * JSON as `sqlite3 -json` and other programs write it. Each object with a member
 * "address" or "pfn" is a record, at any depth.
 */
struct json {
	const char *p, *end;
	size_t line;
	struct reader *r;
};

static void json_blanks(struct json *j)
{
	for (; j->p < j->end && strchr(" \t\r\n", *j->p) && *j->p; j->p++)
		j->line += *j->p == '\n';
}

static bool json_string(struct json *j, struct sb *text)
{
	sb_clear(text);
	for (j->p++; j->p < j->end && *j->p != '"'; j->p++) {
		if (*j->p == '\\' && ++j->p == j->end)
			return false;
		sb_add(text, j->p, 1);
	}
	return j->p++ < j->end;
}

static bool json_value(struct json *j, struct sb *text, int depth);

static bool json_members(struct json *j, int depth, bool object)
{
	struct sb name = {0}, value = {0};
	struct sb address = {0}, pfn = {0}, errors = {0};
	char close = object ? '}' : ']';
	bool ok = depth < 64, first = true, record = false;
	size_t line = j->line;

	for (j->p++; ok; first = false) {
		json_blanks(j);
		if (j->p < j->end && *j->p == close) {
			j->p++;
			break;
		}
		if (!first) {
			ok = j->p < j->end && *j->p++ == ',';
			json_blanks(j);
		}
		if (ok && object) {
			ok = j->p < j->end && *j->p == '"' &&
			     json_string(j, &name);
			json_blanks(j);
			ok = ok && j->p < j->end && *j->p++ == ':';
			json_blanks(j);
		}
		ok = ok && json_value(j, &value, depth + 1);
		if (ok && object) {
			struct sb *to = !strcmp(sb_str(&name), "address") ?
						&address :
					!strcmp(sb_str(&name), "pfn") ? &pfn :
					!strcmp(sb_str(&name), "err_count") ?
						&errors : NULL;

			if (to) {
				sb_clear(to);
				sb_add(to, sb_str(&value), value.len);
				record = record || to != &errors;
			}
		}
	}
	if (ok && record)
		badmem_record(j->r->list, j->r->u, sb_str(&address),
			      sb_str(&pfn), errors.len ? errors.p : NULL, line);
	sb_free(&name);
	sb_free(&value);
	sb_free(&address);
	sb_free(&pfn);
	sb_free(&errors);
	return ok;
}

/* Gives the text of a string or of a number, and an empty text for other values. */
static bool json_value(struct json *j, struct sb *text, int depth)
{
	static const char word[] = "+-.0123456789abcdefghijklmnopqrstuvwxyzE";

	sb_clear(text);
	json_blanks(j);
	if (j->p == j->end)
		return false;
	if (*j->p == '"')
		return json_string(j, text);
	if (*j->p == '{' || *j->p == '[')
		return json_members(j, depth, *j->p == '{');
	while (j->p < j->end && *j->p && strchr(word, *j->p))
		sb_add(text, j->p++, 1);
	if (!text->len)
		return false;
	if (isalpha((unsigned char)*text->p))
		sb_clear(text);
	return true;
}

const char *badmem_parse_json(struct reader *r, const char *text, size_t len)
{
	struct json j = { .p = text, .end = text + len, .line = 1, .r = r };
	struct sb value = {0};
	bool ok = true;

	/* A file of JSON lines has several values. */
	for (json_blanks(&j); ok && j.p < j.end; json_blanks(&j))
		ok = json_value(&j, &value, 0);
	sb_free(&value);
	return ok ? NULL : "not valid JSON";
}
