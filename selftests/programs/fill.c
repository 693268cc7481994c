// SPDX-License-Identifier: GPL-2.0
#include "fill.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * The number of pages that are left above the kernel's own reserves. A single touch can
 * move a batch of pages from a zone to the list of this CPU: 63 on 6.1, 189 on 6.12 when
 * percpu_pagelist_high_fraction keeps these lists short. If that crosses the watermark,
 * the kernel kills a process, however many pages that list has.
 */
#define SLACK 256
/* One word in this number of bytes of a page is written and compared. */
#define STRIDE 64

static int oom_score(const char *score)
{
	int fd = open_or_die("/proc/self/oom_score_adj", 1 /* O_WRONLY */);
	int ret = write(fd, score, strlen(score)) == (ssize_t)strlen(score);

	close(fd);
	return ret;
}

void fill_init(struct fill *f, bool shared, bool huge)
{
	int flags = MAP_ANONYMOUS | MAP_NORESERVE;

	/* If the kernel must kill a process, it kills this one. */
	if (!oom_score("1000"))
		die("oom_score_adj: %s", strerror(errno));
	f->page_size = (size_t)sysconf(_SC_PAGESIZE);
	f->max = (size_t)sysconf(_SC_PHYS_PAGES) * 2;
	f->nr = 0;
	f->base = mmap(NULL, f->max * f->page_size, PROT_READ | PROT_WRITE,
		       flags | (shared ? MAP_SHARED : MAP_PRIVATE), -1, 0);
	if (f->base == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	if (!huge)
		small_pages(f->base, f->max * f->page_size);
}

static uint64_t pattern(size_t i, size_t word)
{
	return (i * UINT64_C(0x9e3779b97f4a7c15)) ^ (word + 1);
}

void fill_write(struct fill *f, size_t i)
{
	volatile uint64_t *p = (uint64_t *)(f->base + i * f->page_size);
	size_t w;

	for (w = 0; w < f->page_size / sizeof(*p); w += STRIDE / sizeof(*p))
		p[w] = pattern(i, w);
}

bool fill_intact(const struct fill *f, size_t i)
{
	const volatile uint64_t *p;
	size_t w;

	p = (const uint64_t *)(f->base + i * f->page_size);
	for (w = 0; w < f->page_size / sizeof(*p); w += STRIDE / sizeof(*p))
		if (p[w] != pattern(i, w))
			return false;
	return true;
}

size_t fill_more(struct fill *f, size_t limit)
{
	long left = pages_to_get() - SLACK;
	size_t i, n;

	if (left <= 0)
		return 0;
	/* Towards the end, steps are smaller and no page is huge. */
	n = left > 16 ? (size_t)left / 2 : 1;
	if (left < 8192 && f->nr < f->max)
		small_pages(f->base + f->nr * f->page_size,
			    (f->max - f->nr) * f->page_size);
	if (n > limit)
		n = limit;
	if (n > f->max - f->nr)
		die("more memory than there is");
	for (i = 0; i < n; i++)
		fill_write(f, f->nr + i);
	f->nr += n;
	return n;
}
