/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files below a root, which is that of the machine or, with --sysroot DIR, a recorded
 * tree. offctl accesses all files of the system through these functions. Their paths are
 * relative, such as "sys/devices/system/memory".
 */
#ifndef OFFCTL_SYSROOT_H
#define OFFCTL_SYSROOT_H

#include "util.h"

#include <dirent.h>

/* Takes the DIR of --sysroot. Returns false with errno if it cannot be opened. */
bool root_set(const char *dir);
/* Is the root a recorded tree? */
bool root_recorded(void);
/* Returns the path with the root in front, for messages. The caller frees it. */
char *root_path(const char *path);

/*
 * If they fail, these functions return false, -1 or NULL with errno; root_exists() does
 * not set errno. dirfd comes from root_opendir_fd(), or is ROOT for the root itself.
 */
#define ROOT (-1)
bool root_exists(const char *path);
int root_opendir_fd(const char *path);
DIR *root_opendir(int dirfd, const char *path);
bool root_read(int dirfd, const char *path, struct sb *content);
/* Reads the first line without its newline. */
bool root_read_line(int dirfd, const char *path, struct sb *line);
/* Opens a file for reading it in parts. */
int root_open_read(int dirfd, const char *path);
/* Opens a file for writing, without creating or truncating it. */
int root_open_write(int dirfd, const char *path);

/* Makes a directory below the root. It is not a failure if it exists. */
bool root_mkdir(const char *path);
/* Opens a file for reading and writing. Creates it for its owner only if it is missing. */
int root_create(const char *path);
bool root_unlink(const char *path);

/* Closes the root, which root_set() or the first access has opened. */
void root_close(void);

/*
 * The bytes in a page of this machine. For a recorded tree it is the decimal number in
 * its file "page_size", or 4096 without that file.
 */
uint64_t page_size(void);

#endif
