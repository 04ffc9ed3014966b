/* Answers in one piece of memory, and answers that several askers share. */
#pragma once

#include "dns/fact.h"

#include <stdatomic.h>

/* Bounds the records and their data. A larger answer counts as failed, with is_too_large, because a part of it
 * would pass for the whole. */
#define DNS_ANSWER_OCTETS_MAX 16384
#define DNS_RECORDS_MAX       (DNS_ANSWER_OCTETS_MAX / sizeof(struct dns_record))

/* Returns the octets that dns_answer_write() needs for records and data. */
size_t dns_answer_octets(const struct dns_answer *answer);
/* Copies records and data to `memory`, which is aligned for pointers, and makes *ret_copy refer to them. */
void dns_answer_write(void *memory, const struct dns_answer *answer, struct dns_answer *ret_copy);

/* Nothing but the count ever changes, so any thread may read it while it holds a reference. */
struct shared_answer {
        _Atomic uint32_t references;
        struct dns_answer answer;
};

/* Returns an answer with one reference, or NULL when memory is out. */
struct shared_answer *shared_answer_create(const struct dns_answer *answer);
struct shared_answer *shared_answer_take(struct shared_answer *shared);
/* `shared` may be NULL. The last reference frees the answer. */
void shared_answer_drop(struct shared_answer *shared);
