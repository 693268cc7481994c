/* SPDX-License-Identifier: GPL-2.0 */
/* The clients: who owns ranges, and telling them what happens to these. */
#ifndef FO_CLIENT_H
#define FO_CLIENT_H

#include <linux/list.h>
#include <linux/types.h>

struct fake_offline_ops;
struct module;

/**
 * struct fake_offline_client - an owner of ranges
 * @list: in the list of all clients
 * @name: its name, as shown to users
 * @owner: its module
 * @ops: its callbacks, or NULL
 * @data: passed to them
 * @asked: it agreed to an offlining in flight, and is to be told the outcome
 */
struct fake_offline_client {
	struct list_head list;
	const char *name;
	struct module *owner;
	const struct fake_offline_ops *ops;
	void *data;
	bool asked;
};

enum fo_event { FO_CANCEL_OFFLINE, FO_OFFLINE, FO_ONLINE };

struct fake_offline_client *
fo_client_create(const char *name, struct module *owner,
		 const struct fake_offline_ops *ops, void *data);
void fo_client_destroy(struct fake_offline_client *client);

int fo_clients_ask(unsigned long first, unsigned long last);
bool fo_clients_calling(void);
void fo_clients_tell(enum fo_event event, unsigned long first,
		     unsigned long last);

void fo_client_unplugged(struct fake_offline_client *client,
			 unsigned long first, unsigned long last);
void fo_clients_finish(void);

#endif /* FO_CLIENT_H */
