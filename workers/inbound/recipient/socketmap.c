/* Questions about recipients: the steps of each, those that join, and what is made of the answers. */
#include "workers/inbound/recipient/socketmap.h"

#include "conf/value/recipient/settings.h"
#include "workers/inbound/recipient/daemons.h"

#include <stdio.h>
#include <stdlib.h>

#define TELL_EVERY_MS 1000
#define REASON_MAX    200 /* octets of a daemon's words */

/* An address without a local part is the key of the last one, and nobody else's. */
enum step { STEP_ADDRESS, STEP_MAILBOX, STEP_ANYBODY };

/* About one recipient. The first member is what the pool knows of it. */
struct question {
        struct lookup lookup;
        TAILQ_ENTRY(question) entry; /* of those that are on their way */
        struct question *joined;     /* one that waits for this answer as well */
        struct source *source;
        struct daemon *daemon;
        struct key128 key, anybody_key;
        uint64_t handle, begun_ms, found_ms, absent_ms;
        struct pool_terms terms;
        _Atomic uint64_t *counts; /* by enum socketmap_count */
        enum step step;
        bool wants_settings;
        uint16_t cut; /* octets of the local part without its extension; 0: it has none */
        uint16_t local_length, address_length;
        char map[SOCKETMAP_NAME_MAX];
        char address[SOCKETMAP_KEY_MAX], mailbox[SOCKETMAP_KEY_MAX];
};

struct source {
        struct recipient_source source; /* first */
        struct socketmap_host host;
        struct daemons daemons;
        TAILQ_HEAD(, question) questions;
        uint32_t joined_count;
};

static void ask_step(struct question *question);

/* ---- answers ------------------------------------------------------------------------------------------- */

static void count(const struct question *question, enum socketmap_count what, uint64_t number)
{
        counter_add(&question->counts[what], number);
}

static void put_reason(struct ruling *ruling, struct span reason)
{
        struct text text;

        text_over(&text, ruling->text, REASON_MAX);
        text_put_printable(&text, span_of(reason.at, reason.length < REASON_MAX ? reason.length : REASON_MAX),
                           true);
        ruling->text_length = (uint16_t)text.length;
}

static void tell_of_failure(const struct question *question, const struct ruling *ruling)
{
        const struct source *source = question->source;
        struct daemon *daemon = question->daemon;
        uint64_t now_ms = source->host.streams->now_ms;
        char key[SOCKETMAP_KEY_MAX + 1], reason[REASON_MAX + 1];

        if (daemon->told_ms != 0 && now_ms < daemon->told_ms + TELL_EVERY_MS)
                return;
        daemon->told_ms = now_ms;
        span_copy_cut(question->lookup.key, key, sizeof key);
        span_copy_cut(ruling_text(ruling), reason, sizeof reason);
        source->host.failed(source->host.owner, daemon->name, key, reason);
}

/* Sessions may ask again from within: nothing of the question is in a list any more. */
static void tell(struct question *question, enum fact fact, const struct ruling *ruling)
{
        struct source *source = question->source;
        static const enum socketmap_count counts[] = {[FACT_FOUND] = SOCKETMAP_COUNT_FOUND,
                                                      [FACT_ABSENT] = SOCKETMAP_COUNT_ABSENT,
                                                      [FACT_FAILED] = SOCKETMAP_COUNT_FAILED};

        while (question != NULL) {
                struct question *next = question->joined;
                uint64_t took_ms = source->host.streams->now_ms - question->begun_ms;
                count(question, counts[fact], 1);
                count(question, SOCKETMAP_COUNT_MS, took_ms);
                source->host.ruled(source->host.owner, question->handle, &question->key, fact, ruling);
                free(question);
                question = next;
        }
}

static void keep(const struct question *question, const struct key128 *key, enum fact fact,
                 const struct ruling *ruling)
{
        const struct socketmap_host *host = &question->source->host;

        rulings_put(host->remembered->rulings, key, ruling, host->streams->now_ms,
                    fact == FACT_FOUND ? question->found_ms : question->absent_ms);
}

static void finish(struct question *question, enum fact fact, const struct ruling *ruling)
{
        struct source *source = question->source;

        TAILQ_REMOVE(&source->questions, question, entry);
        for (const struct question *joined = question->joined; joined != NULL; joined = joined->joined)
                source->joined_count--;
        if (fact == FACT_FAILED)
                tell_of_failure(question, ruling);
        else
                keep(question, &question->key, fact, ruling);
        tell(question, fact, ruling);
}

