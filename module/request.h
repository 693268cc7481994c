/* SPDX-License-Identifier: GPL-2.0 */
/* Requests of clients. */
#ifndef FO_REQUEST_H
#define FO_REQUEST_H

struct fake_offline_client;
struct fake_offline_request;

int fo_take(struct fake_offline_client *client,
	    struct fake_offline_request *requests, unsigned int nr,
	    unsigned int *failed);

#endif /* FO_REQUEST_H */
