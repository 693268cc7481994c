/* SPDX-License-Identifier: GPL-2.0 */
/* Taking pages by allocating them: one range, or several at once. */
#ifndef FO_ALLOCATE_H
#define FO_ALLOCATE_H

#include <linux/types.h>

#include "gate.h"

struct fake_offline_client;
struct fake_offline_request;
struct fo_piece;

unsigned int fo_allocate_near(const struct fake_offline_request *requests,
			      unsigned int nr);
int fo_allocate(struct fake_offline_client *client, struct fo_piece *pieces,
		unsigned int *nr, enum fo_wait wait, bool *valid);

#endif /* FO_ALLOCATE_H */
