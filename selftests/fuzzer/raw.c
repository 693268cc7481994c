// SPDX-License-Identifier: GPL-2.0
/*
 * fuzzraw: random writes to the debugfs files of fake_offline.
 *
 *   fuzzraw [-b FIRST+NR] [-s SEED] [-n WRITES] [-v] [-p]
 *
 * Each of the WRITES (1000) is a line that is valid, or once was: digits, words,
 * bytes and whole lines are changed, cut, put in, doubled; zero bytes, a megabyte
 * of blanks, a write in two pieces, and one whose end is not mapped are among
 * them. What is not text ending in a newline must be refused with EINVAL, and
 * nothing may be taken in part. Every some thousand writes everything is taken
 * back, and the accounts must be whole: what is listed, /proc/kpageflags and
 * MemTotal agree, "verify" finds nothing, and at the end all is as it was.
 *
 *   -b FIRST+NR  the memory blocks: these are to be in ZONE_MOVABLE (32+3)
 *   -v           prints each write before it is made: after a crash, the last one
 *   -p           the negative twin: one page more is thought to be marked
 *
 * What would work, but leave the machine in another state than it was (a block
 * in ZONE_NORMAL), or wait for half a second and more (a page of the kernel's own),
 * is left out, or made rare.
 *
 * Exit status: 0 if all was well, 1 if not, 2 if that could not be found out.
 */
#include "common.h"
#include "random.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FO		"/sys/kernel/debug/fake_offline/"
#define SYSMEM		"/sys/devices/system/memory/"
#define RESERVE		"/sys/module/fake_offline/parameters/reserve_mib"

#define MAX_BLOCKS	8
#define MAX_WRITE	(1u << 20)	/* what the module takes at most */
#define ROOM		(MAX_WRITE + 8192)
#define EPISODE		4096		/* writes between two checks */
#define MAY_MARK_MIB	32
#define OFFLINE_FOR	200		/* writes that a block stays offline */
#define RESCUE_SECONDS	60

enum file { MARK, UNMARK, SKIPPABLE, BLOCK_OFFLINE, BLOCK_ONLINE, INJECT, NR_FILES };

static struct {
	const char *name;
	unsigned int weight;
	int fd;
	unsigned long writes, ok, invalid, others;
	double seconds, longest;
} files[NR_FILES] = {
	[MARK]		= { .name = "mark", .weight = 30 },
	[UNMARK]	= { .name = "unmark", .weight = 30 },
	[SKIPPABLE]	= { .name = "skippable", .weight = 18 },
	[BLOCK_OFFLINE]	= { .name = "block_offline", .weight = 3 },
	[BLOCK_ONLINE]	= { .name = "block_online", .weight = 3 },
	[INJECT]	= { .name = "inject", .weight = 16 },
};

static struct random rnd;
static uint64_t first_block, nr_blocks, block_pages, first_pfn, nr_pages;
static long base_total, base_reserve;
static bool verbose, planted;
static unsigned long offline_since;	/* number of a write, or 0 */
static unsigned long number;		/* of the write */

/* The write that is made. Behind it, a page that is not mapped. */
static char *text;
static size_t len;
static char *guarded_end;

static unsigned int below(unsigned int limit)
{
	return random_below(&rnd, limit);
}

static bool one_in(unsigned int n)
{
	return !below(n);
}

/* ---------------------------------------------------------------- valid lines */

static char *number_text(char *to, uint64_t n)
{
	return to + sprintf(to, one_in(8) ? "0x%" PRIx64 : "%" PRIu64, n);
}

/* What was marked, to be met again. */
#define REMEMBERED 32

static struct {
	char text[REMEMBERED][64];
	unsigned int nr;
} marked;

static void remember(void)
{
	unsigned long long start, nr;
	char line[64] = "";

	memcpy(line, text, at_most(len, sizeof(line) - 1));
	if (sscanf(line, "%llu %llu", &start, &nr) == 2)
		sprintf(marked.text[marked.nr++ % REMEMBERED], "%llu %llu",
			start, nr);
}

