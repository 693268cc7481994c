// SPDX-License-Identifier: GPL-2.0
/* Room for the pages that leave a memory block when it goes offline. */
#include "room.h"
#include "sysroot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "protection: (0, 2913, 3915)": one number for each zone of the node. */
static void take_protection(struct room_zone *z, const char *list)
{
	for (size_t i = 0; i < ROOM_ZONES && *list; i++) {
		char *end;

		list += strcspn(list, "0123456789");
		z->protection[i] = strtoull(list, &end, 10);
		list = end;
	}
}

static void take_line(struct room *room, const char *line)
{
	struct room_zone *z = room->n ? &room->v[room->n - 1] : NULL;
	struct room_zone new = {0};
	uint64_t pages;

	if (sscanf(line, "Node %" SCNu64 ", zone %15s", &new.node, new.name) == 2) {
		new.index = z && z->node == new.node ? z->index + 1 : 0;
		GROW(room);
		room->v[room->n++] = new;
		return;
	}
	if (!z)
		return;
	if (sscanf(line, " pages free %" SCNu64, &pages) == 1)
		z->free = pages;
	else if (sscanf(line, " count: %" SCNu64, &pages) == 1)
		z->free += pages;
	else if (sscanf(line, " min %" SCNu64, &pages) == 1)
		z->min = pages;
	else if (sscanf(line, " present %" SCNu64, &pages) == 1)
		z->present = pages;
	else if (strstr(line, "protection:"))
		take_protection(z, line);
}

bool room_load(struct room *room)
{
	struct sb text = {0};
	char *save;

	*room = (struct room){0};
	if (!root_read(ROOT, "proc/zoneinfo", &text)) {
		sb_free(&text);
		return false;
	}
	for (char *line = text.len ? strtok_r(text.p, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		take_line(room, line);
	sb_free(&text);
	errno = EINVAL;
	return room->n;
}

void room_free(struct room *room)
{
	free(room->v);
	*room = (struct room){0};
}

static bool is_on(const struct room_zone *z, const struct memblock *b)
{
	return b->node >= 0 && z->node == (uint64_t)b->node;
}

static bool is_its_zone(const struct room_zone *z, const struct memblock *b)
{
	return is_on(z, b) && b->zones && !strcmp(z->name, b->zones);
}

static bool other_node_has_memory(const struct room *room,
				  const struct memblock *b)
{
	for (size_t i = 0; i < room->n; i++)
		if (room->v[i].present && !is_on(&room->v[i], b))
			return true;
	return false;
}

/* The index of the highest zone that pages of the block can go to. */
static size_t highest_zone(const struct room *room, const struct memblock *b)
{
	bool movable = b->zones && (!strcmp(b->zones, "Movable") ||
				    !strcmp(b->zones, "HighMem"));
	const char *name = movable ? "Movable" : "Normal";

	for (size_t i = 0; i < room->n; i++)
		if (!strcmp(room->v[i].name, name))
			return room->v[i].index;
	return movable ? ROOM_ZONES - 1 : 0;
}

/* The pages that a zone can receive. index is the highest zone they can go to. */
static uint64_t room_in(const struct room_zone *z, size_t index, uint64_t own_free)
{
	uint64_t keeps = z->min + own_free;

	if (z->index > index)
		return 0;
	if (index < ROOM_ZONES)
		keeps += z->protection[index];
	return z->free > keeps ? z->free - keeps : 0;
}

uint64_t room_for(const struct room *room, const struct memblock *b,
		  uint64_t free_inside)
{
	bool others = other_node_has_memory(room, b);
	size_t index = highest_zone(room, b);
	uint64_t sum = 0;

	for (size_t i = 0; i < room->n; i++) {
		const struct room_zone *z = &room->v[i];

		if (!others || !is_on(z, b))
			sum += room_in(z, index,
				       is_its_zone(z, b) ? free_inside : 0);
	}
	return sum;
}

void room_move(struct room *room, const struct memblock *b, uint64_t free_inside,
	       uint64_t used)
{
	bool others = other_node_has_memory(room, b);
	size_t index = highest_zone(room, b);

	for (size_t i = 0; i < room->n; i++) {
		struct room_zone *z = &room->v[i];

		if (is_its_zone(z, b))
			z->free -= z->free < free_inside ? z->free : free_inside;
	}
	/* The allocator begins with the highest zone. */
	for (size_t at = index + 1; at-- > 0 && used;)
		for (size_t i = 0; i < room->n && used; i++) {
			struct room_zone *z = &room->v[i];
			uint64_t pages;

			if (z->index != at || (others && is_on(z, b)))
				continue;
			pages = room_in(z, index, 0);
			pages = pages < used ? pages : used;
			z->free -= pages;
			used -= pages;
		}
}
