/* What a session was told and what it answered, with all that it knew when it did, as text: its tape. With that the
 * same session can be played again, under another snapshot, by the machine itself; nothing else judges.
 *
 * A tape is made of records with a space between them, and a record of a letter and fields with commas before them.
 * What is not a letter, a digit or a sign that means nothing here is written as %XX. The letters are in tape.def.
 *
 * A session without one costs a look at one pointer for each of the calls here. */
#pragma once

#include "core/base/ids/ids.h"
#include "core/base/ladder/ladder.h"
#include "core/check/pipeline.h"
#include "core/senders/rates.h"

#define TAPE_VERSION 1
#define TAPE_MAX     12288 /* octets; a tape that would be longer is of no use and is left out */

struct session;
struct ruling;

/* The answer to the last command, until it is known who gave it. */
struct tape_answer {
        uint16_t code; /* 0: there is none */
        enum reply_id reply;
        enum check_id check;   /* that is to blame; CHECK_COUNT: none */
        char id[ID_TEXT_SIZE]; /* of a refusal, or of the mail that it begins; may be empty */
};

/* Where tapes go beside the log: whoever judges sessions again while others run. */
struct tape_sink {
        _Atomic uint32_t share_ppm; /* of the sessions that begin; 0: of none */
        uint32_t due; /* parts of a million that the next sessions owe; owner: the sessions' host */
        /* Gives memory for a tape, with TAPE_MAX octets behind it; NULL: there is none now. */
        struct tape *(*lend)(struct tape_sink *sink);
        /* Takes it back, with the text that is in it; empty: it is of no use. */
        void (*give_back)(struct tape_sink *sink, struct tape *tape, struct span octets);
};

/* Of a session, in memory of its own. */
struct tape {
        struct tape_sink *sink; /* whose memory it is; NULL: the arena's */
        struct arena arena;
        bool is_for_log, is_finished;
        struct text text;
        uint64_t begun_ms;   /* monotonic */
        enum rung rung;      /* that is on the tape */
        enum check_id blame; /* whose verdict counted last, since the command began */
        struct tape_answer answer;
        uint32_t transactions; /* that have ended */
        bool has_early;        /* since the last answer */
        bool has_facts;        /* of the transaction under way */
};

/* ---- what a session tells its tape */

/* Some session may have one: else nothing here is to be called. */
bool tape_is_wished(const struct session *session);
/* The session begins, or its client becomes another: one in so many has a tape, and then from here on. */
void tape_begin(struct session *session);
void tape_client(struct session *session);
/* `fault`: of the line as such; REPLY_NONE: it has none. */
void tape_command(struct session *session, struct span line, enum reply_id fault);
/* A balancer has told what its client has greeted with. */
void tape_helo(struct session *session, struct span name);
void tape_reply(struct session *session, enum reply_id reply);
/* A verdict of this check has counted. */
void tape_blame(struct session *session, enum check_id check);
/* It is to blame for the answer that has just been given; NULL: nobody is. */
void tape_blame_answer(struct session *session, const char *check);
/* Octets came before their time. */
void tape_early(struct session *session, struct span octets);
void tape_excess(struct session *session, enum rate_kind kind);
void tape_secured(struct session *session);
/* What a source has said of the recipient of the command. */
void tape_ruling(struct session *session, enum fact fact, const struct ruling *ruling);
/* The text begins: what the envelope was judged by is known. */
void tape_envelope(struct session *session);
/* The text is judged; `fault` is what kept it from that. */
void tape_text(struct session *session, enum reply_id fault);
void tape_transaction_end(struct session *session);
/* Nothing comes any more. The tape, which ends with tape_end(); empty when it is too long. */
struct span tape_finish(struct session *session);
/* `is_of_use`: the session was one. */
void tape_end(struct session *session, bool is_of_use);
