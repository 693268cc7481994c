/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files below a root: the machine's own, or with --sysroot DIR a recorded
 * tree. Every path offctl reads or writes goes through here, and is relative
 * ("sys/devices/system/memory").
 */
#ifndef OFFCTL_SYSROOT_H
#define OFFCTL_SYSROOT_H

#include "util.h"

#include <dirent.h>

/* DIR of --sysroot; false, with errno, when it cannot be opened. */
bool root_set(const char *dir);
/* Is this a recorded tree, and not the machine we run on? */
bool root_recorded(void);
/* The path with its root in front, to be shown; freed by the caller. */
char *root_path(const char *path);

/*
 * All but root_exists() return false, -1 or NULL with errno. dirfd is one of
 * root_opendir_fd(), or ROOT for the root itself.
 */
#define ROOT (-1)
bool root_exists(const char *path);
int root_opendir_fd(const char *path);
DIR *root_opendir(int dirfd, const char *path);
bool root_read(int dirfd, const char *path, struct sb *content);
/* The first line, without its newline. */
bool root_read_line(int dirfd, const char *path, struct sb *line);
/* For reading piece by piece. */
int root_open_read(int dirfd, const char *path);
/* For writing; neither creates nor truncates. */
int root_open_write(int dirfd, const char *path);

/* Below the root. A directory that is there already is no failure. */
bool root_mkdir(const char *path);
/* For reading and writing, only for its owner; makes it if it is not there. */
int root_create(const char *path);
bool root_unlink(const char *path);

/* Closes what root_set() or the first access opened. */
void root_close(void);

/*
 * Bytes in a page: of this machine, or what the file "page_size" in the
 * recorded tree says (decimal; 4096 without one).
 */
uint64_t page_size(void);

#endif
