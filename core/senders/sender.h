/* What is remembered of senders from one session to the next, as checks see it: a fact like those from DNS,
 * there at once or pending. Pure: no thread, no file, no clock.
 *
 * A record is found by a key, the hash of a text that says what it is about. Whoever changes a record
 * gives an effect, which merges: whatever order the effects of many machines come in, the record is the
 * same. */
#pragma once

#include "dns/fact.h"

#define SENDER_TEXT_MAX    200 /* octets of a key's text that are kept to be read by people */
#define SENDER_RECORD_SIZE 16  /* octets as stored */

/* Not keyed: who forges a key that another has wins no more than a retry would have given. So a fleet needs
 * no secret. */
struct sender_key {
        uint8_t octets[16];
};

/* Times in seconds since 1970: 32 bits last until 2106. */
struct sender_record {
        uint32_t first_s, last_s;
        uint32_t expires_s; /* from then on it is as if it were not there */
        uint32_t count;     /* what is counted is the owner's to say; stays at its maximum */
};

/* Merged into the record of `key`. Its own times say what time it is: last_s. */
struct sender_effect {
        struct sender_key key;
        struct sender_record record;
        struct span text; /* what the key is the hash of, maybe cut; empty: not kept */
};

/* Looks up, or files the question for `handle` and says PENDING. FOUND with *ret_record, expired records
 * too. */
struct sender_source {
        enum fact (*ask)(struct sender_source *source, const struct sender_key *key, uint64_t handle,
                         struct sender_record *ret_record);
        /* Copies the effect and returns at once; it may be lost when the store cannot be reached. */
        void (*apply)(struct sender_source *source, const struct sender_effect *effect);
        /* Tells all machines that share the store, in at most SENDER_TEXT_MAX octets; copies, returns at once
         * and may be lost, as with effects. NULL: there are no others. */
        void (*tell)(struct sender_source *source, struct span notice);
};

/* The key of a text. */
struct sender_key sender_key_of(struct span text);
bool sender_key_equals(const struct sender_key *left, const struct sender_key *right);

/* What comes of a record when `more` happens; `is_new`: there was none. An expired one begins anew. */
void sender_merge(struct sender_record *record, bool is_new, const struct sender_record *more);
/* Little-endian, so that machines of a fleet agree. */
void sender_record_write(const struct sender_record *record, uint8_t ret_octets[static SENDER_RECORD_SIZE]);
void sender_record_read(const uint8_t octets[static SENDER_RECORD_SIZE], struct sender_record *ret_record);

/* ---- the memo of a transaction: a check that runs again sees what it saw before */

struct sender_entry {
        struct sender_entry *next;
        struct sender_key key;
        enum fact fact;
        struct sender_record record;
};

struct sender_memo {
        struct arena *arena;
        struct sender_source *source; /* NULL: every question fails */
        uint64_t handle;
        struct sender_entry *entries;
        uint32_t pending;
        uint32_t failed;
        uint64_t due_ms; /* set by who waits: when what is pending is to be given up; 0: nobody waits */
        bool is_late;    /* that time has passed: what is pending reads as failed */
};

void sender_memo_init(struct sender_memo *memo, struct arena *arena, struct sender_source *source,
                      uint64_t handle);
/* `now_s`: an expired record is ABSENT. *ret_record is set when FOUND. */
enum fact sender_ask(struct sender_memo *memo, const struct sender_key *key, int64_t now_s,
                     struct sender_record *ret_record);
/* An answer has come. Nothing happens when the memo does not wait for it. */
void sender_settle(struct sender_memo *memo, const struct sender_key *key, enum fact fact,
                   const struct sender_record *record);
/* As memo_begin_stage(). */
void sender_memo_begin_stage(struct sender_memo *memo);
/* Not without a source. */
void sender_apply(struct sender_memo *memo, const struct sender_effect *effect);
