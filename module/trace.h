/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: what happens to ranges and memory blocks, under
 * /sys/kernel/tracing/events/fake_offline/.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM fake_offline

#if !defined(FO_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define FO_TRACE_H

#include <linux/mm.h>
#include <linux/tracepoint.h>

#include <linux/fake_offline.h>

#include "pfn_range.h"

/* @pfns: the pages; @flags: FAKE_OFFLINE_*; @result: 0 or a negative errno. */
DECLARE_EVENT_CLASS(fake_offline,
	TP_PROTO(const struct pfn_range *pfns, const char *owner,
		 unsigned int flags, int result),
	TP_ARGS(pfns, owner, flags, result),
	TP_STRUCT__entry(
		__field(unsigned long, pfn)
		__field(unsigned long, count)
		__field(unsigned long, block)
		__field(int, result)
		__field(unsigned int, flags)
		__array(char, owner, FAKE_OFFLINE_NAME_LEN)
	),
	TP_fast_assign(
		__entry->pfn = pfns->first;
		__entry->count = nr_pfns(*pfns);
		__entry->block = fo_block_of(pfns->first);
		__entry->result = result;
		__entry->flags = flags;
		strscpy(__entry->owner, owner, sizeof(__entry->owner));
	),
	TP_printk("pfn=0x%lx count=%lu block=%lu result=%d owner=%s flags=0x%x",
		  __entry->pfn, __entry->count, __entry->block, __entry->result,
		  __entry->owner, __entry->flags)
);

/* A range was taken and marked, or was not. */
DEFINE_EVENT(fake_offline, fake_offline_take,
	TP_PROTO(const struct pfn_range *pfns, const char *owner,
		 unsigned int flags, int result),
	TP_ARGS(pfns, owner, flags, result));

/* A range was given back, or forgotten. */
DEFINE_EVENT(fake_offline, fake_offline_release,
	TP_PROTO(const struct pfn_range *pfns, const char *owner,
		 unsigned int flags, int result),
	TP_ARGS(pfns, owner, flags, result));

/* Memory is going offline; the result is the answer of the module. */
DEFINE_EVENT(fake_offline, fake_offline_going_offline,
	TP_PROTO(const struct pfn_range *pfns, const char *owner,
		 unsigned int flags, int result),
	TP_ARGS(pfns, owner, flags, result));

/* Offlining was rolled back; the result is 1 if the module never saw it begin. */
DEFINE_EVENT(fake_offline, fake_offline_cancel,
	TP_PROTO(const struct pfn_range *pfns, const char *owner,
		 unsigned int flags, int result),
	TP_ARGS(pfns, owner, flags, result));

/* Memory is offline. */
DEFINE_EVENT(fake_offline, fake_offline_offline,
	TP_PROTO(const struct pfn_range *pfns, const char *owner,
		 unsigned int flags, int result),
	TP_ARGS(pfns, owner, flags, result));

/* Marked pages were withheld from the buddy allocator. */
DEFINE_EVENT(fake_offline, fake_offline_withhold,
	TP_PROTO(const struct pfn_range *pfns, const char *owner,
		 unsigned int flags, int result),
	TP_ARGS(pfns, owner, flags, result));

/* Memory could not go offline or come online, and why. @culprit: PFN or -1. */
TRACE_EVENT(fake_offline_veto,
	TP_PROTO(const struct pfn_range *pfns, long culprit,
		 int result, const char *reason),
	TP_ARGS(pfns, culprit, result, reason),
	TP_STRUCT__entry(
		__field(unsigned long, pfn)
		__field(unsigned long, count)
		__field(unsigned long, block)
		__field(long, culprit)
		__field(int, result)
		__array(char, reason, 192)
	),
	TP_fast_assign(
		__entry->pfn = pfns->first;
		__entry->count = nr_pfns(*pfns);
		__entry->block = fo_block_of(pfns->first);
		__entry->culprit = culprit;
		__entry->result = result;
		strscpy(__entry->reason, reason, sizeof(__entry->reason));
	),
	TP_printk("pfn=0x%lx count=%lu block=%lu result=%d culprit=%ld reason=\"%s\"",
		  __entry->pfn, __entry->count, __entry->block,
		  __entry->result, __entry->culprit, __entry->reason)
);

/* A failure was injected. */
TRACE_EVENT(fake_offline_inject,
	TP_PROTO(const struct pfn_range *pfns, int result,
		 const char *action, const char *point),
	TP_ARGS(pfns, result, action, point),
	TP_STRUCT__entry(
		__field(unsigned long, pfn)
		__field(unsigned long, count)
		__field(unsigned long, block)
		__field(int, result)
		__array(char, action, 8)
		__array(char, point, 8)
	),
	TP_fast_assign(
		__entry->pfn = pfns->first;
		__entry->count = nr_pfns(*pfns);
		__entry->block = fo_block_of(pfns->first);
		__entry->result = result;
		strscpy(__entry->action, action, sizeof(__entry->action));
		strscpy(__entry->point, point, sizeof(__entry->point));
	),
	TP_printk("pfn=0x%lx count=%lu block=%lu result=%d action=%s point=%s",
		  __entry->pfn, __entry->count, __entry->block,
		  __entry->result, __entry->action, __entry->point)
);

#endif /* FO_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
