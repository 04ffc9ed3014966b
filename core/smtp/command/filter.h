/* Mail filters, be they milters or policy services, as the session sees them: what they are asked, and what comes of
 * the answer. Whoever asks them holds the connections and the deadlines (workers/inbound/filter); the session knows
 * neither. They are asked only about what nothing else refuses: about each recipient that would be taken, and about
 * each text that would be stored. The recipients of a message are of domains that want the same filters, so that what
 * these make of the text holds for all of them; but postmaster, who hears everybody, goes with any. */
#pragma once

#include "core/smtp/session.h"

enum filter_subject { FILTER_ABOUT_RECIPIENT, FILTER_ABOUT_TEXT };

/* Valid until session_filtered(). */
struct filter_question {
        enum filter_subject about;
        struct message *message;  /* whose recipients are those that were taken so far */
        struct span recipient;    /* ABOUT_RECIPIENT: without brackets */
        uint32_t wanted;          /* filters of the snapshot that the recipients' domain wants; a bit mask */
        size_t own;               /* ABOUT_TEXT: octets at the front of the text that are fields of ours */
        struct span client_name;  /* in DNS, where it leads back to the client; empty: there is none */
        struct span reverse_name; /* the same, or another one that DNS has */
        const char *body;         /* static: "7BIT" or "8BITMIME", as MAIL has it; empty: it does not say */
        const char *tls_version, *tls_cipher; /* static; empty where the session is in plain text */
};

enum filter_outcome {
        FILTER_IS_CONTENT, /* all of them are, and where it was about the text, it is changed as they want it */
        FILTER_REFUSES,
        FILTER_DEFERS,
        FILTER_DISCARDS, /* the client is told that all is well, and nobody but postmaster gets the mail */
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

/* What a transaction knows of them. */
struct transaction_filters {
        const char *body;                       /* as in filter_question, but NULL where MAIL does not say */
        struct recipient *asked;                /* whom they are asked about, who is not in the envelope */
        const struct mail_filter *discarded_by; /* the client is told that all is well; NULL: nobody has */
        bool want_text;                         /* as far as is known of its length */
        /* What they want in front of the message, in arena, and where that begins which they want of `asked`. */
        struct filter_field {
                struct filter_field *next;
                struct span line;
        } * fields, **fields_of_asked;
};

/* `length`: octets of the text, where it is about that. */
bool filter_is_asked(const struct mail_filter *filter, enum filter_subject about, uint64_t length);

/* The wish is FILTER. */
struct filter_question session_filter_question(struct session *session);
enum session_wish session_filtered(struct session *session, const struct filter_report *report,
                                   struct text *out);
/* While they are asked about a recipient: where that is taken, the field stands in front of Received. Why it is left
 * out, a constant; NULL: it will be there. `name` is one of a field, and no line breaks are in `value`. */
const char *session_filter_add_field(struct session *session, struct span name, struct span value);
/* The message is to be in quarantine. */
void session_filter_quarantine(struct session *session);

/* ---- for core/smtp alone: when they are asked */

/* There are some, for this client. Whom nothing else is asked about they are not either: trusted clients. */
static inline bool filters_are_there(const struct session *session)
{
        return session->snapshot->filter_count > 0 && session->terms.mail_filters && !session->is_trusted;
}
/* One of them at least is asked about recipients of this domain; NULL: it is none of ours. */
bool filters_are_asked(const struct session *session, const struct domain *domain);
/* Another recipient of the message may be one of this domain. */
bool filters_go_together(const struct session *session, const struct domain *domain);

/* The recipient is good for everybody else, and comes into the envelope when the filters have said so. */
enum session_wish filter_ask_recipient(struct session *session, struct recipient *recipient);
/* The text begins: whether all of it is to be held for the filters. */
void filter_begin_text(struct session *session);
/* More of it has come: one that is too long for all filters is held no longer. */
void filter_look_at_length(struct session *session);
/* False when memory is out. */
bool filter_write_fields(struct session *session);
/* The text is whole, and nothing stands against it. True: *ret_wish tells, for filters are asked, or have discarded
 * it. */
bool filter_takes_text(struct session *session, struct text *out, enum session_wish *ret_wish);
