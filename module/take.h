/* SPDX-License-Identifier: GPL-2.0 */
/* Requests of clients: checked, planned, taken, recorded, and undone. */
#ifndef FO_TAKE_H
#define FO_TAKE_H

struct fake_offline_client;
struct fake_offline_request;

int fo_take(struct fake_offline_client *client,
	    struct fake_offline_request *requests, unsigned int nr);

#endif /* FO_TAKE_H */
