/* A number is the place of a value in its table, from 1 on; that of a list has the highest bit. */
#include "core/feed/values.h"

#define LIST       UINT32_C(0x80000000)
#define OCTETS_MAX ((size_t)FEED_OF_SET - 1 - UINT16_MAX)
#define HEAD       ((size_t)5) /* the kind and the address in front of a text */

static bool intern(struct name_table *table, struct span octets, uint32_t *ret_place)
{
        uint32_t place = (uint32_t)table->octets_length;

        if (name_table_find(table, octets, ret_place))
                return true;
        if (table->octets_length > OCTETS_MAX || !name_table_add(table, octets, place))
                return false;
        *ret_place = place;
        return true;
}

bool feed_values_add(struct feed_values *values, const struct feed_value *value, uint32_t *ret_number)
{
        char octets[HEAD + 4096];
        struct text key;
        uint32_t place;

        text_over(&key, octets, sizeof octets);
        text_put_char(&key, (char)value->kind);
        text_put(&key, span_of((const char *)value->address, sizeof value->address));
        text_put(&key, value->text);
        if (key.overflowed || !intern(&values->values, text_span(&key), &place))
                return false;
        *ret_number = place + 1;
        return true;
}

static struct span octets_at(const struct name_table *table, uint32_t place)
{
        struct name_table_walk walk = {place};
        struct span octets = {0};

        name_table_next(table, &walk, &octets);
        return octets;
}

/* The numbers of single values. */
static size_t members(const struct feed_values *values, uint32_t number, uint32_t *ret_numbers)
{
        if ((number & LIST) == 0) {
                *ret_numbers = number;
                return number != FEED_EXCLUDED;
        }
        struct span list = octets_at(&values->lists, number & ~LIST);
        memcpy(ret_numbers, list.at, list.length);
        return list.length / sizeof *ret_numbers;
}

static bool contains(const uint32_t *numbers, size_t count, uint32_t number)
{
        for (size_t i = 0; i < count; i++)
                if (numbers[i] == number)
                        return true;
        return false;
}

bool feed_values_join(struct feed_values *values, uint32_t left, uint32_t right, uint32_t *ret_number)
{
        uint32_t numbers[FEED_VALUES_MAX], more[FEED_VALUES_MAX], place;

        *ret_number = left == FEED_EXCLUDED || right == FEED_EXCLUDED ? FEED_EXCLUDED : left;
        if (left == right || *ret_number == FEED_EXCLUDED)
                return true;
        size_t count = members(values, left, numbers), had = count;
        size_t more_count = members(values, right, more);
        for (size_t i = 0; i < more_count && count < FEED_VALUES_MAX; i++)
                if (!contains(numbers, count, more[i]))
                        numbers[count++] = more[i];
        if (count == had)
                return true;
        if (!intern(&values->lists, span_of((const char *)numbers, count * sizeof *numbers), &place))
                return false;
        *ret_number = place | LIST;
        return true;
}

size_t feed_values_get(const struct feed_values *values, uint32_t number,
                       struct feed_value ret_values[static FEED_VALUES_MAX])
{
        uint32_t numbers[FEED_VALUES_MAX];
        size_t count = members(values, number, numbers);

        for (size_t i = 0; i < count; i++) {
                struct span octets = octets_at(&values->values, numbers[i] - 1);
                ret_values[i].kind = (enum feed_kind)octets.at[0];
                memcpy(ret_values[i].address, octets.at + 1, sizeof ret_values[i].address);
                ret_values[i].text = span_skip(octets, HEAD);
        }
        return count;
}

size_t feed_values_octets(const struct feed_values *values)
{
        return name_table_octets(&values->values) + name_table_octets(&values->lists);
}

void feed_values_end(struct feed_values *values)
{
        name_table_end(&values->values);
        name_table_end(&values->lists);
}
