/* Until when something holds, found by a hash: a table of fixed size that all threads use without a lock. What has no
 * room in it is forgotten early. The hash is keyed by the owner, so that nobody can choose whom to push out. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNTIL_WAYS 8

/* Each word: half a hash, and until when in seconds; 0: free. */
struct until_set {
        _Alignas(64) _Atomic uint64_t words[UNTIL_WAYS];
};

struct until_table {
        struct until_set *sets;
        uint64_t set_count;
};

/* `memory` consists of zeros, is aligned to 64 octets, stays the caller's, and has room for at least one set. */
void until_init(struct until_table *table, void *memory, size_t size);
/* It holds for `keep_ms` from now. */
void until_add(const struct until_table *table, uint64_t hash, uint64_t now_ms, uint64_t keep_ms);
bool until_has(const struct until_table *table, uint64_t hash, uint64_t now_ms);
/* Nothing holds any more. */
void until_forget(const struct until_table *table);
