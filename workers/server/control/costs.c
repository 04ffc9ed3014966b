/* Numbers as they are counted; who asks divides them. */
#include "workers/server/control/costs.h"

static void put(struct text *line, const char *name, const _Atomic uint64_t *counter)
{
        text_put_json_number(line, name, counter_read(counter));
}

static void put_together(struct text *line, const struct check_costs *costs, enum check_id check)
{
        const char *comma = "";

        text_put(line, SPAN(",\"together\":{"));
        for (enum check_id other = 0; other < CHECK_COUNT; other++) {
                uint64_t count = counter_read(&costs->together[check][other]);
                if (count == 0)
                        continue;
                text_printf(line, "%s\"%s\":%llu", comma, check_infos[other].name, (unsigned long long)count);
                comma = ",";
        }
        text_put(line, SPAN("}"));
}

static void tell_check(const struct counters *sum, const struct snapshot *snapshot, enum check_id check,
                       struct text *line)
{
        const struct check_info *info = &check_infos[check];
        const struct check_cost *cost = &sum->costs.of[check];

        text_printf(line, "{\"check\":\"%s\",\"mode\":\"%s\"", info->name,
                    info->kind == CHECK_KIND_RULE ? "always" : check_mode_name(snapshot->checks[check].mode));
        put(line, "questions", &cost->questions);
        put(line, "waited_ms", &cost->waited_ms);
        put(line, "waited_alone_ms", &cost->alone_ms);
        put(line, "refused", &sum->refused[check]);
        put(line, "deferred", &sum->deferred[check]);
        put(line, "observed", &sum->observed[check]);
        put(line, "busy_ns", &cost->busy_ns);
        put(line, "against", &cost->against);
        put(line, "alone", &cost->alone);
        put_together(line, &sum->costs, check);
        text_put(line, SPAN("}\n"));
}

const char *costs_tell(struct server *server, struct control_job *job)
{
        const struct snapshot *snapshot = atomic_load(&server->publication.published)->snapshot;
        struct counters sum;

        counters_sum(&server->counters, &sum);
        text_printf(&job->answer, "{\"sessions\":%llu,\"measured\":%llu,\"measure_every\":%llu}\n",
                    (unsigned long long)counter_read(&sum.metrics[METRIC_sessions]),
                    (unsigned long long)counter_read(&sum.metrics[METRIC_sessions_measured]),
                    (unsigned long long)snapshot->options.measure_every);
        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                tell_check(&sum, snapshot, check, &job->answer);
        return NULL;
}
