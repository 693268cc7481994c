// SPDX-License-Identifier: GPL-2.0
/*
 * fodev: calls the ioctls of /dev/fake_offline.
 *
 *   fodev COMMAND...     carries out one command
 *   fodev                prints "ready", and carries out the commands of stdin, one a line,
 *                        on one descriptor
 *
 * Commands:
 *   info                          the answer of INFO
 *   session NAME                  make the descriptor a session
 *   take START NR [OPTION...]     OPTION: unskippable, canary, absent, once
 *   take any NR ROOM [OPTION...]  anywhere, in at most ROOM ranges; prints these
 *   batch START NR START NR...    take several ranges in one call
 *   release START NR [START NR...], release all
 *   skippable START NR 0|1
 *   list [own] [ROOM]             prints the ranges, ROOM in each call
 *   verify                        prints all counts
 *   fork                          a child gets the descriptor, and sleeps; prints its PID
 *   bad HOW                       each ioctl, malformed: see do_bad()
 *   lost NR                       take pages anywhere, with a result that cannot be told
 *   quit                          ends the program
 *
 * prints "ok", or the name of an errno and, if the module gave a reason,
 * "request I pfn P reason R owner O". For each command the last line is one of these.
 */
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/fake_offline.h>

#define MAX_WORDS	64
#define MAX_RANGES	4096

static int fd;
static struct fake_offline_failure failure;

static uint64_t address(const void *p)
{
	return (uintptr_t)p;
}

/* Prints the result of an ioctl that may have given a reason. */
static int result(int ret)
{
	if (!ret) {
		puts("ok");
	} else {
		printf("%s", strerrorname_np(errno));
		if (failure.reason)
			printf(" request %u pfn %" PRId64 " reason %u owner %s",
			       failure.request, (int64_t)failure.pfn, failure.reason,
			       failure.owner[0] ? failure.owner : "-");
		putchar('\n');
	}
	fflush(stdout);
	return ret;
}

static uint64_t failure_at(void)
{
	memset(&failure, 0, sizeof(failure));
	failure.size = sizeof(failure);
	return address(&failure);
}

static int do_info(void)
{
	struct fake_offline_info_args a = { .size = sizeof(a) };
	int ret = ioctl(fd, FAKE_OFFLINE_IOCTL_INFO, &a);

	if (!ret)
		printf("abi %u hook %u page_bytes %u max_requests %u block_pages %" PRIu64
		       " reserve_mib %" PRIu64 " version %s skip %s\n",
		       a.abi, a.hook, a.page_bytes, a.max_requests,
		       (uint64_t)a.block_pages, (uint64_t)a.reserve_mib, a.version, a.skip);
	return result(ret);
}

static uint32_t parse_flags(char **word, int n)
{
	uint32_t flags = FAKE_OFFLINE_SKIPPABLE;

	while (n--) {
		if (!strcmp(word[n], "unskippable"))
			flags &= ~FAKE_OFFLINE_SKIPPABLE;
		else if (!strcmp(word[n], "canary"))
			flags |= FAKE_OFFLINE_CANARY;
		else if (!strcmp(word[n], "absent"))
			flags |= FAKE_OFFLINE_ABSENT;
		else if (!strcmp(word[n], "once"))
			flags |= FAKE_OFFLINE_ONCE;
		else
			die("unknown option %s", word[n]);
	}
	return flags;
}

static int take(struct fake_offline_take_request *r, uint32_t n)
{
	struct fake_offline_take_args a = {
		.size = sizeof(a),
		.requests = address(r),
		.nr_requests = n,
		.request_size = sizeof(*r),
		.failure = failure_at(),
	};

	return ioctl(fd, FAKE_OFFLINE_IOCTL_TAKE, &a);
}

