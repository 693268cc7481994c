// SPDX-License-Identifier: GPL-2.0
/* offctl online: brings memory blocks online. */
#include "blockarg.h"
#include "change.h"

#include <inttypes.h>
#include <string.h>

static bool predict_online(const struct change *c, struct dry_run *d,
			   const struct memblock *b)
{
	const char *zones = b->zones ? b->zones : "";
	const char *movable = strstr(zones, "Movable"), *type = c->op.type;
	struct sb line = {0};
	struct span span = {0};
	int len = (int)strcspn(zones, "/");

	if (strcmp(b->state, "offline")) {
		out("block %" PRIu64 ": would refuse: it is %s in zone %s\n",
		    b->nr, b->state, *zones ? zones : "-");
		return false;
	}
	if (type && *zones && !strcmp(type, "online_movable")) {
		if (!movable) {
			out("block %" PRIu64
			    ": would refuse: it cannot be in zone Movable\n",
			    b->nr);
			return false;
		}
		zones = "Movable";
		len = 7;
	} else if (type && !strcmp(type, "online_kernel") && movable) {
		if (movable == zones && strchr(zones, '/'))
			zones = strchr(zones, '/') + 1;
		else if (movable == zones)
			zones = "";
		len = (int)strcspn(zones, "/");
	}
	block_span(&c->op.units, b->nr, &span);
	add_withheld(&line, &d->s, span);
	if (*zones)
		out("block %" PRIu64 ": would come online in zone %.*s%s\n",
		    b->nr, len, zones, sb_str(&line));
	else
		out("block %" PRIu64 ": would come online%s\n", b->nr,
		    sb_str(&line));
	sb_free(&line);
	return true;
}

static const struct option_def online_options[] = {
	{ OPT_TYPE, "type", "TYPE",
	  "online (the kernel chooses), kernel or movable" },
	CHANGE_OPTIONS,
	{ 0, NULL, NULL, NULL },
};

static int run_online(const struct command *self, int argc, char **argv)
{
	struct change change = {
		.op.cmd = self, .op.online = true, .predict = predict_online,
	};

	return change_run(&change, argc, argv);
}

const struct command cmd_online = {
	.name = "online",
	.brief = "Bring memory blocks online.",
	.synopsis =
"[--type TYPE] [OPTION...] BLOCK...\n"
"[--type TYPE] [OPTION...] --all-marked\n"
"[--type TYPE] [OPTION...] --size SIZE [--node N] [--zone ZONE]",
	.details = BLOCK_HELP,
	.options = online_options,
	.reports_records = true,
	.run = run_online,
};
