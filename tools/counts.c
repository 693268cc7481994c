// SPDX-License-Identifier: GPL-2.0
/* Getters for tables of one row that show a file of the module. */
#include "counts.h"
#include "parse.h"
#include "ranges.h"

void add_value(struct sb *cell, const void *row, const char *name)
{
	const char *value = pairs_get(row, name);

	if (value)
		sb_addf(cell, "%s", value);
}

void add_scaled(struct sb *cell, const void *row, const char *name,
		       uint64_t by)
{
	const char *value = pairs_get(row, name);
	uint64_t number;

	if (!value || parse_number(value, &number) ||
	    __builtin_mul_overflow(number, by, &number))
		return;
	sb_add_u64(cell, number);
}
