/* SPDX-License-Identifier: GPL-2.0 */
/* The physical addresses that are RAM, from /proc/iomem. */
#ifndef OFFCTL_IOMEM_H
#define OFFCTL_IOMEM_H

#include "parse.h"

/*
 * Counts the pages of a span that are wholly RAM. This is the kernel's test for holes
 * before it takes a memory block offline. Returns false if /proc/iomem does not show it. For
 * a user who is not root, it has no addresses.
 */
bool iomem_ram_pages(const struct units *u, struct span span, uint64_t *pages);

#endif
