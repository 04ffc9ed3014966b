/* A tape as it was read. All of it lies in the reader's arena and in the text that was read. */
#pragma once

#include "core/lookup/ruling.h"
#include "core/smtp/session.h"

/* As in struct tape_answer; the id is in the text. */
struct taped_answer {
        uint16_t code; /* 0: there was none */
        enum reply_id reply;
        enum check_id check;
        struct span id;
};

/* What was known of a text. */
struct taped_text {
        uint64_t size;
        enum reply_id fault;         /* REPLY_NONE: it was judged */
        uint64_t judged;             /* by these checks; a bit mask */
        struct verdict_list against; /* by name alone: its texts are lent */
};

/* A command with what came of it; the first one is none, but the connection, with the banner. */
struct taped_step {
        struct taped_step *next;
        uint64_t at_ms; /* since the session began */
        enum rung rung;
        struct span line;
        enum reply_id fault;                      /* of the line as such */
        struct taped_answer first, of_text, last; /* of_text: the one behind 354 */
        struct span early,
            early_behind;  /* octets that came before the answer, and behind it; `at` NULL: none */
        uint32_t excesses; /* by enum rate_kind; a bit mask */
        bool is_secured;
        enum fact ruling_fact; /* PENDING: nobody has ruled */
        struct ruling *ruling;
        struct taped_text *text; /* NULL: no text came to its end */
};

struct taped_question {
        struct taped_question *next;
        uint32_t transaction; /* 0: of the session itself */
        struct dns_question question;
        struct dns_answer answer;
};

struct taped_sender {
        struct taped_sender *next;
        uint32_t transaction;
        uint8_t key[SENDER_KEY_SIZE]; /* without a secret */
        enum fact fact;
        struct sender_record record;
};

struct taped {
        struct arena *arena;
        int64_t wall_ms; /* when it began */
        struct address client, server;
        uint16_t client_port, server_port;
        bool had_good_history, was_named;
        struct taped_step *steps;
        struct taped_question *questions;
        struct taped_sender *senders;
};

/* What a session that is played again is to know. */
struct tape_recall {
        const struct taped *taped;
        const struct taped_step *step; /* at which the session is; NULL: behind the last one */
        bool lacks_answer;             /* something has been asked that the tape has no answer to */
        bool lacks_sender;             /* the store of senders has */
        bool lacks_ruling;             /* a source of recipients has */
        uint64_t unjudged;             /* checks that were to judge a text and had not: a bit mask */
};

/* Reads a tape, which a stranger may have written. False when it is none, or of another version, or the arena is
 * full. */
bool taped_read(struct span text, struct arena *arena, struct taped *ret_taped);