static char *marked_range(char *to)
{
	const char *it = marked.text[below(REMEMBERED)];

	return to + sprintf(to, "%s", *it ? it : "0 1");
}

static char *valid_range(char *to)
{
	static const unsigned int lengths[] = { 1, 1, 2, 3, 8, 16, 64, 100 };
	unsigned int n = lengths[below(sizeof(lengths) / sizeof(*lengths))];
	uint64_t page;

	/* Few places, so that ranges meet again. */
	page = (uint64_t)below(256) * (uint64_t)(nr_pages / 256) + below(4);
	to = number_text(to, first_pfn + page);
	*to++ = ' ';
	return number_text(to, n);
}

static char *valid_mark(char *to)
{
	if (one_in(10))
		to += sprintf(to, "any %u%s%s", 1 + below(64),
			      one_in(8) ? "" : " zone=Movable",
			      one_in(4) ? " node=0" : "");
	else
		to = valid_range(to);
	return to + sprintf(to, "%s%s", one_in(6) ? " unskippable" : "",
			    one_in(3) ? " canary" : "");
}

static char *valid_inject(char *to)
{
	static const char *const points[] = {
		"offline before -12", "offline after -16", "offline late -16",
		"offline late -4", "online before -1", "online after -12",
		"mark stray -16", "mark corrupt -5",
	};
	const char *point = points[below(sizeof(points) / sizeof(*points))];

	/* Each mark that this lets fail takes a fifth of a second. */
	if (one_in(3) || (!strncmp(point, "mark stray", 10) && !one_in(8)))
		return to + sprintf(to, "clear");
	return to + sprintf(to, "%s %u", point, below(3));
}

static char *valid_line(enum file f, char *to)
{
	uint64_t block = first_block + below((unsigned int)nr_blocks);

	switch (f) {
	case MARK:
		to = valid_mark(to);
		break;
	case UNMARK:
		if (one_in(20))
			to += sprintf(to, "all");
		else
			to = marked_range(to);
		break;
	case SKIPPABLE:
		to = marked_range(to);
		to += sprintf(to, " %u", below(2));
		break;
	case BLOCK_OFFLINE:
		to = number_text(to, block);
		break;
	case BLOCK_ONLINE:
		to = number_text(to, block);
		to += sprintf(to, " online_movable");
		break;
	default:
		to = valid_inject(to);
		break;
	}
	*to++ = '\n';
	return to;
}

/* ---------------------------------------------------------------- mutations */

static void insert(size_t at, const char *what, size_t n)
{
	if (len + n > MAX_WRITE + 4096)
		return;
	memmove(text + at + n, text + at, len - at);
	memcpy(text + at, what, n);
	len += n;
}

static void cut_out(size_t at, size_t n)
{
	memmove(text + at, text + at + n, len - at - n);
	len -= n;
}

static size_t some_place(void)
{
	return below((unsigned int)len + 1);
}

static void change_digit(void)
{
	size_t i, at = some_place();

	for (i = 0; i < len; i++)
		if (isdigit((unsigned char)text[(at + i) % len])) {
			text[(at + i) % len] = (char)('0' + below(10));
			return;
		}
}

/* In the place of a number, if there is one there. */
static void insert_number(void)
{
	static const char *const numbers[] = {
		"0", "-1", "+1", "1", "00", "0x", "0x0", "18446744073709551615",
		"18446744073709551616", "9223372036854775807", "4294967295",
		"4294967296", "4503599627370495", "0xffffffffffffffff",
		"99999999999999999999999999", "1e3", "2.0", "1099511627776",
	};
	const char *n = numbers[below(sizeof(numbers) / sizeof(*numbers))];
	size_t at = some_place(), digits = 0;

	while (at + digits < len && isdigit((unsigned char)text[at + digits]))
		digits++;
	cut_out(at, digits);
	insert(at, n, strlen(n));
}

