/* Ids of replies and messages: twelve characters that are unique on this machine, and of which nobody without the key
 * learns another one, nor when, by which thread and as which of many it was given. */
#pragma once

#include "core/base/text.h"

#define ID_LENGTH    12
#define ID_TEXT_SIZE (ID_LENGTH + 1) /* with a terminator */
#define ID_KEY_SIZE  16
#define ID_GIVERS    128

#define IDS_BATCH 32 /* made at a time: AES is fast when it gets many blocks at once */

/* Processes of one machine may live at the same time, while one takes over from another. Each gives ids of one lane,
 * every eighth of the sequence, so that none is given twice; it is the start of the sequence, modulo this. */
#define ID_LANES 8

struct evp_cipher_ctx_st;

struct id_key {
        uint8_t octets[ID_KEY_SIZE];
};

/* Owner: a thread that gives ids. */
struct ids {
        /* EVP_CIPHER_CTX. NULL: ids are told as they are counted, for who plays sessions and needs no key. */
        struct evp_cipher_ctx_st *cipher;
        uint64_t sequence; /* of the next one that is made; any start, see ID_LANES */
        uint32_t giver;    /* below ID_GIVERS, and nobody else's on this machine */
        uint32_t left;     /* in `made`, from its beginning */
        uint64_t made[2 * IDS_BATCH];
};

/* False when memory is out. */
bool ids_init(struct ids *ids, const struct id_key *key, uint32_t giver, uint64_t sequence);
void ids_end(struct ids *ids);
/* Makes some when not many are left, so that no session has to wait for that. `wall_ms`: since 1970. */
void ids_prepare(struct ids *ids, int64_t wall_ms);
/* Gives one, terminated. */
void ids_write(struct ids *ids, int64_t wall_ms, char ret_id[static ID_TEXT_SIZE]);

/* Reads an id as whoever reads one aloud or types it in small letters means it: it has no I, L, O and U. False when it
 * is none. */
bool id_read(struct span text, char ret_id[static ID_TEXT_SIZE]);
/* The number that such an id stands for, of 60 bits. */
uint64_t id_number(const char id[static ID_TEXT_SIZE]);
