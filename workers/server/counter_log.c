/* The names of all counters, and when they are logged. */
#include "workers/server/counter_log.h"

#include "core/base/domain_name.h"

#define SOCKETMAP_NUMBERS (SOCKETMAPS_MAX * SOCKETMAP_COUNT_COUNT)
#define NUMBERS_MAX                                                                                          \
        (METRIC_COUNT + 3 * CHECK_COUNT + 2 * DNSBL_ZONES_MAX + MAIL_FILTERS_MAX * FILTER_COUNT_COUNT +      \
         SOCKETMAP_NUMBERS)
#define NAMES_SIZE                                                                                           \
        (NUMBERS_MAX * 40 + 2 * DNSBL_ZONES_MAX * DOMAIN_NAME_MAX + SOCKETMAP_NUMBERS * SOCKETMAP_PATH_MAX)

/* Numbers by name, for one line. */
struct numbers {
        const char *names[NUMBERS_MAX + 1];
        uint64_t values[NUMBERS_MAX];
        size_t count;
        struct text text; /* the names, each terminated */
        char octets[NAMES_SIZE];
};

static void add(struct numbers *numbers, const char *prefix, struct span name, const char *suffix,
                uint64_t value)
{
        numbers->names[numbers->count] = numbers->octets + numbers->text.length;
        text_put_string(&numbers->text, prefix);
        text_put(&numbers->text, name);
        text_put_string(&numbers->text, suffix);
        text_put_char(&numbers->text, '\0');
        numbers->values[numbers->count++] = value;
}

static void add_checks(struct numbers *numbers, const struct counters *counters)
{
        for (int check = 0; check < CHECK_COUNT; check++) {
                struct span name = span_from(check_infos[check].name);
                add(numbers, "", name, ".refused", counter_read(&counters->refused[check]));
                add(numbers, "", name, ".deferred", counter_read(&counters->deferred[check]));
                add(numbers, "", name, ".observed", counter_read(&counters->observed[check]));
        }
}

/* Only lists of addresses are counted. */
static void add_zones(struct numbers *numbers, const struct counters *counters,
                      const struct snapshot *snapshot)
{
        for (size_t i = 0; i < snapshot->zone_count; i++) {
                const struct dnsbl_zone *zone = &snapshot->zones[i];
                if (zone->options.names)
                        continue;
                add(numbers, "zone.", zone->name, ".asked",
                    counter_read(&counters->zone_asked[zone->count_index]));
                add(numbers, "zone.", zone->name, ".listed",
                    counter_read(&counters->zone_listed[zone->count_index]));
        }
}

static void add_filters(struct numbers *numbers, const struct counters *counters,
                        const struct snapshot *snapshot)
{
        char suffix[16];

        for (size_t i = 0; i < snapshot->filter_count; i++)
                for (enum filter_count what = 0; what < FILTER_COUNT_COUNT; what++) {
                        snprintf(suffix, sizeof suffix, ".%s", filter_count_names[what]);
                        add(numbers, "filter.", snapshot->filters[i].name, suffix,
                            counter_read(&counters->filter_counts[snapshot->filters[i].count_index][what]));
                }
}

static void add_socketmaps(struct numbers *numbers, const struct counters *counters,
                           const struct snapshot *snapshot)
{
        char suffix[16];

        for (size_t i = 0; i < snapshot->socketmap_count; i++) {
                const struct socketmap_daemon *daemon = &snapshot->socketmaps[i];
                for (enum socketmap_count what = 0; what < SOCKETMAP_COUNT_COUNT; what++) {
                        snprintf(suffix, sizeof suffix, ".%s", socketmap_count_names[what]);
                        add(numbers, "socketmap.", daemon->name, suffix,
                            counter_read(&counters->socketmap_counts[daemon->count_index][what]));
                }
        }
}

void counter_log_write(const struct counter_log *counter_log)
{
        const struct published *published = atomic_load(&counter_log->publication->published);
        struct numbers numbers = {.count = 0};
        struct counters sum;

        counters_sum(counter_log->counters, &sum);
        text_over(&numbers.text, numbers.octets, sizeof numbers.octets);
        for (int metric = 0; metric < METRIC_COUNT; metric++)
                add(&numbers, "", span_from(metric_names[metric]), "", counter_read(&sum.metrics[metric]));
        add_checks(&numbers, &sum);
        add_zones(&numbers, &sum, published->snapshot);
        add_filters(&numbers, &sum, published->snapshot);
        add_socketmaps(&numbers, &sum, published->snapshot);
        log_event_numbers(counter_log->log, "counters", numbers.names, numbers.values);
        dns_counts_log(counter_log->dns);
}

void counter_log_look(struct counter_log *counters, uint64_t now_ms)
{
        uint64_t interval_ms =
            atomic_load(&counters->publication->published)->snapshot->options.log_interval_ms;

        if (counters->due_ms == 0 || counters->due_ms > now_ms + interval_ms)
                counters->due_ms = now_ms + interval_ms;
        if (interval_ms == 0 || now_ms < counters->due_ms)
                return;
        counters->due_ms = now_ms + interval_ms;
        counter_log_write(counters);
}
