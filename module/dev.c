// SPDX-License-Identifier: GPL-2.0
/*
 * The character device /dev/fake_offline: opening and closing it, and the way of an ioctl
 * from user memory to the function that carries it out, and back.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <linux/fake_offline.h>

#include "dev.h"
#include "dev_ioctls.h"
#include "floor.h"
#include "hook.h"
#include "page_state.h"
#include "pfn_range.h"
#include "session.h"

static_assert((int)FAKE_OFFLINE_HOOK_LEFT == FO_HOOK_LEFT);
static_assert(sizeof(struct fake_offline_failure) == 264);
static_assert(sizeof(struct fake_offline_info_args) == 88);
static_assert(sizeof(struct fake_offline_pages) == 16);
static_assert(sizeof(struct fake_offline_take_request) == 40);
static_assert(sizeof(struct fake_offline_take_args) == 32);
static_assert(sizeof(struct fake_offline_release_args) == 32);
static_assert(sizeof(struct fake_offline_skippable_args) == 32);
static_assert(sizeof(struct fake_offline_listed) == 72);
static_assert(sizeof(struct fake_offline_list_args) == 32);
static_assert(sizeof(struct fake_offline_verify_args) == 128);
static_assert(sizeof(struct fake_offline_session_args) == 40);

static long do_info(struct fo_session *s, void *args)
{
	struct fake_offline_info_args *a = args;

	if (a->flags)
		return -EINVAL;
	a->abi = FAKE_OFFLINE_ABI;
	a->hook = (enum fake_offline_hook)fo_hook_state();
	a->page_bytes = PAGE_SIZE;
	a->max_requests = FO_MAX_REQUESTS;
	a->block_pages = fo_block_pages();
	a->reserve_mib = fo_reserve_mib();
	strscpy(a->version, THIS_MODULE->version, sizeof(a->version));
	strscpy(a->skip, fo_skip_mode(), sizeof(a->skip));
	return 0;
}

static long do_session(struct fo_session *s, void *args)
{
	const struct fake_offline_session_args *a = args;

	if (a->flags || strnlen(a->owner, sizeof(a->owner)) == sizeof(a->owner))
		return -EINVAL;
	return fo_session_begin(s, a->owner);
}

/**
 * struct dev_ioctl - an ioctl
 * @run: carries it out on the arguments, which it may change
 * @size: of its arguments in bytes, as this module knows them
 * @min_size: of its arguments in the first version of the header
 * @returns: whether the arguments are copied back
 */
struct dev_ioctl {
	long (*run)(struct fo_session *s, void *args);
	size_t size;
	size_t min_size;
	bool returns;
};

#define DEV_IOCTL(name, args, last, back)				\
	[_IOC_NR(FAKE_OFFLINE_IOCTL_##name)] = {			\
		.size = sizeof(struct args),				\
		.min_size = offsetofend(struct args, last),		\
		.returns = back

static const struct dev_ioctl ioctls[] = {
	DEV_IOCTL(INFO, fake_offline_info_args, skip, true), .run = do_info },
	DEV_IOCTL(TAKE, fake_offline_take_args, failure, false), .run = fo_dev_take },
	DEV_IOCTL(RELEASE, fake_offline_release_args, failure, false),
		.run = fo_dev_release },
	DEV_IOCTL(SKIPPABLE, fake_offline_skippable_args, failure, false),
		.run = fo_dev_skippable },
	DEV_IOCTL(LIST, fake_offline_list_args, range_size, true),
		.run = fo_dev_list },
	DEV_IOCTL(VERIFY, fake_offline_verify_args, first_bad_pfn, true),
		.run = fo_dev_verify },
	DEV_IOCTL(SESSION, fake_offline_session_args, owner, false),
		.run = do_session },
};

/* The largest arguments of an ioctl that this module knows. */
#define MAX_ARGS	sizeof(struct fake_offline_verify_args)

static long dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	const struct dev_ioctl *it;
	u64 args[MAX_ARGS / sizeof(u64)];
	u32 size;
	long ret;

	if (_IOC_TYPE(cmd) != FAKE_OFFLINE_IOCTL_TYPE ||
	    _IOC_NR(cmd) >= ARRAY_SIZE(ioctls) || _IOC_SIZE(cmd) ||
	    _IOC_DIR(cmd) != _IOC_NONE)
		return -ENOTTY;
	it = &ioctls[_IOC_NR(cmd)];
	if (get_user(size, (u32 __user *)user))
		return -EFAULT;
	if (size < it->min_size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	ret = copy_struct_from_user(args, it->size, user, size);
	if (ret)
		return ret;
	ret = it->run(file->private_data, args);
	if (!ret && it->returns &&
	    copy_to_user(user, args, min_t(size_t, size, it->size)))
		ret = -EFAULT;
	return ret;
}

static int dev_open(struct inode *inode, struct file *file)
{
	struct fo_session *s;

	/* In the initial user namespace. */
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	s = fo_session_create();
	if (!s)
		return -ENOMEM;
	file->private_data = s;
	return stream_open(inode, file);
}

static int dev_release(struct inode *inode, struct file *file)
{
	fo_session_destroy(file->private_data);
	return 0;
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.open = dev_open,
	.release = dev_release,
	.unlocked_ioctl = dev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "fake_offline",
	.mode = 0600,
	.fops = &fops,
};

/**
 * fo_dev_create() - create the device
 *
 * Context: module init. Inverse: fo_dev_remove().
 * Return: 0, or the errno of fo_sessions_init() or misc_register().
 */
int fo_dev_create(void)
{
	int ret = fo_sessions_init();

	if (ret)
		return ret;
	ret = misc_register(&dev);
	if (ret)
		fo_sessions_exit();
	return ret;
}

/** fo_dev_remove() - remove the device; context: module exit, no file is open */
void fo_dev_remove(void)
{
	misc_deregister(&dev);
	fo_sessions_exit();
}
