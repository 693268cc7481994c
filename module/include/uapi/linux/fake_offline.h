/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/fake_offline: take physical pages out of use.
 *
 * The device does what the module's API does for other modules: it takes PFN ranges,
 * gives them back, lists and checks them. docs/ABI/dev-fake_offline describes it.
 *
 * Every structure of an ioctl begins with its size in bytes, which the caller sets to
 * sizeof() of the structure that it knows. A structure may grow at its end. The module
 * takes a field that the caller does not know for 0, and does not fill it in. A field that
 * the module does not know must be 0, otherwise the ioctl fails with E2BIG.
 *
 * Flags that the module does not know, and reserved fields that are not 0, are refused with
 * EINVAL. Positions are PFNs, and counts are in pages, unless a field says otherwise.
 * Pointers are __u64, so 32-bit programs pass the same structures.
 *
 * An ioctl that fails has changed nothing, unless its description says otherwise.
 */
#ifndef _UAPI_LINUX_FAKE_OFFLINE_H
#define _UAPI_LINUX_FAKE_OFFLINE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/** define FAKE_OFFLINE_ABI - version of this header: FAKE_OFFLINE_IOCTL_INFO reports it */
#define FAKE_OFFLINE_ABI	1

/** define FAKE_OFFLINE_OWNER_LEN - longest name of an owner, and a NUL */
#define FAKE_OFFLINE_OWNER_LEN	32
/** define FAKE_OFFLINE_TEXT_LEN - longest reason in words, and a NUL */
#define FAKE_OFFLINE_TEXT_LEN	192

/** define FAKE_OFFLINE_NO_PFN - a field names no page */
#define FAKE_OFFLINE_NO_PFN	(~0ULL)

/* ---- flags of marked pages */

/** define FAKE_OFFLINE_SKIPPABLE - offlining may skip these pages */
#define FAKE_OFFLINE_SKIPPABLE	(1U << 0)
/** define FAKE_OFFLINE_CANARY - fill the pages with a pattern, to be verified */
#define FAKE_OFFLINE_CANARY	(1U << 1)
/**
 * define FAKE_OFFLINE_ABSENT - the range is a place
 *
 * It may lie where no memory exists yet, if memory can be plugged there. It stays
 * with the place when its memory is unplugged. Without this flag a range needs
 * memory that exists, online or offline, and goes with it.
 */
#define FAKE_OFFLINE_ABSENT	(1U << 2)
/** define FAKE_OFFLINE_POISONED - a hardware-poisoned page; only in a listing */
#define FAKE_OFFLINE_POISONED	(1U << 3)
/**
 * define FAKE_OFFLINE_ONCE - try once, wait for nothing
 *
 * A request that would wait for another task or for a hotplug operation, or would
 * try again, fails with EAGAIN or EBUSY.
 */
#define FAKE_OFFLINE_ONCE	(1U << 4)

/** define FAKE_OFFLINE_ANY_ZONE - zone of a request: any but ZONE_DMA */
#define FAKE_OFFLINE_ANY_ZONE	(-1)
/** define FAKE_OFFLINE_ANY_NODE - node of a request: any */
#define FAKE_OFFLINE_ANY_NODE	(-1)

/**
 * enum fake_offline_state - what a range is worth at the moment
 * @FAKE_OFFLINE_IN_FORCE: its memory is online, and its pages are out of use
 * @FAKE_OFFLINE_WAITING: its memory is offline or absent; the pages will be
 *	withheld when it comes online
 * @FAKE_OFFLINE_NOT_IN_FORCE: memory has come to its place that never passes the
 *	online-page hook, such as ZONE_DEVICE memory
 */
enum fake_offline_state {
	FAKE_OFFLINE_IN_FORCE,
	FAKE_OFFLINE_WAITING,
	FAKE_OFFLINE_NOT_IN_FORCE,
};

