// SPDX-License-Identifier: GPL-2.0
/*
 * The debugfs interface: it parses and prints, and does nothing itself. It is
 * a client like any other. docs/ABI/debugfs-fake_offline says what each file
 * takes and gives.
 *
 * A write is parsed whole before any of it is carried out.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sort.h>
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
#include "reason.h"
#include "stats.h"
#include "unplug.h"

#define MAX_WRITE	BIT(20)
#define MAX_WORDS	8

static struct dentry *dir;
static struct fake_offline_client *client;

/* One line of a write, cut into words. */
struct line {
	unsigned int nr_words;
	char *word[MAX_WORDS];
};

/**
 * struct file_ops - what a file of ours does
 * @name: of the file
 * @item_size: size of one parsed line
 * @one_line: a write may have one line only
 * @parse: parses a line into an item, changes nothing
 * @run: carries out the items
 * @show: prints; or
 * @seq: prints item by item
 */
struct file_ops {
	const char *name;
	size_t item_size;
	bool one_line;
	int (*parse)(const struct line *line, void *item);
	int (*run)(void *items, unsigned int nr);
	int (*show)(struct seq_file *m, void *unused);
	const struct seq_operations *seq;
};

/* Decimal, or hexadecimal with 0x. A leading 0 does not make it octal. */
static int parse_number(const char *word, unsigned long *number)
{
	bool hex = word[0] == '0' && (word[1] == 'x' || word[1] == 'X');

	if (!isdigit(word[0]))
		return -EINVAL;
	return kstrtoul(word, hex ? 16 : 10, number);
}

static int parse_range(const struct line *line, unsigned long *start,
		       unsigned long *nr)
{
	int ret;

	ret = parse_number(line->word[0], start);
	if (!ret)
		ret = parse_number(line->word[1], nr);
	if (!ret && !*nr)
		ret = -EINVAL;
	if (!ret && *start + *nr - 1 < *start)
		ret = -ERANGE;
	return ret;
}

/* mark */

/* The zones, by the names that /proc/zoneinfo has for them. */
static const char *const zone_names[MAX_NR_ZONES] = {
#ifdef CONFIG_ZONE_DMA
	[ZONE_DMA]	= "DMA",
#endif
#ifdef CONFIG_ZONE_DMA32
	[ZONE_DMA32]	= "DMA32",
#endif
	[ZONE_NORMAL]	= "Normal",
	[ZONE_MOVABLE]	= "Movable",
#ifdef CONFIG_ZONE_DEVICE
	[ZONE_DEVICE]	= "Device",
#endif
};

/* A name that no zone has is the caller's to hear of as an unknown zone. */
static int zone_of(const char *name)
{
	int zone = MAX_NR_ZONES;

	while (zone-- > 0)
		if (zone_names[zone] && !strcasecmp(zone_names[zone], name))
			return zone;
	return MAX_NR_ZONES;
}

static int parse_mark_option(const char *word, struct fake_offline_request *r,
			     unsigned int *seen)
{
	bool anywhere = r->start_pfn == FAKE_OFFLINE_ANYWHERE;
	unsigned long node = 0;
	unsigned int bit;
	int ret = 0;

	if (!strcmp(word, "unskippable")) {
		bit = BIT(0);
		r->flags &= ~FAKE_OFFLINE_SKIPPABLE;
	} else if (!strcmp(word, "canary")) {
		bit = BIT(1);
		r->flags |= FAKE_OFFLINE_CANARY;
	} else if (!anywhere && !strcmp(word, "absent")) {
		bit = BIT(4);
		r->flags |= FAKE_OFFLINE_ABSENT;
	} else if (anywhere && !strncmp(word, "node=", 5)) {
		bit = BIT(2);
		ret = parse_number(word + 5, &node);
		if (!ret && node > INT_MAX)
			ret = -ERANGE;
		r->nid = node;
	} else if (anywhere && !strncmp(word, "zone=", 5)) {
		bit = BIT(3);
		r->zone = zone_of(word + 5);
		if (!word[5] || strlen(word + 5) > 15)
			ret = -EINVAL;
	} else {
		return -EINVAL;
	}
	if (*seen & bit)
		return -EINVAL;
	*seen |= bit;
	return ret;
}

static int parse_mark(const struct line *line, void *data)
{
	struct fake_offline_request *r = data;
	unsigned int i, seen = 0;
	int ret;

	if (line->nr_words < 2)
		return -EINVAL;
	r->flags = FAKE_OFFLINE_SKIPPABLE;
	r->nid = NUMA_NO_NODE;
	r->zone = FAKE_OFFLINE_ANY_ZONE;
	if (!strcmp(line->word[0], "any")) {
		r->start_pfn = FAKE_OFFLINE_ANYWHERE;
		ret = parse_number(line->word[1], &r->nr_pages);
		if (!ret && !r->nr_pages)
			ret = -EINVAL;
	} else {
		ret = parse_range(line, &r->start_pfn, &r->nr_pages);
		if (!ret && r->start_pfn == FAKE_OFFLINE_ANYWHERE)
			ret = -ENXIO;
	}
	for (i = 2; !ret && i < line->nr_words; i++)
		ret = parse_mark_option(line->word[i], r, &seen);
	return ret;
}

