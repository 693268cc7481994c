// SPDX-License-Identifier: GPL-2.0
/*
 * The state of a page.
 *
 *	fo_pages_mark()		taken -> marked
 *	fo_pages_withhold()	fresh, of a block coming online -> marked
 *	fo_pages_make_free()	marked -> ready for the buddy
 *
 *	fo_pages_drop_refs()	marked -> marked, with the reference count 0
 *	fo_pages_restore_refs()	and back
 *
 * taken: allocated by the module, reference count COMPAT_TAKEN_COUNT. marked:
 * PageOffline; when it is skippable, also the skippable bit.
 *
 * A stock kernel skips a PageOffline page whose reference count is 0, in
 * scan_movable_pages(), __test_page_isolated_in_pageblock() and
 * __offline_isolated_pages(). Two ways to get there, a third one where the
 * kernel has a flag for it, and this file is the only one to know which is in
 * use:
 *
 * frozen: the count is frozen at 0 for as long as the page is marked, skippable or
 *	not. Nothing is to be done per page at hotplug time. No task can take a
 *	reference, because get_page_unless_zero() fails, so no put of another task
 *	can free the page. Marking finds a reference that another task holds
 *	already. The kernel would skip an unskippable page, too, so the module's
 *	notifier refuses the offlining of its block.
 *
 * notifier: what virtio-mem does. The count is 1, dropped to 0 in
 *	MEM_GOING_OFFLINE and taken again in MEM_CANCEL_OFFLINE. A stray
 *	reference is found only when the block goes offline. virtio-mem warns
 *	and continues. The module refuses, because the put of that reference would
 *	free the page into the buddy allocator.
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
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "compat.h"
#include "page_state.h"

/* How offlining is made to skip. Fixed while the module is loaded. */
static const char *const modes[] = { "frozen", "notifier", "native" };
static enum { FROZEN, NOTIFIER, NATIVE } mode;

/*
 * How often a page is tried that another task may hold for a moment. The pauses
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

/** fo_page_expected_count() - of a marked page whose block is not going offline */
int fo_page_expected_count(void)
{
	return mode == FROZEN ? 0 : 1;
}

/** fo_skips_unskippable() - would the kernel skip an unskippable page, too? */
bool fo_skips_unskippable(void)
{
	return mode == FROZEN;
}

/**
 * fo_pages_sound() - how many pages from here on are as marking left them
 * @pfns: in the same sub-section of an online block
 * @skippable: whether they are to be
 *
 * That is PageOffline, the skippable bit or none, the reference count that goes
 * with it, not poisoned, and not on the buddy's lists. The memmap of a sub-section
 * is contiguous, so the check of a page costs little more than reading it.
 *
 * Context: holds fo_lock.
 * Return: the number of pages before the first that is not.
 */
unsigned long fo_pages_sound(struct pfn_range pfns, bool skippable)
{
	const int count = fo_page_expected_count();
	const unsigned long nr = nr_pfns(pfns);
	struct page *page = pfn_to_page(pfns.first);
	unsigned long n;

	for (n = 0; n < nr; n++, page++)
		if (!PageOffline(page) || PageBuddy(page) ||
		    PageHWPoison(page) || page_ref_count(page) != count ||
		    fo_page_is_skippable(page) != skippable)
			break;
	return n;
}

/*
 * Gives a taken page the reference count of a marked one. Fails on a stray
 * reference: if its count is not @count.
 */
static bool set_count(struct page *page, int count)
{
	if (!page_ref_freeze(page, count))
		return false;
	if (fo_page_expected_count())
		page_ref_unfreeze(page, 1);
	return true;
}

/*
 * For a page just taken. A task that finds pages by PFN, or in a page cache that
 * the page has just left, may hold a reference for a moment.
 */
static bool set_count_patiently(struct page *page)
{
	unsigned int tries, pause_us = 100;

	for (tries = 0; tries < FO_ARM_TRIES; tries++) {
		if (set_count(page, COMPAT_TAKEN_COUNT))
			return true;
		usleep_range(pause_us, 2 * pause_us);
		pause_us *= 2;
	}
	return false;
}

/* Leaves one reference, the module's. The page is still PageOffline. */
static void unmark_page(struct page *page)
{
	clear_skippable(page);
	if (!page_ref_count(page))
		page_ref_unfreeze(page, 1);
	__ClearPageOffline(page);
}

