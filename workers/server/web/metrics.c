/* What stands in tables. */
#include "workers/server/web/metrics.h"

#include "dns/clock.h"
#include "workers/feed/keeper.h"
#include "workers/server/web/exposition.h"
#include "workers/server/web/metrics_hops.h"
#include "workers/server/web/metrics_state.h"

#include <stdio.h>

#define DAY_S 86400

enum kind { KIND_TOTAL, KIND_NOW, KIND_DAYS };

struct row {
        const char *name, *help;
        enum kind kind;
};

static const struct row metric_rows[] = {
#define METRIC(name, kind, help) {#name, help, KIND_##kind},
#include "core/smtp/metrics.def"
};

static const struct row cache_rows[] = {
#define CACHE_METRIC(name, kind, help) {"dns_cache_" #name, help, KIND_##kind},
#include "dns/metrics.def"
};

static const struct row pool_rows[] = {
#define POOL_METRIC(name, kind, help) {"dns_pool_" #name, help, KIND_##kind},
#include "dns/metrics.def"
};

/* Times are told in seconds there, days too. */
static void put_row(struct text *out, const struct row *row, uint64_t number)
{
        static const char *const endings[] = {
            [KIND_TOTAL] = "_total", [KIND_NOW] = "", [KIND_DAYS] = "_seconds"};
        char octets[128];
        struct text name;
        size_t length = strlen(row->name) - (row->kind == KIND_DAYS ? strlen("_days") : 0);

        text_over(&name, octets, sizeof octets - 1);
        text_put(&name, span_of(row->name, length));
        text_put_string(&name, endings[row->kind]);
        octets[name.length] = '\0';
        exposition_family(out, octets, row->kind == KIND_TOTAL ? "counter" : "gauge", row->help);
        exposition_number(out, octets, NULL, NULL, row->kind == KIND_DAYS ? number * DAY_S : number);
}

static void put_dns(const struct web_view *view, struct text *out)
{
        struct dns_cache_counts cache = {0};
        struct dns_pool_counts pool = {0};
        struct histogram times;

        dns_cache_count(view->parts->dns_cache, &cache);
        dns_pool_count(view->parts->dns_pool, &pool);
        dns_pool_times(view->parts->dns_pool, &times);
        const uint64_t cache_numbers[] = {
#define CACHE_METRIC(name, kind, help) cache.name,
#include "dns/metrics.def"
        };
        const uint64_t pool_numbers[] = {
#define POOL_METRIC(name, kind, help) pool.name,
#include "dns/metrics.def"
        };
        for (size_t i = 0; i < sizeof cache_rows / sizeof cache_rows[0]; i++)
                put_row(out, &cache_rows[i], cache_numbers[i]);
        for (size_t i = 0; i < sizeof pool_rows / sizeof pool_rows[0]; i++)
                put_row(out, &pool_rows[i], pool_numbers[i]);
        exposition_family(
            out, "dns_duration_seconds", "histogram",
            "questions that the cache did not answer, from their worker to the answer or failure");
        exposition_histogram(out, "dns_duration_seconds", NULL, &times);
}

static void put_checks(const struct counters *counters, const struct snapshot *snapshot, struct text *out)
{
        static const char verdicts[] = "check_verdicts_total", mode[] = "check_mode";

        exposition_family(
            out, verdicts, "counter",
            "verdicts by check; observed: what would have been refused or deferred, and was not");
        for (int check = 0; check < CHECK_COUNT; check++) {
                struct span name = span_from(check_infos[check].name);
                const struct exposition_label *label = LABEL("check", name);
                exposition_number(out, verdicts, label, LABEL("verdict", SPAN("refused")),
                                  counter_read(&counters->refused[check]));
                exposition_number(out, verdicts, label, LABEL("verdict", SPAN("deferred")),
                                  counter_read(&counters->deferred[check]));
                exposition_number(out, verdicts, label, LABEL("verdict", SPAN("observed")),
                                  counter_read(&counters->observed[check]));
        }
        exposition_family(out, mode, "gauge",
                          "1 for the mode of the check that is in force, outside of domains");
        for (int check = 0; check < CHECK_COUNT; check++)
                for (enum check_mode each = CHECK_MODE_OFF; each <= CHECK_MODE_ENFORCE; each++)
                        if (check_infos[check].kind != CHECK_KIND_RULE)
                                exposition_number(out, mode,
                                                  LABEL("check", span_from(check_infos[check].name)),
                                                  LABEL("mode", span_from(check_mode_name(each))),
                                                  snapshot->checks[check].mode == each);
}

