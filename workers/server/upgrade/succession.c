/* The successor's side. */
#include "workers/server/upgrade/succession.h"

#include "dns/clock.h"
#include "workers/log/console.h"
#include "workers/process/launch/launcher.h"
#include "workers/process/powers.h"
#include "workers/server/server.h"
#include "workers/server/signals.h"
#include "workers/server/upgrade/channel.h"

#include <poll.h>
#include <unistd.h>

#define GREETING_MS 5000
#define GO_MS       60000 /* the predecessor ends us long before that, unless it hangs */
#define LOOK_MS     50    /* for a signal that ends us */

bool succession_begin(struct succession *succession, struct inherited_list *list)
{
        struct channel_greeting greeting = {0};

        *succession = (struct succession){.channel = inherited_take(list, LAUNCH_NAME_CHANNEL),
                                          .standard_error = inherited_take(list, LAUNCH_NAME_STDERR)};
        if (succession->channel < 0)
                return true;
        /* Whoever has taken the predecessor over may let us wait here, outside of any sandbox. */
        powers_hide();
        struct pollfd event = {.fd = succession->channel, .events = POLLIN};
        if (poll(&event, 1, GREETING_MS) != 1 ||
            recv(succession->channel, &greeting, sizeof greeting, 0) != (ssize_t)sizeof greeting ||
            strncmp(greeting.magic, CHANNEL_MAGIC, sizeof greeting.magic) != 0) {
                console_fail(
                    "gatepost: the server that has started this one speaks another version; restart it");
                return false;
        }
        succession->predecessor = greeting.predecessor;
        succession->id_lane = greeting.id_lane % ID_LANES;
        snprintf(succession->http_path, sizeof succession->http_path, "%.*s", (int)sizeof greeting.http_path,
                 greeting.http_path);
        inherited_set_path(list, succession->http_path);
        return true;
}

static bool say(const struct succession *succession, enum channel_word word)
{
        const char octet = (char)word;
        return send(succession->channel, &octet, 1, MSG_NOSIGNAL) == 1;
}

/* The predecessor ends us by closing the channel, or by force. */
static bool await_go(const struct succession *succession)
{
        uint64_t until_ms = clock_monotonic_ms() + GO_MS;
        struct pollfd event = {.fd = succession->channel, .events = POLLIN};
        char word;

        if (!say(succession, CHANNEL_READY))
                return false;
        while (poll(&event, 1, LOOK_MS) == 0)
                if (clock_monotonic_ms() >= until_ms || signal_of_end_is_pending())
                        return false;
        return recv(succession->channel, &word, 1, 0) == 1 && word == CHANNEL_GO;
}

/* Until now the predecessor has passed on what we said there, the log's lines too where that is the log. */
static void take_standard_error(struct server *server, const struct snapshot *snapshot)
{
        const char *fault;

        if (server->succession.standard_error < 0)
                return;
        dup2(server->succession.standard_error, STDERR_FILENO);
        close(server->succession.standard_error);
        if (strcmp(snapshot->options.log, "stderr") != 0)
                return;
        struct log_target *log = log_open(snapshot, &fault);
        if (log != NULL)
                log_writer_switch(&server->log, log);
}

bool succession_await(struct server *server, const struct snapshot *snapshot)
{
        if (!await_go(&server->succession)) {
                console_fail("gatepost: the server that has started this one does not let it take over");
                return false;
        }
        take_standard_error(server, snapshot);
        return true;
}

bool succession_confirm(struct server *server)
{
        struct succession *succession = &server->succession;

        log_event(&server->log, "taken_over", LOG_NUMBER("pid", getpid()),
                  LOG_NUMBER("predecessor", succession->predecessor), NULL);
        bool is_said = say(succession, CHANNEL_SERVING);
        close(succession->channel);
        succession->channel = -1;
        return is_said;
}
