// SPDX-License-Identifier: GPL-2.0
/*
 * The real thing: lets the kernel do a step, looks what has become of it, and
 * compares that with the model.
 *
 * What is marked is seen in /proc/kpageflags, every page of the blocks under
 * test; MemTotal in /proc/meminfo, to the kB. What the module itself says of it
 * (ranges, verify, inject) is to agree.
 */
#include "common.h"
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FO	"/sys/kernel/debug/fake_offline/"
#define SYSMEM	"/sys/devices/system/memory/"
#define UNPOISON "/sys/kernel/debug/hwpoison/unpoison-pfn"

#define PAGE_SIZE	4096
#define KB_PAGE		4

const char *const difference_names[NR_DIFFERENCES] = {
	"nothing", "result", "state of a block", "state of a page", "MemTotal",
	"list of ranges", "verify", "armed failures", "pages in use",
};

static struct {
	struct block block[MAX_BLOCKS];
	uint64_t *flags;
	unsigned char *listed;	/* as in the model */
	unsigned int outside;	/* listed, and not in the blocks under test */
	long mem_total;
	long verify[13];
	struct injection inject[NR_POINTS];
} seen;

static long base_total;
static int flags_fd;

/* ---------------------------------------------------------------- files */

/* One write(2). Returns its errno, 0, or SHORT_WRITE. */
static int put(const char *path, const char *text)
{
	size_t len = strlen(text);
	int fd = open(path, O_WRONLY | O_CLOEXEC), error = 0;
	ssize_t n;

	if (fd < 0)
		return errno;
	n = write(fd, text, len);
	if (n < 0)
		error = errno;
	else if ((size_t)n != len)
		error = SHORT_WRITE;
	close(fd);
	return error;
}

static void get_word(const char *path, char *word, int size)
{
	FILE *f = fopen(path, "r");

	if (!f || !fgets(word, size, f))
		die("%s: nothing to read", path);
	word[strcspn(word, " \n")] = '\0';
	fclose(f);
}

static void block_path(char *path, unsigned int block, const char *file)
{
	sprintf(path, SYSMEM "memory%" PRIu64 "/%s", world.first_block + block,
		file);
}

static struct block get_block(unsigned int block)
{
	struct block b;
	char path[96], word[32];

	block_path(path, block, "state");
	get_word(path, word, sizeof(word));
	b.online = !strcmp(word, "online");
	block_path(path, block, "valid_zones");
	get_word(path, word, sizeof(word));
	b.normal = !strcmp(word, "Normal");
	return b;
}

static long get_mem_total(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	long kb;

	if (!f || fscanf(f, "MemTotal: %ld kB", &kb) != 1)
		die("/proc/meminfo: not as expected");
	fclose(f);
	return kb;
}

/* Status of a command, which says on stderr what went wrong. */
static int command(const char *line)
{
	fflush(stdout);
	return system(line);
}

static int load(void)
{
	char line[128];

	snprintf(line, sizeof(line), "modprobe fake_offline skip=%s", world.skip);
	return command(line);
}

/* Only this one; modprobe -r would take with it what it was made from. */
static int unload(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? errno : 0;
}

static int load_soft(void)
{
	if (access(UNPOISON, F_OK) &&
	    command("modprobe hwpoison-inject 2>/dev/null"))
		return -1;
	return access(UNPOISON, W_OK) | access(SYSMEM "soft_offline_page", W_OK);
}

/* ---------------------------------------------------------------- pages in use */

#define MAX_HOLDS	64
#define MAX_HELD	8192	/* pages */

static struct {
	unsigned int nr;
	unsigned int pages;
	struct hold {
		char *base;
		unsigned int nr;
		uint64_t key;
	} hold[MAX_HOLDS];
} holds;

static uint64_t *held_word(const struct hold *h, unsigned int i)
{
	return (uint64_t *)(h->base + (size_t)i * PAGE_SIZE + 8 * (i % 512));
}

