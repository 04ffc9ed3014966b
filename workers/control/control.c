/* The loop of the control thread, over its few clients. */
#include "workers/control/control.h"

#include "dns/clock.h"
#include "workers/control/follower.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLLOW_LOOK_MS 50 /* workers wake nobody for a line */
#define DEAF_MS        100
#define BACKLOG        64

/* ---- clients ------------------------------------------------------------------------------------------- */

/* Whoever has been silent for longest makes room for the next one: so a few that hang keep nobody out. */
static struct control_client *find_place(struct control *control)
{
        struct control_client *found = NULL;

        for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
                struct control_client *client = &control->clients[i];
                if (client->fd < 0)
                        return client;
                if (!client->is_waiting && client->follower == 0 &&
                    (found == NULL || client->deadline_ms < found->deadline_ms))
                        found = client;
        }
        return found;
}

/* Whoever finds no place waits in the queue. */
static void take_client(struct control *control)
{
        struct control_client *client = find_place(control);
        int fd = client == NULL ? -1 : accept4(control->socket_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        /* Descriptors are out: whoever waits still does in a moment. */
        if (fd < 0 && client != NULL && errno != EAGAIN)
                control->deaf_until_ms = clock_monotonic_ms() + DEAF_MS;
        if (fd < 0)
                return;
        if (client->fd >= 0)
                control_client_drop(client);
        control_client_begin(client, fd);
}

/* ---- orders -------------------------------------------------------------------------------------------- */

static void tell_orders(struct control_client *client)
{
        for (size_t i = 0; i < CONTROL_ORDER_COUNT; i++) {
                text_put(&client->out, SPAN("{\"order\":"));
                text_put_json(&client->out, span_from(control_order_words[i]));
                text_put(&client->out, SPAN(",\"purpose\":"));
                text_put_json(&client->out, span_from(control_order_purposes[i]));
                text_put(&client->out, SPAN("}\n"));
        }
        text_put(&client->out,
                 SPAN("{\"order\":\"trace\",\"purpose\":\"follows sessions live: ip=NETWORK, from=PATTERN or "
                      "to=PATTERN, then maybe rate=LINES\"}\n"));
        control_client_answer(client, NULL);
}

static bool take_argument(struct control_client *client, enum control_argument wanted, struct span argument)
{
        client->number = 0;
        span_copy_cut(argument, client->words, sizeof client->words);
        switch (wanted) {
        case CONTROL_TAKES_NOTHING:
                return argument.length == 0;
        case CONTROL_TAKES_NUMBER:
                return span_number(argument, &client->number);
        case CONTROL_TAKES_WORDS:
                break;
        }
        return argument.length > 0;
}

/* CONTROL_ORDER_COUNT: it is none. */
static enum control_order find_order(struct span line, struct control_client *client)
{
        struct span word = span_take_word(&line), argument = span_trim(line);
        size_t order = 0;

        while (order < CONTROL_ORDER_COUNT && !span_equals(word, span_from(control_order_words[order])))
                order++;
        if (order == CONTROL_ORDER_COUNT)
                return CONTROL_ORDER_COUNT;
        bool is_good = take_argument(client, control_order_arguments[order], argument);
        return is_good ? (enum control_order)order : CONTROL_ORDER_COUNT;
}

static void obey(struct control *control, struct control_client *client, struct span line)
{
        struct span word = span_trim(line);

        if (word.length > 0 && word.at[word.length - 1] == '\r')
                word = span_trim(span_of(word.at, word.length - 1));
        if (word.length == 0)
                return;
        if (client->is_stranger) {
                control_client_answer_and_end(client, "only root and the server's own user may");
                return;
        }
        if (span_equals(word, SPAN("help"))) {
                tell_orders(client);
                return;
        }
        if (span_starts_nocase(word, SPAN("trace "))) {
                follower_begin(client, control->parts.board, span_trim(span_skip(word, 6)));
                return;
        }
        enum control_order order = find_order(word, client);
        if (order == CONTROL_ORDER_COUNT) {
                control_client_answer(client, "there is no such order; help lists all of them");
                return;
        }
        client->is_waiting = true;
        client->is_given = false;
        client->order = order;
        client->asked = ++control->asked;
}

static void take_lines(struct control *control, struct control_client *client)
{
        char octets[CONTROL_LINE_MAX];
        struct span line;

        while (control_client_next_line(client, octets, &line))
                obey(control, client, line);
}

/* Hanging up takes no order back that the main thread has. */
static void serve(struct control *control, struct control_client *client, short events)
{
        bool is_there =
            (events & (POLLERR | POLLHUP)) == 0 || client->out.length > 0 || (events & POLLIN) != 0;

        if (is_there && (events & POLLIN) != 0 && control_client_is_read(client))
                is_there = control_client_receive(client);
        if (is_there)
                take_lines(control, client);
        if (is_there && client->out.length > 0)
                is_there = control_client_tell(client);
        if (is_there)
                take_lines(control, client);
        if (is_there && !control_client_is_over(client, clock_monotonic_ms()))
                return;
        follower_end(client, control->parts.board);
        control_client_drop(client);
}

/* ---- the main thread's part ---------------------------------------------------------------------------- */

static struct control_client *find_given(struct control *control)
{
        for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
                if (control->clients[i].fd >= 0 && control->clients[i].is_given)
                        return &control->clients[i];
        return NULL;
}

static struct control_client *find_next(struct control *control)
{
        struct control_client *found = NULL;

        for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
                struct control_client *client = &control->clients[i];
                if (client->fd >= 0 && client->is_waiting && (found == NULL || client->asked < found->asked))
                        found = client;
        }
        return found;
}

