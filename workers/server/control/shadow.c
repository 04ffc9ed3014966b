/* What of it reads files runs aside, as a reload does. */
#include "workers/server/control/shadow.h"

#include "conf/build/load.h"
#include "conf/build/losses.h"
#include "conf/value/rate.h"
#include "dns/clock.h"
#include "workers/log/console.h"
#include "workers/server/reload.h"
#include "workers/shadow/tell.h"

#include <stdlib.h>

#define STOP_MS     2000
#define ANSWERS_MIN 1000 /* compared, before a promotion is more than a guess */

static const char there_is_none[] = "there is no shadow; gatepost shadow start starts one";
static const char does_not_end[] = "its thread does not end";

bool shadow_prepare(struct server *server)
{
        const struct shadow_parts parts = {
            .worker_count = server->worker_count,
            .dns_pool = server->dns_pool,
            .client = server->worker_count + 1 + server->hop_count, /* behind the hop threads */
            .dns_places = (uint64_t)server->shares.dns_in_flight * server->options_at_start.dns_threads,
            .log = &server->log,
        };

        if (!shadow_init(&server->shadow, &parts))
                return false;
        server->counters.sets[server->counters.count++] = &server->shadow.counters;
        for (uint32_t i = 0; i < server->worker_count; i++)
                server->workers[i].host.sink = shadow_sink(&server->shadow, i);
        return true;
}

/* ---- start --------------------------------------------------------------------------------------------- */

struct opening {
        struct server *server;
        struct shadow_subject *subject; /* NULL: it cannot be used, for these complaints */
        struct conf_complaints complaints;
};

/* By its whole name, as the other one has it. */
static void find_own(const char *path, char ret_own[static SHADOW_PATH_MAX])
{
        char *whole = realpath(path, NULL);

        snprintf(ret_own, SHADOW_PATH_MAX, "%s", whole == NULL ? "" : whole);
        free(whole);
}

/* Work aside. */
static void open_subject(void *argument)
{
        struct opening *opening = argument;
        const struct published *published = atomic_load(&opening->server->publication.published);
        struct shadow_subject *subject = opening->subject;

        find_own(opening->server->path, subject->own);
        subject->snapshot = snapshot_load(subject->path, &opening->complaints);
        if (subject->snapshot != NULL &&
            losses_are_allowed(published->snapshot, subject->snapshot, &opening->complaints) &&
            feed_keeper_prepare(&subject->feeds, subject->snapshot, &opening->complaints))
                return;
        shadow_subject_free(subject);
        opening->subject = NULL;
}

static void end_opening(void *argument)
{
        struct opening *opening = argument;

        shadow_subject_free(opening->subject);
        conf_complaints_end(&opening->complaints);
        free(opening);
}

