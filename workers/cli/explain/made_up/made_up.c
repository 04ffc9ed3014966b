/* Tables for all recipients, the dialogue, and what follows from them. */
#include "workers/cli/explain/made_up/made_up.h"

#include "dns/clock.h"
#include "workers/cli/explain/made_up/next.h"
#include "workers/cli/explain/made_up/table_json.h"
#include "workers/cli/explain/story_json.h"
#include "workers/cli/shared/loaded.h"
#include "workers/cli/shared/told.h"
#include "workers/senders/access.h"

#include <stdio.h>
#include <stdlib.h>

#define PATIENCE_MS 30000 /* for DNS, in all */

struct played {
        const struct question *question;
        struct scene scene;
        struct force force;
        struct table tables[EXPLAIN_RECIPIENTS_MAX];
        size_t table_count; /* one more than recipients where there is none */
        char *transcript;   /* owner: malloc() */
        json_t *line;       /* of the log; NULL: it wrote none */
        enum story_kind kind;
};

/* ---- what the session's line of the log says ----------------------------------------------------------- */

static const json_t *last_of(const json_t *array)
{
        size_t count = json_array_size(array);
        return count == 0 ? NULL : json_array_get(array, count - 1);
}

static const json_t *recipient_named(const json_t *transaction, const char *to)
{
        const json_t *recipients = json_object_get(transaction, "rcpts");

        for (size_t i = 0; i < json_array_size(recipients); i++) {
                const json_t *recipient = json_array_get(recipients, i);
                const char *name = json_string_value(json_object_get(recipient, "to"));
                if (name != NULL && strcmp(name, to) == 0)
                        return recipient;
        }
        return NULL;
}

/* Of this recipient; NULL: of the mail as a whole, or of what kept it from being one. */
static struct occurrence occurrence_of(const struct played *played, const char *to)
{
        struct occurrence occurrence = {.session = played->line};

        occurrence.transaction = last_of(json_object_get(played->line, "transactions"));
        if (occurrence.transaction == NULL && json_object_get(played->line, "reply") == NULL)
                occurrence.fault = last_of(json_object_get(played->line, "syntax"));
        if (to != NULL)
                occurrence.recipient = recipient_named(occurrence.transaction, to);
        return occurrence;
}

/* False: nobody has decided about a mail yet, for want of a recipient. */
static bool is_whole(const struct occurrence *occurrence)
{
        const json_t *recipients = json_object_get(occurrence->transaction, "rcpts");
        return occurrence->transaction == NULL || json_array_size(recipients) > 0 ||
               json_object_get(occurrence->transaction, "code") != NULL;
}

static void set_kind(struct played *played, bool is_stored)
{
        struct occurrence occurrence = occurrence_of(played, NULL);
        bool is_open = played->question->message == NULL && occurrence.transaction != NULL &&
                       json_object_get(occurrence.transaction, "code") == NULL;

        played->kind = is_stored || is_open ? STORY_TAKEN : STORY_SUPPOSED;
}

/* About the recipient of a table. */
struct conclusion {
        struct occurrence occurrence;
        const char *check; /* that decides; NULL: none does */
        bool is_refused;
        struct force_matter matter;
        struct next next;
};

static void conclude(const struct played *played, size_t at, struct conclusion *ret)
{
        const struct table *table = &played->tables[at];

        *ret = (struct conclusion){.occurrence = occurrence_of(played, table->recipient)};
        bool is_taken = story_outcome(&ret->occurrence, played->kind) == STORY_IS_TAKEN;
        const char *reply =
            json_string_value(json_object_get(occurrence_innermost(&ret->occurrence), "reply"));
        ret->is_refused = is_whole(&ret->occurrence) && !is_taken;
        ret->check = is_taken ? NULL : occurrence_check(&ret->occurrence);
        ret->matter = (struct force_matter){
            .check = ret->check == NULL ? CHECK_COUNT : check_by_name(span_from(ret->check)),
            .reply = reply == NULL ? REPLY_NONE : reply_by_name(span_from(reply)),
            .domain = table->domain,
            .settings = table->settings,
            .helo = table->facts.helo,
        };
        next_find(played->tables, played->table_count, at, ret->check, &ret->next);
}

