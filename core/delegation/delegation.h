/* A dialogue with a policy service, by Postfix's protocol of policy delegation, as a machine: octets and the
 * time go in, octets and events come out. A request is lines of NAME=VALUE and a blank one; so is the answer, in
 * which `action` tells what to do. One request is under way at a time, and many follow each other on a
 * connection. The machine opens no socket, starts no thread, reads no clock and takes no memory.
 *
 *      delegation_begin ──> delegation_ask ──> ANSWERED ──> delegation_ask ...
 *
 * What FAILED means for the mail is the caller's affair. Where `may_ask_again` is set the service had closed a
 * connection that was kept: another one may be asked the same at once.
 *
 * The caller sets now_ms before each call, and after any event but WAITS and CLOSE calls delegation_input()
 * again, with what is left of the input or nothing, until it says WAITS. */
#pragma once

#include "core/base/text.h"

#define DELEGATION_REQUEST_MAX 16384 /* octets that a request writes at most */
#define DELEGATION_LINE_MAX    4096  /* of an answer, with LF; no more are left in the input */
#define DELEGATION_LINES_MAX   32
#define DELEGATION_NAME_MAX    128 /* of a field */
#define DELEGATION_TEXT_MAX    998 /* RFC 5322 2.1.1 */

enum delegation_patience {
#define PATIENCE(name, ...) DELEGATION_PATIENCE_##name,
#include "core/delegation/patience.def"
#undef PATIENCE
        DELEGATION_PATIENCES,
        DELEGATION_PATIENCE_never = DELEGATION_PATIENCES
};

enum __attribute__((packed)) delegation_state {
#define STATE(name, ...) DELEGATION_STATE_##name,
#include "core/delegation/states.def"
#undef STATE
        DELEGATION_STATES
};

/* What holds for a service. Immutable, and many dialogues share it. */
struct delegation_terms {
        uint64_t patience_ms[DELEGATION_PATIENCES];
};

/* What is usual, by enum delegation_patience. */
extern const uint64_t delegation_patience_most_ms[DELEGATION_PATIENCES];

enum delegation_event {
        DELEGATION_WAITS,    /* for more octets, for deadline_ms, or for the caller */
        DELEGATION_ANSWERED, /* by `answer` */
        DELEGATION_FAILED,   /* `why`; CLOSE follows */
        DELEGATION_CLOSE,    /* the caller closes */
};

enum delegation_verdict {
        DELEGATION_CONTINUES,
        DELEGATION_ACCEPTS,
        DELEGATION_REJECTS,
        DELEGATION_DEFERS,
        DELEGATION_DEFERS_IF_ACCEPTED, /* by all others */
        DELEGATION_DEFERS_IF_REJECTED, /* by another: not for good */
        DELEGATION_DISCARDS,
        DELEGATION_HOLDS,    /* in quarantine; else it continues */
        DELEGATION_PREPENDS, /* else it continues */
};

struct delegation_answer {
        enum delegation_verdict verdict;
        uint16_t code;     /* of the reply; 0: there is none. 421: the connection ends */
        char enhanced[12]; /* of the class of the code */
        /* Words for the client, or the log; printable. Or the value of a field, which may be in our name: such a
         * service speaks for us. */
        char text[DELEGATION_TEXT_MAX + 1];
        char name[DELEGATION_NAME_MAX + 1]; /* PREPENDS: of the field */
};

struct delegation {
        /* Owner: the caller. */
        uint64_t now_ms; /* monotonic */

        /* For the caller to read. */
        uint64_t deadline_ms; /* call delegation_timeout() then; UINT64_MAX: never */
        struct delegation_answer answer;
        const char *why; /* it failed; static */
        bool may_ask_again;

        const struct delegation_terms *terms;
        uint64_t begun_ms; /* the connection */
        uint32_t requests; /* so far */
        enum delegation_state state;
        uint8_t lines;   /* of the answer so far */
        bool has_action; /* it has told what to do */
        bool is_failing; /* FAILED is still to be told */
        bool is_stopping;
};

struct delegation_attribute {
        const char *name;
        struct span value; /* controls in it become '?' */
};

/* A connection stands. */
void delegation_begin(struct delegation *delegation, const struct delegation_terms *terms, uint64_t now_ms);
/* Nothing is under way, and the connection is not too old. */
bool delegation_takes_request(const struct delegation *delegation);
/* False, and nothing is written, where it is not so, or the request would be longer than DELEGATION_REQUEST_MAX
 * or the room in `out`. ANSWERED or FAILED follows. */
bool delegation_ask(struct delegation *delegation, const struct delegation_attribute *attributes,
                    size_t count, struct text *out);
/* Uses octets from the front of *input and advances it past them. */
enum delegation_event delegation_input(struct delegation *delegation, struct span *input);
/* The deadline has passed. */
enum delegation_event delegation_timeout(struct delegation *delegation);
/* The service has closed, or the connection is broken; what had been read was given before. */
enum delegation_event delegation_lost(struct delegation *delegation);
/* We are closing. What was asked is still answered, unless `at_once` is set. */
enum delegation_event delegation_stop(struct delegation *delegation, bool at_once);
