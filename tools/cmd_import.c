// SPDX-License-Identifier: GPL-2.0
/* offctl import: marks the bad memory that other programs have listed. */
#include "badmem.h"
#include "command.h"
#include "file.h"
#include "rasdaemon.h"
#include "retire_lines.h"
#include "savefile.h"
#include "sysroot.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A list that costs more memory is more likely a wrong list than bad memory. */
#define MAX_PERCENT 5

#define RASDAEMON_DB "/var/lib/rasdaemon/ras-mc_event.db"

struct import {
	const struct command *cmd;
	enum badmem_format format;
	uint64_t align;		/* bytes, a power of two; 0: pages */
	uint64_t min_errors;
	bool canary, unskippable, force;
	const char *save;
	struct retire r;
	struct soft_offline soft;
	struct retired_list list;
	bool incomplete;	/* a file or a line was not understood */
};

/* The PFN behind the last page of the memory. */
static uint64_t end_of_ram(const struct import *im)
{
	const struct spans *ram = &im->r.ram;

	return ram->n ? ram->v[ram->n - 1].pfn + ram->v[ram->n - 1].nr : 0;
}

static bool load(struct import *im, const char *path, struct badmem_list *list)
{
	enum badmem_format format = im->format;
	struct sb text = {0};
	const char *reason;
	bool ok;

	if (format == BADMEM_SQLITE && strcmp(path, "-"))
		return rasdaemon_load(im->cmd->name, path, &im->r.units, list);
	ok = file_read(im->cmd->name, path, &text);
	if (ok && (format == BADMEM_AUTO || format == BADMEM_SQLITE))
		format = badmem_guess(sb_str(&text), text.len);
	if (!ok) {
		/* file_read() has printed an error message. */
	} else if (format == BADMEM_SQLITE) {
		sb_free(&text);
		if (strcmp(path, "-"))
			return rasdaemon_load(im->cmd->name, path,
					      &im->r.units, list);
		err("%s: a database cannot be read from standard input",
		    im->cmd->name);
		ok = false;
	} else if (format == BADMEM_UNKNOWN) {
		err_arg(im->cmd->name, path, "the format is not recognized");
		hint("name it with --format; page numbers and addresses look alike");
		ok = false;
	} else {
		reason = badmem_parse(format, sb_str(&text), text.len,
				      &im->r.units, end_of_ram(im), list);
		if (reason)
			err_arg(im->cmd->name, path, reason);
		ok = !reason;
	}
	sb_free(&text);
	return ok;
}

static void report_skipped(struct import *im, const char *path,
			   const struct badmem_list *list)
{
	struct sb where = {0}, reason = {0};

	if (list->no_address)
		hint("%s: %zu record%s no address", path, list->no_address,
		     list->no_address == 1 ? " has" : "s have");
	if (!list->skipped)
		return;
	im->incomplete = true;
	sb_addf(&where, "%s:%zu", path, list->first_skipped);
	sb_addf(&reason, "%s", list->skip_reason);
	if (list->skipped > 1)
		sb_addf(&reason, "; %zu such lines", list->skipped);
	err_arg(im->cmd->name, sb_str(&where), sb_str(&reason));
	sb_free(&where);
	sb_free(&reason);
}

static void take(struct import *im, const char *path)
{
	struct badmem_list list = {0};

	if (!load(im, path, &list)) {
		im->incomplete = true;
		badmem_free(&list);
		return;
	}
	report_skipped(im, path, &list);
	if (im->min_errors > 1)
		badmem_at_least(&list, im->min_errors);
	if (im->align)
		badmem_align(&list, im->align / im->r.units.page,
			     UINT64_MAX / im->r.units.page + 1);
	for (size_t i = 0; i < list.n; i++) {
		GROW(&im->list);
		im->list.v[im->list.n++] = (struct retired){
			.file = path, .line = list.v[i].line,
			.span = list.v[i].span, .errors = list.v[i].errors,
			.canary = im->canary, .unskippable = im->unskippable,
		};
	}
	badmem_free(&list);
}

