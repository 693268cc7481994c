// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a sequence. Each step is taken on the machine and in the model, and the two are
 * compared.
 */
#include "common.h"
#include "fuzz.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct counts counts;

static const char *result_name(int result)
{
	static char number[16];

	switch (result) {
	case 0:
		return "ok";
	case STILL_POISONED:
		return "still poisoned";
	case CONTENT_LOST:
		return "content lost";
	case SHORT_WRITE:
		return "short";
	case NOT_DONE:
		return "not done";
	}
	if (result > 0 && strerrorname_np(result))
		return strerrorname_np(result);
	snprintf(number, sizeof(number), "errno %d", result);
	return number;
}

static void count(int result)
{
	counts.operations++;
	if (!result)
		counts.ok++;
	else if (result == EBUSY)
		counts.busy++;
	else
		counts.refused++;
}

static void say_results(const struct step *s, const int *result, char *detail,
			const struct outcomes *out)
{
	size_t len;
	unsigned int i;

	snprintf(detail, DETAIL, "%s", result_name(result[0]));
	for (i = 0; i < out->nr; i++) {
		len = strlen(detail);
		snprintf(detail + len, DETAIL - len, "%s%s",
			 i ? ", or " : ", and is to be ",
			 result_name(out->o[i].result[0]));
		if (s->nr_ops == 2) {
			len = strlen(detail);
			snprintf(detail + len, DETAIL - len, " | %s",
				 result_name(out->o[i].result[1]));
		}
	}
	if (s->nr_ops == 2) {
		len = strlen(detail);
		snprintf(detail + len, DETAIL - len, "; the second: %s",
			 result_name(result[1]));
	}
}

/* Finds the outcome that the machine shows, which becomes the model. */
static bool find_outcome(struct model *m, const struct step *s,
			 const int *result, struct outcomes *out,
			 struct failure *f)
{
	char detail[DETAIL];
	unsigned int i;

	f->kind = RESULT;
	for (i = 0; i < out->nr; i++) {
		struct outcome *o = &out->o[i];
		enum difference d;

		if (o->result[0] != result[0] || o->result[1] != result[1])
			continue;
		d = kernel_compare(&o->model, detail);
		if (d == SAME) {
			model_copy(m, &o->model);
			return true;
		}
		/* The difference from the likeliest outcome is reported. */
		if (f->kind == RESULT) {
			f->kind = d;
			strcpy(f->detail, detail);
		}
	}
	if (f->kind == RESULT)
		say_results(s, result, f->detail, out);
	return false;
}

static bool run_step(struct model *m, const struct step *s, bool quiet,
		     struct failure *f)
{
	static struct outcomes out;
	char text[STEP_TEXT];
	bool good = true;

	model_predict(m, s, kernel_auto_normal(), &out);
	step_print(s, world.block_pages, text);
	if (model_forbids(m, s, &out)) {
		if (!quiet)
			printf("# left out: %s\n", text);
		counts.left_out++;
	} else {
		int result[2];

		if (!quiet)
			printf("# > %s\n", text);
		fflush(stdout);
		kernel_run(s, m, result);
		kernel_observe();
		good = find_outcome(m, s, result, &out, f);
		count(result[0]);
		if (s->nr_ops == 2)
			count(result[1]);
		counts.steps++;
	}
	outcomes_free(&out);
	return good;
}

/* Undoes everything. Nothing of the sequence must be left. */
static bool run_end(struct failure *f)
{
	struct model clean;

	if (!kernel_reset()) {
		f->kind = BLOCK_STATE;
		snprintf(f->detail, DETAIL, "not as it was at first");
		return false;
	}
	model_init(&clean);
	kernel_observe();
	f->kind = kernel_compare(&clean, f->detail);
	model_free(&clean);
	return f->kind == SAME;
}

bool run_steps(const struct step *steps, unsigned int nr, bool quiet,
	       struct failure *f)
{
	struct model m;
	bool good = true;
	unsigned int i;

	model_init(&m);
	for (i = 0; good && i < nr; i++)
		good = run_step(&m, &steps[i], quiet, f);
	model_free(&m);
	if (!good) {
		struct failure end;

		f->step = i - 1;
		if (!run_end(&end)) {
			printf("# and when all is undone, %s: %s\n",
			       difference_names[end.kind], end.detail);
			kernel_rebase();
		}
		return false;
	}
	f->step = nr;
	good = run_end(f);
	if (!good)
		kernel_rebase();
	return good;
}
