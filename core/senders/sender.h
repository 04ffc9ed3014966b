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

/* What the keys of a share are made with: nobody outside can find a text that has the key of another. It lies in
 * the share itself, so that all who share the store share it. */
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

#define SENDER_SHARES_MAX 8

/* A part of the store, which knows of no other part: a file, or one of several Redis. */
struct sender_share {
        uint64_t seed; /* of its name */
        /* Stays where it is; NULL: it has none, or cannot be asked yet. */
        const struct sender_secret *_Atomic secret;
        _Atomic bool is_reachable; /* worth asking */
};

/* Which share has which key: the one with the highest weight for it (rendezvous hashing). So the order of the shares is
 * of no matter, and a share that comes or goes moves its own keys alone. */
struct sender_placing {
        uint32_t count; /* at least 1 */
        struct sender_share shares[SENDER_SHARES_MAX];
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
        /* The store's, which stays where it is; NULL: it has no shares yet. */
        struct sender_placing *_Atomic placing;
};

void sender_secret_set(struct sender_secret *ret_secret, const uint8_t octets[static SENDER_SECRET_SIZE]);
/* Returns the key of a text. `secret` may be NULL. */
struct sender_key sender_key_of(const struct sender_secret *secret, struct span text);
/* Adds a share of this name, for which there must be room. */
void sender_placing_add(struct sender_placing *placing, struct span name);
/* Returns the weight of the share for a key without a secret. */
uint64_t sender_share_weight(const struct sender_share *share, const uint8_t unkeyed[static SENDER_KEY_SIZE]);
/* Returns the number of the share that has the key. */
uint32_t sender_placing_find(const struct sender_placing *placing,
                             const uint8_t unkeyed[static SENDER_KEY_SIZE]);
/* Returns the key of a text in the store of `source`, which may be NULL. Any thread may ask. */
struct sender_key sender_source_key(const struct sender_source *source, struct span text);
/* True when a record may lie under the key without a secret. */
bool sender_key_has_unkeyed(const struct sender_key *key);
bool sender_key_equals(const struct sender_key *left, const struct sender_key *right);

/* By so much the clocks of machines differ at most: a first contact that is further ahead was noted by one that was
 * wrong. */
#define SENDER_CLOCKS_DIFFER_S 60

/* Of nothing but such a first contact. */
static inline bool sender_is_to_come(const struct sender_record *record, int64_t now_s)
{
        return record->count == 0 && record->first_s > now_s + SENDER_CLOCKS_DIFFER_S;
}

/* Merges `more` into the record. With `is_new` there was none. An expired record begins anew, and one that is to
 * come. */
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
        uint32_t asked, pending, failed;
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
