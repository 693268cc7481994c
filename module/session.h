/* SPDX-License-Identifier: GPL-2.0 */
/* The owner of the marks that an open file of the device makes. */
#ifndef FO_SESSION_H
#define FO_SESSION_H

struct fake_offline_client;
struct fo_session;

struct fo_session *fo_session_create(void);
void fo_session_destroy(struct fo_session *s);
int fo_session_begin(struct fo_session *s, const char *owner);
struct fake_offline_client *fo_session_client(const struct fo_session *s);

int fo_sessions_init(void);
void fo_sessions_exit(void);

#endif /* FO_SESSION_H */