/* Only a text whose first word is KEY=VALUE is meant as settings. NULL, or what is wrong with them. */
static const char *read_settings(const struct question *question, struct span text, struct ruling *ruling,
                                 char message[static RECIPIENT_FAULT_MAX])
{
        struct recipient_settings settings;
        struct span deliver, rest = span_trim(text), word;

        text = rest;
        word = span_take_word(&rest);
        if (!question->wants_settings || span_find(word, '=') == SIZE_MAX)
                return NULL;
        if (text.length > RULING_TEXT_MAX)
                return "has too long settings";
        const char *fault = recipient_settings_read(text, &settings, &deliver, message);
        if (fault == NULL) {
                memcpy(ruling->text, text.at, text.length);
                ruling->text_length = (uint16_t)text.length;
        }
        return fault;
}

static void found(struct question *question, struct span text)
{
        static const enum ruling_whom whom[] = {
            [STEP_MAILBOX] = RULING_OF_MAILBOX, [STEP_ANYBODY] = RULING_OF_ANYBODY};
        struct ruling ruling = {.kind = RULING_TAKES, .whom = whom[question->step]};
        char message[RECIPIENT_FAULT_MAX], reason[RECIPIENT_FAULT_MAX + 16];

        if (question->step == STEP_ADDRESS && question->cut > 0)
                ruling.whom = RULING_OF_ADDRESS;
        const char *fault = read_settings(question, text, &ruling, message);
        if (fault != NULL) {
                snprintf(reason, sizeof reason, "its settings: %s", fault);
                put_reason(&ruling, span_from(reason));
                finish(question, FACT_FAILED, &ruling);
                return;
        }
        if (question->step == STEP_ANYBODY)
                keep(question, &question->anybody_key, FACT_FOUND, &ruling);
        finish(question, FACT_FOUND, &ruling);
}

static void absent(struct question *question)
{
        const struct ruling none = {.kind = RULING_REFUSES, .code = 550, .enhanced = "5.1.1"};

        if (question->step == STEP_ANYBODY) {
                keep(question, &question->anybody_key, FACT_ABSENT, &none);
                finish(question, FACT_ABSENT, &none);
                return;
        }
        question->step = question->step == STEP_ADDRESS && question->cut > 0 ? STEP_MAILBOX : STEP_ANYBODY;
        ask_step(question);
}

static void answered(struct lookup *lookup, enum fact fact, struct span text)
{
        struct question *question = (struct question *)lookup;
        struct ruling ruling = {.kind = RULING_DEFERS};

        if (fact == FACT_FOUND) {
                found(question, text);
        } else if (fact == FACT_ABSENT) {
                absent(question);
        } else {
                put_reason(&ruling, text);
                finish(question, FACT_FAILED, &ruling);
        }
}

/* ---- steps --------------------------------------------------------------------------------------------- */

static void set_key(struct question *question)
{
        struct span domain = span_of(question->address + question->local_length,
                                     (size_t)(question->address_length - question->local_length));
        struct text mailbox;

        if (question->step == STEP_ADDRESS) {
                question->lookup.key = span_of(question->address, question->address_length);
        } else if (question->step == STEP_ANYBODY) {
                question->lookup.key = domain;
        } else {
                text_over(&mailbox, question->mailbox, sizeof question->mailbox);
                text_put(&mailbox, span_of(question->address, question->cut));
                text_put(&mailbox, domain);
                question->lookup.key = text_span(&mailbox);
        }
}

/* What is said of all others is known, mostly. */
static bool recall_anybody(const struct question *question, struct ruling *ret_ruling)
{
        const struct socketmap_host *host = &question->source->host;

        return rulings_find(host->remembered->rulings, &question->anybody_key, host->streams->now_ms,
                            host->pool, ret_ruling);
}

/* A step behind the first. */
static void ask_step(struct question *question)
{
        struct ruling ruling;

        if (question->step == STEP_ANYBODY && recall_anybody(question, &ruling)) {
                finish(question, ruling.kind == RULING_TAKES ? FACT_FOUND : FACT_ABSENT, &ruling);
                return;
        }
        set_key(question);
        question->lookup.is_going_on = true;
        const char *reason = pool_ask(question->daemon->pool, &question->terms, &question->lookup);
        if (reason != NULL) {
                ruling = (struct ruling){.kind = RULING_DEFERS};
                put_reason(&ruling, span_from(reason));
                finish(question, FACT_FAILED, &ruling);
        }
}

/* ---- asking -------------------------------------------------------------------------------------------- */

static void set_address(struct question *question, const struct recipient_question *asked)
{
        const char *extension = asked->domain->options.extension;
        size_t cut = extension[0] == '\0' ? SIZE_MAX : span_find(asked->local_part, extension[0]);
        struct text address;

        text_over(&address, question->address, sizeof question->address);
        text_put(&address, asked->local_part);
        text_put_char(&address, '@');
        text_put(&address, asked->domain->name);
        question->cut = cut == SIZE_MAX ? 0 : (uint16_t)cut;
        question->local_length = (uint16_t)asked->local_part.length;
        question->address_length = (uint16_t)address.length;
}

