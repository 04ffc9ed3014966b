/* One client's session: send a flight, wait for the whole reply, look at it, go on. */
#include "bench/load/internal.h"

#include "bench/common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <unistd.h>

static const struct scenario *scenario_of(const struct load_thread *thread, const struct client *client)
{
        return &thread->load->plan.workload->scenarios[client->scenario];
}

static bool is_measuring(const struct load_thread *thread)
{
        return atomic_load_explicit(&thread->load->phase, memory_order_relaxed) == LOAD_MEASURE;
}

/* ---- ending -------------------------------------------------------------------------------------------- */

static void client_end(struct load_thread *thread, struct client *client)
{
        if (client->is_paused)
                load_unpause(thread, client);
        if (client->ssl != NULL) {
                secure_end(client);
                thread->wire->input_length = thread->wire->output_length = 0;
        }
        close(client->fd);
        client->fd = -1;
        free(client->unsent);
        client->unsent = NULL;
        thread->unused[thread->unused_count++] = (unsigned)(client - thread->clients);
}

__attribute__((format(printf, 3, 4))) static void client_fail(struct load_thread *thread,
                                                              struct client *client, const char *format, ...)
{
        const struct scenario *scenario = scenario_of(thread, client);
        uint64_t failures = atomic_load_explicit(&thread->failures, memory_order_relaxed);

        if (failures < SAMPLES_MAX) {
                char problem[SAMPLE_SIZE / 2];
                va_list arguments;
                va_start(arguments, format);
                vsnprintf(problem, sizeof problem, format, arguments);
                va_end(arguments);
                for (char *at = problem; *at != '\0'; at++)
                        if ((unsigned char)*at < ' ')
                                *at = ' ';
                snprintf(thread->figures->samples[failures], SAMPLE_SIZE, "%s, step %u (%s), from %s: %s",
                         scenario->name, client->step + 1, scenario->steps[client->step].label,
                         client->address, problem);
        }
        atomic_store_explicit(&thread->failures, failures + 1, memory_order_relaxed);
        client_end(thread, client);
}

static void client_succeed(struct load_thread *thread, struct client *client, uint64_t now_ns)
{
        if (is_measuring(thread)) {
                uint64_t sessions = atomic_load_explicit(&thread->sessions, memory_order_relaxed);
                histogram_add(&thread->figures->session, now_ns - client->begin_ns);
                atomic_store_explicit(&thread->sessions, sessions + 1, memory_order_relaxed);
        }
        client_end(thread, client);
}

void client_time_out(struct load_thread *thread, struct client *client)
{
        client_fail(thread, client, "no reply in time");
}

/* ---- output -------------------------------------------------------------------------------------------- */

static void watch_output(struct load_thread *thread, struct client *client, bool is_wanted)
{
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = client};

        if (is_wanted)
                event.events |= EPOLLOUT;
        expect(epoll_ctl(thread->epoll_fd, EPOLL_CTL_MOD, client->fd, &event) == 0);
}

/* A connection that the server has closed is noticed when its reply is missing. */
static size_t send_some(struct client *client, const char *octets, size_t length)
{
        ssize_t sent = send(client->fd, octets, length, MSG_NOSIGNAL);
        if (sent < 0)
                return errno == EAGAIN || errno == ENOTCONN ? 0 : length;
        return (size_t)sent;
}

/* What the kernel does not take is kept for later; some may be kept already. */
static void octets_send(struct load_thread *thread, struct client *client, const char *octets, size_t length)
{
        size_t sent = client->unsent != NULL ? 0 : send_some(client, octets, length);

        if (sent == length)
                return;
        char *unsent = realloc(client->unsent, client->unsent_length + length - sent);
        expect(unsent != NULL);
        memcpy(unsent + client->unsent_length, octets + sent, length - sent);
        client->unsent_length += length - sent;
        if (client->unsent == NULL)
                watch_output(thread, client, true);
        client->unsent = unsent;
}

static void wire_send(struct load_thread *thread, struct client *client)
{
        if (thread->wire->output_length > 0)
                octets_send(thread, client, thread->wire->output, thread->wire->output_length);
        thread->wire->output_length = 0;
}

static void flight_send(struct load_thread *thread, struct client *client)
{
        const struct scenario *scenario = scenario_of(thread, client);
        const struct step *step = &scenario->steps[client->step];
        const struct step_values values = {client->random, client->name, client->address};

        client->step_ns = bench_now_ns();
        if (step->code == CODE_TLS) {
                secure_begin(thread, client);
                wire_send(thread, client);
        }
        if (step->piece_count == 0)
                return;
        size_t length = step_write(scenario, step, &values, thread->flight);
        if (client->ssl == NULL) {
                octets_send(thread, client, thread->flight, length);
                return;
        }
        secure_seal(client, thread->flight, length);
        wire_send(thread, client);
}

