/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between the kernels that the module builds for, and the only
 * place that knows one.
 *
 * Each is found by probing the feature itself, never by a version number:
 * distributions backport. Each names the kernel change that made it necessary,
 * and a kernel that matches no probe does not compile. The rest of the module
 * is written to the newest interface.
 */
#ifndef FO_COMPAT_H
#define FO_COMPAT_H

#include <linux/build_bug.h>
#include <linux/gfp.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/page-flags.h>

/*
 * How a page looks before generic_online_page(), and who takes pages that are
 * PageOffline out of the managed pages when their block goes offline.
 *
 * Up to 6.10, the memmap of a block that comes online is PageReserved, and
 * offlining subtracts every page of the block from the managed pages. Since
 * "mm/memory_hotplug: initialize memmap of !ZONE_DEVICE with PageOffline()
 * instead of PageReserved()" and "mm/memory_hotplug: skip
 * adjust_managed_page_count() for PageOffline() pages when offlining" (one
 * series, 6.11) it is PageOffline, and such pages are left out of the sum. The
 * latter made __offline_isolated_pages() return the number of managed pages;
 * that is what the probe looks at.
 */
#define COMPAT_OFFLINING_RETURNS(type) \
	__builtin_types_compatible_p(typeof(__offline_isolated_pages(0, 0)), type)

static_assert(COMPAT_OFFLINING_RETURNS(void) ||
	      COMPAT_OFFLINING_RETURNS(unsigned long),
	      "unknown rule for managed pages: see __offline_isolated_pages()");

/* True: the kernel subtracts PageOffline pages too when a block goes offline. */
#define COMPAT_OFFLINING_SUBTRACTS_PAGE_OFFLINE	COMPAT_OFFLINING_RETURNS(void)

/**
 * compat_fresh_to_offline() - turn a page that the hook was handed PageOffline
 * @page: a page of a block that is coming online, not given to the buddy
 *
 * Inverse: generic_online_page() by way of compat_before_generic_online().
 */
static inline void compat_fresh_to_offline(struct page *page)
{
	if (COMPAT_OFFLINING_SUBTRACTS_PAGE_OFFLINE) {
		ClearPageReserved(page);
		__SetPageOffline(page);
	}
}

/**
 * compat_before_generic_online() - make a PageOffline page what
 * generic_online_page() expects
 * @page: a page that is PageOffline
 *
 * The new generic_online_page() clears PageOffline itself and insists on it,
 * the old one knows nothing of it.
 */
static inline void compat_before_generic_online(struct page *page)
{
	if (COMPAT_OFFLINING_SUBTRACTS_PAGE_OFFLINE)
		__ClearPageOffline(page);
}

/*
 * The third argument of alloc_contig_range() was a migratetype until
 * "mm/page_isolation: remove migratetype parameter from more functions" (6.17)
 * made it acr_flags_t.
 */
#ifdef alloc_contig_range	/* 6.10: a macro over the _noprof function */
#define COMPAT_ALLOC_CONTIG_RANGE	alloc_contig_range_noprof
#else
#define COMPAT_ALLOC_CONTIG_RANGE	alloc_contig_range
#endif

#ifdef ACR_FLAGS_NONE
#define COMPAT_ALLOC_CONTIG_HOW	ACR_FLAGS_NONE
#define COMPAT_ALLOC_CONTIG_HOW_TYPE	acr_flags_t
#else
#define COMPAT_ALLOC_CONTIG_HOW	MIGRATE_MOVABLE
#define COMPAT_ALLOC_CONTIG_HOW_TYPE	unsigned int
#endif

static_assert(__builtin_types_compatible_p(typeof(COMPAT_ALLOC_CONTIG_RANGE),
					   int(unsigned long, unsigned long,
					       COMPAT_ALLOC_CONTIG_HOW_TYPE,
					       gfp_t)),
	      "unknown signature of alloc_contig_range()");

/*
 * Pages whose reference count is 0 from the start, so that no task can ever have
 * taken a reference: alloc_contig_frozen_range(), exported since "mm: page_alloc:
 * add alloc_contig_frozen_{range,pages}()" (6.20/7.0). Elsewhere the count is 1.
 */