static void insert_word(void)
{
	static const char *const words[] = {
		" all ", " any ", " canary", " unskippable", " node=0",
		" node=-1", " zone=", " zone=Movable", " zone=DMA", " clear ",
		" online", " offline", " mark", " absent", "\n", "\t", " ", "\r\n", "#",
		"%s%n", "$(id)", "../..", ";", "\n\n",
	};
	const char *word = words[below(sizeof(words) / sizeof(*words))];

	insert(some_place(), word, strlen(word));
}

static void insert_bytes(void)
{
	char bytes[16];
	size_t i, n = 1 + below(sizeof(bytes));

	for (i = 0; i < n; i++)
		bytes[i] = (char)below(256);
	insert(some_place(), bytes, n);
}

/* Blanks can make a line as long as a write may be, and longer. */
static void insert_blanks(void)
{
	static const size_t lengths[] = { 2, 100, 4095, 4096, 4097, 65536 };
	size_t at = some_place(), n = lengths[below(6)];

	if (n > 100 && !one_in(20))
		n = 3;
	if (one_in(4000))
		n = MAX_WRITE - len + below(3);
	memmove(text + at + n, text + at, len - at);
	memset(text + at, ' ', n);
	len += n;
}

static void repeat_line(void)
{
	unsigned int times = one_in(100) ? 1000 : 1 + below(20);
	size_t n = len;

	while (n && times-- && len + n < 65536) {
		memcpy(text + len, text, n);
		len += n;
	}
}

static void add_line(void)
{
	char line[256];
	size_t n = (size_t)(valid_line((enum file)below(NR_FILES), line) - line);

	insert(one_in(2) ? len : some_place(), line, n);
}

static void mutate(void)
{
	if (len > 100000)
		return;
	switch (below(13)) {
	case 0:
	case 1:
		change_digit();
		break;
	case 2:
		insert_number();
		break;
	case 3:
		insert_word();
		break;
	case 4:
		insert_bytes();
		break;
	case 5:
		if (len)
			text[below((unsigned int)len)] = (char)below(256);
		break;
	case 6:
		if (len)
			text[below((unsigned int)len)] ^= (char)(1 << below(8));
		break;
	case 7:
		insert(some_place(), "", 1);	/* a zero byte */
		break;
	case 8:
		len = some_place();		/* cut on its way */
		break;
	case 9:
		if (len > 1) {
			size_t at = below((unsigned int)len);

			cut_out(at, 1 + below((unsigned int)at_most(len - at, 5)));
		}
		break;
	case 10:
		repeat_line();
		break;
	case 11:
		add_line();
		break;
	default:
		insert_blanks();
	}
}

static void make_write(enum file f)
{
	unsigned int lines = one_in(6) ? 1 + below(6) : 1, n;
	char *to = text;

	while (lines--)
		to = valid_line(f, to);
	len = (size_t)(to - text);
	if (one_in(10))
		return;
	if (one_in(50)) {
		len = below(200);
		for (n = 0; n < len; n++)
			text[n] = (char)below(256);
		return;
	}
	for (n = 1 + below(3); n; n--)
		mutate();
}

/* ---------------------------------------------------------------- what is sent */

/* Text, as the module has it: printable or blank, and a newline at the end. */
static bool is_text(void)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (text[i] != '\n' && text[i] != '\t' &&
		    (text[i] < ' ' || text[i] > '~'))
			return false;
	return len && text[len - 1] == '\n';
}

struct line {
	uint64_t n[2];		/* the first two words, if they are numbers */
	bool is[2];
	char word[2][32];
};

