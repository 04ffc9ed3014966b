/* A worker in miniature, for tests: one client, one session, a store, and a clock that stands still until it
 * is pushed. Keeps all that was said, logged and stored. No sockets, no threads. */
#pragma once

#include "core/smtp/door/door.h"
#include "core/smtp/command/filter.h"
#include "core/smtp/session.h"
#include "tests/dialogue/callout/recipients.h"
#include "tests/dialogue/dns.h"
#include "tests/dialogue/exchange/cutting.h"
#include "tests/dialogue/senders.h"

/* Octets that one test may say, log or store. */
#ifndef KEPT_SIZE
#define KEPT_SIZE (4u << 20)
#endif
#define MAILBOXES_SIZE (1u << 16)
#define HARNESS_COUNTS 512 /* a power of two */

enum harness_stop { HARNESS_RUNS, HARNESS_STOPS, HARNESS_STOPS_AT_ONCE };

struct harness {
        struct session_host host;
        struct budget budget;
        struct account account; /* of all memory that the host gives */
        struct counters counters;
        enum cutting cutting; /* of the client's octets */
        uint32_t random;      /* of CUT_PIECES, not 0 */

        struct scripted_dns dns;
        struct scripted_senders senders;
        struct scripted_recipients recipients;
        struct ledger ledger; /* of clients */
        struct client_table clients;
        struct tls_no_go tls_no_go;
        struct sketch questions; /* of clients, to DNS */
        struct dns_source looks; /* of the door: the scripted DNS, of which it sees what is known */

        /* To be set before harness_connect(). */
        struct rate_excess excess; /* of the connection at hand */
        struct session_peer peer;
        const struct snapshot *snapshot;

        struct session session;
        enum session_wish wish;
        bool is_open; /* between session_begin() and session_end() */
        bool measures_all;
        enum harness_stop stopping;

        bool tls_is_ready; /* the worker can take a handshake */
        bool tls_is_early; /* octets wait behind STARTTLS in the socket */
        bool store_is_held, hop_is_held, filters_are_held;
        struct filter_report filters_say; /* whose texts are in filter_words */
        char filter_words[256];
        enum store_outcome store_outcome, hop_outcome; /* of a next hop at DATA */
        size_t messages_stored;
        struct text mailboxes; /* of the last stored message, a space before each */
        struct text pulled;    /* text taken from a message that has not ended */

        struct text out; /* of the call under way */
        char out_octets[4 * SESSION_OUT_ROOM];
        struct text unread; /* sent, not yet used by the session */
        /* These only grow. */
        struct text said, logged, stored;
        size_t stored_last; /* offset of the last message */
        /* Where the texts lie: no allocation, so that fuzzers start anew cheaply. Last, and never cleared. */
        struct {
                struct ledger_set ledger[64];
                struct until_set tls_no_go[4];
                _Atomic uint32_t clients[2][HARNESS_COUNTS], questions[2][HARNESS_COUNTS];
                char log[4 * LOG_LINE_MAX], mailboxes[MAILBOXES_SIZE], unread[KEPT_SIZE / 4];
                char pulled[KEPT_SIZE], said[KEPT_SIZE], logged[KEPT_SIZE], stored[KEPT_SIZE];
        } room;
};

/* ---- for the parts of the harness: each call into the session begins with the one and ends with the next */

/* For what the session says; in the cut modes with no more room than the contract grants. */
struct text *harness_out(struct harness *harness);
/* What harness->wish demands is done. */
void harness_settle(struct harness *harness);
/* The session takes of what it has not read yet. */
void harness_drain(struct harness *harness);
/* The server may be stopping: the worker tells each session again whenever it has come a step further. */
void harness_tell_to_stop(struct harness *harness);
void harness_init_tls(struct harness *harness, uint32_t seed);
void harness_init_follower(struct harness *harness);
/* callout/recipients.c. False: nothing is asked there, or what is asked is not answered. */
void harness_init_recipients(struct harness *harness, enum answering answering);
bool harness_answer_from_source(struct harness *harness);
/* The wish is SECURE. */
void harness_answer_starttls(struct harness *harness);

/* ---- for tests */

/* Where it is set, each session has a tape (log_facts), and is shown what a session writes to its log. */
extern void (*harness_look)(const struct snapshot *snapshot, struct span lines);

/* `harness` is to be static: it takes 17 MiB. */
void harness_init(struct harness *harness, enum cutting cutting, uint32_t seed, enum answering answering);
void harness_end(struct harness *harness);

/* Another session of the client is open at another worker, and stays so. */
void harness_seat(struct harness *harness, const struct address *client, const struct options *options);
/* As an acceptor does. False: the client was told why not. */
bool harness_admits(struct harness *harness);
/* A client that is not admitted gets no session. */
void harness_connect(struct harness *harness);
/* Cut as set, or in one flight. What the session does not take, being parked or at the store, waits in
 * `unread`. */
void harness_send(struct harness *harness, struct span octets);
void harness_send_flight(struct harness *harness, struct span octets);
void harness_pass_time(struct harness *harness, uint64_t milliseconds);
/* The server wants to close; the session is told now and after each later call until it does. AT_ONCE: no answers are
 * waited for any more. */
void harness_stop(struct harness *harness, enum harness_stop stopping);
/* The handshake that the session waits for comes about, or fails. */
void harness_shake_hands(struct harness *harness, const struct tls_facts *facts);
void harness_fail_handshake(struct harness *harness, const struct tls_failure *failure);
/* The worker finds TLS broken, and gives the connection up. */
void harness_break_tls(struct harness *harness, const char *reason);
/* The server stands on this rung of the ladder of load. */
void harness_load(struct harness *harness, enum rung rung);
/* The store reports to a session that waits for it. */
void harness_report(struct harness *harness, enum store_outcome outcome);
/* The filters answer a session that waits for them. */
void harness_filter(struct harness *harness);
/* A next hop answers a session that asks for its go-ahead. */
void harness_open(struct harness *harness);
/* Nothing that is asked from now on is answered, until it is held no longer. */
void harness_hold_dns(struct harness *harness, bool is_held);
/* From now on the session gets so many octets more of memory. */
void harness_bound_memory(struct harness *harness, uint64_t octets);
/* The session's snapshot is one of too many. */
void harness_outdate(struct harness *harness, bool at_once);
/* It does not even wait for the store, which has the session's message. */
void harness_forsake(struct harness *harness);
/* The client is gone. */
void harness_drop(struct harness *harness);
