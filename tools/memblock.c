// SPDX-License-Identifier: GPL-2.0
/* Memory blocks in sysfs. */
#include "memblock.h"
#include "parse.h"
#include "sysroot.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMORY "sys/devices/system/memory"
#define NODES "sys/devices/system/node"

uint64_t memblock_bytes(void)
{
	struct sb line = {0}, hex = {0};
	uint64_t bytes = 0;

	/* The file has a hexadecimal number without 0x. */
	if (root_read_line(ROOT, MEMORY "/block_size_bytes", &line)) {
		sb_addf(&hex, "0x%s", sb_str(&line));
		if (parse_number(sb_str(&hex), &bytes) ||
		    bytes % page_size())
			bytes = 0;
	}
	sb_free(&line);
	sb_free(&hex);
	return bytes;
}

/* Gives 12 for "memory12" and the prefix "memory". Returns false for other names. */
static bool name_number(const char *name, const char *prefix, uint64_t *nr)
{
	size_t len = strlen(prefix);

	/* "memory_failure" and "memory0x1" are other names. */
	return !strncmp(name, prefix, len) &&
	       strspn(name + len, "0123456789") == strlen(name + len) &&
	       !parse_number(name + len, nr);
}

/* Reads "state" and "valid_zones" below dir, the directory of all blocks. */
static bool read_state(int dirfd, const char *dir, struct memblock *block)
{
	struct sb path = {0}, line = {0};
	size_t len;
	bool ok;

	sb_add(&path, dir, strlen(dir));
	sb_add(&path, "/memory", 7);
	sb_add_u64(&path, block->nr);
	len = path.len;
	sb_add(&path, "/state", 6);
	ok = root_read_line(dirfd, sb_str(&path), &line);
	if (ok) {
		free(block->state);
		block->state = xstrdup(sb_str(&line));

		free(block->zones);
		block->zones = NULL;
		path.len = len;
		sb_add(&path, "/valid_zones", 12);
		/* A kernel without CONFIG_MEMORY_HOTREMOVE does not have this file. */
		if (root_read_line(dirfd, sb_str(&path), &line) && line.len) {
			block->zones = xstrdup(line.p);
			for (char *p = block->zones; *p; p++)
				if (*p == ' ')
					*p = '/';
		}
	}
	sb_free(&path);
	sb_free(&line);
	return ok;
}

bool memblock_in_zone(const struct memblock *block, const char *zone)
{
	const char *z = block->zones ? block->zones : "";
	size_t len = strlen(zone);

	for (; *z; z += strcspn(z, "/"), z += *z == '/')
		if (strcspn(z, "/") == len && !strncmp(z, zone, len))
			return true;
	return false;
}

void memblock_removable(uint64_t nr, struct sb *value)
{
	struct sb path = {0}, line = {0};

	sb_addf(&path, MEMORY "/memory%" PRIu64 "/removable", nr);
	if (root_read_line(ROOT, sb_str(&path), &line))
		sb_add(value, sb_str(&line), line.len);
	sb_free(&path);
	sb_free(&line);
}

bool memblock_refresh(struct memblock *block)
{
	return read_state(ROOT, MEMORY, block);
}

int memblock_write_state(uint64_t nr, const char *word)
{
	struct sb path = {0};
	size_t len = strlen(word);
	int fd, error = 0;
	ssize_t n;

	sb_addf(&path, MEMORY "/memory%" PRIu64 "/state", nr);
	fd = root_open_write(ROOT, sb_str(&path));
	sb_free(&path);
	if (fd < 0)
		return errno;
	/* No retry: EINTR is an answer of the kernel. */
	n = write(fd, word, len);
	if (n < 0)
		error = errno;
	else if ((size_t)n != len)
		error = EIO;
	close(fd);
	return error;
}

static int compare(const void *pa, const void *pb)
{
	const struct memblock *a = pa, *b = pb;

	return (a->nr > b->nr) - (a->nr < b->nr);
}

/*
 * Usually the numbers are dense, and each exists once. Then putting each block at its
 * place takes a tenth of the time that comparing takes.
 */
static void sort(struct memblocks *blocks)
{
	struct memblock *places;
	uint64_t max = 0;
	size_t n = 0;

	for (size_t i = 0; i < blocks->n; i++)
		max = blocks->v[i].nr > max ? blocks->v[i].nr : max;
	if (max / 4 > blocks->n || !blocks->n) {
		if (blocks->n)
			qsort(blocks->v, blocks->n, sizeof(*blocks->v),
			      compare);
		return;
	}
	places = xrealloc(NULL, (size_t)max + 1, sizeof(*places));
	memset(places, 0, ((size_t)max + 1) * sizeof(*places));
	for (size_t i = 0; i < blocks->n; i++)
		places[blocks->v[i].nr] = blocks->v[i];
	for (size_t i = 0; i <= max; i++)
		if (places[i].state)
			blocks->v[n++] = places[i];
	free(places);
}

struct memblock *memblocks_find(struct memblocks *blocks, uint64_t nr)
{
	struct memblock key = { .nr = nr };

	if (!blocks->n)
		return NULL;
	return bsearch(&key, blocks->v, blocks->n, sizeof(key), compare);
}

