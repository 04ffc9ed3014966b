/* gatepost-bench compare: the same work against each server, interleaved over rounds. */
#include "bench/report/compare.h"

#include "bench/common.h"
#include "bench/load/idle.h"
#include "bench/load/trial.h"
#include "bench/peers/dns.h"
#include "bench/peers/install.h"
#include "bench/peers/server.h"
#include "bench/report/internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define QUICK_SESSIONS    200
#define QUICK_CONCURRENCY 20
#define IDLE_CONNECTIONS  10000
#define IDLE_FETCHED      256 /* a process each, with some */

static const char all_scenarios[] = "refused-recipient,listed-client,dictionary,bad-helo,unknown-tld,forged-"
                                    "sender,dynamic-client,early-talker,"
                                    "slow-client,accepted-4k,durable-4k,spam-mix,"
                                    "tls-refused,tls-accepted-4k,tls-handshake";

/* A server for messages thrown away, one that stores them, and one with TLS for those that have it off otherwise. */
enum role { DISCARDS, STORES, SECURES, ROLES };

struct team {
        struct server *of[ROLES];
};

/* ---- set-up -------------------------------------------------------------------------------------------- */

static char *copy_of(const char *text)
{
        char *copy = strdup(text);
        expect(copy != NULL);
        return copy;
}

/* Takes all that can run here. */
static void choose_all_peers(struct comparison *comparison)
{
        char why[160];

        for (unsigned i = 0; i < PEERS; i++) {
                if (!peer_speaks_smtp((enum peer_kind)i))
                        continue;
                if (peer_is_available(comparison->options, (enum peer_kind)i, why, sizeof why))
                        comparison->peers[comparison->peer_count++] = (enum peer_kind)i;
                else
                        fprintf(stderr, "%s is left out: %s\n", peer_name((enum peer_kind)i), why);
        }
}

static void choose_peers(struct comparison *comparison, const char *names)
{
        char *list, *rest, why[160];

        if (names == NULL) {
                choose_all_peers(comparison);
                return;
        }
        list = copy_of(names);
        for (char *name = strtok_r(list, ",", &rest); name != NULL; name = strtok_r(NULL, ",", &rest)) {
                if (comparison->peer_count == PEERS)
                        bench_fail("a server is named twice");
                enum peer_kind peer = peer_find(name);
                if (!peer_is_available(comparison->options, peer, why, sizeof why))
                        bench_fail("%s: %s", name, why);
                comparison->peers[comparison->peer_count++] = peer;
        }
        free(list);
}

static void choose_cases(struct comparison *comparison)
{
        const struct bench_options *options = comparison->options;
        char *list = copy_of(options->only != NULL ? options->only : all_scenarios), *rest;

        for (char *name = strtok_r(list, ",", &rest); name != NULL; name = strtok_r(NULL, ",", &rest)) {
                const struct workload *workloads[PEERS];
                const struct workload *workload = workload_read(options->scenarios, name, NULL);
                for (unsigned i = 0; i < comparison->peer_count; i++)
                        workloads[i] =
                            workload_read(options->scenarios, name, peer_name(comparison->peers[i]));
                for (unsigned i = 0; i < options->concurrency_count; i++) {
                        if (comparison->case_count == CASES_MAX)
                                bench_fail("more than %d cases", CASES_MAX);
                        struct compare_case *compare_case = &comparison->cases[comparison->case_count++];
                        compare_case->workload = workload;
                        compare_case->concurrency = options->concurrencies[i];
                        for (unsigned j = 0; j < comparison->peer_count; j++)
                                compare_case->cells[comparison->peers[j]].workload = workloads[j];
                }
        }
        free(list);
}

static void describe_machine(struct comparison *comparison)
{
        char line[256], model[128] = "unknown processor";
        FILE *cpus = fopen("/proc/cpuinfo", "re");
        struct utsname name;
        time_t now = time(NULL);
        struct tm day;

        while (cpus != NULL && fgets(line, sizeof line, cpus) != NULL)
                if (sscanf(line, "model name : %127[^\n]", model) == 1)
                        break;
        if (cpus != NULL)
                fclose(cpus);
        uname(&name);
        snprintf(comparison->machine, sizeof comparison->machine, "%ld cores, %s, %s %.60s; %s",
                 sysconf(_SC_NPROCESSORS_ONLN), model, name.sysname, name.release,
                 dns_describe(comparison->options));
        strftime(comparison->date, sizeof comparison->date, "%Y-%m-%d %H:%M UTC", gmtime_r(&now, &day));
}

static void describe_versions(struct comparison *comparison)
{
        for (unsigned i = 0; i < comparison->peer_count; i++) {
                enum peer_kind peer = comparison->peers[i];
                peer_version_write(comparison->options, peer, comparison->versions[peer],
                                   sizeof comparison->versions[peer]);
        }
}

