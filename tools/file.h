/* SPDX-License-Identifier: GPL-2.0 */
/* Files that the user names; they are not below the root of --sysroot. */
#ifndef OFFCTL_FILE_H
#define OFFCTL_FILE_H

#include "util.h"

/* "-" is standard input. False after an error message. */
bool file_read(const char *cmd, const char *path, struct sb *content);
/*
 * Replaces the file at once, or leaves it as it is; "-" is standard output.
 * False after an error message.
 */
bool file_write(const char *cmd, const char *path, const struct sb *content);

#endif
