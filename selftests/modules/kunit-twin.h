/* SPDX-License-Identifier: GPL-2.0 */
/* A negative twin for the unit tests: with wrong=1, one expectation of a test is wrong. */
#ifndef KUNIT_TWIN_H
#define KUNIT_TWIN_H

#include <linux/types.h>

extern bool kunit_twin_wrong;

#endif /* KUNIT_TWIN_H */
