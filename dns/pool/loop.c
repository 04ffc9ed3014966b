/* A getdns_eventloop over epoll, with timers in a heap. */
#include "dns/pool/loop.h"

#include "core/base/expect.h"
#include "dns/clock.h"

#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define NONE        UINT32_MAX
#define EVENTS      256
#define WAKE_NUMBER UINT64_MAX
#define FOREVER_MS  ((uint64_t)-1) /* getdns: no timer */

struct loop_slot {
        getdns_eventloop_event *event; /* NULL: free */
        int fd;
        bool is_in_epoll;
        uint64_t due_ms;
        uint32_t heap_at; /* NONE: no timer */
        uint32_t generation;
        uint32_t free_next;
};

/* ---- timers -------------------------------------------------------------------------------------------- */

static void heap_place(struct dns_loop *loop, uint32_t at, uint32_t number)
{
        loop->heap[at] = number;
        loop->slots[number].heap_at = at;
}

static void heap_rise(struct dns_loop *loop, uint32_t at, uint32_t number)
{
        for (; at > 0; at = (at - 1) / 2) {
                uint32_t parent = loop->heap[(at - 1) / 2];
                if (loop->slots[parent].due_ms <= loop->slots[number].due_ms)
                        break;
                heap_place(loop, at, parent);
        }
        heap_place(loop, at, number);
}

static void heap_sink(struct dns_loop *loop, uint32_t at, uint32_t number)
{
        for (uint32_t child; (child = 2 * at + 1) < loop->heap_count; at = child) {
                if (child + 1 < loop->heap_count &&
                    loop->slots[loop->heap[child + 1]].due_ms < loop->slots[loop->heap[child]].due_ms)
                        child++;
                if (loop->slots[number].due_ms <= loop->slots[loop->heap[child]].due_ms)
                        break;
                heap_place(loop, at, loop->heap[child]);
        }
        heap_rise(loop, at, number);
}

static void timer_remove(struct dns_loop *loop, uint32_t number)
{
        uint32_t at = loop->slots[number].heap_at;
        if (at == NONE)
                return;
        loop->slots[number].heap_at = NONE;
        uint32_t last = loop->heap[--loop->heap_count];
        if (last != number)
                heap_sink(loop, at, last);
}

/* ---- slots --------------------------------------------------------------------------------------------- */

static bool slots_grow(struct dns_loop *loop)
{
        uint32_t size = loop->slot_count == 0 ? 256 : loop->slot_count * 2;
        struct loop_slot *slots = reallocarray(loop->slots, size, sizeof *slots);
        if (slots != NULL)
                loop->slots = slots;
        uint32_t *heap = reallocarray(loop->heap, size, sizeof *heap);
        if (heap != NULL)
                loop->heap = heap;
        struct loop_reference *writable = reallocarray(loop->writable, size, sizeof *writable);
        if (writable != NULL)
                loop->writable = writable;
        if (slots == NULL || heap == NULL || writable == NULL)
                return false;
        for (uint32_t number = size; number-- > loop->slot_count;) {
                slots[number] = (struct loop_slot){.free_next = loop->slot_free, .heap_at = NONE};
                loop->slot_free = number;
        }
        loop->slot_count = size;
        return true;
}

static uint64_t reference_pack(const struct dns_loop *loop, uint32_t number)
{
        return (uint64_t)loop->slots[number].generation << 32 | number;
}

/* The event, unless it has been cleared since. */
static getdns_eventloop_event *reference_event(const struct dns_loop *loop, struct loop_reference reference)
{
        const struct loop_slot *slot = &loop->slots[reference.slot];
        return slot->generation == reference.generation ? slot->event : NULL;
}

static bool slot_arm(struct dns_loop *loop, uint32_t number)
{
        struct loop_slot *slot = &loop->slots[number];
        struct epoll_event wanted = {.data.u64 = reference_pack(loop, number)};

        if (slot->event->read_cb != NULL)
                wanted.events |= EPOLLIN;
        if (slot->event->write_cb != NULL)
                wanted.events |= EPOLLOUT;
        slot->is_in_epoll = epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, slot->fd, &wanted) == 0;
        return slot->is_in_epoll;
}

/* ---- what getdns calls --------------------------------------------------------------------------------- */

static bool slot_begin(struct dns_view *view, uint32_t number)
{
        struct dns_loop *loop = view->loop;
        struct loop_slot *slot = &loop->slots[number];

        if (slot->fd < 0 || (slot->event->read_cb == NULL && slot->event->write_cb == NULL))
                return true;
        if (view->peer_length == 0 || slot->event->write_cb == NULL)
                return slot_arm(loop, number);
        if (connect(slot->fd, (struct sockaddr *)&view->peer, view->peer_length) < 0)
                return false;
        loop->writable[loop->writable_count++] = (struct loop_reference){number, slot->generation};
        return true;
}

static void slot_free(struct dns_loop *loop, uint32_t number)
{
        struct loop_slot *slot = &loop->slots[number];

        timer_remove(loop, number);
        if (slot->is_in_epoll)
                epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, slot->fd, NULL);
        *slot = (struct loop_slot){
            .generation = slot->generation + 1, .free_next = loop->slot_free, .heap_at = NONE};
        loop->slot_free = number;
}

