// SPDX-License-Identifier: GPL-2.0
/* The physical addresses that are RAM, from /proc/iomem. */
#include "iomem.h"
#include "sysroot.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RAM "System RAM"

bool iomem_ram_pages(const struct units *u, struct span span, uint64_t *pages)
{
	struct sb text = {0};
	bool known = false;
	char *save;

	*pages = 0;
	if (!root_read(ROOT, "proc/iomem", &text) || !text.len) {
		sb_free(&text);
		return false;
	}
	for (const char *line = strtok_r(text.p, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		uint64_t from, last, to;
		int name = 0;

		/* RAM that a driver has hot-added may have a suffix. */
		if (sscanf(line, " %" SCNx64 "-%" SCNx64 " : %n", &from, &last,
			   &name) != 2 || !name ||
		    strncmp(line + name, RAM, strlen(RAM)))
			continue;
		known = known || last;
		/* A page that is only partly RAM does not count. */
		from = from / u->page + !!(from % u->page);
		to = last / u->page + (last % u->page == u->page - 1);
		if (from < span.pfn)
			from = span.pfn;
		if (to > span.pfn + span.nr)
			to = span.pfn + span.nr;
		if (from < to)
			*pages += to - from;
	}
	sb_free(&text);
	return known;
}
