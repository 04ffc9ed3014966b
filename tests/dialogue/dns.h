/* DNS for dialogue tests: a table that answers at once, or later in order, or later and the last question and
 * the last record first, or some questions at once and others later in random order. */
#pragma once

#include "core/base/sketch.h"
#include "dns/fact.h"

#define DNS_LINES_MAX   96
#define DNS_KNOWN_MAX   256
#define DNS_PENDING_MAX 4096

/* What it tells those who only look: what has been answered before; all; or about half, by the name. */
enum knowing { KNOWS_ANSWERED, KNOWS_ALL, KNOWS_HALF };
enum answering { ANSWER_AT_ONCE, ANSWER_IN_ORDER, ANSWER_LAST_FIRST, ANSWER_SHUFFLED };

struct scripted_dns {
        struct dns_source source; /* first */
        enum answering answering;
        enum knowing knowing;
        uint32_t random;                  /* of ANSWER_SHUFFLED, not 0 */
        struct span lines[DNS_LINES_MAX]; /* "NAME TYPE DATA", as long as the script */
        size_t line_count;
        struct scripted_question {
                struct dns_question question; /* its name is in `names` */
                uint64_t handle, account[2];
        } pending[DNS_PENDING_MAX];
        size_t pending_count;
        /* What has been answered before, as a cache keeps it. */
        struct dns_question known[DNS_KNOWN_MAX];
        size_t known_count;
        bool is_held;             /* nothing is answered for now */
        struct sketch *questions; /* that are not answered yet, by account; NULL: not counted */
        struct block_pool pool;
        struct arena names;
};

void scripted_dns_init(struct scripted_dns *dns, enum answering answering, uint32_t seed);
void scripted_dns_end(struct scripted_dns *dns);
/* NAME TYPE and an address, "PREFERENCE NAME" for MX, a name, or text for TXT; several lines are several
 * records. Or "nodata", "fail", "silent". A name without a line does not exist. False when the line is none
 * of these. */
bool scripted_dns_add(struct scripted_dns *dns, struct span line);
/* Takes the next question whose answer is due, and who asked. Its records live in `arena`. */
bool scripted_dns_next(struct scripted_dns *dns, struct arena *arena, uint64_t *ret_handle,
                       struct dns_question *ret_question, struct dns_answer *ret_answer);
