/* SPDX-License-Identifier: GPL-2.0 */
#ifndef UNIT_H
#define UNIT_H

#include <stdbool.h>

/* Prints an "ok" or a "not ok" line. got is shown if the test fails. */
void result(bool ok, const char *what, const char *input, const char *got);

void test_parsers(void);
void test_spans(void);

#endif
