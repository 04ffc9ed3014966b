/* The comparison as a file for programs. */
#include "bench/common.h"
#include "bench/report/internal.h"

static json_t *figures_json(const struct comparison *comparison, const struct compare_case *compare_case,
                            enum peer_kind peer)
{
        static const char *const names[FIGURES] = {
            [FIGURE_RATE] = "sessions_per_s",        [FIGURE_CPU] = "server_cpu_us",
            [FIGURE_P50] = "session_p50_us",         [FIGURE_P99] = "session_p99_us",
            [FIGURE_P99_9] = "session_p99_9_us",     [FIGURE_SWITCHES] = "context_switches",
            [FIGURE_GENERATOR] = "generator_cpu_us", [FIGURE_HANDED_ON] = "handed_on"};
        const struct cell *cell = &compare_case->cells[peer];
        json_t *figures = json_object();

        for (unsigned i = 0; i < FIGURES; i++) {
                struct spread spread = spread_of(cell, (enum figure)i);
                json_t *values = json_array();
                for (unsigned j = 0; j < cell->rounds; j++)
                        json_array_append_new(values, json_real(cell->values[i][j]));
                json_object_set_new(
                    figures, names[i],
                    json_pack("{s:f,s:f,s:f,s:f,s:f,s:o}", "median", spread.median, "low", spread.low, "high",
                              spread.high, "to_floor",
                              ratio_of(comparison, compare_case, peer, PEER_floor, (enum figure)i).median,
                              "to_gatepost",
                              ratio_of(comparison, compare_case, peer, PEER_gatepost, (enum figure)i).median,
                              "rounds", values));
        }
        return figures;
}

static json_t *case_json(const struct comparison *comparison, const struct compare_case *compare_case)
{
        json_t *servers = json_object();

        for (unsigned i = 0; i < comparison->peer_count; i++) {
                const struct cell *cell = &compare_case->cells[comparison->peers[i]];
                json_t *server =
                    json_pack("{s:I,s:I,s:b,s:o}", "sessions", (json_int_t)cell->sessions, "failures",
                              (json_int_t)cell->failures, "own_dialogue", (int)cell->workload->has_own,
                              "figures", figures_json(comparison, compare_case, comparison->peers[i]));
                if (cell->syscalls != NULL)
                        json_object_set(server, "syscalls", cell->syscalls);
                json_object_set_new(servers, peer_name(comparison->peers[i]), server);
        }
        return json_pack("{s:s,s:s,s:i,s:o}", "scenario", compare_case->workload->name, "title",
                         compare_case->workload->title, "concurrency", (int)compare_case->concurrency,
                         "servers", servers);
}

static json_t *targets_json(const struct comparison *comparison)
{
        json_t *targets = json_array();

        for (unsigned i = 0; i < comparison->case_count; i++)
                for (unsigned j = 0; j < target_count; j++) {
                        const struct compare_case *compare_case = &comparison->cases[i];
                        struct target target = target_of(comparison, compare_case, j);
                        char bound[FIGURE_TEXT_MAX];
                        if (target.state == TARGET_NONE)
                                continue;
                        bound_write(bound, sizeof bound, &target.bound, "");
                        json_array_append_new(targets,
                                              json_pack("{s:s,s:i,s:s,s:s,s:s,s:f,s:f,s:f,s:s}", "scenario",
                                                        compare_case->workload->name, "concurrency",
                                                        (int)compare_case->concurrency, "figure",
                                                        figure_name(target.figure), "target", bound, "to",
                                                        peer_name(target.base), "median", target.ratio.median,
                                                        "low", target.ratio.low, "high", target.ratio.high,
                                                        "state", target_state_name(target.state)));
                }
        return targets;
}

static json_t *versions_json(const struct comparison *comparison)
{
        json_t *versions = json_object();

        for (unsigned i = 0; i < comparison->peer_count; i++)
                json_object_set_new(versions, peer_name(comparison->peers[i]),
                                    json_string(comparison->versions[comparison->peers[i]]));
        return versions;
}

bool report_write_json(const struct comparison *comparison, const char *path)
{
        json_t *cases = json_array(), *idle = json_object();

        for (unsigned i = 0; i < comparison->case_count; i++)
                json_array_append_new(cases, case_json(comparison, &comparison->cases[i]));
        for (unsigned i = 0; i < comparison->peer_count; i++)
                if (comparison->idle_octets[comparison->peers[i]] >= 0)
                        json_object_set_new(idle, peer_name(comparison->peers[i]),
                                            json_real(comparison->idle_octets[comparison->peers[i]]));
        json_t *all = json_pack("{s:s,s:s,s:o,s:f,s:f,s:o,s:s,s:s,s:s,s:i,s:f,s:o,s:o}", "commit",
                                bench_commit(), "command", comparison->options->command, "versions",
                                versions_json(comparison), "load_before", comparison->load_before,
                                "load_after", comparison->load_after, "targets", targets_json(comparison),
                                "machine", comparison->machine, "date", comparison->date, "server_cpu_source",
                                comparison->cpu_source, "rounds", (int)comparison->options->rounds, "seconds",
                                comparison->options->seconds, "idle_connection_octets", idle, "cases", cases);
        bool is_written = json_dump_file(all, path, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) == 0;
        json_decref(all);
        return is_written;
}