/**
 * enum fake_offline_reason - why a request or a hotplug operation failed
 * @FAKE_OFFLINE_REASON_NONE: the errno says all
 * @FAKE_OFFLINE_REASON_MARKED: a page is marked already
 * @FAKE_OFFLINE_REASON_NO_MEMORY: no RAM there
 * @FAKE_OFFLINE_REASON_DEVICE_MEMORY: memory of a device, which is never online
 * @FAKE_OFFLINE_REASON_NOT_PLUGGABLE: no RAM there, and none can be plugged
 * @FAKE_OFFLINE_REASON_KERNEL_MEMORY: the kernel uses the page itself
 * @FAKE_OFFLINE_REASON_NEIGHBOUR: the kernel uses a page of the same page block
 * @FAKE_OFFLINE_REASON_PINNED: a movable page is pinned
 * @FAKE_OFFLINE_REASON_IN_USE: a movable page could not be migrated now
 * @FAKE_OFFLINE_REASON_TRANSIENT: it was in use for a moment, and is free now
 * @FAKE_OFFLINE_REASON_ISOLATED: its page block is isolated
 * @FAKE_OFFLINE_REASON_STRAY: another task holds a reference
 * @FAKE_OFFLINE_REASON_FLOOR: a zone would be left with too little
 * @FAKE_OFFLINE_REASON_RESERVE: the machine would be: parameter reserve_mib
 * @FAKE_OFFLINE_REASON_NOT_FOUND: anywhere: not that many pages
 * @FAKE_OFFLINE_REASON_NO_ZONE: anywhere: no such node or zone
 * @FAKE_OFFLINE_REASON_NOT_MARKED: a page is not marked
 * @FAKE_OFFLINE_REASON_NOT_OWNER: a page is another owner's
 * @FAKE_OFFLINE_REASON_VETOED: an owner or another notifier vetoed
 * @FAKE_OFFLINE_REASON_INJECTED: it failed on demand
 * @FAKE_OFFLINE_REASON_INTERRUPTED: a signal ended it
 * @FAKE_OFFLINE_REASON_UNSKIPPABLE: a PageOffline page that is not skippable
 * @FAKE_OFFLINE_REASON_UNMOVABLE: a page cannot move
 * @FAKE_OFFLINE_REASON_NO_HOOK: the module does not have the online-page hook
 * @FAKE_OFFLINE_REASON_OWN_MEMMAP: a mark lies in the block's own memmap
 * @FAKE_OFFLINE_REASON_UNLOADING: the module is being unloaded
 * @FAKE_OFFLINE_REASON_HOOK_CHANGES: the module is changing the hook slot
 * @FAKE_OFFLINE_REASON_KERNEL_REFUSED: for a reason that only the kernel knows
 * @FAKE_OFFLINE_NR_REASONS: the number of reasons that this header knows
 */
enum fake_offline_reason {
	FAKE_OFFLINE_REASON_NONE,
	/* a mark */
	FAKE_OFFLINE_REASON_MARKED,
	FAKE_OFFLINE_REASON_NO_MEMORY,
	FAKE_OFFLINE_REASON_DEVICE_MEMORY,
	FAKE_OFFLINE_REASON_NOT_PLUGGABLE,
	FAKE_OFFLINE_REASON_KERNEL_MEMORY,
	FAKE_OFFLINE_REASON_NEIGHBOUR,
	FAKE_OFFLINE_REASON_PINNED,
	FAKE_OFFLINE_REASON_IN_USE,
	FAKE_OFFLINE_REASON_TRANSIENT,
	FAKE_OFFLINE_REASON_ISOLATED,
	FAKE_OFFLINE_REASON_STRAY,
	FAKE_OFFLINE_REASON_FLOOR,
	FAKE_OFFLINE_REASON_RESERVE,
	FAKE_OFFLINE_REASON_NOT_FOUND,
	FAKE_OFFLINE_REASON_NO_ZONE,
	/* a release */
	FAKE_OFFLINE_REASON_NOT_MARKED,
	FAKE_OFFLINE_REASON_NOT_OWNER,
	/* a hotplug operation */
	FAKE_OFFLINE_REASON_VETOED,
	FAKE_OFFLINE_REASON_INJECTED,
	FAKE_OFFLINE_REASON_INTERRUPTED,
	FAKE_OFFLINE_REASON_UNSKIPPABLE,
	FAKE_OFFLINE_REASON_UNMOVABLE,
	FAKE_OFFLINE_REASON_NO_HOOK,
	FAKE_OFFLINE_REASON_OWN_MEMMAP,
	FAKE_OFFLINE_REASON_UNLOADING,
	FAKE_OFFLINE_REASON_HOOK_CHANGES,
	FAKE_OFFLINE_REASON_KERNEL_REFUSED,
	FAKE_OFFLINE_NR_REASONS
};

