/* Clients in a table of hashes. */
#include "core/senders/tls_no_go.h"

#include <xxhash.h>

void tls_no_go_init(struct tls_no_go *table, void *memory, size_t size, uint64_t key)
{
        table->key = key;
        until_init(&table->table, memory, size);
}

static uint64_t hash_of(const struct tls_no_go *table, const struct address *client)
{
        return XXH3_64bits_withSeed(client->octets, sizeof client->octets, table->key);
}

void tls_no_go_add(const struct tls_no_go *table, const struct address *client, uint64_t now_ms,
                   uint64_t keep_ms)
{
        until_add(&table->table, hash_of(table, client), now_ms, keep_ms);
}

void tls_no_go_forget(const struct tls_no_go *table)
{
        until_forget(&table->table);
}

bool tls_no_go_has(const struct tls_no_go *table, const struct address *client, uint64_t now_ms)
{
        return until_has(&table->table, hash_of(table, client), now_ms);
}
