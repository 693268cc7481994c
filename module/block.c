// SPDX-License-Identifier: GPL-2.0
/*
 * Asking the kernel to take a memory block offline or online.
 *
 * device_offline() and the hotplug locks are not exported to modules. Writing
 * the block's sysfs attribute does the whole job, with the right locks, and can
 * be interrupted by a signal.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "block.h"
#include "hook.h"
#include "pfn_range.h"
#include "reason.h"

static int write_state(unsigned long block, const char *state)
{
	char path[sizeof("/sys/devices/system/memory/memory/state") + 20];
	size_t len = strlen(state);
	struct file *file;
	loff_t pos = 0;
	ssize_t ret;

	snprintf(path, sizeof(path), "/sys/devices/system/memory/memory%lu/state",
		 block);
	file = filp_open(path, O_WRONLY, 0);
	if (IS_ERR(file))
		return PTR_ERR(file) == -ENOENT ? -ENXIO : PTR_ERR(file);
	ret = kernel_write(file, state, len, &pos);
	filp_close(file, NULL);
	if (ret < 0)
		return ret;
	return ret == len ? 0 : -EIO;
}

/**
 * fo_block_set_state() - write the state of a memory block
 * @block: its number
 * @state: "offline", or an online type
 *
 * Context: sleeps, in the task of the user who asks: signals end it. Nothing
 * may be held, because the call comes back into the module's notifier and hook.
 * Return: 0; -ENXIO if there is no such block; else the kernel's own errno. It
 * may be -ERESTARTNOINTR, which the system call's own return path handles.
 */
int fo_block_set_state(unsigned long block, const char *state)
{
	unsigned long failures;
	int ret;

	/* Another driver may have returned the slot since. */
	if (fo_hook_state() == FO_HOOK_TAKEN || fo_hook_state() == FO_HOOK_LEFT)
		fo_hook_update(true);

	failures = fo_failure_get(FO_FAILED_HOTPLUG).count;
	ret = write_state(block, state);
	/* If a notifier was asked, the module has recorded the reason. */
	if (ret && ret != -ERESTARTNOINTR && ret != -ENXIO &&
	    fo_failure_get(FO_FAILED_HOTPLUG).count == failures)
		fo_explain_state(fo_block_pfns(block), ret);
	return ret;
}