/* The answer of whoever has hung up is for nobody; the log has the order. */
static void take_answer(struct control *control)
{
        struct control_job *job = &control->job;
        struct control_client *client = find_given(control);

        if (client != NULL) {
                text_put(&client->out, text_span(&job->answer));
                client->is_waiting = client->is_given = false;
                client->deadline_ms = clock_monotonic_ms() + CONTROL_LINE_WAIT_MS;
        }
        atomic_store_explicit(&job->stage, CONTROL_JOB_FREE, memory_order_relaxed);
}

static void give_order(struct control *control)
{
        struct control_job *job = &control->job;
        struct control_client *client = find_next(control);

        if (client == NULL)
                return;
        client->is_given = true;
        job->order = client->order;
        job->number = client->number;
        memcpy(job->words, client->words, sizeof job->words);
        job->user = client->user;
        job->process = client->process;
        job->answer.length = 0;
        job->answer.overflowed = false;
        atomic_store_explicit(&job->stage, CONTROL_JOB_GIVEN, memory_order_release);
        pthread_kill(control->parts.main, control->parts.signal_number);
}

static void see_to_job(struct control *control)
{
        int stage = atomic_load_explicit(&control->job.stage, memory_order_acquire);

        if (stage == CONTROL_JOB_DONE)
                take_answer(control);
        if (stage != CONTROL_JOB_GIVEN)
                give_order(control);
}

static void wake(struct control *control)
{
        eventfd_write(control->event_fd, 1);
}

struct control_job *control_next(struct control *control)
{
        struct control_job *job = &control->job;
        return atomic_load_explicit(&job->stage, memory_order_acquire) == CONTROL_JOB_GIVEN ? job : NULL;
}

void control_done(struct control *control, struct control_job *job, const char *error)
{
        control_answer_end(&job->answer, error);
        atomic_store_explicit(&job->stage, CONTROL_JOB_DONE, memory_order_release);
        wake(control);
}

/* ---- turn ---------------------------------------------------------------------------------------------- */

static int wait_ms(const struct control *control)
{
        uint64_t now_ms = clock_monotonic_ms(), first_ms = now_ms + CONTROL_LINE_WAIT_MS;

        for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
                const struct control_client *client = &control->clients[i];
                if (client->fd >= 0 && !client->is_waiting && client->follower == 0 &&
                    client->deadline_ms < first_ms)
                        first_ms = client->deadline_ms;
                if (client->fd >= 0 && client->follower != 0 && now_ms + FOLLOW_LOOK_MS < first_ms)
                        first_ms = now_ms + FOLLOW_LOOK_MS;
        }
        if (control->deaf_until_ms > now_ms && control->deaf_until_ms < first_ms)
                first_ms = control->deaf_until_ms;
        return first_ms > now_ms ? (int)(first_ms - now_ms) : 0;
}