/**
 * fo_pages_mark() - make taken pages PageOffline
 * @pfns: the pages
 * @skippable: with the skippable bit, or without
 * @stray: filled in on failure: the page with a reference of another task
 *
 * The bracket page_offline_begin()/_end() keeps those who read memory by PFN,
 * like /proc/kcore, from reading a page while it turns PageOffline.
 *
 * Context: sleeps. The pages come from compat_alloc_contig(). Inverse:
 * fo_pages_make_free().
 * Return: 0; or -EBUSY with no page marked, and one reference to each page the
 * module's: another task has one, too.
 */
int fo_pages_mark(struct pfn_range pfns, bool skippable, unsigned long *stray)
{
	unsigned long pfn;

	page_offline_begin();
	for_each_pfn(pfn, pfns) {
		struct page *page = pfn_to_page(pfn);

		if (!set_count_patiently(page))
			break;
		__SetPageOffline(page);
		if (skippable)
			set_skippable(page);
	}
	page_offline_end();
	if (pfn > pfns.last)
		return 0;
	*stray = pfn;
	/* A put wants a reference, also to pages that were taken without one. */
	for (; !COMPAT_TAKEN_COUNT && pfn <= pfns.last; pfn++)
		page_ref_inc(pfn_to_page(pfn));
	for (pfn = pfns.first; pfn < *stray; pfn++)
		unmark_page(pfn_to_page(pfn));
	return -EBUSY;
}

/**
 * fo_pages_withhold() - mark pages that the buddy has not seen yet
 * @pfns: the pages
 * @skippable: with the skippable bit, or without
 *
 * Context: the online-page hook, sleeps. No task can find these pages yet, so
 * no task can have a reference.
 */
void fo_pages_withhold(struct pfn_range pfns, bool skippable)
{
	unsigned long pfn;

	page_offline_begin();
	for_each_pfn(pfn, pfns) {
		struct page *page = pfn_to_page(pfn);

		compat_fresh_to_offline(page);
		WARN_ON_ONCE(!set_count(page, 1));
		if (skippable)
			set_skippable(page);
	}
	page_offline_end();
}

/** fo_drops_refs_to_offline() - must skippable pages lose their reference first? */
bool fo_drops_refs_to_offline(void)
{
	return mode == NOTIFIER;
}

/**
 * fo_pages_drop_refs() - set the reference count of marked pages to 0
 * @pfns: the pages
 * @stray: filled in on failure: the page with a reference of another task; or
 *	NULL, and such a page stays as it is
 *
 * With the way *notifier*, offlining then skips these pages. And outside
 * ZONE_MOVABLE, alloc_contig_range() does not isolate a page block with a page in
 * it that has a reference and cannot move, wherever in it the page is
 * (has_unmovable_pages(), which passes PageOffline pages for offlining only). With
 * *frozen* the count is 0 already.
 *
 * Context: any. Inverse: fo_pages_restore_refs().
 * Return: 0, or -EBUSY with nothing changed.
 */
int fo_pages_drop_refs(struct pfn_range pfns, unsigned long *stray)
{
	unsigned long pfn;

	for_each_pfn(pfn, pfns) {
		if (page_ref_freeze(pfn_to_page(pfn), 1) || !stray)
			continue;
		*stray = pfn;
		fo_pages_restore_refs(pfns_until(pfns.first, pfn));
		return -EBUSY;
	}
	return 0;
}

/**
 * fo_pages_restore_refs() - undo fo_pages_drop_refs()
 * @pfns: the pages
 *
 * Context: any.
 */
void fo_pages_restore_refs(struct pfn_range pfns)
{
	unsigned long pfn;

	for_each_pfn(pfn, pfns)
		if (!page_ref_count(pfn_to_page(pfn)))
			page_ref_unfreeze(pfn_to_page(pfn), 1);
}

/**
 * fo_pages_poisoned() - how many marked pages are hardware-poisoned
 * @pfns: in the same online block
 *
 * Context: any.
 * Return: the number of pages.
 */
unsigned long fo_pages_poisoned(struct pfn_range pfns)
{
	unsigned long pfn, n = 0;

	for_each_pfn(pfn, pfns)
		n += PageHWPoison(pfn_to_page(pfn));
	return n;
}

