// SPDX-License-Identifier: GPL-2.0
#include "memblock.h"
#include "parse.h"
#include "sysroot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMORY "sys/devices/system/memory"
#define NODES "sys/devices/system/node"

uint64_t memblock_bytes(void)
{
	struct sb line = {0}, hex = {0};
	uint64_t bytes = 0;

	/* Hexadecimal, but sysfs does not say so. */
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

/* "memory12" with "memory" in front: 12. */
static bool name_number(const char *name, const char *prefix, uint64_t *nr)
{
	size_t len = strlen(prefix);

	/* "memory_failure" and "memory0x1" are none. */
	return !strncmp(name, prefix, len) &&
	       strspn(name + len, "0123456789") == strlen(name + len) &&
	       !parse_number(name + len, nr);
}

/* state and valid_zones, in the directory of the block or of all blocks. */
static bool read_state(int dirfd, const char *dir, struct memblock *block)
{
	struct sb path = {0}, line = {0};
	bool ok;

	sb_addf(&path, "%s/memory%" PRIu64 "/state", dir, block->nr);
	ok = root_read_line(dirfd, sb_str(&path), &line);
	if (ok) {
		free(block->state);
		block->state = xstrdup(sb_str(&line));

		free(block->zones);
		block->zones = NULL;
		sb_clear(&path);
		sb_addf(&path, "%s/memory%" PRIu64 "/valid_zones", dir,
			block->nr);
		/* A kernel that cannot take memory offline has no such file. */
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

bool memblock_refresh(struct memblock *block)
{
	return read_state(ROOT, MEMORY, block);
}

static int compare(const void *pa, const void *pb)
{
	const struct memblock *a = pa, *b = pb;

	return (a->nr > b->nr) - (a->nr < b->nr);
}

struct memblock *memblocks_find(struct memblocks *blocks, uint64_t nr)
{
	struct memblock key = { .nr = nr };

	if (!blocks->n)
		return NULL;
	return bsearch(&key, blocks->v, blocks->n, sizeof(key), compare);
}

/*
 * Calls found(nr) for each entry "<prefix>NR" of a directory that is there.
 */
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

	/* A boot block can lie on two nodes: the first one, as lsmem does. */
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
 * One directory a node is much less to read than one a block. Only trees that
 * were recorded without nodes are left to the slow way.
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

bool memblocks_load(const char *cmd, struct memblocks *blocks)
{
	struct memblock block = { .node = -1 };
	const struct dirent *entry;
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
			hint("is sysfs mounted, and does this kernel have memory hotplug?");
		free(path);
		if (fd >= 0)
			close(fd);
		return false;
	}
	while ((entry = readdir(dir))) {
		if (!name_number(entry->d_name, "memory", &block.nr))
			continue;
		block.state = block.zones = NULL;
		/* A block can be unplugged between readdir() and here. */
		if (!read_state(fd, ".", &block))
			continue;
		if (blocks->n == blocks->cap) {
			blocks->cap = blocks->cap ? blocks->cap * 2 : 64;
			blocks->v = xrealloc(blocks->v, blocks->cap,
					     sizeof(*blocks->v));
		}
		blocks->v[blocks->n++] = block;
	}
	closedir(dir);
	close(fd);
	if (blocks->n)
		qsort(blocks->v, blocks->n, sizeof(*blocks->v), compare);
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