/* A counter of each check's costs: a number, or time. */
struct cost_row {
        const char *family, *help;
        size_t offset;
        uint64_t ns; /* in one that is counted; 0: it is no time */
};

static const struct cost_row cost_rows[] = {
#define COST(field) offsetof(struct check_cost, field)
    {"check_questions_total", "questions to DNS and to the store of senders, cached ones too",
     COST(questions), 0},
    {"check_waited_seconds_total", "time that commands and texts waited for the check", COST(waited_ms),
     NS_PER_MS},
    {"check_waited_alone_seconds_total", "of it the time in which they waited for no other check",
     COST(alone_ms), NS_PER_MS},
    {"check_busy_seconds_total", "time in which the check ran, in sessions that are measured", COST(busy_ns),
     1},
    {"check_against_total",
     "judgements of sessions that are measured in which the check refuses or defers, or would", COST(against),
     0},
    {"check_against_alone_total", "of these those in which no other check that is enforced does so",
     COST(alone), 0},
#undef COST
};

static void put_cost(const struct cost_row *row, const struct counters *counters, struct text *out)
{
        exposition_family(out, row->family, "counter", row->help);
        for (enum check_id check = 0; check < CHECK_COUNT; check++) {
                const char *of = (const char *)&counters->costs.of[check];
                uint64_t count = counter_read((const _Atomic uint64_t *)(of + row->offset));
                const struct exposition_label *label = LABEL("check", span_from(check_infos[check].name));
                if (row->ns != 0)
                        exposition_seconds(out, row->family, label, NULL, count * row->ns);
                else
                        exposition_number(out, row->family, label, NULL, count);
        }
}

static void put_costs(const struct counters *counters, struct text *out)
{
        static const char together[] = "check_against_together_total";

        for (size_t i = 0; i < sizeof cost_rows / sizeof cost_rows[0]; i++)
                put_cost(&cost_rows[i], counters, out);
        exposition_family(out, together, "counter",
                          "judgements of sessions that are measured in which both checks are against");
        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                for (enum check_id other = check + 1; other < CHECK_COUNT; other++)
                        if (counter_read(&counters->costs.together[check][other]) > 0)
                                exposition_number(out, together,
                                                  LABEL("check", span_from(check_infos[check].name)),
                                                  LABEL("other", span_from(check_infos[other].name)),
                                                  counter_read(&counters->costs.together[check][other]));
}

static void put_zone(const char *metric, const struct dnsbl_zone *zone, uint64_t number, struct text *out)
{
        exposition_number(out, metric, LABEL("zone", zone->name),
                          LABEL("lists", zone->options.names ? SPAN("names") : SPAN("addresses")), number);
}

/* Zones whose lists are files. */
static void put_feeds(const struct snapshot *snapshot, struct text *out)
{
        static const struct {
                const char *name, *type, *help;
        } families[] = {
            {"feed_usable", "gauge", "1 while the zone has a list that is asked, 0 while it has none"},
            {"feed_entries", "gauge", "entries of the list that is asked"},
            {"feed_octets", "gauge", "memory of the list that is asked"},
            {"feed_age_seconds", "gauge", "since the youngest file of the list that is asked was written"},
            {"feed_failures_total", "counter", "times that files were read and not taken"},
        };
        bool has_feeds = false;

        for (size_t i = 0; i < snapshot->zone_count; i++)
                has_feeds |= snapshot->zones[i].feed != NULL;
        for (size_t family = 0; family < sizeof families / sizeof *families && has_feeds; family++) {
                exposition_family(out, families[family].name, families[family].type, families[family].help);
                for (size_t i = 0; i < snapshot->zone_count; i++) {
                        const struct dnsbl_zone *zone = &snapshot->zones[i];
                        if (zone->feed == NULL)
                                continue;
                        const struct feed_slot *slot = feed_slot_of(zone);
                        int64_t made_s = atomic_load(&slot->made_s), now_s = clock_wall_s();
                        const uint64_t numbers[] = {
                            feed_slot_serves(slot), atomic_load(&slot->entries), atomic_load(&slot->octets),
                            made_s > 0 && now_s > made_s ? (uint64_t)(now_s - made_s) : 0,
                            atomic_load(&slot->failures)};
                        put_zone(families[family].name, zone, numbers[family], out);
                }
        }
}

