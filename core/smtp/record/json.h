/* Fields of a JSON object in the log, each with the comma before it where it is not the first. */
#pragma once

#include "core/base/address.h"

/* Keys are literals: in line their length is known, and copying them is a move or two. A line has thirty. */
static inline __attribute__((always_inline)) void put_key(struct text *json, const char *key)
{
        size_t length = strlen(key), before = json->length;

        /* A comma, two quotes and a colon. */
        if (text_room(json) < length + 4) {
                json->overflowed = true;
                return;
        }
        if (before > 0 && json->at[before - 1] != '{')
                json->at[json->length++] = ',';
        json->at[json->length++] = '"';
        memcpy(json->at + json->length, key, length);
        json->length += length;
        json->at[json->length++] = '"';
        json->at[json->length++] = ':';
}

static inline __attribute__((always_inline)) void put_number(struct text *json, const char *key,
                                                             uint64_t number)
{
        put_key(json, key);
        text_put_number(json, number);
}

static inline __attribute__((always_inline)) void put_string(struct text *json, const char *key,
                                                             struct span value)
{
        put_key(json, key);
        text_put_json(json, value);
}

static inline void put_code(struct text *json, const char *key, uint16_t code, struct span enhanced)
{
        put_key(json, key);
        text_put_char(json, '"');
        text_put_number(json, code);
        if (enhanced.length > 0)
                text_put_char(json, ' ');
        text_put(json, enhanced);
        text_put_char(json, '"');
}

static inline void put_address(struct text *json, const char *key, const struct address *address)
{
        put_key(json, key);
        text_put_char(json, '"');
        address_write(json, address);
        text_put_char(json, '"');
}
