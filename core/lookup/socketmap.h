/* Asking a daemon by Postfix's protocol socketmap (socketmap_table(5)), as a machine: octets go in, octets and events
 * come out. It opens no socket, starts no thread, reads no clock and takes no memory. A connection asks one question at
 * a time:
 *
 *      IDLE ── socketmap_ask ──> ASKED ── socketmap_input ──> ANSWERED, and IDLE again
 *        any fault, deadline or unasked octet ──> BROKEN: the caller closes, and may ask on another connection
 *
 * Question and answer are netstrings: "LENGTH:OCTETS,". The question is "NAME KEY", and the answer "OK VALUE",
 * "NOTFOUND ", "TEMP REASON", "TIMEOUT REASON" or "PERM REASON". The last three are failures: a daemon that cannot say
 * whether an address exists has not said that it does not. */
#pragma once

#include "conf/recipients/daemon.h"
#include "dns/fact.h"

#define SOCKETMAP_KEY_MAX 512 /* octets of a key: an address */
#define SOCKETMAP_ANSWER_MAX                                                                                 \
        4096 /* octets within the netstring; Postfix takes 100000, and an answer of ours is short */
#define SOCKETMAP_OUT_ROOM (SOCKETMAP_NAME_MAX + SOCKETMAP_KEY_MAX + 8)

enum socketmap_event {
        SOCKETMAP_WAITS,    /* all of the input was taken */
        SOCKETMAP_ANSWERED, /* see `fact` and `text`; the input may have more, which is unasked */
        SOCKETMAP_BROKEN,   /* see `fault`; nothing is taken or asked any more */
};

enum __attribute__((packed)) socketmap_state {
        SOCKETMAP_IDLE,      /* consumes nothing: any octet is a fault; no deadline; a stop closes */
        SOCKETMAP_IN_LENGTH, /* consumes digits up to ":", at most 4; the deadline; a stop closes */
        SOCKETMAP_IN_OCTETS, /* consumes as many octets as were told; the deadline; a stop closes */
        SOCKETMAP_AT_COMMA,  /* consumes ","; the deadline; a stop closes */
        SOCKETMAP_OVER,      /* consumes nothing */
};

struct socketmap {
        /* For the caller to read. */
        uint64_t deadline_ms; /* monotonic; call socketmap_fail() then; UINT64_MAX: never */
        enum fact fact;       /* FOUND, ABSENT or FAILED */
        struct span text;     /* the value, or the reason; in `octets`, until the next question */
        const char *fault;    /* a constant */

        enum socketmap_state state;
        uint16_t digits, wanted, taken;
        char octets[SOCKETMAP_ANSWER_MAX];
};

/* A connection stands. */
void socketmap_begin(struct socketmap *map);
/* Puts the question into `out`, which has SOCKETMAP_OUT_ROOM, once the last one has been answered. `name` is within
 * bounds. False, and nothing was put, for a key that is too long: no address is. */
bool socketmap_ask(struct socketmap *map, struct span name, struct span key, uint64_t deadline_ms,
                   struct text *out);
/* Uses octets from the front of *input and advances it past them. */
enum socketmap_event socketmap_input(struct socketmap *map, struct span *input);
/* The deadline has passed, or the connection has ended; `fault` says which. A question that was asked has failed. */
enum socketmap_event socketmap_fail(struct socketmap *map, const char *fault);