static getdns_return_t view_schedule(getdns_eventloop *base, int fd, uint64_t timeout_ms,
                                     getdns_eventloop_event *event)
{
        struct dns_view *view = (struct dns_view *)base;
        struct dns_loop *loop = view->loop;

        /* The list of writable events holds cleared ones too, until the next run. */
        if ((loop->slot_free == NONE || loop->writable_count == loop->slot_count) && !slots_grow(loop))
                return GETDNS_RETURN_MEMORY_ERROR;
        uint32_t number = loop->slot_free;
        struct loop_slot *slot = &loop->slots[number];
        loop->slot_free = slot->free_next;
        slot->event = event;
        slot->fd = fd;
        if (timeout_ms != FOREVER_MS && event->timeout_cb != NULL) {
                slot->due_ms = clock_monotonic_ms() + timeout_ms;
                heap_rise(loop, loop->heap_count++, number);
        }
        if (!slot_begin(view, number)) {
                slot_free(loop, number);
                return GETDNS_RETURN_IO_ERROR;
        }
        event->ev = (void *)(uintptr_t)(number + 1); /* not NULL: scheduled */
        view->scheduled++;
        view->active++;
        return GETDNS_RETURN_GOOD;
}

static getdns_return_t view_clear(getdns_eventloop *base, getdns_eventloop_event *event)
{
        struct dns_view *view = (struct dns_view *)base;

        if (event->ev == NULL)
                return GETDNS_RETURN_GOOD;
        slot_free(view->loop, (uint32_t)(uintptr_t)event->ev - 1);
        event->ev = NULL;
        view->active--;
        return GETDNS_RETURN_GOOD;
}

/* The loop outlives its views. */
static void view_cleanup(getdns_eventloop *base)
{
        (void)base;
}

/* Only the synchronous functions of getdns call these two. */
static void view_run(getdns_eventloop *base)
{
        expect(base == NULL);
}

static void view_run_once(getdns_eventloop *base, int blocking)
{
        expect(base == NULL && blocking);
}

void dns_view_init(struct dns_view *view, struct dns_loop *loop, const struct sockaddr_storage *peer,
                   socklen_t peer_length)
{
        static getdns_eventloop_vmt methods = {view_cleanup, view_schedule, view_clear, view_run,
                                               view_run_once};
        *view = (struct dns_view){.base.vmt = &methods, .loop = loop, .peer_length = peer_length};
        if (peer_length > 0)
                view->peer = *peer;
}

/* ---- a run --------------------------------------------------------------------------------------------- */

static void call(getdns_eventloop_event *event, getdns_eventloop_callback callback)
{
        if (event != NULL && callback != NULL)
                callback(event->userarg);
}

static void wake_fd_drain(const struct dns_loop *loop)
{
        uint64_t wakes;
        ssize_t ignored = read(loop->wake_fd, &wakes, sizeof wakes);
        (void)ignored;
}

static void event_dispatch(struct dns_loop *loop, const struct epoll_event *event)
{
        struct loop_reference reference = {(uint32_t)event->data.u64, (uint32_t)(event->data.u64 >> 32)};
        getdns_eventloop_event *wanted;

        if (event->data.u64 == WAKE_NUMBER) {
                wake_fd_drain(loop);
                return;
        }
        /* Looked up twice: the first callback may clear the event. */
        if ((event->events & (EPOLLIN | EPOLLERR | EPOLLHUP)) &&
            (wanted = reference_event(loop, reference)) != NULL)
                call(wanted, wanted->read_cb);
        if ((event->events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) &&
            (wanted = reference_event(loop, reference)) != NULL)
                call(wanted, wanted->write_cb);
}

static void writables_dispatch(struct dns_loop *loop)
{
        uint32_t now_writable = loop->writable_count;

        for (uint32_t i = 0; i < now_writable; i++) {
                getdns_eventloop_event *event = reference_event(loop, loop->writable[i]);
                if (event != NULL)
                        call(event, event->write_cb);
        }
        loop->writable_count -= now_writable;
        for (uint32_t i = 0; i < loop->writable_count; i++)
                loop->writable[i] = loop->writable[now_writable + i];
}

static void timers_dispatch(struct dns_loop *loop, uint64_t now_ms)
{
        while (loop->heap_count > 0 && loop->slots[loop->heap[0]].due_ms <= now_ms) {
                getdns_eventloop_event *event = loop->slots[loop->heap[0]].event;
                timer_remove(loop, loop->heap[0]);
                call(event, event->timeout_cb);
        }
}

static int wait_ms(const struct dns_loop *loop, uint64_t timeout_ms)
{
        if (loop->writable_count > 0)
                return 0;
        if (loop->heap_count > 0) {
                uint64_t now_ms = clock_monotonic_ms(), due_ms = loop->slots[loop->heap[0]].due_ms;
                uint64_t left_ms = due_ms > now_ms ? due_ms - now_ms : 0;
                if (left_ms < timeout_ms)
                        timeout_ms = left_ms;
        }
        return timeout_ms > 60000 ? 60000 : (int)timeout_ms;
}

void dns_loop_run(struct dns_loop *loop, uint64_t timeout_ms)
{
        struct epoll_event events[EVENTS];

        int count = epoll_wait(loop->epoll_fd, events, EVENTS, wait_ms(loop, timeout_ms));
        for (int i = 0; i < count; i++)
                event_dispatch(loop, &events[i]);
        writables_dispatch(loop);
        timers_dispatch(loop, clock_monotonic_ms());
}

bool dns_loop_open(struct dns_loop *loop, int wake_fd)
{
        struct epoll_event wake = {.events = EPOLLIN, .data.u64 = WAKE_NUMBER};

        *loop = (struct dns_loop){.wake_fd = wake_fd, .slot_free = NONE};
        loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (loop->epoll_fd < 0)
                return false;
        if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, wake_fd, &wake) == 0 && slots_grow(loop))
                return true;
        dns_loop_close(loop);
        return false;
}

void dns_loop_close(struct dns_loop *loop)
{
        close(loop->epoll_fd);
        free(loop->slots);
        free(loop->heap);
        free(loop->writable);
}
