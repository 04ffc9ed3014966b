/* Starting and stopping servers by the rows of peers.def. */
#include "bench/peers/server.h"

#include "bench/common.h"
#include "bench/peers/cleaner.h"
#include "bench/peers/dns.h"
#include "bench/peers/install.h"
#include "bench/peers/sink.h"
#include "bench/tls/keys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A server has 30 seconds to greet, because sanitizers and loaded machines are slow, and 20 to end. */
#define START_TRIES 1500
#define STOP_TRIES  1000
#define TRY_NS      20000000
#define WORDS_MAX   32
#define TEXT_SIZE   16384

#define TLS_SECTION "tls { certificate = {\"@DIR@/ecdsa.pem\", \"@DIR@/rsa.pem\"} handshakes_max = 100000 }"

/* ---- folder -------------------------------------------------------------------------------------------- */

#define VALUES 15

struct values {
        const char *names[VALUES], *texts[VALUES];
};

static void expand(const struct values *values, const char *from, char *into, size_t size)
{
        size_t length = 0;

        while (*from != '\0') {
                unsigned i = 0;
                while (i < VALUES && strncmp(from, values->names[i], strlen(values->names[i])) != 0)
                        i++;
                int more = snprintf(into + length, size - length, "%.*s", i < VALUES ? INT32_MAX : 1,
                                    i < VALUES ? values->texts[i] : from);
                from += i < VALUES ? strlen(values->names[i]) : 1;
                length += (size_t)more;
                expect(length < size);
        }
        into[length] = '\0';
}

/* Expands twice, because a text may hold placeholders itself. */
static void expand_all(const struct values *values, const char *from, char *into, size_t size)
{
        char once[TEXT_SIZE];
        expand(values, from, once, sizeof once);
        expand(values, once, into, size);
}

static void copy_file(const struct values *values, const char *from, const char *into)
{
        char text[TEXT_SIZE] = "", expanded[TEXT_SIZE] = "";
        FILE *file = fopen(from, "re");

        if (file == NULL || fread(text, 1, sizeof text - 1, file) == sizeof text - 1)
                bench_fail("cannot read %s", from);
        fclose(file);
        expand_all(values, text, expanded, sizeof expanded);
        file = fopen(into, "we");
        if (file == NULL || fputs(expanded, file) < 0 || fclose(file) != 0)
                bench_fail("cannot write %s", into);
}

static void fill_folder(const struct bench_options *options, const struct server *server,
                        const struct values *values)
{
        char from[512], path[800], into[800];
        struct dirent *entry;

        const char *fetched = peer_fetched(server->kind);

        snprintf(from, sizeof from, "%s/../peers/%s", options->scenarios,
                 fetched != NULL ? fetched : peer_name(server->kind));
        DIR *folder = opendir(from);
        while (folder != NULL && (entry = readdir(folder)) != NULL) {
                if (entry->d_name[0] == '.')
                        continue;
                snprintf(path, sizeof path, "%s/%s", from, entry->d_name);
                snprintf(into, sizeof into, "%s/%s", server->folder, entry->d_name);
                copy_file(values, path, into);
        }
        if (folder != NULL)
                closedir(folder);
}

/* ---- ending -------------------------------------------------------------------------------------------- */

bool server_is_alive(const struct server *server)
{
        siginfo_t info = {0};
        return waitid(P_PID, (id_t)server->watched.pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
               info.si_pid == 0;
}

static struct server *running;
static pthread_mutex_t running_lock = PTHREAD_MUTEX_INITIALIZER;

static void server_end(struct server *server)
{
        struct server **link = &running;

        while (*link != server)
                link = &(*link)->next;
        *link = server->next;
        kill(server->watched.pid, SIGTERM);
        for (int i = 0; i < STOP_TRIES && server_is_alive(server); i++)
                nanosleep(&(struct timespec){.tv_nsec = TRY_NS}, NULL);
        kill(-server->watched.pid, SIGKILL);
        cgroup_kill(&server->watched);
        waitpid(server->watched.pid, NULL, 0);
        cgroup_remove(&server->watched);
        folder_remove(server->folder);
        cleaner_end(server->cleaner);
        free(server);
}

void server_stop(struct server *server)
{
        pthread_mutex_lock(&running_lock);
        server_end(server);
        pthread_mutex_unlock(&running_lock);
}

static void stop_all(void)
{
        pthread_mutex_lock(&running_lock);
        while (running != NULL)
                server_end(running);
        pthread_mutex_unlock(&running_lock);
}

/* A signal that ends us ends the servers first. What the main thread says of their end is of no interest. */
static void *signals_main(void *argument)
{
        int number, null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        sigwait(argument, &number);
        pthread_mutex_lock(&running_lock);
        dup2(null, STDERR_FILENO);
        while (running != NULL)
                server_end(running);
        _exit(128 + number);
}

/* From now on no server outlives us. */
static void guard_once(void)
{
        static bool is_guarded;
        static sigset_t signals;
        pthread_t thread;

        if (is_guarded)
                return;
        is_guarded = true;
        sigemptyset(&signals);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGHUP);
        pthread_sigmask(SIG_BLOCK, &signals, NULL);
        signal(SIGPIPE, SIG_IGN);
        expect(atexit(stop_all) == 0);
        expect(pthread_create(&thread, NULL, signals_main, &signals) == 0);
        pthread_detach(thread);
}

