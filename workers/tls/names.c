/* Names are hashed: a thousand of them cost no more than one. */
#include "workers/tls/names.h"

#define NAME_MOST 255

bool tls_names_add(struct tls_names *names, const char *name, uint32_t number)
{
        struct span span = span_from(name);

        if (span.length > 2 && span.at[0] == '*' && span.at[1] == '.')
                return name_table_add(&names->below, span_skip(span, 2), number);
        return name_table_add(&names->exact, span, number);
}

bool tls_names_find(const struct tls_names *names, struct span name, uint32_t *ret_number)
{
        char octets[NAME_MOST];

        if (name.length > 0 && name.at[name.length - 1] == '.')
                name.length--;
        if (name.length == 0 || name.length > sizeof octets)
                return false;
        for (size_t i = 0; i < name.length; i++)
                octets[i] = ascii_lower(name.at[i]);
        struct span folded = span_of(octets, name.length);
        if (name_table_find(&names->exact, folded, ret_number))
                return true;
        size_t dot = span_find(folded, '.');
        return dot != SIZE_MAX && dot > 0 &&
               name_table_find(&names->below, span_skip(folded, dot + 1), ret_number);
}

void tls_names_end(struct tls_names *names)
{
        name_table_end(&names->exact);
        name_table_end(&names->below);
}
