/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of fuzzraw share this.
 *
 *	raw-lines.c	makes a write: valid lines, and changes to them
 *	raw-send.c	sends a write to the module, and checks the result
 *	raw-accounts.c	compares the module with the kernel
 *	raw.c		the command line, and the loop
 */
#ifndef SELFTESTS_FUZZER_RAW_H
#define SELFTESTS_FUZZER_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "random.h"

#define FO		"/sys/kernel/debug/fake_offline/"
#define SYSMEM		"/sys/devices/system/memory/"

#define MAX_BLOCKS	8
#define MAX_WRITE	(1u << 20)	/* what the module takes at most */

enum file { MARK, UNMARK, SKIPPABLE, BLOCK_OFFLINE, BLOCK_ONLINE, INJECT, NR_FILES };

struct file_state {
	const char *name;
	unsigned int weight;	/* its share of all writes, in per cent */
	int fd;
	unsigned long writes, ok, invalid, others;
	double seconds, longest;
};

extern struct file_state files[NR_FILES];

extern struct random rnd;
extern uint64_t first_block, nr_blocks, block_pages, first_pfn, nr_pages;
extern bool planted;
extern unsigned long offline_since;	/* number of a write, or 0 */
extern unsigned long number;		/* of the write */

/* The write that is made. text has room for more than MAX_WRITE. */
extern char *text;
extern size_t len;
/* The end of a mapped page; the page behind it is not mapped. */
extern char *guarded_end;

static inline unsigned int below(unsigned int limit)
{
	return random_below(&rnd, limit);
}

static inline bool one_in(unsigned int n)
{
	return !below(n);
}

/* Prints that a write failed. Returns false. */
bool failed(const char *what);
/* One write(2) of its own. Returns whether all of it was taken. */
bool put(const char *path, const char *what);

/* Some place in the write, its end included. */
size_t some_place(void);
/* Makes text and len. */
void make_write(enum file f);
/* Remembers the mark that was just made, to meet it again. */
void remember(void);

/* Must this write be left out? raw.c has the reasons. */
bool unwanted(enum file f);
/* Each sends the write in its own way, and returns whether the result is right. */
bool send_whole(enum file f);
bool send_pieces(enum file f);
bool send_unmapped(enum file f);

long get_number(const char *path, const char *format);
void accounts_init(void);
/* Sets the module's reserve back to its first value. */
void accounts_end(void);
bool all_online(void);
/* Compares the accounts, gives everything back, and compares them again. */
bool check_and_undo(void);

#endif
