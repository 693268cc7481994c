/* SPDX-License-Identifier: GPL-2.0 */
/* The registered clients, and their callbacks. */
#ifndef FO_CLIENT_H
#define FO_CLIENT_H

#include <linux/list.h>
#include <linux/types.h>

#include "lock.h"
#include "pfn_range.h"

struct fake_offline_ops;
struct module;

/**
 * struct fake_offline_client - an owner of ranges
 * @list: in the list of all clients
 * @name: its name, as shown to users
 * @owner: its module
 * @ops: its callbacks; never NULL
 * @data: passed to them
 * @agreed: to the hotplug operation in progress, so it is told the outcome
 * @aborts: how often fake_offline_abort() was called
 */
struct fake_offline_client {
	struct list_head list;
	const char *name;
	struct module *owner;
	const struct fake_offline_ops *ops;
	void *data;
	bool agreed;
	unsigned int aborts;
};

/* Owns the ranges that a client left while a hotplug operation covered them. */
extern struct fake_offline_client fo_orphans;

enum fo_outcome { FO_DONE, FO_CANCELLED };

struct fake_offline_client *
fo_client_create(const char *name, struct module *owner,
		 const struct fake_offline_ops *ops, void *data);
void fo_client_destroy(struct fake_offline_client *client);

int fo_clients_ask(const struct fo_operation *op);
void fo_clients_tell(const struct fo_operation *op, enum fo_outcome outcome);

void fo_client_unplugged(struct fake_offline_client *client,
			 struct pfn_range pfns);
void fo_clients_tell_hook(bool held);
int fo_clients_init(void);
void fo_clients_flush(void);
void fo_clients_exit(void);

extern struct workqueue_struct *fo_wq;

#endif /* FO_CLIENT_H */
