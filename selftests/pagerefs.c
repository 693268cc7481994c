// SPDX-License-Identifier: GPL-2.0
/*
 * pagerefs: the reference counts of pages, read from the kernel's memmap.
 *
 *   pagerefs RANGE...
 *
 * prints "pages N", "ref0 N", "ref1 N", "refmore N". `pagerefs --memmap` prints
 * the address of the memmap, which takes long to find; where it is in the
 * environment, as PAGEREFS_MEMMAP, it is not looked for again.
 *
 * No file of the kernel shows a page's reference count (/proc/kpagecount is the
 * mappings), so this reads struct page itself through /proc/kcore: its size and
 * the offset of the count come from the VMCOREINFO note there, the memmap's
 * address from the variable vmemmap_base, whose address is in /proc/kallsyms.
 *
 * Before it says anything it proves that it looks at the right place: a page
 * of its own, whose count must go up by exactly one when a pipe takes a
 * reference to it, and down again.
 */
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

/* x86-64 with 4-level page tables and a memmap that is not randomised */
#define DEFAULT_VMEMMAP UINT64_C(0xffffea0000000000)
#define CHUNK 1024

static int kcore;
static Elf64_Phdr *phdrs;
static int nr_phdrs;
static uint64_t page_struct_size, refcount_offset, vmemmap;

static void pread_all(void *buf, size_t len, uint64_t off)
{
	ssize_t n = pread(kcore, buf, len, (off_t)off);

	if (n < 0 || (size_t)n != len)
		die("/proc/kcore at 0x%" PRIx64 ": %s", off,
		    n < 0 ? strerror(errno) : "short read");
}

static void read_virt(uint64_t addr, void *buf, size_t len)
{
	int i;

	for (i = 0; i < nr_phdrs; i++) {
		const Elf64_Phdr *p = &phdrs[i];

		if (p->p_type == PT_LOAD && addr >= p->p_vaddr &&
		    addr + len <= p->p_vaddr + p->p_memsz) {
			pread_all(buf, len, p->p_offset + addr - p->p_vaddr);
			return;
		}
	}
	die("/proc/kcore does not have 0x%" PRIx64, addr);
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

static void read_refs(uint64_t pfn, uint64_t nr, int32_t *refs)
{
	static unsigned char *buf;
	uint64_t i;

	if (!buf)
		buf = malloc(CHUNK * page_struct_size);
	if (!buf)
		die("out of memory");
	read_virt(vmemmap + pfn * page_struct_size, buf, nr * page_struct_size);
	for (i = 0; i < nr; i++)
		memcpy(&refs[i], buf + i * page_struct_size + refcount_offset,
		       sizeof(refs[i]));
}

static int32_t one_ref(uint64_t pfn)
{
	int32_t ref;

	read_refs(pfn, 1, &ref);
	return ref;
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

	if (p == MAP_FAILED || madvise(p, page, MADV_NOHUGEPAGE))
		die("mmap: %s", strerror(errno));
	/* The page may be migrated, or be in somebody's hand for a moment. */
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

int main(int argc, char **argv)
{
	static int32_t refs[CHUNK];
	uint64_t sum[3] = { 0 };
	struct ranges set = { 0 };
	size_t i;

	if (argc == 2 && !strcmp(argv[1], "--memmap")) {
		kcore_open();
		prove();
		printf("0x%" PRIx64 "\n", vmemmap);
		free(phdrs);
		return 0;
	}
	ranges_args(&set, argc, argv, 1);
	kcore_open();
	prove();
	for (i = 0; i < set.nr; i++) {
		uint64_t pfn = set.r[i].start, left = set.r[i].nr;

		while (left) {
			uint64_t j, n = at_most(left, CHUNK);

			read_refs(pfn, n, refs);
			for (j = 0; j < n; j++)
				sum[refs[j] == 0 ? 0 : refs[j] == 1 ? 1 : 2]++;
			pfn += n;
			left -= n;
		}
	}
	printf("pages %" PRIu64 "\nref0 %" PRIu64 "\nref1 %" PRIu64
	       "\nrefmore %" PRIu64 "\n", ranges_pages(&set), sum[0], sum[1],
	       sum[2]);
	free(set.r);
	free(phdrs);
	return 0;
}
