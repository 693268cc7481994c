/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers, sizes, ranges of pages and of blocks, and errnos, as people write
 * them. Nothing in here touches the system, so all of it can be fuzzed.
 *
 * Each parser takes the whole string or refuses it: it returns NULL, or why
 * not, in words that fit behind "offctl: mark: 'THE STRING': ".
 */
#ifndef OFFCTL_PARSE_H
#define OFFCTL_PARSE_H

#include "span.h"
#include "util.h"

/* What ranges are measured in; block is 0 when it is not known. */
struct units {
	uint64_t page;	/* bytes, a power of two */
	uint64_t block;	/* bytes, a multiple of page */
};

/* Decimal, or hexadecimal with 0x. */
const char *parse_number(const char *s, uint64_t *value);

/*
 * A number and, if wanted, a unit: K, M, G, T, P in either case, or KiB, MiB…
 * are powers of 1024, KB, MB… powers of 1000, as in util-linux.
 */
const char *parse_size(const char *s, uint64_t *bytes);

/*
 * 0xSTART-0xEND	addresses, the end included, as lsmem prints them
 * 0xSTART+SIZE		SIZE as above
 * block:N[-M]		whole memory blocks
 * pfn:N[+M]		one page, or M of them
 *
 * An address alone is refused: it could mean a page as well as a block.
 */
extern const char range_forms[];
const char *parse_range(const char *s, const struct units *u,
			struct span *span);

/*
 * N[-M], block:N[-M], the address a block starts at, or a range as above that
 * covers whole blocks.
 */
extern const char block_forms[];
const char *parse_blocks(const char *s, const struct units *u,
			 uint64_t *first, uint64_t *last);

/* The zone's name as the kernel writes it, or NULL; in any case. */
extern const char zone_forms[];
const char *parse_zone(const char *s);

/* "5", "0.5s", "200ms", "2min": milliseconds. */
const char *parse_duration(const char *s, uint64_t *ms);

/* ENOMEM, -12 or 12: gives 12. */
const char *parse_errno(const char *s, int *number);

/* "ENOMEM", or the number when it has no name. */
void add_errno(struct sb *sb, int number);
/* The size in the largest unit that has no fraction: "16M", or "16 MiB". */
void add_size(struct sb *sb, uint64_t bytes);
void add_size_iec(struct sb *sb, uint64_t bytes);
/* As lsmem: 0x%016x-0x%016x, the end included. */
void add_range(struct sb *sb, const struct units *u, struct span span);

#endif