static int hold(unsigned int nr)
{
	struct hold *h = &holds.hold[holds.nr];
	unsigned int i;

	if (holds.nr == MAX_HOLDS || holds.pages + nr > MAX_HELD)
		return 0;
	h->nr = nr;
	h->key = UINT64_C(0x9e3779b97f4a7c15) * (holds.nr + 1);
	h->base = mmap(NULL, (size_t)nr * PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (h->base == MAP_FAILED)
		return errno;
	for (i = 0; i < nr; i++)
		*held_word(h, i) = h->key + i;
	holds.nr++;
	holds.pages += nr;
	return 0;
}

static bool held_intact(const struct hold *h)
{
	unsigned int i;

	for (i = 0; i < h->nr; i++)
		if (*held_word(h, i) != h->key + i)
			return false;
	return true;
}

static int drop(void)
{
	int error = 0;

	while (holds.nr) {
		struct hold *h = &holds.hold[--holds.nr];

		if (!held_intact(h))
			error = CONTENT_LOST;
		munmap(h->base, (size_t)h->nr * PAGE_SIZE);
	}
	holds.pages = 0;
	return error;
}

/* ---------------------------------------------------------------- doing it */

static uint64_t pfn_of(unsigned int page)
{
	return world.first_pfn + page;
}

static char *put_flags(char *to, const struct piece *p)
{
	return to + sprintf(to, "%s%s\n", p->unskippable ? " unskippable" : "",
			    p->canary ? " canary" : "");
}

static int run_pieces(const char *file, const struct op *op)
{
	char text[STEP_TEXT], *to = text;
	unsigned int i;

	if (!op->nr_pieces)
		return 0;
	for (i = 0; i < op->nr_pieces; i++) {
		const struct piece *p = &op->piece[i];

		to += sprintf(to, "%" PRIu64 " %u", pfn_of(p->start), p->nr);
		to = put_flags(to, p);
	}
	return put(file, text);
}

static int run_any(const struct op *op)
{
	char text[128], *to = text;

	to += sprintf(to, "any %u zone=Movable", op->number);
	put_flags(to, op->piece);
	return put(FO "mark", text);
}

static int run_skippable(const struct op *op)
{
	char text[128];

	sprintf(text, "%" PRIu64 " %u %u\n", pfn_of(op->piece[0].start),
		op->piece[0].nr, op->number);
	return put(FO "skippable", text);
}

static int run_offline(const struct op *op)
{
	char path[96];

	if (op->debugfs) {
		sprintf(path, "%" PRIu64 "\n", world.first_block + op->block);
		return put(FO "block_offline", path);
	}
	block_path(path, op->block, "state");
	return put(path, "offline");
}

/* PLANT_BEHIND: nobody has asked for that. */
static void give_back_one(const struct model *m, unsigned int block)
{
	unsigned int i = (block + 1) * world.block_pages;
	char text[64];

	while (i-- > block * world.block_pages)
		if ((m->page[i] & (MARKED | FOREIGN)) == MARKED) {
			sprintf(text, "%" PRIu64 " 1\n", pfn_of(i));
			put(FO "unmark", text);
			return;
		}
}

static int run_online(const struct op *op, const struct model *before)
{
	const char *type = online_types[op->type];
	char path[96];
	int error;

	if (op->debugfs) {
		sprintf(path, "%" PRIu64 " %s\n", world.first_block + op->block,
			type);
		error = put(FO "block_online", path);
	} else {
		block_path(path, op->block, "state");
		error = put(path, type);
	}
	if (plant == PLANT_BEHIND && !error)
		give_back_one(before, op->block);
	return error;
}

static int run_inject(const struct op *op)
{
	char text[128];

	sprintf(text, "%s %d %u\n", point_names[op->point], -op->error,
		op->number);
	return put(FO "inject", text);
}

static bool poisoned(unsigned int page)
{
	uint64_t flags;

	read_entries(flags_fd, pfn_of(page), 1, &flags);
	return flags >> KPF_HWPOISON & 1;
}

/* If that poisoned the page, it is taken back: the block could not come online. */
static int run_soft(const struct op *op, const struct model *before)
{
	unsigned int page = op->piece[0].start, tries;
	bool ours = before->page[page] & MARKED;
	bool online = before->block[page / world.block_pages].online;
	char text[64];
	int error;

	sprintf(text, "%#" PRIx64 "\n", pfn_of(page) * PAGE_SIZE);
	error = put(SYSMEM "soft_offline_page", text);
	if (ours || !online)
		return error;
	sprintf(text, "%" PRIu64 "\n", pfn_of(page));
	for (tries = 0; tries < 20 && poisoned(page); tries++) {
		put(UNPOISON, text);
		usleep(1000);
	}
	return poisoned(page) ? STILL_POISONED : 0;
}

static int run_reload(void)
{
	int error = unload("fake_offline");

	return error ? error : load() ? NOT_DONE : 0;
}

static int run_balloon(const struct op *op)
{
	char line[160];

	sprintf(line, "modprobe fake-offline-balloon from=%" PRIu64
		" chunk=%u pages=%u", pfn_of(op->piece[0].start),
		op->piece[0].nr, op->piece[0].nr);
	return command(line) ? NOT_DONE : 0;
}

static int pop(void)
{
	return unload("fake_offline_balloon");
}

static int run_op(const struct op *given, const struct model *before)
{
	struct op op = *given;

	model_resolve(before, &op);
	switch (op.kind) {
	case OP_GUARD:
	case OP_MARK:
		return run_pieces(FO "mark", &op);
	case OP_ANY:
		return run_any(&op);
	case OP_UNMARK:
		return run_pieces(FO "unmark", &op);
	case OP_UNMARK_ALL:
		return put(FO "unmark", "all\n");
	case OP_SKIPPABLE:
		return run_skippable(&op);
	case OP_OFFLINE:
		return run_offline(&op);
	case OP_ONLINE:
		return run_online(&op, before);
	case OP_INJECT:
		return run_inject(&op);
	case OP_CLEAR:
		return put(FO "inject", "clear\n");
	case OP_SOFT:
		return run_soft(&op, before);
	case OP_HOLD:
		return hold(op.number);
	case OP_DROP:
		return drop();
	case OP_RELOAD:
		return run_reload();
	case OP_BALLOON:
		return run_balloon(&op);
	case OP_POP:
		return pop();
	}
	return NOT_DONE;
}

struct half {
	const struct op *op;
	const struct model *before;
	pthread_barrier_t *start;
	int result;
};

static void *run_half(void *data)
{
	struct half *h = data;

	pthread_barrier_wait(h->start);
	h->result = run_op(h->op, h->before);
	return NULL;
}

void kernel_run(const struct step *s, const struct model *before, int *result)
{
	pthread_barrier_t start;
	struct half half[2];
	pthread_t thread;
	int i;

	result[1] = 0;
	if (s->nr_ops == 1) {
		result[0] = run_op(&s->op[0], before);
		return;
	}
	pthread_barrier_init(&start, NULL, 2);
	for (i = 0; i < 2; i++)
		half[i] = (struct half){ &s->op[i], before, &start, 0 };
	if (pthread_create(&thread, NULL, run_half, &half[1]))
		die("no second task");
	run_half(&half[0]);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&start);
	for (i = 0; i < 2; i++)
		result[i] = half[i].result;
}

