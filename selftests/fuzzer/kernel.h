/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of the fuzzer that deal with the kernel share this.
 *
 *	kernel.c	the files of the kernel, and resetting the machine
 *	perform.c	lets the kernel do a step
 *	hold.c		pages that the fuzzer itself has in use
 *	observe.c	looks at the machine
 *	compare.c	compares that with the model
 */
#ifndef SELFTESTS_FUZZER_KERNEL_H
#define SELFTESTS_FUZZER_KERNEL_H

#include "fuzz.h"

#define FO	"/sys/kernel/debug/fake_offline/"
#define SYSMEM	"/sys/devices/system/memory/"

#define UNPOISON "/sys/kernel/debug/hwpoison/unpoison-pfn"

#define PAGE_SIZE	4096

/* /proc/kpageflags, open. */
extern int flags_fd;
/* MemTotal in kB when nothing is marked and all blocks are online. */
extern long base_total;

/* One write(2). Returns its errno, 0, or SHORT_WRITE. */
int put(const char *path, const char *text);
/* The path of a file of a block in sysfs. */
void block_path(char *path, unsigned int block, const char *file);
struct block get_block(unsigned int block);
long get_mem_total(void);
/* The exit status of a command, which reports on stderr why it failed. */
int command(const char *line);
int load(void);
/* Only this module; modprobe -r would also unload those that it uses. */
int unload(const char *module);

/* Takes nr pages into use, unless too many are. Returns 0 or an errno. */
int hold(unsigned int nr);
/* Frees all pages in use. Returns 0, or CONTENT_LOST. */
int drop(void);
/* Pages in use hold what was written, and none of them is marked. */
bool compare_held(const struct model *m, char *detail);

#define NR_VERIFY	13

/* The machine, as kernel_observe() has found it. */
struct seen {
	struct block block[MAX_BLOCKS];
	uint64_t *flags;
	unsigned char *listed;	/* as in the model */
	unsigned int outside;	/* listed, and not in the blocks under test */
	long mem_total;
	long verify[NR_VERIFY];
	struct injection inject[NR_POINTS];
};

extern struct seen seen;
extern const char *const verify_names[NR_VERIFY];

void observe_init(void);

static inline uint64_t pfn_of(unsigned int page)
{
	return world.first_pfn + page;
}

#endif
