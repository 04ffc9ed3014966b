/* The options of the command line. */
#include "bench/options.h"

#include "bench/common.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: gatepost-bench run SCENARIO... (--peer NAME | --server ADDR:PORT [--pid PID])\n"
    "           [--concurrency N[,N...]] [--rate R] [--seconds S | --sessions N] [--threads N] [--syscalls]\n"
    "           [--json FILE]\n"
    "       gatepost-bench floor --port P [--threads N] [--durable DIR] [--certificates DIR]\n"
    "       gatepost-bench idle N (--peer NAME | --server ADDR:PORT --pid PID)\n"
    "       gatepost-bench compare [--rounds R] [--seconds S] [--peers A,B] [--only SCENARIO,...]\n"
    "           [--concurrency N[,N...]] [--syscalls] [--out DIR] [--quick]\n"
    "       gatepost-bench compare --install [--peers A,B]\n"
    "       gatepost-bench suite [CASE...] [--rounds R] [--seconds S] [--concurrency N] [--out DIR]\n"
    "           [--before PROGRAM]\n\n"
    "run plays scenarios against a server. floor is a server that does nothing but answer. idle counts what\n"
    "sessions cost that say nothing. compare measures servers beside each other; with --install it fetches\n"
    "them, and starts none. suite measures gatepost alone.\n\n"
    "--timeout S         so long a reply is waited for\n"
    "--work DIR          for the files of servers, on a disk\n"
    "--scenarios DIR     where scenarios are\n"
    "--variety N         so many clients and names in a scenario\n"
    "--cold              draws them from all there are\n"
    "--dns-latency MS    of the name server that is started\n"
    "--dns-loss PERCENT  of its answers\n"
    "--no-dns            gatepost gets no resolver\n"
    "--no-tls            no server gets certificates\n"
    "--workers N         of gatepost\n\n"
    "Exit status: 0 all went well; 1 a session was answered otherwise than its scenario says;\n"
    "2 wrong call, or nothing could be measured.\n";

void options_show_usage(void)
{
        fputs(usage, stderr);
        exit(2);
}

static _Noreturn void show_help(void)
{
        exit(fputs(usage, stdout) < 0 || fflush(stdout) != 0 ? 2 : 0);
}

enum option_key {
        OPTION_SERVER = 256,
        OPTION_PORT,
        OPTION_PEER,
        OPTION_PID,
        OPTION_THREADS,
        OPTION_CONCURRENCY,
        OPTION_RATE,
        OPTION_SECONDS,
        OPTION_SESSIONS,
        OPTION_TIMEOUT,
        OPTION_ROUNDS,
        OPTION_QUICK,
        OPTION_SYSCALLS,
        OPTION_DURABLE,
        OPTION_PEERS,
        OPTION_ONLY,
        OPTION_SCENARIOS,
        OPTION_OUT,
        OPTION_WORK,
        OPTION_JSON,
        OPTION_INSTALL,
        OPTION_VARIETY,
        OPTION_COLD,
        OPTION_DNS_LATENCY,
        OPTION_DNS_LOSS,
        OPTION_NO_DNS,
        OPTION_WORKERS,
        OPTION_CERTIFICATES,
        OPTION_BEFORE,
        OPTION_NO_TLS,
        OPTION_HELP,
};

static const struct option option_table[] = {
    {"help", no_argument, NULL, OPTION_HELP},
    {"server", required_argument, NULL, OPTION_SERVER},
    {"port", required_argument, NULL, OPTION_PORT},
    {"peer", required_argument, NULL, OPTION_PEER},
    {"pid", required_argument, NULL, OPTION_PID},
    {"threads", required_argument, NULL, OPTION_THREADS},
    {"concurrency", required_argument, NULL, OPTION_CONCURRENCY},
    {"rate", required_argument, NULL, OPTION_RATE},
    {"seconds", required_argument, NULL, OPTION_SECONDS},
    {"sessions", required_argument, NULL, OPTION_SESSIONS},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"rounds", required_argument, NULL, OPTION_ROUNDS},
    {"quick", no_argument, NULL, OPTION_QUICK},
    {"syscalls", no_argument, NULL, OPTION_SYSCALLS},
    {"durable", required_argument, NULL, OPTION_DURABLE},
    {"peers", required_argument, NULL, OPTION_PEERS},
    {"only", required_argument, NULL, OPTION_ONLY},
    {"scenarios", required_argument, NULL, OPTION_SCENARIOS},
    {"out", required_argument, NULL, OPTION_OUT},
    {"work", required_argument, NULL, OPTION_WORK},
    {"json", required_argument, NULL, OPTION_JSON},
    {"install", no_argument, NULL, OPTION_INSTALL},
    {"variety", required_argument, NULL, OPTION_VARIETY},
    {"cold", no_argument, NULL, OPTION_COLD},
    {"dns-latency", required_argument, NULL, OPTION_DNS_LATENCY},
    {"dns-loss", required_argument, NULL, OPTION_DNS_LOSS},
    {"no-dns", no_argument, NULL, OPTION_NO_DNS},
    {"workers", required_argument, NULL, OPTION_WORKERS},
    {"certificates", required_argument, NULL, OPTION_CERTIFICATES},
    {"before", required_argument, NULL, OPTION_BEFORE},
    {"no-tls", no_argument, NULL, OPTION_NO_TLS},
    {0},
};

static double positive(const char *text)
{
        char *end;
        double number = strtod(text, &end);

        if (end == text || *end != '\0' || !(number > 0) || number > 1e9)
                bench_fail("not a positive number: %s", text);
        return number;
}

