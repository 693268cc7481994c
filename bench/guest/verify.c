// SPDX-License-Identifier: GPL-2.0
/* Measures the check of every page of a marked block. */
#include "guest.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs page-types of the kernel's tools/mm over @nr pages. */
static uint64_t page_types(unsigned long pfn, unsigned long nr)
{
	static char *const environment[] = { NULL };
	char range[64], program[] = "page-types", option[] = "--addr";
	char *const arguments[] = { program, option, range, NULL };
	posix_spawn_file_actions_t actions;
	uint64_t began;
	int status, ret;
	pid_t pid;

	snprintf(range, sizeof(range), "%lu+%lu", pfn, nr);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null",
					 O_WRONLY, 0);
	began = clock_ns();
	ret = posix_spawn(&pid, "/files/page-types", &actions, NULL, arguments,
			  environment);
	if (ret)
		die("page-types: %s", strerror(ret));
	if (waitpid(pid, &status, 0) != pid || status)
		die("page-types %s: status %#x", range, status);
	posix_spawn_file_actions_destroy(&actions);
	return clock_ns() - began;
}

/* The time to start and to end page-types is measured over one page and subtracted. */
void measure_verify(void)
{
	unsigned long pfn = block_pfn(test_block()), nr = setting.block_pages;
	unsigned int i, n = times(30, 10);
	size_t bytes;

	load(NULL);
	block_refresh(test_block());
	operation("take", pfn, nr);
	page_types(pfn, 1);
	for (i = 0; i < n; i++) {
		uint64_t whole, one;

		ours("verify", read_all_ns(DEBUGFS "verify", &bytes));
		whole = page_types(pfn, nr);
		one = page_types(pfn, 1);
		peer("verify", (double)whole - (double)one);
	}
	if (read_value(DEBUGFS "verify", "page_offline") != (long)nr)
		die("not every page of the block was looked at");
	operation("release", pfn, nr);
	unload();
}
