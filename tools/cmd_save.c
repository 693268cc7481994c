// SPDX-License-Identifier: GPL-2.0
/* offctl save: saves the marked ranges as a text file. */
#include "command.h"
#include "file.h"
#include "ranges.h"
#include "savefile.h"
#include "sysroot.h"

#include <getopt.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

static void add_origin(struct sb *sb)
{
	struct utsname name;
	time_t now = time(NULL);
	char date[32] = "";
	struct tm tm;

	if (gmtime_r(&now, &tm))
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
	uname(&name);
	sb_addf(sb, "Saved %s on %s, Linux %s.", date, name.nodename,
		name.release);
}

static int run_save(const struct command *self, int argc, char **argv)
{
	struct marked_list list;
	struct sb text = {0}, origin = {0};
	struct units units;
	struct module m;
	size_t saved = 0, others;
	bool ok;

	while (next_option(self, argc, argv) != -1)
		;
	if (argc - optind > 1)
		return usage_error_arg(self, argv[optind + 1],
				       "not expected here", NULL);
	if (!module_open(&m, self->name, false))
		return ST_FAILED;
	ok = marked_load(&m, self->name, &list);
	module_close(&m);
	if (!ok)
		return ST_FAILED;
	units = units_get();
	if (!root_recorded())
		add_origin(&origin);
	savefile_add_head(&text, origin.len ? origin.p : NULL);
	for (size_t i = 0; i < list.n; i++) {
		const struct marked *r = &list.v[i];

		if (strcmp(r->owner, OWNER_DEBUGFS))
			continue;
		savefile_add(&text, &units, r->span, !r->skippable, r->canary);
		saved++;
	}
	others = list.n - saved;
	if (others)
		hint("%zu range%s to %s and %s not saved", others,
		     others == 1 ? " belongs" : "s belong",
		     others == 1 ? "another owner" : "other owners",
		     was_were(others));
	marked_free(&list);
	ok = file_write(self->name, optind < argc ? argv[optind] : "-", &text);
	sb_free(&text);
	sb_free(&origin);
	return ok ? ST_DONE : ST_FAILED;
}

const struct command cmd_save = {
	.name = "save",
	.brief = "Save the marked ranges as a text file.",
	.synopsis = "[FILE]",
	.details =
"The list goes to FILE or to standard output. It leaves out the ranges that drivers\n"
"have marked. 'offctl restore' marks the saved ranges again. offctl(8) has the format.\n",
	.run = run_save,
};