/* The number of pages that would be newly out of use. */
static uint64_t cost(const struct import *im)
{
	struct spans all = {0}, ram, new;
	uint64_t pages;

	for (size_t i = 0; i < im->list.n; i++)
		spans_add(&all, im->list.v[i].span);
	spans_normalize(&all);
	ram = spans_intersect(&all, &im->r.ram);
	new = spans_subtract(&ram, &im->r.out_of_use);
	pages = spans_pages(&new);
	spans_free(&all);
	spans_free(&ram);
	spans_free(&new);
	return pages;
}

/* Writes a file for 'offctl restore' in place of marking. */
static bool save(struct import *im)
{
	struct sb text = {0};
	bool ok;

	retired_join(&im->list);
	savefile_add_head(&text, "Written by 'offctl import'.");
	for (size_t i = 0; i < im->list.n; i++)
		savefile_add(&text, &im->r.units, im->list.v[i].span,
			     im->unskippable, im->canary);
	ok = file_write(im->cmd->name, im->save, &text);
	sb_free(&text);
	return ok;
}

static int carry_out(struct import *im)
{
	uint64_t pages = cost(im), all = spans_pages(&im->r.ram);
	int status;

	if (pages > all / 100 * MAX_PERCENT && !im->force && !im->r.dry_run) {
		struct sb sb = {0};

		add_pages(&sb, &im->r.units, pages);
		err("%s: it would cost %s, more than %d %% of the memory",
		    im->cmd->name, sb_str(&sb), MAX_PERCENT);
		hint("--dry-run shows the ranges; --force %s them anyway",
		     im->save ? "saves" : "marks");
		sb_free(&sb);
		return ST_FAILED;
	}
	if (im->save && !im->r.dry_run)
		return !save(im) ? ST_FAILED :
		       im->incomplete ? ST_PARTLY : ST_DONE;
	signals_catch();
	retire_lines(&im->r, &im->list);
	retire_print(&im->r, im->list.v, im->list.n);
	soft_offline_report(&im->soft);
	if (!table_for_programs())
		retire_print_cost(&im->r, im->list.v, im->list.n);
	status = retire_status(im->list.v, im->list.n);
	if (im->incomplete && status == ST_DONE)
		status = ST_PARTLY;
	return status;
}

enum { OPT_FORMAT = OPT_OWN, OPT_DRY_RUN, OPT_ALIGN, OPT_MIN_ERRORS, OPT_SAVE,
       OPT_PARTIAL, OPT_CANARY, OPT_UNSKIPPABLE, OPT_FORCE, OPT_SOFT };

static const struct option_def options[] = {
	{ OPT_FORMAT, "format", "FORMAT",
	  "memtest, badram, memmap, rasdaemon, csv, json, pfn, address or auto" },
	{ OPT_DRY_RUN, "dry-run", NULL,
	  "mark nothing, show the ranges and their cost" },
	{ OPT_ALIGN, "align", "SIZE",
	  "grow each range to multiples of SIZE (8K, ...), for whole rows" },
	{ OPT_MIN_ERRORS, "min-errors", "N",
	  "take only pages with at least N errors in the list" },
	{ OPT_SAVE, "save", "FILE",
	  "mark nothing, write FILE for 'offctl restore'" },
	{ OPT_PARTIAL, "partial", NULL,
	  "mark the free parts of a range that cannot be marked whole" },
	{ OPT_CANARY, "canary", NULL, "as for 'offctl mark'" },
	{ OPT_UNSKIPPABLE, "unskippable", NULL, "as for 'offctl mark'" },
	{ OPT_SOFT, "or-soft-offline", "[=TIME]",
	  "let the kernel poison a page beside kernel memory" },
	{ OPT_FORCE, "force", NULL, "mark the ranges even if that costs much memory" },
	{ 0, NULL, NULL, NULL },
};

