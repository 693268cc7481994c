/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Parsers of numbers, sizes, ranges of pages and of blocks, and errnos, as people write
 * them. They make no system calls, so a fuzzer can run all of them.
 *
 * Each parser takes the whole string or refuses it. It returns NULL, or the reason in
 * words that fit behind "offctl: mark: 'THE STRING': ".
 */
#ifndef OFFCTL_PARSE_H
#define OFFCTL_PARSE_H

#include "span.h"
#include "util.h"

/* The sizes of a page and of a memory block. */
struct units {
	uint64_t page;	/* bytes, a power of two */
	uint64_t block;	/* bytes, a multiple of page; 0 if it is not known */
};

/* A decimal number, or a hexadecimal one with 0x. */
const char *parse_number(const char *s, uint64_t *value);

/*
 * A number with or without a unit. As in util-linux, K, M, G, T, P in either case and
 * KiB, MiB... are powers of 1024, and KB, MB... are powers of 1000.
 */
const char *parse_size(const char *s, uint64_t *bytes);

/*
 * 0xSTART-0xEND	addresses as lsmem prints them; the end is included
 * 0xSTART+SIZE		SIZE as above
 * block:N[-M]		whole memory blocks
 * pfn:N[+M]		one page, or M of them
 *
 * An address alone is refused, since it could mean a page or a block.
 */
extern const char range_forms[];
const char *parse_range(const char *s, const struct units *u,
			struct span *span);

/*
 * N[-M], block:N[-M], the address at which a block starts, or a range as above that
 * covers whole blocks.
 */
extern const char block_forms[];
const char *parse_blocks(const char *s, const struct units *u,
			 uint64_t *first, uint64_t *last);

/* Takes a zone's name in any case. Returns the name as the kernel writes it, or NULL. */
extern const char zone_forms[];
const char *parse_zone(const char *s);

/* Takes "5", "0.5s", "200ms" or "2min". Gives milliseconds. */
const char *parse_duration(const char *s, uint64_t *ms);

/* Takes ENOMEM, -12 or 12. Gives 12. */
const char *parse_errno(const char *s, int *number);

/* Adds "ENOMEM", or "errno 4095" if the number has no name. */
void add_errno(struct sb *sb, int number);
/* Add the size in the largest unit that needs no fraction: "16M", or "16 MiB". */
void add_size(struct sb *sb, uint64_t bytes);
void add_size_iec(struct sb *sb, uint64_t bytes);
/* Adds 0x%016x-0x%016x, with the end included, as lsmem prints a range. */
void add_range(struct sb *sb, const struct units *u, struct span span);

#endif
