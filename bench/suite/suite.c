/* gatepost-bench suite: runs cases, and says which targets are met. */
#include "bench/suite/suite.h"

#include "bench/common.h"
#include "bench/suite/internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

/* A quick run shows only that the cases work; its figures are worth nothing. */
#define QUICK_SECONDS 0.2
#define QUICK_DIVISOR 100
#define SPARE         3500 /* descriptors that the server keeps, and those of good clients */
#define GOOD_RATE     200  /* good clients a second */
#define GOOD_OPEN     500

static const struct {
        const char *name;
        void (*run)(struct suite *suite);
        bool has_sessions;
        bool is_long; /* only where it is named, and in a quick run */
} cases[] = {
    {"dns-cost", suite_dns_cost, true, false}, {"senders", suite_senders, true, false},
    {"shadow", suite_shadow, true, false},     {"records", suite_records, true, false},
    {"dns-late", suite_dns_late, true, false}, {"dns-cold", suite_dns_cold, true, false},
    {"clients", suite_clients, true, false},   {"parts", suite_parts, false, false},
    {"reload", suite_reload, true, false},     {"idle", suite_idle, true, false},
    {"growth", suite_growth, true, false},     {"workers", suite_workers, true, false},
    {"arrivals", suite_arrivals, true, false}, {"acceptors", suite_acceptors, true, false},
    {"overload", suite_overload, true, false}, {"tls", suite_tls, true, false},
    {"hops", suite_hops, true, false},         {"hop-dead", suite_hop_dead, true, true},
    {"journal", suite_journal, true, false},
};
#define CASES (sizeof cases / sizeof cases[0])

static const struct row {
        const char *name, *unit;
        struct bound bound;
        const char *text;
} rows[] = {
#define TARGET(...)
#define PEER_TARGET(...)
#define MEASURED(name, unit, relation, bound, text) {#name, unit, {relation, bound}, text},
#include "bench/targets.def"
#undef TARGET
#undef PEER_TARGET
#undef MEASURED
};

__attribute__((format(printf, 4, 0))) static void set(struct suite *suite, enum measured measured,
                                                      const struct spread *spread, const char *note,
                                                      va_list arguments)
{
        const struct row *row = &rows[measured];
        char text[200], value[FIGURE_TEXT_MAX];

        suite->values[measured] = *spread;
        suite->is_measured[measured] = true;
        vsnprintf(text, sizeof text, note, arguments);
        printf("# %s: %s %s%s%s\n", row->name, figure_write(value, spread->median, 2, &row->bound), row->unit,
               text[0] == '\0' ? "" : "; ", text);
        fflush(stdout);
}

void suite_set(struct suite *suite, enum measured measured, double value, const char *note, ...)
{
        va_list arguments;

        va_start(arguments, note);
        set(suite, measured, &(struct spread){value, value, value}, note, arguments);
        va_end(arguments);
}

void suite_set_rounds(struct suite *suite, enum measured measured, const double *values, unsigned rounds,
                      const char *note, ...)
{
        struct spread spread = spread_over(values, rounds);
        va_list arguments;

        va_start(arguments, note);
        set(suite, measured, &spread, note, arguments);
        va_end(arguments);
}

struct trial suite_trial(struct suite *suite, const struct bench_options *options,
                         const struct server *server, const char *scenario, unsigned concurrency)
{
        char label[160];

        snprintf(label, sizeof label, "%s at %u, %s", scenario, concurrency, peer_name(server->kind));
        if (!server_is_alive(server))
                bench_fail("%s: the server has ended", label);
        struct trial trial = trial_run(options, &server->address, &server->watched,
                                       workload_read(options->scenarios, scenario, peer_name(server->kind)),
                                       concurrency, label);
        if (!suite->options->is_quick)
                trial_need_sessions(&trial, label);
        if (trial.load->failures > 0)
                fprintf(stderr, "%s: %llu failed\n", label, (unsigned long long)trial.load->failures);
        trial_print_failures(&trial);
        suite->failures += trial.load->failures;
        suite->sessions += trial.load->sessions;
        return trial;
}

struct server *suite_start(const struct bench_options *options, const char *more)
{
        struct bench_options with = *options;

        with.more = more;
        return server_start(&with, PEER_gatepost, false);
}

unsigned suite_possible(unsigned wanted)
{
        struct rlimit limit;

        getrlimit(RLIMIT_NOFILE, &limit);
        return limit.rlim_max > wanted + SPARE ? wanted : (unsigned)limit.rlim_max - SPARE;
}

double suite_good_p99_ms(struct suite *suite, const struct server *server, const char *scenario,
                         double seconds)
{
        struct bench_options options = *suite->options;

        options.rate = GOOD_RATE;
        if (!options.is_quick)
                options.seconds = seconds;
        struct trial trial = suite_trial(suite, &options, server, scenario, GOOD_OPEN);
        double p99_ms = histogram_quantile_us(&trial.load->session, 0.99) / 1000;
        trial_free(&trial);
        return p99_ms;
}

double median_of(const double *values, unsigned count)
{
        return spread_over(values, count).median;
}

void suite_set_cost(struct suite *suite, enum measured measured, const struct bench_options *options,
                    struct server *const servers[2], const char *scenario)
{
        double costs[ROUNDS_MAX] = {0}, cpus[2][ROUNDS_MAX];
        unsigned rounds = options->rounds;

