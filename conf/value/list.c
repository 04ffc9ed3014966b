/* Option values that are lists: one item from text. */
#include "conf/value/list.h"

#include "conf/value/filter.h"
#include "core/base/domain_name.h"

bool domain_name_read(struct span text, struct text *name)
{
        return domain_name_is_valid(text, true) && domain_name_to_ascii(text, name) && !name->overflowed &&
               domain_name_is_valid(text_span(name), false);
}

/* Room for one more item behind `count`; the array grows at powers of two, the old one stays in the arena. */
static void *list_grow(struct arena *memory, void *items, size_t count, size_t item_size)
{
        if (count > 0 && (count & (count - 1)) != 0)
                return items;
        void *grown = arena_take(memory, (count == 0 ? 1 : count * 2) * item_size);
        if (grown != NULL && count > 0)
                memcpy(grown, items, count * item_size);
        return grown;
}

static bool say_out_of_memory(struct text *error)
{
        text_put_string(error, "out of memory");
        return false;
}

static bool text_append(struct span text, struct text_list *list, struct arena *memory, struct text *error)
{
        const char **texts = list_grow(memory, list->texts, list->count, sizeof *texts);
        const char *copy = arena_string(memory, text);
        if (texts == NULL || copy == NULL)
                return say_out_of_memory(error);
        list->texts = texts;
        list->texts[list->count++] = copy;
        return true;
}

static bool name_append(struct span text, struct text_list *list, struct arena *memory, struct text *error)
{
        char octets[DOMAIN_NAME_MAX];
        struct text name;

        text_over(&name, octets, sizeof octets);
        if (!domain_name_read(text, &name)) {
                text_put_string(error, "needs domain names");
                return false;
        }
        return text_append(text_span(&name), list, memory, error);
}

static bool network_append(struct span text, struct network_list *list, struct arena *memory,
                           struct text *error)
{
        struct network network;
        if (!network_parse(text, &network)) {
                text_put_string(error,
                                "needs networks such as 192.0.2.0/24 or 2001:db8::/32, host bits zero");
                return false;
        }
        struct network *networks = list_grow(memory, list->networks, list->count, sizeof network);
        if (networks == NULL)
                return say_out_of_memory(error);
        list->networks = networks;
        list->networks[list->count++] = network;
        return true;
}

bool endpoint_parse(struct span text, struct endpoint *ret_endpoint)
{
        struct endpoint endpoint;
        size_t colon = span_find_last(text, ':');
        uint64_t port;

        if (colon == SIZE_MAX || !span_number(span_skip(text, colon + 1), &port) || port < 1 ||
            port > UINT16_MAX)
                return false;
        struct span host = span_of(text.at, colon);
        bool bracketed = host.length > 2 && host.at[0] == '[' && host.at[host.length - 1] == ']';
        if (bracketed)
                host = span_of(host.at + 1, host.length - 2);
        if (bracketed != (span_find(host, ':') != SIZE_MAX) || !address_parse(host, &endpoint.address))
                return false;
        endpoint.port = (uint16_t)port;
        *ret_endpoint = endpoint;
        return true;
}

void endpoint_put(struct text *text, const struct endpoint *endpoint)
{
        bool is_ipv4 = address_is_ipv4(&endpoint->address);

        text_put_string(text, is_ipv4 ? "" : "[");
        address_write(text, &endpoint->address);
        text_put_string(text, is_ipv4 ? ":" : "]:");
        text_put_number(text, endpoint->port);
}

void endpoint_write(const struct address *address, uint16_t port, char ret_text[static ENDPOINT_TEXT_MAX])
{
        struct text text;

        text_over(&text, ret_text, ENDPOINT_TEXT_MAX);
        endpoint_put(&text, &(struct endpoint){*address, port});
        text_put_char(&text, '\0');
}

static bool endpoint_append(struct span text, struct endpoint_list *list, struct arena *memory,
                            struct text *error)
{
        struct endpoint endpoint;
        if (!endpoint_parse(text, &endpoint)) {
                text_put_string(error, "needs addresses with port, such as 192.0.2.1:25 or [2001:db8::1]:25");
                return false;
        }
        if (endpoint_list_contains(list, &endpoint)) {
                text_put_string(error, "names an address twice");
                return false;
        }
        struct endpoint *endpoints = list_grow(memory, list->endpoints, list->count, sizeof endpoint);
        if (endpoints == NULL)
                return say_out_of_memory(error);
        list->endpoints = endpoints;
        list->endpoints[list->count++] = endpoint;
        return true;
}

