/* The RCU cache: cds_lfht for lookup, a ring of entries with a CLOCK hand for eviction, C11 atomics for what
 * readers write. */
#include "dns/cache.h"

#include "core/base/expect.h"
#include "core/base/thread_sanitizer.h"
#include "dns/answer.h"
#include "dns/name.h"

#include <pthread.h>
#include <stddef.h>
#include <sys/random.h>
#include <urcu/urcu-memb.h>
#include <urcu/rculfhash.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#define SECRET_OCTETS     192 /* XXH3_SECRET_SIZE_MIN is 136 */
#define OCTETS_PER_BUCKET 256
#define HEAT_MAX          3 /* rounds of the hand that an unused entry survives */
#define HEAT_HOT          2
#define STRIPES           16
#define MALLOC_OVERHEAD   16
#define REFRESH_PERCENT   90 /* of the lifetime, after which hot answers are asked for again */

struct entry {
        struct cds_lfht_node node;
        struct rcu_head rcu;
        struct dns_cache *cache;
        struct entry *before, *after; /* in the CLOCK ring; by the writers' lock */
        /* Fixed once published. */
        uint64_t refresh_ms, end_ms, stale_end_ms; /* refresh: from when on a hot answer is asked for again */
        uint32_t octets;
        enum dns_type type;
        size_t name_length;
        struct dns_answer answer;
        /* Written by readers. */
        _Atomic uint8_t heat;
        _Atomic bool is_refreshing;
        _Atomic uint64_t stale_until_ms;         /* served stale until then; written by writers */
        _Atomic bool is_published;               /* orders the fields above for whoever finds the entry */
        _Alignas(struct dns_record) char data[]; /* records, then the name */
};

struct stripe {
        _Alignas(64) _Atomic uint64_t hits, stale_hits, misses;
};

struct dns_cache {
        struct dns_cache_options options; /* times: by the lock */
        struct cds_lfht *table;
        unsigned char secret[SECRET_OCTETS];
        struct stripe stripes[STRIPES];
        _Alignas(64) _Atomic uint64_t deferred_octets;
        pthread_mutex_t lock; /* of what follows */
        struct entry *hand;   /* NULL: empty */
        struct dns_cache_counts counts;
};

struct key {
        const struct dns_question *question;
        uint64_t hash;
};

static struct stripe *stripe_mine(struct dns_cache *cache)
{
        static _Atomic unsigned threads;
        static _Thread_local unsigned mine;
        if (mine == 0)
                mine = atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) % STRIPES + 1;
        return &cache->stripes[mine - 1];
}