static const char *read_line(const char *at, const char *end, struct line *l)
{
	int i, k;

	memset(l, 0, sizeof(*l));
	for (i = 0; i < 2; i++) {
		char *stop = l->word[i];

		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
		for (k = 0; at < end && !isspace((unsigned char)*at); at++)
			if (k < 31)
				l->word[i][k++] = *at;
		if (isdigit((unsigned char)*stop)) {
			bool hex = stop[0] == '0' && tolower(stop[1]) == 'x';

			l->n[i] = strtoull(stop, &stop, hex ? 16 : 10);
			l->is[i] = !*stop;
		}
	}
	while (at < end && *at++ != '\n')
		;
	return at;
}

static bool is_block(uint64_t block)
{
	char path[96];

	sprintf(path, SYSMEM "memory%" PRIu64, block);
	return !access(path, F_OK);
}

static bool is_tested(uint64_t block)
{
	return block - first_block < nr_blocks;
}

/* Is this line better not sent, or seldom? See above. */
static bool unwanted_line(enum file f, const struct line *l)
{
	bool middle = l->n[0] > first_block &&
		      l->n[0] < first_block + nr_blocks - 1;

	switch (f) {
	case MARK:
		if (!l->is[0])
			return !strcmp(l->word[0], "any") &&
			       (!l->is[1] || l->n[1] > 8192) && !one_in(50);
		return l->is[1] && (l->n[0] < first_pfn ||
				    l->n[0] + l->n[1] > first_pfn + nr_pages) &&
		       l->n[0] < first_pfn + nr_pages + 4 * block_pages &&
		       !one_in(500);
	case BLOCK_OFFLINE:
		return l->is[0] && (offline_since ? is_block(l->n[0]) :
				    !is_tested(l->n[0]) && is_block(l->n[0]));
	case BLOCK_ONLINE:
		if (!l->is[0] || !is_tested(l->n[0]) ||
		    !strcmp(l->word[1], "online_movable"))
			return false;
		return !middle || !strcmp(l->word[1], "online_kernel");
	default:
		return false;
	}
}

static bool unwanted(enum file f)
{
	const char *at = text, *end = text + len;
	struct line l;

	if (len > MAX_WRITE || !is_text())
		return false;
	while (at < end) {
		at = read_line(at, end, &l);
		if (unwanted_line(f, &l))
			return true;
	}
	return false;
}

static void print_write(enum file f)
{
	size_t i, shown = at_most(len, 400);

	printf("# write %lu to %s, %zu bytes: \"", number, files[f].name, len);
	for (i = 0; i < shown; i++) {
		if (text[i] == '\n')
			printf("\\n");
		else if (text[i] < ' ' || text[i] > '~' || text[i] == '"' ||
			 text[i] == '\\')
			printf("\\%03o", (unsigned char)text[i]);
		else
			putchar(text[i]);
	}
	printf("\"%s\n", shown < len ? "..." : "");
}

static bool failed(const char *what)
{
	printf("# FAILED after %lu writes: %s\n", number, what);
	fflush(stdout);
	return false;
}

/* May the module say that? An error can be injected into what blocks do. */
static bool expected(enum file f, int error)
{
	static const struct {
		unsigned int files;
		int error;
	} list[] = {
		{ 1 << MARK, EEXIST }, { 1 << MARK, ENXIO },
		{ 1 << MARK | 1 << SKIPPABLE, EBUSY }, { 1 << MARK, ENOSPC },
		{ 1 << MARK | 1 << UNMARK | 1 << SKIPPABLE, ENOMEM },
		{ 1 << MARK | 1 << UNMARK | 1 << SKIPPABLE, EINTR },
		{ 1 << UNMARK | 1 << SKIPPABLE, ENOENT },
	};
	size_t i;

	if (error == EINVAL || error == ERANGE || f == BLOCK_OFFLINE ||
	    f == BLOCK_ONLINE)
		return true;
	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (list[i].files >> f & 1 && list[i].error == error)
			return true;
	return false;
}

