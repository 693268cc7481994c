/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages, exit statuses, signals, and strings that grow. A write error on standard
 * output is never lost, and no signal ends the program between two steps.
 */
#ifndef OFFCTL_UTIL_H
#define OFFCTL_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The exit statuses of offctl. The numbers are part of its interface. */
enum status {
	ST_DONE = 0,
	ST_FAILED = 1,
	ST_USAGE = 2,
	ST_PARTLY = 64,
};

/* "" for 1 thing, "s" for any other number of them. */
const char *plural(uint64_t n);
/* "is" for 1 thing, "are" for any other number of them. */
const char *is_are(uint64_t n);
/* "was" for 1 thing, "were" for any other number of them. */
const char *was_were(uint64_t n);

/* Prints one line on stderr: "offctl: " and the text. */
void err(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Prints the line after it: "hint: " and the text. */
void hint(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/*
 * Prints "offctl: cmd: 'arg': why". Characters of arg that cannot be printed are
 * escaped. cmd may be NULL.
 */
void err_arg(const char *cmd, const char *arg, const char *reason);
/* Prints "Try 'offctl cmd --help' for more.", the line after a usage error. */
void try_help(const char *cmd);
/* All output to stdout goes through these two, so quit() knows of write errors. */
void out(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void out_text(const char *text, size_t len);
/* If it is not NULL, it is called before each output. It clears the line of progress. */
extern void (*before_output)(void);

/* Opens /dev/null in place of a closed stdin, stdout or stderr, and ignores SIGPIPE. */
void stdio_init(void);
/* Flushes stdout and ends the program. The status becomes ST_FAILED if that fails. */
_Noreturn void quit(int status);

/*
 * After this call SIGINT, SIGTERM and SIGHUP do not end the program. They are
 * remembered, and they interrupt a write that waits, which then returns EINTR. So
 * offctl can still report the steps that were done.
 */
void signals_catch(void);
bool signals_seen(void);
/*
 * Interrupts a write that waits after that time, and every 100 ms from then on, since
 * the first signal may come just before the write. time_limit_stop() ends that and
 * tells whether the time was up.
 */
void time_limit_start(uint64_t ms);
bool time_limit_stop(void);

/*
 * Locks the pages that the program has used in memory, all of its code, and some memory
 * for messages. So the program needs no page while memory is full. Without the right to
 * lock memory, it does what it can.
 */
void memory_lock(void);

/* These end the program if there is no memory. */
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);

/* Makes room for one more element in a struct with v, n and cap. */
#define GROW(list)							\
	do {								\
		if ((list)->n == (list)->cap) {				\
			(list)->cap = (list)->cap ? (list)->cap * 2 : 64; \
			(list)->v = xrealloc((list)->v, (list)->cap,	\
					     sizeof(*(list)->v));	\
		}							\
	} while (0)

/* A string that grows. {0} is an empty one. sb_str() never returns NULL. */
struct sb {
	char *p;
	size_t len, cap;
};

void sb_add(struct sb *sb, const char *data, size_t len);
void sb_addf(struct sb *sb, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void sb_pad(struct sb *sb, size_t blanks);
void sb_add_u64(struct sb *sb, uint64_t value);
const char *sb_str(const struct sb *sb);
void sb_clear(struct sb *sb);
void sb_free(struct sb *sb);

#endif