static int do_take(char **word, int n)
{
	static struct fake_offline_pages got[MAX_RANGES];
	struct fake_offline_take_request r = { 0 };
	int any = n > 2 && !strcmp(word[0], "any"), ret;

	if (n < 2)
		die("take: too few words");
	r.nr_pages = parse_u64(word[1]);
	r.flags = parse_flags(word + 2 + any, n - 2 - any);
	if (any) {
		r.start_pfn = FAKE_OFFLINE_NO_PFN;
		r.nid = FAKE_OFFLINE_ANY_NODE;
		r.zone = FAKE_OFFLINE_ANY_ZONE;
		r.nr_got = (uint32_t)at_most(parse_u64(word[2]), MAX_RANGES);
		r.got = address(got);
	} else {
		r.start_pfn = parse_u64(word[0]);
	}
	ret = take(&r, 1);
	for (uint32_t i = 0; !ret && any && i < r.nr_got; i++)
		printf("%" PRIu64 " %" PRIu64 "\n", (uint64_t)got[i].start_pfn,
		       (uint64_t)got[i].nr_pages);
	return result(ret);
}

static int do_batch(char **word, int n)
{
	struct fake_offline_take_request r[MAX_WORDS / 2] = { 0 };

	for (int i = 0; i < n / 2; i++) {
		r[i].start_pfn = parse_u64(word[2 * i]);
		r[i].nr_pages = parse_u64(word[2 * i + 1]);
		r[i].flags = FAKE_OFFLINE_SKIPPABLE;
	}
	return result(take(r, (uint32_t)n / 2));
}

static int do_release(char **word, int n)
{
	struct fake_offline_pages p[MAX_WORDS / 2] = { 0 };
	struct fake_offline_release_args a = {
		.size = sizeof(a),
		.failure = failure_at(),
	};

	if (n == 1 && !strcmp(word[0], "all")) {
		a.flags = FAKE_OFFLINE_RELEASE_ALL;
	} else {
		for (int i = 0; i < n / 2; i++) {
			p[i].start_pfn = parse_u64(word[2 * i]);
			p[i].nr_pages = parse_u64(word[2 * i + 1]);
		}
		a.ranges = address(p);
		a.nr_ranges = (uint32_t)n / 2;
	}
	return result(ioctl(fd, FAKE_OFFLINE_IOCTL_RELEASE, &a));
}

static int do_skippable(char **word, int n)
{
	struct fake_offline_skippable_args a = {
		.size = sizeof(a),
		.failure = failure_at(),
	};

	if (n != 3)
		die("skippable: three words");
	a.start_pfn = parse_u64(word[0]);
	a.nr_pages = parse_u64(word[1]);
	a.flags = parse_u64(word[2]) ? FAKE_OFFLINE_SKIPPABLE : 0;
	return result(ioctl(fd, FAKE_OFFLINE_IOCTL_SKIPPABLE, &a));
}

static int do_list(char **word, int n)
{
	static struct fake_offline_listed l[MAX_RANGES];
	struct fake_offline_list_args a = {
		.size = sizeof(a),
		.ranges = address(l),
		.range_size = sizeof(*l),
	};
	uint32_t room = MAX_RANGES;
	int ret;

	for (; n--; word++) {
		if (!strcmp(*word, "own"))
			a.flags = FAKE_OFFLINE_LIST_OWN;
		else
			room = (uint32_t)at_most(parse_u64(*word), MAX_RANGES);
	}
	do {
		a.nr_ranges = room;
		ret = ioctl(fd, FAKE_OFFLINE_IOCTL_LIST, &a);
		for (uint32_t i = 0; !ret && i < a.nr_ranges; i++)
			printf("%" PRIu64 " %" PRIu64 " %d %d %d %d %s %s\n",
			       (uint64_t)l[i].start_pfn, (uint64_t)l[i].nr_pages,
			       !!(l[i].flags & FAKE_OFFLINE_SKIPPABLE),
			       !!(l[i].flags & FAKE_OFFLINE_CANARY), l[i].nid, l[i].zone,
			       l[i].owner, l[i].state == FAKE_OFFLINE_IN_FORCE ? "in_force" :
			       l[i].state == FAKE_OFFLINE_WAITING ? "waiting" :
								    "not_in_force");
	} while (!ret && a.nr_ranges);
	return result(ret);
}