/* In one piece. */
static bool send_whole(enum file f)
{
	ssize_t n = write(files[f].fd, text, len);
	int error = n < 0 ? errno : 0;

	files[f].writes++;
	if (!error && f == MARK)
		remember();
	if (!error)
		files[f].ok++;
	else if (error == EINVAL)
		files[f].invalid++;
	else
		files[f].others++;
	if (!error && (size_t)n != len)
		return failed("a write was taken in part");
	if (len > MAX_WRITE) {
		if (error != E2BIG)
			return failed("more than a megabyte, and not E2BIG");
		return true;
	}
	if (!is_text() && error != EINVAL)
		return failed("this is not text, and not EINVAL");
	if (error && !expected(f, error))
		return failed(strerror(error));
	if (!error && f == BLOCK_OFFLINE)
		offline_since = number;
	return true;
}

/* In two: each is a write of its own to the module. */
static bool send_pieces(enum file f)
{
	size_t first = some_place();
	struct iovec iov[2] = {
		{ .iov_base = text, .iov_len = first },
		{ .iov_base = text + first, .iov_len = len - first },
	};
	char cut = first && first < len ? text[first - 1] : '\n';
	ssize_t n = writev(files[f].fd, iov, 2);

	files[f].writes++;
	if (n > 0 && cut != '\n')
		return failed("a line without its newline was taken");
	if (n > 0 && f == BLOCK_OFFLINE)
		offline_since = number;
	return true;
}

/* Its end cannot be read: nothing of it may be carried out. */
static bool send_unmapped(enum file f)
{
	size_t n = at_most(len, 4096);
	ssize_t ret;
	char *from = guarded_end - n;

	memcpy(from, text, n);
	ret = write(files[f].fd, from, n + 1 + below(100));
	files[f].writes++;
	if (ret != -1 || errno != EFAULT)
		return failed("its end is not mapped, and not EFAULT");
	return true;
}

/* Reading goes on meanwhile, in odd pieces. */
static void read_some(void)
{
	static const char *const names[] = {
		FO "ranges", FO "verify", FO "stats", FO "inject",
		FO "last_failure", FO "last_refusal",
	};
	static char buf[8192];
	int fd = open_or_die(names[below(6)], O_RDONLY), times;

	for (times = 0; times < 3; times++) {
		if (one_in(3) && lseek(fd, below(2000), SEEK_SET) < 0)
			break;
		if (read(fd, buf, 1 + below(sizeof(buf) - 1)) <= 0)
			break;
	}
	close(fd);
}

static enum file some_file(void)
{
	unsigned int i, dice = below(100);

	for (i = 0; i + 1 < NR_FILES && dice >= files[i].weight; i++)
		dice -= files[i].weight;
	return (enum file)i;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool one_write(void)
{
	enum file f = some_file();
	double took;
	bool good;

	do
		make_write(f);
	while (unwanted(f));
	if (verbose) {
		print_write(f);
		fflush(stdout);
	}
	took = now();
	/* One that takes for ever ends with EINTR. */
	alarm(RESCUE_SECONDS);
	/* A part of a command on a block is another one. */
	if (one_in(20) && f != BLOCK_OFFLINE && f != BLOCK_ONLINE && f != MARK)
		good = send_pieces(f);
	else if (one_in(20))
		good = send_unmapped(f);
	else
		good = send_whole(f);
	alarm(0);
	took = now() - took;
	files[f].seconds += took;
	if (took > files[f].longest)
		files[f].longest = took;
	if (!good)
		print_write(f);
	return good;
}

/* ---------------------------------------------------------------- the accounts */

static bool put(const char *path, const char *what)
{
	int fd = open_or_die(path, O_WRONLY);
	bool good = write(fd, what, strlen(what)) == (ssize_t)strlen(what);

	close(fd);
	return good;
}

static long get_number(const char *path, const char *format)
{
	FILE *f = fopen(path, "r");
	char line[256];
	long n;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, format, &n) == 1) {
			fclose(f);
			return n;
		}
	die("%s: not as expected", path);
}