/**
 * fo_page_is_retired() - has the kernel taken this page out of use for good?
 * @page: a page of an online block
 *
 * memory_failure() and soft_offline_page() do that. But memory_failure() also poisons
 * pages that it cannot free, and these stay in use: parts of huge pages, page tables,
 * slab pages, and pages that are still mapped or on an LRU list. A poisoned page of the
 * kernel that has no type looks like a retired page, and counts as one.
 *
 * Context: any.
 * Return: whether it has.
 */
bool fo_page_is_retired(struct page *page)
{
	struct folio *folio;

	if (!PageHWPoison(page) || PageCompound(page) || PageBuddy(page))
		return false;
	folio = page_folio(page);
	/* A page that was migrated for soft_offline_page() keeps its mapping. */
	return !PageReserved(page) && !PageTable(page) && !folio_test_slab(folio) &&
	       !folio_test_lru(folio) && atomic_read(&page->_mapcount) < 0;
}

/**
 * fo_pages_hold() - mark pages that the kernel has retired already
 * @pfns: all fo_page_is_retired() and not marked
 *
 * They are out of use, so they stay as they are. A reference to each keeps
 * unpoison_memory() from freeing it. A page whose count is 0 gets none, because no put
 * can free it.
 *
 * Context: any. Inverse: fo_pages_let_go().
 */
void fo_pages_hold(struct pfn_range pfns)
{
	unsigned long pfn;

	for_each_pfn(pfn, pfns)
		get_page_unless_zero(pfn_to_page(pfn));
}

/**
 * fo_pages_let_go() - undo fo_pages_hold()
 * @pfns: those pages
 *
 * Context: may sleep.
 */
void fo_pages_let_go(struct pfn_range pfns)
{
	unsigned long pfn;

	for_each_pfn(pfn, pfns)
		if (page_ref_count(pfn_to_page(pfn)) > 1)
			put_page(pfn_to_page(pfn));
}

/**
 * fo_pages_set_skippable() - set or clear the skippable bit of marked pages
 * @pfns: in an online block
 * @skippable: what they are to be
 *
 * Context: any. Its own inverse.
 */
void fo_pages_set_skippable(struct pfn_range pfns, bool skippable)
{
	unsigned long pfn;

	for_each_pfn(pfn, pfns) {
		if (skippable)
			set_skippable(pfn_to_page(pfn));
		else
			clear_skippable(pfn_to_page(pfn));
	}
}

/**
 * fo_pages_make_free() - prepare marked pages for generic_online_page()
 * @pfns: in the same online block
 *
 * generic_online_page() sets the reference count to 0 without looking, so it
 * must be frozen. If it is not frozen yet, another task may have a reference.
 *
 * The skippable bit is cleared atomically, because memory_failure() may set
 * another bit of the same word at any time.
 *
 * Context: any.
 * Return: the number of pages before the first that generic_online_page() must
 * not have, because it is hardware-poisoned or another task has a reference to
 * it. fo_page_put() is for that one.
 */
unsigned long fo_pages_make_free(struct pfn_range pfns)
{
	unsigned long pfn;

	for_each_pfn(pfn, pfns) {
		struct page *page = pfn_to_page(pfn);

		if (PageHWPoison(page) ||
		    (page_ref_count(page) && !page_ref_freeze(page, 1)))
			break;
		clear_skippable(page);
		compat_before_generic_online(page);
	}
	return pfn - pfns.first;
}

/**
 * fo_page_put() - give back a page that generic_online_page() must not have
 * @page: a marked page
 *
 * The last put frees it, unless it is hardware-poisoned. Then it stays out of
 * use: a page that was marked first keeps the reference that memory_failure()
 * would hold.
 *
 * Context: may sleep. Inverse: fo_pages_mark().
 */
void fo_page_put(struct page *page)
{
	unmark_page(page);
	adjust_managed_page_count(page, 1);
	if (!PageHWPoison(page))
		__free_page(page);
}

/**
 * fo_page_refuse() - let one skippable page make offlining fail, late
 * @page: a marked skippable page, its block going offline
 *
 * With frozen and notifier, the page then has a reference count that another task
 * may add to. Until fo_page_skip_again(), that task's put could be the last one.
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
 * A task that looks at pages by PFN may have taken a reference for a moment, while
 * there was a count to take it from. This function waits for it.
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
			pr_warn("PFN %#lx: another task keeps a reference, the page is no longer skippable\n",
				page_to_pfn(page));
			return;
		}
		usleep_range(1000, 2000);
	}
}
