// SPDX-License-Identifier: GPL-2.0
/* offctl restore: marks the ranges of saved files again. */
#include "command.h"
#include "file.h"
#include "retire.h"
#include "savefile.h"
#include "sysroot.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MARKS_DIR "etc/offctl.d"
#define MARKS_SUFFIX ".marks"

struct rows {
	struct retired *v;
	size_t n, cap;
	char **names;		/* of the files; the rows point to them */
	size_t nr_names;
	bool unreadable;	/* a file could not be read */
};

static const char *keep_name(struct rows *rows, const char *name)
{
	rows->names = xrealloc(rows->names, rows->nr_names + 1,
			       sizeof(*rows->names));
	rows->names[rows->nr_names] = xstrdup(name);
	return rows->names[rows->nr_names++];
}

static void rows_free(struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		free(rows->v[i].reason);
	for (size_t i = 0; i < rows->nr_names; i++)
		free(rows->names[i]);
	free(rows->v);
	free(rows->names);
}

static void load_file(const struct command *self, const struct units *u,
		      const char *path, struct rows *rows)
{
	struct saved_marks marks;
	struct sb text = {0};
	const char *reason, *name;
	size_t line;

	if (!file_read(self->name, path, &text)) {
		rows->unreadable = true;
		sb_free(&text);
		return;
	}
	reason = savefile_parse(sb_str(&text), text.len, u, &marks, &line);
	sb_free(&text);
	if (reason) {
		struct sb where = {0};

		sb_addf(&where, "%s:%zu", path, line);
		err_arg(self->name, sb_str(&where), reason);
		sb_free(&where);
		rows->unreadable = true;
		return;
	}
	name = keep_name(rows, path);
	for (size_t i = 0; i < marks.n; i++) {
		const struct saved_mark *s = &marks.v[i];

		GROW(rows);
		rows->v[rows->n++] = (struct retired){
			.file = name, .line = s->line, .span = s->span,
			.unskippable = s->unskippable, .canary = s->canary,
			.invalid = s->reason,
		};
	}
	savefile_free(&marks);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Loads the files *.marks of a directory in the order of their names. */
static void load_dir(const struct command *self, const struct units *u,
		     const char *path, struct rows *rows)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	char **names = NULL;
	size_t n = 0;

	if (!dir) {
		err_arg(self->name, path, strerror(errno));
		rows->unreadable = true;
		return;
	}
	while ((entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);
		size_t suffix = strlen(MARKS_SUFFIX);
		struct sb full = {0};

		if (entry->d_name[0] == '.' || len <= suffix ||
		    strcmp(entry->d_name + len - suffix, MARKS_SUFFIX))
			continue;
		sb_addf(&full, "%s/%s", path, entry->d_name);
		names = xrealloc(names, n + 1, sizeof(*names));
		names[n++] = full.p;
	}
	closedir(dir);
	if (n)
		qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++) {
		load_file(self, u, names[i], rows);
		free(names[i]);
	}
	free(names);
}

static void load(const struct command *self, const struct units *u,
		 const char *path, struct rows *rows)
{
	struct stat st;

	if (strcmp(path, "-") && !stat(path, &st) && S_ISDIR(st.st_mode))
		load_dir(self, u, path, rows);
	else
		load_file(self, u, path, rows);
}

enum { OPT_DRY_RUN = OPT_OWN, OPT_PARTIAL };

static const struct option_def restore_options[] = {
	{ OPT_DRY_RUN, "dry-run", NULL, "mark nothing, say what would be done" },
	{ OPT_PARTIAL, "partial", NULL,
	  "mark the free parts of a range that cannot be marked whole" },
	{ 'q', "quiet", NULL, "list only the lines that are not marked now" },
	{ 0, NULL, NULL, NULL },
};

static int run_restore(const struct command *self, int argc, char **argv)
{
	struct retire r = {0};
	struct rows rows = {0};
	bool quiet = false;
	int status, id;

	while ((id = next_option(self, argc, argv)) != -1)
		if (id == OPT_DRY_RUN)
			r.dry_run = true;
		else if (id == OPT_PARTIAL)
			r.partial = true;
		else if (id == 'q')
			quiet = true;
	/* A saved mark stays with its addresses, with or without memory there. */
	r.absent = true;
	status = retire_open(&r, self);
	if (status == ST_DONE) {
		bool module_answers = true;
		size_t shown = 0;

		if (optind == argc) {
			char *path = root_path(MARKS_DIR);

			load(self, &r.units, path, &rows);
			free(path);
		}
		for (int i = optind; i < argc; i++)
			load(self, &r.units, argv[i], &rows);
		signals_catch();
		for (size_t i = 0; i < rows.n && module_answers && !signals_seen(); i++)
			module_answers = retire_one(&r, &rows.v[i]);
		status = retire_status(rows.v, rows.n);
		if (rows.unreadable)
			status = status == ST_DONE && rows.n ? ST_PARTLY :
				 status == ST_PARTLY ? ST_PARTLY : ST_FAILED;
		for (size_t i = 0; quiet && i < rows.n; i++) {
			struct retired one = rows.v[i];

			/* Lines that are marked move behind the others. */
			if (retire_status(&one, 1) == ST_DONE)
				continue;
			rows.v[i] = rows.v[shown];
			rows.v[shown++] = one;
		}
		retire_print(&r, rows.v, quiet ? shown : rows.n);
	}
	rows_free(&rows);
	retire_close(&r);
	return status;
}

const struct command cmd_restore = {
	.name = "restore",
	.brief = "Mark saved ranges again, and show the outcome for each line.",
	.synopsis =
"[--dry-run] [--partial] [--quiet] [-o LIST] [-J|-P|-r] [-n]\n"
"               [FILE|DIRECTORY...]",
	.details =
"A DIRECTORY stands for its files *" MARKS_SUFFIX " in the order of their names, and '-' for\n"
"standard input. Without an operand, offctl restores /" MARKS_DIR ", as\n"
"offctl-restore.service does at boot. Each line is marked on its own.\n",
	.options = restore_options,
	.table = &retire_table,
	.reports_records = true,
	.run = run_restore,
};
