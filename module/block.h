/* SPDX-License-Identifier: GPL-2.0 */
/* Asking the kernel to take a memory block offline or online. */
#ifndef FO_BLOCK_H
#define FO_BLOCK_H

int fo_block_set_state(unsigned long block, const char *state);

#endif /* FO_BLOCK_H */
