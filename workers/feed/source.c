/* A list in the place of DNS. On a session's way: it takes no lock, and memory from the asker's arena alone. */
#include "workers/feed/internal.h"

#include "core/base/thread_sanitizer.h"

#include <urcu/urcu-memb.h>

#define TTL_S 300 /* nobody keeps these answers */

/* "2.0.0.127" of "2.0.0.127.bl.example". */
static struct span without_zone(struct span name, const char *zone)
{
        size_t length = strlen(zone);

        return name.length > length ? span_of(name.at, name.length - length - 1) : (struct span){0};
}

static bool find(struct feed_slot *slot, const struct dns_question *question, struct feed_answer *ret_answer)
{
        foreign_accesses_begin();
        urcu_memb_read_lock();
        foreign_accesses_end();
        const struct feed_table *table = atomic_load_explicit(&slot->table, memory_order_acquire);
        ret_answer->count = 0;
        if (table != NULL && (question->type == DNS_A || question->type == DNS_TXT))
                feed_find(table->feed, without_zone(question->name, slot->zone),
                          question->type == DNS_A ? FEED_ADDRESSES : FEED_TEXTS, ret_answer);
        order_release(&slot->table);
        foreign_accesses_begin();
        urcu_memb_read_unlock();
        foreign_accesses_end();
        return table != NULL;
}

static bool copy(const struct feed_answer *found, struct arena *arena, struct dns_answer *ret_answer)
{
        struct dns_record *records = arena_take(arena, found->count * sizeof *records);

        for (size_t i = 0; i < found->count && records != NULL; i++) {
                records[i] = (struct dns_record){.data = arena_copy(arena, found->records[i])};
                if (records[i].data.at == NULL)
                        return false;
        }
        ret_answer->records = records;
        ret_answer->record_count = (uint16_t)found->count;
        return records != NULL;
}

enum fact feed_slot_ask(struct dns_source *source, const struct dns_question *question,
                        const struct dns_asker *asker, struct arena *arena, struct dns_answer *ret_answer)
{
        struct feed_slot *slot = (struct feed_slot *)(void *)source;
        struct feed_answer found;

        (void)asker;
        *ret_answer = (struct dns_answer){.fact = FACT_FAILED, .rcode = 2};
        if (!find(slot, question, &found)) {
                ret_answer->is_unasked = true;
                return atomic_load_explicit(&slot->falls_back, memory_order_relaxed) ? FACT_PENDING
                                                                                     : FACT_FAILED;
        }
        struct dns_answer answer = {
            .fact = FACT_ABSENT, .is_nxdomain = true, .is_cached = true, .rcode = 3, .ttl_s = TTL_S};
        if (found.count > 0) {
                answer = (struct dns_answer){.fact = FACT_FOUND, .is_cached = true, .ttl_s = TTL_S};
                if (!copy(&found, arena, &answer))
                        return FACT_FAILED;
        }
        *ret_answer = answer;
        return answer.fact;
}
