/* A table of names, whose values can change while it is filled. */
#include "core/feed/keys.h"

#include <stdlib.h>

static bool keys_grow(struct feed_keys *keys)
{
        size_t room = keys->room == 0 ? 16 : keys->room + keys->room / 2;
        uint32_t *values = realloc(keys->values, room * sizeof *values);

        if (values == NULL)
                return false;
        keys->values = values;
        keys->room = room;
        return true;
}

bool feed_keys_add(struct feed_keys *keys, struct span key, enum feed_twice twice, struct feed_values *values,
                   uint32_t value)
{
        uint32_t place, next = (uint32_t)keys->table.count;

        if (name_table_find(&keys->table, key, &place))
                return twice == FEED_FIRST_COUNTS ||
                       feed_values_join(values, keys->values[place], value, &keys->values[place]);
        if ((next == keys->room && !keys_grow(keys)) || !name_table_add(&keys->table, key, next))
                return false;
        keys->values[next] = value;
        return true;
}

bool feed_keys_find(const struct feed_keys *keys, struct span key, uint32_t *ret_value)
{
        uint32_t place;

        if (!name_table_find(&keys->table, key, &place))
                return false;
        *ret_value = keys->values[place];
        return true;
}

size_t feed_keys_octets(const struct feed_keys *keys)
{
        return name_table_octets(&keys->table) + keys->room * sizeof *keys->values;
}

void feed_keys_end(struct feed_keys *keys)
{
        name_table_end(&keys->table);
        free(keys->values);
        *keys = (struct feed_keys){0};
}