static long mem_total(void)
{
	return get_number("/proc/meminfo", "MemTotal: %ld kB");
}

/* No mark may leave less than is available now, but for some MiB. */
static void set_reserve(void)
{
	long mib = get_number("/proc/meminfo", "MemAvailable: %ld kB") / 1024;
	char word[32];

	sprintf(word, "%ld", mib > 2 * MAY_MARK_MIB ? mib - MAY_MARK_MIB : mib / 2);
	if (!put(RESERVE, word))
		die("reserve_mib cannot be set");
}

static bool all_online(void)
{
	char path[96], line[64];
	uint64_t i;

	for (i = first_block; i < first_block + nr_blocks; i++) {
		sprintf(line, "%" PRIu64 " online_movable\n", i);
		put(FO "block_online", line);
		sprintf(path, SYSMEM "memory%" PRIu64 "/online", i);
		if (get_number(path, "%ld") != 1)
			return failed("a block does not come online");
	}
	offline_since = 0;
	return true;
}

static long flagged(int bit)
{
	static uint64_t entries[4096];
	int fd = open_or_die("/proc/kpageflags", O_RDONLY);
	uint64_t i, k;
	long n = 0;

	for (i = 0; i < nr_pages; i += 4096) {
		read_entries(fd, first_pfn + i, 4096, entries);
		for (k = 0; k < 4096; k++)
			n += entries[k] >> bit & 1;
	}
	close(fd);
	return n;
}

/*
 * The pages that are listed: those in force, of these those in the blocks under test,
 * and those that wait. All blocks are online, so these wait where no memory is.
 */
static void count_listed(long *in_force, long *tested, long *waiting)
{
	FILE *f = fopen(FO "ranges", "r");
	char line[256], state[16];
	uint64_t start, nr, i;

	if (!f)
		die("ranges: %s", strerror(errno));
	*in_force = *tested = *waiting = 0;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%" SCNu64 " %" SCNu64 " %*d %*d %*d %*s %*s %*u %15s",
			   &start, &nr, state) != 3)
			continue;
		if (!strcmp(state, "waiting")) {
			*waiting += (long)nr;
			continue;
		}
		for (i = start; i < start + nr; i++) {
			++*in_force;
			*tested += i - first_pfn < nr_pages;
		}
	}
	fclose(f);
}

static bool same(const char *what, long want, long got)
{
	char line[160];

	if (want == got)
		return true;
	snprintf(line, sizeof(line), "%s: %ld, and is to be %ld", what, got, want);
	return failed(line);
}

static bool check_verify(long in_force, long waiting)
{
	return same("verify: pages", in_force + waiting,
		    get_number(FO "verify", "pages %ld")) &&
	       same("verify: page_offline", in_force,
		    get_number(FO "verify", "page_offline %ld")) &&
	       same("verify: skippable",
		    get_number(FO "verify", "skippable_expected %ld"),
		    get_number(FO "verify", "skippable %ld")) &&
	       same("verify: buddy", 0, get_number(FO "verify", "buddy %ld")) &&
	       same("verify: wrong_count", 0,
		    get_number(FO "verify", "wrong_count %ld"));
}

static bool check_and_undo(void)
{
	long in_force, tested, waiting;

	if (!put(FO "inject", "clear\n"))
		return failed("\"clear\" is refused");
	if (!all_online())
		return false;
	count_listed(&in_force, &tested, &waiting);
	tested += planted;
	if (!same("PageOffline pages", tested, flagged(KPF_OFFLINE)) ||
	    !same("MemTotal", base_total - 4 * in_force, mem_total()) ||
	    !check_verify(in_force, waiting))
		return false;
	if (!put(FO "unmark", "all\n"))
		return failed("\"all\" is refused");
	set_reserve();
	return same("MemTotal, nothing marked", base_total, mem_total()) &&
	       check_verify(0, 0);
}

