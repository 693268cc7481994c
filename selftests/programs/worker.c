// SPDX-License-Identifier: GPL-2.0
/*
 * worker: a process that uses memory all the time, and knows its content.
 *
 *   worker PAGES [PERCENT]
 *
 * maps PAGES pages, half of them anonymous, half of them of a file in memory, fills them,
 * and prints "pages PAGES". Then it makes one round after the other: it checks some pages,
 * gives them back, takes others in their place and fills these. PERCENT limits its share
 * of a CPU's time: it sleeps in between. Meanwhile it reads one command a line, and
 * answers with one line:
 *   check   "broken N rounds M": checks all pages; N is the number of pages that were
 *           ever found without their content
 *   spoil   "spoiled": changes a byte of a page, so that it is broken
 * It ends at the end of its input.
 */
#include "common.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLOT 16		/* pages that are checked, and replaced, together */

static size_t page_size, nr_pages;
static char *base;
static uint32_t *written;	/* of each slot: the number of times that it was filled */
static uint64_t broken, rounds;

static uint64_t word(size_t page, uint32_t times, size_t i)
{
	return (page + 1) * 0x9e3779b97f4a7c15ULL ^ (uint64_t)times << 32 ^ i;
}

static uint64_t *words(size_t page)
{
	return (uint64_t *)(base + page * page_size);
}

static size_t slot_end(size_t slot)
{
	return at_most((slot + 1) * SLOT, nr_pages);
}

static void fill_slot(size_t slot)
{
	size_t page, i;

	written[slot]++;
	for (page = slot * SLOT; page < slot_end(slot); page++)
		for (i = 0; i < page_size / sizeof(uint64_t); i++)
			words(page)[i] = word(page, written[slot], i);
}

static void look_at_slot(size_t slot)
{
	size_t page, i;

	for (page = slot * SLOT; page < slot_end(slot); page++) {
		for (i = 0; i < page_size / sizeof(uint64_t); i++)
			if (words(page)[i] != word(page, written[slot], i))
				break;
		broken += i < page_size / sizeof(uint64_t);
	}
}

/* The first half of the pages is anonymous, as far as slots divide. */
static bool anonymous(size_t slot)
{
	return slot * SLOT < nr_pages / 2 / SLOT * SLOT;
}

static void give_back(size_t slot)
{
	size_t from = slot * SLOT;

	if (madvise(words(from), (slot_end(slot) - from) * page_size,
		    anonymous(slot) ? MADV_DONTNEED : MADV_REMOVE))
		die("madvise: %s", strerror(errno));
}

static void map(void)
{
	size_t half = nr_pages / 2 / SLOT * SLOT * page_size;
	size_t size = nr_pages * page_size;
	int fd = memfd_create("worker", 0);

	if (fd < 0 || ftruncate(fd, (off_t)(size - half)))
		die("memfd_create: %s", strerror(errno));
	base = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED ||
	    mmap(base + half, size - half, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	close(fd);
}

static void answer(const char *line, size_t nr_slots)
{
	if (!strcmp(line, "check")) {
		for (size_t slot = 0; slot < nr_slots; slot++)
			look_at_slot(slot);
		printf("broken %" PRIu64 " rounds %" PRIu64 "\n", broken, rounds);
	} else if (!strcmp(line, "spoil")) {
		base[0] ^= 1;
		printf("spoiled\n");
	} else {
		die("no such command: %s", line);
	}
}

int main(int argc, char **argv)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	unsigned int percent = 100;
	size_t nr_slots, slot;
	char line[64];

	if (argc != 2 && argc != 3)
		die("usage: worker PAGES [PERCENT]");
	nr_pages = parse_u64(argv[1]);
	if (nr_pages < 2 * SLOT)
		die("at least %d pages", 2 * SLOT);
	if (argc == 3)
		percent = (unsigned int)parse_u64(argv[2]);
	if (percent < 1 || percent > 100)
		die("1 to 100 percent");
	page_size = (size_t)sysconf(_SC_PAGESIZE);
	nr_slots = (nr_pages + SLOT - 1) / SLOT;
	written = calloc(nr_slots, sizeof(*written));
	if (!written)
		die("out of memory");
	map();
	for (slot = 0; slot < nr_slots; slot++)
		fill_slot(slot);
	setvbuf(stdout, NULL, _IOLBF, 0);
	setvbuf(stdin, NULL, _IONBF, 0);
	printf("pages %zu\n", nr_pages);
	for (;;) {
		if (poll(&in, 1, share_to_sleep(percent)) > 0) {
			if (!fgets(line, sizeof(line), stdin))
				break;
			line[strcspn(line, "\n")] = '\0';
			answer(line, nr_slots);
		}
		/* The step is a prime, so that neighbours in time are none in place. */
		slot = rounds++ * 7919 % nr_slots;
		look_at_slot(slot);
		give_back(slot);
		fill_slot(slot);
	}
	free(written);
	return 0;
}
