/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's directory in debugfs: finding it, saying why it is not to be
 * had, reading its files and sending it commands. The files are described in
 * docs/ABI/debugfs-fake_offline.
 */
#ifndef OFFCTL_MODULE_H
#define OFFCTL_MODULE_H

#include "util.h"

struct module {
	int dirfd;
	char *path;	/* to be shown */
};

/* False when there is no module to talk to: says why, unless quiet. */
bool module_open(struct module *m, const char *cmd, bool quiet);
void module_close(struct module *m);

/* False after an error message; without one when cmd is NULL. */
bool module_read(const struct module *m, const char *cmd, const char *file,
		 struct sb *content);

/*
 * Sends one command, in a single write(2): whole or refused.
 * Returns 0; the errno of a command that the module refused; or -1, after an
 * error message, when it could not be sent.
 */
int module_write(const struct module *m, const char *cmd, const char *file,
		 const struct sb *data);

/*
 * What an errno of a command file means, as its ABI says: "why (ENAME)". The
 * "any" form of "mark" has meanings of its own: file is "mark any" then.
 */
void module_errno(struct sb *sb, const char *file, int error);

#endif