static void read_server(struct bench_options *options, const char *text)
{
        char host[16] = "";
        unsigned port = 0;

        if (sscanf(text, "%15[0-9.]:%u", host, &port) != 2 || port == 0 || port > 65535 ||
            inet_pton(AF_INET, host, &options->server.sin_addr) != 1)
                bench_fail("not an IPv4 ADDR:PORT: %s", text);
        if (ntohl(options->server.sin_addr.s_addr) >> 24 != 127)
                bench_fail("the clients have loopback addresses, so the server must too: %s", text);
        options->server.sin_port = htons((uint16_t)port);
}

static void read_concurrencies(struct bench_options *options, char *list)
{
        char *rest;

        options->concurrency_count = 0;
        for (char *word = strtok_r(list, ",", &rest); word != NULL; word = strtok_r(NULL, ",", &rest)) {
                if (options->concurrency_count == CONCURRENCIES_MAX)
                        bench_fail("at most %d concurrencies", CONCURRENCIES_MAX);
                options->concurrencies[options->concurrency_count++] = (unsigned)positive(word);
        }
}

static void read_number(struct bench_options *options, enum option_key key, double number)
{
        const struct {
                enum option_key key;
                unsigned *number;
        } numbers[] = {
            {OPTION_THREADS, &options->threads},           {OPTION_ROUNDS, &options->rounds},
            {OPTION_VARIETY, &options->variety},           {OPTION_DNS_LATENCY, &options->dns_latency_ms},
            {OPTION_DNS_LOSS, &options->dns_loss_percent}, {OPTION_WORKERS, &options->workers},
        };

        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
                if (numbers[i].key == key) {
                        *numbers[i].number = (unsigned)number;
                        return;
                }
        if (key == OPTION_PORT)
                options->server.sin_port = htons((uint16_t)number);
        else if (key == OPTION_PID)
                options->pid = (pid_t)number;
        else if (key == OPTION_RATE)
                options->rate = number;
        else if (key == OPTION_SECONDS)
                options->seconds = number;
        else if (key == OPTION_SESSIONS)
                options->sessions = (uint64_t)number;
        else if (key == OPTION_TIMEOUT)
                options->timeout_s = number;
        else
                expect(false);
}

static void read_option(struct bench_options *options, int key)
{
        const struct {
                int key;
                const char **text;
        } texts[] = {{OPTION_PEER, &options->peer},
                     {OPTION_DURABLE, &options->durable},
                     {OPTION_PEERS, &options->peers},
                     {OPTION_ONLY, &options->only},
                     {OPTION_SCENARIOS, &options->scenarios},
                     {OPTION_OUT, &options->out},
                     {OPTION_WORK, &options->work},
                     {OPTION_JSON, &options->json},
                     {OPTION_CERTIFICATES, &options->certificates},
                     {OPTION_BEFORE, &options->before}};

        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
                if (texts[i].key == key) {
                        *texts[i].text = optarg;
                        return;
                }
        if (key == '?')
                options_show_usage();
        if (key == OPTION_HELP)
                show_help();
        if (key == OPTION_SERVER)
                read_server(options, optarg);
        else if (key == OPTION_CONCURRENCY)
                read_concurrencies(options, optarg);
        else if (key == OPTION_QUICK)
                options->is_quick = true;
        else if (key == OPTION_INSTALL)
                options->is_install = true;
        else if (key == OPTION_SYSCALLS)
                options->counts_syscalls = true;
        else if (key == OPTION_COLD)
                options->variety = 0;
        else if (key == OPTION_NO_DNS)
                options->is_without_dns = true;
        else if (key == OPTION_NO_TLS)
                options->is_without_tls = true;
        else
                read_number(options, (enum option_key)key, positive(optarg));
}

/* Folders are found from the program's own place, so that it may be called from anywhere; an installed one has its
 * scenarios elsewhere. */
static void find_folders(struct bench_options *options)
{
        static char build[400], scenarios[450], out[450];
        ssize_t length = readlink("/proc/self/exe", build, sizeof build - 1);

        expect(length > 0);
        build[length] = '\0';
        *strrchr(build, '/') = '\0';
        snprintf(scenarios, sizeof scenarios, "%s/../bench/scenarios", build);
        if (access(scenarios, X_OK) != 0)
                snprintf(scenarios, sizeof scenarios, "%s/scenarios", BENCH_DATA);
        snprintf(out, sizeof out, "%s/bench", build);
        options->build = build;
        options->scenarios = scenarios;
        options->out = out;
}

static const char *command_of(int count, char **arguments)
{
        static char command[1000];
        size_t length = 0;

        for (int i = 0; i < count && length < sizeof command; i++)
                length += (size_t)snprintf(command + length, sizeof command - length, "%s%s",
                                           i > 0 ? " " : "", arguments[i]);
        return command;
}

struct bench_options options_read(int count, char **arguments, unsigned concurrency_count, int *ret_first)
{
        struct bench_options options = {
            .command = command_of(count, arguments),
            .server = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
            .concurrencies = {50, 500},
            .concurrency_count = concurrency_count,
            .seconds = 2,
            .timeout_s = 60,
            .rounds = 5,
            .variety = 256,
            .work = "/var/tmp",
        };
        int key;

        find_folders(&options);
        optind = count > 1 && arguments[1][0] != '-' ? 2 : 1;
        while ((key = getopt_long(count, arguments, "", option_table, NULL)) >= 0)
                read_option(&options, key);
        *ret_first = optind;
        return options;
}
