// SPDX-License-Identifier: GPL-2.0
/* Tables of one row that show a file of the module: loading, and getters of columns. */
#include "counts.h"
#include "parse.h"

#include <getopt.h>

int counts_load(const struct command *cmd, const char *file, int argc, char **argv,
		struct pairs *pairs)
{
	struct module m;
	bool ok;

	if (optind < argc)
		return usage_error_arg(cmd, argv[optind], "not expected here",
				       NULL);
	if (!module_open(&m, cmd->name, false))
		return ST_FAILED;
	ok = pairs_load(&m, cmd->name, file, pairs);
	module_close(&m);
	return ok ? ST_DONE : ST_FAILED;
}

void add_value(struct sb *cell, const void *row, const char *name)
{
	const char *value = pairs_get(row, name);

	if (value)
		sb_addf(cell, "%s", value);
}

void add_scaled(struct sb *cell, const void *row, const char *name, uint64_t by)
{
	const char *value = pairs_get(row, name);
	uint64_t number;

	if (!value || parse_number(value, &number) ||
	    __builtin_mul_overflow(number, by, &number))
		return;
	sb_add_u64(cell, number);
}