/* NULL when memory is out, or another configuration's daemons are in the way. */
static struct question *make(struct source *source, const struct recipient_question *asked, uint64_t handle)
{
        const struct options *options = asked->options;
        const struct socketmap_daemon *wanted = asked->domain->socketmap;
        const struct domain_options *of_domain = &asked->domain->options;
        const struct span anybody[] = {span_from(of_domain->recipients), asked->domain->name,
                                       of_domain->socketmap_settings ? SPAN("settings") : SPAN("")};
        struct daemon *daemon = daemons_find(&source->daemons, source->host.streams, wanted);
        struct question *question = daemon == NULL ? NULL : malloc(sizeof *question);
        uint64_t now_ms = source->host.streams->now_ms;
        _Atomic uint64_t *counts = source->host.counters->socketmap_counts[wanted->count_index];

        if (question == NULL)
                return NULL;
        *question = (struct question){
            .lookup = {.due_ms = now_ms + options->socketmap_timeout_ms, .answered = answered},
            .source = source,
            .daemon = daemon,
            .key = asked->key,
            .anybody_key = keyed_hash(&source->host.remembered->secret, anybody, 3),
            .handle = handle,
            .begun_ms = now_ms,
            .found_ms = options->socketmap_found_kept_ms,
            .absent_ms = options->socketmap_absent_kept_ms,
            .terms = {.connect_ms = options->socketmap_connect_timeout_ms,
                      .links_max =
                          stream_share(options->socketmap_connections_max, source->host.worker_count),
                      .waiting_max = stream_share(options->socketmap_waiting_max, source->host.worker_count),
                      .connections = &counts[SOCKETMAP_COUNT_CONNECTIONS]},
            .counts = counts,
            .wants_settings = of_domain->socketmap_settings,
        };
        struct text map;
        text_over(&map, question->map, sizeof question->map);
        text_put(&map, asked->domain->map_name);
        question->lookup.map = text_span(&map);
        set_address(question, asked);
        if (asked->local_part.length == 0)
                question->step = STEP_ANYBODY;
        set_key(question);
        return question;
}

static struct question *find_equal(const struct source *source, const struct key128 *key)
{
        struct question *question;

        TAILQ_FOREACH(question, &source->questions, entry)
        if (key128_equals(&question->key, key))
                return question;
        return NULL;
}

static enum fact refuse(struct question *question, const char *reason, struct ruling *ret_ruling)
{
        *ret_ruling = (struct ruling){.kind = RULING_DEFERS};
        put_reason(ret_ruling, span_from(reason));
        if (question == NULL)
                return FACT_FAILED;
        count(question, SOCKETMAP_COUNT_FAILED, 1);
        tell_of_failure(question, ret_ruling);
        free(question);
        return FACT_FAILED;
}

static enum fact ask(struct recipient_source *of, const struct recipient_question *asked, uint64_t handle,
                     struct ruling *ret_ruling)
{
        struct source *source = (struct source *)of;
        struct question *question = make(source, asked, handle), *equal = find_equal(source, &asked->key);

        if (question == NULL)
                return refuse(NULL, "memory is out", ret_ruling);
        count(question, SOCKETMAP_COUNT_ASKED, 1);
        if (equal != NULL && source->joined_count >= question->terms.waiting_max)
                return refuse(question, "too many questions wait for it", ret_ruling);
        if (equal != NULL) {
                count(question, SOCKETMAP_COUNT_JOINED, 1);
                source->joined_count++;
                question->joined = equal->joined;
                equal->joined = question;
                return FACT_PENDING;
        }
        const char *reason = pool_ask(question->daemon->pool, &question->terms, &question->lookup);
        if (reason != NULL)
                return refuse(question, reason, ret_ruling);
        TAILQ_INSERT_TAIL(&source->questions, question, entry);
        return FACT_PENDING;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

struct recipient_source *socketmap_source_create(const struct socketmap_host *host)
{
        struct source *source = calloc(1, sizeof *source);

        if (source == NULL)
                return NULL;
        source->source.ask = ask;
        source->host = *host;
        TAILQ_INIT(&source->questions);
        return &source->source;
}

void socketmap_source_destroy(struct recipient_source *of)
{
        struct source *source = (struct source *)of;
        struct question *question;

        if (source == NULL)
                return;
        daemons_end(&source->daemons);
        while ((question = TAILQ_FIRST(&source->questions)) != NULL) {
                TAILQ_REMOVE(&source->questions, question, entry);
                while (question != NULL) {
                        struct question *next = question->joined;
                        free(question);
                        question = next;
                }
        }
        free(source);
}
