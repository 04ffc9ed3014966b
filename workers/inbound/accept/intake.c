/* From accept4() to the worker. */
#include "workers/inbound/accept/intake.h"

#include "core/smtp/admit.h"
#include "dns/clock.h"

#include <errno.h>

#define BACKLOG_MAX 8192 /* more than the longest backlog: what comes later comes too late */

/* False: the client is gone. */
static bool greet(const struct snapshot *snapshot, const struct arrival *arrival)
{
        char octets[1024];
        struct text line;

        text_over(&line, octets, sizeof octets);
        client_reply_write(&line, snapshot,
                           &(struct client_reply){.id = REPLY_banner, .client = &arrival->peer.client});
        return send(arrival->fd, line.at, line.length, MSG_NOSIGNAL) == (ssize_t)line.length;
}

/* `greets`: the banner goes out at once where nothing is due before it, so that of acceptor and worker only
 * one has to wake for it. Else the worker greets, and is told at once; to it goes also who is gone already, for
 * the log. False: memory or descriptors are out. */
static bool let_in(struct acceptor *acceptor, const struct snapshot *snapshot, struct arrival *arrival,
                   bool greets)
{
        arrival->peer.is_greeted =
            greets &&
            client_is_greeted_at_once(snapshot, &arrival->peer, load_rung(acceptor->admission.parts.load)) &&
            greet(snapshot, arrival);
        if (handover_send(&acceptor->handover, arrival, acceptor->admission.now_ms))
                return true;
        admission_note_shortage(&acceptor->admission, "handover_failed", errno);
        return false;
}

/* A connection of the listener, or -1 with errno. */
static int take_socket(const struct listener *listener, struct sockaddr_storage *ret_client)
{
        socklen_t length = sizeof *ret_client;
        return accept4(listener->fd, (struct sockaddr *)ret_client, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/* What became of take_socket(). Errors of a single connection (accept(2)) count as one, and so does the signal
 * of an order. */
static enum accepted admit(struct acceptor *acceptor, const struct snapshot *snapshot,
                           const struct listener *listener, int fd, const struct sockaddr_storage *client,
                           bool greets)
{
        struct arrival arrival;

        if (fd < 0 && errno == EAGAIN)
                return ACCEPTED_NOBODY;
        if (fd < 0 && error_is_shortage(errno)) {
                admission_note_shortage(&acceptor->admission, "accept_failed", errno);
                return ACCEPTED_SHORTAGE;
        }
        acceptor->shortage_us = 0;
        if (fd < 0 || !admission_judge(&acceptor->admission, snapshot, listener, fd,
                                       (const struct sockaddr *)client, &arrival))
                return ACCEPTED;
        return let_in(acceptor, snapshot, &arrival, greets) ? ACCEPTED : ACCEPTED_SHORTAGE;
}

enum accepted intake_one(struct acceptor *acceptor, const struct listener *listener)
{
        struct sockaddr_storage client;
        int fd = take_socket(listener, &client), error = errno;

        acceptor->admission.now_ms = clock_monotonic_ms();
        heartbeat_turn(&acceptor->heartbeat, acceptor->admission.now_ms);
        struct published *published = publication_pin(acceptor->publication, acceptor->pinner);
        errno = error;
        enum accepted accepted = admit(acceptor, published->snapshot, listener, fd, &client, true);
        publication_unpin(published, acceptor->pinner);
        return accepted;
}

uint32_t intake_all(struct acceptor *acceptor, const struct listener *listener, uint64_t max,
                    enum accepted *ret_last)
{
        struct published *published = publication_pin(acceptor->publication, acceptor->pinner);
        enum accepted accepted = ACCEPTED;
        struct sockaddr_storage client;
        uint32_t count = 0;

        while (count < max && accepted == ACCEPTED) {
                int fd = take_socket(listener, &client);
                accepted = admit(acceptor, published->snapshot, listener, fd, &client, false);
                count += accepted == ACCEPTED;
        }
        publication_unpin(published, acceptor->pinner);
        *ret_last = accepted;
        return count;
}

enum accepted intake_last(struct acceptor *acceptor, const struct snapshot *snapshot,
                          const struct listener *listener, enum departure departure)
{
        bool turns_away = acceptor->is_stopping || departure >= DEPARTURE_LATE;
        enum accepted accepted = ACCEPTED;
        struct sockaddr_storage client;

        for (int count = 0; count < BACKLOG_MAX && accepted == ACCEPTED; count++) {
                int fd = turns_away ? -1 : take_socket(listener, &client);
                accepted = turns_away ? admission_turn_away(&acceptor->admission, snapshot, listener)
                                      : admit(acceptor, snapshot, listener, fd, &client, false);
        }
        return accepted;
}
