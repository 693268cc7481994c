// SPDX-License-Identifier: GPL-2.0
/* Messages, exit statuses, signals, and strings that grow. */
#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t signal_seen;
static volatile sig_atomic_t time_is_up;
static int stdout_error;	/* the first errno that stdout gave */

void (*before_output)(void);

static void note_stdout(bool failed)
{
	if (failed && !stdout_error)
		stdout_error = errno ? errno : EIO;
}

static void err_line(const char *prefix, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

/*
 * stderr is not buffered. A line printed in several parts would be several writes, which mix
 * with the lines of other programs. So the whole line is made first.
 */
static void err_line(const char *prefix, const char *fmt, va_list ap)
{
	char *text;

	if (before_output)
		before_output();
	/* Output that was printed earlier must appear earlier. */
	note_stdout(fflush(stdout));
	if (vasprintf(&text, fmt, ap) < 0) {
		fputs("offctl: out of memory\n", stderr);
		return;
	}
	fprintf(stderr, "%s%s\n", prefix, text);
	free(text);
}

const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

const char *is_are(uint64_t n)
{
	return n == 1 ? "is" : "are";
}

const char *was_were(uint64_t n)
{
	return n == 1 ? "was" : "were";
}

void err(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_line("offctl: ", fmt, ap);
	va_end(ap);
}

void hint(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_line("hint: ", fmt, ap);
	va_end(ap);
}

void err_arg(const char *cmd, const char *arg, const char *reason)
{
	struct sb quoted = {0};

	for (; *arg; arg++) {
		unsigned char c = (unsigned char)*arg;

		if (c < ' ' || c >= 127)
			sb_addf(&quoted, "\\x%02x", c);
		else
			sb_add(&quoted, arg, 1);
	}
	err("%s%s'%s': %s", cmd ? cmd : "", cmd ? ": " : "", sb_str(&quoted),
	    reason);
	sb_free(&quoted);
}

void try_help(const char *cmd)
{
	if (cmd)
		fprintf(stderr, "Try 'offctl %s --help' for more.\n", cmd);
	else
		fputs("Try 'offctl --help' for more.\n", stderr);
}

void out_text(const char *text, size_t len)
{
	if (before_output)
		before_output();
	note_stdout(fwrite(text, 1, len, stdout) != len);
}

void out(const char *fmt, ...)
{
	va_list ap;

	if (before_output)
		before_output();
	va_start(ap, fmt);
	note_stdout(vprintf(fmt, ap) < 0);
	va_end(ap);
}

void stdio_init(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	/*
	 * A file opened later must not become "stdout". Opening /dev/null for reading
	 * only makes a write to a closed stdout fail, as it should.
	 */
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd == 1 ? O_RDONLY : O_RDWR) != fd)
			_exit(ST_FAILED);

	/*
	 * If the reader of stdout goes away, offctl must not end between two blocks. It
	 * does the rest, and its exit status is still true.
	 */
	sigaction(SIGPIPE, &ignore, NULL);
}

void quit(int status)
{
	note_stdout(fflush(stdout));
	/* `offctl list | head -1` is not a failure. */
	if (stdout_error && stdout_error != EPIPE) {
		err("standard output: %s", strerror(stdout_error));
		if (status == ST_DONE)
			status = ST_FAILED;
	}
	exit(status);
}

static void on_signal(int sig)
{
	(void)sig;
	signal_seen = 1;
}

void signals_catch(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		struct sigaction old, new = { .sa_handler = on_signal };

		sigemptyset(&new.sa_mask);
		/* Without SA_RESTART the write returns. */
		if (!sigaction(signals[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaction(signals[i], &new, NULL);
	}
}

static void on_alarm(int sig)
{
	(void)sig;
	time_is_up = 1;
}

void time_limit_start(uint64_t ms)
{
	struct sigaction act = { .sa_handler = on_alarm };
	struct itimerval timer = {
		.it_value = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000) },
		.it_interval = { 0, 100000 },
	};

	sigemptyset(&act.sa_mask);
	time_is_up = 0;
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

bool time_limit_stop(void)
{
	static const struct itimerval none;

	setitimer(ITIMER_REAL, &none, NULL);
	return time_is_up;
}

bool signals_seen(void)
{
	return signal_seen;
}

/* The linker's names for the begin of the program and the end of its data. */
extern char __executable_start[], end[];

/* Enough for all messages about an attempt. It stays below malloc's limit for mmap(). */
#define MESSAGE_BYTES (64 * 1024)

void memory_lock(void)
{
	static bool locked;
	char *messages;

	if (locked)
		return;
	locked = true;
	messages = xrealloc(NULL, MESSAGE_BYTES, 1);
	explicit_bzero(messages, MESSAGE_BYTES);
	free(messages);
	/* Pages that were never used stay out: a library may have mapped a huge file. */
	mlockall(MCL_CURRENT | MCL_ONFAULT);
	mlock(__executable_start, (uintptr_t)end - (uintptr_t)__executable_start);
}

void *xrealloc(void *p, size_t n, size_t size)
{
	void *new = reallocarray(p, n ? n : 1, size);

	if (!new) {
		fputs("offctl: out of memory\n", stderr);
		exit(ST_FAILED);
	}
	return new;
}

char *xstrdup(const char *s)
{
	size_t len = strlen(s) + 1;

	return memcpy(xrealloc(NULL, len, 1), s, len);
}

static void sb_grow(struct sb *sb, size_t more)
{
	size_t need = sb->len + more + 1;

	if (need <= sb->cap)
		return;
	sb->cap = need < 64 ? 64 : need * 2;
	sb->p = xrealloc(sb->p, sb->cap, 1);
}

void sb_add(struct sb *sb, const char *data, size_t len)
{
	sb_grow(sb, len);
	memcpy(sb->p + sb->len, data, len);
	sb->len += len;
	sb->p[sb->len] = '\0';
}

void sb_addf(struct sb *sb, const char *fmt, ...)
{
	va_list ap;
	int len;

	sb_grow(sb, 63);
	/* If the text does not fit the first time, it fits the second time. */
	for (;;) {
		size_t room = sb->cap - sb->len;

		va_start(ap, fmt);
		len = vsnprintf(sb->p + sb->len, room, fmt, ap);
		va_end(ap);
		if (len < 0) {
			fputs("offctl: out of memory\n", stderr);
			exit(ST_FAILED);
		}
		if ((size_t)len < room)
			break;
		sb_grow(sb, (size_t)len);
	}
	sb->len += (size_t)len;
}

void sb_pad(struct sb *sb, size_t blanks)
{
	sb_grow(sb, blanks);
	memset(sb->p + sb->len, ' ', blanks);
	sb->len += blanks;
	sb->p[sb->len] = '\0';
}

void sb_add_u64(struct sb *sb, uint64_t value)
{
	char digits[20];
	size_t n = sizeof(digits);

	do
		digits[--n] = (char)('0' + value % 10);
	while (value /= 10);
	sb_add(sb, digits + n, sizeof(digits) - n);
}

const char *sb_str(const struct sb *sb)
{
	return sb->p ? sb->p : "";
}

void sb_clear(struct sb *sb)
{
	sb->len = 0;
	if (sb->p)
		sb->p[0] = '\0';
}

void sb_free(struct sb *sb)
{
	free(sb->p);
	*sb = (struct sb){0};
}
