// SPDX-License-Identifier: GPL-2.0
/*
 * The debugfs files. parse.c parses what is written. The functions of
 * <linux/fake_offline.h> and of the core do the work. The marks of this interface
 * belong to a client named "debugfs". docs/ABI/debugfs-fake_offline describes the
 * files.
 *
 * A write is parsed as a whole before anything is done.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include <linux/fake_offline_test.h>

#include "block.h"
#include "client.h"
#include "debugfs.h"
#include "floor.h"
#include "hook.h"
#include "inject.h"
#include "log.h"
#include "page_state.h"
#include "parse.h"
#include "reason.h"
#include "release.h"
#include "stats.h"
#include "unplug.h"

#define MAX_WRITE	BIT(20)

static struct dentry *dir;
static struct fake_offline_client *client;	/* named "debugfs" */

/**
 * struct file_spec - one file of the directory
 * @name: its name
 * @item_size: the size of a parsed line, in bytes
 * @one_line: whether a write must have exactly one line
 * @parse: parses a line into an item, and changes nothing; NULL for a file that is
 *	only read
 * @run: carries out the items
 * @show: prints the file. Of @show and @seq one is set, unless it is only written
 * @seq: prints a file that may be long, item by item
 * @failures: the kind of failures that show_failure() prints
 */
struct file_spec {
	const char *name;
	size_t item_size;
	bool one_line;
	fo_parse_fn parse;
	int (*run)(void *items, unsigned int nr);
	int (*show)(struct seq_file *m, void *unused);
	const struct seq_operations *seq;
	enum fo_failure_kind failures;
};

static int run_mark(void *requests, unsigned int nr)
{
	return fake_offline_take(client, requests, nr);
}

static int run_unmark(void *items, unsigned int nr)
{
	struct fake_offline_range *ranges = items;
	unsigned int i;

	/* The parser makes a range without pages of the line "all". */
	if (nr == 1 && !ranges->nr_pages)
		return fake_offline_release_all(client);
	for (i = 0; i < nr; i++)
		if (!ranges[i].nr_pages)
			return -EINVAL;	/* "all" must be the only line */
	fo_sort_ranges(ranges, nr);
	return fake_offline_release(client, ranges, nr);
}

static int run_skippable(void *items, unsigned int nr)
{
	struct fo_skippable_item *item = items;

	return fake_offline_set_skippable(client, item->start_pfn,
					  item->nr_pages, item->skippable);
}

static int run_block(void *items, unsigned int nr)
{
	struct fo_block_item *item = items;

	return fo_block_set_state(item->block, item->state);
}

static int run_inject(void *items, unsigned int nr)
{
	struct fo_inject_item *item;

	for (item = items; nr--; item++) {
		if (item->clear)
			fo_inject_clear();
		else
			fo_inject_arm(item->point, item->error, item->count);
	}
	return 0;
}

/* Positions in "ranges": 0 is the header. Others are 1 plus the next PFN to look at. */

static void *ranges_at(struct seq_file *m, loff_t *pos)
{
	struct fake_offline_info *info = m->private;

	if (!*pos)
		return SEQ_START_TOKEN;
	if (!fake_offline_next(NULL, *pos - 1, info))
		return NULL;
	*pos = (loff_t)info->start_pfn + 1;
	return info;
}

static void *ranges_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct fake_offline_info *info = v;

	if (v == SEQ_START_TOKEN)
		*pos = 1;
	else
		*pos = (loff_t)(info->start_pfn + info->nr_pages) + 1;
	return ranges_at(m, pos);
}

static void ranges_stop(struct seq_file *m, void *v)
{
}

static const char *const state_names[] = {
	[FAKE_OFFLINE_IN_FORCE]		= "in_force",
	[FAKE_OFFLINE_WAITING]		= "waiting",
	[FAKE_OFFLINE_NOT_IN_FORCE]	= "not_in_force",
};

static int ranges_show(struct seq_file *m, void *v)
{
	struct fake_offline_info *info = v;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "# start_pfn nr_pages skippable canary node zone owner age_s state\n");
		return 0;
	}
	seq_printf(m, "%lu %lu %d %d %d %s %s %u %s\n", info->start_pfn,
		   info->nr_pages, !!(info->flags & FAKE_OFFLINE_SKIPPABLE),
		   !!(info->flags & FAKE_OFFLINE_CANARY), info->nid,
		   fo_zone_name(info->zone), info->owner,
		   info->age_s, info->flags & FAKE_OFFLINE_POISONED ?
		   "poisoned" : state_names[info->state]);
	return 0;
}

