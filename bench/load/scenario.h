/* Scenarios: what a client says and which codes it must hear, read from small text files (see
 * bench/README.md). */
#pragma once

#include "bench/tls/context.h"
#include "core/base/text.h"

#define STEPS_MAX     16
#define PIECES_MAX    64 /* of one scenario */
#define SCENARIOS_MAX 12 /* in a mix */
#define NAME_SIZE     48
#define CODE_CLOSE    0 /* the server closes */
#define CODE_TLS      1 /* a handshake succeeds */

enum piece_kind {
        PIECE_TEXT,
        /* Eight hexadecimal digits, the same throughout the session. */
        PIECE_RANDOM,
        PIECE_CLIENT, /* the client's address */
        /* Eight hexadecimal digits that are one of as many as there are names. */
        PIECE_NAME,
};

struct piece {
        enum piece_kind kind;
        struct span text;
};

/* The client sends one flight (or nothing, and just waits), and then there is one reply. */
struct step {
        char label[16];
        unsigned first_piece, piece_count;
        unsigned pause_ms; /* before that */
        int code;
};

struct scenario {
        char name[NAME_SIZE];
        unsigned share;
        uint32_t network, network_size; /* of the clients' addresses; host order */
        struct step steps[STEPS_MAX];
        unsigned step_count;
        struct piece pieces[PIECES_MAX];
        unsigned piece_count;
};

/* One scenario, or a mix of several by shares. */
struct workload {
        struct workload *next;
        char name[NAME_SIZE];
        char title[96];
        /* The dialogues are those of this server; NULL if they are those of most. */
        const char *server;
        struct tls_wishes tls; /* where there is a handshake */
        bool has_tls;
        bool has_own; /* some differ from those of most */
        /* Servers are to store messages; otherwise they throw them away. */
        bool is_durable;
        struct scenario scenarios[SCENARIOS_MAX];
        unsigned scenario_count;
        unsigned share_total;
        size_t flight_max; /* octets */
};

/* Reads FOLDER/NAME.txt or, for a name such as tls-none, FOLDER/tls/NAME.txt; or the file `name` when there is a slash
 * in it, as it is with the server of that name (NULL: any). Behind the name may stand wishes, see tls_wishes_take(),
 * each after a colon. Ends the program with file and line when that cannot be. Freed by nobody: the bench needs them
 * to its end. */
struct workload *workload_read(const char *folder, const char *name, const char *server);

/* What each session has of its own in its octets. */
struct step_values {
        uint32_t random, name;
        const char *client;
};

/* Writes a step's octets and returns their number; `into` has room for flight_max. */
size_t step_write(const struct scenario *scenario, const struct step *step, const struct step_values *values,
                  char *into);