/* ---------------------------------------------------------------- resetting */

/* Blocks in ZONE_NORMAL go home while their marks keep kernel data away. */
static bool bring_home(unsigned int block)
{
	struct block b = get_block(block);
	char path[96];
	int tries;

	block_path(path, block, "state");
	for (tries = 0; b.online && b.normal && tries < 100; tries++) {
		put(path, "offline");
		b = get_block(block);
		usleep(10000);
	}
	if (!b.online)
		put(path, "online_movable");
	b = get_block(block);
	return b.online && !b.normal;
}

/* An unskippable page would keep its block where it is. */
static void make_skippable(void)
{
	unsigned long long start, nr;
	FILE *f = fopen(FO "ranges", "r");
	char line[256], text[64];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%llu %llu 0", &start, &nr) == 2) {
			sprintf(text, "%llu %llu 1\n", start, nr);
			put(FO "skippable", text);
		}
	if (f)
		fclose(f);
}

static bool loaded(void)
{
	return !access(FO "stats", F_OK);
}

bool kernel_reset(void)
{
	bool home = true;
	unsigned int i;

	drop();
	if (loaded()) {
		put(FO "inject", "clear\n");
		make_skippable();
	}
	for (i = 0; i < world.nr_blocks; i++)
		home &= bring_home(i);
	if (!access("/sys/module/fake_offline_balloon", F_OK))
		home &= !pop();
	if (loaded())
		home &= !unload("fake_offline");
	return !load() && home;
}