/* ---- words --------------------------------------------------------------------------------------------- */

static void print_heading(const struct played *played, size_t at, const char *word)
{
        if (played->table_count == 1)
                return;
        printf("%s <", word);
        told_print_text(played->tables[at].recipient);
        printf(">:\n");
}

static void print_what_follows(const struct played *played, size_t at)
{
        struct conclusion conclusion;

        conclude(played, at, &conclusion);
        print_heading(played, at, "About");
        if (conclusion.is_refused)
                force_print(&played->force, &conclusion.matter, "", story_evidence(&conclusion.occurrence));
        next_print(&played->tables[at], &conclusion.next,
                   !conclusion.is_refused     ? NULL
                   : conclusion.check != NULL ? conclusion.check
                                              : "that");
}

static void print_tables(const struct played *played)
{
        struct conclusion conclusion;

        for (size_t i = 0; i < played->table_count; i++) {
                conclude(played, i, &conclusion);
                if (i > 0)
                        putchar('\n');
                print_heading(played, i, "For");
                table_print(&played->tables[i], played->line == NULL ? NULL : conclusion.check);
        }
        scene_print(&played->scene);
}

static void print_words(const struct played *played)
{
        bool is_one = played->question->recipient_count == 1;
        struct occurrence occurrence = occurrence_of(played, is_one ? played->tables[0].recipient : NULL);

        print_tables(played);
        fputs(played->transcript, stdout);
        if (played->line == NULL)
                return;
        putchar('\n');
        if (is_whole(&occurrence))
                story_print(&occurrence, played->kind);
        for (size_t i = 0; i < played->table_count; i++)
                print_what_follows(played, i);
}

/* ---- JSON ---------------------------------------------------------------------------------------------- */

static json_t *transcript_json(const char *transcript)
{
        json_t *lines = json_array();

        for (struct span rest = span_from(transcript), line; rest.length > 0;
             rest = span_skip(rest, line.length + 1)) {
                size_t end = span_find(rest, '\n');
                line = span_of(rest.at, end == SIZE_MAX ? rest.length : end);
                json_array_append_new(lines, told_string(line));
        }
        return lines;
}

/* What the table tells of the recipient, or without one of whoever it may be. */
static void put_table(const struct played *played, size_t at, json_t *object)
{
        const struct table *table = &played->tables[at];
        struct conclusion conclusion;

        conclude(played, at, &conclusion);
        told_put_text(object, "exempt", table_exemption(table));
        json_object_set_new(object, "in_force",
                            conclusion.is_refused ? force_json(&played->force, &conclusion.matter)
                                                  : json_array());
        next_put(object, table, &conclusion.next);
        json_object_set_new(object, "checks", table_json(table, conclusion.check, &played->force));
}

static json_t *recipient_json(const struct played *played, size_t at)
{
        const struct table *table = &played->tables[at];
        struct occurrence occurrence = occurrence_of(played, table->recipient);
        json_t *json = json_object();

        told_put_text(json, "to", table->recipient);
        if (table->domain != NULL)
                told_put(json, "domain", table->domain->name);
        story_put(json, &occurrence, played->kind);
        put_table(played, at, json);
        return json;
}

static json_t *mail_json(const struct played *played)
{
        bool is_one = played->question->recipient_count == 1;
        struct occurrence occurrence = occurrence_of(played, is_one ? played->tables[0].recipient : NULL);
        json_t *mail = json_object(), *recipients = json_array();

        story_put_mail(mail, &occurrence, played->kind);
        if (is_whole(&occurrence))
                story_put(mail, &occurrence, played->kind);
        for (size_t i = 0; i < played->question->recipient_count; i++)
                json_array_append_new(recipients, recipient_json(played, i));
        json_object_set_new(mail, "recipients", recipients);
        if (played->question->recipient_count == 0)
                put_table(played, 0, mail);
        return mail;
}

static void print_json(const struct played *played)
{
        json_t *json = json_object(), *mails = json_array();

        told_put_text(json, "kind", "made_up");
        told_put_text(json, "configuration", played->question->configuration);
        json_object_set_new(json, "transcript", transcript_json(played->transcript));
        json_array_append_new(mails, mail_json(played));
        json_object_set_new(json, "mails", mails);
        told_print(json);
        json_decref(json);
}

