/* What a check is: a pure function of facts that gives a verdict. It keeps nothing but what check_memory_take()
 * gives it for one transaction, calls nothing back and does no I/O.
 *
 * A check that has nothing against the facts returns VERDICT_PASS and need not fill in anything. A check
 * that needs an answer which is pending returns VERDICT_WAIT, having asked for all that it can ask for
 * already; it is run again, from the top, when answers have come. Otherwise it sets verdict->reply,
 * ->subject (what the reply's %v names) and ->evidence (what was seen, for log and explain); their text
 * lives in the facts' arena, the session, or the snapshot. */
#pragma once

#include "conf/snapshot.h"
#include "core/senders/sender.h"

enum verdict_result { VERDICT_PASS, VERDICT_REFUSE, VERDICT_DEFER, VERDICT_WAIT };

/* "pass" or the like, by result. */
extern const char *const verdict_result_names[];

struct check_memory;
struct check_costs;
struct recipient;

/* Whom a verdict on a recipient stands against. */
enum verdict_reach {
        REACH_RECIPIENT,
        REACH_MESSAGE, /* RCPT is answered as if it passed, and DATA with the verdict's reply */
        REACH_BOTH,
};

/* The record of one check's judgement. Log line, reject id, explain and metrics are views of it. */
struct verdict {
        struct verdict *next;
        enum check_id check;
        enum verdict_result result;
        enum reply_id reply;
        enum verdict_reach reach; /* of the stage RCPT */
        struct span subject;
        struct span evidence;
        uint32_t retry_after_s; /* of a deferral that reaches the message: the longest one is DATA's */
        /* whatever the mode: it rests on a list that is suspended, or on a part of the check that only observes */
        bool only_observes;
        bool is_quarantine; /* it reaches those domains alone that refuse what is to be put into quarantine */
        bool is_of_text;    /* of the stage DATA, whatever the check's own is */
};

/* Where it is counted what checks cost. */
struct cost_meter {
        struct check_costs *costs;  /* NULL: nowhere */
        uint64_t (*clock_ns)(void); /* monotonic; NULL: the session is not measured */
};

/* Each stage adds to what is known: what comes later is empty before. */
struct facts {
        const struct snapshot *snapshot;
        struct address client;
        bool client_has_good_history; /* which spares it the greylist: client_rate is enforced */
        bool is_terse; /* the server is under load: what no verdict needs is looked up in the cache alone */
        /* HELO */
        struct span helo; /* as given */
        /* MAIL */
        struct span sender;              /* without brackets; empty: the null sender */
        struct span sender_domain;       /* as given; empty: null sender or address literal */
        struct span sender_domain_ascii; /* A-labels, lower case */
        bool sender_is_null;
        /* RCPT */
        const struct recipient *recipients; /* those accepted before the one in question */
        size_t recipients_accepted;
        struct span mailbox;          /* unquoted, folded, without extension */
        struct span recipient_domain; /* A-labels, lower case */
        /* Questions to DNS; ends with the arena. */
        struct memo *memo;
        /* From MAIL on, their transaction's: questions to the store of senders, and what each check keeps. */
        struct sender_memo *senders;
        struct check_memory *memory;
        struct cost_meter meter;
        int64_t wall_s;
        /* For verdicts and their text; ends after all who read them. */
        struct arena *arena;
};

#define CHECK(name, ...) enum verdict_result check_##name(const struct facts *facts, struct verdict *verdict);
#include "core/check/checks.def"

/* What a check says when DNS failed it, by its option `on_failure`. */
static inline enum verdict_result facts_on_failure(enum failure_action action)
{
        return action == ACTION_PASS ? VERDICT_PASS : action == ACTION_DEFER ? VERDICT_DEFER : VERDICT_REFUSE;
}

/* The evidence of those who had no memory to judge. */
#define FACTS_OUT_OF_MEMORY "no memory for a verdict"

/* Who cannot judge says so: no mail passes a check for lack of memory. Returns VERDICT_DEFER. */
enum verdict_result facts_out_of_memory(struct verdict *verdict);

/* For evidence, in the arena; empty when memory is out. A note is a clause, "localhost is not fully qualified", of
 * which `why` is the predicate; a remark is what somebody else said of it, "example.com: more than one record". Of
 * `what` 100 octets are told. */
struct span facts_note(const struct facts *facts, struct span what, const char *why);
struct span facts_remark(const struct facts *facts, struct span what, struct span remark);

/* ---- hooks --------------------------------------------------------------------------------------------- */

#define CHECK_FIELD_MAX 8192

/* Zones of the snapshot as bit masks: those that were asked about the client, and those that list it. */
struct zone_marks {
        uint32_t asked, listed;
};

/* What a check does beside its verdict, by its HOOK rows. No hook is called for a trusted client, and none of
 * a check that neither the configuration nor a domain of it turns on. */

/* When the client is known: asks early what will be asked. Nothing is waited for. */
#define HOOK_PREPARE(check) void check##_prepare(const struct facts *facts);

/* Once for each recipient that nothing refuses and whose domain has the check on, right after it has judged
 * the recipient: remembers what must be remembered. */
#define HOOK_COMMIT(check) void check##_commit(const struct facts *facts);

/* Once, when the message has been stored. */
#define HOOK_STORED(check) void check##_stored(const struct facts *facts);

/* At DATA: appends a header field of at most CHECK_FIELD_MAX octets, CRLF and all, to stand on top of the
 * message; or nothing. Not where postmaster alone gets it. */
#define HOOK_WRITE_FIELD(check) void check##_write_field(const struct facts *facts, struct text *field);

/* Once, at the end of a transaction whose text has begun, for the log: the check's result in a word where it is
 * known, else an empty span. It asks nothing. */
#define HOOK_LOG_RESULT(check) struct span check##_log_result(const struct facts *facts);

/* For the stage DATA, where the domain of a recipient has the check on. text_begin at DATA: false when the text
 * is not wanted. text_read, with text as it comes, CRLF line ends, dots unstuffed, in any pieces: false when no
 * more is wanted. text_end, once, if more was wanted to the end: before the check itself runs. */
#define HOOK_READ_TEXT(check)                                                                                \
        bool check##_text_begin(const struct facts *facts);                                                  \
        bool check##_text_read(const struct facts *facts, struct span octets);                               \
        void check##_text_end(const struct facts *facts);

/* For a check of another stage that lets mail pass and says at the end of the text whether that was right: once more
 * there, as a check of the stage DATA. */
#define HOOK_JUDGE_TEXT(check)                                                                               \
        enum verdict_result check##_judge_text(const struct facts *facts, struct verdict *verdict);

/* Once, at the end of a session that asked DNS and waits for nothing: no question goes out any more. */
#define HOOK_MARK_ZONES(check) struct zone_marks check##_mark_zones(const struct facts *facts);

#include "core/check/checks.def"