#ifdef alloc_contig_frozen_range
#define COMPAT_ALLOC_CONTIG	alloc_contig_frozen_range
#define COMPAT_TAKEN_COUNT	0
#else
#define COMPAT_ALLOC_CONTIG	alloc_contig_range
#define COMPAT_TAKEN_COUNT	1
#endif

/**
 * compat_alloc_contig() - allocate exactly these pages
 * @start: first PFN
 * @end: one past the last PFN, in the same zone as @start
 * @gfp: allocation flags
 *
 * Context: may sleep. The memory map of the range must be online and stay so.
 * Return: 0, and the pages' reference count is COMPAT_TAKEN_COUNT; -EBUSY,
 * -ENOMEM, -EINTR.
 */
static inline int compat_alloc_contig(unsigned long start, unsigned long end,
				      gfp_t gfp)
{
	return COMPAT_ALLOC_CONTIG(start, end, COMPAT_ALLOC_CONTIG_HOW, gfp);
}

/*
 * PG_offline_skippable: a kernel that has it skips by itself what is marked. No
 * released one does; see kernel/. Kbuild looks whether page-flags.h knows it: the
 * preprocessor can be asked for neither an enumerator nor an inline function.
 */
#ifdef COMPAT_HAVE_OFFLINE_SKIPPABLE
#define COMPAT_SKIPS_BY_FLAG	true
#define compat_page_offline_skippable(page)	PageOfflineSkippable(page)
/* Atomic, as memory_failure() may set another bit of the same word. */
#define compat_set_offline_skippable(page)	\
	set_bit(PG_offline_skippable, compat_page_flags(page))
#define compat_clear_offline_skippable(page)	\
	clear_bit(PG_offline_skippable, compat_page_flags(page))
#else
#define COMPAT_SKIPS_BY_FLAG	false
#define compat_page_offline_skippable(page)	((void)(page), false)
#define compat_set_offline_skippable(page)	((void)(page))
#define compat_clear_offline_skippable(page)	((void)(page))
#endif

/*
 * page->flags was an unsigned long until "mm: introduce memdesc_flags_t"
 * (6.18) wrapped it into a structure of one. Bit operations want the long.
 */
static_assert(sizeof_field(struct page, flags) == sizeof(unsigned long),
	      "unknown layout of page->flags");

static inline unsigned long *compat_page_flags(struct page *page)
{
	return (unsigned long *)&page->flags;
}

/*
 * The kernel keeps a few bits for each page block, in its section. No function that
 * reads them is exported.
 */
static inline unsigned long compat_pageblock_bits(unsigned long pfn)
{
	const unsigned long *bits = section_to_usemap(__pfn_to_section(pfn));
	unsigned long block = (pfn & (PAGES_PER_SECTION - 1)) >> pageblock_order;
	unsigned long bit = block * NR_PAGEBLOCK_BITS;

	return READ_ONCE(bits[BIT_WORD(bit)]) >> (bit % BITS_PER_LONG);
}

/*
 * That a page block is isolated was the migratetype MIGRATE_ISOLATE until
 * "mm/page_isolation: make page isolation a standalone bit" (6.17), which also
 * renamed the mask of the migratetype.
 */
static inline bool compat_is_isolated(unsigned long pfn)
{
#ifdef PAGEBLOCK_ISO_MASK
	return compat_pageblock_bits(pfn) & PAGEBLOCK_ISO_MASK;
#else
	return (compat_pageblock_bits(pfn) & MIGRATETYPE_MASK) ==
	       MIGRATE_ISOLATE;
#endif
}

static inline unsigned int compat_migratetype(unsigned long pfn)
{
#ifdef PAGEBLOCK_MIGRATETYPE_MASK
	return compat_pageblock_bits(pfn) & PAGEBLOCK_MIGRATETYPE_MASK;
#else
	return compat_pageblock_bits(pfn) & MIGRATETYPE_MASK;
#endif
}

/*
 * A page with movable_ops, like a balloon's: __PageMovable(), a tag in
 * page->mapping, until "mm: rename __PageMovable() to page_has_movable_ops()"
 * (6.17), which also made it a property of the page's type.
 */
static inline bool compat_page_has_movable_ops(struct page *page)
{
#ifdef PAGE_MAPPING_MOVABLE
	return __PageMovable(page);
#else
	return page_has_movable_ops(page);
#endif
}

#endif /* FO_COMPAT_H */
