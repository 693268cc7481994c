/* SPDX-License-Identifier: GPL-2.0 */
/* rasdaemon's database of memory errors. */
#ifndef OFFCTL_RASDAEMON_H
#define OFFCTL_RASDAEMON_H

#include "badmem.h"

/* Appends the records with an address to list. Returns false after an error message. */
bool rasdaemon_load(const char *cmd, const char *path, const struct units *u,
		    struct badmem_list *list);

#endif
