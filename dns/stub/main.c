/* gatepost-dns-stub --listen ADDRESS:PORT [--latency MS] [--loss PERCENT] [--parent PID] ZONEFILE: the stub
 * server as a program, until SIGINT, SIGQUIT or SIGTERM; with --parent no longer than the process that started it,
 * however that ends. It says its port, and on SIGUSR1 how many queries there were. */
#include "conf/socket_address.h"
#include "core/base/address.h"
#include "dns/stub/stub.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static int fail(const char *what, const char *why)
{
        fprintf(stderr, "gatepost-dns-stub: %s: %s\n", what, why);
        return 1;
}

/* 127.0.0.1:53 or [::1]:53. Others than loopback are refused: this server is for tests. */
static bool listen_parse(struct span text, struct dns_stub_options *options)
{
        size_t colon = span_find_last(text, ':');
        struct address address;
        uint64_t port;

        if (colon == SIZE_MAX || !span_number(span_skip(text, colon + 1), &port) || port > UINT16_MAX)
                return false;
        struct span host = span_of(text.at, colon);
        if (host.length > 2 && host.at[0] == '[' && host.at[host.length - 1] == ']')
                host = span_of(host.at + 1, host.length - 2);
        if (!address_parse(host, &address) || !address_is_loopback(&address))
                return false;
        options->listen_length = address_to_socket(&address, (uint16_t)port, &options->listen);
        return true;
}

static bool options_parse(int argc, char **argv, struct dns_stub_options *options, uint64_t *ret_parent)
{
        static const struct option names[] = {{"listen", required_argument, NULL, 'l'},
                                              {"latency", required_argument, NULL, 'd'},
                                              {"loss", required_argument, NULL, 'p'},
                                              {"parent", required_argument, NULL, 'e'},
                                              {NULL, 0, NULL, 0}};
        bool has_listen = false;
        uint64_t latency_ms, loss_percent;

        for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
                if (option == 'l' && listen_parse(span_from(optarg), options))
                        has_listen = true;
                else if (option == 'd' && span_number(span_from(optarg), &latency_ms) && latency_ms <= 60000)
                        options->latency_ms = (uint32_t)latency_ms;
                else if (option == 'p' && span_number(span_from(optarg), &loss_percent) &&
                         loss_percent <= 100)
                        options->loss_percent = (uint32_t)loss_percent;
                else if (option != 'e' || !span_number(span_from(optarg), ret_parent) || *ret_parent == 0)
                        return false;
        }
        return has_listen && optind + 1 == argc;
}

/* False when the parent has gone before that could be asked for. */
static bool end_with(uint64_t parent)
{
        return prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && (uint64_t)getppid() == parent;
}

static bool file_read(const char *path, char **ret_text, size_t *ret_length)
{
        FILE *file = fopen(path, "r");
        *ret_text = NULL;
        if (file == NULL)
                return false;
        size_t size = 0;
        ssize_t length = getdelim(ret_text, &size, '\0', file);
        *ret_length = length < 0 ? 0 : (size_t)length;
        bool is_read = !ferror(file);
        fclose(file);
        return is_read;
}

static void signals_block(sigset_t *ret_signals, bool has_parent)
{
        sigemptyset(ret_signals);
        /* Ctrl-C and Ctrl-\ at a terminal go to both: then the parent may still need answers. */
        if (has_parent) {
                signal(SIGINT, SIG_IGN);
                signal(SIGQUIT, SIG_IGN);
        } else {
                sigaddset(ret_signals, SIGINT);
                sigaddset(ret_signals, SIGQUIT);
        }
        sigaddset(ret_signals, SIGTERM);
        sigaddset(ret_signals, SIGUSR1);
        sigprocmask(SIG_BLOCK, ret_signals, NULL);
}

static void counts_print(const struct dns_stub *stub)
{
        struct dns_stub_counts counts;

        dns_stub_count(stub, &counts);
        printf("queries %" PRIu64 " udp %" PRIu64 " tcp %" PRIu64 " lost\n", counts.udp, counts.tcp,
               counts.lost);
        fflush(stdout);
}

int main(int argc, char **argv)
{
        struct dns_stub_options options = {0};
        char *zone, reason[512];
        struct text error;
        sigset_t signals;
        int signal_number;
        uint64_t parent = 0;

        if (!options_parse(argc, argv, &options, &parent)) {
                fputs("usage: gatepost-dns-stub --listen LOOPBACK:PORT [--latency MS] [--loss PERCENT] "
                      "[--parent PID] ZONEFILE\n",
                      stderr);
                return 2;
        }
        const char *path = argv[optind];
        if (!file_read(path, &zone, &options.zone.length))
                return fail(path, strerror(errno));
        options.zone.at = zone;
        signals_block(&signals, parent != 0);
        if (parent != 0 && !end_with(parent))
                return fail("--parent", "is not the process that started it");
        text_over(&error, reason, sizeof reason - 1);
        struct dns_stub *stub = dns_stub_start(&options, &error);
        free(zone);
        if (stub == NULL) {
                reason[error.length] = '\0';
                return fail(path, reason);
        }
        printf("port %u\n", dns_stub_port(stub));
        fflush(stdout);
        while (sigwait(&signals, &signal_number) == 0 && signal_number == SIGUSR1)
                counts_print(stub);
        dns_stub_stop(stub);
        return 0;
}