        expect(rounds > 0 && rounds <= ROUNDS_MAX);
        for (unsigned round = 0; round < rounds; round++) {
                for (unsigned i = 0; i < 2; i++) {
                        unsigned which = (i + round) % 2;
                        struct trial trial =
                            suite_trial(suite, options, servers[which], scenario, options->concurrencies[0]);
                        cpus[which][round] = trial.cpu_us;
                        trial_free(&trial);
                }
                costs[round] = cpus[0][round] - cpus[1][round];
        }
        unsigned round = round_of_median(costs, rounds);
        suite_set_rounds(suite, measured, costs, rounds, "%.2f with, %.2f without in that round of %u",
                         cpus[0][round], cpus[1][round], rounds);
}

/* ---- outcome ------------------------------------------------------------------------------------------- */

static void print_table(const struct suite *suite)
{
        printf("\n%-22s %14s %17s %-6s %-20s %-9s\n", "figure", "median", "lowest-highest", "", "target", "");
        for (unsigned i = 0; i < MEASURED_COUNT; i++) {
                const struct row *row = &rows[i];
                const struct spread *spread = &suite->values[i];
                char target[FIGURE_TEXT_MAX], median[FIGURE_TEXT_MAX], low[FIGURE_TEXT_MAX],
                    high[FIGURE_TEXT_MAX];
                if (!suite->is_measured[i])
                        continue;
                bound_write(target, sizeof target, &row->bound, "");
                printf("%-22s %14s %8s-%-8s %-6s %-20s %-9s %s\n", row->name,
                       figure_write(median, spread->median, 2, &row->bound),
                       figure_write(low, spread->low, 2, &row->bound),
                       figure_write(high, spread->high, 2, &row->bound), row->unit, target,
                       target_state_name(target_judge(&row->bound, spread)), row->text);
        }
}

static json_t *figure_json(const struct row *row, const struct spread *spread)
{
        static const char *const targets[] = {
            [NO_TARGET] = "none", [AT_LEAST] = "at least", [AT_MOST] = "at most"};

        return json_pack("{s:s,s:f,s:f,s:f,s:s,s:s,s:s,s:f,s:s}", "name", row->name, "value", spread->median,
                         "low", spread->low, "high", spread->high, "unit", row->unit, "target",
                         targets[row->bound.relation], "state",
                         target_state_name(target_judge(&row->bound, spread)), "bound", row->bound.value,
                         "text", row->text);
}

static void write_json(const struct suite *suite)
{
        json_t *figures = json_array();
        char path[600], date[32];
        time_t now = time(NULL);
        struct tm day;

        for (unsigned i = 0; i < MEASURED_COUNT; i++)
                if (suite->is_measured[i])
                        json_array_append_new(figures, figure_json(&rows[i], &suite->values[i]));
        strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", gmtime_r(&now, &day));
        json_t *all = json_pack("{s:s,s:s,s:s,s:f,s:f,s:o}", "date", date, "commit", bench_commit(),
                                "command", suite->options->command, "load_before", suite->load_before,
                                "load_after", bench_load(), "figures", figures);
        snprintf(path, sizeof path, "%s/suite.json", suite->options->out);
        mkdir(suite->options->out, 0755);
        if (json_dump_file(all, path, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) != 0)
                bench_fail("cannot write %s", path);
        printf("\n%s\n", path);
        json_decref(all);
}

static void run_case(struct suite *suite, size_t number)
{
        uint64_t failures = suite->failures, sessions = suite->sessions;

        printf("# %s\n", cases[number].name);
        cases[number].run(suite);
        if (suite->options->is_quick)
                printf("%s %zu - %s, %llu sessions\n",
                       suite->failures == failures &&
                               (suite->sessions > sessions || !cases[number].has_sessions)
                           ? "ok"
                           : "not ok",
                       number + 1, cases[number].name, (unsigned long long)(suite->sessions - sessions));
        fflush(stdout);
}

static void run_case_named(struct suite *suite, const char *name)
{
        for (size_t i = 0; i < CASES; i++)
                if (strcmp(cases[i].name, name) == 0) {
                        run_case(suite, i);
                        return;
                }
        bench_fail("no such case: %s", name);
}

int suite_command(const struct bench_options *given, int count, char **names)
{
        struct bench_options options = *given;
        struct suite suite = {.options = &options, .divisor = 1, .load_before = bench_load()};

        if (options.rounds > ROUNDS_MAX)
                bench_fail("at most %d rounds", ROUNDS_MAX);
        if (options.is_quick) {
                options.rounds = 1;
                options.seconds = QUICK_SECONDS;
                suite.divisor = QUICK_DIVISOR;
                printf("1..%zu\n", count == 0 ? CASES : (size_t)count);
        }
        for (size_t i = 0; i < CASES && count == 0; i++)
                if (!cases[i].is_long || options.is_quick)
                        run_case(&suite, i);
        for (int i = 0; i < count; i++)
                run_case_named(&suite, names[i]);
        if (!options.is_quick) {
                print_table(&suite);
                write_json(&suite);
        }
        if (suite.failures > 0)
                fprintf(stderr, "%llu sessions failed\n", (unsigned long long)suite.failures);
        return suite.failures == 0 ? 0 : 1;
}
