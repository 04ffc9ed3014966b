/* Plays scripts against a peer, a connection whose other side is played: what dialogues with next hops and those with
 * filters have in common. Each kind has its own peer and its own directives. */
#pragma once

#include "tests/dialogue/exchange/cutting.h"
#include "tests/dialogue/script.h"

struct peer; /* each kind has its own */
struct exchange;

struct directive {
        const char *word;
        enum { GATHERS, ACTS, ASIDE, EXPECTS } kind; /* ASIDE: whether a connection is open or not */
        void (*play)(struct exchange *play, const struct step *step);
};

struct exchange_kind {
        const struct directive *directives; /* besides those of all kinds: B: R: C: E: terms */
        size_t directive_count;
        struct peer *peers[2]; /* of the first play of a script, and of another one */
        /* Makes the peer as new, and tells what of it is looked at. */
        void (*begin)(struct exchange *play, enum cutting cutting, uint32_t seed);
        void (*end)(struct peer *peer); /* NULL: the peer has taken nothing */
        void (*flight)(struct peer *peer, struct span octets);
        /* Cuts off the next of what we said, as scripts have it; there is something. */
        struct span (*take_said)(struct span *rest);
        void (*set_term)(struct exchange *play, const struct step *step, struct span word);
};

struct exchange {
        const struct exchange_kind *kind;
        const struct script *script;
        struct peer *peer;
        const struct text *said, *events; /* of the peer: what we said, and a line for each event */
        const bool *is_open;              /* the peer's connection */
        size_t said_read, events_read;    /* what was expected */
        struct text flight;               /* gathered, not sent yet */
        struct text failure;              /* empty: none */
        char flight_octets[1 << 19], failure_octets[8192];
};

/* What did not go as the script says is in play->failure. The peer is to be ended. */
void exchange_play(struct exchange *play, const struct script *script, enum cutting cutting, uint32_t seed);
/* Runs the scripts of a command line: each one whole, octet by octet and in pieces, and demands the same of all. TAP;
 * returns the status of the process. */
int exchange_run(const struct exchange_kind *kind, int argc, char **argv);

/* ---- for directives; the first failure counts */

void exchange_fail(struct exchange *play, const struct step *step, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The one of `names` is set to the time `value`. */
void exchange_set_patience(struct exchange *play, const struct step *step, const char *const *names,
                           size_t count, struct span name, struct span value, uint64_t *patience_ms);