/* ---- process ------------------------------------------------------------------------------------------- */

static struct sockaddr_in free_address(void)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof address;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0 ||
            getsockname(fd, (struct sockaddr *)&address, &length) != 0)
                bench_fail("no free port: %s", strerror(errno));
        close(fd);
        return address;
}

__attribute__((noreturn)) static void become_server(const struct server *server, char *command, pid_t parent)
{
        char *words[WORDS_MAX + 1] = {NULL}, *rest = NULL, path[300];
        unsigned count = 0;
        sigset_t none;

        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        signal(SIGPIPE, SIG_DFL);
        for (char *word = strtok_r(command, " ", &rest); word != NULL && count < WORDS_MAX;
             word = strtok_r(NULL, " ", &rest))
                words[count++] = word;
        expect(count > 0);
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent)
                _exit(1);
        if (!cgroup_enter(&server->watched))
                _exit(126);
        snprintf(path, sizeof path, "%s/output", server->folder);
        int output = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600), null = open("/dev/null", O_RDONLY);
        dup2(null, STDIN_FILENO);
        dup2(output, STDOUT_FILENO);
        dup2(output, STDERR_FILENO);
        execv(words[0], words);
        fprintf(stderr, "cannot run %s: %s\n", words[0], strerror(errno));
        _exit(127);
}

static bool does_greet(enum peer_kind kind, const struct sockaddr_in *address)
{
        struct timeval patience = {.tv_sec = 5};
        char banner[4] = "";
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        bool greets = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 &&
                      (!peer_speaks_smtp(kind) ||
                       (recv(fd, banner, 3, MSG_WAITALL) == 3 && strcmp(banner, "220") == 0));
        close(fd);
        return greets;
}

__attribute__((noreturn)) static void start_failed(const struct server *server)
{
        char path[300], text[2048] = "";

        snprintf(path, sizeof path, "%s/output", server->folder);
        FILE *output = fopen(path, "re");
        if (output != NULL) {
                text[fread(text, 1, sizeof text - 1, output)] = '\0';
                fclose(output);
        }
        bench_fail("%s does not start; it said:\n%s", peer_name(server->kind), text);
}

struct server *server_start(const struct bench_options *options, enum peer_kind kind, bool is_durable)
{
        static unsigned number;
        char command[TEXT_SIZE], port[8], dns[8], resolvers[32] = "", workers[12], sink[8], name[32],
                                                  source[512];
        struct server *server = calloc(1, sizeof *server);

        expect(server != NULL);
        server->kind = kind;
        server->address = free_address();
        snprintf(name, sizeof name, "%s-%u", peer_name(kind), number++);
        snprintf(server->folder, sizeof server->folder, "%s/gatepost-bench-%s-XXXXXX", options->work, name);
        if (mkdtemp(server->folder) == NULL)
                bench_fail("cannot make a folder in %s", options->work);
        snprintf(port, sizeof port, "%u", ntohs(server->address.sin_port));
        snprintf(dns, sizeof dns, "%u", dns_port(options));
        if (!options->is_without_dns)
                snprintf(resolvers, sizeof resolvers, "\"127.0.0.1:%s\"", dns);
        snprintf(sink, sizeof sink, "%u", sink_port());
        snprintf(workers, sizeof workers, "%u", options->workers);
        snprintf(source, sizeof source, "%s/../peers", options->scenarios);
        const struct values values = {
            {"@PORT@", "@DIR@", "@BUILD@", "@DELIVER@", "@DNS@", "@RESOLVERS@", "@WORKERS@", "@SOURCE@",
             "@FETCHED@", "@RESOLVER@", "@MORE@", "@PROGRAM@", "@TLS@", "@CERTIFICATES@", "@SINK@"},
            {port, server->folder, options->build, peer_deliver(kind, is_durable), dns, resolvers, workers,
             source, install_folder(options), peer_fetched(kind) != NULL ? dns_resolver(options) : "none",
             options->more == NULL ? "" : options->more,
             options->program == NULL ? "@BUILD@/gatepost" : options->program,
             options->is_without_tls ? "" : TLS_SECTION,
             options->is_without_tls ? "" : "--certificates @DIR@", sink}};
        fill_folder(options, server, &values);
        if (!options->is_without_tls)
                keys_write(server->folder);
        expand_all(&values, peer_command(kind), command, sizeof command);
        guard_once();
        cgroup_make(name, &server->watched);
        server->cleaner = cleaner_start(&server->watched, server->folder);
        pid_t parent = getpid();
        pthread_mutex_lock(&running_lock);
        server->watched.pid = fork();
        expect(server->watched.pid >= 0);
        if (server->watched.pid == 0)
                become_server(server, command, parent);
        server->next = running;
        running = server;
        pthread_mutex_unlock(&running_lock);
        for (int i = 0; i < START_TRIES && server_is_alive(server); i++) {
                if (does_greet(kind, &server->address))
                        return server;
                nanosleep(&(struct timespec){.tv_nsec = TRY_NS}, NULL);
        }
        start_failed(server);
}
