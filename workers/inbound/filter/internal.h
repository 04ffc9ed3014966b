/* What the files of the worker's side of mail filters share. */
#pragma once

#include "core/delegation/delegation.h"
#include "core/milter/apply.h"
#include "core/milter/give.h"
#include "core/milter/steps.h"
#include "workers/inbound/daemon/stream.h"
#include "workers/inbound/filter/filter_client.h"

#define MACRO_OCTETS   1024
#define MACROS_MAX     16
#define KEPT_WORDS_MAX 512 /* octets of a reply that is kept for later; longer than its line may be */

struct service_line;

/* What a session has asked a policy service. */
struct service_question {
        TAILQ_ENTRY(service_question) entry; /* of those that wait for a connection */
        struct filtering *filtering;
        const struct mail_filter *filter; /* NULL: nothing is asked */
        struct service_line *line;        /* on which it is asked; NULL: it waits */
        uint64_t until_ms;
        bool is_again; /* a connection that was kept has been closed under it */
};

/* What a worker has for one service. */
struct service {
        TAILQ_HEAD(service_questions, service_question) waiting; /* the first goes first */
        uint32_t waiting_count;
        LIST_HEAD(, service_line) lines;
};

struct filter_work {
        struct block_pool pool; /* of edits */
        /* Open ones, by the filter's count_index; to a milter and a policy service that have one name, for a reload may
         * make the one of the other, those of each. */
        uint32_t links[FILTER_SERVICE + 1][FILTER_COUNTERS_MAX];
        /* Those to milters that are not asked now, the longest first, by the same. */
        TAILQ_HEAD(filter_links, filter_link) idle[FILTER_COUNTERS_MAX];
        struct service services[FILTER_COUNTERS_MAX]; /* the same */
        uint64_t told_ms[FILTER_COUNTERS_MAX];        /* when the log was last told of a failure */
        struct text out; /* to the filter at hand; it has room for several pieces of a text */
        struct milter_macro macros[MACROS_MAX];
        struct text macro_text; /* of macros, or attributes */
        char macro_octets[MACRO_OCTETS];
};

/* What is given next. The text is given in steps of its own (give.h). */
enum link_step { LINK_CONNECT, LINK_HELO, LINK_MAIL, LINK_RCPT, LINK_DATA, LINK_TEXT, LINK_END, LINK_DONE };

enum link_answer {
        LINK_WAITS,   /* filter_client_answered() follows */
        LINK_CONTENT, /* of a text: with the edits in link->edits */
        LINK_OBJECTS, /* by link->milter.judgement */
        LINK_FAILED,  /* for link->milter.why; it is to be closed */
};

/* The connection to one milter for one session. */
struct filter_link {
        struct stream stream;           /* first */
        TAILQ_ENTRY(filter_link) entry; /* of those that are not asked */
        struct filtering *filtering;
        const struct mail_filter *filter;
        struct milter_terms terms;
        struct milter milter;
        bool is_introduced; /* it was told who the client is */
        bool is_begun;      /* the connection stands, and the dialogue has begun */
        bool is_asked;      /* and has not answered yet */
        bool is_kept;       /* from an earlier message, and it has said nothing about this one */
        bool objects;
        enum link_step next;
        const struct recipient *untold; /* of the message, that it has still to be told; NULL: none */
        struct milter_giving giving;
        struct arena arena; /* of the edits */
        struct milter_edits edits;
        /* What it was told last. */
        struct address client;
        const char *helo;
        char message_id[sizeof((struct message *)0)->id];
};

/* What is answered unless something else is. */
struct kept_report {
        struct filter_report report; /* its filter NULL: there is none */
        char words[KEPT_WORDS_MAX], enhanced[12];
};

/* The filters of one session. */
struct filtering {
        struct worker *worker;
        struct connection *connection;
        struct filter_question question;
        size_t at;         /* the filter that is asked */
        uint64_t asked_ms; /* when it was */
        struct filter_report report;
        uint32_t passed;     /* those that the message goes on without, as bits */
        uint32_t told_again; /* recipients, to filters that had to be told anew */
        char message_id[sizeof((struct message *)0)->id]; /* that both are about */
        struct filter_link *links[MAIL_FILTERS_MAX];      /* NULL: there is none */
        struct service_question service;
        struct kept_report if_accepted; /* by all others: then it is deferred */
        struct kept_report if_refused;  /* by another one: then not for good */
};

