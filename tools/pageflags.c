// SPDX-License-Identifier: GPL-2.0
/* The state of each page, by /proc/kpageflags. */
#include "pageflags.h"
#include "sysroot.h"

#include <errno.h>
#include <linux/kernel-page-flags.h>
#include <string.h>
#include <unistd.h>

/* The kernel shows this flag, but only its internal header defines it. */
#define KPF_RESERVED 32

#define BIT(n) (UINT64_C(1) << (n))

bool pageflags_open(struct pageflags *pf)
{
	pf->fd = root_open_read(ROOT, "proc/kpageflags");
	return pf->fd >= 0;
}

void pageflags_close(struct pageflags *pf)
{
	if (pf->fd >= 0)
		close(pf->fd);
	pf->fd = -1;
}

static enum page_class classify(uint64_t flags, bool movable)
{
	if (flags & BIT(KPF_NOPAGE))
		return PAGE_HOLE;
	if (flags & BIT(KPF_HWPOISON))
		return PAGE_POISONED;
	if (flags & BIT(KPF_OFFLINE))
		return PAGE_OFFLINE;
	if (flags & BIT(KPF_BUDDY))
		return PAGE_FREE;
	if (flags & BIT(KPF_RESERVED))
		return PAGE_RESERVED;
	if (flags & (BIT(KPF_SLAB) | BIT(KPF_PGTABLE)))
		return PAGE_KERNEL;
	if (flags & (BIT(KPF_LRU) | BIT(KPF_ANON) | BIT(KPF_MMAP) |
		     BIT(KPF_HUGE) | BIT(KPF_THP) | BIT(KPF_SWAPBACKED) |
		     BIT(KPF_UNEVICTABLE)))
		return PAGE_IN_USE;
	return movable ? PAGE_FREE : PAGE_KERNEL;
}

/*
 * Reads the flags of up to nr pages from pfn on. Returns the number of pages, which is 0
 * behind the last page, or -1 with errno.
 */
static ssize_t read_flags(const struct pageflags *pf, uint64_t pfn,
			  uint64_t *flags, size_t nr)
{
	ssize_t n;

	if (pfn > INT64_MAX / sizeof(*flags))
		return 0;
	do
		n = pread(pf->fd, flags, nr * sizeof(*flags),
			  (off_t)(pfn * sizeof(*flags)));
	while (n < 0 && errno == EINTR && !signals_seen());
	return n < 0 ? n : n / (ssize_t)sizeof(*flags);
}

bool pageflags_read(const struct pageflags *pf, uint64_t pfn, size_t nr,
		    bool movable, unsigned char *classes)
{
	uint64_t buf[4096];

	while (nr) {
		size_t want = nr < ARRAY_SIZE(buf) ? nr : ARRAY_SIZE(buf);
		ssize_t got = read_flags(pf, pfn, buf, want);

		if (got < 0)
			return false;
		for (ssize_t i = 0; i < got; i++)
			classes[i] = (unsigned char)classify(buf[i], movable);
		if (!got) {
			/* The rest lies behind the last page. */
			memset(classes, PAGE_HOLE, nr);
			return true;
		}
		classes += got;
		pfn += (size_t)got;
		nr -= (size_t)got;
	}
	return true;
}

bool pageflags_count(const struct pageflags *pf, struct span span,
		     unsigned int flag, uint64_t *count)
{
	uint64_t buf[4096];

	*count = 0;
	while (span.nr) {
		size_t want = span.nr < ARRAY_SIZE(buf) ? (size_t)span.nr :
							  ARRAY_SIZE(buf);
		ssize_t got = read_flags(pf, span.pfn, buf, want);

		if (got <= 0)
			return !got;
		for (ssize_t i = 0; i < got; i++)
			*count += buf[i] >> flag & 1;
		span.pfn += (size_t)got;
		span.nr -= (size_t)got;
	}
	return true;
}

bool pageflags_census(const struct pageflags *pf, struct span span,
		      bool movable, struct page_census *census)
{
	unsigned char classes[4096];

	*census = (struct page_census){0};
	while (span.nr) {
		size_t nr = span.nr < sizeof(classes) ? (size_t)span.nr :
							sizeof(classes);

		if (!pageflags_read(pf, span.pfn, nr, movable, classes))
			return false;
		for (size_t i = 0; i < nr; i++)
			if (!census->n[classes[i]]++)
				census->first[classes[i]] = span.pfn + i;
		span.pfn += nr;
		span.nr -= nr;
	}
	return true;
}
