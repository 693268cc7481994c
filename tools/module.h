/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's directory in debugfs. These functions find it, explain why it is missing,
 * read its files and write commands to them. docs/ABI/debugfs-fake_offline describes the
 * files.
 */
#ifndef OFFCTL_MODULE_H
#define OFFCTL_MODULE_H

#include "util.h"

struct module {
	int dirfd;
	char *path;	/* for messages */
};

/* Returns false if the directory cannot be opened, after an error message unless quiet. */
bool module_open(struct module *m, const char *cmd, bool quiet);
void module_close(struct module *m);

/* Returns false after an error message, or without one if cmd is NULL. */
bool module_read(const struct module *m, const char *cmd, const char *file,
		 struct sb *content);

/*
 * Sends one command in a single write(2), which the module takes as a whole or refuses.
 * Returns 0, or the errno of a refusal, or -1 after an error message if the command could
 * not be sent.
 */
int module_write(const struct module *m, const char *cmd, const char *file,
		 const struct sb *data);

/*
 * Adds the meaning of an errno of a command file and its name: "why (ENAME)". The form
 * "any" of the command "mark" has its own meanings. For it, file is "mark any".
 */
void module_errno(struct sb *sb, const char *file, int error);

#endif
