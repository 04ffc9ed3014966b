/* Start, warm up, measure, stop; and the figures as text and JSON. */
#include "bench/load/trial.h"

#include "bench/common.h"
#include "bench/load/syscalls.h"
#include "bench/peers/sink.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define TURN_NS          200000000
#define START_GAP_S      0.0005 /* the generator's own, see load.c */
#define START_MAX_S      2.0
#define WARM_UP_S        0.5
#define SYSCALL_SESSIONS 400
#define SYSCALL_CLIENTS  20
/* A server that starts programs may come to a stop under strace. */
#define SYSCALL_PATIENCE_S 300.0

/* ---- measuring ----------------------------------------------------------------------------------------- */

static double own_cpu_us(void)
{
        struct rusage usage;
        getrusage(RUSAGE_SELF, &usage);
        return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void show_progress(struct load *load, const char *label, uint64_t begin_ns)
{
        double seconds = (double)(bench_now_ns() - begin_ns) / 1e9;
        uint64_t sessions = load_sessions(load);

        if (isatty(STDERR_FILENO))
                fprintf(stderr, "\r\033[K%s: %llu sessions, %.0f/s, %llu failed", label,
                        (unsigned long long)sessions, (double)sessions / seconds,
                        (unsigned long long)load_failures(load));
}

static void end_progress(void)
{
        if (isatty(STDERR_FILENO))
                fprintf(stderr, "\r\033[K");
}

/* Returns when the load is finished or `seconds` are over. */
static void wait_for(struct load *load, double seconds, const char *label)
{
        uint64_t begin_ns = bench_now_ns(), end_ns = begin_ns + (uint64_t)(seconds * 1e9), now_ns;

        while (!load_is_finished(load) && (now_ns = bench_now_ns()) < end_ns) {
                uint64_t left_ns = end_ns - now_ns < TURN_NS ? end_ns - now_ns : TURN_NS;
                nanosleep(&(struct timespec){.tv_nsec = (long)left_ns}, NULL);
                show_progress(load, label, begin_ns);
        }
}

static double start_s(unsigned concurrency)
{
        double seconds = concurrency * START_GAP_S;
        return (seconds < START_MAX_S ? seconds : START_MAX_S) + WARM_UP_S;
}

static struct load_plan plan_of(const struct bench_options *options, const struct sockaddr_in *server,
                                const struct workload *workload, unsigned concurrency)
{
        return (struct load_plan){
            .server = *server,
            .workload = workload,
            .threads = options->threads != 0 ? options->threads : 2,
            .concurrency = concurrency,
            .rate = options->rate,
            .variety = options->variety,
            .timeout_ns = (uint64_t)(options->timeout_s * 1e9),
        };
}

/* The counts of a process that has ended are gone, so that a sum may shrink. */
static double grown(uint64_t before, uint64_t after)
{
        return after > before ? (double)(after - before) : 0;
}

struct trial trial_run(const struct bench_options *options, const struct sockaddr_in *server,
                       const struct watched *watched, const struct workload *workload, unsigned concurrency,
                       const char *label)
{
        struct trial trial = {.workload = workload, .concurrency = concurrency, .rate = options->rate};
        struct load_plan plan = plan_of(options, server, workload, concurrency);
        struct usage before = {0}, after = {0};
        struct load *load = load_start(&plan, options->sessions);

        if (options->sessions == 0)
                wait_for(load, start_s(concurrency), label);
        if (watched != NULL)
                before = usage_read(watched);
        double own_us = own_cpu_us();
        uint64_t sunk = sink_count().messages;
        uint64_t begin_ns = bench_now_ns();
        load_measure(load);
        wait_for(load, options->sessions == 0 ? options->seconds : 1e6, label);
        uint64_t sessions = load_sessions(load), end_ns = bench_now_ns();
        sunk = sink_count().messages - sunk;
        load_stop(load);
        own_us = own_cpu_us() - own_us;
        if (watched != NULL)
                after = usage_read(watched);
        end_progress();
        trial.load = load_join(load);
        double count = sessions == 0 ? 1 : (double)sessions;
        trial.seconds = (double)(end_ns - begin_ns) / 1e9;
        trial.sessions_per_s = (double)sessions / trial.seconds;
        trial.cpu_us = (after.cpu_us - before.cpu_us) / count;
        trial.runnable_us = (after.runnable_us - before.runnable_us) / count;
        trial.voluntary = grown(before.voluntary, after.voluntary) / count;
        trial.involuntary = grown(before.involuntary, after.involuntary) / count;
        trial.generator_cpu_us = own_us / count;
        trial.handed_on = (double)sunk / count;
        trial.cpu_source = watched == NULL ? "none" : usage_source(watched);
        return trial;
}

void trial_free(struct trial *trial)
{
        free(trial->load);
        trial->load = NULL;
}

void trial_need_sessions(const struct trial *trial, const char *label)
{
        if (trial->load->sessions > 0)
                return;
        trial_print_failures(trial);
        bench_fail("%s: of %llu sessions none came to its end: the server is gone, or serves nobody", label,
                   (unsigned long long)trial->load->failures);
}

json_t *trial_syscalls(const struct bench_options *options, const struct sockaddr_in *server,
                       const struct watched *watched, const struct workload *workload)
{
        struct load_plan plan = plan_of(options, server, workload, SYSCALL_CLIENTS);
        struct syscall_count *count = syscalls_begin(watched);

        if (count == NULL)
                return NULL;
        struct load *load = load_start(&plan, SYSCALL_SESSIONS);
        wait_for(load, SYSCALL_PATIENCE_S, "system calls");
        bool is_finished = load_is_finished(load);
        load_stop(load);
        end_progress();
        struct load_figures *figures = load_join(load);
        syscalls_end(count);
        if (!is_finished) {
                free(figures);
                free(count);
                return NULL;
        }
        json_t *kinds = json_object();
        double all = 0, sessions = figures->sessions == 0 ? 1 : (double)figures->sessions;
        for (unsigned i = 0; i < count->kind_count; i++) {
                json_object_set_new(kinds, count->kinds[i].name,
                                    json_real((double)count->kinds[i].calls / sessions));
                all += (double)count->kinds[i].calls;
        }
        json_object_set_new(kinds, "all", json_real(all / sessions));
        free(figures);
        free(count);
        return kinds;
}

/* ---- figures ------------------------------------------------------------------------------------------- */

static json_t *quantiles_json(const struct histogram *histogram)
{
        return json_pack("{s:f,s:f,s:f}", "p50_us", histogram_quantile_us(histogram, 0.5), "p99_us",
                         histogram_quantile_us(histogram, 0.99), "p99_9_us",
                         histogram_quantile_us(histogram, 0.999));
}

static json_t *steps_json(const struct trial *trial)
{
        json_t *steps = json_array();

        for (unsigned i = 0; i < trial->workload->scenario_count; i++) {
                const struct scenario *scenario = &trial->workload->scenarios[i];
                for (unsigned j = 0; j < scenario->step_count; j++) {
                        json_t *step = quantiles_json(&trial->load->steps[i][j]);
                        json_object_set_new(step, "scenario", json_string(scenario->name));
                        json_object_set_new(step, "step", json_string(scenario->steps[j].label));
                        json_array_append_new(steps, step);
                }
        }
        return steps;
}

json_t *trial_json(const struct trial *trial)
{
        json_t *codes = json_object();
        char code[8];

        for (unsigned i = 1; i < CODES; i++)
                if (trial->load->codes[i] > 0) {
                        snprintf(code, sizeof code, "%u", i);
                        json_object_set_new(codes, code, json_integer((json_int_t)trial->load->codes[i]));
                }
        return json_pack("{s:s,s:i,s:f,s:f,s:I,s:I,s:f,s:f,s:s,s:f,s:f,s:f,s:f,s:o,s:o,s:o}", "scenario",
                         trial->workload->name, "concurrency", (int)trial->concurrency, "rate", trial->rate,
                         "seconds", trial->seconds, "sessions", (json_int_t)trial->load->sessions, "failures",
                         (json_int_t)trial->load->failures, "sessions_per_s", trial->sessions_per_s,
                         "server_cpu_us", trial->cpu_us, "server_cpu_source", trial->cpu_source,
                         "generator_cpu_us", trial->generator_cpu_us, "voluntary_switches", trial->voluntary,
                         "involuntary_switches", trial->involuntary, "handed_on", trial->handed_on, "session",
                         quantiles_json(&trial->load->session), "codes", codes, "steps", steps_json(trial));
}

static void print_quantiles(const char *name, const char *step, const struct histogram *histogram)
{
        printf("  %-20s %-8s %10.0f %10.0f %10.0f\n", name, step, histogram_quantile_us(histogram, 0.5),
               histogram_quantile_us(histogram, 0.99), histogram_quantile_us(histogram, 0.999));
}

void trial_print(const struct trial *trial)
{
        const struct workload *workload = trial->workload;

        printf("%s (%s): %.0f sessions/s, %llu sessions in %.1f s, %llu failed\n", workload->name,
               workload->title, trial->sessions_per_s, (unsigned long long)trial->load->sessions,
               trial->seconds, (unsigned long long)trial->load->failures);
        printf("  server CPU %.1f us a session (%s), context switches %.2f + %.2f involuntary; generator "
               "%.1f us\n",
               trial->cpu_us, trial->cpu_source, trial->voluntary, trial->involuntary,
               trial->generator_cpu_us);
        if (trial->handed_on > 0)
                printf("  %.2f messages a session were handed on meanwhile\n", trial->handed_on);
        printf("  replies:");
        for (unsigned i = 1; i < CODES; i++)
                if (trial->load->codes[i] > 0)
                        printf(" %u: %llu", i, (unsigned long long)trial->load->codes[i]);
        printf("\n  %-20s %-8s %10s %10s %10s\n", "us", "", "p50", "p99", "p99.9");
        print_quantiles("session", "", &trial->load->session);
        for (unsigned i = 0; i < workload->scenario_count; i++)
                for (unsigned j = 0; j < workload->scenarios[i].step_count; j++)
                        print_quantiles(workload->scenarios[i].name, workload->scenarios[i].steps[j].label,
                                        &trial->load->steps[i][j]);
}

void trial_print_failures(const struct trial *trial)
{
        for (unsigned i = 0; i < SAMPLES_MAX; i++)
                if (trial->load->samples[i][0] != '\0')
                        fprintf(stderr, "  wrong: %s\n", trial->load->samples[i]);
}