/**
 * struct fake_offline_failure - why an ioctl failed
 * @size: of this structure, set by the caller
 * @error: the negative errno
 * @reason: enum fake_offline_reason
 * @request: index of the request or range that failed
 * @start_pfn: the memory that the failure is about
 * @nr_pages: its size; 0 if no memory can be named
 * @pfn: the page that was in the way, or FAKE_OFFLINE_NO_PFN
 * @owner: the owner of that page, or an empty string
 * @text: the reason in words, without a newline; may be empty
 *
 * An ioctl fills in the structure to which its field "failure" points, if it fails after
 * its arguments were read. The pointer may be 0.
 */
struct fake_offline_failure {
	__u32 size;
	__s32 error;
	__u32 reason;
	__u32 request;
	__aligned_u64 start_pfn;
	__aligned_u64 nr_pages;
	__aligned_u64 pfn;
	char owner[FAKE_OFFLINE_OWNER_LEN];
	char text[FAKE_OFFLINE_TEXT_LEN];
};

/**
 * enum fake_offline_hook - whose the slot of the online-page hook is
 * @FAKE_OFFLINE_HOOK_FREE: the module does not need it
 * @FAKE_OFFLINE_HOOK_HELD: the module's
 * @FAKE_OFFLINE_HOOK_TAKEN: another driver's, and the module needs it
 * @FAKE_OFFLINE_HOOK_LEFT: left to a driver of the hypervisor, and the module needs it
 */
enum fake_offline_hook {
	FAKE_OFFLINE_HOOK_FREE,
	FAKE_OFFLINE_HOOK_HELD,
	FAKE_OFFLINE_HOOK_TAKEN,
	FAKE_OFFLINE_HOOK_LEFT,
};

/**
 * struct fake_offline_info_args - FAKE_OFFLINE_IOCTL_INFO: what the module is and can do
 * @size: of this structure, set by the caller
 * @flags: 0
 * @abi: filled in: FAKE_OFFLINE_ABI of the module
 * @hook: filled in: enum fake_offline_hook
 * @page_bytes: filled in: size of a page in bytes
 * @max_requests: filled in: most requests, or ranges, in one call
 * @block_pages: filled in: pages of a memory block
 * @reserve_mib: filled in: the parameter reserve_mib, in MiB
 * @version: filled in: version of the module
 * @skip: filled in: the way of skipping: frozen, notifier or native
 */
struct fake_offline_info_args {
	__u32 size;
	__u32 flags;
	__u32 abi;
	__u32 hook;
	__u32 page_bytes;
	__u32 max_requests;
	__aligned_u64 block_pages;
	__aligned_u64 reserve_mib;
	char version[32];
	char skip[16];
};

/**
 * struct fake_offline_pages - a PFN range
 * @start_pfn: first PFN
 * @nr_pages: number of pages, at least 1
 */
struct fake_offline_pages {
	__aligned_u64 start_pfn;
	__aligned_u64 nr_pages;
};

/**
 * struct fake_offline_take_request - pages to take out of use
 * @start_pfn: first PFN, or FAKE_OFFLINE_NO_PFN: the module chooses the pages
 * @nr_pages: number of pages, at least 1
 * @flags: FAKE_OFFLINE_SKIPPABLE, _CANARY, _ABSENT, _ONCE; _ABSENT only with a PFN
 * @nid: without a PFN: the NUMA node, or FAKE_OFFLINE_ANY_NODE
 * @zone: without a PFN: the number of the zone on its node, in the order of
 *	/proc/zoneinfo, or FAKE_OFFLINE_ANY_ZONE
 * @nr_got: without a PFN: room at @got, in ranges; then the number of ranges
 * @got: without a PFN: filled in: pointer to struct fake_offline_pages, the ranges that
 *	were taken
 */
struct fake_offline_take_request {
	__aligned_u64 start_pfn;
	__aligned_u64 nr_pages;
	__u32 flags;
	__s32 nid;
	__s32 zone;
	__u32 nr_got;
	__aligned_u64 got;
};

