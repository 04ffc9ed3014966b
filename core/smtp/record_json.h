/* Fields of a JSON object in the log, each with the comma before it where it is not the first. */
#pragma once

#include "core/base/address.h"

static inline void put_key(struct text *json, const char *key)
{
        if (json->length > 0 && json->at[json->length - 1] != '{')
                text_put_char(json, ',');
        text_put_char(json, '"');
        text_put_string(json, key);
        text_put(json, SPAN("\":"));
}

static inline void put_number(struct text *json, const char *key, uint64_t number)
{
        put_key(json, key);
        text_put_number(json, number);
}

static inline void put_string(struct text *json, const char *key, struct span value)
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
