/* What next hops and other sources say of recipients: what is remembered of it, and how it is asked at RCPT. */
#pragma once

#include "core/base/local_part.h"
#include "core/smtp/internal.h"

/* The question of the RCPT command at hand. It keeps its answer until another recipient is asked about. */
struct asking {
        struct key128 key;
        enum fact fact;
        bool is_late;    /* its time has passed: what is pending reads as failed */
        uint64_t due_ms; /* monotonic */
        struct ruling ruling;
};

/* A recipient that somebody may know more of. */
struct asked_recipient {
        const struct domain *domain;
        const struct recipient_settings *settings; /* of its own; NULL: none */
        struct span address;                       /* as the client gave it */
        struct text local_part;                    /* unquoted */
        char octets[LOCAL_PART_MAX];
        struct hop_keys keys; /* set by asking_recall() */
        bool is_ruled, waits; /* `ruling` holds; the command is to park until it does */
        bool is_found;        /* its directory knows it: `settings`, and `whom` */
        enum ruling_whom whom;
        bool is_unserved;  /* nobody is asked under this load */
        const char *fault; /* why the directory has not said anything; NULL: see `ruling` */
        struct ruling ruling;
};

/* Its domain has a directory that may have settings for it: asking_learn() comes before the checks. */
bool asking_is_first(const struct asked_recipient *recipient);
/* Asks the directory of its domain, or remembers what that has said. REPLY_NONE where the directory knows the
 * recipient, or where that is waited for. */
enum reply_id asking_learn(struct session *session, struct asked_recipient *recipient);
/* The mailbox that the directory knows, where it is another one, takes the place of that in `mailbox`. */
void asking_set_mailbox(const struct session *session, const struct asked_recipient *recipient,
                        struct text *mailbox);
/* Looks for what is remembered of the recipient at next hops. REPLY_NONE, unless it is refused. */
enum reply_id asking_recall(struct session *session, struct asked_recipient *recipient);
/* Somebody has said what counts, or is to be asked: asking_hear() is to be called. */
bool asking_is_due(const struct asked_recipient *recipient);
/* Nothing else stands against the recipient: what is remembered counts, and else the source of its domain is asked.
 * REPLY_NONE where mail for it is taken, or where it waits. */
enum reply_id asking_hear(struct session *session, struct asked_recipient *recipient);
/* Puts what was said into the reply, where it is that. */
void asking_tell(const struct asked_recipient *recipient, enum reply_id reply, struct reply_about *about);
/* The recipient is not taken, for P1: counts it. */
void asking_note(struct session *session, enum reply_id reply);
/* There is no such recipient: a client that guesses addresses is known by these. */
bool asking_is_unknown(const struct asked_recipient *recipient, enum reply_id reply);
/* The session waits for a source, until due_ms. */
bool asking_waits(const struct session *session);