/**
 * struct fake_offline_take_args - FAKE_OFFLINE_IOCTL_TAKE: take all of these pages, or none
 * @size: of this structure, set by the caller
 * @flags: 0
 * @requests: pointer to struct fake_offline_take_request
 * @nr_requests: number of them
 * @request_size: sizeof(struct fake_offline_take_request)
 * @failure: pointer to struct fake_offline_failure, or 0
 *
 * The pages belong to the session of the descriptor. Without a session they are marks
 * that stay: the owner is "admin", and they stay after the descriptor is closed.
 *
 * Errors: those of fake_offline_take(); E2BIG for too many requests; EFAULT.
 */
struct fake_offline_take_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 requests;
	__u32 nr_requests;
	__u32 request_size;
	__aligned_u64 failure;
};

/** define FAKE_OFFLINE_RELEASE_ALL - all pages of the owner, and no ranges */
#define FAKE_OFFLINE_RELEASE_ALL	(1U << 0)

/**
 * struct fake_offline_release_args - FAKE_OFFLINE_IOCTL_RELEASE: give back pages
 * @size: of this structure, set by the caller
 * @flags: FAKE_OFFLINE_RELEASE_ALL
 * @ranges: pointer to struct fake_offline_pages, in any order
 * @nr_ranges: number of them
 * @reserved: 0
 * @failure: pointer to struct fake_offline_failure, or 0
 *
 * All ranges are given back, or none. With FAKE_OFFLINE_RELEASE_ALL, some pages may still
 * be marked after an error.
 *
 * Errors: those of fake_offline_release(), which are ENOENT if a page is not marked and
 * EPERM if it is another owner's; E2BIG for too many ranges; EFAULT.
 */
struct fake_offline_release_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 ranges;
	__u32 nr_ranges;
	__u32 reserved;
	__aligned_u64 failure;
};

/**
 * struct fake_offline_skippable_args - FAKE_OFFLINE_IOCTL_SKIPPABLE: may offlining skip
 *	pages?
 * @size: of this structure, set by the caller
 * @flags: FAKE_OFFLINE_SKIPPABLE, or 0
 * @start_pfn: first PFN
 * @nr_pages: number of pages; part of a range, or several adjacent ones
 * @failure: pointer to struct fake_offline_failure, or 0
 *
 * Errors: those of fake_offline_set_skippable(); EFAULT.
 */
struct fake_offline_skippable_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 start_pfn;
	__aligned_u64 nr_pages;
	__aligned_u64 failure;
};

/**
 * struct fake_offline_listed - a marked range, as FAKE_OFFLINE_IOCTL_LIST reports it
 * @start_pfn: first PFN
 * @nr_pages: number of pages
 * @flags: FAKE_OFFLINE_SKIPPABLE, _CANARY, _ABSENT, _POISONED
 * @state: enum fake_offline_state
 * @age_s: seconds since it was taken
 * @nid: NUMA node, -1 if the range is not in force
 * @zone: number of the zone on its node, -1 if the range is not in force
 * @reserved: 0
 * @owner: name of the owner
 */
struct fake_offline_listed {
	__aligned_u64 start_pfn;
	__aligned_u64 nr_pages;
	__u32 flags;
	__u32 state;
	__u32 age_s;
	__s32 nid;
	__s32 zone;
	__u32 reserved;
	char owner[FAKE_OFFLINE_OWNER_LEN];
};

/** define FAKE_OFFLINE_LIST_OWN - only ranges that this descriptor can release */
#define FAKE_OFFLINE_LIST_OWN	(1U << 0)

/**
 * struct fake_offline_list_args - FAKE_OFFLINE_IOCTL_LIST: list marked ranges, a batch
 * @size: of this structure, set by the caller
 * @flags: FAKE_OFFLINE_LIST_OWN
 * @cursor: PFN at which to begin; then the one at which to continue
 * @ranges: pointer to struct fake_offline_listed, filled in, ascending
 * @nr_ranges: room at @ranges, in ranges; then the number of ranges
 * @range_size: sizeof(struct fake_offline_listed)
 *
 * To list all ranges, begin with @cursor 0, and call until @nr_ranges is 0. Ranges may
 * change between two calls.
 *
 * Errors: EINTR, with what was listed so far in place if that is not nothing; EFAULT.
 */
