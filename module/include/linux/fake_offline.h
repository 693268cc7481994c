/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fake_offline: take physical pages out of use, and leave the memory block
 * around them free to go offline and to come back.
 *
 * A client (a driver) takes ranges of pages. Each page becomes PageOffline():
 * it has a memmap, and only the client may touch its content. A page that is
 * also *skippable* does not keep its memory block from going offline. When the
 * block comes back, the page stays withheld from the buddy allocator.
 *
 * A range may also lie in memory that is offline or not there yet. Such a range
 * is a record that waits. The core withholds its pages from the buddy allocator
 * when the memory comes online, whatever brings it online.
 *
 * The core keeps what offlining asks of the driver of such pages: it knows them
 * without the memmap, it owns the online-page hook that withholds them, and it
 * serialises marking against memory hotplug.
 *
 * All counts are in pages of PAGE_SIZE bytes, all positions are PFNs. The flags, the
 * states of a range and the reasons of failures are those of <uapi/linux/fake_offline.h>.
 *
 * Memory notifiers. A client may have a memory notifier of its own. A function
 * that would wait for the hotplug operation of the calling task itself returns
 * -EDEADLK instead. The comment of each function says what it does when a
 * notifier, or a callback below, calls it.
 */
#ifndef LINUX_FAKE_OFFLINE_H
#define LINUX_FAKE_OFFLINE_H

#include <linux/numa.h>
#include <linux/types.h>

#include <uapi/linux/fake_offline.h>

struct module;
struct fake_offline_client;

/** define FAKE_OFFLINE_NAME_LEN - longest name of a client, and a NUL */
#define FAKE_OFFLINE_NAME_LEN	FAKE_OFFLINE_OWNER_LEN

/** define FAKE_OFFLINE_ANYWHERE - start of a request: the core chooses the pages */
#define FAKE_OFFLINE_ANYWHERE	(~0UL)

/**
 * struct fake_offline_range - a PFN range
 * @start_pfn: first PFN
 * @nr_pages: number of pages, at least 1
 */
struct fake_offline_range {
	unsigned long start_pfn;
	unsigned long nr_pages;
};

/**
 * struct fake_offline_request - pages that a client wants to take
 * @start_pfn: first PFN, or FAKE_OFFLINE_ANYWHERE
 * @nr_pages: number of pages, at least 1
 * @flags: FAKE_OFFLINE_SKIPPABLE, FAKE_OFFLINE_ONCE, FAKE_OFFLINE_ABSENT; the
 *	last not anywhere
 * @nid: anywhere: the NUMA node, or NUMA_NO_NODE for any
 * @zone: anywhere: an enum zone_type, or FAKE_OFFLINE_ANY_ZONE
 * @got: anywhere: filled in with the ranges that were taken; may be NULL
 * @nr_got: anywhere, with @got: room in @got; then the number of ranges
 */
struct fake_offline_request {
	unsigned long start_pfn;
	unsigned long nr_pages;
	unsigned int flags;
	int nid;
	int zone;
	struct fake_offline_range *got;
	unsigned int nr_got;
};

/**
 * struct fake_offline_info - one marked range
 * @start_pfn: first PFN
 * @nr_pages: number of pages
 * @flags: FAKE_OFFLINE_SKIPPABLE, FAKE_OFFLINE_ABSENT, FAKE_OFFLINE_POISONED
 * @state: what it is worth at the moment
 * @age_s: seconds since it was taken
 * @nid: NUMA node, NUMA_NO_NODE if it is not in force
 * @zone: an enum zone_type, FAKE_OFFLINE_ANY_ZONE if it is not in force
 * @owner: name of the client
 */
struct fake_offline_info {
	unsigned long start_pfn;
	unsigned long nr_pages;
	unsigned int flags;
	enum fake_offline_state state;
	unsigned int age_s;
	int nid;
	int zone;
	char owner[FAKE_OFFLINE_NAME_LEN];
};

/**
 * struct fake_offline_ops - what a client wants to be told, all optional
 * @going_offline: memory with pages of the client is about to go offline.
 *	Returns 0, or a negative errno to veto it. With a veto, @reason may be set
 *	to a string that stays valid, which users will see
 * @cancel_offline: the offlining was rolled back; the pages are as before
 * @offline: the memory is offline; the client's ranges there stay
 * @going_online: memory with ranges of the client is about to come online.
 *	Returns as @going_offline does
 * @cancel_online: the onlining was rolled back
 * @online: the memory is online, and the client's pages there are withheld
 * @unplugged: memory with ranges of the client was removed while it was offline.
 *	These ranges no longer exist, but for those with FAKE_OFFLINE_ABSENT. The
 *	kernel does not announce a removal, so the core finds it out when pages
 *	are taken, when memory comes online in its place, or when a user lists
 *	the ranges
 * @hook: the core cannot have the online-page hook (@held is false), and memory
 *	with ranges cannot come online; or it has it after all (@held is true)
 *
 * @data is the argument of fake_offline_register(). @start_pfn and @nr_pages are
 * the memory that the event is about, most often one memory block. A client
 * whose @going_offline returned 0 is told exactly once of @cancel_offline or
 * @offline, and likewise for @going_online.
 *
 * Context: sleeps. @unplugged and @hook run in a worker, all others in the task
 * that carries out the hotplug operation and holds mem_hotplug_lock. A callback
 * may release pages and list them. It must not register or unregister, nor wait
 * for a task that waits for hotplug. fake_offline_take() and
 * fake_offline_set_skippable() return -EDEADLK to it.
 */
struct fake_offline_ops {
	int (*going_offline)(void *data, unsigned long start_pfn,
			     unsigned long nr_pages, const char **reason);
	void (*cancel_offline)(void *data, unsigned long start_pfn,
			       unsigned long nr_pages);
	void (*offline)(void *data, unsigned long start_pfn,
			unsigned long nr_pages);
	int (*going_online)(void *data, unsigned long start_pfn,
			    unsigned long nr_pages, const char **reason);
	void (*cancel_online)(void *data, unsigned long start_pfn,
			      unsigned long nr_pages);
	void (*online)(void *data, unsigned long start_pfn,
		       unsigned long nr_pages);
	void (*unplugged)(void *data, unsigned long start_pfn,
			  unsigned long nr_pages);
	void (*hook)(void *data, bool held);
};

struct fake_offline_client *
fake_offline_register(const char *name, struct module *owner,
		      const struct fake_offline_ops *ops, void *data);
void fake_offline_unregister(struct fake_offline_client *client);

int fake_offline_take(struct fake_offline_client *client,
		      struct fake_offline_request *requests,
		      unsigned int nr_requests);
void fake_offline_abort(struct fake_offline_client *client);
int fake_offline_release(struct fake_offline_client *client,
			 const struct fake_offline_range *ranges,
			 unsigned int nr_ranges);
int fake_offline_release_nowait(struct fake_offline_client *client,
				unsigned long start_pfn,
				unsigned long nr_pages);
int fake_offline_release_all(struct fake_offline_client *client);
int fake_offline_set_skippable(struct fake_offline_client *client,
			       unsigned long start_pfn, unsigned long nr_pages,
			       bool skippable);
bool fake_offline_owns(const struct fake_offline_client *client,
		       unsigned long pfn);
bool fake_offline_next(const struct fake_offline_client *client,
		       unsigned long pfn, struct fake_offline_info *info);

#endif /* LINUX_FAKE_OFFLINE_H */