/* Only lists of addresses are counted. */
static void put_zones(const struct counters *counters, const struct snapshot *snapshot, struct text *out)
{
        const struct dnsbl_zone *end = snapshot->zones + snapshot->zone_count;

        exposition_family(out, "zone_asked_total", "counter",
                          "sessions whose client the zone was asked about");
        for (const struct dnsbl_zone *zone = snapshot->zones; zone < end; zone++)
                if (!zone->options.names)
                        put_zone("zone_asked_total", zone,
                                 counter_read(&counters->zone_asked[zone->count_index]), out);
        exposition_family(out, "zone_listed_total", "counter", "sessions whose client the zone lists");
        for (const struct dnsbl_zone *zone = snapshot->zones; zone < end; zone++)
                if (!zone->options.names)
                        put_zone("zone_listed_total", zone,
                                 counter_read(&counters->zone_listed[zone->count_index]), out);
        exposition_family(out, "zone_suspended", "gauge",
                          "1 while the zone only observes, because it fails its tests");
        for (const struct dnsbl_zone *zone = snapshot->zones; zone < end; zone++)
                put_zone("zone_suspended", zone, atomic_load(&zone->is_suspended), out);
        put_feeds(snapshot, out);
}

static void put_filters(const struct counters *counters, const struct snapshot *snapshot, struct text *out)
{
        const struct mail_filter *end = snapshot->filters + snapshot->filter_count;

        exposition_family(
            out, "filter_answers_total", "counter",
            "questions to mail filters, and of these the refused, deferred, discarded and failed");
        for (const struct mail_filter *filter = snapshot->filters; filter < end; filter++)
                for (enum filter_count what = 0; what < FILTER_COUNT_MS; what++)
                        exposition_number(out, "filter_answers_total", LABEL("filter", filter->name),
                                          LABEL("answer", span_from(filter_count_names[what])),
                                          counter_read(&counters->filter_counts[filter->count_index][what]));
        exposition_family(out, "filter_seconds_total", "counter",
                          "time that the answers of a mail filter took, all of them together");
        for (const struct mail_filter *filter = snapshot->filters; filter < end; filter++)
                exposition_seconds(
                    out, "filter_seconds_total", LABEL("filter", filter->name), NULL,
                    counter_read(&counters->filter_counts[filter->count_index][FILTER_COUNT_MS]) * NS_PER_MS);
}

static void put_socketmaps(const struct counters *counters, const struct snapshot *snapshot, struct text *out)
{
        const struct socketmap_daemon *end = snapshot->socketmaps + snapshot->socketmap_count;

        exposition_family(
            out, "socketmap_questions_total", "counter",
            "recipients that a daemon was to be asked about, of these those that joined an equal "
            "question, the found, absent and failed; and connections to it");
        for (const struct socketmap_daemon *daemon = snapshot->socketmaps; daemon < end; daemon++)
                for (enum socketmap_count what = 0; what < SOCKETMAP_COUNT_MS; what++)
                        exposition_number(
                            out, "socketmap_questions_total", LABEL("socketmap", daemon->name),
                            LABEL("what", span_from(socketmap_count_names[what])),
                            counter_read(&counters->socketmap_counts[daemon->count_index][what]));
        exposition_family(out, "socketmap_seconds_total", "counter",
                          "time that the answers of such a daemon took, all of them together");
        for (const struct socketmap_daemon *daemon = snapshot->socketmaps; daemon < end; daemon++)
                exposition_seconds(
                    out, "socketmap_seconds_total", LABEL("socketmap", daemon->name), NULL,
                    counter_read(&counters->socketmap_counts[daemon->count_index][SOCKETMAP_COUNT_MS]) *
                        NS_PER_MS);
}

