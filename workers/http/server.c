/* The loop of HTTP. */
#include "workers/http/server.h"

#include "core/base/expect.h"
#include "dns/clock.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>
#include <urcu/urcu-memb.h>

#define LOOK_MS 1000

/* In the place of a door: there is to be none. */
static struct http_door no_door;

static void change_door(struct http_server *server)
{
        struct http_door *next = atomic_exchange(&server->next, NULL);

        if (next == NULL)
                return;
        http_door_close(server->door);
        server->door = next == &no_door ? NULL : next;
        server->look_ms = 0;
}

static void look_if_due(struct http_server *server)
{
        uint64_t now_ms = clock_monotonic_ms();

        if (server->door == NULL || now_ms < server->look_ms)
                return;
        server->look_ms = now_ms + LOOK_MS;
        http_door_look(server->door, now_ms);
        server->look(server->context, now_ms);
}

static uint64_t pause_ms(const struct http_server *server)
{
        uint64_t now_ms = clock_monotonic_ms();
        return http_door_pause_ms(server->door, server->look_ms > now_ms ? server->look_ms - now_ms : 0);
}

/* Until something comes. What the main thread says before this is found at once. */
static void rest(struct http_server *server)
{
        uint64_t count;

        waker_prepare(&server->waker);
        if (atomic_load(&server->next) != NULL || atomic_load(&server->is_stopping)) {
                waker_stay_awake(&server->waker);
                return;
        }
        if (server->door == NULL) {
                waker_sleep(&server->waker);
                return;
        }
        struct pollfd events[] = {{.fd = server->door->epoll_fd, .events = POLLIN},
                                  {.fd = server->waker.event_fd, .events = POLLIN}};
        poll(events, 2, (int)pause_ms(server));
        if ((events[1].revents & POLLIN) != 0)
                while (read(server->waker.event_fd, &count, sizeof count) < 0)
                        expect(errno == EINTR);
        waker_stay_awake(&server->waker);
}

static void *http_main(void *argument)
{
        struct http_server *server = argument;

        pthread_setname_np(pthread_self(), "http");
        urcu_memb_register_thread();
        while (!atomic_load(&server->is_stopping)) {
                change_door(server);
                look_if_due(server);
                bool has_more = server->door != NULL && server->work(server->context);
                if (server->door != NULL)
                        http_door_serve(server->door);
                if (!has_more)
                        rest(server);
        }
        change_door(server);
        http_door_close(server->door);
        urcu_memb_unregister_thread();
        return NULL;
}

bool http_server_start(struct http_server *server, void (*look)(void *context, uint64_t now_ms),
                       bool (*work)(void *context), void *context)
{
        *server =
            (struct http_server){.look = look, .work = work, .context = context, .waker = {.event_fd = -1}};
        server->is_started =
            waker_open(&server->waker) && pthread_create(&server->thread, NULL, http_main, server) == 0;
        return server->is_started;
}

void http_server_use(struct http_server *server, struct http_door *door)
{
        struct http_door *unseen = atomic_exchange(&server->next, door == NULL ? &no_door : door);

        if (unseen != &no_door)
                http_door_close(unseen);
        waker_wake(&server->waker);
}

bool http_server_stop(struct http_server *server, uint64_t until_ms)
{
        atomic_store(&server->is_stopping, true);
        if (server->is_started)
                waker_wake(&server->waker);
        return !server->is_started || clock_join_thread(server->thread, until_ms);
}

void http_server_end(struct http_server *server)
{
        waker_close(&server->waker);
}