static bool filter_append(struct span text, struct filter_list *list, struct arena *memory,
                          struct text *error)
{
        struct answer_filter filter;
        if (!answer_filter_parse(text, &filter)) {
                text_put_string(error, "needs IPv4 addresses such as 127.0.0.2 or 127.0.[1;3].[2..11]");
                return false;
        }
        struct answer_filter *filters = list_grow(memory, list->filters, list->count, sizeof filter);
        if (filters == NULL)
                return say_out_of_memory(error);
        list->filters = filters;
        list->filters[list->count++] = filter;
        return true;
}

/* In any letter case, as in EHLO itself. */
static bool keyword_append(struct span text, uint32_t *keywords, struct text *error)
{
        for (unsigned keyword = 0; keyword < EHLO_KEYWORD_COUNT; keyword++)
                if (span_equals_nocase(text, span_from(ehlo_keyword_names[keyword]))) {
                        *keywords |= UINT32_C(1) << keyword;
                        return true;
                }
        text_put_string(error, "EHLO has no such keyword here; there are ");
        for (unsigned keyword = 0; keyword < EHLO_KEYWORD_COUNT; keyword++)
                text_printf(error, "%s%s", keyword == 0 ? "" : ", ", ehlo_keyword_names[keyword]);
        return false;
}

bool value_append(enum value_type type, struct span text, void *list, struct arena *memory,
                  struct text *ret_error)
{
        if (type == VALUE_PATHS)
                return text_append(text, list, memory, ret_error);
        if (type == VALUE_NAMES)
                return name_append(text, list, memory, ret_error);
        if (type == VALUE_NETWORKS)
                return network_append(text, list, memory, ret_error);
        if (type == VALUE_KEYWORDS)
                return keyword_append(text, list, ret_error);
        if (type == VALUE_FILTERS)
                return filter_append(text, list, memory, ret_error);
        return endpoint_append(text, list, memory, ret_error);
}

bool value_is_list(enum value_type type)
{
        return type == VALUE_PATHS || type == VALUE_NAMES || type == VALUE_NETWORKS ||
               type == VALUE_ENDPOINTS || type == VALUE_FILTERS || type == VALUE_KEYWORDS;
}

size_t value_list_count(enum value_type type, const void *list)
{
        switch ((int)type) {
        case VALUE_PATHS:
        case VALUE_NAMES:
                return ((const struct text_list *)list)->count;
        case VALUE_NETWORKS:
                return ((const struct network_list *)list)->count;
        case VALUE_ENDPOINTS:
                return ((const struct endpoint_list *)list)->count;
        case VALUE_KEYWORDS:
                return (size_t)__builtin_popcount(*(const uint32_t *)list);
        default:
                return ((const struct filter_list *)list)->count;
        }
}

void value_put_default_list(struct text *text, const char *items)
{
        text_put_char(text, '{');
        while (*items != '\0') {
                size_t length = strcspn(items, ",");
                text_printf(text, "\"%.*s\"", (int)length, items);
                items += length;
                items += strspn(items, ", ");
                text_put_string(text, *items == '\0' ? "" : ", ");
        }
        text_put_char(text, '}');
}

void value_clear_list(const struct option_row *row, void *base)
{
        void *field = (char *)base + row->offset;
        if (row->type == VALUE_NAMES || row->type == VALUE_PATHS)
                *(struct text_list *)field = (struct text_list){0};
        if (row->type == VALUE_NETWORKS)
                *(struct network_list *)field = (struct network_list){0};
        if (row->type == VALUE_ENDPOINTS)
                *(struct endpoint_list *)field = (struct endpoint_list){0};
        if (row->type == VALUE_KEYWORDS)
                *(uint32_t *)field = 0;
        if (row->type == VALUE_FILTERS)
                *(struct filter_list *)field = (struct filter_list){0};
}
