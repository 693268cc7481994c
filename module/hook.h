/* SPDX-License-Identifier: GPL-2.0 */
/* The online-page hook: whose the slot is, and withholding marked pages. */
#ifndef FO_HOOK_H
#define FO_HOOK_H

#include <linux/types.h>

enum fo_hook_state { FO_HOOK_FREE, FO_HOOK_HELD, FO_HOOK_TAKEN };

int fo_hook_want(void);
void fo_hook_unwant(void);
void fo_hook_update(void);
void fo_hook_ask(void);
void fo_hook_finish(void);
enum fo_hook_state fo_hook_state(void);
void fo_hook_wait_for_hotplug(void);

#endif /* FO_HOOK_H */