/* ---------------------------------------------------------------- */

static void rescue(int sig)
{
	(void)sig;
}

static uint64_t block_bytes(void)
{
	FILE *f = fopen(SYSMEM "block_size_bytes", "r");
	uint64_t bytes;

	if (!f || fscanf(f, "%" SCNx64, &bytes) != 1)
		die("no memory blocks here");
	fclose(f);
	return bytes;
}

static void set_up(void)
{
	struct sigaction sa = { .sa_handler = rescue };
	char path[96];
	unsigned int i;

	block_pages = block_bytes() / 4096;
	first_pfn = first_block * block_pages;
	nr_pages = nr_blocks * block_pages;
	text = malloc(2 * ROOM);
	guarded_end = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!text || guarded_end == MAP_FAILED)
		die("out of memory");
	guarded_end += 2 * 4096;
	if (mprotect(guarded_end, 4096, PROT_NONE))
		die("mprotect: %s", strerror(errno));
	for (i = 0; i < NR_FILES; i++) {
		sprintf(path, FO "%s", files[i].name);
		files[i].fd = open_or_die(path, O_WRONLY);
	}
	sigaction(SIGALRM, &sa, NULL);
	base_total = mem_total();
	base_reserve = get_number(RESERVE, "%ld");
	set_reserve();
}

static void report(double seconds)
{
	unsigned int i;

	for (i = 0; i < NR_FILES; i++)
		printf("# %s: %lu writes, ok %lu, EINVAL %lu, other errors %lu; %.0f s, the longest %.3f s\n",
		       files[i].name, files[i].writes, files[i].ok,
		       files[i].invalid, files[i].others, files[i].seconds,
		       files[i].longest);
	printf("# %lu writes in %.0f s, %.0f a second\n", number, seconds,
	       (double)number / seconds);
}

int main(int argc, char **argv)
{
	struct ranges set = { 0 };
	unsigned long writes = 1000;
	uint64_t seed = 1;
	bool good = true;
	char word[32];
	double start;
	int opt;

	while ((opt = getopt(argc, argv, "b:n:ps:v")) != -1) {
		switch (opt) {
		case 'b':
			ranges_add(&set, optarg);
			break;
		case 'n':
			writes = parse_u64(optarg);
			break;
		case 'p':
			planted = true;
			break;
		case 's':
			seed = parse_u64(optarg);
			break;
		case 'v':
			verbose = true;
			break;
		default:
			return 2;
		}
	}
	if (!set.nr)
		ranges_add(&set, "32+3");
	if (optind != argc || set.nr != 1 || set.r[0].nr > MAX_BLOCKS)
		die("usage: fuzzraw [-b FIRST+NR] [-s SEED] [-n WRITES] [-v] [-p]");
	first_block = set.r[0].start;
	nr_blocks = set.r[0].nr;
	free(set.r);
	rnd.state = seed;
	set_up();
	printf("# seed %" PRIu64 ", %lu writes\n", seed, writes);
	fflush(stdout);
	start = now();
	while (good && number < writes) {
		number++;
		good = one_write();
		if (good && one_in(200))
			read_some();
		if (good && offline_since && number - offline_since > OFFLINE_FOR)
			good = (put(FO "inject", "clear\n"), all_online());
		if (good && number % EPISODE == 0)
			good = check_and_undo();
		if (number % 100000 == 0) {
			printf("# %lu writes, %.0f s\n", number, now() - start);
			fflush(stdout);
		}
	}
	good = good && check_and_undo();
	report(now() - start);
	sprintf(word, "%ld", base_reserve);
	if (!put(RESERVE, word))
		die("reserve_mib cannot be set");
	if (!good)
		printf("# again: fuzzraw -b %" PRIu64 "+%" PRIu64 " -s %" PRIu64
		       " -n %lu -v\n", first_block, nr_blocks, seed, number);
	return !good;
}
