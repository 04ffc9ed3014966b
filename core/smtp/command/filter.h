/* Mail filters, as the session sees them: what they are asked, and what comes of the answer. Whoever asks them holds
 * the connections and the deadlines (workers/inbound/milter); the session knows neither. They are asked only about
 * what nothing else refuses: about each recipient that would be taken, and about each text that would be stored. */
#pragma once

#include "core/smtp/session.h"

enum filter_subject { FILTER_ABOUT_RECIPIENT, FILTER_ABOUT_TEXT };

/* Valid until session_filtered(). */
struct filter_question {
        enum filter_subject about;
        struct message *message; /* whose recipients are those that were taken so far */
        struct span recipient;   /* ABOUT_RECIPIENT: without brackets */
        size_t own;              /* ABOUT_TEXT: octets at the front of the text that are fields of ours */
        const char *tls_version, *tls_cipher; /* static; empty where the session is in plain text */
};

enum filter_outcome {
        FILTER_IS_CONTENT, /* all of them are, and where it was about the text, it is changed as they want it */
        FILTER_REFUSES,
        FILTER_DEFERS,
        FILTER_DISCARDS, /* the client is told that all is well, and nobody gets the mail */
        FILTER_CLOSES,   /* the connection */
        FILTER_FAILED,   /* and `on_failure` is defer */
};

struct filter_report {
        enum filter_outcome outcome;
        const struct mail_filter *filter; /* whose that is; NULL with IS_CONTENT */
        /* What the client is told: 400 to 599 but never 421, and "5.7.1"; 0: the filter has no words of its own. */
        uint16_t code;
        struct span enhanced;
        struct span words; /* of FAILED: what happened, for the log */
};

/* `length`: octets of a text. */
static inline bool filter_sees_length(const struct mail_filter *filter, uint64_t length)
{
        return filter->options.text_max_octets == 0 || length <= filter->options.text_max_octets;
}

/* The wish is FILTER. */
struct filter_question session_filter_question(struct session *session);
enum session_wish session_filtered(struct session *session, const struct filter_report *report,
                                   struct text *out);

/* ---- for core/smtp alone: when they are asked */

/* There are some, for this client. Whom nothing else is asked about they are not either: trusted clients. */
static inline bool filters_are_asked(const struct session *session)
{
        return session->snapshot->filter_count > 0 && session->terms.milters && !session->is_trusted;
}

/* The recipient is good for everybody else, and comes into the envelope when the filters have said so. */
enum session_wish filter_ask_recipient(struct session *session, struct recipient *recipient);
/* The text begins: whether all of it is to be held for the filters. */
void filter_begin_text(struct session *session);
/* More of it has come: one that is too long for all filters is held no longer. */
void filter_look_at_length(struct session *session);
/* The text is whole, and nothing stands against it. True: *ret_wish tells, for filters are asked, or have discarded
 * it. */
bool filter_takes_text(struct session *session, struct text *out, enum session_wish *ret_wish);