struct fake_offline_list_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 cursor;
	__aligned_u64 ranges;
	__u32 nr_ranges;
	__u32 range_size;
};

/**
 * struct fake_offline_verify_args - FAKE_OFFLINE_IOCTL_VERIFY: check marked pages
 * @size: of this structure, set by the caller
 * @flags: FAKE_OFFLINE_LIST_OWN
 * @start_pfn: first PFN
 * @nr_pages: number of pages; ~0 for all from @start_pfn on
 * @ranges: filled in: marked ranges
 * @pages: filled in: marked pages
 * @block_offline: filled in: of these, pages in memory that is offline or absent
 * @page_offline: filled in: pages that are PageOffline, or that the kernel had retired
 *	before they were marked, in online memory
 * @poisoned: filled in: pages that are hardware-poisoned, in online memory
 * @skippable: filled in: pages that have the skippable bit, in online memory
 * @skippable_expected: filled in: pages that should have it, in online memory
 * @buddy: filled in: pages in the buddy allocator: a leak
 * @wrong_count: filled in: pages with an unexpected reference count
 * @canary: filled in: pages whose canary was checked
 * @canary_broken: filled in: pages whose canary is not intact
 * @canary_unchecked: filled in: pages whose canary is not checked while the machine
 *	hibernates
 * @first_bad_pfn: filled in: lowest PFN that failed a check, or FAKE_OFFLINE_NO_PFN
 *
 * Errors: EINVAL for no pages; EINTR.
 */
struct fake_offline_verify_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 start_pfn;
	__aligned_u64 nr_pages;
	__aligned_u64 ranges;
	__aligned_u64 pages;
	__aligned_u64 block_offline;
	__aligned_u64 page_offline;
	__aligned_u64 poisoned;
	__aligned_u64 skippable;
	__aligned_u64 skippable_expected;
	__aligned_u64 buddy;
	__aligned_u64 wrong_count;
	__aligned_u64 canary;
	__aligned_u64 canary_broken;
	__aligned_u64 canary_unchecked;
	__aligned_u64 first_bad_pfn;
};

/**
 * struct fake_offline_session_args - FAKE_OFFLINE_IOCTL_SESSION: make the descriptor a
 *	session
 * @size: of this structure, set by the caller
 * @flags: 0
 * @owner: the name under which its pages are listed: printable ASCII without blanks, and
 *	none of the names that the module uses itself: admin, debugfs, orphan
 *
 * The session lasts until the last reference to the open file is gone: descriptors that
 * were inherited, duplicated or passed to other processes count. Its pages are then given
 * back. Pages that a hotplug operation covers at that moment get the owner "orphan", and
 * are given back when the operation ends.
 *
 * Errors: EINVAL for the name; EEXIST if the descriptor is a session already; ENOMEM.
 */
struct fake_offline_session_args {
	__u32 size;
	__u32 flags;
	char owner[FAKE_OFFLINE_OWNER_LEN];
};

/* The size is in the structure, so the numbers do not change when a structure grows. */
#define FAKE_OFFLINE_IOCTL_TYPE		0xF5
#define FAKE_OFFLINE_IOCTL_INFO		_IO(FAKE_OFFLINE_IOCTL_TYPE, 0)
#define FAKE_OFFLINE_IOCTL_TAKE		_IO(FAKE_OFFLINE_IOCTL_TYPE, 1)
#define FAKE_OFFLINE_IOCTL_RELEASE	_IO(FAKE_OFFLINE_IOCTL_TYPE, 2)
#define FAKE_OFFLINE_IOCTL_SKIPPABLE	_IO(FAKE_OFFLINE_IOCTL_TYPE, 3)
#define FAKE_OFFLINE_IOCTL_LIST		_IO(FAKE_OFFLINE_IOCTL_TYPE, 4)
#define FAKE_OFFLINE_IOCTL_VERIFY	_IO(FAKE_OFFLINE_IOCTL_TYPE, 5)
#define FAKE_OFFLINE_IOCTL_SESSION	_IO(FAKE_OFFLINE_IOCTL_TYPE, 6)

#endif /* _UAPI_LINUX_FAKE_OFFLINE_H */