static int run_mark(void *requests, unsigned int nr)
{
	return fake_offline_take(client, requests, nr);
}

/* unmark */

/* A range of 0 pages stands for all. */
static int parse_unmark(const struct line *line, void *data)
{
	struct fake_offline_range *range = data;

	if (line->nr_words == 1 && !strcmp(line->word[0], "all")) {
		*range = (struct fake_offline_range){};
		return 0;
	}
	if (line->nr_words != 2)
		return -EINVAL;
	return parse_range(line, &range->start_pfn, &range->nr_pages);
}

static int compare_starts(const void *a, const void *b)
{
	const struct fake_offline_range *x = a, *y = b;

	return x->start_pfn < y->start_pfn ? -1 : x->start_pfn > y->start_pfn;
}

static int run_unmark(void *data, unsigned int nr)
{
	struct fake_offline_range *ranges = data;
	unsigned int i;

	if (nr == 1 && !ranges->nr_pages)
		return fake_offline_release_all(client);
	for (i = 0; i < nr; i++)
		if (!ranges[i].nr_pages)
			return -EINVAL;	/* "all" goes alone */
	sort(ranges, nr, sizeof(*ranges), compare_starts, NULL);
	return fake_offline_release(client, ranges, nr);
}

/* skippable */

struct skippable_item {
	unsigned long start;
	unsigned long nr;
	bool skippable;
};

static int parse_skippable(const struct line *line, void *data)
{
	struct skippable_item *item = data;
	unsigned long value;
	int ret;

	if (line->nr_words != 3)
		return -EINVAL;
	ret = parse_range(line, &item->start, &item->nr);
	if (!ret)
		ret = parse_number(line->word[2], &value);
	if (!ret && value > 1)
		ret = -EINVAL;
	if (!ret)
		item->skippable = value;
	return ret;
}

static int run_skippable(void *data, unsigned int nr)
{
	struct skippable_item *item = data;

	return fake_offline_set_skippable(client, item->start, item->nr,
					  item->skippable);
}

/* ranges: the position is the PFN to go on at, plus 1; 0 is the header. */

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
		   info->zone < 0 ? "-" : zone_names[info->zone], info->owner,
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

/* block_offline, block_online */

struct block_item {
	unsigned long block;
	const char *state;
};

static const char *const online_types[] = {
	"online", "online_kernel", "online_movable",
};

static int parse_block_offline(const struct line *line, void *data)
{
	struct block_item *item = data;

	if (line->nr_words != 1)
		return -EINVAL;
	item->state = "offline";
	return parse_number(line->word[0], &item->block);
}

static int parse_block_online(const struct line *line, void *data)
{
	struct block_item *item = data;
	int type = 0;

	if (line->nr_words < 1 || line->nr_words > 2)
		return -EINVAL;
	if (line->nr_words == 2)
		type = match_string(online_types, ARRAY_SIZE(online_types),
				    line->word[1]);
	if (type < 0)
		return -EINVAL;
	item->state = online_types[type];
	return parse_number(line->word[0], &item->block);
}

static int run_block(void *data, unsigned int nr)
{
	struct block_item *item = data;

	return fo_block_set_state(item->block, item->state);
}

/* last_failure */

static void show_failure(struct seq_file *m, const struct fo_failure *f)
{
	seq_printf(m, "count %lu\n", f->count);
	seq_printf(m, "age_s %u\n", (u32)ktime_get_seconds() - f->when_s);
	seq_printf(m, "errno %d\n", f->error);
	seq_printf(m, "start_pfn %lu\n", f->first);
	seq_printf(m, "nr_pages %lu\n", f->last - f->first + 1);
	seq_printf(m, "pfn %ld\n", f->pfn);
	seq_printf(m, "code %s\n", fo_reason_name(f->reason));
	seq_printf(m, "owner %s\n", f->owner[0] ? f->owner : "-");
	seq_printf(m, "reason %s\n", f->text);
}

static int show_last_failure(struct seq_file *m, void *unused)
{
	struct fo_failure f = fo_failure_get(FO_FAILED_HOTPLUG);

	if (f.count)
		show_failure(m, &f);
	return 0;
}

static int show_last_refusal(struct seq_file *m, void *unused)
{
	struct fo_failure f = fo_failure_get(FO_FAILED_MARK);

	if (f.count)
		show_failure(m, &f);
	return 0;
}

/* verify */

