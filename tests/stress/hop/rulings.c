/* Workers read rulings, and who has which message, while hop threads write them into a memory that is full: nobody sees
 * half a ruling, or the ruling of another one. */
#include "core/base/expect.h"
#include "core/lookup/delivered.h"

#include <pthread.h>
#include <stdio.h>
#include <urcu/urcu-memb.h>

#define THREADS 2 /* of each kind */
#define ROUNDS  20000
#define WHOM    4000 /* more than there is room for */

static struct remembered remembered;
static struct until_set sets[64];

static struct key128 key_of(unsigned number)
{
        const struct span part = span_of((const char *)&number, sizeof number);
        return keyed_hash(&remembered.secret, &part, 1);
}

static void *write_all(void *argument)
{
        urcu_memb_register_thread();
        for (unsigned i = 0; i < ROUNDS; i++) {
                unsigned whom = (i * 7 + (unsigned)(uintptr_t)argument) % WHOM;
                struct ruling ruling = {.kind = RULING_REFUSES, .code = (uint16_t)(500 + whom % 60)};
                struct key128 key = key_of(whom);
                ruling.text_length = (uint16_t)snprintf(ruling.text, sizeof ruling.text, "%u", whom);
                rulings_put(remembered.rulings, &key, &ruling, i, 1000 + whom);
                delivered_add(&remembered, &key, &key, i, 60000);
        }
        urcu_memb_unregister_thread();
        return NULL;
}

static void *read_all(void *argument)
{
        struct block_pool pool;
        uintptr_t found = 0;

        block_pool_init(&pool, 1024, 4);
        urcu_memb_register_thread();
        for (unsigned i = 0; i < ROUNDS; i++) {
                unsigned whom = (i * 11 + (unsigned)(uintptr_t)argument) % WHOM;
                struct key128 key = key_of(whom), other = key_of(whom + WHOM);
                struct ruling ruling;
                char text[16];
                expect(!delivered_has(&remembered, &other, &key, i));
                if (!rulings_find(remembered.rulings, &key, i, &pool, &ruling))
                        continue;
                snprintf(text, sizeof text, "%u", whom);
                expect(ruling.code == 500 + whom % 60 && span_equals(ruling_text(&ruling), span_from(text)));
                found++;
        }
        urcu_memb_unregister_thread();
        block_pool_end(&pool);
        return (void *)found;
}

int main(void)
{
        pthread_t readers[THREADS], writers[THREADS];

        urcu_memb_register_thread();
        memset(remembered.secret.octets, 1, sizeof remembered.secret.octets);
        until_init(&remembered.delivered, sets, sizeof sets);
        remembered.rulings = rulings_create((size_t)256 << 10);
        expect(remembered.rulings != NULL);
        for (uintptr_t i = 0; i < THREADS; i++) {
                expect(pthread_create(&writers[i], NULL, write_all, (void *)i) == 0);
                expect(pthread_create(&readers[i], NULL, read_all, (void *)i) == 0);
        }
        for (unsigned i = 0; i < THREADS; i++) {
                pthread_join(writers[i], NULL);
                pthread_join(readers[i], NULL);
        }
        expect(rulings_count(remembered.rulings) > 0 && rulings_count(remembered.rulings) < WHOM);
        rulings_destroy(remembered.rulings);
        urcu_memb_unregister_thread();
        return 0;
}
