/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of grab share the zones of the arguments, and the kind of each of their pages.
 * grab.c explains the kinds.
 */
#ifndef SELFTESTS_GRAB_H
#define SELFTESTS_GRAB_H

#include "common.h"

#define FO		"/sys/kernel/debug/fake_offline/"

#define MAX_ZONES_HERE	8

enum kind { HOLE, OFFLINE, FREE, MOVABLE, RESERVED, PLAIN, KERNEL, NR_KINDS };

struct here {
	const char *name;
	uint64_t start, nr;
	unsigned char *kind;	/* of each page */
	unsigned char *listed;
	uint64_t marked;
	bool full;
};

extern struct here zones[MAX_ZONES_HERE];
extern size_t nr_zones;

/* The zones that the arguments from argv[i] on name, with the kinds of their pages. */
void zones_args(int argc, char **argv, int i);
/* Returns NULL if the page is in none of them. */
struct here *zone_of(uint64_t pfn);
/* Reads the kinds of the pages of a zone again. */
void read_kinds(struct here *z);
bool is_free_now(uint64_t pfn);
/* "grab look". A PFN that is in no zone changes nothing in the list. */
void look(uint64_t odd);

#endif
