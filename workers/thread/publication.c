/* Publication by pointer exchange (C11), grace periods by liburcu, lifetime by pin counts. */
#include "workers/thread/publication.h"

#include "core/base/expect.h"
#include "core/base/thread_sanitizer.h"

#include <urcu/urcu-memb.h>

static struct published *published_create(size_t pinner_count, struct snapshot *snapshot)
{
        struct published *published = aligned_alloc(
            _Alignof(struct published), sizeof *published + pinner_count * sizeof published->counts[0]);
        if (published == NULL)
                return NULL;
        published->snapshot = snapshot;
        published->number = 1;
        published->older = NULL;
        published->companion = NULL;
        published->companion_end = NULL;
        atomic_init(&published->age, PUBLISHED_YOUNG);
        for (size_t i = 0; i < pinner_count; i++)
                atomic_init(&published->counts[i].pins, 0);
        return published;
}

void published_accompany(struct published *published, void *companion, void (*end)(void *companion))
{
        published->companion = companion;
        published->companion_end = end;
}

static void published_free(struct published *published)
{
        if (published->companion != NULL)
                published->companion_end(published->companion);
        snapshot_free(published->snapshot);
        free(published);
}

bool publication_init(struct publication *publication, size_t pinner_count, struct snapshot *snapshot)
{
        struct published *published = published_create(pinner_count, snapshot);
        if (published == NULL)
                return false;
        atomic_init(&publication->published, published);
        atomic_init(&publication->agings, 0);
        publication->replaced = NULL;
        publication->pinner_count = pinner_count;
        return true;
}

void publication_end(struct publication *publication)
{
        expect(publication_reap(publication) == 0);
        published_free(atomic_load(&publication->published));
}

struct published *publication_prepare(const struct publication *publication, struct snapshot *snapshot)
{
        return published_create(publication->pinner_count, snapshot);
}

void publication_put(struct publication *publication, struct published *next)
{
        next->number = atomic_load_explicit(&publication->published, memory_order_relaxed)->number + 1;
        struct published *before =
            atomic_exchange_explicit(&publication->published, next, memory_order_acq_rel);
        /* After this, whoever read the old pointer has counted its pin. */
        urcu_memb_synchronize_rcu();
        before->older = publication->replaced;
        publication->replaced = before;
}

bool publication_publish(struct publication *publication, struct snapshot *snapshot)
{
        struct published *published = publication_prepare(publication, snapshot);

        if (published == NULL)
                return false;
        publication_put(publication, published);
        return true;
}

static bool is_pinned(const struct published *published, size_t pinner_count)
{
        for (size_t i = 0; i < pinner_count; i++)
                if (atomic_load_explicit(&published->counts[i].pins, memory_order_acquire) != 0)
                        return true;
        return false;
}

size_t publication_reap(struct publication *publication)
{
        size_t pinned = 0;

        for (struct published **link = &publication->replaced, *published; (published = *link) != NULL;) {
                if (is_pinned(published, publication->pinner_count)) {
                        link = &published->older;
                        pinned++;
                } else {
                        *link = published->older;
                        published_free(published);
                }
        }
        return pinned;
}

bool publication_age(struct publication *publication, size_t max)
{
        bool has_aged = false;
        size_t place = 2; /* the first is in force */

        for (struct published *published = publication->replaced; published != NULL;
             published = published->older, place++) {
                enum published_age age = place <= max       ? PUBLISHED_YOUNG
                                         : place <= 2 * max ? PUBLISHED_OLD
                                                            : PUBLISHED_TOO_OLD;
                if (age <= published_age(published))
                        continue;
                atomic_store_explicit(&published->age, (int)age, memory_order_relaxed);
                has_aged = true;
        }
        if (has_aged)
                atomic_fetch_add_explicit(&publication->agings, 1, memory_order_release);
        return has_aged;
}

struct published *publication_pin(struct publication *publication, size_t pinner)
{
        foreign_accesses_begin();
        urcu_memb_read_lock();
        foreign_accesses_end();
        struct published *published = atomic_load_explicit(&publication->published, memory_order_acquire);
        _Atomic uint64_t *pins = &published->counts[pinner].pins;
        atomic_store_explicit(pins, atomic_load_explicit(pins, memory_order_relaxed) + 1,
                              memory_order_release);
        foreign_accesses_begin();
        urcu_memb_read_unlock();
        foreign_accesses_end();
        return published;
}

void publication_unpin(struct published *published, size_t pinner)
{
        _Atomic uint64_t *pins = &published->counts[pinner].pins;
        atomic_store_explicit(pins, atomic_load_explicit(pins, memory_order_relaxed) - 1,
                              memory_order_release);
}