static void put_domain(const struct counters *counters, struct span name, uint8_t index, struct text *out)
{
        static const struct span verdicts[RECIPIENT_OUTCOME_COUNT] = {[RECIPIENT_ACCEPTED] = {"accepted", 8},
                                                                      [RECIPIENT_DEFERRED] = {"deferred", 8},
                                                                      [RECIPIENT_REFUSED] = {"refused", 7}};

        for (enum recipient_outcome outcome = 0; outcome < RECIPIENT_OUTCOME_COUNT; outcome++)
                exposition_number(out, "domain_recipients_total", LABEL("domain", name),
                                  LABEL("verdict", verdicts[outcome]),
                                  counter_read(&counters->domain_recipients[index][outcome]));
}

/* Without a name: all those that have no counters of their own. */
static void put_domains(const struct counters *counters, const struct snapshot *snapshot, struct text *out)
{
        exposition_family(out, "domain_recipients_total", "counter",
                          "recipients by their domain, the first 63 of them, and all others together");
        for (size_t i = 0; i < snapshot->domain_count; i++)
                if (snapshot->domains[i].count_index != DOMAIN_COUNTERS_OTHERS)
                        put_domain(counters, snapshot->domains[i].name, snapshot->domains[i].count_index,
                                   out);
        put_domain(counters, SPAN(""), DOMAIN_COUNTERS_OTHERS, out);
}

/* Codes that there are in the configuration, and others that were used before it. */
static void put_replies(const struct counters *counters, const struct snapshot *snapshot, struct text *out)
{
        bool is_ours[REPLY_CODE_COUNT] = {false};

        for (enum reply_id reply = 0; reply < REPLY_COUNT; reply++)
                is_ours[snapshot->replies[reply].code - REPLY_CODE_MIN] = true;
        exposition_family(out, "replies_total", "counter", "replies of sessions, by their code");
        for (unsigned i = 0; i < REPLY_CODE_COUNT; i++) {
                uint64_t number = counter_read(&counters->replies[i]);
                char code[12], class[] = "?xx";
                if (!is_ours[i] && number == 0)
                        continue;
                snprintf(code, sizeof code, "%u", REPLY_CODE_MIN + i);
                class[0] = code[0];
                exposition_number(out, "replies_total", LABEL("code", span_from(code)),
                                  LABEL("code_class", span_from(class)), number);
        }
}

/* Rows of one family stand together. */
static void put_times(const struct counters *counters, struct text *out)
{
        static const struct {
                const char *metric, *stage, *help;
        } rows[TIME_COUNT] = {
#define TIME(name, metric, stage, shown, help) [TIME_##name] = {#metric "_seconds", stage, help},
#include "core/smtp/metrics.def"
        };

        for (size_t i = TIME_NONE + 1; i < TIME_COUNT; i++) {
                bool is_first = i == TIME_NONE + 1 || strcmp(rows[i].metric, rows[i - 1].metric) != 0;
                bool has_stage = rows[i].stage[0] != '\0';
                if (is_first)
                        exposition_family(out, rows[i].metric, "histogram",
                                          has_stage ? "commands, and the end of the text, until their verdict"
                                                    : rows[i].help);
                exposition_histogram(out, rows[i].metric,
                                     has_stage ? LABEL("stage", span_from(rows[i].stage)) : NULL,
                                     &counters->times[i]);
        }
}

void metrics_write(const struct web_view *view, struct text *out)
{
        struct counters sum;

        counters_sum(view->parts->counters, &sum);
        for (size_t i = 0; i < METRIC_COUNT; i++)
                put_row(out, &metric_rows[i], counter_read(&sum.metrics[i]));
        put_checks(&sum, view->snapshot, out);
        put_costs(&sum, out);
        put_zones(&sum, view->snapshot, out);
        put_filters(&sum, view->snapshot, out);
        put_socketmaps(&sum, view->snapshot, out);
        put_domains(&sum, view->snapshot, out);
        put_replies(&sum, view->snapshot, out);
        put_times(&sum, out);
        put_dns(view, out);
        metrics_write_hops(view, out);
        metrics_write_state(view, out);
}
