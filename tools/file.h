/* SPDX-License-Identifier: GPL-2.0 */
/* Files that the user names. --sysroot does not change their paths. */
#ifndef OFFCTL_FILE_H
#define OFFCTL_FILE_H

#include "util.h"

/* Reads a file, or standard input for "-". Returns false after an error message. */
bool file_read(const char *cmd, const char *path, struct sb *content);
/*
 * Replaces a file in one step, or writes to standard output for "-". If it fails, the
 * old file stays. Returns false after an error message.
 */
bool file_write(const char *cmd, const char *path, const struct sb *content);

#endif