void kernel_init(void)
{
	world.soft = !load_soft();
	flags_fd = open_or_die("/proc/kpageflags", O_RDONLY);
	seen.flags = calloc(world.nr_pages, sizeof(*seen.flags));
	seen.listed = calloc(world.nr_pages, 1);
	if (!seen.flags || !seen.listed)
		die("out of memory");
	if (!kernel_reset())
		die("the blocks under test are not all to be had in ZONE_MOVABLE");
	world.balloon = !command("modprobe fake-offline-balloon 2>/dev/null") &&
			!pop();
	kernel_rebase();
}

void kernel_rebase(void)
{
	base_total = get_mem_total();
}

unsigned int kernel_auto_normal(void)
{
	unsigned int i, bits = 0;

	for (i = 0; i < world.nr_blocks; i++)
		bits |= (unsigned int)get_block(i).normal << i;
	return bits;
}

/* ---------------------------------------------------------------- looking */

static void list(uint64_t start, uint64_t nr, unsigned char is)
{
	uint64_t i;

	for (i = start; i < start + nr; i++) {
		if (i - world.first_pfn < world.nr_pages)
			seen.listed[i - world.first_pfn] = is;
		else
			seen.outside++;
	}
}

static FILE *open_list(const char *path)
{
	FILE *f = fopen(path, "r");

	if (!f)
		die("%s: %s", path, strerror(errno));
	return f;
}

static void observe_ranges(void)
{
	FILE *f = open_list(FO "ranges");
	uint64_t start, nr;
	char line[256], owner[32];
	int skippable, canary;

	memset(seen.listed, 0, world.nr_pages);
	seen.outside = 0;
	while (fgets(line, sizeof(line), f)) {
		if (line[0] == '#')
			continue;
		if (sscanf(line, "%" SCNu64 " %" SCNu64 " %d %d %*d %*s %31s",
			   &start, &nr, &skippable, &canary, owner) != 5)
			die("ranges: not as expected: %s", line);
		list(start, nr, MARKED | (skippable ? SKIPPABLE : 0) |
		     (canary ? CANARY : 0) |
		     (strcmp(owner, "debugfs") ? FOREIGN : 0));
	}
	fclose(f);
}

static const char *const verify_names[] = {
	"ranges", "pages", "pages_block_offline", "page_offline", "skippable",
	"skippable_expected", "buddy", "wrong_count", "canary",
	"canary_broken", "poisoned", "canary_unchecked", "first_bad_pfn",
};

#define NR_VERIFY (sizeof(verify_names) / sizeof(verify_names[0]))

static void observe_verify(void)
{
	FILE *f = open_list(FO "verify");
	char line[512], name[32];
	size_t i;

	for (i = 0; i < NR_VERIFY; i++)
		if (!fgets(line, sizeof(line), f) ||
		    sscanf(line, "%31s %ld", name, &seen.verify[i]) != 2 ||
		    strcmp(name, verify_names[i]))
			die("verify: not as expected: %s", line);
	fclose(f);
}

static void observe_inject(void)
{
	FILE *f = open_list(FO "inject");
	char line[128];
	int i;

	memset(seen.inject, 0, sizeof(seen.inject));
	while (fgets(line, sizeof(line), f))
		for (i = 0; i < NR_POINTS; i++) {
			size_t len = strlen(point_names[i]);
			int error;

			if (!strncmp(line, point_names[i], len) &&
			    sscanf(line + len, " %d %u", &error,
				   &seen.inject[i].count) == 2)
				seen.inject[i].error = -error;
		}
	fclose(f);
}

