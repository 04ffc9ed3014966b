/* Its start, its words and its end. */
#include "workers/server/upgrade/successor.h"

#include "dns/clock.h"
#include "workers/inbound/accept/inherited.h"
#include "workers/log/console.h"
#include "workers/server/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LAUNCHER_MS 5000 /* a fork, or an end by force */
#define OUTPUT_MS   2000 /* what it has said, once it has ended or gone on */
#define LOOK_MS     50

_Static_assert(INHERITED_MAX <= LAUNCH_SOCKETS_MAX, "all sockets go in one message");

static bool fail_for(struct successor *successor, const char *reason, const char *detail)
{
        snprintf(successor->reason, sizeof successor->reason, "%s%s", reason, detail);
        return false;
}

static bool fail(struct successor *successor, const char *reason)
{
        return fail_for(successor, reason, "");
}

/* ---- what it says -------------------------------------------------------------------------------------- */

static void keep(struct successor *successor, struct span said)
{
        size_t room = sizeof successor->said - successor->length;

        console_write(STDERR_FILENO, said);
        if (said.length > room) {
                size_t lost = said.length - room;
                successor->length -= lost;
                memmove(successor->said, successor->said + lost, successor->length);
        }
        memcpy(successor->said + successor->length, said.at, said.length);
        successor->length += said.length;
}

static void close_output(struct successor *successor)
{
        if (successor->output >= 0)
                close(successor->output);
        successor->output = -1;
}

static void read_output(struct successor *successor)
{
        char octets[SUCCESSOR_SAID_MAX];
        ssize_t length = successor->output < 0 ? -1 : read(successor->output, octets, sizeof octets);

        if (length > 0)
                keep(successor, span_of(octets, (size_t)length));
        if (length == 0)
                close_output(successor);
}

void successor_let_go(struct successor *successor)
{
        uint64_t until_ms = clock_monotonic_ms() + OUTPUT_MS, now_ms;

        while (successor->output >= 0 && (now_ms = clock_monotonic_ms()) < until_ms) {
                struct pollfd event = {.fd = successor->output, .events = POLLIN};
                if (poll(&event, 1, (int)(until_ms - now_ms)) == 1)
                        read_output(successor);
        }
        close_output(successor);
        if (successor->channel >= 0)
                close(successor->channel);
        successor->channel = -1;
}

/* ---- start --------------------------------------------------------------------------------------------- */

/* Those that others keep come first. */
static struct launch_message fill(const struct inherited_list *list, int descriptors[static INHERITED_MAX])
{
        struct launch_message message = {.order = LAUNCH_START};

        for (size_t i = 0; i < list->count; i++)
                if (!list->sockets[i].is_ours)
                        descriptors[message.kept++] = list->sockets[i].fd;
        for (size_t i = 0; i < list->count; i++)
                if (list->sockets[i].is_ours)
                        descriptors[message.kept + message.own++] = list->sockets[i].fd;
        return message;
}

/* What an earlier one has left behind in the launcher's socket is passed over. */
static bool hear_of_start(struct successor *successor)
{
        struct launch_report report;

        while (launcher_hear(successor->launcher, LAUNCHER_MS, &report)) {
                if (report.news == LAUNCH_REFUSED)
                        return fail_for(successor,
                                        "the new process cannot be started: ", strerror(report.value));
                if (report.news == LAUNCH_HAS_STARTED) {
                        successor->pid = report.value;
                        return true;
                }
        }
        return fail(successor, "the launcher does not answer; a restart brings another one");
}

static bool launch(struct successor *successor, const struct inherited_list *list, int channel, int output)
{
        int descriptors[LAUNCH_DESCRIPTORS_MAX];
        struct launch_message message = fill(list, descriptors);

        descriptors[message.kept + message.own] = channel;
        descriptors[message.kept + message.own + 1] = output;
        if (!launcher_order(successor->launcher, &message, descriptors))
                return fail_for(successor,
                                "the launcher has gone; a restart brings another one: ", strerror(errno));
        return hear_of_start(successor);
}

bool successor_start(struct successor *successor, const struct inherited_list *list, uint32_t id_lane,
                     const char *http_path)
{
        struct channel_greeting greeting = {
            .magic = CHANNEL_MAGIC, .id_lane = id_lane, .predecessor = (int32_t)getpid()};
        int pair[2], ends[2];

        if (http_path != NULL)
                snprintf(greeting.http_path, sizeof greeting.http_path, "%s", http_path);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
                return fail(successor, "descriptors are out");
        successor->channel = pair[0];
        /* It is there before the successor can look. */
        bool is_piped = send(pair[0], &greeting, sizeof greeting, MSG_NOSIGNAL) == (ssize_t)sizeof greeting &&
                        pipe2(ends, O_CLOEXEC) == 0;
        bool is_started = is_piped && launch(successor, list, pair[1], ends[1]);
        close(pair[1]);
        if (!is_piped)
                return fail(successor, "descriptors are out");
        close(ends[1]);
        successor->output = ends[0];
        return is_started;
}

/* ---- words --------------------------------------------------------------------------------------------- */

static bool take_word(struct successor *successor, enum channel_word word)
{
        char octet;
        ssize_t length = recv(successor->channel, &octet, 1, MSG_DONTWAIT);

        if (length == 1 && octet == (char)word)
                return true;
        successor->has_ended = length < 1;
        return fail(successor, length == 1 ? "the new process says what nobody understands"
                                           : "the new process has ended");
}

bool successor_await(struct successor *successor, enum channel_word word, uint64_t until_ms)
{
        for (;;) {
                struct pollfd events[] = {{.fd = successor->channel, .events = POLLIN},
                                          {.fd = successor->output, .events = POLLIN}};
                int count = poll(events, 2, LOOK_MS);
                if (count > 0 && events[1].revents != 0)
                        read_output(successor);
                if (count > 0 && events[0].revents != 0)
                        return take_word(successor, word);
                if (signal_of_end_is_pending())
                        return fail(successor, "the server stops");
                if (clock_monotonic_ms() >= until_ms)
                        return fail(successor, "the new process was not ready in time");
        }
}

bool successor_say_go(struct successor *successor)
{
        const char octet = CHANNEL_GO;

        if (send(successor->channel, &octet, 1, MSG_NOSIGNAL) == 1)
                return true;
        successor->has_ended = true;
        return fail(successor, "the new process has ended");
}

/* ---- end ----------------------------------------------------------------------------------------------- */

/* By itself, or by us. */
static void tell_status(struct successor *successor, int status)
{
        if (!successor->has_ended)
                return;
        snprintf(successor->reason, sizeof successor->reason, "the new process has ended %s %d",
                 WIFSIGNALED(status) ? "by signal" : "with status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static bool hear_of_end(struct successor *successor)
{
        struct launch_report report;
        bool is_heard = launcher_hear(successor->launcher, LAUNCHER_MS, &report);

        if (is_heard)
                tell_status(successor, report.value);
        return is_heard;
}

/* One that ends has closed the channel a moment ago, and its status is wanted. */
void successor_stop(struct successor *successor)
{
        const struct launch_message end = {.order = LAUNCH_END};

        if (successor->pid != 0 && (!successor->has_ended || !hear_of_end(successor)) &&
            launcher_order(successor->launcher, &end, NULL))
                hear_of_end(successor);
        successor->pid = 0;
        successor_let_go(successor);
}