static inline const struct session *filtering_session(const struct filtering *filtering)
{
        return &filtering->connection->session;
}

static inline const struct mail_filter *filter_at(const struct filtering *filtering)
{
        return &filtering_session(filtering)->snapshot->filters[filtering->at];
}

/* ---- filter_client.c */

/* Within the worker's share of the connections that the filter may have. */
bool filter_has_room(const struct filtering *filtering, const struct mail_filter *filter);
/* The service that was waited for has answered, or failed. The session may end by that. */
void filter_client_served(struct filtering *filtering, const struct delegation_answer *answer);
void filter_client_failed(struct filtering *filtering, const char *reason, const char *step);
/* A link that was waited for. */
void filter_client_answered(struct filtering *filtering, struct filter_link *link, enum link_answer answer);
/* A link that nobody waited for has ended. */
void filter_client_lost(struct filtering *filtering, const struct filter_link *link);

/* ---- answers.c: what the filter at hand has said, once it is asked. True: filtering->report answers the question;
 * false: the message goes on to the next one. */

void answer_is_awaited(struct filtering *filtering);
/* Where a bound of ours is to blame, no mail goes on without the filter: sets filtering->report. */
void answer_of_bound(struct filtering *filtering, const char *reason);
/* The text is none that a milter is asked about, and is refused: sets filtering->report. */
void answer_of_header(struct filtering *filtering);
bool answer_of_failure(struct filtering *filtering, const char *reason, const char *step);
/* CONTENT or OBJECTS. */
bool answer_of_milter(struct filtering *filtering, struct filter_link *link, enum link_answer answer);
bool answer_of_service(struct filtering *filtering, const struct delegation_answer *answer);
/* None of them has an objection: sets filtering->report. */
void answer_of_all(struct filtering *filtering);

/* ---- service.c: policy services. A worker has a pool of connections to each, and a queue of questions. */

void services_init(struct filter_work *work);
void services_end(struct filter_work *work);
/* NULL: filter_client_served() or filter_client_failed() follows; else why it cannot be asked, a constant. */
const char *service_ask(struct filtering *filtering, const struct mail_filter *filter);
/* The answer is of no use any more, if one is awaited. */
void service_leave(struct filtering *filtering);

/* ---- attributes.c */

#define ATTRIBUTES_MAX 32

/* What a service is told of filtering->question; it holds up to the next call. Returns how many there are. */
size_t attributes_of(const struct filtering *filtering, const struct mail_filter *filter,
                     struct delegation_attribute *ret_attributes);

/* ---- link.c */

/* NULL where it cannot be connected, or memory is out. */
struct filter_link *link_open(struct filtering *filtering, const struct mail_filter *filter);
/* It has been told of the message in question. */
bool link_knows_message(const struct filter_link *link);
/* Puts filtering->question. */
enum link_answer link_ask(struct filter_link *link);
/* It has closed on us, before it can have known that it is asked again: another connection may do. */
bool link_was_let_go(const struct filter_link *link);
/* At any time. Where a word can be said, the filter is told that it is over. */
void link_close(struct filter_link *link);

/* ---- macros.c */

/* Those that go with this step; they hold up to the next call. */
struct milter_macros macros_of(const struct filter_link *link, enum link_step step);
/* Of one that is among them. */
struct span macro_value(struct milter_macros macros, const char *name);

/* ---- edits.c */

/* The list is empty, and its memory is that of the arena, which this makes. */
void edits_begin(const struct filtering *filtering, bool speaks_for_us, struct arena *arena,
                 struct milter_edits *edits);

/* Left out: of one edit, which is noted; of all that a milter wants, where its quarantine cannot be. */
enum edits_outcome { EDITS_DONE, EDITS_LEFT_OUT, EDITS_NO_MEMORY };

/* What the filter wants changed of the message is done, but for what cannot be: that is noted. */
enum edits_outcome edits_apply(struct filtering *filtering, struct filter_link *link);
/* They are not wanted, if there are any. */
void edits_drop(struct filter_link *link);
/* In front of the text, or of the message whose recipient is in question. */
enum edits_outcome edits_add_field(struct filtering *filtering, const struct mail_filter *filter,
                                   struct span name, struct span value);
/* The same with the field that tells of it. */
enum edits_outcome edits_quarantine(struct filtering *filtering, const struct mail_filter *filter,
                                    struct span reason);
