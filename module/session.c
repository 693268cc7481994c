// SPDX-License-Identifier: GPL-2.0
/*
 * The owner of the marks that an open file of the device makes.
 *
 * A file that is a session has a client of its own, and its marks end with the file. All
 * other files share one client, whose marks stay.
 */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <linux/fake_offline.h>

#include "session.h"

/* The owner of the marks that stay. */
#define ADMIN	"admin"

/* Names that no session may have: users know them as something else. */
static const char *const reserved[] = { ADMIN, "debugfs", "orphan" };

static struct fake_offline_client *admin;

/**
 * struct fo_session - an open file of the device
 * @client: the session's client, or NULL as long as the file is no session. It is set
 *	once, with cmpxchg(), because several tasks may share the file
 */
struct fo_session {
	struct fake_offline_client *client;
};

/**
 * fo_session_create() - for a file that is being opened
 *
 * Context: sleeps; takes no lock of the core. Inverse: fo_session_destroy().
 * Return: the session, which does not yet have a client of its own, or NULL.
 */
struct fo_session *fo_session_create(void)
{
	return kzalloc(sizeof(struct fo_session), GFP_KERNEL_ACCOUNT);
}

/**
 * fo_session_destroy() - for a file without any reference
 * @s: the session
 *
 * Its pages are given back. Those that a hotplug operation covers have the owner "orphan"
 * until the operation ends.
 *
 * Context: sleeps; does not wait for a hotplug operation. Inverse: fo_session_create().
 */
void fo_session_destroy(struct fo_session *s)
{
	fake_offline_unregister(s->client);
	kfree(s);
}

/**
 * fo_session_begin() - make an open file a session
 * @s: the file
 * @owner: the name that users see
 *
 * Context: sleeps. Inverse: fo_session_destroy().
 * Return: 0; -EINVAL for the name; -EEXIST: it is one already; what
 * fake_offline_register() returns.
 */
int fo_session_begin(struct fo_session *s, const char *owner)
{
	struct fake_offline_client *client;

	if (match_string(reserved, ARRAY_SIZE(reserved), owner) >= 0)
		return -EINVAL;
	if (READ_ONCE(s->client))
		return -EEXIST;
	client = fake_offline_register(owner, THIS_MODULE, NULL, NULL);
	if (IS_ERR(client))
		return PTR_ERR(client);
	if (!cmpxchg(&s->client, NULL, client))
		return 0;
	fake_offline_unregister(client);
	return -EEXIST;
}

/** fo_session_client() - the client for the requests of this file; context: any */
struct fake_offline_client *fo_session_client(const struct fo_session *s)
{
	return READ_ONCE(s->client) ?: admin;
}

/**
 * fo_sessions_init() - register the owner of the marks that stay
 *
 * Context: module init. Inverse: fo_sessions_exit().
 * Return: 0, or what fake_offline_register() returns.
 */
int fo_sessions_init(void)
{
	admin = fake_offline_register(ADMIN, THIS_MODULE, NULL, NULL);
	return PTR_ERR_OR_ZERO(admin);
}

/** fo_sessions_exit() - give its marks back; context: module exit, no file is open */
void fo_sessions_exit(void)
{
	fake_offline_unregister(admin);
}
