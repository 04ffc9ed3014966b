/* What the generator's threads and its clients share. */
#pragma once

#include "bench/load/load.h"
#include "bench/tls/wire.h"

#include <openssl/ssl.h>
#include <pthread.h>

/* The longest line of a reply has 512 octets (RFC 5321 4.5.3.1.5). */
#define REPLY_SIZE 600

/* A client has one session at a time and belongs to its thread. */
struct client {
        int fd; /* -1: no session */
        uint32_t random, name;
        uint16_t scenario, step;
        bool is_hung_up, is_paused, is_with_ticket;
        /* The session should have begun then; each pause makes that later by its length. */
        uint64_t begin_ns;
        uint64_t pause_ns; /* when the pause began */
        /* This step's octets went out then, or will. */
        uint64_t step_ns;
        char address[16];
        SSL *ssl; /* NULL: plain */
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
        /* NULL where no scenario has TLS. */
        SSL_CTX *tls;
        struct wire *wire;
        SSL_SESSION *ticket; /* the newest, NULL before the first */
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
/* Opens and closes what the thread needs for TLS. */
void secure_open(struct load_thread *thread);
void secure_close(struct load_thread *thread);
/* Begins a handshake, whose octets are then in the thread's wire. */
void secure_begin(struct load_thread *thread, struct client *client);
enum secure_progress {
        SECURE_WAITS, /* for more octets */
        SECURE_DONE,
        SECURE_FAILED, /* errno is 0, or that of the socket */
};
/* Goes on with it. In any case what is to be sent is in the thread's wire. */
enum secure_progress secure_handshake(struct load_thread *thread, struct client *client);
/* What has failed, in a constant. */
const char *secure_reason(void);
/* Whether the handshake is of the kind that the workload wants. */
bool secure_is_as_wished(const struct load_thread *thread, const struct client *client);
/* As recv(), decrypted. close_notify is an end: some servers then wait for the client to close. */
ssize_t secure_receive(struct load_thread *thread, struct client *client, char *room, size_t size);
/* Puts the octets encrypted into the thread's wire. */
void secure_seal(struct client *client, const char *octets, size_t length);
void secure_end(struct client *client);
/* Ends the session as a failure: the server took too long. */
void client_time_out(struct load_thread *thread, struct client *client);