void client_go_on(struct load_thread *thread, struct client *client)
{
        client->is_paused = false;
        client->begin_ns += bench_now_ns() - client->pause_ns;
        flight_send(thread, client);
}

/* Sends the flight now, or after the step's pause. */
static void flight_send_in_time(struct load_thread *thread, struct client *client)
{
        unsigned pause_ms = scenario_of(thread, client)->steps[client->step].pause_ms;

        if (pause_ms == 0) {
                flight_send(thread, client);
                return;
        }
        client->pause_ns = bench_now_ns();
        client->step_ns = client->pause_ns + pause_ms * UINT64_C(1000000);
        client->is_paused = true;
        load_pause(thread, client);
}

static void flight_send_rest(struct load_thread *thread, struct client *client)
{
        size_t sent = send_some(client, client->unsent, client->unsent_length);

        client->unsent_length -= sent;
        memmove(client->unsent, client->unsent + sent, client->unsent_length);
        if (client->unsent_length > 0)
                return;
        free(client->unsent);
        client->unsent = NULL;
        client->unsent_length = 0;
        watch_output(thread, client, false);
}

/* ---- input --------------------------------------------------------------------------------------------- */

/* A reply that came together with the one before has its `now_ns`, which is earlier than this step. */
static void step_done(struct load_thread *thread, struct client *client, uint64_t now_ns)
{
        uint64_t took_ns = now_ns > client->step_ns ? now_ns - client->step_ns : 0;

        if (is_measuring(thread))
                histogram_add(&thread->figures->steps[client->scenario][client->step], took_ns);
        client->step++;
}

/* Looks at one line without its CRLF; false when it is wrong, and the session is over. */
static bool line_take(struct load_thread *thread, struct client *client, const char *line, size_t length,
                      bool *ret_is_last)
{
        int expected = scenario_of(thread, client)->steps[client->step].code, code = 0;
        bool is_reply = length >= 3 && ascii_is_digit(line[0]) && ascii_is_digit(line[1]) &&
                        ascii_is_digit(line[2]) && (length == 3 || line[3] == ' ' || line[3] == '-');

        if (is_reply)
                code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0';
        if (code == 0 || code != expected || client->is_paused) {
                client_fail(thread, client, "got \"%.*s\", expected %d", (int)length, line, expected);
                return false;
        }
        *ret_is_last = length == 3 || line[3] == ' ';
        return true;
}

/* Sends what comes next. True when the server has to wait for that. */
static bool reply_done(struct load_thread *thread, struct client *client, uint64_t now_ns)
{
        const struct scenario *scenario = scenario_of(thread, client);
        int code = scenario->steps[client->step].code;

        thread->figures->codes[code] += is_measuring(thread);
        step_done(thread, client, now_ns);
        if (client->step == scenario->step_count)
                return true;
        const struct step *next = &scenario->steps[client->step];
        flight_send_in_time(thread, client);
        return next->piece_count > 0 || next->pause_ms > 0 || next->code == CODE_CLOSE ||
               next->code == CODE_TLS;
}

/* Looks at the whole lines of what has come. False when the session is over. */
static bool lines_take(struct load_thread *thread, struct client *client, uint64_t now_ns)
{
        size_t begin = 0;
        bool must_wait = false, is_last;
        const char *end;

        while ((end = memmem(client->reply + begin, client->reply_length - begin, "\r\n", 2)) != NULL) {
                size_t length = (size_t)(end - client->reply) - begin;
                if (must_wait) {
                        client_fail(thread, client, "one reply too many: \"%.*s\"", (int)length,
                                    client->reply + begin);
                        return false;
                }
                if (!line_take(thread, client, client->reply + begin, length, &is_last))
                        return false;
                begin += length + 2;
                if (is_last)
                        must_wait = reply_done(thread, client, now_ns);
        }
        client->reply_length -= begin;
        memmove(client->reply, client->reply + begin, client->reply_length);
        if (client->reply_length == REPLY_SIZE) {
                client_fail(thread, client, "a line without end");
                return false;
        }
        return true;
}

/* A reset after the last reply is a close too: a server that closes on a client which talks too much sends
 * one. */
static void take_end(struct load_thread *thread, struct client *client, int error, uint64_t now_ns)
{
        const struct scenario *scenario = scenario_of(thread, client);

        if (scenario->steps[client->step].code != CODE_CLOSE) {
                client_fail(thread, client, "connection lost: %s", error == 0 ? "closed" : strerror(error));
                return;
        }
        step_done(thread, client, now_ns);
        client_succeed(thread, client, now_ns);
}

static bool is_in_handshake(const struct load_thread *thread, const struct client *client)
{
        return scenario_of(thread, client)->steps[client->step].code == CODE_TLS && client->ssl != NULL;
}

