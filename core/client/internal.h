/* What the files of the dialogue with a next hop share. */
#pragma once

#include "core/base/expect.h"
#include "core/client/hop.h"

/* ---- hop.c */

enum hop_state hop_state(const struct hop *hop);
/* What `out` got is a command, to which the hop now owes a reply. */
void hop_owe(struct hop *hop, enum hop_state state);
/* One reply more to what the front of the queue was: nothing has been said for it. */
void hop_owe_again(struct hop *hop, enum hop_state state);
/* The state that the hop will be in when all that is owed but the last reply has come. */
enum hop_state hop_last_state(const struct hop *hop);
/* A command without arguments. */
void hop_command(struct hop *hop, enum hop_state state, const char *command, struct text *out);
/* All recipients that have no fate come to this one. */
void hop_settle(struct hop *hop, enum hop_fate fate);
/* It is over with the connection. Whoever has no fate comes to this one. */
void hop_close(struct hop *hop, enum hop_ending ending, enum hop_fate fate);
/* The hop has broken the rules, before any dot of ours: `why` is static. */
void hop_fault(struct hop *hop, const char *why);
/* Anew after each call, for the state may have changed. */
void hop_set_deadline(struct hop *hop);

/* ---- each takes a whole reply, whose class is 4 or 5, or what the row says; WAITS: nothing to tell */

/* connection.c */
enum hop_event hop_greeted(struct hop *hop, unsigned class, struct text *out);
enum hop_event hop_ehlo_answered(struct hop *hop, unsigned class, struct text *out);
enum hop_event hop_helo_answered(struct hop *hop, unsigned class, struct text *out);
enum hop_event hop_starttls_answered(struct hop *hop, unsigned class, struct text *out);
enum hop_event hop_reset_answered(struct hop *hop, unsigned class, struct text *out);
enum hop_event hop_quit_answered(struct hop *hop, unsigned class, struct text *out);
enum hop_event hop_interrupted(struct hop *hop, unsigned class, struct text *out);
/* transaction.c */
enum hop_event hop_mail_answered(struct hop *hop, unsigned class, struct text *out);
enum hop_event hop_rcpt_answered(struct hop *hop, unsigned class, struct text *out);
enum hop_event hop_data_answered(struct hop *hop, unsigned class, struct text *out);
enum hop_event hop_dot_answered(struct hop *hop, unsigned class, struct text *out);
enum hop_event hop_lone_dot_answered(struct hop *hop, unsigned class, struct text *out);
/* naming.c */
enum hop_event hop_xclient_answered(struct hop *hop, unsigned class, struct text *out);
enum hop_event hop_xforward_answered(struct hop *hop, unsigned class, struct text *out);

/* ---- connection.c */

/* EHLO or LHLO. What was offered before counts no more. */
void hop_say_hello(struct hop *hop, struct text *out);
/* A line of the reply to it. */
void hop_read_offer(struct hop *hop, struct span line);

/* ---- transaction.c */

/* A recipient has no fate yet. */
bool hop_has_open(const struct hop *hop);
/* Takes the first of them; false: there is none. */
bool hop_take_open(struct hop *hop, uint32_t *ret_recipient);
