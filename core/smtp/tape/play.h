/* Plays a session again from its tape, under any snapshot, by the machine that served it. What is asked is answered
 * from the tape; time and the rung of load are those of then. Files of DNS lists answer as they are now. What next
 * hops and mail filters have said is taken as it was. No I/O, but for what the caller's own source does. */
#pragma once

#include "core/smtp/tape/taped.h"

#define PLAYED_UNKNOWN_MAX 16

/* Something that was asked and is not on the tape. */
struct played_unknown {
        enum check_id check; /* that waits for it */
        struct span zone;    /* of the snapshot; empty: it is no list's */
};

/* Owner: a thread. It is large. */
struct tape_player {
        struct session_host host;
        struct counters counters;
        struct dns_source dns;
        struct sender_source senders;
        struct recipient_source recipients;
        struct tape_recall recall;
        struct dns_source *further; /* the caller's: asked for what is not on the tape; NULL: nobody is */
        bool supposes_unlisted; /* the caller's: DNS blocklists that the tape has no answer of list nobody */
        struct session session;
        struct text out;
        char out_octets[2 * SESSION_OUT_ROOM];
        struct text played; /* the tape of the session that was played */
        char played_octets[TAPE_MAX];
        char no_log[1];
        struct played_unknown unknown[PLAYED_UNKNOWN_MAX];
        size_t unknown_count;
};

void tape_player_init(struct tape_player *player);
void tape_player_end(struct tape_player *player);
/* The new tape stands in player->played until the next call; each of its steps is that of the same number, up to where
 * the session was closed. A command that would have needed more than the tape has is answered REPLY_overloaded_mail
 * there, or REPLY_recipient_unsure, and what it needed is in player->unknown. False when it is too long. */
bool tape_play(struct tape_player *player, const struct snapshot *snapshot, const struct taped *taped);
