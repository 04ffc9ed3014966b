/* Starting the stub server. */
#include "bench/dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define RESOLVERS 32 /* addresses that are tried */

__attribute__((noreturn)) static void become_stub(const struct bench_options *options, const char *listen,
                                                  int output, pid_t parent)
{
        char program[500], zone[600], latency[16], loss[16];
        sigset_t none;

        snprintf(program, sizeof program, "%s/gatepost-dns-stub", options->build);
        snprintf(zone, sizeof zone, "%s/../zones/bench.zone", options->scenarios);
        snprintf(latency, sizeof latency, "%u", options->dns_latency_ms);
        snprintf(loss, sizeof loss, "%u", options->dns_loss_percent);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        /* Out of reach of the terminal's ^C: servers that end still ask. */
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent)
                _exit(1);
        dup2(output, STDOUT_FILENO);
        execl(program, program, "--listen", listen, "--latency", latency, "--loss", loss, zone, (char *)NULL);
        fprintf(stderr, "cannot run %s: %s\n", program, strerror(errno));
        _exit(127);
}

static uint16_t stub_start(const struct bench_options *options, const char *listen)
{
        int ends[2];
        unsigned number = 0;
        pid_t parent = getpid();

        expect(pipe2(ends, O_CLOEXEC) == 0);
        pid_t child = fork();
        expect(child >= 0);
        if (child == 0)
                become_stub(options, listen, ends[1], parent);
        close(ends[1]);
        FILE *output = fdopen(ends[0], "re");
        expect(output != NULL);
        if (fscanf(output, "port %u", &number) != 1 || number == 0)
                bench_fail("the DNS stub does not start");
        fclose(output);
        return (uint16_t)number;
}

uint16_t dns_port(const struct bench_options *options)
{
        static uint16_t port;

        if (port == 0)
                port = stub_start(options, "127.0.0.1:0");
        return port;
}

static bool is_free(struct in_addr host)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr = host};
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        bool is_bound = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;

        close(fd);
        return is_bound;
}

const char *dns_resolver(const struct bench_options *options)
{
        static char text[INET_ADDRSTRLEN] = "";
        char listen[INET_ADDRSTRLEN + 4];

        if (options->is_without_dns)
                return "none";
        for (unsigned i = 1; text[0] == '\0' && i <= RESOLVERS; i++) {
                struct in_addr host = {htonl(0x7f003500u + i)};
                if (!is_free(host))
                        continue;
                inet_ntop(AF_INET, &host, text, sizeof text);
                snprintf(listen, sizeof listen, "%s:53", text);
                stub_start(options, listen);
        }
        return text[0] == '\0' ? "none" : text;
}

const char *dns_describe(const struct bench_options *options)
{
        static char text[160];
        int length =
            options->variety == 0
                ? snprintf(text, sizeof text, "cold: clients and names at random")
                : snprintf(text, sizeof text, "warm: %u clients and names a scenario", options->variety);

        snprintf(text + length, sizeof text - (size_t)length, ", DNS answers after %u ms, %u %% lost",
                 options->dns_latency_ms, options->dns_loss_percent);
        return text;
}
