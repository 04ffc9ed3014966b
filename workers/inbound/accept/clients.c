/* Tables of clients, each with a key of its own. */
#include "workers/inbound/accept/clients.h"

#include "core/base/expect.h"
#include "dns/clock.h"

#include <sys/mman.h>
#include <sys/random.h>

#define QUESTION_ROWS 65536 /* more than clients that have questions in flight at a time */

static uint64_t secret_key(void)
{
        uint64_t key;

        expect(getrandom(&key, sizeof key, 0) == sizeof key);
        return key;
}

/* Memory that no client has needed yet is not there. */
static bool init_ledger(struct clients *clients, size_t size)
{
        void *memory =
            mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (memory == MAP_FAILED)
                return false;
        clients->ledger_size = size;
        ledger_init(&clients->ledger, memory, size, secret_key(), clock_monotonic_ms());
        return true;
}

bool clients_init(struct clients *clients, const struct options *options, size_t sessions_max)
{
        return client_table_init(&clients->sessions, sessions_max, secret_key()) &&
               sketch_init(&clients->questions, QUESTION_ROWS, secret_key()) &&
               init_ledger(clients, options->client_rate_memory_octets);
}

void clients_end(struct clients *clients)
{
        client_table_end(&clients->sessions);
        sketch_end(&clients->questions);
        munmap(clients->ledger.sets, clients->ledger_size);
}
