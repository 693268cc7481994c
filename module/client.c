// SPDX-License-Identifier: GPL-2.0
/*
 * The clients: who owns ranges, and telling them what happens to these.
 *
 * Callbacks run in the task that carries out the hotplug operation, which
 * holds mem_hotplug_lock; the news of an unplugged block in a worker, since it
 * may be found out by a client who holds its own locks. clients_lock is held,
 * the gate's lock is not. A client may release ranges from a callback, since the
 * gate lets the flight's own task pass, but nothing that happens there may wait
 * for hotplug: fo_clients_calling() tells.
 */
#include <linux/errno.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include <linux/fake_offline.h>

#include "client.h"
#include "gate.h"
#include "ranges.h"
#include "why.h"

/*
 * Protects the list, and is held around callbacks: holding it guarantees that
 * no client goes away. Order: mem_hotplug_lock -> clients_lock -> fo_gate.
 */
static DEFINE_MUTEX(clients_lock);
static LIST_HEAD(clients);

/**
 * struct unplug_event - news for a client
 * @list: in the list of all news, protected by fo_gate
 * @client: for whom
 * @first: first PFN of the memory that is gone
 * @last: last PFN
 */
struct unplug_event {
	struct list_head list;
	struct fake_offline_client *client;
	unsigned long first;
	unsigned long last;
};

static LIST_HEAD(unplug_events);

/* Who holds clients_lock to call clients. Only compared with current. */
static struct task_struct *calling;

static void begin_calls(void)
{
	mutex_lock(&clients_lock);
	WRITE_ONCE(calling, current);
}

static void end_calls(void)
{
	WRITE_ONCE(calling, NULL);
	mutex_unlock(&clients_lock);
}

/**
 * fo_clients_calling() - is this task in a client's callback?
 *
 * Context: any.
 * Return: whether it is.
 */
bool fo_clients_calling(void)
{
	return READ_ONCE(calling) == current;
}

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

	client = kzalloc(sizeof(*client), GFP_KERNEL);
	if (!client)
		return ERR_PTR(-ENOMEM);
	client->name = kstrdup(name, GFP_KERNEL);
	if (!client->name) {
		kfree(client);
		return ERR_PTR(-ENOMEM);
	}
	if (owner != THIS_MODULE && !try_module_get(THIS_MODULE)) {
		kfree(client->name);
		kfree(client);
		return ERR_PTR(-ENODEV);
	}
	client->owner = owner;
	client->ops = ops;
	client->data = data;

	mutex_lock(&clients_lock);
	list_add_tail(&client->list, &clients);
	mutex_unlock(&clients_lock);
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

	mutex_lock(&clients_lock);
	list_del(&client->list);
	mutex_lock(&fo_gate);
	list_for_each_entry_safe(event, next, &unplug_events, list) {
		if (event->client != client)
			continue;
		list_del(&event->list);
		kfree(event);
	}
	mutex_unlock(&fo_gate);
	mutex_unlock(&clients_lock);

	if (client->owner != THIS_MODULE)
		module_put(THIS_MODULE);
	kfree(client->name);
	kfree(client);
}

static bool has_pages(const struct fake_offline_client *client,
		      unsigned long first, unsigned long last)
{
	bool found = false;
	struct fo_extent e;

	mutex_lock(&fo_gate);
	fo_for_each_extent(e, first, last) {
		/* It has not been given what it is still taking. */
		found = e.range->client == client &&
			!(e.range->flags & FO_RANGE_PENDING);
		if (found)
			break;
	}
	mutex_unlock(&fo_gate);
	return found;
}

/* Asks one client. Records a veto, with the client's own words. */
static int ask(struct fake_offline_client *client, unsigned long first,
	       unsigned long last)
{
	const char *reason = NULL;
	int ret = 0;

	if (client->ops && client->ops->going_offline)
		ret = client->ops->going_offline(client->data, first,
						 last - first + 1, &reason);
	/* To a notifier chain that would mean something else. */
	if (WARN_ON_ONCE(ret > 0))
		ret = -EINVAL;
	if (ret)
		fo_why_set(first, last, -1, ret, "vetoed by %s: %s",
			   client->name, reason ?: "no reason given");
	client->asked = !ret;
	return ret;
}