static int show_verify(struct seq_file *m, void *unused)
{
	struct fake_offline_counts c;
	int ret;

	ret = fake_offline_verify(NULL, 0, ~0UL, &c);
	if (ret)
		return ret;
	seq_printf(m, "ranges %lu\n", c.ranges);
	seq_printf(m, "pages %lu\n", c.pages);
	seq_printf(m, "pages_block_offline %lu\n", c.block_offline);
	seq_printf(m, "page_offline %lu\n", c.page_offline);
	seq_printf(m, "skippable %lu\n", c.skippable);
	seq_printf(m, "skippable_expected %lu\n", c.skippable_expected);
	seq_printf(m, "buddy %lu\n", c.buddy);
	seq_printf(m, "wrong_count %lu\n", c.wrong_count);
	seq_printf(m, "canary %lu\n", c.canary);
	seq_printf(m, "canary_broken %lu\n", c.canary_broken);
	seq_printf(m, "poisoned %lu\n", c.poisoned);
	seq_printf(m, "canary_unchecked %lu\n", c.canary_unchecked);
	seq_printf(m, "first_bad_pfn %ld\n", c.first_bad_pfn);
	seq_printf(m, "last_failure %s\n", fo_failure_get(FO_FAILED_HOTPLUG).text);
	return 0;
}

/* stats */

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
	seq_printf(m, "version %s\n", THIS_MODULE->version);
	seq_printf(m, "skip_mode %s\n", fo_skip_mode());
	seq_printf(m, "hook %s\n", hook_names[fo_hook_state()]);
	seq_printf(m, "reserve_mib %u\n", fo_reserve_mib());
	seq_printf(m, "block_bytes %lu\n", memory_block_size_bytes());
	seq_printf(m, "ranges %lu\n", ranges);
	seq_printf(m, "pages %lu\n", pages);
	for (i = 0; i < FO_NR_STATS; i++)
		seq_printf(m, "%s %ld\n", fo_stat_name(i), fo_stat_get(i));
	return 0;
}

/* inject */

struct inject_item {
	bool clear;
	enum fo_inject_point point;
	int error;
	unsigned int count;
};

static int parse_inject(const struct line *line, void *data)
{
	struct inject_item *item = data;
	unsigned long count = 0;
	int ret;

	if (line->nr_words == 1 && !strcmp(line->word[0], "clear")) {
		item->clear = true;
		return 0;
	}
	if (line->nr_words != 4)
		return -EINVAL;
	ret = kstrtoint(line->word[2], 10, &item->error);
	if (!ret)
		ret = parse_number(line->word[3], &count);
	if (!ret && count > UINT_MAX)
		ret = -ERANGE;
	if (ret)
		return ret;
	item->count = count;
	ret = fo_inject_find(line->word[0], line->word[1], item->error);
	if (ret < 0)
		return ret;
	item->point = ret;
	return 0;
}

static int run_inject(void *data, unsigned int nr)
{
	struct inject_item *item = data;
	unsigned int i;

	for (i = 0; i < nr; i++, item++) {
		if (item->clear)
			fo_inject_clear();
		else
			fo_inject_arm(item->point, item->error, item->count);
	}
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

/* What all files have in common */

/* Cuts a line into words, in place. -EINVAL: none, or too many. */
static int cut_line(char *text, struct line *line)
{
	char *word;

	line->nr_words = 0;
	while ((word = strsep(&text, " \t"))) {
		if (!*word)
			continue;
		if (line->nr_words == MAX_WORDS)
			return -EINVAL;
		line->word[line->nr_words++] = word;
	}
	return line->nr_words ? 0 : -EINVAL;
}

/* The number of lines, or -EINVAL for what is not text. */
static int count_lines(const char *text, size_t len)
{
	int lines = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		if (text[i] == '\n')
			lines++;
		else if (text[i] != '\t' && !(isascii(text[i]) && isprint(text[i])))
			return -EINVAL;
	}
	/* A line without its newline may have been cut on its way here. */
	return len && text[len - 1] == '\n' ? lines : -EINVAL;
}

/* Parses all, then carries out all. @nr: the line that was refused, or 0. */
static int run_text(const struct file_ops *ops, char *text, size_t len,
		    int *nr)
{
	struct line line;
	void *items;
	int lines, i, ret = 0;

	*nr = 0;
	lines = count_lines(text, len);
	if (lines < 0)
		return lines;
	if (ops->one_line && lines != 1)
		return -EINVAL;
	items = kvcalloc(lines, ops->item_size, GFP_KERNEL);
	if (!items)
		return -ENOMEM;
	for (i = 0; !ret && i < lines; i++) {
		*nr = i + 1;
		ret = cut_line(strsep(&text, "\n"), &line);
		if (!ret)
			ret = ops->parse(&line, items + i * ops->item_size);
	}
	if (!ret) {
		*nr = 0;
		ret = ops->run(items, lines);
	}
	kvfree(items);
	return ret;
}

