// SPDX-License-Identifier: GPL-2.0
/*
 * The registered clients, and their callbacks.
 *
 * Before a hotplug operation, each client with marked pages in the memory is asked,
 * and may veto. Afterwards the clients that agreed are told the outcome. These
 * callbacks run in the task that carries out the operation and holds
 * mem_hotplug_lock. The callbacks "unplugged" and "hook" run in a worker, because the
 * task that detects such an event may hold locks.
 *
 * fo_callbacks_begin() takes callback_lock (lock.c) around callbacks. fo_lock is not
 * held. A client may release ranges from a callback, because fo_lock_ranges() does
 * not wait for a hotplug operation of the calling task.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/errno.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include <linux/fake_offline.h>

#include "client.h"
#include "ranges.h"
#include "reason.h"

static LIST_HEAD(clients);	/* protected by callback_lock */

static const struct fake_offline_ops no_ops;

/* Owns the ranges whose client has gone. It is not in @clients, so it is never asked. */
struct fake_offline_client fo_orphans = { .name = "orphan", .ops = &no_ops };

/* For all work of the module, so that its waits delay no work of others. */
struct workqueue_struct *fo_wq;

/**
 * struct unplug_event - memory with ranges of a client was unplugged
 * @list: in unplug_events, protected by fo_lock
 * @client: the client to tell
 * @pfns: the memory that is gone
 */
struct unplug_event {
	struct list_head list;
	struct fake_offline_client *client;
	struct pfn_range pfns;
};

static LIST_HEAD(unplug_events);

/**
 * fo_client_create() - add a client
 * @name: its name, copied
 * @owner: its module. Unless it is THIS_MODULE, the client keeps this module loaded
 * @ops: its callbacks, or NULL
 * @data: passed to them
 *
 * Context: sleeps. Inverse: fo_client_destroy().
 * Return: the client, or ERR_PTR(): -ENOMEM; -ENODEV if this module is being unloaded.
 */
struct fake_offline_client *
fo_client_create(const char *name, struct module *owner,
		 const struct fake_offline_ops *ops, void *data)
{
	struct fake_offline_client *client;
	int ret = -ENOMEM;

	client = kzalloc(sizeof(*client), GFP_KERNEL);
	if (!client)
		return ERR_PTR(ret);
	client->owner = owner;
	client->ops = ops ?: &no_ops;
	client->data = data;
	client->name = kstrdup(name, GFP_KERNEL);
	if (client->name && owner != THIS_MODULE && !try_module_get(THIS_MODULE))
		ret = -ENODEV;
	else if (client->name)
		ret = 0;
	if (ret) {
		kfree(client->name);
		kfree(client);
		return ERR_PTR(ret);
	}
	fo_callbacks_begin();
	list_add_tail(&client->list, &clients);
	fo_callbacks_end();
	return client;
}

/**
 * fo_client_destroy() - remove a client that has no ranges any more
 * @client: the client
 *
 * Context: sleeps. Inverse: fo_client_create(). When it returns, none of the
 * client's callbacks runs or will run.
 */
void fo_client_destroy(struct fake_offline_client *client)
{
	struct unplug_event *event, *next;

	fo_callbacks_begin();
	list_del(&client->list);
	mutex_lock(&fo_lock);
	list_for_each_entry_safe(event, next, &unplug_events, list) {
		if (event->client != client)
			continue;
		list_del(&event->list);
		kfree(event);
	}
	mutex_unlock(&fo_lock);
	fo_callbacks_end();

	if (client->owner != THIS_MODULE)
		module_put(THIS_MODULE);
	kfree(client->name);
	kfree(client);
}

/* Does the client own marked pages in the memory of the operation? */
static bool has_marks_in(const struct fake_offline_client *client,
			 const struct fo_operation *op)
{
	bool found = false;
	struct fo_range *r;

	mutex_lock(&fo_lock);
	fo_for_each_range(r, op->pfns) {
		found = r->client == client && fo_range_is_marked(r);
		if (found)
			break;
	}
	mutex_unlock(&fo_lock);
	return found;
}

/* Asks one client whether it agrees. If it vetoes, records the reason that it gives. */
static int ask(struct fake_offline_client *client,
	       const struct fo_operation *op)
{
	int (*callback)(void *data, unsigned long start_pfn,
			unsigned long nr_pages, const char **reason);
	const char *reason = NULL;
	int ret = 0;

	callback = op->dir == FO_OFFLINING ? client->ops->going_offline :
					     client->ops->going_online;
	if (callback)
		ret = callback(client->data, op->pfns.first, nr_pfns(op->pfns),
			       &reason);
	/* A notifier chain would read a positive value as NOTIFY_*. */
	if (WARN_ON_ONCE(ret > 0))
		ret = -EINVAL;
	if (ret)
		fo_fail(FO_FAILED_HOTPLUG, FAKE_OFFLINE_REASON_VETOED, op->pfns, -1,
			client->name, ret, "vetoed by %s: %s", client->name,
			reason ?: "no reason given");
	client->agreed = !ret;
	return ret;
}

