/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers that look random. The same seed gives the same numbers on every machine
 * (splitmix64).
 */
#ifndef SELFTESTS_RANDOM_H
#define SELFTESTS_RANDOM_H

#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t random_next(struct random *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* 0 to limit - 1; limit is not 0. */
static inline unsigned int random_below(struct random *r, unsigned int limit)
{
	return (unsigned int)(random_next(r) % limit);
}

#endif
