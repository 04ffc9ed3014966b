/* gatepost-bench run: scenarios against one server, one after the other. */
#include "bench/load/run.h"

#include "bench/common.h"
#include "bench/load/trial.h"
#include "bench/peers/dns.h"
#include "bench/peers/install.h"
#include "bench/peers/server.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

/* A server that the bench starts for the workload, or the one that the caller named. */
struct target {
        struct server *server;
        struct sockaddr_in address;
        struct watched watched;
};

/* Its dialogues are those of the server, if that is one which we start. */
static const struct workload *workload_of(const struct bench_options *options, const char *name)
{
        const char *server = options->peer == NULL ? NULL : peer_name(peer_find(options->peer));
        return workload_read(options->scenarios, name, server);
}

static struct target target_of(const struct bench_options *options, const struct workload *workload)
{
        struct target target = {.address = options->server, .watched.pid = options->pid};

        if (options->peer != NULL) {
                struct bench_options with = *options;
                with.is_without_tls |= !workload->has_tls && peer_fetched(peer_find(options->peer)) != NULL;
                target.server = server_start(&with, peer_find(options->peer), workload->is_durable);
                target.address = target.server->address;
                target.watched = target.server->watched;
        } else if (options->server.sin_port == 0) {
                bench_fail("run needs --server ADDR:PORT or --peer NAME");
        } else if (options->pid != 0 && kill(options->pid, 0) != 0 && errno == ESRCH) {
                bench_fail("there is no process %d", (int)options->pid);
        }
        return target;
}

static void print_syscalls(const json_t *syscalls)
{
        const char *name;
        json_t *calls;

        printf("  system calls a session:");
        json_object_foreach((json_t *)syscalls, name, calls) printf(" %s %.2f", name, json_real_value(calls));
        printf("\n");
}

static uint64_t run_one(const struct bench_options *options, const char *name, unsigned concurrency,
                        json_t *all)
{
        const struct workload *workload = workload_of(options, name);
        struct target target = target_of(options, workload);
        const struct watched *watched = target.watched.pid != 0 ? &target.watched : NULL;
        struct trial trial = trial_run(options, &target.address, watched, workload, concurrency, name);
        trial_need_sessions(&trial, name);
        uint64_t failures = trial.load->failures;
        json_t *figures = trial_json(&trial);

        trial_print(&trial);
        if (target.server != NULL)
                printf("  %s\n", dns_describe(options));
        trial_print_failures(&trial);
        json_array_append_new(all, figures);
        trial_free(&trial);
        if (options->counts_syscalls && watched != NULL && failures == 0) {
                json_t *syscalls = trial_syscalls(options, &target.address, watched, workload);
                if (syscalls == NULL)
                        fprintf(stderr, "  strace cannot attach to the server\n");
                else
                        print_syscalls(syscalls);
                json_object_set_new(figures, "syscalls", syscalls == NULL ? json_null() : syscalls);
        }
        if (target.server != NULL)
                server_stop(target.server);
        fflush(stdout);
        return failures;
}

int run_command(const struct bench_options *options, int count, char **names)
{
        json_t *all = json_array();
        uint64_t failures = 0;

        if (count == 0)
                bench_fail("run needs a scenario");
        for (int i = 0; i < count; i++)
                for (unsigned j = 0; j < options->concurrency_count; j++)
                        failures += run_one(options, names[i], options->concurrencies[j], all);
        if (options->json != NULL && json_dump_file(all, options->json, JSON_INDENT(2)) != 0)
                bench_fail("cannot write %s", options->json);
        json_decref(all);
        return failures == 0 ? 0 : 1;
}
