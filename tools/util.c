// SPDX-License-Identifier: GPL-2.0
#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t signal_seen;
static int stdout_error;	/* the first errno that stdout gave */

static void note_stdout(bool failed)
{
	if (failed && !stdout_error)
		stdout_error = errno ? errno : EIO;
}

static void err_line(const char *prefix, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

/*
 * stderr is not buffered: a line printed in pieces would be several writes,
 * and mix with the lines of others. So each line is made first.
 */
static void err_line(const char *prefix, const char *fmt, va_list ap)
{
	char *text;

	/* What was said before comes before. */
	note_stdout(fflush(stdout));
	if (vasprintf(&text, fmt, ap) < 0) {
		fputs("offctl: out of memory\n", stderr);
		return;
	}
	fprintf(stderr, "%s%s\n", prefix, text);
	free(text);
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

void err_arg(const char *cmd, const char *arg, const char *why)
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
	    why);
	sb_free(&quoted);
}

void try_help(const char *cmd)
{
	if (cmd)
		fprintf(stderr, "Try 'offctl %s --help' for more.\n", cmd);
	else
		fputs("Try 'offctl --help' for more.\n", stderr);
}

void out(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note_stdout(vprintf(fmt, ap) < 0);
	va_end(ap);
}

void stdio_init(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	/*
	 * A file opened later must not become "stdout". What is opened here
	 * for reading only makes a write to a closed stdout fail, as it should.
	 */
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd == 1 ? O_RDONLY : O_RDWR) != fd)
			_exit(ST_FAILED);

	/*
	 * A reader that went away must not end us between two blocks: the rest
	 * is done, and the exit status is still true.
	 */
	sigaction(SIGPIPE, &ignore, NULL);
}

void quit(int status)
{
	note_stdout(fflush(stdout));
	/* `offctl list | head -1` is no failure. */
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
	static const int signals[] = { SIGINT, SIGTERM };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		struct sigaction old, new = { .sa_handler = on_signal };

		sigemptyset(&new.sa_mask);
		/* No SA_RESTART: the write is to come back. */
		if (!sigaction(signals[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaction(signals[i], &new, NULL);
	}
}

bool signals_seen(void)
{
	return signal_seen;
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
	char *text;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0) {
		fputs("offctl: out of memory\n", stderr);
		exit(ST_FAILED);
	}
	sb_add(sb, text, (size_t)len);
	free(text);
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
