// SPDX-License-Identifier: GPL-2.0
/*
 * The state of a page.
 *
 *	fo_pages_mark()		taken -> marked
 *	fo_pages_withhold()	fresh, of a block coming online -> marked
 *	fo_pages_make_free()	marked -> ready for the buddy
 *
 *	fo_pages_going_offline()  marked -> marked, and offlining skips it
 *	fo_pages_cancel_offline() and back
 *	fo_pages_step_aside()	marked -> marked, and in nobody's way
 *	fo_pages_step_back()	and back
 *
 * taken: allocated, ours, reference count COMPAT_TAKEN_COUNT. marked:
 * PageOffline; when it is skippable, also the skippable bit.
 *
 * A stock kernel skips a PageOffline page whose reference count is 0, in
 * scan_movable_pages(), __test_page_isolated_in_pageblock() and
 * __offline_isolated_pages(). Two ways to get there, a third one where the
 * kernel has a flag for it, and this file is the only one to know which is in
 * use:
 *
 * frozen: the count is frozen at 0 for as long as the page is marked. Nothing
 *	is to be done per page at hotplug time, and nobody can take a reference
 *	at any time: get_page_unless_zero() fails. A reference that somebody
 *	else holds already is found while marking.
 *
 * notifier: what virtio-mem does. The count is 1, dropped to 0 in
 *	MEM_GOING_OFFLINE and taken again in MEM_CANCEL_OFFLINE. A stray
 *	reference is found only when the block goes offline. virtio-mem warns
 *	and goes on; we refuse, since that reference's put would free the page
 *	into the buddy allocator.
 *
 * native: the kernel's PG_offline_skippable says it all. The count is 1, and
 *	nothing is to be done at hotplug time. A stray reference is found while
 *	marking; one that is taken later, the kernel reports and survives.
 *
 * With native, the skippable bit is that flag, KPF_OFFLINE_SKIPPABLE in
 * /proc/kpageflags. Else it is PG_owner_priv_1, free for the owner of a page on
 * every kernel, and seen from outside as KPF_OWNER_PRIVATE.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "compat.h"
#include "log.h"
#include "page_state.h"

/* How offlining is made to skip. Fixed while the module is loaded. */
static const char *const modes[] = { "frozen", "notifier", "native" };
static enum { FROZEN, NOTIFIER, NATIVE } mode;

/*
 * How often a page is tried that somebody may hold for a moment. The pauses
 * double, from a tenth of a millisecond: a tenth of a second in all.
 */
#define FO_ARM_TRIES	10
#define FO_FREEZE_TRIES	1000	/* where failing is no way out */

/**
 * fo_skip_mode_set() - choose how offlining is made to skip
 * @name: frozen, notifier or native
 *
 * Context: init, before the first page is marked.
 * Return: 0; -EINVAL: there is no such way; -EOPNOTSUPP: not on this kernel.
 */
int fo_skip_mode_set(const char *name)
{
	int i = match_string(modes, ARRAY_SIZE(modes), name);

	if (i < 0)
		return i;
	if (i == NATIVE && !COMPAT_SKIPS_BY_FLAG)
		return -EOPNOTSUPP;
	mode = i;
	return 0;
}

/** fo_skip_mode() - how offlining is made to skip, by name */
const char *fo_skip_mode(void)
{
	return modes[mode];
}

/* The kernel's flag is one of PageOffline pages only. */
static void set_skippable(struct page *page)
{
	if (mode == NATIVE)
		compat_set_offline_skippable(page);
	else
		set_bit(PG_owner_priv_1, compat_page_flags(page));
}

static void clear_skippable(struct page *page)
{
	if (mode == NATIVE)
		compat_clear_offline_skippable(page);
	else
		clear_bit(PG_owner_priv_1, compat_page_flags(page));
}

/**
 * fo_page_is_skippable() - does the page have the skippable bit?
 * @page: a marked page of an online block
 *
 * Context: any.
 * Return: whether it has.
 */
bool fo_page_is_skippable(struct page *page)
{
	if (mode == NATIVE)
		return compat_page_offline_skippable(page);
	return test_bit(PG_owner_priv_1, compat_page_flags(page));
}

/**
 * fo_page_expected_count() - the reference count of a marked page
 * @skippable: whether it is
 *
 * Context: any; not while its block is going offline.
 * Return: the count.
 */
int fo_page_expected_count(bool skippable)
{
	return skippable && mode == FROZEN ? 0 : 1;
}

