/* SPDX-License-Identifier: GPL-2.0 */
/* Why a memory block can't go offline, as far as that can be told untried. */
#ifndef OFFCTL_REASON_H
#define OFFCTL_REASON_H

#include "memblock.h"
#include "pageflags.h"
#include "parse.h"
#include "ranges.h"

struct reason_sources {
	struct units units;
	struct marked_list marked;	/* empty when the module can't be asked */
	bool marked_known;
	struct failure failure;		/* the last one that the module saw */
	bool have_failure;
	struct pageflags pages;		/* fd is -1: the pages are not looked at */
};

/*
 * Asks the module, if there is one. False after an error message: it is there,
 * but what it says can't be understood.
 */
bool reason_open(struct reason_sources *s, const char *cmd);
/* Also have the pages looked at; false after an error message. */
bool reason_open_pages(struct reason_sources *s, const char *cmd);
void reason_close(struct reason_sources *s);

/*
 * Adds the reason, or nothing when there is none to be seen. *sure: the kernel
 * will refuse. Otherwise it is what happened at the last attempt, or pages that
 * may be gone in a moment.
 */
void reason_not_offline(const struct reason_sources *s, const struct memblock *b,
		     struct sb *why, bool *sure);

#endif
