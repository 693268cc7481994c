/* SPDX-License-Identifier: GPL-2.0 */
/* Why a memory block cannot go offline, as far as offctl can tell without trying. */
#ifndef OFFCTL_REASON_H
#define OFFCTL_REASON_H

#include "memblock.h"
#include "pageflags.h"
#include "parse.h"
#include "ranges.h"

struct reason_sources {
	struct units units;
	struct marked_list marked;	/* empty without the module */
	bool marked_known;
	struct failure failure;		/* the last failure that the module has seen */
	bool have_failure;
	struct pageflags pages;		/* fd is -1 without reason_open_pages() */
};

/*
 * Asks the module, if it is loaded. Returns false after an error message if the module's
 * files are not as documented.
 */
bool reason_open(struct reason_sources *s, const char *cmd);
/* Opens /proc/kpageflags, for reasons in the pages. Returns false after an error message. */
bool reason_open_pages(struct reason_sources *s, const char *cmd);
void reason_close(struct reason_sources *s);

/*
 * Adds the reason, or nothing if there is none. *sure means that the kernel will refuse
 * the block. Otherwise the reason is the last failure, or pages that the kernel may free
 * at any time.
 */
void reason_not_offline(const struct reason_sources *s, const struct memblock *b,
		     struct sb *reason, bool *sure);

#endif
