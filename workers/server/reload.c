/* SIGHUP: a whole snapshot is built beside the one in force, new sockets are bound, and then both are
 * swapped. Sessions keep the snapshot that they began with. */
#include "workers/server/reload.h"

#include "conf/text/access.h"
#include "conf/build/load.h"
#include "conf/build/losses.h"
#include "conf/value/value.h"
#include "dns/pool/settings.h"
#include "workers/log/console.h"
#include "workers/server/bounds/generations.h"
#include "workers/server/bounds/memory.h"
#include "workers/server/bounds/threads.h"
#include "workers/server/stores/stores.h"
#include "workers/server/listening.h"
#include "workers/server/manager/manager.h"
#include "workers/server/pages/changes.h"
#include "workers/server/pages/pages.h"
#include "workers/server/reload_log.h"
#include "workers/tls/client/client.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* What a reload reads from files. */
struct loading {
        struct server *server;
        const char *path;
        const struct snapshot *judged; /* what the file is to say; NULL: whatever it says */
        struct control_job *job;       /* hears the complaints; NULL: nobody waits for them */
        struct conf_complaints complaints;
        struct snapshot *snapshot;     /* NULL: there is none, for these complaints */
        struct tls_contexts *contexts; /* of the snapshot; NULL: it has no TLS */
        SSL_CTX *hop_tls;              /* the same to next hops */
        struct sender_change senders;
        struct conf_complaints faults; /* what of it cannot be opened */
        struct web_change web;
        char *changes;          /* that the snapshot makes, as a text for the pages; NULL: none */
        struct log_target *log; /* NULL: it cannot be opened */
};

static void print_complaints(const struct loading *loading, const char *event,
                             const struct conf_complaints *complaints)
{
        const char *text = complaints->text != NULL ? complaints->text : "";

        for (const char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
                console_complaint(span_of(line, (size_t)(end - line)));
                if (loading->job != NULL)
                        control_job_tell(loading->job, "complaint", span_of(line, (size_t)(end - line)));
        }
        log_event(&loading->server->log, event, "complaints", text, NULL);
}

/* Numbers that tables and memory were made by, or threads, unless the option leaves their number to us. */
static const enum option_at fixed_options[] = {
    OPTION_AT_delivery_threads,
    OPTION_AT_hop_threads,
    OPTION_AT_client_rate_memory,
    OPTION_AT_dns_threads,
    OPTION_AT_dns_in_flight_max,
    OPTION_AT_dns_cache_size,
    OPTION_AT_maildir_sync_together,
    OPTION_AT_log_memory,
    OPTION_AT_journal_size,
    OPTION_AT_journal_segment,
    OPTION_AT_journal_lifetime,
    OPTION_AT_journal_retry_min,
    OPTION_AT_journal_retry_max,
    OPTION_AT_journal_in_flight,
    OPTION_AT_next_hops_rulings_memory,
    OPTION_AT_next_hops_delivered_memory,
};

/* `stays`: what holds until then, or "". */
static void warn_of_restart(const struct loading *loading, enum check_id check, const char *name,
                            const char *stays)
{
        const char *section = check == CHECK_COUNT    ? ""
                              : check == SECTION_HOPS ? "next_hops"
                                                      : check_infos[check].name;
        char option[128], line[256];

        snprintf(option, sizeof option, "%s%s%s", section, section[0] == '\0' ? "" : ".", name);
        int length = snprintf(line, sizeof line, "warning: a change of %s takes a restart%s", option, stays);
        console_warn("gatepost: %s", line);
        log_event(&loading->server->log, "restart_needed", "option", option, NULL);
        if (loading->job != NULL)
                control_job_tell(loading->job, "complaint", span_of(line, (size_t)length));
}

/* Whoever is named in vain may believe that the server is no root any more. */
static void warn_of_user(const struct loading *loading)
{
        const char *user = loading->server->user_at_start;
        char stays[160];

        if (user[0] == '\0')
                snprintf(stays, sizeof stays, ": until then the server stays who started it");
        else
                snprintf(stays, sizeof stays, ": until then the server stays %s, whom it became at its start",
                         user);
        warn_of_restart(loading, CHECK_COUNT, option_rows[OPTION_AT_user].name, stays);
}

