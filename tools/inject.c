// SPDX-License-Identifier: GPL-2.0
/* The failures that the module can inject. */
#include "inject.h"
#include "util.h"

#include <errno.h>
#include <string.h>

/* The places where the module can inject a failure. */
static const struct {
	const char *action, *point;
	int errors[2];		/* the only errnos, if "only" is set */
	const char *only;	/* the message about another errno; NULL: any errno */
} places[] = {
	{ "offline", "before", { 0 }, NULL },
	{ "offline", "after", { 0 }, NULL },
	{ "offline", "late", { EBUSY, EINTR },
	  "offline late can only fail with EBUSY or EINTR" },
	{ "online", "before", { 0 }, NULL },
	{ "online", "after", { 0 }, NULL },
	{ "mark", "stray", { EBUSY }, "mark stray can only fail with EBUSY" },
	{ "mark", "corrupt", { EIO }, "mark corrupt can only be armed with EIO" },
};

void inject_hint(void)
{
	struct sb sb = {0};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		sb_addf(&sb, "%s%s %s", i ? ", " : "", places[i].action,
			places[i].point);
	hint("actions and points are %s", sb_str(&sb));
	sb_free(&sb);
}

const char *inject_check(const char *action, const char *point,
			       int error)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (strcmp(places[i].action, action) ||
		    strcmp(places[i].point, point))
			continue;
		if (places[i].only && error != places[i].errors[0] &&
		    error != places[i].errors[1])
			return places[i].only;
		return NULL;
	}
	return "there is no such action and point";
}
