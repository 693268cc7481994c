// SPDX-License-Identifier: GPL-2.0
/*
 * edudma: reads and writes physical pages without the kernel's knowledge, with the DMA
 * engine of QEMU's "edu" PCI device (docs/specs/edu.rst). A guest gets the device with
 *
 *   -device edu,dma_mask=0xffffffffffffffff
 *
 *   edudma sum RANGE...          one 64-bit number made of all bytes, in hex
 *   edudma filled BYTE RANGE...  the number of pages that are full of this byte
 *   edudma peek PFN OFFSET       one byte
 *   edudma poke PFN OFFSET BYTE  writes one byte, and prints the old one
 *
 * A device whose driver did not let go of a page does the same: no flag, no count and no
 * page table tells of it.
 */
#include "common.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PCI "/sys/bus/pci/devices"
#define EDU_ID "0x11e8"
#define EDU_VENDOR "0x1234"
#define BAR_SIZE 0x100000

#define EDU_IDENT	0x00
#define EDU_DMA_SRC	0x80
#define EDU_DMA_DST	0x88
#define EDU_DMA_COUNT	0x90
#define EDU_DMA_CMD	0x98
#define EDU_CMD_START	1
#define EDU_CMD_TO_RAM	2
#define EDU_BUFFER	0x40000		/* the device's own, 4 KiB */

#define PAGE 4096
#define HALF (PAGE / 2)			/* QEMU 7.2 refuses the whole buffer */
#define PCI_COMMAND		4
#define PCI_COMMAND_MEMORY	2
#define PCI_COMMAND_MASTER	4

static volatile unsigned char *regs;

static void read_attr(const char *dev, const char *attr, char *buf, size_t len)
{
	char path[512];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), PCI "/%s/%s", dev, attr);
	fd = open_or_die(path, O_RDONLY);
	n = read(fd, buf, len - 1);
	if (n < 0)
		die("%s: %s", path, strerror(errno));
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	close(fd);
}

