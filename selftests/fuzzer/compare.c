// SPDX-License-Identifier: GPL-2.0
/*
 * Compares the state that kernel_observe() has read with the model, and reports the first
 * difference. It also takes from the kernel the two things that the model cannot
 * predict. These are the places of pages that the kernel chose (unplaced), and the number of
 * armed failures after an EBUSY whose cause is not known (armed_at_most).
 */
#include "common.h"
#include "kernel.h"

#include <stdio.h>
#include <string.h>

#define KB_PAGE	4

const char *const difference_names[NR_DIFFERENCES] = {
	"nothing", "result", "state of a block", "state of a page", "MemTotal",
	"list of ranges", "verify", "armed failures", "pages in use",
};

/*
 * If the model expects new pages at unknown places, takes their places from the list of
 * ranges. Returns false if their number or their owner is wrong.
 */
static bool place_pages(struct model *m)
{
	unsigned int i, nr = m->unplaced_owner ? seen.outside - m->outside : 0;

	if (!m->unplaced)
		return true;
	for (i = 0; i < world.nr_pages; i++)
		nr += seen.listed[i] && !m->page[i];
	if (nr != m->unplaced)
		return false;
	for (i = 0; i < world.nr_pages; i++) {
		if (!seen.listed[i] || m->page[i])
			continue;
		if ((seen.listed[i] & FOREIGN) != m->unplaced_owner)
			return false;
		m->page[i] = seen.listed[i];
	}
	m->outside = seen.outside;
	m->unplaced = 0;
	return true;
}

static bool compare_blocks(const struct model *m, char *detail)
{
	static const char *const names[] = { "offline", "in ZONE_MOVABLE",
					     "in ZONE_NORMAL" };
	unsigned int i;

	for (i = 0; i < world.nr_blocks; i++) {
		const struct block *want = &m->block[i], *got = &seen.block[i];
		int w = want->online ? 1 + want->normal : 0;
		int g = got->online ? 1 + got->normal : 0;

		if (w != g) {
			snprintf(detail, DETAIL, "block %u is %s, expected %s",
				 i, names[g], names[w]);
			return false;
		}
	}
	return true;
}

/* Says which flag of the page is wrong, or returns NULL. */
static const char *page_difference(uint64_t flags, unsigned char is, bool online)
{
	bool marked = online && is & MARKED;
	int bit = strcmp(world.skip, "native") ? KPF_OWNER_PRIVATE :
						 KPF_OFFLINE_SKIPPABLE;

	if ((flags >> KPF_OFFLINE & 1) != marked)
		return marked ? "is not PageOffline" : "is PageOffline";
	if ((marked || !online) && flags >> KPF_BUDDY & 1)
		return "is in the buddy allocator";
	if (marked && (flags >> bit & 1) != !!(is & SKIPPABLE))
		return is & SKIPPABLE ? "has no skippable bit" :
					"has the skippable bit";
	if (flags >> KPF_HWPOISON & 1)
		return "is hardware-poisoned";
	return NULL;
}

static bool compare_pages(const struct model *m, char *detail)
{
	const unsigned int bp = world.block_pages;
	const char *what = NULL;
	unsigned int i, first = 0, nr = 0;

	for (i = 0; i < world.nr_pages; i++) {
		const char *wrong = page_difference(seen.flags[i], m->page[i],
					    m->block[i / bp].online);

		if (wrong && !nr++) {
			first = i;
			what = wrong;
		}
	}
	if (nr)
		snprintf(detail, DETAIL, "page %u:%u %s; %u pages differ",
			 first / bp, first % bp, what, nr);
	return !nr;
}

/* Totals of the model: pages, and in the last member memory blocks. */
struct sums {
	long pages, block_offline, online, skippable, canary, broken, first_bad;
	long nr_offline_blocks;
};

static void sum_model(const struct model *m, struct sums *s)
{
	unsigned int i;

	*s = (struct sums){ .first_bad = -1 };
	for (i = 0; i < world.nr_blocks; i++)
		s->nr_offline_blocks += !m->block[i].online;
	for (i = 0; i < world.nr_pages; i++) {
		unsigned char is = m->page[i];

		if (!is)
			continue;
		s->pages++;
		if (!m->block[i / world.block_pages].online) {
			s->block_offline++;
			continue;
		}
		s->online++;
		s->skippable += !!(is & SKIPPABLE);
		s->canary += !!(is & CANARY);
		s->broken += !!(is & BROKEN);
		if (is & BROKEN && s->first_bad < 0)
			s->first_bad = (long)pfn_of(i);
	}
	/* The other client's pages are all skippable, and have a canary. */
	s->pages += m->outside;
	s->online += m->outside;
	s->skippable += m->outside;
	s->canary += m->outside;
}

static bool compare_total(const struct sums *s, char *detail)
{
	long want = base_total - KB_PAGE * (s->online + s->nr_offline_blocks *
					    (long)world.block_pages);

	if (seen.mem_total == want)
		return true;
	snprintf(detail, DETAIL, "MemTotal is %ld kB, and is to be %ld",
		 seen.mem_total, want);
	return false;
}

static bool compare_list(const struct model *m, char *detail)
{
	unsigned int i;

	for (i = 0; i < world.nr_pages; i++) {
		unsigned char want = m->page[i] & ~BROKEN;

		if (seen.listed[i] == want)
			continue;
		snprintf(detail, DETAIL, "page %u:%u is listed as %#x, and is to be %#x",
			 i / world.block_pages, i % world.block_pages,
			 seen.listed[i], want);
		return false;
	}
	return true;
}

static bool compare_verify(const struct sums *s, char *detail)
{
	const long want[NR_VERIFY] = {
		seen.verify[0], s->pages, s->block_offline, s->online,
		s->skippable, s->skippable, 0, 0, s->canary, s->broken,
		0, 0, s->first_bad,
	};
	size_t i;

	for (i = 0; i < NR_VERIFY; i++)
		if (seen.verify[i] != want[i]) {
			snprintf(detail, DETAIL, "%s is %ld, expected %ld",
				 verify_names[i], seen.verify[i], want[i]);
			return false;
		}
	return true;
}

/* If m->armed_at_most, fewer failures may be armed. The model then takes the kernel's count. */
static bool compare_armed(struct model *m, char *detail)
{
	int i;

	for (i = 0; i < NR_POINTS; i++) {
		struct injection *want = &m->inject[i], *got = &seen.inject[i];

		if (got->count == want->count ? !got->count ||
		    got->error == want->error :
		    m->armed_at_most && got->count < want->count) {
			want->count = got->count;
			continue;
		}
		snprintf(detail, DETAIL, "%s: %u armed with errno %d, expected %u with errno %d",
			 point_names[i], got->count, got->error, want->count,
			 want->error);
		return false;
	}
	m->armed_at_most = false;
	return true;
}

enum difference kernel_compare(struct model *m, char *detail)
{
	struct sums s;

	if (!place_pages(m)) {
		snprintf(detail, DETAIL, "the list does not have %u new pages",
			 m->unplaced);
		return LISTED;
	}
	sum_model(m, &s);
	if (!compare_blocks(m, detail))
		return BLOCK_STATE;
	if (!compare_pages(m, detail))
		return PAGE_FLAGS;
	if (!compare_total(&s, detail))
		return MEM_TOTAL;
	if (!compare_list(m, detail))
		return LISTED;
	if (!compare_verify(&s, detail))
		return VERIFIED;
	if (!compare_armed(m, detail))
		return ARMED;
	if (!compare_held(m, detail))
		return HELD;
	return SAME;
}
