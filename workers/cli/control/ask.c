/* The client's side of the control socket: a line out, lines of JSON back. */
#include "workers/cli/control/ask.h"

#include "conf/build/load.h"
#include "workers/cli/usage.h"
#include "workers/local/socket.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_TRIES    50 /* while the server's queue is full */
#define CONNECT_PAUSE_MS 100
#define ANSWER_WAIT_MS   600000 /* a reload reads files that may lie on a slow disk */

static int fail(const char *what, const char *reason)
{
        fprintf(stderr, "gatepost: %s: %s\n", what, reason);
        return -1;
}

static int connect_to(const char *path)
{
        int fd = local_socket_connect(path);

        for (int i = 0; i < CONNECT_TRIES && fd < 0 && errno == EAGAIN; i++) {
                poll(NULL, 0, CONNECT_PAUSE_MS);
                fd = local_socket_connect(path);
        }
        if (fd >= 0)
                return fd;
        return fail(path,
                    errno == ENOENT || errno == ECONNREFUSED ? "no server listens there" : strerror(errno));
}

/* The socket of the server that has this configuration, or -1. */
static int find_server(const char *configuration)
{
        struct conf_complaints complaints = {0};
        struct snapshot *snapshot = snapshot_load_faulty(configuration, &complaints);
        int fd = -1;

        if (snapshot == NULL)
                fputs(complaints.text == NULL ? "" : complaints.text, stderr);
        else if (snapshot->options.control[0] == '\0')
                fail(configuration, "it sets no option `control`, so there is no socket to ask");
        else
                fd = connect_to(snapshot->options.control);
        conf_complaints_end(&complaints);
        snapshot_free(snapshot);
        return fd;
}

static bool send_line(int fd, const char *line)
{
        char octets[1024];
        int length = snprintf(octets, sizeof octets, "%s\n", line);

        return length < (int)sizeof octets && send(fd, octets, (size_t)length, MSG_NOSIGNAL) == length;
}

static const char *name_of(const struct ask *ask)
{
        return ask->name != NULL ? ask->name : ask->order;
}

/* True: it was the last line, and *ret_status is set. */
static bool take_line(const struct ask *ask, const char *text, int *ret_status)
{
        json_t *line = json_loads(text, 0, NULL), *ok = json_object_get(line, "ok");
        bool is_last = ok != NULL;

        if (is_last && !json_is_true(ok))
                fprintf(stderr, "gatepost: %s: %s\n", name_of(ask),
                        json_string_value(json_object_get(line, "error")));
        if (is_last)
                *ret_status = json_is_true(ok) ? 0 : 1;
        else if (ask->show != NULL)
                ask->show(line);
        else
                fputs(text, stdout);
        json_decref(line);
        return is_last;
}

/* The next line is there, the server has gone, or this is a wait in vain. */
static bool await_more(int fd, const struct ask *ask)
{
        struct pollfd event = {.fd = fd, .events = POLLIN};
        return poll(&event, 1, ask->has_no_end ? -1 : ANSWER_WAIT_MS) == 1;
}

/* Takes the lines that are whole, and leaves the rest at the beginning. True: the last one was among them. */
static bool take_lines(const struct ask *ask, char *octets, size_t *length, int *ret_status)
{
        char *line = octets, *end;
        bool is_last = false;

        while (!is_last && (end = strchr(line, '\n')) != NULL) {
                char after = end[1];
                end[1] = '\0';
                is_last = take_line(ask, line, ret_status);
                end[1] = after;
                line = end + 1;
        }
        *length -= (size_t)(line - octets);
        memmove(octets, line, *length);
        return is_last;
}

static int take_answer(int fd, const struct ask *ask)
{
        size_t room = 65536, length = 0;
        char *octets = malloc(room + 1);
        int status = 1;
        bool is_over = false;
        ssize_t received;

        while (octets != NULL && !is_over && length < room && await_more(fd, ask) &&
               (received = recv(fd, octets + length, room - length, 0)) > 0) {
                length += (size_t)received;
                octets[length] = '\0';
                is_over = take_lines(ask, octets, &length, &status);
                /* Else it would be followed for nobody, as long as the server runs. */
                if (fflush(stdout) != 0) {
                        fail("standard output", strerror(errno));
                        is_over = true;
                }
        }
        free(octets);
        if (!is_over)
                fail(name_of(ask), "the server has gone, or does not answer");
        return status;
}

int ask_server(const struct ask *ask, const char *help)
{
        int status = 1;

        if (ask->configuration == NULL)
                return usage_fault(help, "%s: -c FILE is missing", name_of(ask));
        int fd = find_server(ask->configuration);
        if (fd < 0)
                return 1;
        if (send_line(fd, ask->order))
                status = take_answer(fd, ask);
        else
                fail(name_of(ask), strerror(errno));
        close(fd);
        return status;
}
