/* What another configuration would have answered beside what was answered: two tapes of one session, compared recipient
 * by recipient. A mail without a recipient, and a session without a mail, is compared as a whole where one side
 * refused it. No I/O. */
#pragma once

#include "core/smtp/tape/taped.h"

enum rehearse_outcome {
        OUTCOME_TAKEN, /* as far as anybody knows: a text that did not come was not judged */
        OUTCOME_DEFERRED,
        OUTCOME_REFUSED,
        OUTCOME_UNKNOWN, /* it needs more than the tape has */
        REHEARSE_OUTCOMES
};

enum rehearse_change {
        CHANGE_NONE,
        CHANGE_REFUSES_MORE, /* what was taken or deferred */
        CHANGE_REFUSES_LESS, /* what was refused is taken or deferred */
        CHANGE_DEFERS_MORE,  /* what was taken */
        CHANGE_DEFERS_LESS,  /* what was deferred is taken */
        CHANGE_UNKNOWN,
        REHEARSE_CHANGES
};

enum rehearse_matter { MATTER_RECIPIENT, MATTER_MAIL, MATTER_SESSION };

/* Of one side. */
struct rehearse_side {
        enum rehearse_outcome outcome;
        enum reply_id reply;
        enum check_id check; /* to blame; CHECK_COUNT: none */
        struct span id;      /* of the refusal, or of the mail; may be empty */
};

/* The texts are only lent. */
struct rehearsed {
        enum rehearse_matter matter;
        struct span sender, recipient; /* addresses as they were given; empty: there is none */
        const struct address *client;
        struct span mail; /* its id; may be empty */
        struct rehearse_side live, other;
        enum rehearse_change change;
};

typedef void rehearse_visit(void *context, const struct rehearsed *rehearsed);

/* Gives each that both have something to say of. `other` is what tape_play() has made of `live`; `mildest`, which may
 * be NULL, what it has made of it with supposes_unlisted: who is refused there is refused whatever lists may say. */
void rehearse_compare(const struct taped *live, const struct taped *other, const struct taped *mildest,
                      rehearse_visit *visit, void *context);

/* "taken" or the like; "refuses_more" or the like. */
extern const char *const rehearse_outcome_names[REHEARSE_OUTCOMES];
extern const char *const rehearse_change_names[REHEARSE_CHANGES];
/* The other configuration would have answered differently, as far as is known. */
static inline bool rehearse_differs(enum rehearse_change change)
{
        return change != CHANGE_NONE && change != CHANGE_UNKNOWN;
}
/* Who is to blame for a change: the side that has something against it. */
const struct rehearse_side *rehearse_blamed(const struct rehearsed *rehearsed);