static void control_turn(struct control *control)
{
        struct pollfd polled[CONTROL_CLIENTS_MAX + 2];
        eventfd_t count;

        for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
                const struct control_client *client = &control->clients[i];
                short events = (short)((control_client_is_read(client) ? POLLIN : 0) |
                                       (client->out.length > 0 ? POLLOUT : 0));
                /* Whoever waits may hang up; nothing is lost when that is seen at the end. */
                polled[i] = (struct pollfd){.fd = client->is_waiting ? -1 : client->fd, .events = events};
        }
        bool is_deaf = find_place(control) == NULL || clock_monotonic_ms() < control->deaf_until_ms;
        polled[CONTROL_CLIENTS_MAX] =
            (struct pollfd){.fd = is_deaf ? -1 : control->socket_fd, .events = POLLIN};
        polled[CONTROL_CLIENTS_MAX + 1] = (struct pollfd){.fd = control->event_fd, .events = POLLIN};
        if (poll(polled, CONTROL_CLIENTS_MAX + 2, wait_ms(control)) < 0)
                return;
        if (polled[CONTROL_CLIENTS_MAX + 1].revents != 0)
                eventfd_read(control->event_fd, &count);
        see_to_job(control);
        followers_feed(control->clients, CONTROL_CLIENTS_MAX, control->parts.board);
        for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
                if (control->clients[i].fd >= 0)
                        serve(control, &control->clients[i], polled[i].revents);
        if (polled[CONTROL_CLIENTS_MAX].revents != 0)
                take_client(control);
        see_to_job(control);
}

/* What the socket takes at once must do. */
static void say_farewell(struct control_client *client, const char *farewell)
{
        if (client->is_waiting || client->follower != 0)
                control_client_answer(client, farewell);
        if (client->out.length > 0)
                control_client_tell(client);
        control_client_drop(client);
}

static void *control_main(void *argument)
{
        struct control *control = argument;

        pthread_setname_np(pthread_self(), "control");
        while (!atomic_load_explicit(&control->is_stopping, memory_order_acquire))
                control_turn(control);
        if (atomic_load_explicit(&control->job.stage, memory_order_acquire) == CONTROL_JOB_DONE)
                take_answer(control);
        for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
                if (control->clients[i].fd >= 0)
                        say_farewell(&control->clients[i], control->farewell);
        close(control->socket_fd);
        local_socket_remove(control->parts.path, &control->file);
        return NULL;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

const char *control_init(struct control *control, const struct control_parts *parts)
{
        const char *fault;

        *control = (struct control){
            .parts = *parts,
            .event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
            .clients = calloc(CONTROL_CLIENTS_MAX, sizeof control->clients[0]),
            .octets = malloc(CONTROL_CLIENTS_MAX * CONTROL_OUT_SIZE + CONTROL_ANSWER_MAX),
        };
        if (control->event_fd < 0 || control->clients == NULL || control->octets == NULL)
                return "out of memory or descriptors";
        for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
                control->clients[i].fd = -1;
                text_over(&control->clients[i].out, control->octets + i * CONTROL_OUT_SIZE, CONTROL_OUT_SIZE);
        }
        text_over(&control->job.answer, &control->octets[(size_t)CONTROL_CLIENTS_MAX * CONTROL_OUT_SIZE],
                  CONTROL_ANSWER_MAX);
        control->socket_fd = local_socket_open(parts->path, S_IRUSR | S_IWUSR, BACKLOG, parts->predecessor,
                                               &control->file, &fault);
        return fault;
}

bool control_start(struct control *control)
{
        control->is_started = pthread_create(&control->thread, NULL, control_main, control) == 0;
        return control->is_started;
}

bool control_stop(struct control *control, const char *farewell, uint64_t until_ms)
{
        if (!control->is_started)
                return true;
        control->farewell = farewell;
        atomic_store_explicit(&control->is_stopping, true, memory_order_release);
        wake(control);
        return clock_join_thread(control->thread, until_ms);
}

void control_end(struct control *control)
{
        if (!control->is_started)
                return;
        close(control->event_fd);
        free(control->clients);
        free(control->octets);
}
