/* Reading, telling, and their times. */
#include "workers/control/client.h"

#include "dns/clock.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define TAKE_WAIT_MS       10000
#define READS_BEFORE_CLOSE 64
#define OUT_ROOM           (CONTROL_ANSWER_MAX + 1024) /* whoever has less is not read: it is to take answers first */

bool control_client_begin(struct control_client *client, int fd)
{
        struct text out = client->out;
        struct ucred who;
        socklen_t length = sizeof who;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) != 0) {
                close(fd);
                return false;
        }
        out.length = 0;
        out.overflowed = false;
        *client = (struct control_client){
            .fd = fd,
            .out = out,
            .user = who.uid,
            .process = (uint32_t)who.pid,
            /* The mode of the socket says so too, where nobody has changed it. */
            .is_stranger = who.uid != 0 && who.uid != geteuid(),
            .deadline_ms = clock_monotonic_ms() + CONTROL_LINE_WAIT_MS,
        };
        return true;
}

/* Whoever is closed with unread octets has a reset in the place of an end. */
void control_client_drop(struct control_client *client)
{
        for (int i = 0; i < READS_BEFORE_CLOSE; i++)
                if (recv(client->fd, client->line, sizeof client->line, 0) <= 0)
                        break;
        close(client->fd);
        client->fd = -1;
}

static void wait_for_client(struct control_client *client)
{
        client->deadline_ms = clock_monotonic_ms() + (client->ends ? TAKE_WAIT_MS : CONTROL_LINE_WAIT_MS);
}

void control_client_answer(struct control_client *client, const char *error)
{
        control_answer_end(&client->out, error);
        wait_for_client(client);
}

void control_client_answer_and_end(struct control_client *client, const char *error)
{
        client->ends = true;
        control_client_answer(client, error);
}

bool control_client_receive(struct control_client *client)
{
        ssize_t length = recv(client->fd, client->line + client->line_length,
                              sizeof client->line - client->line_length, 0);

        if (length < 0)
                return errno == EAGAIN || errno == EINTR;
        client->is_at_end = length == 0;
        client->line_length += (size_t)length;
        return true;
}

bool control_client_tell(struct control_client *client)
{
        ssize_t length =
            send(client->fd, client->out.at + client->told, client->out.length - client->told, MSG_NOSIGNAL);

        if (length < 0)
                return errno == EAGAIN || errno == EINTR;
        client->told += (size_t)length;
        if (length > 0)
                wait_for_client(client);
        if (client->told == client->out.length)
                client->told = client->out.length = 0;
        return true;
}

bool control_client_is_read(const struct control_client *client)
{
        return !client->is_waiting && client->follower == 0 && !client->ends && !client->is_at_end &&
               client->line_length < sizeof client->line && text_room(&client->out) >= OUT_ROOM;
}

bool control_client_is_over(const struct control_client *client, uint64_t now_ms)
{
        if (client->is_waiting)
                return false;
        if (client->follower != 0)
                return client->out.length > 0 && now_ms >= client->deadline_ms;
        bool is_told = client->out.length == 0;
        return (is_told && (client->ends || (client->is_at_end && client->line_length == 0))) ||
               now_ms >= client->deadline_ms;
}

/* A last line may lack its newline. */
bool control_client_next_line(struct control_client *client, char ret_line[CONTROL_LINE_MAX],
                              struct span *ret_span)
{
        struct span input = span_of(client->line, client->line_length);
        size_t end = span_find(input, '\n');

        if (input.length == 0 || client->is_waiting || client->follower != 0 || client->ends ||
            text_room(&client->out) < OUT_ROOM)
                return false;
        if (end == SIZE_MAX && input.length == sizeof client->line) {
                control_client_answer_and_end(client, "the line is too long");
                return false;
        }
        if (end == SIZE_MAX && !client->is_at_end)
                return false;
        size_t length = end == SIZE_MAX ? input.length : end, used = end == SIZE_MAX ? length : end + 1;
        memcpy(ret_line, input.at, length);
        *ret_span = span_of(ret_line, length);
        client->line_length -= used;
        memmove(client->line, client->line + used, client->line_length);
        return true;
}
