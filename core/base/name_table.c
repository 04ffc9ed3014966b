/* Open addressing over one string of octets: two allocations a table matter when there are a million
 * names. */
#include "core/base/name_table.h"

#include <stdlib.h>
#include <xxhash.h>

#define HEADER      ((size_t)6) /* length and value before each name */
#define NAME_MAX    UINT16_MAX
#define FIRST_SLOTS ((size_t)16)

static uint32_t hash_of(struct span name)
{
        return (uint32_t)XXH3_64bits(name.at, name.length);
}

/* The slot that holds `name`, or the free one where it would go. There is always a free one. */
static size_t slot_of(const struct name_table *table, struct span name, uint32_t hash)
{
        size_t slot = hash & (table->slot_count - 1);
        for (; table->slots[slot] != 0; slot = (slot + 1) & (table->slot_count - 1)) {
                const char *entry = table->octets + table->slots[slot] - 1;
                uint16_t length;
                if (table->hashes[slot] != hash)
                        continue;
                memcpy(&length, entry, sizeof length);
                if (span_equals(name, span_of(entry + HEADER, length)))
                        break;
        }
        return slot;
}

static bool slots_grow(struct name_table *table)
{
        size_t count = table->slot_count == 0 ? FIRST_SLOTS : table->slot_count * 2;
        uint32_t *slots = calloc(count, sizeof *slots), *hashes = malloc(count * sizeof *hashes);

        if (slots == NULL || hashes == NULL) {
                free(slots);
                free(hashes);
                return false;
        }
        for (size_t i = 0; i < table->slot_count; i++) {
                if (table->slots[i] == 0)
                        continue;
                size_t slot = table->hashes[i] & (count - 1);
                while (slots[slot] != 0)
                        slot = (slot + 1) & (count - 1);
                slots[slot] = table->slots[i];
                hashes[slot] = table->hashes[i];
        }
        free(table->slots);
        free(table->hashes);
        table->slots = slots;
        table->hashes = hashes;
        table->slot_count = count;
        return true;
}

static bool octets_grow(struct name_table *table, size_t more)
{
        size_t size = table->octets_size;

        if (more <= size - table->octets_length)
                return true;
        if (table->octets_length + more >= UINT32_MAX)
                return false;
        size += size / 4 + more + 256;
        char *octets = realloc(table->octets, size);
        if (octets == NULL)
                return false;
        table->octets = octets;
        table->octets_size = size;
        return true;
}

bool name_table_add(struct name_table *table, struct span name, uint32_t value)
{
        uint16_t length = (uint16_t)name.length;
        uint32_t hash = hash_of(name);

        if (name.length > NAME_MAX)
                return false;
        /* At most three quarters full. */
        if (table->count >= table->slot_count / 4 * 3 && !slots_grow(table))
                return false;
        size_t slot = slot_of(table, name, hash);
        if (table->slots[slot] != 0)
                return true;
        if (!octets_grow(table, HEADER + name.length))
                return false;
        char *entry = table->octets + table->octets_length;
        memcpy(entry, &length, sizeof length);
        memcpy(entry + sizeof length, &value, sizeof value);
        if (name.length > 0)
                memcpy(entry + HEADER, name.at, name.length);
        table->slots[slot] = (uint32_t)(table->octets_length + 1);
        table->hashes[slot] = hash;
        table->octets_length += HEADER + name.length;
        table->count++;
        return true;
}

bool name_table_find(const struct name_table *table, struct span name, uint32_t *ret_value)
{
        if (table->count == 0)
                return false;
        size_t slot = slot_of(table, name, hash_of(name));
        if (table->slots[slot] == 0)
                return false;
        if (ret_value != NULL)
                memcpy(ret_value, table->octets + table->slots[slot] - 1 + sizeof(uint16_t),
                       sizeof *ret_value);
        return true;
}

bool name_table_next(const struct name_table *table, struct name_table_walk *walk, struct span *ret_name)
{
        uint16_t length;

        if (walk->offset >= table->octets_length)
                return false;
        memcpy(&length, table->octets + walk->offset, sizeof length);
        *ret_name = span_of(table->octets + walk->offset + HEADER, length);
        walk->offset += HEADER + length;
        return true;
}

size_t name_table_octets(const struct name_table *table)
{
        return table->octets_size + table->slot_count * (sizeof *table->slots + sizeof *table->hashes);
}

void name_table_end(struct name_table *table)
{
        free(table->octets);
        free(table->slots);
        free(table->hashes);
        *table = (struct name_table){0};
}
