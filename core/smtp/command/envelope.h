/* A recipient on its way into the envelope. */
#pragma once

#include "core/smtp/command/asking.h"

/* One that is being judged. */
struct candidate {
        struct path path;
        const struct domain *domain;
        const struct check_setting *checks; /* of its policy, once it is to be judged */
        struct text mailbox;
        char mailbox_octets[LOCAL_PART_MAX];
        bool is_postmaster;
        bool waits;
        const char *refused_by; /* the check's name */
        struct span subject;
        struct asked_recipient asked;
        /* In the place of what the reply's template says; 0: none. */
        uint16_t code;
        struct span enhanced;
};

/* Looks its path up: domain, mailbox, whether it is postmaster. REPLY_NONE, or why it is none of ours. */
enum reply_id candidate_find(const struct session *session, struct candidate *candidate);
/* A copy in the transaction's arena, which is not in the envelope yet; NULL when memory is out. */
struct recipient *candidate_keep(struct session *session, const struct candidate *candidate);
void recipient_add(struct transaction *transaction, struct recipient *recipient);
/* Answers RCPT, and counts and notes that. */
enum session_wish candidate_answer(struct session *session, const struct candidate *candidate,
                                   enum reply_id reply, struct text *out);
