/* What a check is: a pure function of facts that gives a verdict. It keeps no state, calls nothing back and
 * does no I/O.
 *
 * A check that has nothing against the facts returns VERDICT_PASS and need not fill in anything. A check
 * that needs an answer which is pending returns VERDICT_WAIT, having asked for all that it can ask for
 * already; it is run again, from the top, when answers have come. Otherwise it sets verdict->reply,
 * ->subject (what the reply's %v names) and ->evidence (what was seen, for log and explain); their text
 * lives in the facts' arena, the session, or the snapshot. */
#pragma once

#include "conf/snapshot.h"
#include "core/check/spf/evaluate.h"
#include "core/senders/sender.h"

#include <stdatomic.h>

enum verdict_result { VERDICT_PASS, VERDICT_REFUSE, VERDICT_DEFER, VERDICT_WAIT };

struct notification;

/* The record of one check's judgement. Log line, reject id, explain and metrics are views of it. */
struct verdict {
        struct verdict *next;
        enum check_id check;
        enum verdict_result result;
        enum reply_id reply;
        struct span subject;
        struct span evidence;
        bool only_observes; /* whatever the mode: it rests on a list that is suspended */
};

enum greylist_result {
        GREYLIST_EXEMPT,  /* no condition holds, or an exception does; nothing is remembered */
        GREYLIST_ALLOWED, /* the identity has delivered often enough */
        GREYLIST_PASSED,  /* came back in time, now or before */
        GREYLIST_EARLY,   /* has been here, but not long enough ago */
        GREYLIST_FIRST,   /* first contact */
        GREYLIST_FAILED,  /* the store does not answer: passes */
        GREYLIST_PENDING,
};

/* What the greylist has found for the recipient that it looked at last; see greylist.h. */
struct greylist_finding {
        enum greylist_result result;
        uint32_t seconds_left; /* EARLY, FIRST */
        /* FIRST, EARLY, PASSED */
        bool has_triplet_record;
        struct sender_key triplet_key;
        struct sender_record triplet_record;
};

/* What is costly to find out of a transaction's facts, and the same for all its recipients: found once. */
struct derived {
        bool has_spf;
        enum spf_result spf;
        struct spf_detail spf_detail;
        struct span identity; /* see greylist.h; empty: not found yet */
        struct greylist_finding greylist;
};

/* Each stage adds to what is known: what comes later is empty before. */
struct facts {
        const struct snapshot *snapshot;
        struct address client;
        bool client_has_good_history; /* its mails were stored before, and it made few faults */
        /* HELO */
        struct span helo; /* as given */
        /* MAIL */
        struct span sender;              /* without brackets; empty: the null sender */
        struct span sender_domain;       /* as given; empty: null sender or address literal */
        struct span sender_domain_ascii; /* A-labels, lower case */
        bool sender_is_null;
        /* RCPT */
        size_t recipients_accepted;   /* before the one in question */
        struct span mailbox;          /* unquoted, folded, without extension */
        struct span recipient_domain; /* A-labels, lower case */
        /* DATA */
        const struct notification *notification; /* NULL: nobody looks for one */
        /* Questions to DNS; ends with the arena. */
        struct memo *memo;
        /* Questions to the store of senders, from RCPT on; and what was found out. Their transaction's. */
        struct sender_memo *senders;
        struct derived *derived;
        int64_t wall_s;
        /* For verdicts and their text; ends after all who read them. */
        struct arena *arena;
};

#define CHECK(name, ...) enum verdict_result check_##name(const struct facts *facts, struct verdict *verdict);
#include "core/check/checks.def"

static inline bool zone_is_suspended(const struct dnsbl_zone *zone)
{
        return atomic_load_explicit(&zone->is_suspended, memory_order_relaxed);
}

/* What a check says when DNS failed it, by its option `on_failure`. */
static inline enum verdict_result facts_on_failure(enum failure_action action)
{
        return action == ACTION_PASS ? VERDICT_PASS : action == ACTION_DEFER ? VERDICT_DEFER : VERDICT_REFUSE;
}

/* "HELO localhost" + ": " + "not qualified" in the arena; empty when memory is out. For evidence. */
struct span facts_note(const struct facts *facts, struct span what, const char *why);