/* Whether the server can have this dialogue. */
static bool is_able(const struct compare_case *compare_case, enum peer_kind peer)
{
        const struct workload *workload = compare_case->cells[peer].workload;

        if (!peer_speaks_smtp(peer))
                return workload->has_own;
        return !workload->has_tls || peer_speaks_tls(peer);
}

/* Certificates cost some of the others something even where nobody asks for TLS; what that is for gatepost is a case
 * of the suite. */
static enum role role_for(const struct workload *workload, enum peer_kind peer)
{
        if (workload->has_tls && peer_fetched(peer) != NULL)
                return SECURES;
        return workload->is_durable ? STORES : DISCARDS;
}

static void server_start_for(const struct comparison *comparison, const struct compare_case *compare_case,
                             enum peer_kind peer, struct team *team)
{
        const struct workload *workload = compare_case->workload;
        enum role role = role_for(workload, peer);
        struct bench_options options = *comparison->options;

        if (!is_able(compare_case, peer) || team->of[role] != NULL)
                return;
        options.is_without_tls |= peer_fetched(peer) != NULL && role != SECURES;
        team->of[role] = server_start(&options, peer, workload->is_durable);
}

static void servers_start(const struct comparison *comparison, struct team *teams)
{
        for (unsigned i = 0; i < comparison->case_count; i++)
                for (unsigned j = 0; j < comparison->peer_count; j++)
                        server_start_for(comparison, &comparison->cases[i], comparison->peers[j], &teams[j]);
}

static void servers_stop(struct team *teams, unsigned count)
{
        for (unsigned i = 0; i < count; i++)
                for (unsigned j = 0; j < ROLES; j++)
                        if (teams[i].of[j] != NULL)
                                server_stop(teams[i].of[j]);
}

/* ---- trials -------------------------------------------------------------------------------------------- */

static void cell_take(struct cell *cell, const struct trial *trial)
{
        const struct histogram *session = &trial->load->session;
        const double values[FIGURES] = {
            [FIGURE_RATE] = trial->sessions_per_s,
            [FIGURE_CPU] = trial->cpu_us,
            [FIGURE_P50] = histogram_quantile_us(session, 0.5),
            [FIGURE_P99] = histogram_quantile_us(session, 0.99),
            [FIGURE_P99_9] = histogram_quantile_us(session, 0.999),
            [FIGURE_SWITCHES] = trial->voluntary + trial->involuntary,
            [FIGURE_GENERATOR] = trial->generator_cpu_us,
            [FIGURE_HANDED_ON] = trial->handed_on,
        };

        for (unsigned i = 0; i < FIGURES; i++)
                cell->values[i][cell->rounds] = values[i];
        cell->rounds++;
        cell->sessions += trial->load->sessions;
        cell->failures += trial->load->failures;
}

static void compare_one(struct comparison *comparison, struct compare_case *compare_case, unsigned peer,
                        const struct server *server, unsigned round)
{
        const char *name = peer_name(comparison->peers[peer]);
        struct cell *cell = &compare_case->cells[comparison->peers[peer]];
        char label[160];

        snprintf(label, sizeof label, "round %u/%u, %s at %u, %s", round + 1, comparison->options->rounds,
                 compare_case->workload->name, compare_case->concurrency, name);
        if (!server_is_alive(server))
                bench_fail("%s: the server has ended", label);
        struct trial trial = trial_run(comparison->options, &server->address, &server->watched,
                                       cell->workload, compare_case->concurrency, label);
        if (!comparison->options->is_quick) {
                trial_need_sessions(&trial, label);
                if (!server_is_alive(server))
                        bench_fail("%s: the server has ended meanwhile", label);
        }
        comparison->cpu_source = trial.cpu_source;
        cell_take(cell, &trial);
        if (trial.load->failures > 0)
                fprintf(stderr, "%s: %llu failed\n", label, (unsigned long long)trial.load->failures);
        trial_print_failures(&trial);
        trial_free(&trial);
        if (comparison->options->counts_syscalls && cell->syscalls == NULL)
                cell->syscalls =
                    trial_syscalls(comparison->options, &server->address, &server->watched, cell->workload);
}

/* Those that are compared are neighbours in time, and who comes first changes. */
static void compare_round(struct comparison *comparison, const struct team *teams, unsigned round)
{
        for (unsigned i = 0; i < comparison->case_count; i++)
                for (unsigned j = 0; j < comparison->peer_count; j++) {
                        unsigned number = (i + j + round) % comparison->peer_count;
                        enum peer_kind peer = comparison->peers[number];
                        const struct workload *workload = comparison->cases[i].workload;
                        if (is_able(&comparison->cases[i], peer))
                                compare_one(comparison, &comparison->cases[i], number,
                                            teams[number].of[role_for(workload, peer)], round);
                }
}

