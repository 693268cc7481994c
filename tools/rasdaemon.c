// SPDX-License-Identifier: GPL-2.0
/*
 * The sqlite library reads the database, since rasdaemon may write to it at the same
 * time, and only the library knows its locks and its journal.
 */
#include "rasdaemon.h"

#include <sqlite3.h>
#include <string.h>

/* Looks for a table. An older rasdaemon, or one built without it, does not have it. */
static int find_table(sqlite3 *db, const char *name, bool *found)
{
	sqlite3_stmt *s;
	int rc = sqlite3_prepare_v2(db, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?",
				    -1, &s, NULL);

	*found = false;
	if (rc == SQLITE_OK) {
		sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
		rc = sqlite3_step(s);
		*found = rc == SQLITE_ROW;
		if (rc == SQLITE_ROW || rc == SQLITE_DONE)
			rc = SQLITE_OK;
	}
	sqlite3_finalize(s);
	return rc;
}

static const struct {
	const char *table, *query;
	bool pfn;
} sources[] = {
	/* Corrected and uncorrected errors from the EDAC driver. */
	{ "mc_event", "SELECT id, err_count, address FROM mc_event", false },
	/* Pages that the kernel has poisoned. They are in use again after a reboot. */
	{ "memory_failure_event", "SELECT id, 1, pfn FROM memory_failure_event",
	  true },
};

static int load_table(sqlite3 *db, size_t n, const struct units *u,
		      struct badmem_list *list)
{
	sqlite3_stmt *s;
	int rc = sqlite3_prepare_v2(db, sources[n].query, -1, &s, NULL);

	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		const char *errors, *where;

		rc = sqlite3_step(s);
		if (rc != SQLITE_ROW)
			break;
		errors = (const char *)sqlite3_column_text(s, 1);
		where = (const char *)sqlite3_column_text(s, 2);
		badmem_record(list, u, sources[n].pfn ? NULL : where,
			      sources[n].pfn ? where : NULL, errors,
			      (size_t)sqlite3_column_int64(s, 0));
	}
	sqlite3_finalize(s);
	return rc;
}

bool rasdaemon_load(const char *cmd, const char *path, const struct units *u,
		    struct badmem_list *list)
{
	sqlite3 *db = NULL;
	bool any = false;
	int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL);

	if (rc == SQLITE_OK)
		sqlite3_busy_timeout(db, 5000);
	for (size_t i = 0; rc == SQLITE_OK && i < ARRAY_SIZE(sources); i++) {
		bool found;

		rc = find_table(db, sources[i].table, &found);
		if (!found)
			continue;
		any = true;
		rc = load_table(db, i, u, list);
		if (rc == SQLITE_DONE)
			rc = SQLITE_OK;
	}
	if (rc != SQLITE_OK)
		err_arg(cmd, path, db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
	else if (!any)
		err_arg(cmd, path, "not a database of rasdaemon");
	sqlite3_close(db);
	return rc == SQLITE_OK && any;
}
