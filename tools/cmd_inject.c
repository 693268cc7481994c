// SPDX-License-Identifier: GPL-2.0
/* offctl inject: arms failures in the module, and lists them. */
#include "inject.h"
#include "command.h"
#include "ranges.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>

static void inject_action(struct sb *cell, const void *row, const void *context)
{
	const struct injected *in = row;

	(void)context;
	sb_addf(cell, "%s", in->action);
}

static void inject_point(struct sb *cell, const void *row, const void *context)
{
	const struct injected *in = row;

	(void)context;
	sb_addf(cell, "%s", in->point);
}

static void inject_error(struct sb *cell, const void *row, const void *context)
{
	const struct injected *in = row;

	(void)context;
	add_errno(cell, in->error);
}

static void inject_count(struct sb *cell, const void *row, const void *context)
{
	const struct injected *in = row;

	(void)context;
	sb_addf(cell, "%" PRIu64, in->count);
}

static const struct column inject_columns[] = {
	{ "ACTION", COL_TEXT, "action that will fail", inject_action, 0, NULL },
	{ "POINT", COL_TEXT, "point of the action", inject_point, 0, NULL },
	{ "ERROR", COL_TEXT, "errno of the failure", inject_error, 0, NULL },
	{ "COUNT", COL_NUMBER, "number of attempts that will still fail",
	  inject_count, 0, NULL },
	{ NULL, COL_TEXT, NULL, NULL, 0, NULL },
};

static const struct table inject_table = {
	.name = "inject",
	.columns = inject_columns,
};

static int inject_list(const struct command *self, const struct module *m)
{
	struct injected_list list;

	if (!injected_load(m, self->name, &list))
		return ST_FAILED;
	table_print(&inject_table, list.v, list.n, sizeof(*list.v), NULL);
	injected_free(&list);
	return ST_DONE;
}

/* Sends the command and reads the armed failures. Returns false after an error message. */
static bool send_and_load(const struct command *self, const struct module *m,
			  const struct sb *data, struct injected_list *list)
{
	struct sb reason = {0};
	int error = module_write(m, self->name, "inject", data);

	if (error > 0) {
		module_errno(&reason, "inject", error);
		err("%s: %s", self->name, sb_str(&reason));
		sb_free(&reason);
	}
	return !error && injected_load(m, self->name, list);
}

static int inject_clear(const struct command *self, const struct module *m)
{
	struct injected_list list;
	struct sb data = {0};
	int status = ST_FAILED;

	sb_addf(&data, "clear\n");
	if (send_and_load(self, m, &data, &list)) {
		if (list.n)
			err("%s: %zu failure%s %s still armed", self->name,
			    list.n, plural(list.n), is_are(list.n));
		else
			status = ST_DONE;
		injected_free(&list);
	}
	sb_free(&data);
	return status;
}

static int report_armed(const struct command *self,
			const struct injected_list *list,
			const struct injected *want)
{
	const struct injected *is = NULL;
	struct sb name = {0};

	for (size_t i = 0; i < list->n && !is; i++)
		if (!strcmp(list->v[i].action, want->action) &&
		    !strcmp(list->v[i].point, want->point) && list->v[i].count)
			is = &list->v[i];
	if (is) {
		add_errno(&name, is->error);
		out("%s %s: armed, %" PRIu64 " x %s\n", is->action,
		    is->point, is->count, sb_str(&name));
		sb_free(&name);
	} else if (!want->count) {
		out("%s %s: disarmed\n", want->action, want->point);
	}
	if (!is == !want->count && (!is || is->error == want->error))
		return ST_DONE;
	err("%s: %s %s: the module lists another state", self->name,
	    want->action, want->point);
	if (!is)
		hint("an attempt may have used up the failure already");
	return ST_FAILED;
}

static int inject_arm(const struct command *self, const struct module *m,
		      const struct injected *want)
{
	struct injected_list list;
	struct sb data = {0};
	int status = ST_FAILED;

	sb_addf(&data, "%s %s -%d %" PRIu64 "\n", want->action, want->point,
		want->error, want->count);
	if (send_and_load(self, m, &data, &list)) {
		status = report_armed(self, &list, want);
		injected_free(&list);
	}
	sb_free(&data);
	return status;
}

enum { OPT_CLEAR = OPT_OWN };

static const struct option_def inject_options[] = {
	{ OPT_CLEAR, "clear", NULL, "disarm all failures" },
	{ 0, NULL, NULL, NULL },
};

static int run_inject(const struct command *self, int argc, char **argv)
{
	struct injected want = {0};
	bool clear = false;
	struct module m;
	int status, id;

	while ((id = next_option(self, argc, argv)) != -1)
		if (id == OPT_CLEAR)
			clear = true;
	argc -= optind;
	argv += optind;
	if (clear && argc)
		return usage_error(self, "--clear takes no operands");
	if (argc && argc != 4)
		return usage_error(self, "ACTION, POINT, ERRNO and COUNT are needed");
	if (argc) {
		const char *reason;

		want.action = argv[0];
		want.point = argv[1];
		reason = parse_errno(argv[2], &want.error);
		if (reason)
			return usage_error_arg(self, argv[2], reason, NULL);
		reason = parse_number(argv[3], &want.count);
		if (reason)
			return usage_error_arg(self, argv[3], reason, NULL);
		reason = inject_check(want.action, want.point, want.error);
		if (reason) {
			err("%s: %s", self->name, reason);
			inject_hint();
			return ST_USAGE;
		}
	}
	if (!module_open(&m, self->name, false))
		return ST_FAILED;
	if (clear)
		status = inject_clear(self, &m);
	else if (argc)
		status = inject_arm(self, &m, &want);
	else
		status = inject_list(self, &m);
	module_close(&m);
	return status;
}

const struct command cmd_inject = {
	.name = "inject",
	.brief = "Make the next attempts fail, or list the armed failures.",
	.synopsis = "[-o LIST] [-J|-P|-r] [-n]\nACTION POINT ERRNO COUNT\n--clear",
	.details =
"ACTION POINT is one of\n"
"  offline before  at MEM_GOING_OFFLINE, before the module's own work\n"
"  offline after   at MEM_GOING_OFFLINE, after the module's own work\n"
"  offline late    during migration; EBUSY or EINTR\n"
"  online before   at MEM_GOING_ONLINE, before the module's own work\n"
"  online after    at MEM_GOING_ONLINE, after the module's own work\n"
"  mark stray      a page has a reference from elsewhere; EBUSY\n"
"  mark corrupt    a bit of a canary flips, which 'offctl verify' finds; EIO\n"
"ERRNO is a name (ENOMEM) or a number, with or without a minus sign. COUNT is the\n"
"number of attempts that fail, on any memory block and by any program. A COUNT of 0\n"
"disarms the failure.\n",
	.options = inject_options,
	.table = &inject_table,
	.operands_last = true,
	.reports_records = true,
	.run = run_inject,
};
