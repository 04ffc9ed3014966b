/* Pins of the published snapshot: readers pin, read and unpin, now at once, now late, while another thread
 * publishes and frees. Under AddressSanitizer a snapshot freed too early is seen, and a leak if one is never
 * freed. */
#include "conf/build/load.h"
#include "core/base/expect.h"
#include "workers/thread/publication.h"

#include <pthread.h>
#include <time.h>
#include <urcu/urcu-memb.h>

#define READERS      3
#define PUBLICATIONS 400
#define HELD         5

static struct publication publication;
static _Atomic bool is_over;

static struct snapshot *make_snapshot(uint64_t number)
{
        struct conf_complaints complaints = {0};
        struct snapshot *snapshot =
            snapshot_load_text("hostname = \"mx.example.com\" allow_no_domains = yes\n", "/", &complaints);

        expect(snapshot != NULL && complaints.errors == 0);
        conf_complaints_end(&complaints);
        snapshot->options.hops_max = number;
        snapshot->options.errors_max = ~number;
        return snapshot;
}

static void check(const struct published *published)
{
        expect(published->snapshot->options.errors_max == ~published->snapshot->options.hops_max);
}

static void *read_on(void *argument)
{
        size_t pinner = (size_t)(uintptr_t)argument;
        struct published *held[HELD] = {0};
        uint64_t newest = 0;

        urcu_memb_register_thread();
        for (size_t round = 0; !atomic_load_explicit(&is_over, memory_order_relaxed); round++) {
                struct published *published = publication_pin(&publication, pinner);
                check(published);
                /* What is in force never goes back to an older one. */
                expect(published->snapshot->options.hops_max >= newest);
                newest = published->snapshot->options.hops_max;
                /* Some are kept while others come and go, as sessions do. */
                struct published **slot = &held[round % HELD];
                if (*slot != NULL && published_age(*slot) == PUBLISHED_TOO_OLD) {
                        check(*slot);
                        publication_unpin(*slot, pinner);
                        *slot = NULL;
                }
                if (round % 1000 < HELD) {
                        if (*slot != NULL) {
                                check(*slot);
                                publication_unpin(*slot, pinner);
                        }
                        *slot = published;
                } else {
                        publication_unpin(published, pinner);
                }
        }
        for (size_t i = 0; i < HELD; i++)
                if (held[i] != NULL) {
                        check(held[i]);
                        publication_unpin(held[i], pinner);
                }
        urcu_memb_unregister_thread();
        return NULL;
}

int main(void)
{
        pthread_t readers[READERS];
        size_t most = 0;

        expect(publication_init(&publication, READERS, make_snapshot(0)));
        for (uintptr_t i = 0; i < READERS; i++)
                expect(pthread_create(&readers[i], NULL, read_on, (void *)i) == 0);
        for (uint64_t number = 1; number <= PUBLICATIONS; number++) {
                expect(publication_publish(&publication, make_snapshot(number)));
                uint64_t agings = publication_agings(&publication);
                size_t pinned = publication_reap(&publication);
                bool has_aged = publication_age(&publication, 2);
                expect(publication_agings(&publication) == agings + has_aged);
                expect(pinned < 4 || has_aged ||
                       publication.replaced->older->older->older->age == PUBLISHED_TOO_OLD);
                most = pinned > most ? pinned : most;
                nanosleep(&(struct timespec){.tv_nsec = number % 7 * 200000}, NULL);
        }
        atomic_store(&is_over, true);
        for (int i = 0; i < READERS; i++)
                pthread_join(readers[i], NULL);
        expect(publication_reap(&publication) == 0);
        expect(most <= (size_t)READERS * (HELD + 1));
        publication_end(&publication);
        printf("%d publications, at most %zu old ones pinned\n", PUBLICATIONS, most);
        return 0;
}
