/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fake_offline: take physical pages out of use, and leave the memory block
 * around them free to go offline and to come back.
 *
 * A client (a driver) takes ranges of pages. Each page becomes PageOffline():
 * it has a memmap, and nobody but the client may touch its content. A page
 * that is also *skippable* does not keep its memory block from going offline;
 * when the block comes back, the page stays withheld from the buddy allocator.
 *
 * The core keeps what offlining code asks of the driver of such pages: it
 * knows them without the memmap, it owns the online-page hook that withholds
 * them, and it serialises marking against memory on- and offlining.
 *
 * All counts are in pages of PAGE_SIZE bytes, all positions are PFNs.
 */
#ifndef LINUX_FAKE_OFFLINE_H
#define LINUX_FAKE_OFFLINE_H

#include <linux/bits.h>
#include <linux/numa.h>
#include <linux/types.h>

struct module;
struct fake_offline_client;

/** define FAKE_OFFLINE_SKIPPABLE - offlining may skip these pages */
#define FAKE_OFFLINE_SKIPPABLE	BIT(0)
/** define FAKE_OFFLINE_CANARY - fill the pages with a pattern, to be verified */
#define FAKE_OFFLINE_CANARY	BIT(1)
#define FAKE_OFFLINE_FLAGS	(FAKE_OFFLINE_SKIPPABLE | FAKE_OFFLINE_CANARY)

/**
 * define FAKE_OFFLINE_THROUGH - take them through an offline and online of their
 * memory blocks, and in no other way; not with FAKE_OFFLINE_ANYWHERE
 */
#define FAKE_OFFLINE_THROUGH	BIT(2)
/** define FAKE_OFFLINE_ALLOCATE - allocate them, and take no block offline */
#define FAKE_OFFLINE_ALLOCATE	BIT(3)
/** define FAKE_OFFLINE_WAYS - how to take pages; with none, what is cheaper */
#define FAKE_OFFLINE_WAYS	(FAKE_OFFLINE_THROUGH | FAKE_OFFLINE_ALLOCATE)

/** define FAKE_OFFLINE_NAME_LEN - longest name of a client, and a NUL */
#define FAKE_OFFLINE_NAME_LEN	32

/** define FAKE_OFFLINE_ANYWHERE - a request's start: choose the pages for me */
#define FAKE_OFFLINE_ANYWHERE	(~0UL)

/**
 * struct fake_offline_request - pages that a client wants to take
 * @start_pfn: first PFN, or FAKE_OFFLINE_ANYWHERE
 * @nr_pages: number of pages, at least 1
 * @flags: FAKE_OFFLINE_SKIPPABLE, FAKE_OFFLINE_CANARY, and at most one of
 *	FAKE_OFFLINE_THROUGH, FAKE_OFFLINE_ALLOCATE
 * @nid: anywhere: the NUMA node, or NUMA_NO_NODE for any
 * @zone: anywhere: name of the zone as /proc/zoneinfo has it, case ignored, or
 *	NULL for any zone but DMA
 */
struct fake_offline_request {
	unsigned long start_pfn;
	unsigned long nr_pages;
	unsigned int flags;
	int nid;
	const char *zone;
};

/**
 * struct fake_offline_info - one marked range
 * @start_pfn: first PFN
 * @nr_pages: number of pages
 * @flags: FAKE_OFFLINE_SKIPPABLE, FAKE_OFFLINE_CANARY
 * @age_s: seconds since it was taken
 * @nid: NUMA node of the first page, NUMA_NO_NODE when its block is offline
 * @zone: name of the zone of the first page, NULL when its block is offline
 * @owner: name of the client
 * @client: the client
 */
struct fake_offline_info {
	unsigned long start_pfn;
	unsigned long nr_pages;
	unsigned int flags;
	unsigned int age_s;
	int nid;
	const char *zone;
	char owner[FAKE_OFFLINE_NAME_LEN];
	const struct fake_offline_client *client;
};

