// SPDX-License-Identifier: GPL-2.0
/*
 * This reads struct page itself through /proc/kcore. The VMCOREINFO note there has its
 * size and the offsets of the counts. The variable vmemmap_base, whose address is in
 * /proc/kallsyms, has the address of the memmap. To find that takes long. If the
 * environment has the address, as PAGEREFS_MEMMAP, it is used instead.
 *
 * Before any result it proves that it looks at the right place. It takes a page of its
 * own, whose count must go up by exactly one when a pipe takes a reference, and go down
 * again.
 */
#include "memmap.h"
#include "common.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

/* The address on x86-64 with 4-level page tables and a memmap that is not randomised. */
#define DEFAULT_VMEMMAP UINT64_C(0xffffea0000000000)
#define CHUNK 1024

static int kcore;
static Elf64_Phdr *phdrs;
static int nr_phdrs;
static uint64_t page_struct_size, refcount_offset, mapcount_offset, vmemmap;

static void pread_all(void *buf, size_t len, uint64_t off)
{
	ssize_t n = pread(kcore, buf, len, (off_t)off);

	if (n < 0 || (size_t)n != len)
		die("/proc/kcore at 0x%" PRIx64 ": %s", off,
		    n < 0 ? strerror(errno) : "short read");
}

/* The segment of these addresses, or NULL. */
static const Elf64_Phdr *segment(uint64_t addr, size_t len)
{
	int i;

	for (i = 0; i < nr_phdrs; i++) {
		const Elf64_Phdr *p = &phdrs[i];

		if (p->p_type == PT_LOAD && addr >= p->p_vaddr &&
		    addr + len <= p->p_vaddr + p->p_memsz)
			return p;
	}
	return NULL;
}

static void read_virt(uint64_t addr, void *buf, size_t len)
{
	const Elf64_Phdr *p = segment(addr, len);

	if (!p)
		die("/proc/kcore does not have 0x%" PRIx64, addr);
	pread_all(buf, len, p->p_offset + addr - p->p_vaddr);
}

static uint64_t vmcoreinfo_number(const char *info, const char *key)
{
	const char *p = strstr(info, key);

	if (!p)
		die("VMCOREINFO has no %s", key);
	return strtoull(p + strlen(key), NULL, 10);
}

static void read_vmcoreinfo(void)
{
	int i;

	for (i = 0; i < nr_phdrs; i++) {
		size_t len = phdrs[i].p_filesz, pos = 0;
		char *notes;

		if (phdrs[i].p_type != PT_NOTE)
			continue;
		notes = calloc(1, len + 1);
		if (!notes)
			die("out of memory");
		pread_all(notes, len, phdrs[i].p_offset);
		while (pos + sizeof(Elf64_Nhdr) <= len) {
			Elf64_Nhdr n;
			size_t name, desc;

			memcpy(&n, notes + pos, sizeof(n));
			name = pos + sizeof(n);
			desc = name + ((n.n_namesz + 3) & ~(size_t)3);
			pos = desc + ((n.n_descsz + 3) & ~(size_t)3);
			if (pos > len || strcmp(notes + name, "VMCOREINFO"))
				continue;
			notes[desc + n.n_descsz] = '\0';
			page_struct_size = vmcoreinfo_number(notes + desc,
							     "\nSIZE(page)=");
			refcount_offset = vmcoreinfo_number(notes + desc,
						"\nOFFSET(page._refcount)=");
			mapcount_offset = vmcoreinfo_number(notes + desc,
						"\nOFFSET(page._mapcount)=");
			free(notes);
			return;
		}
		free(notes);
	}
	die("/proc/kcore has no VMCOREINFO");
}

static void read_vmemmap_base(void)
{
	const char *known = getenv("PAGEREFS_MEMMAP");
	char line[512];
	FILE *f;

	if (known) {
		vmemmap = parse_u64(known);
		return;
	}
	f = fopen("/proc/kallsyms", "r");
	if (!f)
		die("/proc/kallsyms: %s", strerror(errno));
	vmemmap = DEFAULT_VMEMMAP;
	while (fgets(line, sizeof(line), f)) {
		const char *name = strstr(line, " vmemmap_base");

		if (name && strspn(name + 13, "\n") == strlen(name + 13)) {
			read_virt(strtoull(line, NULL, 16), &vmemmap,
				  sizeof(vmemmap));
			break;
		}
	}
	fclose(f);
}

static void kcore_open(void)
{
	Elf64_Ehdr eh;

	kcore = open_or_die("/proc/kcore", O_RDONLY);
	pread_all(&eh, sizeof(eh), 0);
	if (memcmp(eh.e_ident, ELFMAG, SELFMAG))
		die("/proc/kcore: no ELF file");
	nr_phdrs = eh.e_phnum;
	phdrs = calloc((size_t)nr_phdrs, sizeof(*phdrs));
	if (!phdrs)
		die("out of memory");
	pread_all(phdrs, (size_t)nr_phdrs * sizeof(*phdrs), eh.e_phoff);
	read_vmcoreinfo();
	read_vmemmap_base();
}

void memmap_read(uint64_t pfn, uint64_t nr, struct memmap_page *pages)
{
	static unsigned char *buf;

	if (!buf)
		buf = malloc(CHUNK * page_struct_size);
	if (!buf)
		die("out of memory");
	while (nr) {
		uint64_t i, n = at_most(nr, CHUNK);

		read_virt(vmemmap + pfn * page_struct_size, buf,
			  n * page_struct_size);
		for (i = 0; i < n; i++) {
			unsigned char *page = buf + i * page_struct_size;

			memcpy(&pages[i].refs, page + refcount_offset,
			       sizeof(pages[i].refs));
			memcpy(&pages[i].mapcount, page + mapcount_offset,
			       sizeof(pages[i].mapcount));
		}
		pfn += n;
		pages += n;
		nr -= n;
	}
}

bool memmap_is_shown(uint64_t pfn, uint64_t nr)
{
	return segment(vmemmap + pfn * page_struct_size, nr * page_struct_size);
}

bool memmap_has_type(const struct memmap_page *page)
{
	return page->mapcount < -128;
}

static int32_t one_ref(uint64_t pfn)
{
	struct memmap_page page;

	memmap_read(pfn, 1, &page);
	return page.refs;
}

static void prove(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec iov = { .iov_base = p, .iov_len = page };
	int32_t before, during, after;
	int pipefd[2], i;
	uint64_t pfn, now;

	if (p == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	small_pages(p, page);
	/* The page may be migrated, or another task may hold it for a moment. */
	for (i = 0; i < 100; i++) {
		memset(p, 0x5a, page);
		pagemap_read(p, 1, &pfn);
		before = one_ref(pfn);
		if (pipe(pipefd))
			die("pipe: %s", strerror(errno));
		if (vmsplice(pipefd[1], &iov, 1, 0) != (ssize_t)page)
			die("vmsplice: %s", strerror(errno));
		during = one_ref(pfn);
		close(pipefd[0]);
		close(pipefd[1]);
		after = one_ref(pfn);
		pagemap_read(p, 1, &now);
		if (now == pfn && before > 0 && during == before + 1 &&
		    after == before) {
			munmap(p, page);
			return;
		}
	}
	die("the memmap is not where it was looked for: pfn %" PRIu64
	    " counts %d %d %d", pfn, before, during, after);
}

uint64_t memmap_open(void)
{
	kcore_open();
	prove();
	return vmemmap;
}