static void count(_Atomic uint64_t *counter)
{
        atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void section_begin(void)
{
        foreign_accesses_begin();
        urcu_memb_read_lock();
        foreign_accesses_end();
}

static void section_end(struct dns_cache *cache)
{
        order_release(cache);
        foreign_accesses_begin();
        urcu_memb_read_unlock();
        foreign_accesses_end();
}

/* ---- lookup -------------------------------------------------------------------------------------------- */

uint64_t dns_cache_hash(const struct dns_cache *cache, struct span name)
{
        return XXH3_64bits_withSecret(name.at, name.length, cache->secret, sizeof cache->secret);
}

static struct key key_of(const struct dns_cache *cache, const struct dns_question *question)
{
        uint64_t type =
            (uint64_t)question->type * 0x9e3779b97f4a7c15; /* types of one name go to different buckets */
        return (struct key){question, dns_cache_hash(cache, question->name) ^ type};
}

static struct span entry_name(const struct entry *entry)
{
        return span_of(entry->data + dns_answer_octets(&entry->answer), entry->name_length);
}

static int entry_matches(struct cds_lfht_node *node, const void *argument)
{
        const struct entry *entry = caa_container_of(node, struct entry, node);
        const struct dns_question *question = ((const struct key *)argument)->question;

        if (!atomic_load_explicit(&entry->is_published, memory_order_acquire))
                return 0;
        return entry->type == question->type && span_equals(entry_name(entry), question->name);
}

/* In a read section. */
static struct entry *entry_find(struct dns_cache *cache, const struct key *key)
{
        struct cds_lfht_iter iter;
        cds_lfht_lookup(cache->table, key->hash, entry_matches, key, &iter);
        struct cds_lfht_node *node = cds_lfht_iter_get_node(&iter);
        return node == NULL ? NULL : caa_container_of(node, struct entry, node);
}

static void entry_warm(struct entry *entry)
{
        uint8_t heat = atomic_load_explicit(&entry->heat, memory_order_relaxed);
        if (heat < HEAT_MAX)
                atomic_store_explicit(&entry->heat, heat + 1, memory_order_relaxed);
}

static bool entry_wants_refresh(struct entry *entry, uint64_t now_ms)
{
        return now_ms >= entry->refresh_ms && entry->answer.fact != FACT_FAILED &&
               atomic_load_explicit(&entry->heat, memory_order_relaxed) >= HEAT_HOT &&
               !atomic_load_explicit(&entry->is_refreshing, memory_order_relaxed) &&
               !atomic_exchange_explicit(&entry->is_refreshing, true, memory_order_relaxed);
}

static enum dns_cache_result entry_read(struct entry *entry, uint64_t now_ms, struct arena *arena,
                                        struct dns_answer *ret_answer)
{
        bool is_stale = now_ms >= entry->end_ms;
        if (is_stale && now_ms >= atomic_load_explicit(&entry->stale_until_ms, memory_order_relaxed))
                return CACHE_MISS;
        void *memory = arena_take(arena, dns_answer_octets(&entry->answer));
        if (memory == NULL)
                return CACHE_MISS;
        dns_answer_write(memory, &entry->answer, ret_answer);
        ret_answer->is_cached = true;
        ret_answer->is_stale = is_stale;
        ret_answer->ttl_s = is_stale ? 0 : (uint32_t)((entry->end_ms - now_ms + 999) / 1000);
        bool wants_refresh = !is_stale && entry_wants_refresh(entry, now_ms);
        entry_warm(entry);
        return wants_refresh ? CACHE_HIT_REFRESH : CACHE_HIT;
}

enum dns_cache_result dns_cache_get(struct dns_cache *cache, const struct dns_question *question,
                                    uint64_t now_ms, struct arena *arena, struct dns_answer *ret_answer)
{
        struct key key = key_of(cache, question);
        struct stripe *stripe = stripe_mine(cache);
        enum dns_cache_result result = CACHE_MISS;

        section_begin();
        struct entry *entry = entry_find(cache, &key);
        if (entry != NULL)
                result = entry_read(entry, now_ms, arena, ret_answer);
        section_end(cache);
        count(result == CACHE_MISS   ? &stripe->misses
              : ret_answer->is_stale ? &stripe->stale_hits
                                     : &stripe->hits);
        return result;
}

/* ---- writers: by the lock ------------------------------------------------------------------------------ */

static void ring_add(struct dns_cache *cache, struct entry *entry)
{
        struct entry *hand = cache->hand;
        if (hand == NULL) {
                cache->hand = entry->before = entry->after = entry;
                return;
        }
        /* Behind the hand: the last to be looked at. */
        entry->after = hand;
        entry->before = hand->before;
        hand->before->after = entry;
        hand->before = entry;
}

static void ring_remove(struct dns_cache *cache, struct entry *entry)
{
        entry->before->after = entry->after;
        entry->after->before = entry->before;
        if (cache->hand == entry)
                cache->hand = entry->after == entry ? NULL : entry->after;
}

static void entry_free(struct rcu_head *head)
{
        struct entry *entry = caa_container_of(head, struct entry, rcu);

        order_acquire(entry);
        struct dns_cache *cache = entry->cache;
        order_acquire(cache);
        uint32_t octets = entry->octets;
        free(entry);
        atomic_fetch_sub_explicit(&cache->deferred_octets, octets, memory_order_relaxed);
}

/* It is out of the table already. */
static void entry_retire(struct dns_cache *cache, struct entry *entry)
{
        ring_remove(cache, entry);
        cache->counts.entries--;
        cache->counts.octets -= entry->octets;
        atomic_fetch_add_explicit(&cache->deferred_octets, entry->octets, memory_order_relaxed);
        order_release(entry);
        urcu_memb_call_rcu(&entry->rcu, entry_free);
}

static void evict(struct dns_cache *cache, size_t octets_needed, uint64_t now_ms)
{
        while (cache->hand != NULL && cache->counts.octets + octets_needed > cache->options.octets_max) {
                struct entry *entry = cache->hand;
                uint8_t heat = atomic_load_explicit(&entry->heat, memory_order_relaxed);
                if (heat > 0 && now_ms < entry->end_ms) {
                        atomic_store_explicit(&entry->heat, heat - 1, memory_order_relaxed);
                        cache->hand = entry->after;
                        continue;
                }
                expect(cds_lfht_del(cache->table, &entry->node) == 0);
                entry_retire(cache, entry);
                cache->counts.evictions++;
        }
}

static uint32_t ttl_clamped(const struct dns_cache_options *options, const struct dns_answer *answer)
{
        uint32_t max = answer->fact == FACT_FOUND ? options->ttl_max_s : options->negative_ttl_max_s;
        uint32_t ttl_s = answer->ttl_s;

        if (answer->fact == FACT_FAILED)
                return options->failure_ttl_s;
        if (ttl_s < options->ttl_min_s)
                ttl_s = options->ttl_min_s;
        return ttl_s > max ? max : ttl_s;
}

static struct entry *entry_create(struct dns_cache *cache, const struct dns_question *question,
                                  const struct dns_answer *answer, uint64_t now_ms)
{
        size_t octets = sizeof(struct entry) + dns_answer_octets(answer) + question->name.length;
        struct entry *entry =
            octets + MALLOC_OVERHEAD > cache->options.octets_max / 8 ? NULL : malloc(octets);
        if (entry == NULL)
                return NULL;
        *entry = (struct entry){.cache = cache, .type = question->type, .name_length = question->name.length};
        entry->octets = (uint32_t)(octets + MALLOC_OVERHEAD);
        dns_answer_write(entry->data, answer, &entry->answer);
        memcpy(entry->data + dns_answer_octets(answer), question->name.at, question->name.length);
        uint64_t life_ms = (uint64_t)ttl_clamped(&cache->options, answer) * 1000;
        entry->refresh_ms = now_ms + life_ms / 100 * REFRESH_PERCENT;
        entry->end_ms = now_ms + life_ms;
        entry->stale_end_ms = entry->end_ms;
        if (answer->fact != FACT_FAILED)
                entry->stale_end_ms += (uint64_t)cache->options.stale_s * 1000;
        cds_lfht_node_init(&entry->node);
        atomic_store_explicit(&entry->is_published, true, memory_order_release);
        return entry;
}

/* True when a failure to refresh it leaves it in place. */
static bool entry_outlives_failure(const struct dns_cache *cache, struct entry *entry, uint64_t now_ms)
{
        if (entry == NULL || entry->answer.fact == FACT_FAILED || now_ms >= entry->stale_end_ms)
                return false;
        uint64_t until_ms = now_ms + (uint64_t)cache->options.stale_recheck_s * 1000;
        if (until_ms > entry->stale_end_ms)
                until_ms = entry->stale_end_ms;
        atomic_store_explicit(&entry->stale_until_ms, until_ms, memory_order_relaxed);
        return true;
}

/* In a read section, with the lock. */
static void entry_insert(struct dns_cache *cache, const struct key *key, const struct dns_answer *answer,
                         uint64_t now_ms)
{
        if (answer->fact == FACT_FAILED && entry_outlives_failure(cache, entry_find(cache, key), now_ms))
                return;
        struct entry *entry = NULL;
        if (atomic_load_explicit(&cache->deferred_octets, memory_order_relaxed) <=
            cache->options.deferred_octets_max)
                entry = entry_create(cache, key->question, answer, now_ms);
        if (entry == NULL) {
                cache->counts.skipped++;
                return;
        }
        evict(cache, entry->octets, now_ms);
        struct cds_lfht_node *old =
            cds_lfht_add_replace(cache->table, key->hash, entry_matches, key, &entry->node);
        if (old != NULL) {
                struct entry *replaced = caa_container_of(old, struct entry, node);
                atomic_init(&entry->heat, atomic_load_explicit(&replaced->heat, memory_order_relaxed));
                entry_retire(cache, replaced);
        }
        ring_add(cache, entry);
        cache->counts.inserts++;
        cache->counts.entries++;
        cache->counts.octets += entry->octets;
}

void dns_cache_put(struct dns_cache *cache, const struct dns_question *question,
                   const struct dns_answer *answer, uint64_t now_ms)
{
        struct key key = key_of(cache, question);

        pthread_mutex_lock(&cache->lock);
        section_begin();
        entry_insert(cache, &key, answer, now_ms);
        section_end(cache);
        pthread_mutex_unlock(&cache->lock);
}

/* ---- life ---------------------------------------------------------------------------------------------- */

struct dns_cache *dns_cache_create(const struct dns_cache_options *options)
{
        struct dns_cache *cache = aligned_alloc(_Alignof(struct dns_cache), sizeof *cache);
        unsigned long buckets = 1024;

        while (buckets * OCTETS_PER_BUCKET < options->octets_max && buckets < 1ul << 24)
                buckets *= 2;
        if (cache == NULL)
                return NULL;
        memset(cache, 0, sizeof *cache);
        cache->options = *options;
        if (getrandom(cache->secret, sizeof cache->secret, 0) == sizeof cache->secret)
                cache->table = cds_lfht_new_flavor(buckets, buckets, buckets, 0, &urcu_memb_flavor, NULL);
        if (cache->table == NULL) {
                free(cache);
                return NULL;
        }
        pthread_mutex_init(&cache->lock, NULL);
        return cache;
}

void dns_cache_destroy(struct dns_cache *cache)
{
        section_begin();
        while (cache->hand != NULL) {
                struct entry *entry = cache->hand;
                expect(cds_lfht_del(cache->table, &entry->node) == 0);
                entry_retire(cache, entry);
        }
        section_end(cache);
        foreign_accesses_begin();
        urcu_memb_barrier();
        foreign_accesses_end();
        expect(cds_lfht_destroy(cache->table, NULL) == 0);
        pthread_mutex_destroy(&cache->lock);
        free(cache);
}

void dns_cache_set_times(struct dns_cache *cache, const struct dns_cache_options *options)
{
        pthread_mutex_lock(&cache->lock);
        size_t octets_max = cache->options.octets_max, deferred_max = cache->options.deferred_octets_max;
        cache->options = *options;
        cache->options.octets_max = octets_max;
        cache->options.deferred_octets_max = deferred_max;
        pthread_mutex_unlock(&cache->lock);
}

void dns_cache_count(struct dns_cache *cache, struct dns_cache_counts *ret_counts)
{
        pthread_mutex_lock(&cache->lock);
        *ret_counts = cache->counts;
        pthread_mutex_unlock(&cache->lock);
        ret_counts->deferred_octets = atomic_load_explicit(&cache->deferred_octets, memory_order_relaxed);
        for (size_t i = 0; i < STRIPES; i++) {
                ret_counts->hits += atomic_load_explicit(&cache->stripes[i].hits, memory_order_relaxed);
                ret_counts->stale_hits +=
                    atomic_load_explicit(&cache->stripes[i].stale_hits, memory_order_relaxed);
                ret_counts->misses += atomic_load_explicit(&cache->stripes[i].misses, memory_order_relaxed);
        }
}