static int take_options(struct import *im, int argc, char **argv)
{
	int id;

	while ((id = next_option(im->cmd, argc, argv)) != -1) {
		const char *reason = NULL;

		switch (id) {
		case OPT_FORMAT:
			im->format = badmem_format(optarg);
			if (im->format == BADMEM_UNKNOWN)
				return usage_error_arg(im->cmd, optarg,
						       "no such format",
						       badmem_formats);
			break;
		case OPT_DRY_RUN:
			im->r.dry_run = true;
			break;
		case OPT_ALIGN:
			reason = parse_size(optarg, &im->align);
			if (!reason && (im->align & (im->align - 1) ||
					im->align < page_size()))
				reason = "not a power of two, or less than a page";
			break;
		case OPT_MIN_ERRORS:
			reason = parse_number(optarg, &im->min_errors);
			break;
		case OPT_SAVE:
			im->save = optarg;
			break;
		case OPT_PARTIAL:
			im->r.partial = true;
			break;
		case OPT_CANARY:
			im->canary = true;
			break;
		case OPT_UNSKIPPABLE:
			im->unskippable = true;
			break;
		case OPT_SOFT:
			im->r.soft = &im->soft;
			if (optarg)
				reason = parse_duration(optarg,
							&im->soft.limit_ms);
			break;
		case OPT_FORCE:
			im->force = true;
			break;
		}
		if (reason)
			return usage_error_arg(im->cmd, optarg, reason, NULL);
	}
	if (optind == argc && im->format != BADMEM_SQLITE)
		return usage_error(im->cmd, "no file is named");
	return ST_DONE;
}

static int run_import(const struct command *self, int argc, char **argv)
{
	struct import im = {
		.cmd = self,
		.soft = { .cmd = self, .limit_ms = SOFT_OFFLINE_MS },
	};
	int status = take_options(&im, argc, argv);

	if (status != ST_DONE)
		return status;
	im.soft.units = units_get();
	/* --save marks nothing, so it does not need the module. */
	if (im.save) {
		bool dry_run = im.r.dry_run;

		im.r.dry_run = true;
		status = retire_open(&im.r, self);
		im.r.dry_run = dry_run;
	} else {
		status = retire_open(&im.r, self);
	}
	if (status == ST_DONE) {
		if (optind == argc)
			take(&im, RASDAEMON_DB);
		for (int i = optind; i < argc; i++)
			take(&im, argv[i]);
		retired_sort(&im.list);
		if (im.list.n)
			status = carry_out(&im);
		else if (im.incomplete)
			status = ST_FAILED;
		else
			hint("the files list no bad memory");
	}
	retired_free(&im.list);
	soft_offline_free(&im.soft);
	retire_close(&im.r);
	return status;
}

const struct command cmd_import = {
	.name = "import",
	.brief = "Mark the bad memory that other programs have found.",
	.synopsis =
"[--format FORMAT] [--dry-run] [--align SIZE] [--min-errors N]\n"
"              [--save FILE] [--partial] [--canary] [--unskippable] [--force]\n"
"              [--or-soft-offline[=TIME]]\n"
"              [-o LIST] [-J|-P|-r] [-n] FILE...",
	.details =
"FORMAT is one of\n"
"  memtest     errors as Memtest86+ lists them, or one address per line\n"
"  badram      pairs of address and mask, badram=0x...,0x...\n"
"  memmap      memmap=SIZE$ADDRESS,...\n"
"  rasdaemon   rasdaemon's database; without FILE the one of this machine\n"
"  csv, json   a table or objects with an address or a pfn, and perhaps an\n"
"              err_count, such as an export of that database\n"
"  pfn         page numbers N, N-M, N+M\n"
"  address     addresses N, N-M, N+M\n"
"  auto        offctl recognizes the format, but never pfn or address\n"
"FILE may be '-' for standard input. Each range of a list is marked on its own.\n",
	.options = options,
	.table = &retire_table,
	.reports_records = true,
	.run = run_import,
};