static void warn_of_restarts(const struct loading *loading, const struct snapshot *snapshot)
{
        const struct server *server = loading->server;
        const struct options *options = &snapshot->options, *at_start = &server->options_at_start;
        struct journal_plan journal = {.path = ""};
        journal_plan_make(&journal, options);
        const struct {
                bool has_changed;
                enum option_at option;
        } others[] = {
            {threads_workers_wanted(options) != server->worker_count, OPTION_AT_workers},
            {threads_acceptors_wanted(options, server->worker_count) != server->acceptor_count,
             OPTION_AT_acceptors},
            {options->sandbox != at_start->sandbox, OPTION_AT_sandbox},
            {options->core_dumps != at_start->core_dumps, OPTION_AT_core_dumps},
            {options->hot_upgrade != at_start->hot_upgrade, OPTION_AT_hot_upgrade},
            {options->keep_bind_capability != at_start->keep_bind_capability, OPTION_AT_keep_bind_capability},
            {sender_store_takes_restart(&server->senders, snapshot), OPTION_AT_sender_store},
            {strcmp(server->control_path, options->control) != 0, OPTION_AT_control},
            {strcmp(server->journal.plan.path, journal.path) != 0, OPTION_AT_journal},
            {strcmp(server->journal.plan.dead_letters, journal.dead_letters) != 0,
             OPTION_AT_journal_dead_letters},
        };

        for (size_t i = 0; i < sizeof fixed_options / sizeof fixed_options[0]; i++) {
                const struct option_row *row = &option_rows[fixed_options[i]];
                if (memcmp((const char *)options + row->offset, (const char *)at_start + row->offset,
                           sizeof(uint64_t)) != 0)
                        warn_of_restart(loading, row->check, row->name, "");
        }
        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
                if (others[i].has_changed)
                        warn_of_restart(loading, CHECK_COUNT, option_rows[others[i].option].name, "");
        if (strncmp(server->user_at_start, options->user, sizeof server->user_at_start - 1) != 0)
                warn_of_user(loading);
}

/* Nobody can connect before all else has succeeded: a socket that closes again resets who did. */
static bool go_over(struct server *server, struct loading *loading, struct listener *bound)
{
        struct published *next = publication_prepare(&server->publication, loading->snapshot);

        if (next == NULL)
                conf_complain(&loading->faults, COMPLAINT_ERROR, &(struct place){loading->path, 0},
                              "no memory to put it in force");
        if (next == NULL || !listening_open(server, bound, &loading->faults)) {
                free(next);
                listeners_free(bound);
                return false;
        }
        published_accompany(next, loading->contexts, tls_contexts_free);
        publication_put(&server->publication, next);
        return true;
}

static bool open_web(struct server *server, struct loading *loading)
{
        if (web_prepare(&server->web, loading->snapshot, &server->inherited, &loading->web))
                return true;
        const char *reason = strerror(errno);
        conf_complain(&loading->faults, COMPLAINT_ERROR, &(struct place){loading->path, 0},
                      "cannot listen on %s: %s", loading->web.name, reason);
        log_event(&server->log, "listen_failed", "address", loading->web.name, "reason", reason, NULL);
        return false;
}

/* Everything that may fail, before anything is changed. The log is taken over. */
static bool prepare(struct server *server, struct loading *loading, struct listener **ret_opened)
{
        if (loading->snapshot == NULL || loading->log == NULL ||
            !listening_bind(server, loading->snapshot, &loading->faults, ret_opened))
                return false;
        if (!open_web(server, loading)) {
                listeners_free(*ret_opened);
                return false;
        }
        server_journal_fit(&server->journal, loading->snapshot);
        zone_watch_inherit(&server->zone_watch, loading->snapshot);
        counted_inherit(&server->counted, atomic_load(&server->publication.published)->snapshot,
                        loading->snapshot);
        if (!go_over(server, loading, *ret_opened)) {
                web_let_be(&loading->web);
                return false;
        }
        log_writer_switch(&server->log, loading->log);
        loading->log = NULL;
        return true;
}

