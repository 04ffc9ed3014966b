/* The event loop of a resolver thread: one epoll instance, and for each getdns context a view of it, which
 * getdns takes for a loop of its own. It belongs to one thread, and nothing but dns_loop_run() blocks. */
#pragma once

#include <getdns/getdns.h>
#include <getdns/getdns_extra.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct loop_slot;

/* A reference to a slot that may meanwhile have been given to another event. */
struct loop_reference {
        uint32_t slot, generation;
};

struct dns_loop {
        int epoll_fd, wake_fd;
        struct loop_slot *slots;
        uint32_t slot_count, slot_free; /* free slots are chained by number; UINT32_MAX: none */
        uint32_t *heap;                 /* slots with a timer, the soonest first; as large as slots */
        uint32_t heap_count;
        /* to be called in the next run without asking epoll; as large as slots */
        struct loop_reference *writable;
        uint32_t writable_count;
};

/* The view that getdns_context_set_eventloop() gives to a context. It may not move while the context
 * lives. */
struct dns_view {
        getdns_eventloop base; /* first: getdns hands it back as this */
        struct dns_loop *loop;
        /* UDP: each socket is connected to the peer before its first use, so that the kernel drops what comes
         * from elsewhere and tells of a closed port; getdns does neither. Length 0 for TCP. */
        struct sockaddr_storage peer;
        socklen_t peer_length;
        uint64_t scheduled; /* events so far */
        uint32_t active;    /* events now */
};

/* `wake_fd` is an eventfd that ends a run, which reads its count away. False when descriptors or memory are
 * out. */
bool dns_loop_open(struct dns_loop *loop, int wake_fd);
/* Every context with a view of the loop must have been destroyed. */
void dns_loop_close(struct dns_loop *loop);
/* Waits until something happens, for at most `timeout_ms`, and calls what getdns wants to be called. */
void dns_loop_run(struct dns_loop *loop, uint64_t timeout_ms);
void dns_view_init(struct dns_view *view, struct dns_loop *loop, const struct sockaddr_storage *peer,
                   socklen_t peer_length);
