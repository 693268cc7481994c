/* SPDX-License-Identifier: GPL-2.0 */
/* Lines in the kernel's log that users can cause at will. */
#ifndef FO_LOG_H
#define FO_LOG_H

#include <linux/printk.h>
#include <linux/ratelimit.h>

/*
 * Each place may say a hundred lines in five seconds, not the usual ten: the
 * log is where the reason for each refused line of a list, and for each failed
 * offlining, is to be found, and a script is that fast.
 */
#define FO_LOG_BURST	100

/* As pr_notice(), which it becomes; pr_fmt() is that of the file. */
#define fo_log(fmt, ...)						\
do {									\
	static DEFINE_RATELIMIT_STATE(fo_log_limit,			\
				      DEFAULT_RATELIMIT_INTERVAL, FO_LOG_BURST); \
									\
	if (__ratelimit(&fo_log_limit))					\
		pr_notice(fmt, ##__VA_ARGS__);				\
} while (0)

#endif /* FO_LOG_H */
