/* A message on its way from a session to the store: its envelope and its text. The session owns it until it
 * wishes to store it. From then on, until the report has come, a delivery thread may read all of it, and it
 * takes the blocks of the text. */
#pragma once

#include "conf/snapshot.h"
#include "core/base/digest/keyed.h"
#include "core/mail/content.h"

/* What next hops have said of a recipient is found by these; all zero where nothing is remembered. */
struct hop_keys {
        struct key128 recipient; /* whoever sends */
        struct key128 pair;      /* for mail of this sender */
        struct key128 mail; /* the same, and from this client's network where next hops are told of clients */
};

struct recipient {
        struct recipient *next;
        struct span address; /* as the client gave it, without brackets */
        /* local part as delivered: unquoted, folded, without extension; any octet may occur */
        struct span mailbox;
        const struct domain *domain;
        const struct recipient_settings *settings; /* its own; NULL: none */
        /* of its policy, one for each check; NULL: those of the domain */
        const struct check_setting *checks;
        bool is_postmaster;
        bool is_left_out; /* it has this message already: no next hop is asked for it */
        struct hop_keys keys;
};

/* Its own, or those of its domain. */
static inline const struct check_setting *recipient_checks(const struct recipient *recipient)
{
        return recipient->checks != NULL ? recipient->checks : recipient->domain->checks;
}

/* Where the mail of a recipient with these settings, which may be NULL, goes. */
static inline const struct deliver_target *settings_deliver(const struct recipient_settings *settings,
                                                            const struct domain *domain)
{
        return settings != NULL && settings->has_deliver ? &settings->deliver : &domain->deliver;
}

static inline const struct deliver_target *recipient_deliver(const struct recipient *recipient)
{
        return settings_deliver(recipient->settings, recipient->domain);
}

/* What the journal is for it: its domain says so. */
static inline enum journal_use settings_journal(const struct recipient_settings *settings,
                                                const struct domain *domain)
{
        return settings_deliver(settings, domain)->destination == NULL ? JOURNAL_NEVER : domain->journal;
}

static inline enum journal_use recipient_journal(const struct recipient *recipient)
{
        return settings_journal(recipient->settings, recipient->domain);
}

struct message {
        char id[16];        /* terminated; also in Received and in the log */
        struct span sender; /* without brackets; empty: the null sender */
        bool is_smtputf8;
        uint64_t declared_size; /* SIZE= of MAIL; 0: none */
        struct recipient *recipients;
        size_t recipient_count; /* at least 1 when it is to be stored */
        struct content content; /* what has not been handed over yet */
        enum newline_form newline;
        bool is_held;        /* none of its text is handed over before all of it is here */
        bool is_quarantined; /* a Maildir gets it in the folder that its domain has for that */
};

#define QUARANTINE_MARK                                                                                      \
        "X-Quarantine" /* name of the field that says who wants the message in quarantine, and why */

enum store_outcome {
        STORE_DONE,            /* every recipient has it, durably */
        STORE_FULL,            /* no space, no quota: nobody has it */
        STORE_FAILED,          /* any other reason: nobody has it */
        STORE_REFUSED_BY_HOP,  /* for good: nobody has it */
        STORE_DEFERRED_BY_HOP, /* for now; some recipients may have it */
        STORE_NO_HOP,          /* none was there, or it did not say */
};

/* What has become of a message. The texts are only lent. */
struct store_report {
        enum store_outcome outcome;
        struct span file;   /* STORE_DONE: its name in each Maildir; empty where there is none */
        struct span reason; /* otherwise; of a next hop its words */
        struct span hop;    /* the next hop that was asked last; empty: none was */
        struct span words;  /* STORE_DONE: what it has said, to the first recipient where it answers each */
        /* What a next hop has said, for REFUSED and DEFERRED: 400 to 599, but never 421; "5.1.1". */
        uint16_t code;
        struct span enhanced;
};