/* Calls found() for each entry "<prefix>NR" of a directory, if it exists. */
static void each_entry(const char *path, const char *prefix,
		       void (*found)(struct memblocks *blocks, uint64_t of,
				     uint64_t nr),
		       struct memblocks *blocks, uint64_t of)
{
	DIR *dir = root_opendir(ROOT, path);
	const struct dirent *entry;
	uint64_t nr;

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (name_number(entry->d_name, prefix, &nr))
			found(blocks, of, nr);
	closedir(dir);
}

static void set_node(struct memblocks *blocks, uint64_t node, uint64_t nr)
{
	struct memblock *block = memblocks_find(blocks, nr);

	/* A boot block can lie on two nodes. As lsmem does, take the lower one. */
	if (block && node <= INT64_MAX &&
	    (block->node < 0 || (int64_t)node < block->node))
		block->node = (int64_t)node;
}

static void blocks_of_node(struct memblocks *blocks, uint64_t unused,
			   uint64_t node)
{
	struct sb path = {0};

	(void)unused;
	sb_addf(&path, NODES "/node%" PRIu64, node);
	each_entry(sb_str(&path), "memory", set_node, blocks, node);
	sb_free(&path);
}

static void node_of_block(struct memblocks *blocks, uint64_t nr, uint64_t node)
{
	set_node(blocks, node, nr);
}

/*
 * Reading one directory for each node is much faster than reading one for each block.
 * Only recorded trees without the directories of nodes need the slow way.
 */
static void load_nodes(struct memblocks *blocks)
{
	struct sb path = {0};

	each_entry(NODES, "node", blocks_of_node, blocks, 0);
	for (size_t i = 0; i < blocks->n; i++) {
		if (blocks->v[i].node >= 0)
			continue;
		sb_clear(&path);
		sb_addf(&path, MEMORY "/memory%" PRIu64, blocks->v[i].nr);
		each_entry(sb_str(&path), "node", node_of_block, blocks,
			   blocks->v[i].nr);
	}
	sb_free(&path);
}

/*
 * A large machine has thousands of these small files. Each takes an open, a read and a
 * close, and two processors are twice as fast. Each thread reads one part of the blocks.
 */
#define BLOCKS_PER_THREAD 1024
#define MAX_THREADS 8

struct part {
	int dirfd;
	struct memblock *v;
	size_t n;
	pthread_t thread;
	bool started;
};

/* A block that was unplugged since readdir() keeps the state NULL. */
static void *read_part(void *arg)
{
	const struct part *part = arg;

	for (size_t i = 0; i < part->n; i++)
		read_state(part->dirfd, ".", &part->v[i]);
	return NULL;
}

static size_t count_threads(size_t blocks)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = blocks / BLOCKS_PER_THREAD;

	if (processors > 0 && n > (size_t)processors)
		n = (size_t)processors;
	return n > MAX_THREADS ? MAX_THREADS : n ? n : 1;
}

static void read_all(int dirfd, struct memblocks *blocks)
{
	struct part parts[MAX_THREADS];
	size_t threads = count_threads(blocks->n), from = 0;
	sigset_t all, old;

	/* The main thread handles all signals. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	for (size_t i = threads; i-- > 0;) {
		struct part *p = &parts[i];

		*p = (struct part){
			.dirfd = dirfd, .v = blocks->v + from,
			.n = (blocks->n - from) / (i + 1),
		};
		from += p->n;
		/* This thread reads the last part, and parts that got no thread. */
		if (i)
			p->started = !pthread_create(&p->thread, NULL,
						     read_part, p);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	for (size_t i = 0; i < threads; i++)
		if (parts[i].started)
			pthread_join(parts[i].thread, NULL);
		else
			read_part(&parts[i]);
}

bool memblocks_load(const char *cmd, struct memblocks *blocks)
{
	struct memblock block = { .node = -1 };
	const struct dirent *entry;
	size_t there = 0;
	DIR *dir = NULL;
	int fd;

	*blocks = (struct memblocks){0};
	fd = root_opendir_fd(MEMORY);
	if (fd >= 0)
		dir = root_opendir(fd, ".");
	if (!dir) {
		int error = errno;
		char *path = root_path(MEMORY);

		err("%s: %s: %s", cmd, path, strerror(error));
		if (error == ENOENT)
			hint(root_exists("sys/devices") ?
			     "does this kernel have memory hotplug?" :
			     "is sysfs mounted?");
		free(path);
		if (fd >= 0)
			close(fd);
		return false;
	}
	while ((entry = readdir(dir))) {
		if (!name_number(entry->d_name, "memory", &block.nr))
			continue;
		GROW(blocks);
		blocks->v[blocks->n++] = block;
	}
	closedir(dir);
	read_all(fd, blocks);
	close(fd);
	for (size_t i = 0; i < blocks->n; i++)
		if (blocks->v[i].state)
			blocks->v[there++] = blocks->v[i];
	blocks->n = there;
	sort(blocks);
	load_nodes(blocks);
	return true;
}

void memblocks_free(struct memblocks *blocks)
{
	for (size_t i = 0; i < blocks->n; i++) {
		free(blocks->v[i].state);
		free(blocks->v[i].zones);
	}
	free(blocks->v);
	*blocks = (struct memblocks){0};
}
