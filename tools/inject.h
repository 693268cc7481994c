/* SPDX-License-Identifier: GPL-2.0 */
/* The failures that the module can inject. */
#ifndef OFFCTL_INJECT_H
#define OFFCTL_INJECT_H

/* Returns NULL, or why the module cannot inject that errno there. */
const char *inject_check(const char *action, const char *point, int error);
/* Names all actions and points in a hint. */
void inject_hint(void);

#endif