static const struct seq_operations ranges_seq = {
	.start = ranges_at,
	.next = ranges_next,
	.stop = ranges_stop,
	.show = ranges_show,
};

static int show_failure(struct seq_file *m, void *unused)
{
	const struct file_spec *ops = m->private;
	struct fo_failure f = fo_failure_get(ops->failures);
	unsigned long nr = nr_pfns(f.pfns);

	if (!f.count)
		return 0;
	seq_printf(m, "count %lu\nage_s %u\nerrno %d\nstart_pfn %lu\n", f.count,
		   (u32)ktime_get_seconds() - f.when_s, f.error,
		   nr ? f.pfns.first : 0);
	seq_printf(m, "nr_pages %lu\npfn %ld\ncode %s\nowner %s\nreason %s\n",
		   nr, f.pfn, fo_reason_name(f.reason),
		   f.owner[0] ? f.owner : "-", f.text);
	return 0;
}

static int show_verify(struct seq_file *m, void *unused)
{
	struct fake_offline_counts c;
	int ret;

	ret = fake_offline_verify(NULL, 0, ~0UL, &c);
	if (ret)
		return ret;
	seq_printf(m, "ranges %lu\npages %lu\npages_block_offline %lu\n",
		   c.ranges, c.pages, c.block_offline);
	seq_printf(m, "page_offline %lu\nskippable %lu\nskippable_expected %lu\n",
		   c.page_offline, c.skippable, c.skippable_expected);
	seq_printf(m, "buddy %lu\nwrong_count %lu\ncanary %lu\ncanary_broken %lu\n",
		   c.buddy, c.wrong_count, c.canary, c.canary_broken);
	seq_printf(m, "poisoned %lu\ncanary_unchecked %lu\nfirst_bad_pfn %ld\n",
		   c.poisoned, c.canary_unchecked, c.first_bad_pfn);
	seq_printf(m, "last_failure %s\n", fo_failure_get(FO_FAILED_HOTPLUG).text);
	return 0;
}

static const char *const hook_names[] = {
	[FO_HOOK_FREE]	= "free",
	[FO_HOOK_HELD]	= "held",
	[FO_HOOK_TAKEN]	= "taken",
	[FO_HOOK_LEFT]	= "left",
};

static int show_stats(struct seq_file *m, void *unused)
{
	unsigned long ranges = 0, pages = 0;
	struct fake_offline_info info;
	unsigned long pfn = 0;
	enum fo_stat i;

	while (fake_offline_next(NULL, pfn, &info)) {
		ranges++;
		pages += info.nr_pages;
		pfn = info.start_pfn + info.nr_pages;
	}
	seq_printf(m, "version %s\nskip_mode %s\nhook %s\nreserve_mib %u\n",
		   THIS_MODULE->version, fo_skip_mode(),
		   hook_names[fo_hook_state()], fo_reserve_mib());
	seq_printf(m, "block_bytes %lu\nranges %lu\npages %lu\n",
		   memory_block_size_bytes(), ranges, pages);
	for (i = 0; i < FO_NR_STATS; i++)
		seq_printf(m, "%s %ld\n", fo_stat_name(i), fo_stat_get(i));
	return 0;
}

static int show_inject(struct seq_file *m, void *unused)
{
	enum fo_inject_point i;

	seq_puts(m, "# action point errno count\n");
	for (i = 0; i < FO_NR_INJECT_POINTS; i++) {
		struct fo_injection it = fo_inject_get(i);

		if (it.count)
			seq_printf(m, "%s %s %d %u\n", it.action, it.point,
				   it.error, it.count);
	}
	return 0;
}

/*
 * Parses all lines, and then carries them out. @line is set to the number of the line
 * that cannot be parsed.
 */
static int parse_and_run(const struct file_spec *ops, char *text, size_t len,
			 int *line)
{
	void *items;
	int nr, ret;

	nr = fo_parse_text(text, len, ops->item_size, ops->parse, &items, line);
	if (nr < 0)
		return nr;
	ret = ops->one_line && nr != 1 ? -EINVAL : ops->run(items, nr);
	kvfree(items);
	return ret;
}

static ssize_t file_write(struct file *file, const char __user *buf,
			  size_t len, loff_t *pos)
{
	const struct file_spec *ops = file_inode(file)->i_private;
	int ret, line = 0;
	char *text;

	text = len > MAX_WRITE ? ERR_PTR(-E2BIG) : vmemdup_user(buf, len);
	if (IS_ERR(text)) {
		ret = PTR_ERR(text);
	} else {
		ret = parse_and_run(ops, text, len, &line);
		kvfree(text);
	}
	if (!ret)
		return len;
	/* device_hotplug_lock was contended. The kernel restarts the system call. */
	if (ret == -ERESTARTNOINTR)
		return ret;
	if (line)
		fo_log("%s: line %d refused: %pe\n", ops->name, line,
		       ERR_PTR(ret));
	else
		fo_log("%s: refused: %pe\n", ops->name, ERR_PTR(ret));
	return ret;
}

