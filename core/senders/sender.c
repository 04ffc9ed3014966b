/* Keys, records and the memo. */
#include "core/senders/sender.h"

#include <xxhash.h>

void sender_secret_set(struct sender_secret *ret_secret, const uint8_t octets[static SENDER_SECRET_SIZE])
{
        memcpy(ret_secret->octets, octets, SENDER_SECRET_SIZE);
        mac_sha256_prepare(&ret_secret->key, span_of((const char *)octets, SENDER_SECRET_SIZE));
}

static void key_without_secret(struct span text, struct sender_key *ret_key)
{
        XXH128_canonical_t canonical;

        XXH128_canonicalFromHash(&canonical, XXH3_128bits(text.at, text.length));
        memcpy(ret_key->unkeyed, canonical.digest, sizeof ret_key->unkeyed);
        memcpy(ret_key->octets, ret_key->unkeyed, sizeof ret_key->octets);
}

static void key_add_secret(const struct sender_secret *secret, struct span text, struct sender_key *key)
{
        uint8_t mac[MAC_SHA256_SIZE];

        if (secret == NULL)
                return;
        mac_sha256_with(&secret->key, text, mac);
        memcpy(key->octets, mac, sizeof key->octets);
}

struct sender_key sender_key_of(const struct sender_secret *secret, struct span text)
{
        struct sender_key key;

        key_without_secret(text, &key);
        key_add_secret(secret, text, &key);
        return key;
}

bool sender_key_has_unkeyed(const struct sender_key *key)
{
        return memcmp(key->octets, key->unkeyed, sizeof key->octets) != 0;
}

bool sender_key_equals(const struct sender_key *left, const struct sender_key *right)
{
        return memcmp(left->octets, right->octets, sizeof left->octets) == 0;
}

static uint32_t larger(uint32_t left, uint32_t right)
{
        return left > right ? left : right;
}

void sender_merge(struct sender_record *record, bool is_new, const struct sender_record *more)
{
        if (is_new || sender_is_to_come(record, more->last_s) || record->expires_s <= more->last_s) {
                *record = *more;
                return;
        }
        record->last_s = larger(record->last_s, more->last_s);
        record->expires_s = larger(record->expires_s, more->expires_s);
        record->count = more->count > UINT32_MAX - record->count ? UINT32_MAX : record->count + more->count;
}

static void number_write(uint32_t number, uint8_t *octets)
{
        for (int i = 0; i < 4; i++)
                octets[i] = (uint8_t)(number >> (8 * i));
}

static uint32_t number_read(const uint8_t *octets)
{
        return (uint32_t)octets[0] | (uint32_t)octets[1] << 8 | (uint32_t)octets[2] << 16 |
               (uint32_t)octets[3] << 24;
}

void sender_record_write(const struct sender_record *record, uint8_t ret_octets[static SENDER_RECORD_SIZE])
{
        number_write(record->first_s, ret_octets);
        number_write(record->last_s, ret_octets + 4);
        number_write(record->expires_s, ret_octets + 8);
        number_write(record->count, ret_octets + 12);
}

void sender_record_read(const uint8_t octets[static SENDER_RECORD_SIZE], struct sender_record *ret_record)
{
        *ret_record = (struct sender_record){
            .first_s = number_read(octets),
            .last_s = number_read(octets + 4),
            .expires_s = number_read(octets + 8),
            .count = number_read(octets + 12),
        };
}

/* ---- shares -------------------------------------------------------------------------------------------- */

void sender_placing_add(struct sender_placing *placing, struct span name)
{
        placing->shares[placing->count++].seed = XXH3_64bits(name.at, name.length);
}

uint64_t sender_share_weight(const struct sender_share *share, const uint8_t unkeyed[static SENDER_KEY_SIZE])
{
        return XXH3_64bits_withSeed(unkeyed, SENDER_KEY_SIZE, share->seed);
}

