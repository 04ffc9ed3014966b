/* Tables of clients, each with a key of its own. */
#include "workers/inbound/accept/clients.h"

#include "core/base/expect.h"
#include "dns/clock.h"

#include <sys/mman.h>
#include <sys/random.h>

#define QUESTION_ROWS  65536               /* more than clients that have questions in flight at a time */
#define TLS_NO_GO_SIZE ((size_t)256 << 10) /* 32 768 clients */

static uint64_t secret_key(void)
{
        uint64_t key;

        expect(getrandom(&key, sizeof key, 0) == sizeof key);
        return key;
}

/* Memory that no client has needed yet is not there. NULL: there is none. */
static void *take_zeros(size_t size)
{
        void *memory =
            mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        return memory == MAP_FAILED ? NULL : memory;
}

static bool init_ledger(struct clients *clients, size_t size)
{
        void *memory = take_zeros(size);

        if (memory == NULL)
                return false;
        clients->ledger_size = size;
        ledger_init(&clients->ledger, memory, size, secret_key(), clock_monotonic_ms());
        return true;
}

static bool init_tls_no_go(struct clients *clients)
{
        void *memory = take_zeros(TLS_NO_GO_SIZE);

        if (memory == NULL)
                return false;
        tls_no_go_init(&clients->tls_no_go, memory, TLS_NO_GO_SIZE, secret_key());
        return true;
}

bool clients_init(struct clients *clients, const struct options *options, size_t sessions_max)
{
        return client_table_init(&clients->sessions, sessions_max, secret_key()) &&
               sketch_init(&clients->questions, QUESTION_ROWS, secret_key()) &&
               init_ledger(clients, options->client_rate_memory_octets) && init_tls_no_go(clients);
}

void clients_end(struct clients *clients)
{
        client_table_end(&clients->sessions);
        sketch_end(&clients->questions);
        munmap(clients->ledger.sets, clients->ledger_size);
        munmap(clients->tls_no_go.table.sets, TLS_NO_GO_SIZE);
}
