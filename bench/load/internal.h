/* What the generator's threads and its clients share. */
#pragma once

#include "bench/load/load.h"

#include <pthread.h>

/* The longest line of a reply has 512 octets (RFC 5321 4.5.3.1.5). */
#define REPLY_SIZE 600

/* A client has one session at a time and belongs to its thread. */
struct client {
        int fd; /* -1: no session */
        uint32_t random, name;
        uint16_t scenario, step;
        bool is_hung_up, is_paused;
        /* The session should have begun then; each pause makes that later by its length. */
        uint64_t begin_ns;
        uint64_t pause_ns; /* when the pause began */
        /* This step's octets went out then, or will. */
        uint64_t step_ns;
        char address[16];
        /* What the kernel did not take; NULL if it took all. */
        char *unsent;
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
        /* A heap: the client that goes on first is the first. */
        struct client **paused;
        unsigned paused_count;
        char *flight;
        uint64_t next_arrival_ns;
        struct load_figures *figures;
        /* Other threads read these. */
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
/* Lets the client pause until client->step_ns. */
void load_pause(struct load_thread *thread, struct client *client);
/* Takes the client out of those that pause. */
void load_unpause(struct load_thread *thread, const struct client *client);
/* The client that goes on first; NULL if nobody pauses. */
struct client *load_paused_first(const struct load_thread *thread);
/* Begins a session; false when the machine lets no more begin. */
bool client_begin(struct load_thread *thread, struct client *client, uint64_t begin_ns);
/* Goes on with the session, and gives the client back to `unused` when that has ended. */
void client_event(struct load_thread *thread, struct client *client, uint32_t events, uint64_t now_ns);
/* Sends what the client paused before. */
void client_go_on(struct load_thread *thread, struct client *client);
/* Ends the session as a failure: the server took too long. */
void client_time_out(struct load_thread *thread, struct client *client);
