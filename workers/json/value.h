/* Strings of JSON. */
#pragma once

#include "core/base/text.h"

#include <jansson.h>

/* Borrowed from the object; empty where it has no such string. */
static inline struct span value_of(const json_t *object, const char *key)
{
        const json_t *value = json_object_get(object, key);

        return json_is_string(value) ? span_of(json_string_value(value), json_string_length(value))
                                     : SPAN("");
}