static void tell_complaints(const struct opening *opening, struct control_job *job)
{
        const char *text = opening->complaints.text != NULL ? opening->complaints.text : "";

        for (const char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
                control_job_tell(job, "complaint", span_of(line, (size_t)(end - line)));
}

/* "100000 /etc/gatepost/new.conf" */
static bool read_wish(const char *words, struct shadow_subject *subject)
{
        struct span rest = span_from(words);
        struct span share = span_take_word(&rest);
        uint64_t share_ppm;

        if (!span_number(share, &share_ppm) || share_ppm == 0 || share_ppm > SHARE_WHOLE)
                return false;
        rest = span_trim(rest);
        span_copy_cut(rest, subject->path, sizeof subject->path);
        subject->share_ppm = (uint32_t)share_ppm;
        return rest.length > 0 && rest.at[0] == '/' && rest.length < sizeof subject->path;
}

static const char *start(struct server *server, struct opening *opening, struct control_job *job)
{
        static const char other_store[] =
            "warning: its sender_store is another, which is not asked: what that in force has said is taken";
        struct shadow_subject *subject = opening->subject;

        if (subject == NULL)
                return "the configuration cannot be used";
        if (sender_store_takes_restart(&server->senders, subject->snapshot))
                control_job_tell(job, "complaint", SPAN(other_store));
        zone_watch_inherit(&server->zone_watch, subject->snapshot);
        const char *fault = shadow_start(&server->shadow, subject);
        if (fault == NULL)
                opening->subject = NULL;
        return fault;
}

const char *shadow_obey_start(struct server *server, struct control_job *job)
{
        if (shadow_is_on(&server->shadow))
                return "there is a shadow already; gatepost shadow stop ends it";
        struct opening *opening = calloc(1, sizeof *opening);
        struct shadow_subject *subject = shadow_subject_create();
        if (opening == NULL || subject == NULL) {
                free(opening);
                shadow_subject_free(subject);
                return "out of memory";
        }
        opening->server = server;
        opening->subject = subject;
        if (!read_wish(job->words, subject)) {
                end_opening(opening);
                return "a share from 1 to 1000000 is wanted, and the absolute name of a file";
        }
        if (!aside_run(&server->aside, open_subject, end_opening, opening))
                return "the server stops";
        tell_complaints(opening, job);
        const char *fault = start(server, opening, job);
        end_opening(opening);
        return fault;
}

void shadow_look_after(struct server *server)
{
        if (shadow_is_on(&server->shadow))
                zone_watch_inherit(&server->zone_watch, server->shadow.run->subject->snapshot);
        else
                shadow_take_late(&server->shadow);
}

/* ---- status and stop ----------------------------------------------------------------------------------- */

/* Where the log hides persons nobody is told of them here. False: there is no shadow. */
static bool tell(struct server *server, struct control_job *job)
{
        const struct published *published = atomic_load(&server->publication.published);
        bool with_persons = published->snapshot->options.log_addresses == LOG_ADDRESSES_PLAIN;

        return shadow_tell(&server->shadow, with_persons, &job->answer);
}

const char *shadow_obey_status(struct server *server, struct control_job *job)
{
        return tell(server, job) ? NULL : there_is_none;
}

static bool stop(struct server *server, const char *why)
{
        return shadow_stop(&server->shadow, why, clock_monotonic_ms() + STOP_MS);
}

const char *shadow_obey_stop(struct server *server, struct control_job *job)
{
        if (!tell(server, job))
                return there_is_none;
        return stop(server, "an order") ? NULL : does_not_end;
}

void shadow_leave(struct server *server, struct control_job *job, const char *why)
{
        char line[2 * SHADOW_PATH_MAX + 100];

        if (shadow_is_on(&server->shadow) && stop(server, why))
                control_job_tell(job, "complaint", SPAN("the shadow has ended, and does not go over"));
        if (server->promoted[0] == '\0')
                return;
        snprintf(line, sizeof line,
                 "warning: in force was what was promoted from %s; the new process has read %.*s",
                 server->promoted, SHADOW_PATH_MAX, server->path);
        control_job_tell(job, "complaint", span_from(line));
}

/* ---- promotion ----------------------------------------------------------------------------------------- */

/* What nobody knows may be refusals too: only whoever insists leaves them out. */
static const char *obstacle(const struct shadow_figures *figures, uint64_t budget_ppm, bool is_forced)
{
        static char reason[200]; /* the main thread's alone */
        uint64_t more = figures->changes[CHANGE_REFUSES_MORE] + figures->changes[CHANGE_DEFERS_MORE];
        uint64_t unknown = figures->changes[CHANGE_UNKNOWN], known = figures->answers - unknown;
        uint64_t against = is_forced ? more : more + unknown, all = is_forced ? known : figures->answers;

        if (known < ANSWERS_MIN && !is_forced)
                snprintf(reason, sizeof reason,
                         "only %llu answers were compared, and %d are wanted; --force does without",
                         (unsigned long long)known, ANSWERS_MIN);
        else if (against * SHARE_WHOLE > budget_ppm * all)
                snprintf(reason, sizeof reason,
                         "beyond the budget: of %llu answers %llu would have been refused or deferred that "
                         "were not, and %llu are unknown%s",
                         (unsigned long long)figures->answers, (unsigned long long)more,
                         (unsigned long long)unknown,
                         is_forced || unknown == 0 ? "" : "; --force does without these");
        else
                return NULL;
        return reason;
}

/* "1000", or "1000 force". */
static bool read_budget(const char *words, uint64_t *ret_ppm, bool *ret_is_forced)
{
        struct span rest = span_from(words);
        struct span number = span_take_word(&rest);

        rest = span_trim(rest);
        *ret_is_forced = span_equals(rest, SPAN("force"));
        return (rest.length == 0 || *ret_is_forced) && span_number(number, ret_ppm) &&
               *ret_ppm <= SHARE_WHOLE;
}

static bool are_in_one_folder(const char *left, const char *right)
{
        size_t length = (size_t)(strrchr(left, '/') + 1 - left);
        return strncmp(left, right, length) == 0 && strchr(right + length, '/') == NULL;
}

/* A reload, an upgrade and a start read the server's own file, as before. */
static void note_file(struct server *server, struct control_job *job)
{
        const struct shadow_subject *subject = server->shadow.run->subject;
        const char *own = subject->own[0] == '\0' ? server->path : subject->own;
        char line[3 * SHADOW_PATH_MAX + 200];

        server->promoted[0] = '\0';
        if (strcmp(own, subject->path) == 0)
                return;
        snprintf(
            line, sizeof line,
            "warning: a reload, an upgrade and a start read %.*s, as before. What is in force now stays so "
            "after: cp %s %.*s%s",
            SHADOW_PATH_MAX, own, subject->path, SHADOW_PATH_MAX, own,
            are_in_one_folder(subject->path, own)
                ? ""
                : " with its relative paths changed, which begin in the folder of the file");
        snprintf(server->promoted, sizeof server->promoted, "%s", subject->path);
        control_job_tell(job, "complaint", span_from(line));
}

const char *shadow_obey_promote(struct server *server, struct control_job *job)
{
        static char error[RELOAD_REASON_SIZE + 32]; /* the main thread's alone */
        struct shadow_figures figures;
        char reason[RELOAD_REASON_SIZE];
        uint64_t budget_ppm;
        bool is_forced;

        if (!read_budget(job->words, &budget_ppm, &is_forced))
                return "a budget up to 1000000 is wanted, and maybe the word force behind it";
        if (!shadow_look(&server->shadow, &figures))
                return there_is_none;
        const char *fault = obstacle(&figures, budget_ppm, is_forced);
        if (fault != NULL)
                return fault;
        if (!reload_promote(server, server->shadow.run->subject, job, reason)) {
                snprintf(error, sizeof error, "nothing has changed: %s", reason);
                return error;
        }
        note_file(server, job);
        /* It is in force, whatever becomes of the thread. */
        if (!stop(server, "promoted"))
                console_warn("gatepost: the thread of the shadow does not end");
        return NULL;
}
