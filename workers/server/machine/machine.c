#include "workers/server/machine/machine.h"

#include "dns/clock.h"
#include "workers/senders/redis.h"
#include "workers/senders/redis/herald.h"
#include "workers/server/server.h"
#include "workers/shadow/tell.h"

#define TELL_EVERY_MS 10000

static_assert(MACHINE_NAME_MAX <= REDIS_RECORD_NAME_MAX && MACHINE_RECORD_MAX <= REDIS_RECORD_MAX,
              "the store of senders takes whatever a machine may say");

static struct machine_counts count(const struct counters_list *list)
{
        struct counters sum;

        counters_sum(list, &sum);
        return (struct machine_counts){
            .sessions = counter_read(&sum.metrics[METRIC_sessions]),
            .accepted = counter_read(&sum.metrics[METRIC_messages_accepted]),
            .refused = counter_read(&sum.metrics[METRIC_recipients_refused]) +
                       counter_read(&sum.metrics[METRIC_messages_refused]),
            .deferred = counter_read(&sum.metrics[METRIC_recipients_deferred]) +
                        counter_read(&sum.metrics[METRIC_messages_deferred]),
        };
}

static struct machine_counts less(struct machine_counts now, const struct machine_counts *before)
{
        now.sessions -= before->sessions;
        now.accepted -= before->accepted;
        now.refused -= before->refused;
        now.deferred -= before->deferred;
        return now;
}

static struct machine_shadow shadow_of(struct server *server)
{
        struct shadow_figures figures;
        struct machine_shadow shadow = {.digest = ""};

        if (!shadow_look(&server->shadow, &figures))
                return shadow;
        memcpy(shadow.digest, server->shadow.run->subject->snapshot->digest, sizeof shadow.digest);
        shadow.unknown = figures.changes[CHANGE_UNKNOWN];
        shadow.compared = figures.answers - shadow.unknown;
        shadow.refuses_more = figures.changes[CHANGE_REFUSES_MORE];
        shadow.refuses_less = figures.changes[CHANGE_REFUSES_LESS];
        shadow.defers_more = figures.changes[CHANGE_DEFERS_MORE];
        return shadow;
}

static void publish(struct server *server, const struct web_news *news)
{
        const struct published *published = atomic_load(&server->publication.published);
        const struct snapshot *snapshot = published->snapshot;
        struct machine *machine = &server->machine;
        struct machine_counts now = count(&server->counters);
        struct machine_record record = {
            .version = VERSION,
            .generation = news->generation,
            .time_s = clock_wall_s(),
            .start_s = server->web.start_s,
            .in_force_s = news->in_force_s,
            .failed_s = news->has_failed ? news->reload_s : 0,
            .shadow = shadow_of(server),
        };
        char octets[MACHINE_RECORD_MAX];
        struct text line;

        if (news->generation != machine->generation && machine->generation != 0)
                machine->before = now;
        machine->generation = news->generation;
        record.counts = less(now, &machine->before);
        span_copy_cut(span_from(snapshot->options.hostname), record.name, sizeof record.name);
        span_copy_cut(span_from(snapshot->digest), record.digest, sizeof record.digest);
        text_over(&line, octets, sizeof octets);
        if (machine_record_write(&record, &line))
                sender_redis_publish(server->senders.redis, span_from(record.name), text_span(&line));
}

void machine_look(struct server *server)
{
        struct machine *machine = &server->machine;
        uint64_t now_ms = clock_monotonic_ms();

        if (server->senders.redis == NULL || machine->is_succeeded)
                return;
        if (server->upgrade.successor != 0) {
                /* It has the name now, and nothing older is told over it. */
                machine->is_succeeded = sender_redis_publish(server->senders.redis, SPAN(""), SPAN(""));
                return;
        }
        struct web_news news = web_board_read(&server->web.board);
        if (now_ms < machine->due_ms && news.reloads + news.failed_reloads == machine->reloads)
                return;
        machine->due_ms = now_ms + TELL_EVERY_MS;
        machine->reloads = news.reloads + news.failed_reloads;
        publish(server, &news);
}