static int show_nothing(struct seq_file *m, void *unused)
{
	return 0;
}

static int file_open(struct inode *inode, struct file *file)
{
	const struct file_spec *ops = inode->i_private;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	/* The mode of a file does not bind root. */
	if ((file->f_mode & FMODE_WRITE && !ops->parse) ||
	    (file->f_mode & FMODE_READ && !ops->show && !ops->seq))
		return -EACCES;
	/* No file may show or use marks of memory that was unplugged. */
	fo_unplug_sweep();
	fo_clients_flush();
	if (ops->seq)
		return seq_open_private(file, ops->seq,
					sizeof(struct fake_offline_info));
	/* seq_lseek() calls it also for a file that is only written. */
	return single_open(file, ops->show ?: show_nothing, (void *)ops);
}

static int file_release(struct inode *inode, struct file *file)
{
	const struct file_spec *ops = inode->i_private;

	return ops->seq ? seq_release_private(inode, file) :
			  single_release(inode, file);
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.open = file_open,
	.read = seq_read,
	.write = file_write,
	.llseek = seq_lseek,
	.release = file_release,
};

/* The members of a file whose lines are parsed into items of @type. */
#define WRITABLE(name, type, run_items)					\
	.item_size = sizeof(type), .parse = fo_parse_##name, .run = run_items

static const struct file_spec files[] = {
	{ "mark", WRITABLE(mark, struct fake_offline_request, run_mark) },
	{ "unmark", WRITABLE(unmark, struct fake_offline_range, run_unmark) },
	{ "skippable", .one_line = true,
	  WRITABLE(skippable, struct fo_skippable_item, run_skippable) },
	{ "ranges", .seq = &ranges_seq },
	{ "block_offline", .one_line = true,
	  WRITABLE(block_offline, struct fo_block_item, run_block) },
	{ "block_online", .one_line = true,
	  WRITABLE(block_online, struct fo_block_item, run_block) },
	{ "last_failure", .show = show_failure, .failures = FO_FAILED_HOTPLUG },
	{ "last_refusal", .show = show_failure, .failures = FO_FAILED_MARK },
	{ "verify", .show = show_verify },
	{ "stats", .show = show_stats },
	{ "inject", .show = show_inject,
	  WRITABLE(inject, struct fo_inject_item, run_inject) },
};

static umode_t file_mode(const struct file_spec *ops)
{
	return (ops->parse ? 0200 : 0) | (ops->show || ops->seq ? 0400 : 0);
}

/* Returns the errno of the first file that could not be created. */
static int create_files(void)
{
	struct dentry *entry;
	size_t i;

	entry = debugfs_create_dir("fake_offline", NULL);
	dir = entry;
	for (i = 0; !IS_ERR(entry) && i < ARRAY_SIZE(files); i++)
		entry = debugfs_create_file(files[i].name,
					    file_mode(&files[i]), dir,
					    (void *)&files[i], &fops);
	return PTR_ERR_OR_ZERO(entry);
}

/* debugfs is not built in (-ENODEV), or "debugfs=off" disables it (-EPERM). */
static bool is_without_debugfs(int error)
{
	return error == -ENODEV || error == -EPERM;
}

/**
 * fo_debugfs_create() - create the directory and its files
 *
 * Without debugfs there are no files, and only other modules can use the module. If
 * debugfs works and one file cannot be created, none is kept.
 *
 * Context: sleeps. Inverse: fo_debugfs_remove().
 * Return: 0, or the errno of fake_offline_register() or of debugfs.
 */
int fo_debugfs_create(void)
{
	int ret;

	client = fake_offline_register("debugfs", THIS_MODULE, NULL, NULL);
	if (IS_ERR(client))
		return PTR_ERR(client);
	ret = create_files();
	if (!ret || is_without_debugfs(ret))
		return 0;
	fo_debugfs_remove();
	return ret;
}

/**
 * fo_debugfs_remove() - remove the files, and give back what they marked
 *
 * Context: sleeps, as fake_offline_unregister(). Inverse: fo_debugfs_create().
 */
void fo_debugfs_remove(void)
{
	debugfs_remove(dir);
	fake_offline_unregister(client);
}
