/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages, exit codes, growing strings, and what a command line tool owes
 * its caller: no output lost in silence, no surprise when a signal comes.
 */
#ifndef OFFCTL_UTIL_H
#define OFFCTL_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* What offctl exits with; the numbers are part of its interface. */
enum status {
	ST_DONE = 0,
	ST_FAILED = 1,
	ST_USAGE = 2,
	ST_PARTLY = 64,
};

/* One line on stderr: "offctl: " and the text. */
void err(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The line after it: "hint: " and the text. */
void hint(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/*
 * "offctl: cmd: 'arg': why", with what is not printable in arg escaped. cmd
 * may be NULL.
 */
void err_arg(const char *cmd, const char *arg, const char *why);
/* "Try 'offctl cmd --help' for more.": the line after a usage error. */
void try_help(const char *cmd);
/* Anything for stdout goes through here; quit() knows whether it arrived. */
void out(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void out_text(const char *text, size_t len);
/*
 * Called before anything is printed, so that a line of progress can be taken
 * away; NULL: nobody.
 */
extern void (*before_output)(void);

/* Opens /dev/null in place of a closed stdin, stdout or stderr; no SIGPIPE. */
void stdio_init(void);
/* Ends the program: flushes stdout, and fails when that fails. */
_Noreturn void quit(int status);

/*
 * From here on SIGINT, SIGTERM and SIGHUP interrupt a write that waits (it returns
 * EINTR), and are remembered, instead of ending the program at once: what was
 * done until then can still be reported.
 */
void signals_catch(void);
bool signals_seen(void);
/*
 * Interrupts what waits after that time, again and again until it is stopped:
 * the first signal may come just before the write. Stopping tells whether the
 * time was up.
 */
void time_limit_start(uint64_t ms);
bool time_limit_stop(void);

/* Allocation that ends the program when there is no memory. */
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);

/* Room for one more in a struct with v, n and cap. */
#define GROW(list)							\
	do {								\
		if ((list)->n == (list)->cap) {				\
			(list)->cap = (list)->cap ? (list)->cap * 2 : 64; \
			(list)->v = xrealloc((list)->v, (list)->cap,	\
					     sizeof(*(list)->v));	\
		}							\
	} while (0)

/* A string that grows; {0} is an empty one. str() is never NULL. */
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
