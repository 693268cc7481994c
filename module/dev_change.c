// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls that change marks: take, release, and change the skippable bit. They copy what
 * user memory has, call the core, and answer with the reason if that fails. User memory is
 * only touched without any lock of the core.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cred.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/uidgid.h>

#include <linux/fake_offline.h>

#include "dev_ioctls.h"
#include "reason.h"
#include "release.h"
#include "request.h"
#include "session.h"

/*
 * Copies the reason why the calling task failed to the structure at @user. @request: the
 * index of the request. Return: @error, or -EFAULT.
 */
static int answer(u64 user, const struct fo_failure_watch *watch,
		  unsigned int request, int error)
{
	const struct fo_failure *f = &watch->failure;
	struct fake_offline_failure a = {
		.error = error,
		.request = request,
		.pfn = FAKE_OFFLINE_NO_PFN,
	};
	void __user *to = u64_to_user_ptr(user);

	if (!user)
		return error;
	if (get_user(a.size, (u32 __user *)to))
		return -EFAULT;
	if (a.size < offsetofend(struct fake_offline_failure, request))
		return -EINVAL;
	/* A failure that the core got over is not the one that the call ended with. */
	if (f->count && f->error == error) {
		a.reason = f->reason;
		a.start_pfn = f->pfns.first;
		a.nr_pages = nr_pfns(f->pfns);
		if (f->pfn >= 0)
			a.pfn = f->pfn;
		strscpy(a.owner, f->owner, sizeof(a.owner));
		strscpy(a.text, f->text, sizeof(a.text));
	}
	return copy_to_user(to, &a, min_t(size_t, a.size, sizeof(a))) ?
	       -EFAULT : error;
}

/* The requests of one call, for the core and as the user gave them. */
struct take_call {
	struct fake_offline_request *requests;
	struct fake_offline_take_request *given;
	unsigned int nr;
};

/* Inverse: free_requests(). The user has checked nothing. */
static int copy_requests(struct take_call *call,
			 const struct fake_offline_take_args *a)
{
	const char __user *from = u64_to_user_ptr(a->requests);
	unsigned long got = 0;
	unsigned int i;
	int ret;

	for (i = 0; i < a->nr_requests; i++, from += a->request_size) {
		struct fake_offline_take_request *g = &call->given[i];
		struct fake_offline_request *r = &call->requests[i];

		ret = copy_struct_from_user(g, sizeof(*g), from, a->request_size);
		if (ret)
			return ret;
		*r = (struct fake_offline_request) {
			.start_pfn = fo_dev_pfn(g->start_pfn),
			.nr_pages = fo_dev_pfn(g->nr_pages),
			.flags = g->flags,
			.nid = g->nid,
			.zone = g->zone,
		};
		call->nr++;
		if (g->start_pfn != FAKE_OFFLINE_NO_PFN) {
			if (g->nid || g->zone || g->nr_got || g->got)
				return -EINVAL;
			continue;
		}
		/* The pages must be known, so that they can be given back. */
		if (!g->nr_got || !g->got)
			return -EINVAL;
		got += g->nr_got;
		if (got > FO_MAX_REQUESTS)
			return -E2BIG;
		r->nr_got = g->nr_got;
		r->got = kvmalloc_array(g->nr_got, sizeof(*r->got),
					GFP_KERNEL_ACCOUNT);
		if (!r->got)
			return -ENOMEM;
	}
	return 0;
}

static void free_requests(struct take_call *call)
{
	unsigned int i;

	for (i = 0; i < call->nr; i++)
		kvfree(call->requests[i].got);
	kvfree(call->requests);
	kvfree(call->given);
}

/* Copies the ranges of requests without a PFN, and their numbers, to the user. */
static int copy_got(const struct take_call *call,
		    const struct fake_offline_take_args *a)
{
	char __user *to = u64_to_user_ptr(a->requests);
	unsigned int i, k;

	for (i = 0; i < call->nr; i++, to += a->request_size) {
		const struct fake_offline_request *r = &call->requests[i];
		struct fake_offline_pages __user *got =
			u64_to_user_ptr(call->given[i].got);
		u32 __user *nr = (void __user *)
			(to + offsetof(struct fake_offline_take_request, nr_got));

		if (!r->got)
			continue;
		for (k = 0; k < r->nr_got; k++) {
			struct fake_offline_pages pages = {
				r->got[k].start_pfn, r->got[k].nr_pages
			};

			if (copy_to_user(&got[k], &pages, sizeof(pages)))
				return -EFAULT;
		}
		if (put_user(r->nr_got, nr))
			return -EFAULT;
	}
	return 0;
}

