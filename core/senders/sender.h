/* What is remembered of senders from one session to the next, as checks see it: a fact like those from DNS,
 * which is there at once or pending. Nothing here starts a thread, opens a file or reads a clock.
 *
 * A record is found by its key, the hash of a text that says what the record is about. Whoever changes a
 * record gives an effect, which is merged into it. In whatever order the effects of many machines come, the
 * record becomes the same. */
#pragma once

#include "core/base/digest/mac.h"
#include "dns/fact.h"

#include <stdatomic.h>

#define SENDER_TEXT_MAX    200 /* octets of a key's text that are kept to be read by people */
#define SENDER_RECORD_SIZE 16  /* octets as stored */

#define SENDER_KEY_SIZE    16
#define SENDER_SECRET_SIZE 32

/* What the store's keys are made with: nobody outside can find a text that has the key of another. It lies in
 * the store itself, so that all who share the store share it. */
struct sender_secret {
        uint8_t octets[SENDER_SECRET_SIZE];
        struct mac_sha256_key key; /* made of them */
};

struct sender_key {
        uint8_t octets[SENDER_KEY_SIZE];
        /* The key without a secret, under which earlier versions have stored the record: it is looked for there
         * too. The same as `octets` where the store has no secret. */
        uint8_t unkeyed[SENDER_KEY_SIZE];
};

/* Times in seconds since 1970: 32 bits last until 2106. */
struct sender_record {
        uint32_t first_s, last_s;
        uint32_t expires_s; /* from then on it is as if it were not there */
        uint32_t count;     /* what is counted is the owner's to say; stays at its maximum */
};

/* What is to be merged into the record of `key`. The time of the effect is its record.last_s. */
struct sender_effect {
        struct sender_key key;
        struct sender_record record;
        struct span text; /* what the key is the hash of, maybe cut; empty: not kept */
};

/* Where a memo asks, and where effects go. */
struct sender_source {
        /* Looks the key up, or files the question for `handle` and says PENDING. FOUND sets *ret_record,
         * which may have expired. */
        enum fact (*ask)(struct sender_source *source, const struct sender_key *key, uint64_t handle,
                         struct sender_record *ret_record);
        /* Copies the effect and returns at once. It may be lost when the store cannot be reached. */
        void (*apply)(struct sender_source *source, const struct sender_effect *effect);
        /* Tells a notice of at most SENDER_TEXT_MAX octets to all machines that share the store. It is copied
         * and may be lost, as effects may. NULL when there are no other machines. */
        void (*tell)(struct sender_source *source, struct span notice);
        /* The store's, which stays where it is; NULL: it has none, or cannot be asked yet. */
        const struct sender_secret *_Atomic secret;
};

void sender_secret_set(struct sender_secret *ret_secret, const uint8_t octets[static SENDER_SECRET_SIZE]);
/* Returns the key of a text. `secret` may be NULL. */
struct sender_key sender_key_of(const struct sender_secret *secret, struct span text);
/* True when a record may lie under the key without a secret. */
bool sender_key_has_unkeyed(const struct sender_key *key);
bool sender_key_equals(const struct sender_key *left, const struct sender_key *right);

/* Merges `more` into the record. With `is_new` there was none. An expired record begins anew. */
void sender_merge(struct sender_record *record, bool is_new, const struct sender_record *more);
/* The octets are little-endian, so that all machines of a fleet agree. */
void sender_record_write(const struct sender_record *record, uint8_t ret_octets[static SENDER_RECORD_SIZE]);
void sender_record_read(const uint8_t octets[static SENDER_RECORD_SIZE], struct sender_record *ret_record);

/* ---- the memo of a transaction: a check that runs again sees what it saw before. */

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
/* Returns the key of a text in the memo's store. */
struct sender_key sender_memo_key(const struct sender_memo *memo, struct span text);
/* Asks for a record. One that has expired by `now_s` is ABSENT. *ret_record is set when it is FOUND. */
enum fact sender_ask(struct sender_memo *memo, const struct sender_key *key, int64_t now_s,
                     struct sender_record *ret_record);
/* Takes an answer that has come. It is passed over when the memo does not wait for it. */
void sender_settle(struct sender_memo *memo, const struct sender_key *key, enum fact fact,
                   const struct sender_record *record);
/* Another stage begins, as for memo_begin_stage(). */
void sender_memo_begin_stage(struct sender_memo *memo);
/* Hands the effect to the source, which the memo must have. */
void sender_apply(struct sender_memo *memo, const struct sender_effect *effect);
