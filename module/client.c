// SPDX-License-Identifier: GPL-2.0
/*
 * The clients: who owns ranges, and telling them what happens to these.
 *
 * Most callbacks run in the task that carries out the hotplug operation, which
 * holds mem_hotplug_lock. News of an unplugged block and of the hook run in a
 * worker, because the task that finds it out may hold locks of its own. callback_lock
 * is held around callbacks, fo_lock is not. A client may release ranges from a
 * callback, because fo_lock_ranges() lets the operation's own task pass.
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

static LIST_HEAD(clients);	/* fo_callbacks_begin() protects it */

static const struct fake_offline_ops no_ops;

struct fake_offline_client fo_orphans = { .name = "orphan", .ops = &no_ops };

/* The module's own workers: no shared workqueue waits for them. */
struct workqueue_struct *fo_wq;

/**
 * struct unplug_event - news for a client
 * @list: in the list of all news, protected by fo_lock
 * @client: for whom
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
 * @owner: its module; another module's client keeps this one loaded
 * @ops: its callbacks, or NULL
 * @data: passed to them
 *
 * Context: sleeps. Inverse: fo_client_destroy().
 * Return: the client, or ERR_PTR(): -ENOMEM, -ENODEV.
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

static bool has_pages(const struct fake_offline_client *client,
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

/* Asks one client. Records a veto, with the client's own words. */
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
	/* To a notifier chain that would mean something else. */
	if (WARN_ON_ONCE(ret > 0))
		ret = -EINVAL;
	if (ret)
		fo_fail(FO_FAILED_HOTPLUG, FO_VETOED, op->pfns, -1,
			client->name, ret, "vetoed by %s: %s", client->name,
			reason ?: "no reason given");
	client->asked = !ret;
	return ret;
}

/**
 * fo_clients_ask() - may memory with their pages go offline, or come online?
 * @op: the operation
 *
 * Context: a GOING notifier, not under fo_lock. Inverse: fo_clients_tell().
 * Return: 0, or the errno of the first client that vetoes. The clients that have
 * agreed before it are told of the cancellation.
 */
int fo_clients_ask(const struct fo_operation *op)
{
	struct fake_offline_client *client;
	int ret = 0;

	fo_callbacks_begin();
	list_for_each_entry(client, &clients, list) {
		if (has_pages(client, op))
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
 * @outcome: it is done, or was rolled back
 *
 * A client that agreed to it is told, whatever it has released since.
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

		if (!xchg(&client->asked, false))
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

static struct unplug_event *next_unplug_event(void)
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
	while ((event = next_unplug_event())) {
		struct fake_offline_client *client = event->client;

		if (client->ops->unplugged)
			client->ops->unplugged(client->data, event->pfns.first,
					       nr_pfns(event->pfns));
		kfree(event);
	}
	fo_callbacks_end();
}

static DECLARE_WORK(tell_work, tell_unplugged);

/**
 * fo_client_unplugged() - ranges of a client went with their memory block
 * @client: whose
 * @pfns: of the block
 *
 * The client is told later, once for each block. Without memory for it, the client
 * is not told, and the log says so.
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
		pr_warn("no memory to tell %s that PFN %#lx-%#lx are unplugged\n",
			client->name, pfns.first, pfns.last);
		return;
	}
	event->client = client;
	event->pfns = pfns;
	list_add_tail(&event->list, &unplug_events);
	queue_work(fo_wq, &tell_work);
}

/**
 * fo_clients_tell_hook() - the online-page hook cannot be had, or is held after all
 * @held: which
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

/** fo_clients_flush() - wait until all news are told; not from a callback */
void fo_clients_flush(void)
{
	flush_work(&tell_work);
}

/** fo_clients_init() - module init; 0, -ENOMEM; inverse: fo_clients_exit() */
int fo_clients_init(void)
{
	fo_wq = alloc_workqueue("fake_offline", WQ_UNBOUND, 0);
	return fo_wq ? 0 : -ENOMEM;
}

/** fo_clients_exit() - module exit, no other module is a client */
void fo_clients_exit(void)
{
	destroy_workqueue(fo_wq);
}