/* True when the handshake is done, and there may be something to read. */
static bool take_handshake(struct load_thread *thread, struct client *client, uint64_t now_ns)
{
        enum secure_progress progress = secure_handshake(thread, client);

        wire_send(thread, client);
        if (progress == SECURE_WAITS)
                return false;
        if (progress == SECURE_FAILED) {
                client_fail(thread, client, "no TLS: %s", errno != 0 ? strerror(errno) : secure_reason());
                return false;
        }
        if (!secure_is_as_wished(thread, client)) {
                client_fail(thread, client, "a full handshake instead of a resumed one");
                return false;
        }
        step_done(thread, client, now_ns);
        if (client->step == scenario_of(thread, client)->step_count) {
                client_succeed(thread, client, now_ns);
                return false;
        }
        flight_send_in_time(thread, client);
        return true;
}

static ssize_t receive(struct load_thread *thread, struct client *client, size_t room)
{
        char *into = client->reply + client->reply_length;

        if (client->ssl != NULL)
                return secure_receive(thread, client, into, room);
        return recv(client->fd, into, room, 0);
}

static void take_input(struct load_thread *thread, struct client *client, uint64_t now_ns)
{
        for (;;) {
                if (is_in_handshake(thread, client) && !take_handshake(thread, client, now_ns))
                        return;
                size_t room = REPLY_SIZE - client->reply_length;
                ssize_t received = receive(thread, client, room);
                if (received < 0 && errno == EAGAIN)
                        return;
                if (received <= 0) {
                        take_end(thread, client, received == 0 ? 0 : errno, now_ns);
                        return;
                }
                client->reply_length += (size_t)received;
                if (!lines_take(thread, client, now_ns))
                        return;
                if (client->step == scenario_of(thread, client)->step_count) {
                        client_succeed(thread, client, now_ns);
                        return;
                }
                /* Under an edge a short read has emptied the socket, unless an end came with it. */
                if ((size_t)received < room && !client->is_hung_up && client->ssl == NULL)
                        return;
        }
}

void client_event(struct load_thread *thread, struct client *client, uint32_t events, uint64_t now_ns)
{
        client->is_hung_up |= (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        if (client->unsent != NULL && (events & EPOLLOUT))
                flight_send_rest(thread, client);
        if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
                take_input(thread, client, now_ns);
}

/* ---- beginning ----------------------------------------------------------------------------------------- */

static uint16_t choose_scenario(struct load_thread *thread)
{
        const struct workload *workload = thread->load->plan.workload;
        unsigned share = (unsigned)(load_random(thread) % workload->share_total);
        uint16_t i = 0;

        while (share >= workload->scenarios[i].share)
                share -= workload->scenarios[i++].share;
        return i;
}

/* The size of each network is a power of two, so no two sessions of a load have the same address before all
 * have been used, and loads begin elsewhere each. */
static uint32_t choose_address(struct load_thread *thread, const struct scenario *scenario)
{
        const struct load *load = thread->load;
        uint64_t number = thread->addresses_given++ * load->thread_count + thread->number;

        if (load->plan.variety != 0)
                number = (load_random(thread) >> 16) % load->plan.variety;
        else
                number = (number + load->start_ns) * 2654435761u;
        return scenario->network + (uint32_t)(number % scenario->network_size);
}

static uint32_t choose_name(struct load_thread *thread)
{
        unsigned variety = thread->load->plan.variety;
        uint32_t number = (uint32_t)(load_random(thread) >> 16);
        return variety == 0 ? number : number % variety;
}

bool client_begin(struct load_thread *thread, struct client *client, uint64_t begin_ns)
{
        struct sockaddr_in from = {.sin_family = AF_INET};
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = client};
        const struct sockaddr_in *server = &thread->load->plan.server;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

        if (fd < 0)
                return false;
        *client = (struct client){.fd = fd, .begin_ns = begin_ns, .scenario = choose_scenario(thread)};
        client->random = (uint32_t)load_random(thread);
        client->name = choose_name(thread);
        const struct scenario *scenario = scenario_of(thread, client);
        from.sin_addr.s_addr = htonl(choose_address(thread, scenario));
        inet_ntop(AF_INET, &from.sin_addr, client->address, sizeof client->address);
        /* The port is chosen at connect(), so that each address has all ports. */
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        if (bind(fd, (const struct sockaddr *)&from, sizeof from) != 0 ||
            (connect(fd, (const struct sockaddr *)server, sizeof *server) != 0 && errno != EINPROGRESS) ||
            epoll_ctl(thread->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
                client_fail(thread, client, "cannot connect: %s", strerror(errno));
                return true;
        }
        flight_send_in_time(thread, client);
        return true;
}