static int do_verify(void)
{
	struct fake_offline_verify_args a = {
		.size = sizeof(a),
		.nr_pages = ~0ULL,
	};
	int ret = ioctl(fd, FAKE_OFFLINE_IOCTL_VERIFY, &a);

	if (!ret)
		printf("ranges %" PRIu64 " pages %" PRIu64 " page_offline %" PRIu64
		       " skippable %" PRIu64 " buddy %" PRIu64 " wrong_count %" PRIu64
		       " canary %" PRIu64 " canary_broken %" PRIu64 " first_bad_pfn %" PRId64
		       "\n", (uint64_t)a.ranges, (uint64_t)a.pages,
		       (uint64_t)a.page_offline, (uint64_t)a.skippable,
		       (uint64_t)a.buddy, (uint64_t)a.wrong_count,
		       (uint64_t)a.canary, (uint64_t)a.canary_broken,
		       (int64_t)a.first_bad_pfn);
	return result(ret);
}

static int do_session(const char *name)
{
	struct fake_offline_session_args a = { .size = sizeof(a) };

	memset(&failure, 0, sizeof(failure));
	/* A name may fill the field, without a NUL. */
	memcpy(a.owner, name, at_most(strlen(name), sizeof(a.owner)));
	return result(ioctl(fd, FAKE_OFFLINE_IOCTL_SESSION, &a));
}

static int do_fork(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid) {
		/* The child keeps nothing but the descriptor of the device. */
		for (int i = 0; i < fd; i++)
			close(i);
		pause();
		_exit(0);
	}
	printf("%d\n", (int)pid);
	return result(0);
}

/* ---- malformed calls */

/* As much as every structure has, and more. The end is inside of one page. */
union any_args {
	struct {
		uint32_t size;
		uint32_t flags;
	};
	struct fake_offline_info_args info;
	struct fake_offline_take_args take;
	struct fake_offline_release_args release;
	struct fake_offline_skippable_args skippable;
	struct fake_offline_list_args list;
	struct fake_offline_verify_args verify;
	struct fake_offline_session_args session;
	uint8_t bytes[512];
};

static const struct {
	const char *name;
	unsigned long cmd;
	uint32_t size;
} calls[] = {
	{ "info", FAKE_OFFLINE_IOCTL_INFO, sizeof(struct fake_offline_info_args) },
	{ "take", FAKE_OFFLINE_IOCTL_TAKE, sizeof(struct fake_offline_take_args) },
	{ "release", FAKE_OFFLINE_IOCTL_RELEASE, sizeof(struct fake_offline_release_args) },
	{ "skippable", FAKE_OFFLINE_IOCTL_SKIPPABLE,
	  sizeof(struct fake_offline_skippable_args) },
	{ "list", FAKE_OFFLINE_IOCTL_LIST, sizeof(struct fake_offline_list_args) },
	{ "verify", FAKE_OFFLINE_IOCTL_VERIFY, sizeof(struct fake_offline_verify_args) },
	{ "session", FAKE_OFFLINE_IOCTL_SESSION, sizeof(struct fake_offline_session_args) },
};

static void *page;	/* an address that can be read, and not written */

/* Fills in arguments with which the call would succeed, or do no harm. */
static void good(union any_args *a, size_t i)
{
	static struct fake_offline_take_request r;
	static struct fake_offline_pages p;
	static struct fake_offline_listed l;

	memset(a, 0, sizeof(*a));
	a->size = calls[i].size;
	r = (struct fake_offline_take_request){ 0 };	/* no pages: EINVAL */
	switch (calls[i].cmd) {
	case FAKE_OFFLINE_IOCTL_TAKE:
		a->take.requests = address(&r);
		a->take.nr_requests = 1;
		a->take.request_size = sizeof(r);
		break;
	case FAKE_OFFLINE_IOCTL_RELEASE:
		a->release.ranges = address(&p);
		a->release.nr_ranges = 1;
		break;
	case FAKE_OFFLINE_IOCTL_LIST:
		a->list.ranges = address(&l);
		a->list.nr_ranges = 1;
		a->list.range_size = sizeof(l);
		break;
	case FAKE_OFFLINE_IOCTL_VERIFY:
		a->verify.nr_pages = 1;
		break;
	}
}