/**
 * fo_clients_ask() - ask clients whether a hotplug operation may proceed
 * @op: the operation
 *
 * Context: a GOING notifier, not under fo_lock. Inverse: fo_clients_tell().
 * Return: 0, or the errno of the first client that vetoes. fo_clients_tell() then
 * tells the clients that had agreed.
 */
int fo_clients_ask(const struct fo_operation *op)
{
	struct fake_offline_client *client;
	int ret = 0;

	fo_callbacks_begin();
	list_for_each_entry(client, &clients, list) {
		if (has_marks_in(client, op))
			ret = ask(client, op);
		if (ret)
			break;
	}
	fo_callbacks_end();
	return ret;
}

/**
 * fo_clients_tell() - tell clients the outcome of a hotplug operation
 * @op: the operation
 * @outcome: whether it is done, or was rolled back
 *
 * A client that agreed is told even if it has released its ranges since.
 *
 * Context: a notifier, not under fo_lock.
 */
void fo_clients_tell(const struct fo_operation *op, enum fo_outcome outcome)
{
	void (*callback)(void *data, unsigned long start_pfn,
			 unsigned long nr_pages);
	struct fake_offline_client *client;

	fo_callbacks_begin();
	list_for_each_entry(client, &clients, list) {
		const struct fake_offline_ops *ops = client->ops;

		if (!xchg(&client->agreed, false))
			continue;
		if (op->dir == FO_OFFLINING)
			callback = outcome == FO_DONE ? ops->offline :
							ops->cancel_offline;
		else
			callback = outcome == FO_DONE ? ops->online :
							ops->cancel_online;
		if (callback)
			callback(client->data, op->pfns.first,
				 nr_pfns(op->pfns));
	}
	fo_callbacks_end();
}

static struct unplug_event *pop_unplug_event(void)
{
	struct unplug_event *event;

	mutex_lock(&fo_lock);
	event = list_first_entry_or_null(&unplug_events, struct unplug_event,
					 list);
	if (event)
		list_del(&event->list);
	mutex_unlock(&fo_lock);
	return event;
}

static void tell_unplugged(struct work_struct *unused)
{
	struct unplug_event *event;

	fo_callbacks_begin();
	while ((event = pop_unplug_event())) {
		struct fake_offline_client *client = event->client;

		if (client->ops->unplugged)
			client->ops->unplugged(client->data, event->pfns.first,
					       nr_pfns(event->pfns));
		kfree(event);
	}
	fo_callbacks_end();
}

static DECLARE_WORK(unplug_work, tell_unplugged);

/**
 * fo_client_unplugged() - record that a block with ranges of a client was unplugged
 * @client: the client
 * @pfns: the pages of the block
 *
 * A worker tells the client, once for each block. If the record cannot be allocated,
 * the client is not told, and the log says so.
 *
 * Context: holds fo_lock.
 */
void fo_client_unplugged(struct fake_offline_client *client,
			 struct pfn_range pfns)
{
	struct unplug_event *event;

	lockdep_assert_held(&fo_lock);
	list_for_each_entry(event, &unplug_events, list)
		if (event->client == client && event->pfns.first == pfns.first)
			return;
	event = kmalloc(sizeof(*event), GFP_NOWAIT);
	if (!event) {
		pr_warn("out of memory: client %s is not told that PFN %#lx-%#lx were unplugged\n",
			client->name, pfns.first, pfns.last);
		return;
	}
	event->client = client;
	event->pfns = pfns;
	list_add_tail(&event->list, &unplug_events);
	queue_work(fo_wq, &unplug_work);
}

/**
 * fo_clients_tell_hook() - tell clients whether the module holds the online-page hook
 * @held: whether it does
 *
 * Context: a worker, holds nothing.
 */
void fo_clients_tell_hook(bool held)
{
	struct fake_offline_client *client;

	fo_callbacks_begin();
	list_for_each_entry(client, &clients, list)
		if (client->ops->hook)
			client->ops->hook(client->data, held);
	fo_callbacks_end();
}

/** fo_clients_flush() - wait for the callbacks "unplugged"; not from a callback */
void fo_clients_flush(void)
{
	flush_work(&unplug_work);
}

/**
 * fo_clients_init() - allocate the workqueue
 *
 * Context: module init. Inverse: fo_clients_exit().
 * Return: 0, -ENOMEM.
 */
int fo_clients_init(void)
{
	fo_wq = alloc_workqueue("fake_offline", WQ_UNBOUND, 0);
	return fo_wq ? 0 : -ENOMEM;
}

/** fo_clients_exit() - free it; context: module exit, when no client is left */
void fo_clients_exit(void)
{
	destroy_workqueue(fo_wq);
}