/**
 * fo_clients_ask() - may memory with their pages go offline?
 * @first: first PFN
 * @last: last PFN
 *
 * Context: MEM_GOING_OFFLINE, not under fo_gate. Inverse: fo_clients_tell() of
 * FO_CANCEL_OFFLINE, also after a veto: others may have agreed before.
 * Return: 0, or the errno of the client that vetoed; the reason is recorded.
 */
int fo_clients_ask(unsigned long first, unsigned long last)
{
	struct fake_offline_client *client;
	int ret = 0;

	begin_calls();
	list_for_each_entry(client, &clients, list) {
		if (has_pages(client, first, last))
			ret = ask(client, first, last);
		if (ret)
			break;
	}
	end_calls();
	return ret;
}

static void tell(struct fake_offline_client *client, enum fo_event event,
		 unsigned long first, unsigned long nr)
{
	const struct fake_offline_ops *ops = client->ops;
	void (*callback)(void *data, unsigned long start_pfn,
			 unsigned long nr_pages) = NULL;

	switch (event) {
	case FO_CANCEL_OFFLINE:
		callback = ops->cancel_offline;
		break;
	case FO_OFFLINE:
		callback = ops->offline;
		break;
	case FO_ONLINE:
		callback = ops->online;
		break;
	}
	if (callback)
		callback(client->data, first, nr);
}

/* Is it for this client? An outcome is told once. */
static bool concerns(struct fake_offline_client *client, enum fo_event event,
		     unsigned long first, unsigned long last)
{
	switch (event) {
	case FO_CANCEL_OFFLINE:
	case FO_OFFLINE:
		return xchg(&client->asked, false);
	default:
		return has_pages(client, first, last);
	}
}

/**
 * fo_clients_tell() - tell clients what became of memory with their pages
 * @event: what
 * @first: first PFN
 * @last: last PFN
 *
 * The outcome of an offlining is told to those who agreed to it, whatever they
 * have released since.
 *
 * Context: a notifier, not under fo_gate.
 */
void fo_clients_tell(enum fo_event event, unsigned long first,
		     unsigned long last)
{
	struct fake_offline_client *client;

	begin_calls();
	list_for_each_entry(client, &clients, list)
		if (concerns(client, event, first, last) && client->ops)
			tell(client, event, first, last - first + 1);
	end_calls();
}

static struct unplug_event *next_unplug_event(void)
{
	struct unplug_event *event;

	mutex_lock(&fo_gate);
	event = list_first_entry_or_null(&unplug_events, struct unplug_event,
					 list);
	if (event)
		list_del(&event->list);
	mutex_unlock(&fo_gate);
	return event;
}

static void tell_unplugged(struct work_struct *unused)
{
	const struct fake_offline_ops *ops;
	struct unplug_event *event;

	begin_calls();
	while ((event = next_unplug_event())) {
		ops = event->client->ops;
		if (ops && ops->unplugged)
			ops->unplugged(event->client->data, event->first,
				       event->last - event->first + 1);
		kfree(event);
	}
	end_calls();
}

static DECLARE_WORK(tell_work, tell_unplugged);

/**
 * fo_client_unplugged() - marks of a client went with their memory block
 * @client: whose
 * @first: first PFN of the block
 * @last: last PFN
 *
 * The client is told later, once for each block.
 *
 * Context: holds fo_gate, may sleep.
 */
void fo_client_unplugged(struct fake_offline_client *client,
			 unsigned long first, unsigned long last)
{
	struct unplug_event *event;

	lockdep_assert_held(&fo_gate);
	list_for_each_entry(event, &unplug_events, list)
		if (event->client == client && event->first == first)
			return;
	event = kmalloc(sizeof(*event), GFP_KERNEL | __GFP_NOFAIL);
	event->client = client;
	event->first = first;
	event->last = last;
	list_add_tail(&event->list, &unplug_events);
	schedule_work(&tell_work);
}

/**
 * fo_clients_finish() - wait until all news are told
 *
 * Context: sleeps, holds nothing; not from a callback.
 */
void fo_clients_finish(void)
{
	flush_work(&tell_work);
}
