/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the benchmark share in the guest. A measure is in
 * nanoseconds unless its name says something else.
 */
#ifndef BENCH_GUEST_H
#define BENCH_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common.h"

#define PAGE_BYTES	4096UL
#define DEBUGFS		"/sys/kernel/debug/fake_offline/"

/* How the guest is, and how often things are to be done. Set once, by main(). */
struct setting {
	bool quick;			/* without what takes long */
	bool few;			/* repetitions */
	const char *suffix;		/* of the names of rows */
	const char *parameters;		/* more of fake_offline's, when it is loaded */
	unsigned long block_pages;
	unsigned long first_block;	/* the hot-added ones */
	unsigned long nr_blocks;
};
extern struct setting setting;

/* The block that is under test, and its first page. Not the first one: neighbours. */
unsigned long test_block(void);
unsigned long block_pfn(unsigned long block);
/* Repetitions: many, or few. */
unsigned int times(unsigned int many, unsigned int few);

/* output.c: one line a measure, for report.awk */
void ours(const char *row, double value);
void peer(const char *row, double value);
void growth(const char *plot, double x, double value);
void fact(const char *name, double value);

/* files.c; all but try_write() end the program if they cannot */
uint64_t clock_ns(void);
int try_write(int fd, const char *text);	/* 0 or -errno */
void write_to(const char *path, const char *text);
/* The nanoseconds from before the open to after the last byte. */
uint64_t read_all_ns(const char *path, size_t *bytes);
long read_value(const char *path, const char *name);	/* of a "name value" line */

/* modules.c */
void load(const char *skip);	/* fake_offline and ours; NULL: its default */
void unload(void);
/* An operation of fake-offline-bench.c, by its name. */
uint64_t operation(const char *name, unsigned long start, unsigned long nr);
void run_or_die(const char *command);

/* blocks.c: by the file "state" of each */
uint64_t block_offline(unsigned long block);
uint64_t block_online(unsigned long block);
/* Failing as it is expected to, with that errno. */
uint64_t block_offline_fails(unsigned long block, int error);
/* Takes all of it out of use by way of its own state: offline, marked, online. */
uint64_t block_withhold(unsigned long block);
/* All of it free, and on the buddy's lists in chunks as large as they come. */
void block_refresh(unsigned long block);

/* occupy.c: while no other block is movable, this process has pages of the one under test */
struct occupied {
	char *memory;
	size_t bytes;
};

void others_offline(void);
void others_online(void);
void occupy(struct occupied *o, unsigned int percent);
void vacate(struct occupied *o);

/* The groups of rows, see the table in main.c */
void measure_take(void);
void measure_half_used(void);
void measure_share(void);
void measure_share_used(void);
void measure_skip(void);
void measure_idle(void);
void measure_memory(void);
void measure_verify(void);
void measure_batch(void);
void measure_growth(void);
void measure_virtio_mem(void);

#endif
