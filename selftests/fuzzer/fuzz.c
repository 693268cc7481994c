// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz: random sequences of everything that can be done, against a model.
 *
 *   fuzz [OPTION]... [-b FIRST+NR] -s SEED [-c COUNT] [-n STEPS]
 *   fuzz [OPTION]... [-b FIRST+NR] -r FILE
 *   fuzz -l -s SEED [-n STEPS]
 *
 * The first form makes COUNT sequences (1) of STEPS steps (60). The first sequence has the
 * seed SEED, the others the numbers that follow. The second form runs the sequence in
 * FILE, which has one step a line in the form of op.c. -l only prints the sequence, on any
 * machine.
 *   -b FIRST+NR  the memory blocks, which must be in ZONE_MOVABLE (32+3)
 *   -k SKIP      the module's parameter "skip" (frozen)
 *   -p PLANT     the model is wrong on purpose: forget, behind or errno
 *   -x           do not shrink
 *
 * Each step is printed before it is taken, after "# > ". So the log also has the step that
 * crashes the kernel. A sequence that fails is shrunk and printed, after "# = ".
 *
 * Exit status: 0 if the kernel did and showed what the model predicts, 1 if not, 2 if the
 * fuzzer could not find out.
 */
#include "common.h"
#include "fuzz.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_STEPS 10000

static const char *const plants[] = { "none", "forget", "behind", "errno" };

/* Runs a sequence, and shrinks it if it fails. */
static bool run_and_shrink(struct step *steps, unsigned int nr, bool shrinking)
{
	struct failure f;
	char text[STEP_TEXT];
	unsigned int i;

	if (run_steps(steps, nr, false, &f))
		return true;
	printf("# DIFFERS at step %u of %u: %s: %s\n", f.step + 1, nr,
	       difference_names[f.kind], f.detail);
	if (!shrinking)
		return false;
	nr = shrink(steps, nr, &f);
	for (i = 0; i < nr; i++) {
		step_print(&steps[i], world.block_pages, text);
		printf("# = %s\n", text);
	}
	printf("# %s: %s\n", difference_names[f.kind], f.detail);
	return false;
}

static unsigned int read_steps(const char *path, struct step *steps)
{
	FILE *f = fopen(path, "r");
	char line[STEP_TEXT];
	unsigned int nr = 0;

	if (!f)
		die("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!line[strspn(line, " \t")] || line[0] == '#')
			continue;
		if (nr == MAX_STEPS)
			die("%s: too long", path);
		step_parse(&steps[nr++], world.block_pages, line);
	}
	fclose(f);
	return nr;
}

static void print_steps(const struct step *steps, unsigned int nr)
{
	char text[STEP_TEXT];
	unsigned int i;

	for (i = 0; i < nr; i++) {
		step_print(&steps[i], world.block_pages, text);
		puts(text);
	}
}

static void choose_blocks(const char *arg)
{
	struct ranges set = { 0 };

	ranges_add(&set, arg);
	if (set.nr != 1 || set.r[0].nr > MAX_BLOCKS)
		die("not so many blocks: %s", arg);
	world.first_block = set.r[0].start;
	world.nr_blocks = (unsigned int)set.r[0].nr;
	free(set.r);
}

static void choose_plant(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(plants) / sizeof(plants[0]); i++)
		if (!strcmp(plants[i], name)) {
			plant = (enum plant)i;
			return;
		}
	die("no such plant: %s", name);
}

static void measure_blocks(void)
{
	FILE *f = fopen("/sys/devices/system/memory/block_size_bytes", "r");
	unsigned long bytes;

	if (!f || fscanf(f, "%lx", &bytes) != 1)
		die("no memory blocks here");
	fclose(f);
	world.block_pages = (unsigned int)(bytes / 4096);
}

int main(int argc, char **argv)
{
	unsigned int nr = 60, times = 1, i;
	const char *file = NULL;
	bool only_list = false, shrinking = true, good = true;
	struct step *steps;
	uint64_t seed = 1;
	int opt;

	world.skip = "frozen";
	world.block_pages = 32768;
	choose_blocks("32+3");
	while ((opt = getopt(argc, argv, "b:c:k:ln:p:r:s:x")) != -1) {
		switch (opt) {
		case 'b':
			choose_blocks(optarg);
			break;
		case 'c':
			times = (unsigned int)parse_u64(optarg);
			break;
		case 'k':
			world.skip = optarg;
			break;
		case 'l':
			only_list = true;
			break;
		case 'n':
			nr = (unsigned int)at_most(parse_u64(optarg), MAX_STEPS);
			break;
		case 'p':
			choose_plant(optarg);
			break;
		case 'r':
			file = optarg;
			break;
		case 's':
			seed = parse_u64(optarg);
			break;
		case 'x':
			shrinking = false;
			break;
		default:
			return 2;
		}
	}
	if (optind != argc)
		die("usage: fuzz [OPTION]... -s SEED | -r FILE");
	if (!only_list)
		measure_blocks();
	if (world.block_pages / PAGE_BLOCK > MAX_REQUESTS)
		die("memory blocks are too large here");
	world.nr_pages = world.nr_blocks * world.block_pages;
	world.first_pfn = world.first_block * world.block_pages;
	steps = calloc(MAX_STEPS, sizeof(*steps));
	if (!steps)
		die("out of memory");
	if (!only_list)
		kernel_init();
	for (i = 0; i < (file ? 1 : times) && good; i++, seed++) {
		if (file)
			nr = read_steps(file, steps);
		else
			generate(seed, steps, nr);
		if (only_list) {
			print_steps(steps, nr);
			continue;
		}
		if (!file)
			printf("# seed %" PRIu64 ", %u steps\n", seed, nr);
		good = run_and_shrink(steps, nr, shrinking);
		if (!good && !file)
			printf("# again: fuzz -k %s -b %" PRIu64 "+%u -s %" PRIu64
			       " -n %u\n", world.skip, world.first_block,
			       world.nr_blocks, seed, nr);
	}
	if (!only_list)
		printf("# steps %lu, left out %lu; operations %lu: ok %lu, EBUSY %lu, others %lu\n",
		       counts.steps, counts.left_out, counts.operations,
		       counts.ok, counts.busy, counts.refused);
	free(steps);
	return !good;
}