/* Gives back what a call took whose result could not be told. */
static void untake(struct fo_session *s, const struct take_call *call)
{
	struct fake_offline_client *client = fo_session_client(s);
	unsigned int i;

	for (i = 0; i < call->nr; i++) {
		const struct fake_offline_request *r = &call->requests[i];
		struct fake_offline_range one = { r->start_pfn, r->nr_pages };

		if (r->got)
			fake_offline_release(client, r->got, r->nr_got);
		else
			fake_offline_release(client, &one, 1);
	}
}

/* A line that says which user took pages. */
static void audit_take(const struct take_call *call)
{
	unsigned long pages = 0;
	unsigned int i;

	for (i = 0; i < call->nr; i++)
		pages += call->requests[i].nr_pages;
	pr_info("%lu pages taken in %u requests by %s, pid %d, uid %u\n",
		pages, call->nr, current->comm, task_tgid_nr(current),
		from_kuid(&init_user_ns, current_uid()));
}

/** fo_dev_take() - FAKE_OFFLINE_IOCTL_TAKE */
long fo_dev_take(struct fo_session *s, void *args)
{
	const struct fake_offline_take_args *a = args;
	struct fo_failure_watch watch;
	struct take_call call = {};
	unsigned int failed = 0;
	int ret = -ENOMEM;

	if (a->flags || !a->nr_requests ||
	    a->request_size < sizeof(struct fake_offline_take_request))
		return -EINVAL;
	if (a->nr_requests > FO_MAX_REQUESTS || a->request_size > PAGE_SIZE)
		return -E2BIG;
	call.requests = kvmalloc_array(a->nr_requests, sizeof(*call.requests),
				       GFP_KERNEL_ACCOUNT);
	call.given = kvmalloc_array(a->nr_requests, sizeof(*call.given),
				    GFP_KERNEL_ACCOUNT);
	if (call.requests && call.given)
		ret = copy_requests(&call, a);
	fo_failure_watch(&watch);
	if (!ret) {
		ret = fo_take(fo_session_client(s), call.requests, call.nr,
			      &failed);
		if (!ret) {
			audit_take(&call);
			ret = copy_got(&call, a);
			if (ret)
				untake(s, &call);
		}
	} else if (call.nr) {
		failed = call.nr - 1;
	}
	fo_failure_unwatch(&watch);
	free_requests(&call);
	return ret ? answer(a->failure, &watch, failed, ret) : 0;
}

/** fo_dev_release() - FAKE_OFFLINE_IOCTL_RELEASE */
long fo_dev_release(struct fo_session *s, void *args)
{
	const struct fake_offline_release_args *a = args;
	struct fake_offline_client *client = fo_session_client(s);
	const bool all = a->flags & FAKE_OFFLINE_RELEASE_ALL;
	struct fake_offline_pages *pages = NULL;
	struct fake_offline_range *ranges = NULL;
	struct fo_failure_watch watch;
	unsigned int i;
	int ret;

	if (a->flags & ~FAKE_OFFLINE_RELEASE_ALL || a->reserved ||
	    all == !!a->nr_ranges || all != !a->ranges)
		return -EINVAL;
	if (a->nr_ranges > FO_MAX_REQUESTS)
		return -E2BIG;
	if (!all) {
		pages = vmemdup_user(u64_to_user_ptr(a->ranges),
				     array_size(a->nr_ranges, sizeof(*pages)));
		if (IS_ERR(pages))
			return PTR_ERR(pages);
		ranges = kvmalloc_array(a->nr_ranges, sizeof(*ranges),
					GFP_KERNEL_ACCOUNT);
		if (!ranges) {
			kvfree(pages);
			return -ENOMEM;
		}
		for (i = 0; i < a->nr_ranges; i++)
			ranges[i] = (struct fake_offline_range) {
				fo_dev_pfn(pages[i].start_pfn),
				fo_dev_pfn(pages[i].nr_pages)
			};
		kvfree(pages);
	}
	fo_failure_watch(&watch);
	if (all) {
		ret = fake_offline_release_all(client);
	} else {
		fo_sort_ranges(ranges, a->nr_ranges);
		ret = fake_offline_release(client, ranges, a->nr_ranges);
	}
	fo_failure_unwatch(&watch);
	kvfree(ranges);
	return ret ? answer(a->failure, &watch, 0, ret) : 0;
}

/** fo_dev_skippable() - FAKE_OFFLINE_IOCTL_SKIPPABLE */
long fo_dev_skippable(struct fo_session *s, void *args)
{
	const struct fake_offline_skippable_args *a = args;
	struct fo_failure_watch watch;
	int ret;

	if (a->flags & ~FAKE_OFFLINE_SKIPPABLE)
		return -EINVAL;
	fo_failure_watch(&watch);
	ret = fake_offline_set_skippable(fo_session_client(s),
					 fo_dev_pfn(a->start_pfn),
					 fo_dev_pfn(a->nr_pages),
					 a->flags & FAKE_OFFLINE_SKIPPABLE);
	fo_failure_unwatch(&watch);
	return ret ? answer(a->failure, &watch, 0, ret) : 0;
}

