/* Facts from DNS, as checks see them. A check asks by name and type, and the answer is there at once or
 * pending. Nothing here starts a thread, opens a socket or reads a clock.
 *
 * A memo belongs to one session or transaction and remembers each question and its answer, so that a check
 * that runs again sees what it saw before. What the memo does not know it asks of its source. In the server
 * that is the cache with the resolver pool behind it, in tests a table. A pending question is asked once, and
 * memo_settle() brings its answer. */
#pragma once

#include "core/base/arena.h"

enum __attribute__((packed)) dns_type {
        DNS_A = 1,
        DNS_NS = 2,
        DNS_CNAME = 5,
        DNS_SOA = 6,
        DNS_PTR = 12,
        DNS_MX = 15,
        DNS_TXT = 16,
        DNS_AAAA = 28,
        DNS_TLSA = 52
};

enum __attribute__((packed)) fact {
        FACT_FOUND,   /* at least one record of the type */
        FACT_ABSENT,  /* NXDOMAIN or no record of the type: answer->is_nxdomain tells which */
        FACT_FAILED,  /* SERVFAIL, REFUSED, time-out, no resolver, over the quota, past the deadline */
        FACT_PENDING, /* asked; not yet answered */
};

struct dns_question {
        /* presentation form without a trailing dot, lower case, no escapes, at most 253 octets */
        struct span name;
        enum dns_type type;
        bool is_urgent; /* may have one of the reserved places; no part of what is asked */
};

struct dns_record {
        /* A 4 octets, AAAA 16, TXT its strings joined, TLSA as on the wire (RFC 6698 2.1), others a name as in
         * dns_question; the root is empty, and a name with octets that cannot be asked for has them as \DDD */
        struct span data;
        uint16_t preference; /* of MX */
};

/* An answer never changes. Its records keep the order of the response. */
struct dns_answer {
        enum fact fact; /* not PENDING */
        bool is_nxdomain;
        bool is_cached, is_stale;
        /* PENDING, but no place was found for the question. It is asked again when its check runs again. */
        bool is_unasked;
        bool is_too_large; /* FAILED, because more came than is kept: it will be so tomorrow */
        uint8_t rcode;
        uint32_t ttl_s;   /* left; negative answers: RFC 2308 5 */
        uint32_t took_ms; /* 0 when it was cached */
        uint16_t record_count;
        const struct dns_record *records;
};

/* On whom questions are counted while they are in flight, whether anybody still waits for them or not. */
struct dns_account {
        uint64_t client, network; /* as the source's sketch counts them; 0: it does not */
        uint32_t in_flight;       /* of the owner: it counts those out whose answers it takes */
};

/* Who asks. */
struct dns_asker {
        uint64_t handle;             /* by which the source names the asker when it answers */
        struct dns_account *account; /* NULL: questions are counted on nobody */
        bool looks_only;             /* what is not known already is PENDING and unasked */
};

struct dns_source;

struct memo_entry {
        struct memo_entry *next;
        struct dns_question question; /* in the memo's arena */
        struct dns_answer answer;     /* fact PENDING until settled */
};

struct memo {
        struct arena *arena;
        struct dns_source *source; /* NULL: every question fails */
        struct dns_asker asker;    /* the account is set after memo_init(), if there is one */
        struct memo_entry *entries;
        uint32_t asked, pending, quota;
        bool is_late; /* the deadline of the stage has passed: what is pending reads as failed */
};

/* Where a memo asks. */
struct dns_source {
        /* Looks the question up. FOUND, ABSENT and FAILED set *ret_answer, with its records in `arena`.
         * PENDING means that the question has been filed for the asker, or with is_unasked that no place
         * was left for it and nothing is kept. */
        enum fact (*ask)(struct dns_source *source, const struct dns_question *question,
                         const struct dns_asker *asker, struct arena *arena, struct dns_answer *ret_answer);
};

void memo_init(struct memo *memo, struct arena *arena, struct dns_source *source, uint64_t handle,
               uint32_t quota);
/* Asks. `name` may be in any letter case, with or without a trailing dot. A name that cannot be asked for is
 * ABSENT with is_nxdomain: one with an empty label, a label of more than 63 octets, more than 253 octets in
 * all, a backslash, a control character or an octet that is not ASCII. ret_answer may be NULL; *ret_answer
 * stays valid as long as the arena, and has no records while the question is PENDING. */
enum fact memo_ask(struct memo *memo, struct span name, enum dns_type type,
                   const struct dns_answer **ret_answer);
/* Does the same with a share in the places that are reserved, and in the half of the arena that answers to
 * other questions may not fill. It is for what is asked about a client before it has said anything, and not
 * for names that a stranger chooses. */
enum fact memo_ask_urgently(struct memo *memo, struct span name, enum dns_type type,
                            const struct dns_answer **ret_answer);
/* Does the same as memo_ask() for a name that lives as long as the memo, such as one from its answers. It is
 * not copied. */
enum fact memo_ask_kept(struct memo *memo, struct span name, enum dns_type type,
                        const struct dns_answer **ret_answer);
/* Does the same as memo_ask() with what the source knows already. PENDING: it would have to ask; who asks the memo
 * later may make it do so. */
enum fact memo_look(struct memo *memo, const struct dns_question *question,
                    const struct dns_answer **ret_answer);
/* Asks `first` in place of the memo's source; where that leaves it open, PENDING and unasked, the memo's source is
 * asked after all. NULL: nobody is. `looks_only`: the memo's source is asked as memo_look() does. */
enum fact memo_ask_first(struct memo *memo, struct dns_source *first, const struct dns_question *question,
                         bool looks_only, const struct dns_answer **ret_answer);
/* A question found no place, or was only looked up: nobody has been asked, so that no answer is on its way. */
bool memo_has_unasked(const struct memo *memo);
/* Takes the answer to a pending question and copies it. It is passed over when the memo does not wait for
 * it. */
void memo_settle(struct memo *memo, const struct dns_question *question, const struct dns_answer *answer);
/* Another stage begins, with a deadline of its own: what was late stays failed, and what is asked from now on is
 * waited for. */
void memo_begin_stage(struct memo *memo);
/* Makes a copy whose records live in the arena. It is FAILED and without records when memory is out. */
void dns_answer_copy(struct arena *arena, const struct dns_answer *answer, struct dns_answer *ret_copy);
/* Returns "A", "AAAA", "MX" and so on. */
const char *dns_type_name(enum dns_type type);
