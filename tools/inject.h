/* SPDX-License-Identifier: GPL-2.0 */
/* Failures on purpose: what there is to fail. See cmd_inject.c. */
#ifndef OFFCTL_INJECT_H
#define OFFCTL_INJECT_H

/* NULL, or why it cannot fail there with that errno. */
const char *inject_check(const char *action, const char *point, int error);
/* Names all places, as a hint. */
void inject_hint(void);

#endif
