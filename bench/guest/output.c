// SPDX-License-Identifier: GPL-2.0
/* Prints one line per measure, for bench/report.awk. */
#include "guest.h"

#include <stdio.h>

static void print(const char *kind, const char *name, const char *suffix,
		  const char *more, double value)
{
	printf("%s %s%s %s %.3f\n", kind, name, suffix, more, value);
	fflush(stdout);
}

void ours(const char *row, double value)
{
	print("sample", row, setting.suffix, "ours", value);
}

void peer(const char *row, double value)
{
	print("sample", row, setting.suffix, "peer", value);
}

void growth(const char *plot, double x, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.0f", x);
	print("growth", plot, "", text, value);
}

void fact(const char *name, double value)
{
	print("fact", name, setting.suffix, "-", value);
}