/*
 * Calls each ioctl in one malformed way, and prints "NAME ERRNO" for each.
 *   short   one byte less than the first version of the structure
 *   empty   a size of 0
 *   long    a longer structure whose unknown end is 0: as with the size that is known
 *   newer   a longer structure with something in its unknown end
 *   huge    a size of more than a page
 *   flags   each flag set
 *   null    no structure; readonly: one that cannot be written
 */
static int do_bad(const char *how)
{
	union any_args a;
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		void *arg = &a;
		int ret;

		good(&a, i);
		if (!strcmp(how, "short")) {
			a.size--;
		} else if (!strcmp(how, "empty")) {
			a.size = 0;
		} else if (!strcmp(how, "long")) {
			a.size += 64;
		} else if (!strcmp(how, "newer")) {
			a.size += 64;
			a.bytes[a.size - 1] = 1;
		} else if (!strcmp(how, "huge")) {
			a.size = 65536;
		} else if (!strcmp(how, "flags")) {
			a.flags = ~0U;
		} else if (!strcmp(how, "null")) {
			arg = NULL;
		} else if (!strcmp(how, "readonly")) {
			if (mprotect(page, 4096, PROT_READ | PROT_WRITE))
				die("mprotect: %s", strerror(errno));
			memcpy(page, &a, sizeof(a));
			if (mprotect(page, 4096, PROT_READ))
				die("mprotect: %s", strerror(errno));
			arg = page;
		} else if (strcmp(how, "good")) {
			die("unknown way %s", how);
		}
		ret = ioctl(fd, calls[i].cmd, arg);
		printf("%s %s\n", calls[i].name, ret ? strerrorname_np(errno) : "ok");
	}
	return 0;
}

/* Takes pages anywhere, with a place for the result that cannot be written. */
static int do_lost(char **word)
{
	struct fake_offline_take_request r = {
		.start_pfn = FAKE_OFFLINE_NO_PFN,
		.nr_pages = parse_u64(word[0]),
		.flags = FAKE_OFFLINE_SKIPPABLE,
		.nid = FAKE_OFFLINE_ANY_NODE,
		.zone = FAKE_OFFLINE_ANY_ZONE,
		.nr_got = 1000,
		.got = address(page),
	};

	if (mprotect(page, 4096, PROT_READ))
		die("mprotect: %s", strerror(errno));
	return result(take(&r, 1));
}

static int carry_out(char **word, int n)
{
	const char *command = word[0];

	word++;
	n--;
	memset(&failure, 0, sizeof(failure));
	if (!strcmp(command, "info"))
		return do_info();
	if (!strcmp(command, "session") && n == 1)
		return do_session(word[0]);
	if (!strcmp(command, "take"))
		return do_take(word, n);
	if (!strcmp(command, "batch"))
		return do_batch(word, n);
	if (!strcmp(command, "release"))
		return do_release(word, n);
	if (!strcmp(command, "skippable"))
		return do_skippable(word, n);
	if (!strcmp(command, "list"))
		return do_list(word, n);
	if (!strcmp(command, "verify"))
		return do_verify();
	if (!strcmp(command, "fork"))
		return do_fork();
	if (!strcmp(command, "bad") && n == 1)
		return do_bad(word[0]);
	if (!strcmp(command, "lost") && n == 1)
		return do_lost(word);
	die("unknown command %s", command);
}

int main(int argc, char **argv)
{
	char line[4096];

	fd = open("/dev/fake_offline", O_RDWR);
	if (fd < 0) {
		printf("open:%s\n", strerrorname_np(errno));
		return 1;
	}
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	if (argc > 1)
		return carry_out(argv + 1, argc - 1) ? 1 : 0;
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		char *word[MAX_WORDS], *save = NULL, *w;
		int n = 0;

		for (w = strtok_r(line, " \n", &save); w && n < MAX_WORDS;
		     w = strtok_r(NULL, " \n", &save))
			word[n++] = w;
		if (n && !strcmp(word[0], "quit"))
			break;
		if (n)
			carry_out(word, n);
		fflush(stdout);
	}
	return 0;
}