void kernel_observe(void)
{
	unsigned int i;

	for (i = 0; i < world.nr_blocks; i++)
		seen.block[i] = get_block(i);
	read_entries(flags_fd, world.first_pfn, world.nr_pages, seen.flags);
	seen.mem_total = get_mem_total();
	observe_ranges();
	observe_verify();
	observe_inject();
}

/* ---------------------------------------------------------------- comparing */

/* What the list has and the model has not yet, if that is what it waits for. */
static bool learn(struct model *m)
{
	unsigned int i, nr = m->learn_owner ? seen.outside - m->outside : 0;

	if (!m->learn)
		return true;
	for (i = 0; i < world.nr_pages; i++)
		nr += seen.listed[i] && !m->page[i];
	if (nr != m->learn)
		return false;
	for (i = 0; i < world.nr_pages; i++) {
		if (!seen.listed[i] || m->page[i])
			continue;
		if ((seen.listed[i] & FOREIGN) != m->learn_owner)
			return false;
		m->page[i] = seen.listed[i];
	}
	m->outside = seen.outside;
	m->learn = 0;
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
			snprintf(detail, DETAIL, "block %u is %s, and is to be %s",
				 i, names[g], names[w]);
			return false;
		}
	}
	return true;
}

/* What is wrong with this page, or NULL. */
static const char *look_at(uint64_t flags, unsigned char is, bool online)
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
		const char *wrong = look_at(seen.flags[i], m->page[i],
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

/* Sums over the model. */
struct sums {
	long pages, block_offline, online, skippable, canary, broken, first_bad;
	long blocks_offline;
};

static void add_up(const struct model *m, struct sums *s)
{
	unsigned int i;

	*s = (struct sums){ .first_bad = -1 };
	for (i = 0; i < world.nr_blocks; i++)
		s->blocks_offline += !m->block[i].online;
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
	/* The other client's: all are skippable, and have a canary. */
	s->pages += m->outside;
	s->online += m->outside;
	s->skippable += m->outside;
	s->canary += m->outside;
}

static bool compare_total(const struct sums *s, char *detail)
{
	long want = base_total - KB_PAGE * (s->online + s->blocks_offline *
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
			snprintf(detail, DETAIL, "%s is %ld, and is to be %ld",
				 verify_names[i], seen.verify[i], want[i]);
			return false;
		}
	return true;
}

static bool compare_armed(struct model *m, char *detail)
{
	int i;

	for (i = 0; i < NR_POINTS; i++) {
		struct injection *want = &m->inject[i], *got = &seen.inject[i];

		if (got->count == want->count ? !got->count ||
		    got->error == want->error :
		    m->loose && got->count < want->count) {
			want->count = got->count;
			continue;
		}
		snprintf(detail, DETAIL, "%s: %u armed, errno %d; to be %u, errno %d",
			 point_names[i], got->count, got->error, want->count,
			 want->error);
		return false;
	}
	m->loose = false;
	return true;
}

/* Pages of ours hold what was written, and none of them is marked. */
static bool compare_held(const struct model *m, char *detail)
{
	static uint64_t pfns[MAX_HELD];
	unsigned int i, k;

	for (k = 0; k < holds.nr; k++) {
		const struct hold *h = &holds.hold[k];

		if (!held_intact(h)) {
			snprintf(detail, DETAIL, "content is lost");
			return false;
		}
		pagemap_read(h->base, h->nr, pfns);
		for (i = 0; i < h->nr; i++) {
			uint64_t page = pfns[i] - world.first_pfn;

			if (page < world.nr_pages && m->page[page]) {
				snprintf(detail, DETAIL, "page %u:%u is marked, and somebody has it",
					 (unsigned int)page / world.block_pages,
					 (unsigned int)page % world.block_pages);
				return false;
			}
		}
	}
	return true;
}

enum difference kernel_compare(struct model *m, char *detail)
{
	struct sums s;

	if (!learn(m)) {
		snprintf(detail, DETAIL, "not %u pages more than before are listed",
			 m->learn);
		return LISTED;
	}
	add_up(m, &s);
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
