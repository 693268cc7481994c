/* SPDX-License-Identifier: GPL-2.0 */
/* The records that pagefate writes: see there. */
#ifndef SELFTESTS_RECORDS_H
#define SELFTESTS_RECORDS_H

#include <stdint.h>

#include "kinds.h"

#define NOBODY	UINT64_MAX

struct record {
	uint64_t pfn;
	struct facts before, after;
	char result[32];
	char code[32];		/* "-": none */
	uint64_t culprit;	/* NOBODY: none is named */
	struct facts culprit_before, culprit_after;
	char reason[256];
};

void record_print(const struct record *r);
/* Reads records and prints the verdict on each. */
void records_judge(void);

#endif