/**
 * fo_pages_sound() - how many pages from here on are as marking left them
 * @first: first PFN
 * @last: last PFN, in the same sub-section of an online block
 * @skippable: whether they are to be
 *
 * That is PageOffline, the skippable bit or none, the reference count that goes
 * with it, and not on the buddy's lists. The memmap of a sub-section is in one
 * piece, so that a page costs little more than a look at it.
 *
 * Context: holds the gate's lock.
 * Return: the number of pages before the first that is not.
 */
unsigned long fo_pages_sound(unsigned long first, unsigned long last,
			     bool skippable)
{
	const int count = fo_page_expected_count(skippable);
	const unsigned long nr = last - first + 1;
	struct page *page = pfn_to_page(first);
	unsigned long n;

	for (n = 0; n < nr; n++, page++)
		if (!PageOffline(page) || PageBuddy(page) ||
		    page_ref_count(page) != count ||
		    fo_page_is_skippable(page) != skippable)
			break;
	return n;
}

/*
 * Gives a page of ours the reference count that it is to have. Fails on a stray
 * reference: if its count is not @count.
 */
static bool set_count(struct page *page, bool skippable, int count)
{
	if (!page_ref_freeze(page, count))
		return false;
	if (fo_page_expected_count(skippable))
		page_ref_unfreeze(page, 1);
	return true;
}

/* The same with the bit, for a PageOffline page. Inverse: disarm(). */
static bool arm(struct page *page, bool skippable, int count)
{
	if (!set_count(page, skippable, count))
		return false;
	if (skippable)
		set_skippable(page);
	return true;
}

/*
 * For a page just taken. Who finds pages by PFN, or in a page cache that it has
 * just left, may hold a reference for a moment.
 */
static bool set_count_patiently(struct page *page, bool skippable)
{
	unsigned int tries, pause_us = 100;

	for (tries = 0; tries < FO_ARM_TRIES; tries++) {
		if (set_count(page, skippable, COMPAT_TAKEN_COUNT))
			return true;
		usleep_range(pause_us, 2 * pause_us);
		pause_us *= 2;
	}
	fo_log("PFN %#lx has %d references of somebody else\n",
	       page_to_pfn(page),
	       page_ref_count(page) - COMPAT_TAKEN_COUNT);
	return false;
}

/* Leaves one reference, ours. The page is still PageOffline. */
static void disarm(struct page *page)
{
	if (!fo_page_is_skippable(page))
		return;
	clear_skippable(page);
	if (!page_ref_count(page))
		page_ref_unfreeze(page, 1);
}

/* Inverse of fo_pages_mark(), but for a reference that is ours then. */
static void unmark(unsigned long first, unsigned long last)
{
	unsigned long pfn;

	for (pfn = first; pfn <= last; pfn++) {
		struct page *page = pfn_to_page(pfn);

		disarm(page);
		__ClearPageOffline(page);
	}
}

/* Pages that were taken without a reference get one, as a put wants it. */
static void give_references(unsigned long first, unsigned long last)
{
	unsigned long pfn;

	for (pfn = first; !COMPAT_TAKEN_COUNT && pfn <= last; pfn++)
		page_ref_inc(pfn_to_page(pfn));
}

/**
 * fo_pages_mark() - make taken pages PageOffline
 * @first: first PFN
 * @last: last PFN
 * @skippable: with the skippable bit, or without
 *
 * The bracket page_offline_begin()/_end() keeps those who read memory by PFN,
 * like /proc/kcore, from reading a page while it turns PageOffline.
 *
 * Context: sleeps. The pages come from compat_alloc_contig(). Inverse:
 * fo_pages_make_free().
 * Return: 0; or -EBUSY with no page marked, and one reference to each ours:
 * somebody else has one, too.
 */
int fo_pages_mark(unsigned long first, unsigned long last, bool skippable)
{
	unsigned long pfn;
	int ret = 0;

	page_offline_begin();
	for (pfn = first; pfn <= last; pfn++) {
		struct page *page = pfn_to_page(pfn);

		if (!set_count_patiently(page, skippable)) {
			if (pfn > first)
				unmark(first, pfn - 1);
			give_references(pfn, last);
			ret = -EBUSY;
			break;
		}
		__SetPageOffline(page);
		if (skippable)
			set_skippable(page);
	}
	page_offline_end();
	return ret;
}

/**
 * fo_pages_withhold() - mark pages that the buddy has not seen yet
 * @first: first PFN
 * @last: last PFN
 * @skippable: with the skippable bit, or without
 *
 * Context: the online-page hook, sleeps. Nobody can find these pages yet, so
 * nobody can have a reference.
 */
void fo_pages_withhold(unsigned long first, unsigned long last, bool skippable)
{
	unsigned long pfn;

	page_offline_begin();
	for (pfn = first; pfn <= last; pfn++) {
		struct page *page = pfn_to_page(pfn);

		compat_fresh_to_offline(page);
		WARN_ON_ONCE(!arm(page, skippable, 1));
	}
	page_offline_end();
}