static const struct file_ops *ops_of(struct file *file)
{
	return file_inode(file)->i_private;
}

static ssize_t file_write(struct file *file, const char __user *buf,
			  size_t len, loff_t *pos)
{
	const struct file_ops *ops = ops_of(file);
	int ret, nr = 0;
	char *text;

	if (len > MAX_WRITE) {
		ret = -E2BIG;
		goto out;
	}
	text = kvmalloc(len + 1, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	if (copy_from_user(text, buf, len)) {
		kvfree(text);
		return -EFAULT;
	}
	text[len] = '\0';
	ret = run_text(ops, text, len, &nr);
	kvfree(text);
out:
	if (!ret)
		return len;
	/* The hotplug lock was contended: the system call starts again. */
	if (ret == -ERESTARTNOINTR)
		return ret;
	if (nr)
		fo_log("%s: line %d refused: %pe\n", ops->name,
		       nr, ERR_PTR(ret));
	else
		fo_log("%s: refused: %pe\n", ops->name,
		       ERR_PTR(ret));
	return ret;
}

static int show_nothing(struct seq_file *m, void *unused)
{
	return 0;
}

static int file_open(struct inode *inode, struct file *file)
{
	const struct file_ops *ops = inode->i_private;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	/* The mode does not stop root. */
	if ((file->f_mode & FMODE_WRITE && !ops->parse) ||
	    (file->f_mode & FMODE_READ && !ops->show && !ops->seq))
		return -EACCES;
	/* What is shown is not to include marks of memory that is gone. */
	fo_unplug_sweep();
	fo_clients_flush();
	if (ops->seq)
		return seq_open_private(file, ops->seq,
					sizeof(struct fake_offline_info));
	/* Seeking calls it too. */
	return single_open(file, ops->show ?: show_nothing, NULL);
}

static int file_release(struct inode *inode, struct file *file)
{
	const struct file_ops *ops = inode->i_private;

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

static const struct file_ops files[] = {
	{
		.name = "mark",
		.item_size = sizeof(struct fake_offline_request),
		.parse = parse_mark,
		.run = run_mark,
	}, {
		.name = "unmark",
		.item_size = sizeof(struct fake_offline_range),
		.parse = parse_unmark,
		.run = run_unmark,
	}, {
		.name = "skippable",
		.item_size = sizeof(struct skippable_item),
		.one_line = true,
		.parse = parse_skippable,
		.run = run_skippable,
	}, {
		.name = "ranges",
		.seq = &ranges_seq,
	}, {
		.name = "block_offline",
		.item_size = sizeof(struct block_item),
		.one_line = true,
		.parse = parse_block_offline,
		.run = run_block,
	}, {
		.name = "block_online",
		.item_size = sizeof(struct block_item),
		.one_line = true,
		.parse = parse_block_online,
		.run = run_block,
	}, {
		.name = "last_failure",
		.show = show_last_failure,
	}, {
		.name = "last_refusal",
		.show = show_last_refusal,
	}, {
		.name = "verify",
		.show = show_verify,
	}, {
		.name = "stats",
		.show = show_stats,
	}, {
		.name = "inject",
		.item_size = sizeof(struct inject_item),
		.parse = parse_inject,
		.run = run_inject,
		.show = show_inject,
	},
};

static umode_t file_mode(const struct file_ops *ops)
{
	return (ops->parse ? 0200 : 0) | (ops->show || ops->seq ? 0400 : 0);
}

/* All files, or the errno of the first that could not be created. */
static int create_files(void)
{
	struct dentry *it;
	size_t i;

	it = debugfs_create_dir("fake_offline", NULL);
	dir = it;
	for (i = 0; !IS_ERR(it) && i < ARRAY_SIZE(files); i++)
		it = debugfs_create_file(files[i].name, file_mode(&files[i]),
					 dir, (void *)&files[i], &fops);
	return PTR_ERR_OR_ZERO(it);
}

/* Not built in, or switched off on the command line. */
static bool is_no_debugfs(int error)
{
	return error == -ENODEV || error == -EPERM;
}

/**
 * fo_debugfs_create() - create the directory and its files
 *
 * Without debugfs there are no files, and the module works for other modules.
 * With it there are all of them: a user cannot do much with a part.
 *
 * Context: sleeps. Inverse: fo_debugfs_remove().
 * Return: 0, -ENOMEM; what debugfs may return.
 */
int fo_debugfs_create(void)
{
	int ret;

	client = fake_offline_register("debugfs", THIS_MODULE, NULL, NULL);
	if (IS_ERR(client))
		return PTR_ERR(client);
	ret = create_files();
	if (!ret || is_no_debugfs(ret))
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
