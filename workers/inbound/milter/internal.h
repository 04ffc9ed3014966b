/* What the files of the worker's side of mail filters share. */
#pragma once

#include "core/milter/apply.h"
#include "core/milter/give.h"
#include "core/milter/steps.h"
#include "workers/inbound/daemon/stream.h"
#include "workers/inbound/milter/filter_client.h"

#define MACRO_OCTETS 1024
#define MACROS_MAX   16

struct filter_work {
        struct block_pool pool;                /* of edits */
        uint32_t links[FILTER_COUNTERS_MAX];   /* open ones, by the filter's count_index */
        uint64_t told_ms[FILTER_COUNTERS_MAX]; /* when the log was last told of a failure */
        struct text out; /* to the filter at hand; it has room for several pieces of a text */
        struct milter_macro macros[MACROS_MAX];
        struct text macro_text;
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

/* The connection to one filter for one session. */
struct filter_link {
        struct stream stream; /* first */
        struct filtering *filtering;
        const struct mail_filter *filter;
        struct milter_terms terms;
        struct milter milter;
        bool is_introduced; /* it was told who the client is */
        bool is_begun;      /* the connection stands, and the dialogue has begun */
        bool is_asked;      /* and has not answered yet */
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

/* The filters of one session. */
struct filtering {
        struct worker *worker;
        struct connection *connection;
        struct filter_question question;
        size_t at;         /* the filter that is asked */
        uint64_t asked_ms; /* when it was */
        struct filter_report report;
        uint32_t passed; /* those that the message goes on without, as bits */
        char message_id[sizeof((struct message *)0)->id]; /* that `passed` is about */
        struct filter_link *links[MAIL_FILTERS_MAX];      /* NULL: there is none */
};

static inline const struct session *filtering_session(const struct filtering *filtering)
{
        return &filtering->connection->session;
}

/* ---- filter_client.c */

/* A link that was waited for. */
void filter_client_answered(struct filtering *filtering, struct filter_link *link, enum link_answer answer);
/* A link that nobody waited for has ended. */
void filter_client_lost(struct filtering *filtering, const struct filter_link *link);

/* ---- link.c */

/* NULL where it cannot be connected, or memory is out. */
struct filter_link *link_open(struct filtering *filtering, const struct mail_filter *filter);
/* Puts filtering->question. */
enum link_answer link_ask(struct filter_link *link);
/* At any time. Where a word can be said, the filter is told that it is over. */
void link_close(struct filter_link *link);

/* ---- macros.c */

/* Those that go with this step; they hold up to the next call. */
struct milter_macros macros_of(const struct filter_link *link, enum link_step step);

/* ---- edits.c */

/* What the filter wants changed of the message is done, or left out and noted. False when memory is out. */
bool edits_apply(struct filtering *filtering, struct filter_link *link);
/* They are not wanted, if there are any. */
void edits_drop(struct filter_link *link);
