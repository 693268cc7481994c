/* SPDX-License-Identifier: GPL-2.0 */
/* The kind of memory at a PFN: online, offline, absent, or none for this module. */
#ifndef FO_MEMORY_H
#define FO_MEMORY_H

#include "pfn_range.h"

/**
 * enum fo_memory - what memory is there
 * @FO_MEMORY_ONLINE: online memory, and the kernel uses it or has it free
 * @FO_MEMORY_RETIRED: online memory that the kernel has taken out of use for good
 * @FO_MEMORY_OFFLINE: RAM in a memory block that is offline
 * @FO_MEMORY_ABSENT: none, but memory can be plugged there
 * @FO_MEMORY_DEVICE: memory of a device, which is never online
 * @FO_MEMORY_HOLE: none in a memory block that has RAM
 * @FO_MEMORY_NEVER: none, and none can be plugged
 */
enum fo_memory {
	FO_MEMORY_ONLINE,
	FO_MEMORY_RETIRED,
	FO_MEMORY_OFFLINE,
	FO_MEMORY_ABSENT,
	FO_MEMORY_DEVICE,
	FO_MEMORY_HOLE,
	FO_MEMORY_NEVER,
};

enum fo_memory fo_memory_at(struct pfn_range *pfns);

#endif /* FO_MEMORY_H */
