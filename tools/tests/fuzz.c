// SPDX-License-Identifier: GPL-2.0
/*
 * A fuzzer for the parsers. The first byte of an input chooses the parser. "make fuzz"
 * builds it with libFuzzer. "make check" builds it with -DREPLAY, which runs files, such as
 * the corpus, once.
 */
#include "badmem.h"
#include "parse.h"
#include "savefile.h"
#include "span.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct units units = { 4096, 134217728 };

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_span(struct span s)
{
	check(s.nr && s.pfn <= UINT64_MAX / units.page &&
	      s.nr <= UINT64_MAX / units.page + 1 - s.pfn);
}

static void words(const char *s)
{
	uint64_t a, b;
	struct span span;
	int e;

	parse_number(s, &a);
	if (!parse_size(s, &a)) {
		struct sb sb = {0};

		/* A printed size must be parsed to the same number. */
		add_size(&sb, a);
		if (a >= 1024 && !(a % 1024))
			check(!parse_size(sb.p, &b) && a == b);
		sb_free(&sb);
	}
	if (!parse_range(s, &units, &span)) {
		struct span again;
		struct sb sb = {0};

		check_span(span);
		add_range(&sb, &units, span);
		check(!parse_range(sb.p, &units, &again) &&
		      again.pfn == span.pfn && again.nr == span.nr);
		sb_free(&sb);
	}
	if (!parse_blocks(s, &units, &a, &b))
		check(a <= b);
	if (!parse_errno(s, &e))
		check(e > 0 && e < 4096);
	if (!parse_duration(s, &a))
		check(a);
}

static void marks(const char *text, size_t len)
{
	struct saved_marks first, second;
	struct sb again = {0};
	size_t line, valid = 0;

	if (savefile_parse(text, len, &units, &first, &line))
		return;
	savefile_add_head(&again, NULL);
	for (size_t i = 0; i < first.n; i++) {
		const struct saved_mark *m = &first.v[i];

		if (m->reason)
			continue;
		check_span(m->span);
		savefile_add(&again, &units, m->span, m->unskippable,
			     m->canary);
		valid++;
	}
	check(!savefile_parse(again.p, again.len, &units, &second, &line));
	check(second.n == valid);
	savefile_free(&first);
	savefile_free(&second);
	sb_free(&again);
}

static void list(enum badmem_format format, const char *text, size_t len)
{
	struct badmem_list l = {0};
	/* The memory is only 16 MiB, so that patterns do not take too long. */
	const uint64_t end = 4096;

	if (format == BADMEM_AUTO)
		format = badmem_guess(text, len);
	if (format != BADMEM_SQLITE && format != BADMEM_UNKNOWN)
		badmem_parse(format, text, len, &units, end, &l);
	for (size_t i = 0; i < l.n; i++)
		check_span(l.v[i].span);
	badmem_align(&l, 16, UINT64_MAX / units.page + 1);
	badmem_at_least(&l, 2);
	for (size_t i = 0; i < l.n; i++)
		check_span(l.v[i].span);
	badmem_free(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (!size)
		return 0;
	/* The size is exact, so that ASan sees a read behind the end. */
	text = xrealloc(NULL, size, 1);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0]) {
	case 'w':
		words(text);
		break;
	case 's':
		marks(text, size - 1);
		break;
	case 'm':
		list(BADMEM_MEMTEST, text, size - 1);
		break;
	case 'b':
		list(BADMEM_BADRAM, text, size - 1);
		break;
	case 'e':
		list(BADMEM_MEMMAP, text, size - 1);
		break;
	case 'c':
		list(BADMEM_CSV, text, size - 1);
		break;
	case 'j':
		list(BADMEM_JSON, text, size - 1);
		break;
	case 'p':
		list(BADMEM_PFN, text, size - 1);
		break;
	case 'a':
		list(BADMEM_ADDRESS, text, size - 1);
		break;
	default:
		list(BADMEM_AUTO, text, size - 1);
	}
	free(text);
	return 0;
}

#ifdef REPLAY
int main(int argc, char **argv)
{
	static uint8_t data[1 << 20];

	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "re");
		size_t n;

		if (!f) {
			perror(argv[i]);
			return 1;
		}
		n = fread(data, 1, sizeof(data), f);
		fclose(f);
		LLVMFuzzerTestOneInput(data, n);
	}
	return 0;
}
#endif