static void set_dns(struct server *server, const struct options *options)
{
        struct dns_cache_options cache = dns_cache_settings(options);
        struct dns_pool_options pool = dns_pool_settings(options);

        dns_cache_set_times(server->dns_cache, &cache);
        dns_pool_set_limits(server->dns_pool, &pool);
        if (!dns_pool_set_upstreams(server->dns_pool, pool.upstreams, pool.upstream_count))
                console_fail("gatepost: no memory for the new resolvers; the former ones are asked");
}

/* False, with the reasons, when the snapshot takes away what it should not, or its certificates are wrong. */
static bool complete(struct loading *loading, struct snapshot *snapshot)
{
        const struct published *published = atomic_load(&loading->server->publication.published);
        unsigned errors = loading->complaints.errors;

        if (!losses_are_allowed(published->snapshot, snapshot, &loading->complaints))
                return false;
        loading->contexts =
            tls_contexts_load(snapshot, tls_contexts_of(published), &loading->server->certificates.tickets,
                              TLS_AT_RELOAD, &loading->complaints);
        loading->hop_tls = tls_client_open(snapshot, &loading->complaints);
        return loading->complaints.errors == errors &&
               sender_store_prepare(&loading->server->senders, snapshot, &loading->senders,
                                    &loading->complaints) &&
               feed_keeper_prepare(&loading->server->feeds, snapshot, &loading->complaints);
}

/* It is not put in force. NULL: there is none. */
static void forget(struct snapshot *snapshot)
{
        if (snapshot != NULL)
                feed_keeper_forget(snapshot);
        snapshot_free(snapshot);
}

/* The server's own file decides again. */
static void warn_of_promoted(struct loading *loading, const struct snapshot *snapshot)
{
        const struct published *published = atomic_load(&loading->server->publication.published);
        const char *promoted = loading->server->promoted;

        if (loading->judged == NULL && promoted[0] != '\0' &&
            !changes_are_none(published->snapshot, snapshot))
                conf_complain(&loading->complaints, COMPLAINT_WARNING, &(struct place){loading->path, 0},
                              "what was promoted from %s is in force no more: this file does not say it",
                              promoted);
}

/* NULL, with the reasons, when it cannot be put in force. */
static struct snapshot *load_next(struct loading *loading)
{
        struct snapshot *snapshot = snapshot_load(loading->path, &loading->complaints);

        if (snapshot == NULL)
                return NULL;
        if (loading->judged != NULL && !changes_are_none(loading->judged, snapshot)) {
                conf_complain(&loading->complaints, COMPLAINT_ERROR, &(struct place){loading->path, 0},
                              "it has changed since the shadow was started");
        } else if (complete(loading, snapshot)) {
                warn_of_promoted(loading, snapshot);
                return snapshot;
        }
        forget(snapshot);
        return NULL;
}

/* Work aside: all that reads files, or takes long. */
static void load(void *argument)
{
        struct loading *loading = argument;

        loading->snapshot = load_next(loading);
        if (loading->snapshot == NULL)
                return;
        const char *fault;
        char denied[ACCESS_TEXT_MAX];
        loading->log = log_open(loading->snapshot, &fault);
        if (loading->log == NULL)
                conf_complain(&loading->faults, COMPLAINT_ERROR, &(struct place){loading->path, 0},
                              "cannot open log %s: %s%s", loading->snapshot->options.log, fault,
                              access_denied(loading->snapshot->options.log, W_OK, denied));
        else
                loading->changes = pages_changes(loading->server, loading->snapshot);
}

static void end_loading(struct loading *loading)
{
        log_target_free(loading->log);
        SSL_CTX_free(loading->hop_tls);
        sender_change_drop(&loading->senders);
        conf_complaints_end(&loading->complaints);
        conf_complaints_end(&loading->faults);
        free(loading->changes);
        free(loading);
}

/* The server has ended meanwhile. */
static void drop(void *argument)
{
        struct loading *loading = argument;

        tls_contexts_free(loading->contexts);
        forget(loading->snapshot);
        end_loading(loading);
}

