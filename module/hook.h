/* SPDX-License-Identifier: GPL-2.0 */
/* The online-page hook: whose the slot is, and withholding marked pages. */
#ifndef FO_HOOK_H
#define FO_HOOK_H

#include <linux/types.h>

/**
 * enum fo_hook_state - whose the slot is
 * @FO_HOOK_FREE: the module does not need it
 * @FO_HOOK_HELD: the module's
 * @FO_HOOK_TAKEN: another driver's, and the module needs it
 * @FO_HOOK_LEFT: left to a driver of the hypervisor, and the module needs it
 */
enum fo_hook_state { FO_HOOK_FREE, FO_HOOK_HELD, FO_HOOK_TAKEN, FO_HOOK_LEFT };

int fo_hook_want(bool wait);
void fo_hook_unwant(bool wait);
void fo_hook_update(bool wait);
void fo_hook_ask(void);
enum fo_hook_state fo_hook_state(void);
bool fo_hook_is_changing(void);
void fo_hook_init(void);
void fo_hook_exit(void);
void fo_hook_stop(void);

#endif /* FO_HOOK_H */