uint32_t sender_placing_find(const struct sender_placing *placing,
                             const uint8_t unkeyed[static SENDER_KEY_SIZE])
{
        uint64_t heaviest = 0;
        uint32_t found = 0;

        for (uint32_t i = 0; placing->count > 1 && i < placing->count; i++) {
                uint64_t weight = sender_share_weight(&placing->shares[i], unkeyed);
                if (weight > heaviest) {
                        heaviest = weight;
                        found = i;
                }
        }
        return found;
}

struct sender_key sender_source_key(const struct sender_source *source, struct span text)
{
        const struct sender_placing *placing =
            source == NULL ? NULL : atomic_load_explicit(&source->placing, memory_order_acquire);
        struct sender_key key;

        key_without_secret(text, &key);
        if (placing == NULL)
                return key;
        const struct sender_share *share = &placing->shares[sender_placing_find(placing, key.unkeyed)];
        key_add_secret(atomic_load_explicit(&share->secret, memory_order_acquire), text, &key);
        return key;
}

/* ---- memo ---------------------------------------------------------------------------------------------- */

void sender_memo_init(struct sender_memo *memo, struct arena *arena, struct sender_source *source,
                      uint64_t handle)
{
        *memo = (struct sender_memo){.arena = arena, .source = source, .handle = handle};
}

static struct sender_entry *memo_find(const struct sender_memo *memo, const struct sender_key *key)
{
        struct sender_entry *entry = memo->entries;
        while (entry != NULL && !sender_key_equals(&entry->key, key))
                entry = entry->next;
        return entry;
}

/* NULL when memory is out. */
static struct sender_entry *memo_file(struct sender_memo *memo, const struct sender_key *key)
{
        struct sender_entry *entry = arena_take(memo->arena, sizeof *entry);

        if (entry == NULL)
                return NULL;
        *entry = (struct sender_entry){.next = memo->entries, .key = *key, .fact = FACT_FAILED};
        memo->entries = entry;
        if (memo->source != NULL)
                entry->fact = memo->source->ask(memo->source, key, memo->handle, &entry->record);
        memo->asked++;
        memo->pending += entry->fact == FACT_PENDING;
        memo->failed += entry->fact == FACT_FAILED;
        return entry;
}

struct sender_key sender_memo_key(const struct sender_memo *memo, struct span text)
{
        return sender_source_key(memo->source, text);
}

enum fact sender_ask(struct sender_memo *memo, const struct sender_key *key, int64_t now_s,
                     struct sender_record *ret_record)
{
        struct sender_entry *entry = memo_find(memo, key);

        if (entry == NULL && (entry = memo_file(memo, key)) == NULL)
                return FACT_FAILED;
        if (entry->fact == FACT_PENDING && memo->is_late)
                return FACT_FAILED;
        if (entry->fact != FACT_FOUND)
                return entry->fact;
        if (entry->record.expires_s <= now_s)
                return FACT_ABSENT;
        *ret_record = entry->record;
        return FACT_FOUND;
}

void sender_settle(struct sender_memo *memo, const struct sender_key *key, enum fact fact,
                   const struct sender_record *record)
{
        struct sender_entry *entry = memo_find(memo, key);

        if (entry == NULL || entry->fact != FACT_PENDING)
                return;
        /* What was read as failed once stays so: checks have judged by it. */
        entry->fact = memo->is_late ? FACT_FAILED : fact;
        entry->record = *record;
        memo->pending--;
        memo->failed += entry->fact == FACT_FAILED;
}

void sender_memo_begin_stage(struct sender_memo *memo)
{
        for (struct sender_entry *entry = memo->entries; memo->is_late && entry != NULL; entry = entry->next)
                if (entry->fact == FACT_PENDING) {
                        entry->fact = FACT_FAILED;
                        memo->pending--;
                        memo->failed++;
                }
        memo->is_late = false;
        memo->due_ms = 0;
}

void sender_apply(struct sender_memo *memo, const struct sender_effect *effect)
{
        if (memo->source != NULL)
                memo->source->apply(memo->source, effect);
}
