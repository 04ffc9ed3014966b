/* Starting stub servers. */
#include "bench/peers/dns.h"

#include "bench/common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STUBS_MAX     8
#define RESOLVERS_MAX 32 /* addresses that are tried */

__attribute__((noreturn)) static void become_stub(const struct bench_options *options, const char *listen,
                                                  int output, pid_t parent)
{
        char program[500], zone[600], latency[16], loss[16], parent_pid[16];
        sigset_t none;

        snprintf(program, sizeof program, "%s/gatepost-dns-stub", options->build);
        snprintf(zone, sizeof zone, "%s/../zones/bench.zone", options->scenarios);
        snprintf(latency, sizeof latency, "%u", options->dns_latency_ms);
        snprintf(loss, sizeof loss, "%u", options->dns_loss_percent);
        snprintf(parent_pid, sizeof parent_pid, "%d", (int)parent);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        dup2(output, STDOUT_FILENO);
        execl(program, program, "--listen", listen, "--latency", latency, "--loss", loss, "--parent",
              parent_pid, zone, (char *)NULL);
        fprintf(stderr, "cannot run %s: %s\n", program, strerror(errno));
        _exit(127);
}

static struct stub {
        unsigned latency_ms, loss_percent, port;
        pid_t pid;
        FILE *output;
} stubs[STUBS_MAX];

static void stub_start(const struct bench_options *options, const char *listen, struct stub *stub)
{
        int ends[2];
        pid_t parent = getpid();

        expect(pipe2(ends, O_CLOEXEC) == 0);
        stub->pid = fork();
        expect(stub->pid >= 0);
        if (stub->pid == 0)
                become_stub(options, listen, ends[1], parent);
        close(ends[1]);
        stub->output = fdopen(ends[0], "re");
        stub->latency_ms = options->dns_latency_ms;
        stub->loss_percent = options->dns_loss_percent;
        expect(stub->output != NULL);
        if (fscanf(stub->output, "port %u", &stub->port) != 1)
                bench_fail("the DNS stub does not start");
}

static struct stub *stub_of(const struct bench_options *options)
{
        for (unsigned i = 0; i < STUBS_MAX; i++) {
                struct stub *stub = &stubs[i];
                if (stub->pid == 0)
                        stub_start(options, "127.0.0.1:0", stub);
                if (stub->latency_ms == options->dns_latency_ms &&
                    stub->loss_percent == options->dns_loss_percent)
                        return stub;
        }
        bench_fail("more than %d kinds of DNS", STUBS_MAX);
}

uint16_t dns_port(const struct bench_options *options)
{
        return (uint16_t)stub_of(options)->port;
}

static bool is_free(struct in_addr host)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr = host};
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        bool is_bound = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;

        close(fd);
        return is_bound;
}

static bool has_no_resolver; /* though one was wanted */

const char *dns_resolver(const struct bench_options *options)
{
        static char text[INET_ADDRSTRLEN] = "";
        static struct stub stub;
        char listen[INET_ADDRSTRLEN + 4];

        if (options->is_without_dns)
                return "none";
        for (unsigned i = 1; text[0] == '\0' && i <= RESOLVERS_MAX; i++) {
                struct in_addr host = {htonl(0x7f003500u + i)};
                if (!is_free(host))
                        continue;
                inet_ntop(AF_INET, &host, text, sizeof text);
                snprintf(listen, sizeof listen, "%s:53", text);
                stub_start(options, listen, &stub);
        }
        has_no_resolver = text[0] == '\0';
        return has_no_resolver ? "none" : text;
}

uint64_t dns_questions(const struct bench_options *options)
{
        unsigned long long udp, tcp, lost;
        struct stub *stub = stub_of(options);

        kill(stub->pid, SIGUSR1);
        if (fscanf(stub->output, " queries %llu udp %llu tcp %llu lost", &udp, &tcp, &lost) != 3)
                bench_fail("the DNS stub has ended");
        return udp + tcp;
}

const char *dns_describe(const struct bench_options *options)
{
        static char text[200];
        int length =
            options->variety == 0
                ? snprintf(text, sizeof text, "cold: clients and names of each session its own")
                : snprintf(text, sizeof text, "warm: %u clients and names a scenario", options->variety);

        snprintf(text + length, sizeof text - (size_t)length, ", DNS answers after %u ms, %u %% lost%s",
                 options->dns_latency_ms, options->dns_loss_percent,
                 has_no_resolver ? " (peers ask none: no port 53 to be had)" : "");
        return text;
}
