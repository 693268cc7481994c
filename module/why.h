/* SPDX-License-Identifier: GPL-2.0 */
/* Why a memory block could not go offline or come online. */
#ifndef FO_WHY_H
#define FO_WHY_H

#include <linux/types.h>

struct fo_flight;

/**
 * struct fo_why - the last failure
 * @count: how many there were; 0 if nothing has failed yet
 * @first: first PFN of the memory
 * @last: last PFN
 * @pfn: the page that was in the way, or -1
 * @text: the reason, one line
 */
struct fo_why {
	unsigned long count;
	unsigned long first;
	unsigned long last;
	long pfn;
	char text[160];
};

__printf(5, 6)
void fo_why_set(unsigned long first, unsigned long last, long pfn, int error,
		const char *fmt, ...);
struct fo_why fo_why_get(void);

void fo_why_cancelled(const struct fo_flight *flight);
void fo_why_not_announced(unsigned long first, unsigned long last, int error);

#endif /* FO_WHY_H */
