/* Shared by the generator's threads and its clients. */
#pragma once

#include "bench/load/load.h"

#include <pthread.h>

#define REPLY_SIZE 600 /* longest line (RFC 5321 4.5.3.1.5: 512), and some more */

/* One session at a time; owner: its thread. */
struct client {
        int fd; /* -1: no session */
        uint32_t random, name;
        uint16_t scenario, step;
        bool is_hung_up, is_paused;
        uint64_t begin_ns; /* when it should have begun; later by all that it has paused */
        uint64_t pause_ns; /* when the pause began */
        uint64_t step_ns;  /* when this step's octets went out, or will */
        char address[16];
        char *unsent; /* what the kernel did not take; NULL: nothing */
        size_t unsent_length;
        size_t reply_length;
        char reply[REPLY_SIZE]; /* lines that are not yet whole */
};

enum load_phase {
        LOAD_START,
        LOAD_MEASURE,
        LOAD_STOP,
};

struct load_thread {
        pthread_t thread;
        struct load *load;
        int epoll_fd;
        uint64_t random_state;
        struct client *clients;
        unsigned *unused; /* indices, a stack */
        unsigned number;
        uint64_t addresses_given;
        unsigned client_count, unused_count;
        struct client **paused; /* a heap: the first to go on is the first */
        unsigned paused_count;
        char *flight;
        uint64_t next_arrival_ns;
        struct load_figures *figures;
        /* Read by others: */
        _Atomic uint64_t sessions, failures;
        atomic_bool has_ended;
};

struct load {
        struct load_plan plan;
        _Atomic int phase;
        _Atomic int64_t sessions_left; /* INT64_MAX: by time */
        uint64_t start_ns;
        unsigned thread_count;
        struct load_thread threads[];
};

uint64_t load_random(struct load_thread *thread);
/* Until client->step_ns. */
void load_pause(struct load_thread *thread, struct client *client);
/* Its session is over. */
void load_unpause(struct load_thread *thread, const struct client *client);
/* The first to go on; NULL: nobody pauses. */
struct client *load_paused_first(const struct load_thread *thread);
/* False when the machine lets no more sessions begin. */
bool client_begin(struct load_thread *thread, struct client *client, uint64_t begin_ns);
/* Gives the client back to `unused` when its session has ended. */
void client_event(struct load_thread *thread, struct client *client, uint32_t events, uint64_t now_ns);
/* Its pause is over. */
void client_go_on(struct load_thread *thread, struct client *client);
void client_time_out(struct load_thread *thread, struct client *client);