/**
 * struct fake_offline_counts - what fake_offline_verify() found
 * @ranges: marked ranges
 * @pages: marked pages
 * @block_offline: of these, pages in memory blocks that are offline
 * @page_offline: pages that are PageOffline, in online blocks
 * @skippable: pages that have the skippable bit, in online blocks
 * @skippable_expected: pages that should have it, in online blocks
 * @buddy: pages in the buddy allocator: a leak
 * @wrong_count: pages with an unexpected reference count
 * @canary: pages whose canary was checked
 * @canary_broken: pages whose canary is not intact
 * @first_bad_pfn: lowest PFN that failed a check, -1 if none did
 */
struct fake_offline_counts {
	unsigned long ranges;
	unsigned long pages;
	unsigned long block_offline;
	unsigned long page_offline;
	unsigned long skippable;
	unsigned long skippable_expected;
	unsigned long buddy;
	unsigned long wrong_count;
	unsigned long canary;
	unsigned long canary_broken;
	long first_bad_pfn;
};

/**
 * struct fake_offline_ops - what a client wants to be told, all optional
 * @going_offline: memory with pages of the client is about to go offline.
 *	Returns 0, or a negative errno to veto it; then @reason may be set to a
 *	string that stays valid, which ends up in the kernel log and in offctl
 * @cancel_offline: it was rolled back; the pages are as before
 * @offline: it is offline; the client's skippable pages there stay marked
 * @online: it is online again, with the client's pages withheld
 * @unplugged: memory with pages of the client was removed while it was offline;
 *	these pages are marked no longer. The kernel does not announce it: it is
 *	found out when pages are taken, when memory comes online in its place,
 *	or when somebody reads the module's debugfs files
 *
 * @data is what was given to fake_offline_register(); the rest is the memory it
 * is about, most often one memory block. Whose @going_offline returned 0 is told
 * @cancel_offline or @offline, exactly once. A client that takes pages through an
 * offline and online of their block is asked and told about other pages that it
 * has there, by the task that takes; not about these before it has them.
 *
 * Context: sleeps, in the task that carries out the hotplug operation and holds
 * mem_hotplug_lock; @unplugged in a worker, when it is found out. A callback may
 * release pages and look at them; it must not register or unregister, nor wait
 * for somebody who waits for hotplug. Taking pages and changing the skippable
 * bit return -EDEADLK.
 */
struct fake_offline_ops {
	int (*going_offline)(void *data, unsigned long start_pfn,
			     unsigned long nr_pages, const char **reason);
	void (*cancel_offline)(void *data, unsigned long start_pfn,
			       unsigned long nr_pages);
	void (*offline)(void *data, unsigned long start_pfn,
			unsigned long nr_pages);
	void (*online)(void *data, unsigned long start_pfn,
		       unsigned long nr_pages);
	void (*unplugged)(void *data, unsigned long start_pfn,
			  unsigned long nr_pages);
};

struct fake_offline_client *
fake_offline_register(const char *name, struct module *owner,
		      const struct fake_offline_ops *ops, void *data);
void fake_offline_unregister(struct fake_offline_client *client);

int fake_offline_take(struct fake_offline_client *client,
		      const struct fake_offline_request *requests,
		      unsigned int nr_requests);
int fake_offline_release(struct fake_offline_client *client,
			 unsigned long start_pfn, unsigned long nr_pages);
int fake_offline_release_all(struct fake_offline_client *client);
int fake_offline_may_release(struct fake_offline_client *client,
			     unsigned long start_pfn, unsigned long nr_pages);
int fake_offline_prepare_release(struct fake_offline_client *client,
				 unsigned long start_pfn,
				 unsigned long nr_pages);
int fake_offline_set_skippable(struct fake_offline_client *client,
			       unsigned long start_pfn, unsigned long nr_pages,
			       bool skippable);
const struct fake_offline_client *fake_offline_owner(unsigned long pfn);
bool fake_offline_next(const struct fake_offline_client *client,
		       unsigned long pfn, struct fake_offline_info *info);
int fake_offline_verify(const struct fake_offline_client *client,
			unsigned long start_pfn, unsigned long nr_pages,
			struct fake_offline_counts *counts);

#endif /* LINUX_FAKE_OFFLINE_H */