static void edu_setup(const char *dev)
{
	char path[512];
	uint16_t cmd;
	int fd;

	snprintf(path, sizeof(path), PCI "/%s/config", dev);
	fd = open_or_die(path, O_RDWR);
	if (pread(fd, &cmd, 2, PCI_COMMAND) != 2)
		die("%s: %s", path, strerror(errno));
	cmd |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	if (pwrite(fd, &cmd, 2, PCI_COMMAND) != 2)
		die("%s: %s", path, strerror(errno));
	close(fd);
	snprintf(path, sizeof(path), PCI "/%s/resource0", dev);
	fd = open_or_die(path, O_RDWR);
	regs = mmap(NULL, BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (regs == MAP_FAILED)
		die("%s: %s", path, strerror(errno));
	close(fd);
	if ((*(volatile uint32_t *)(regs + EDU_IDENT) & 0xffff) != 0xed)
		die("the device is no edu");
}

static void edu_find(void)
{
	struct dirent *e;
	DIR *d = opendir(PCI);

	if (!d)
		die(PCI ": %s", strerror(errno));
	while ((e = readdir(d))) {
		char vendor[16], device[16];

		if (e->d_name[0] == '.')
			continue;
		read_attr(e->d_name, "vendor", vendor, sizeof(vendor));
		read_attr(e->d_name, "device", device, sizeof(device));
		if (!strcmp(vendor, EDU_VENDOR) && !strcmp(device, EDU_ID)) {
			edu_setup(e->d_name);
			closedir(d);
			return;
		}
	}
	die("no edu device: start the guest with -device edu,dma_mask=0xffffffffffffffff");
}

static void edu_dma(uint64_t src, uint64_t dst, uint64_t len, uint64_t cmd)
{
	volatile uint64_t *r = (volatile uint64_t *)regs;

	r[EDU_DMA_SRC / 8] = src;
	r[EDU_DMA_DST / 8] = dst;
	r[EDU_DMA_COUNT / 8] = len;
	r[EDU_DMA_CMD / 8] = cmd | EDU_CMD_START;
	while (r[EDU_DMA_CMD / 8] & EDU_CMD_START)
		usleep(1000);
}

/*
 * Only DMA reaches the device's buffer, so a bounce page is needed. It is locked, but can
 * be migrated during a transfer. So its place is looked up before and after, and the
 * transfer is repeated if the page moved.
 */
static void *bounce;

static uint64_t bounce_addr(void)
{
	uint64_t pfn;

	pagemap_read(bounce, 1, &pfn);
	if (!pfn)
		die("the bounce page is not there");
	return pfn * PAGE;
}

static void half_read(uint64_t from, uint64_t off)
{
	uint64_t addr;

	edu_dma(from + off, EDU_BUFFER, HALF, 0);
	do {
		addr = bounce_addr();
		edu_dma(EDU_BUFFER, addr + off, HALF, EDU_CMD_TO_RAM);
	} while (bounce_addr() != addr);
}

static void half_write(uint64_t to, uint64_t off)
{
	uint64_t addr;

	do {
		addr = bounce_addr();
		edu_dma(addr + off, EDU_BUFFER, HALF, 0);
	} while (bounce_addr() != addr);
	edu_dma(EDU_BUFFER, to + off, HALF, EDU_CMD_TO_RAM);
}

static void page_read(uint64_t pfn)
{
	half_read(pfn * PAGE, 0);
	half_read(pfn * PAGE, HALF);
}

static void page_write(uint64_t pfn)
{
	half_write(pfn * PAGE, 0);
	half_write(pfn * PAGE, HALF);
}

static void sum(const struct ranges *set)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);	/* FNV-1a */
	size_t i, k;

	for (i = 0; i < set->nr; i++) {
		uint64_t pfn = set->r[i].start;

		for (; pfn < set->r[i].start + set->r[i].nr; pfn++) {
			const unsigned char *p = bounce;

			page_read(pfn);
			for (k = 0; k < PAGE; k++)
				h = (h ^ p[k]) * UINT64_C(0x100000001b3);
		}
	}
	printf("%016" PRIx64 "\n", h);
}

static void filled(unsigned char byte, const struct ranges *set)
{
	static unsigned char full[PAGE];
	uint64_t n = 0;
	size_t i;

	memset(full, byte, PAGE);
	for (i = 0; i < set->nr; i++) {
		uint64_t pfn = set->r[i].start;

		for (; pfn < set->r[i].start + set->r[i].nr; pfn++) {
			page_read(pfn);
			n += !memcmp(bounce, full, PAGE);
		}
	}
	printf("%" PRIu64 "\n", n);
}

int main(int argc, char **argv)
{
	struct ranges set = { 0 };

	bounce = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE,
		      -1, 0);
	if (bounce == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	memset(bounce, 0, PAGE);
	if (argc > 2 && !strcmp(argv[1], "sum")) {
		ranges_args(&set, argc, argv, 2);
		edu_find();
		sum(&set);
	} else if (argc > 3 && !strcmp(argv[1], "filled")) {
		ranges_args(&set, argc, argv, 3);
		edu_find();
		filled((unsigned char)parse_u64(argv[2]), &set);
	} else if ((argc == 4 && !strcmp(argv[1], "peek")) ||
		   (argc == 5 && !strcmp(argv[1], "poke"))) {
		uint64_t pfn = parse_u64(argv[2]), off = parse_u64(argv[3]);
		unsigned char *p = bounce;

		if (off >= PAGE)
			die("no such offset");
		edu_find();
		page_read(pfn);
		printf("%u\n", p[off]);
		if (argc == 5) {
			p[off] = (unsigned char)parse_u64(argv[4]);
			page_write(pfn);
		}
	} else {
		die("usage: edudma sum RANGE... | filled BYTE RANGE... | peek PFN OFFSET | poke PFN OFFSET BYTE");
	}
	free(set.r);
	return 0;
}