/**
 * fo_pages_going_offline() - let offlining skip these pages
 * @first: first PFN
 * @last: last PFN, both of skippable pages
 * @stray: filled in on failure: the PFN that has a stray reference
 *
 * Context: MEM_GOING_OFFLINE. Inverse: fo_pages_cancel_offline().
 * Return: 0, or -EBUSY with nothing changed.
 */
int fo_pages_going_offline(unsigned long first, unsigned long last,
			   unsigned long *stray)
{
	unsigned long pfn;

	if (mode != NOTIFIER)
		return 0;
	for (pfn = first; pfn <= last; pfn++) {
		if (page_ref_freeze(pfn_to_page(pfn), 1))
			continue;
		*stray = pfn;
		if (pfn > first)
			fo_pages_cancel_offline(first, pfn - 1);
		return -EBUSY;
	}
	return 0;
}

/**
 * fo_pages_cancel_offline() - undo fo_pages_going_offline()
 * @first: first PFN
 * @last: last PFN
 *
 * Context: MEM_CANCEL_OFFLINE.
 */
void fo_pages_cancel_offline(unsigned long first, unsigned long last)
{
	unsigned long pfn;

	if (mode != NOTIFIER)
		return;
	for (pfn = first; pfn <= last; pfn++)
		page_ref_unfreeze(pfn_to_page(pfn), 1);
}

/**
 * fo_pages_step_aside() - let pages beside these be taken
 * @first: first PFN
 * @last: last PFN
 * @skippable: whether these are
 *
 * Outside ZONE_MOVABLE, alloc_contig_range() does not isolate a page block with
 * a page in it that has a reference and cannot move, wherever in it the page
 * is (has_unmovable_pages(), which passes PageOffline pages for offlining only).
 * A page that has a stray reference, too, stays as it is.
 *
 * Context: any. Inverse: fo_pages_step_back(). No offlining in between.
 */
void fo_pages_step_aside(unsigned long first, unsigned long last,
			 bool skippable)
{
	unsigned long pfn;

	if (!fo_page_expected_count(skippable))
		return;
	for (pfn = first; pfn <= last; pfn++)
		page_ref_freeze(pfn_to_page(pfn), 1);
}

/**
 * fo_pages_step_back() - undo fo_pages_step_aside()
 * @first: first PFN
 * @last: last PFN
 * @skippable: whether these are
 *
 * Context: any.
 */
void fo_pages_step_back(unsigned long first, unsigned long last,
			bool skippable)
{
	unsigned long pfn;

	if (!fo_page_expected_count(skippable))
		return;
	for (pfn = first; pfn <= last; pfn++)
		if (!page_ref_count(pfn_to_page(pfn)))
			page_ref_unfreeze(pfn_to_page(pfn), 1);
}

/**
 * fo_pages_poisoned() - how many marked pages are hardware-poisoned
 * @first: first PFN
 * @last: last PFN, in the same online block
 *
 * Context: any.
 * Return: the number of pages.
 */
unsigned long fo_pages_poisoned(unsigned long first, unsigned long last)
{
	unsigned long pfn, n = 0;

	for (pfn = first; pfn <= last; pfn++)
		n += PageHWPoison(pfn_to_page(pfn));
	return n;
}

/**
 * fo_pages_set_skippable() - set or clear the skippable bit of marked pages
 * @first: first PFN
 * @last: last PFN
 * @skippable: what they are to be; they are the other
 *
 * Context: any. Its own inverse. The pages are in an online block.
 * Return: 0, or -EBUSY with nothing changed: somebody else has a reference.
 */
int fo_pages_set_skippable(unsigned long first, unsigned long last,
			   bool skippable)
{
	unsigned long pfn;

	for (pfn = first; pfn <= last; pfn++) {
		struct page *page = pfn_to_page(pfn);

		if (!skippable) {
			disarm(page);
		} else if (!arm(page, true, 1)) {
			while (pfn-- > first)
				disarm(pfn_to_page(pfn));
			return -EBUSY;
		}
	}
	return 0;
}

/**
 * fo_pages_make_free() - prepare marked pages for generic_online_page()
 * @first: first PFN
 * @last: last PFN, in the same online block
 *
 * generic_online_page() sets the reference count to 0 without looking, so it
 * must be frozen. Where it is not yet, somebody else may have a reference.
 *
 * The skippable bit is cleared atomically, though nobody else uses that bit:
 * memory_failure() sets another one of the same word, whenever it likes.
 *
 * Return: the number of pages before the first that generic_online_page() must
 * not have: it is hardware-poisoned, or somebody else has a reference. That one
 * is then taken, no longer marked.
 */