/* ---- playing ------------------------------------------------------------------------------------------- */

static void play(const struct question *question, const struct snapshot *snapshot, struct session_host *host,
                 struct cli_dns *dns, bool as_json)
{
        static struct played played;
        size_t length = 0;
        FILE *out = open_memstream(&played.transcript, &length);

        if (out == NULL)
                return;
        played.question = question;
        played.table_count = question->recipient_count == 0 ? 1 : question->recipient_count;
        scene_begin(&played.scene, question, snapshot, host, dns);
        force_begin(&played.force, snapshot, question->configuration);
        for (size_t i = 0; i < played.table_count; i++)
                table_run(&played.tables[i], &played.scene, i);
        bool is_stored = explain_dialogue(question, snapshot, host, dns, out);
        fclose(out);
        played.line = json_loadb(host->log.at, host->log.length, JSON_DISABLE_EOF_CHECK, NULL);
        set_kind(&played, is_stored);
        if (as_json)
                print_json(&played);
        else
                print_words(&played);
        json_decref(played.line);
        force_end(&played.force);
        scene_end(&played.scene);
        free(played.transcript);
}

/* Given answers come first, and without resolvers nobody else is asked. */
static bool open_dns(struct question *question, const struct snapshot *snapshot, struct cli_dns *dns,
                     struct session_host *host)
{
        const struct endpoint_list *resolvers = &snapshot->options.resolvers;
        bool is_open = !question->wants_no_dns && resolvers->count > 0 &&
                       cli_dns_open_configured(dns, &snapshot->options);

        dns->until_ms = clock_monotonic_ms() + PATIENCE_MS;
        question->given.behind = is_open ? dns->source : NULL;
        host->dns = resolvers->count > 0 ? &question->given.source : NULL;
        return is_open;
}

/* Nobody is asked: what is to be found out is what stands against the mail otherwise. */
static enum fact take_for_granted(struct recipient_source *source, const struct recipient_question *question,
                                  uint64_t handle, struct ruling *ret_ruling)
{
        (void)source, (void)question, (void)handle;
        *ret_ruling = (struct ruling){.kind = RULING_TAKES};
        return FACT_FOUND;
}

static int with_snapshot(struct question *question, const struct snapshot *snapshot, bool as_json)
{
        static char log_octets[2 * LOG_LINE_MAX];
        static struct counters counters;
        struct session_host host = {.counters = &counters, .wall_ms = clock_wall_ms(), .now_ms = 1};
        struct recipient_source recipients = {.ask = take_for_granted};
        struct cli_dns dns = {0};
        struct sender_access senders;

        host.recipient_sources[RECIPIENTS_AT_HOP] = host.recipient_sources[RECIPIENTS_AT_SOCKETMAP] =
            &recipients;
        block_pool_init(&host.session_pool, 256, 0);
        block_pool_init(&host.transaction_pool, 4096, 0);
        content_pool_init(&host.content_pool, 0);
        text_over(&host.log, log_octets, sizeof log_octets);
        bool has_dns = open_dns(question, snapshot, &dns, &host);
        bool has_store =
            snapshot->sender_store.kind != SENDER_STORE_NONE && sender_access_open(&senders, snapshot, true);
        host.senders = has_store ? &senders.source : NULL;
        play(question, snapshot, &host, &dns, as_json);
        if (has_store)
                sender_access_close(&senders);
        if (has_dns)
                cli_dns_close(&dns);
        block_pool_end(&host.session_pool);
        block_pool_end(&host.transaction_pool);
        content_pool_end(&host.content_pool);
        return 0;
}

static bool has_listener(const struct snapshot *snapshot, const struct endpoint *listener)
{
        return listener->port == 0 || endpoint_list_contains(&snapshot->options.listen, listener);
}

int explain_made_up(struct question *question, bool as_json)
{
        struct loaded loaded;
        int status = 1;

        if (!loaded_begin(&loaded, question->configuration))
                return 1;
        if (has_listener(loaded.snapshot, &question->listener))
                status = with_snapshot(question, loaded.snapshot, as_json);
        else
                fprintf(stderr, "gatepost: explain: --listener is none of the addresses of `listen`\n");
        loaded_end(&loaded);
        return status;
}
