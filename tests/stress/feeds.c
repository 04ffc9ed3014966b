/* Lists that are read and swapped a hundred times under look-ups: whoever asks hears what one of the lists says, also
 * while the next one is read, and where that is cut off, shrinks, or is gone. Memory does not grow. */
#include "conf/build/load.h"
#include "core/base/expect.h"
#include "folder_fixture.h"
#include "workers/feed/internal.h"

#include <pthread.h>
#include <stdio.h>
#include <urcu/urcu-memb.h>

#define READERS        2
#define SWAPS          100
#define ENTRIES        20000
#define WARM_UP        20 /* swaps before memory counts */
#define GROWTH_MAX_KIB 2048

static struct feed_slot *slot;
static _Atomic bool is_over;
static _Atomic uint64_t looked_up;

/* ---- who asks ------------------------------------------------------------------------------------------- */

static void ask(const char *name, struct block_pool *pool)
{
        const struct dns_question question = {.name = span_from(name), .type = DNS_A};
        struct dns_answer answer;
        struct arena arena;

        arena_init(&arena, pool, 65536);
        expect(slot->source.ask(&slot->source, &question, NULL, &arena, &answer) == FACT_FOUND);
        expect(answer.record_count == 1 && answer.records[0].data.length == 4);
        /* Of an even list, or of an odd one. */
        expect(answer.records[0].data.at[3] == 2 || answer.records[0].data.at[3] == 3);
        arena_end(&arena);
}

static void *read_on(void *argument)
{
        struct block_pool pool;

        (void)argument;
        block_pool_init(&pool, 4096, 4);
        urcu_memb_register_thread();
        for (unsigned round = 0; !atomic_load_explicit(&is_over, memory_order_relaxed); round++) {
                char name[64];
                unsigned entry = round % ENTRIES;
                snprintf(name, sizeof name, "%u.%u.0.10.bl.example", entry % 250, entry / 250);
                ask(name, &pool);
                atomic_fetch_add_explicit(&looked_up, 1, memory_order_relaxed);
        }
        urcu_memb_unregister_thread();
        block_pool_end(&pool);
        return NULL;
}

/* ---- lists ---------------------------------------------------------------------------------------------- */

static void write_list(unsigned number, unsigned entries, const char *end)
{
        FILE *file = fopen(in_base(".new"), "w");
        char path[PATH_MAX];

        expect(file != NULL);
        fprintf(file, ":%u:list %u\n", 2 + number % 2, number);
        for (unsigned entry = 0; entry < entries; entry++)
                fprintf(file, "10.0.%u.%u\n", entry / 250, entry % 250);
        fputs(end, file);
        expect(fclose(file) == 0);
        snprintf(path, sizeof path, "%s", in_base("list"));
        expect(rename(in_base(".new"), path) == 0);
}

static bool is_taken(void)
{
        static const _Atomic bool never;

        return feed_slot_read(slot, &never);
}

static void spoil(unsigned number)
{
        static const char *const reasons[] = {"shrunk", "in the future", "no such file"};
        unsigned way = number / 10 % 3;

        if (way == 0)
                write_list(number, ENTRIES / 2 - 1, "");
        else if (way == 1)
                write_list(number, ENTRIES, "$TIMESTAMP 9999:01:01\n");
        else
                expect(unlink(in_base("list")) == 0);
        expect(!is_taken());
        expect(strstr(slot->reason, reasons[way]) != NULL);
}

static struct snapshot *prepare(struct feed_keeper *keeper)
{
        struct conf_complaints complaints = {0};
        char text[512];

        snprintf(text, sizeof text,
                 "hostname = \"mx.example.com\" allow_no_domains = yes\n"
                 "dnsbl { zone \"bl.example\" { file = {\"%s/list\"} format = ip4set self_test = no } }\n",
                 base);
        struct snapshot *snapshot = snapshot_load_text(text, "/", &complaints);
        expect(snapshot != NULL && complaints.errors == 0);
        conf_complaints_end(&complaints);
        expect(feed_keeper_load_first(keeper, snapshot));
        slot = keeper->slots;
        expect(slot != NULL && slot->next == NULL && feed_slot_serves(slot));
        return snapshot;
}

/* Sanitizers keep what is freed. */
static long resident_kib(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        return 0;
#else
        long pages = 0;
        FILE *file = fopen("/proc/self/statm", "r");
        expect(file != NULL && fscanf(file, "%*d %ld", &pages) == 1);
        fclose(file);
        return pages * (sysconf(_SC_PAGESIZE) / 1024);
#endif
}

/* Returns how often was asked while lists were read. */
static uint64_t swap_on(long *ret_growth_kib)
{
        uint64_t meanwhile = 0;
        long before_kib = 0;

        for (unsigned number = 1; number <= SWAPS; number++) {
                if (number % 10 == 0)
                        spoil(number);
                write_list(number, ENTRIES, "");
                uint64_t before = atomic_load(&looked_up);
                expect(is_taken());
                meanwhile += atomic_load(&looked_up) - before;
                expect(atomic_load(&slot->entries) == ENTRIES);
                if (number == WARM_UP)
                        before_kib = resident_kib();
        }
        *ret_growth_kib = resident_kib() - before_kib;
        return meanwhile;
}

int main(void)
{
        struct feed_keeper keeper;
        pthread_t readers[READERS];
        long growth_kib;

        make_base("feeds");
        write_list(0, ENTRIES, "");
        urcu_memb_register_thread();
        struct snapshot *snapshot = prepare(&keeper);
        for (int i = 0; i < READERS; i++)
                expect(pthread_create(&readers[i], NULL, read_on, NULL) == 0);
        uint64_t meanwhile = swap_on(&growth_kib);
        atomic_store(&is_over, true);
        for (int i = 0; i < READERS; i++)
                pthread_join(readers[i], NULL);
        printf("%d swaps, %llu look-ups, %llu of them while lists were read, memory %+ld KiB\n", SWAPS,
               (unsigned long long)atomic_load(&looked_up), (unsigned long long)meanwhile, growth_kib);
        expect(meanwhile >= SWAPS && growth_kib <= GROWTH_MAX_KIB);
        expect(atomic_load(&slot->failures) == SWAPS / 10);
        urcu_memb_unregister_thread();
        feed_keeper_end(&keeper);
        snapshot_free(snapshot);
        remove_base();
        return 0;
}