unsigned long fo_pages_make_free(unsigned long first, unsigned long last)
{
	unsigned long pfn;

	for (pfn = first; pfn <= last; pfn++) {
		struct page *page = pfn_to_page(pfn);

		if (PageHWPoison(page) ||
		    (page_ref_count(page) && !page_ref_freeze(page, 1))) {
			disarm(page);
			__ClearPageOffline(page);
			break;
		}
		clear_skippable(page);
		compat_before_generic_online(page);
	}
	return pfn - first;
}

/**
 * fo_page_refuse() - let one skippable page make offlining fail, late
 * @page: a marked skippable page, its block going offline
 *
 * Context: any. Inverse: fo_page_skip_again().
 */
void fo_page_refuse(struct page *page)
{
	if (mode == NATIVE)
		clear_skippable(page);
	else
		page_ref_unfreeze(page, 1);
}

/**
 * fo_page_skip_again() - undo fo_page_refuse()
 * @page: that page
 *
 * Who looks at pages by PFN may have taken a reference for a moment while there
 * was a count to take it from. It is waited for.
 *
 * Context: sleeps.
 */
void fo_page_skip_again(struct page *page)
{
	unsigned int tries;

	if (mode == NATIVE) {
		set_skippable(page);
		return;
	}
	for (tries = 0; !page_ref_freeze(page, 1); tries++) {
		if (tries == FO_FREEZE_TRIES) {
			pr_warn("PFN %#lx: somebody keeps a reference, it is not skippable any more\n",
				page_to_pfn(page));
			return;
		}
		usleep_range(1000, 2000);
	}
}

/* A different value in every word of memory, and never 0. */
static u64 canary_word(unsigned long pfn, unsigned int i)
{
	return (((u64)pfn << PAGE_SHIFT) + i * sizeof(u64)) *
	       0x9e3779b97f4a7c15ULL ^ 0xfa4e0ff11e5a1ad5ULL;
}

#define CANARY_WORDS	(PAGE_SIZE / sizeof(u64))

/**
 * fo_canary_fill() - fill pages with a pattern made from their PFNs
 * @first: first PFN
 * @last: last PFN
 *
 * Not for KASAN: see fo_canary_intact().
 *
 * Context: sleeps. The pages are taken or marked. Inverse: fo_canary_wipe().
 */
__no_sanitize_address void fo_canary_fill(unsigned long first,
					  unsigned long last)
{
	unsigned long pfn;

	for (pfn = first; pfn <= last; pfn++) {
		u64 *word = kmap_local_page(pfn_to_page(pfn));
		unsigned int i;

		for (i = 0; i < CANARY_WORDS; i++)
			word[i] = canary_word(pfn, i);
		kunmap_local(word);
		cond_resched();
	}
}

/**
 * fo_canary_wipe() - zero pages that hold a canary
 * @first: first PFN
 * @last: last PFN
 *
 * What the pages held tells their physical address, which is nothing that their
 * next owner should learn.
 *
 * Context: sleeps. Inverse: fo_canary_fill().
 */
void fo_canary_wipe(unsigned long first, unsigned long last)
{
	unsigned long pfn;

	for (pfn = first; pfn <= last; pfn++) {
		/* Touching memory that is known to be bad is a machine check. */
		if (!PageHWPoison(pfn_to_page(pfn)))
			clear_highpage(pfn_to_page(pfn));
		cond_resched();
	}
}

/**
 * fo_canary_break() - flip one bit of a page's canary, to see it found
 * @pfn: the page
 *
 * Not for KASAN: see fo_canary_intact().
 *
 * Context: any.
 */
__no_sanitize_address void fo_canary_break(unsigned long pfn)
{
	u64 *word = kmap_local_page(pfn_to_page(pfn));

	word[CANARY_WORDS / 2] ^= BIT_ULL(17);
	kunmap_local(word);
}

/**
 * fo_canary_intact() - does the page hold what fo_canary_fill() wrote?
 * @pfn: the page, in an online block
 *
 * Not for KASAN: a withheld page has never been through the page allocator
 * since its block came online, so its shadow says nothing.
 *
 * Context: any.
 * Return: whether it does.
 */
__no_sanitize_address bool fo_canary_intact(unsigned long pfn)
{
	u64 *word = kmap_local_page(pfn_to_page(pfn));
	bool intact = true;
	unsigned int i;

	for (i = 0; intact && i < CANARY_WORDS; i++)
		intact = word[i] == canary_word(pfn, i);
	kunmap_local(word);
	return intact;
}
