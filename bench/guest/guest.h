/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Declarations that the parts of the benchmark share in the guest. A measure is
 * in nanoseconds, unless its name says otherwise.
 */
#ifndef BENCH_GUEST_H
#define BENCH_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common.h"

#define PAGE_BYTES	4096UL
#define DEBUGFS		"/sys/kernel/debug/fake_offline/"

/* The blocks of the guest, and the number of repetitions. Set once, by main(). */
struct setting {
	bool quick;			/* without slow measurements */
	bool few;			/* few repetitions */
	const char *suffix;		/* for the names of rows */
	const char *parameters;		/* more parameters of fake_offline */
	unsigned long block_pages;
	unsigned long first_block;	/* of the hot-added blocks */
	unsigned long nr_blocks;
};
extern struct setting setting;

/* The block under test, which has a neighbour on each side, and its first page. */
unsigned long test_block(void);
unsigned long block_pfn(unsigned long block);
/* The number of repetitions: @many or @few. */
unsigned int times(unsigned int many, unsigned int few);

/* output.c: one line per measure, for report.awk */
void ours(const char *row, double value);
void peer(const char *row, double value);
void growth(const char *plot, double x, double value);
void fact(const char *name, double value);

/* files.c: all except try_write() end the program on failure */
uint64_t clock_ns(void);
int try_write(int fd, const char *text);	/* 0 or -errno */
void write_to(const char *path, const char *text);
/* Reads a file. Return: the time from before open() to the last byte. */
uint64_t read_all_ns(const char *path, size_t *bytes);
long read_value(const char *path, const char *name);	/* of a "name value" line */

/* modules.c */
void load(const char *skip);	/* fake_offline and fake-offline-bench; NULL: the default */
void unload(void);
/* Runs an operation of fake-offline-bench.c by its name. */
uint64_t operation(const char *name, unsigned long start, unsigned long nr);
void run_or_die(const char *command);

/* blocks.c: use the file "state" of the block */
uint64_t block_offline(unsigned long block);
uint64_t block_online(unsigned long block);
/* The operation must fail with this errno. */
uint64_t block_offline_fails(unsigned long block, int error);
/* Takes all pages of a block out of use: offline, mark, online. */
uint64_t block_withhold(unsigned long block);
/* Makes all pages of a block free, in chunks of the largest size. */
void block_refresh(unsigned long block);

/* occupy.c: with all other blocks offline, this process gets pages of the block under test */
struct occupied {
	char *memory;
	size_t bytes;
};

void others_offline(void);
void others_online(void);
void occupy(struct occupied *o, unsigned int percent);
void vacate(struct occupied *o);

/* The groups of rows: see the table in main.c */
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
