// SPDX-License-Identifier: GPL-2.0
/* The unit tests. Prints "ok" and "not ok" lines. */
#include "unit.h"

#include <stdio.h>

static int failed;

void result(bool ok, const char *what, const char *input, const char *got)
{
	printf("%s unit: %s '", ok ? "ok" : "not ok", what);
	for (; *input; input++)
		if (*input < ' ' || *input == 127)
			printf("\\x%02x", (unsigned char)*input);
		else
			putchar(*input);
	printf("'\n");
	if (!ok) {
		printf("# got: %s\n", got);
		failed = 1;
	}
}

int main(void)
{
	test_parsers();
	test_spans();
	return failed;
}