static void fail(struct server *server, const struct loading *loading,
                 char ret_reason[static RELOAD_REASON_SIZE])
{
        /* Warnings of what is not in force anyway would only push the reason out of the line. */
        const struct conf_complaints *reasons =
            loading->snapshot == NULL ? &loading->complaints : &loading->faults;

        reload_log(server);                   /* it may have been renamed all the same */
        pages_after_failure(server, reasons); /* before the log tells of it, as after a success */
        print_complaints(loading, "reload_failed", reasons);
        console_fail("gatepost: reload failed, nothing has changed");
        tls_contexts_free(loading->contexts);
        forget(loading->snapshot);
        struct span error = conf_complaints_first_error(reasons);
        span_copy_cut(error.length > 0 ? error : SPAN("no memory"), ret_reason, RELOAD_REASON_SIZE);
}

static void succeed(struct server *server, struct loading *loading, struct listener *opened)
{
        const struct snapshot *snapshot = loading->snapshot;

        feed_keeper_use(&server->feeds, snapshot);
        set_dns(server, &snapshot->options);
        stores_set(server, &snapshot->options, loading->hop_tls);
        loading->hop_tls = NULL;
        sender_store_change(&server->senders, &loading->senders);
        memory_bound(&server->budget, &snapshot->options);
        generations_bound(server);
        listening_use(server, opened);
        listening_drop(server, snapshot);
        web_change(&server->web, &loading->web);
        pages_after_reload(server, loading->changes);
        print_complaints(loading, "reload", &loading->complaints);
        /* Whoever has not liked the one before may like this one. */
        if (certificates_use(&server->certificates, (uint64_t)time(NULL)))
                tls_no_go_forget(&server->clients.tls_no_go);
        counter_log_write(&server->counter_log);
        warn_of_restarts(loading, snapshot);
        descriptors_warn(&server->shares, &snapshot->options);
        reload_tell_syncs(server);
        console_print("gatepost: configuration reloaded");
}

/* As `like` says, what is to be put in force. */
static bool put_in_force(struct server *server, const struct loading *like,
                         char ret_reason[static RELOAD_REASON_SIZE])
{
        struct listener *opened;

        if (server->upgrade.successor != 0) {
                reload_log(server);
                span_copy_cut(SPAN(UPGRADE_TAKEN_OVER), ret_reason, RELOAD_REASON_SIZE);
                return false;
        }
        manager_tell_reload(server);
        struct loading *loading = calloc(1, sizeof *loading);
        if (loading == NULL) {
                console_fail("gatepost: no memory for a reload, nothing has changed");
                span_copy_cut(SPAN("no memory"), ret_reason, RELOAD_REASON_SIZE);
                manager_tell_outcome(server, ret_reason);
                return false;
        }
        *loading = *like;
        /* Else it is the server's end, and the work aside may go on with it. */
        if (!aside_run(&server->aside, load, drop, loading)) {
                span_copy_cut(SPAN("the server stops"), ret_reason, RELOAD_REASON_SIZE);
                return false;
        }
        bool is_prepared = prepare(server, loading, &opened);
        if (is_prepared)
                succeed(server, loading, opened);
        else
                fail(server, loading, ret_reason);
        manager_tell_outcome(server, is_prepared ? NULL : ret_reason);
        end_loading(loading);
        return is_prepared;
}

bool reload(struct server *server, struct control_job *job, char ret_reason[static RELOAD_REASON_SIZE])
{
        const struct loading like = {.server = server, .path = server->path, .job = job};

        if (!put_in_force(server, &like, ret_reason))
                return false;
        server->promoted[0] = '\0';
        shadow_forget(&server->shadow);
        return true;
}

bool reload_promote(struct server *server, const struct shadow_subject *judged, struct control_job *job,
                    char ret_reason[static RELOAD_REASON_SIZE])
{
        const struct loading like = {
            .server = server, .path = judged->path, .judged = judged->snapshot, .job = job};

        return put_in_force(server, &like, ret_reason);
}