/* The servers are fresh: others would take what they still have from earlier sessions. */
static void measure_idle(struct comparison *comparison)
{
        for (unsigned i = 0; i < comparison->peer_count; i++) {
                if (!peer_speaks_smtp(comparison->peers[i]))
                        continue;
                struct bench_options options = *comparison->options;
                options.is_without_tls |= peer_fetched(comparison->peers[i]) != NULL;
                struct server *server = server_start(&options, comparison->peers[i], false);
                comparison->idle_octets[comparison->peers[i]] =
                    idle_memory(&server->address, &server->watched,
                                peer_fetched(comparison->peers[i]) != NULL ? IDLE_FETCHED : IDLE_CONNECTIONS);
                server_stop(server);
        }
}

/* ---- outcome ------------------------------------------------------------------------------------------- */

static uint64_t failures_of(const struct comparison *comparison)
{
        uint64_t failures = 0;

        for (unsigned i = 0; i < comparison->case_count; i++)
                for (unsigned j = 0; j < comparison->peer_count; j++)
                        failures += comparison->cases[i].cells[comparison->peers[j]].failures;
        return failures;
}

static unsigned count_cells(const struct comparison *comparison)
{
        unsigned count = 0;

        for (unsigned i = 0; i < comparison->case_count; i++)
                for (unsigned j = 0; j < comparison->peer_count; j++)
                        count += is_able(&comparison->cases[i], comparison->peers[j]);
        return count;
}

static void print_quick(const struct comparison *comparison)
{
        unsigned number = 0;

        printf("1..%u\n", count_cells(comparison));
        for (unsigned i = 0; i < comparison->case_count; i++)
                for (unsigned j = 0; j < comparison->peer_count; j++) {
                        const struct compare_case *compare_case = &comparison->cases[i];
                        const struct cell *cell = &compare_case->cells[comparison->peers[j]];
                        if (!is_able(compare_case, comparison->peers[j]))
                                continue;
                        bool is_good = cell->failures == 0 && cell->sessions == QUICK_SESSIONS;
                        printf("%s %u - %s: %s, %llu sessions\n", is_good ? "ok" : "not ok", ++number,
                               peer_name(comparison->peers[j]), compare_case->workload->name,
                               (unsigned long long)cell->sessions);
                }
}

static void write_reports(const struct comparison *comparison)
{
        char json[600], html[600];

        snprintf(json, sizeof json, "%s/compare.json", comparison->options->out);
        snprintf(html, sizeof html, "%s/compare.html", comparison->options->out);
        mkdir(comparison->options->out, 0755);
        report_print(comparison);
        if (!report_write_json(comparison, json) || !report_write_html(comparison, html))
                bench_fail("cannot write the reports in %s", comparison->options->out);
        printf("\n%s\n%s\n", json, html);
}

static void comparison_free(struct comparison *comparison)
{
        for (unsigned i = 0; i < comparison->case_count; i++)
                for (unsigned j = 0; j < PEERS; j++)
                        json_decref(comparison->cases[i].cells[j].syscalls);
        free(comparison);
}

int compare_command(const struct bench_options *given, int argument_count, char **arguments)
{
        (void)argument_count, (void)arguments;
        struct comparison *comparison = calloc(1, sizeof *comparison);
        struct bench_options options = *given;
        struct team teams[PEERS] = {0};

        expect(comparison != NULL);
        if (options.is_install) {
                free(comparison);
                return install_peers(&options, options.peers) ? 0 : 1;
        }
        if (options.rounds > ROUNDS_MAX)
                bench_fail("at most %d rounds", ROUNDS_MAX);
        if (options.is_quick) {
                options.rounds = 1;
                options.sessions = QUICK_SESSIONS;
                options.concurrency_count = 1;
                options.concurrencies[0] = QUICK_CONCURRENCY;
        }
        comparison->options = &options;
        choose_peers(comparison, options.peers);
        choose_cases(comparison);
        for (unsigned i = 0; i < PEERS; i++)
                comparison->idle_octets[i] = -1;
        comparison->load_before = bench_load();
        servers_start(comparison, teams);
        describe_machine(comparison);
        describe_versions(comparison);
        for (unsigned round = 0; round < options.rounds; round++)
                compare_round(comparison, teams, round);
        servers_stop(teams, comparison->peer_count);
        comparison->load_after = bench_load();
        uint64_t failures = failures_of(comparison);
        if (options.is_quick) {
                print_quick(comparison);
        } else {
                measure_idle(comparison);
                write_reports(comparison);
        }
        comparison_free(comparison);
        return failures == 0 ? 0 : 1;
}
