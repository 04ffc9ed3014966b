/* Next hops as text. */
#include "conf/value/next_hop.h"

#include "conf/value/list.h"
#include "conf/value/path.h"
#include "core/base/domain_name.h"

static const struct scheme {
        const char *prefix;
        enum hop_protocol protocol;
        bool is_path;
} schemes[] = {
    {"lmtp://", HOP_LMTP, false},
    {"smtp://", HOP_SMTP, false},
    {"lmtp:unix:", HOP_LMTP, true},
};

static const struct scheme *scheme_of(struct span text)
{
        for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
                if (span_starts_nocase(text, span_from(schemes[i].prefix)))
                        return &schemes[i];
        return NULL;
}

bool next_hops_are_meant(struct span text)
{
        return scheme_of(text) != NULL;
}

/* ---- reading ------------------------------------------------------------------------------------------- */

static bool say(struct text *error, const char *reason)
{
        text_put_string(error, reason);
        return false;
}

static bool set_name(struct span name, const char **field, struct arena *memory, struct text *error)
{
        *field = arena_string(memory, name);
        return *field != NULL || say(error, "out of memory");
}

static bool set_host(struct span word, struct next_hop *hop, struct arena *memory, struct text *error)
{
        size_t colon = span_find_last(word, ':');
        char octets[DOMAIN_NAME_MAX];
        struct text name;
        uint64_t port;

        if (endpoint_parse(word, &hop->endpoint))
                return true;
        text_over(&name, octets, sizeof octets);
        if (colon == SIZE_MAX || !span_number(span_skip(word, colon + 1), &port) || port < 1 ||
            port > UINT16_MAX)
                return say(error, "needs a host and its port, such as lmtp://192.0.2.1:24");
        if (!domain_name_read(span_of(word.at, colon), &name) || !domain_name_is_qualified(text_span(&name)))
                return say(error,
                           "needs an address or a whole domain name, such as lmtp://store.isp.example:24");
        hop->kind = NEXT_HOP_AT_NAME;
        hop->endpoint.port = (uint16_t)port;
        return set_name(text_span(&name), &hop->name, memory, error);
}

static bool set_path(struct span word, struct next_hop *hop, struct arena *memory, const char *directory,
                     struct text *error)
{
        hop->kind = NEXT_HOP_AT_PATH;
        if (word.length == 0)
                return say(error, "needs the path of a socket behind lmtp:unix:");
        hop->name = path_resolve(word, directory, memory);
        if (hop->name == NULL)
                return say(error, "out of memory");
        return strlen(hop->name) <= NEXT_HOP_PATH_MAX ||
               say(error, "the path of a socket has at most 107 octets");
}

static bool set_hop(struct span word, struct next_hop *ret_hop, struct arena *memory, const char *directory,
                    struct text *error)
{
        const struct scheme *scheme = scheme_of(word);
        struct next_hop hop = {.weight = 1};

        if (scheme == NULL)
                return say(error, "needs lmtp://HOST:PORT, smtp://HOST:PORT or lmtp:unix:PATH");
        hop.protocol = scheme->protocol;
        word = span_skip(word, strlen(scheme->prefix));
        if (scheme->is_path ? !set_path(word, &hop, memory, directory, error)
                            : !set_host(word, &hop, memory, error))
                return false;
        *ret_hop = hop;
        return true;
}

static bool is_same(const struct next_hop *left, const struct next_hop *right)
{
        if (left->kind != right->kind || !endpoint_equals(&left->endpoint, &right->endpoint))
                return false;
        return left->kind == NEXT_HOP_AT_ADDRESS || strcmp(left->name, right->name) == 0;
}

static bool set_weight(struct span number, struct next_hop_list *list, bool may_follow, struct text *error)
{
        uint64_t weight;

        if (!may_follow)
                return say(error, "weight= stands behind a next hop, once");
        if (!span_number(number, &weight) || weight > NEXT_HOP_WEIGHT_MAX)
                return say(error, "weight= must be from 0 to 100");
        list->hops[list->count - 1].weight = (uint32_t)weight;
        return true;
}

static bool append(struct span word, struct next_hop_list *list, struct arena *memory, const char *directory,
                   struct text *error)
{
        struct next_hop hop;

        if (list->count == NEXT_HOPS_MAX)
                return say(error, "there are at most 16 next hops");
        if (!set_hop(word, &hop, memory, directory, error))
                return false;
        for (size_t i = 0; i < list->count; i++)
                if (is_same(&list->hops[i], &hop))
                        return say(error, "names a next hop twice");
        list->hops[list->count++] = hop;
        return true;
}

bool next_hops_set(struct span text, struct next_hop_list *field, struct arena *memory, const char *directory,
                   struct text *ret_error)
{
        static const struct span weight = {"weight=", 7};
        struct next_hop hops[NEXT_HOPS_MAX];
        struct next_hop_list list = {.hops = hops};
        bool may_weigh = false;

        while (text.length > 0) {
                struct span word = span_take_word(&text);
                if (word.length == 0)
                        continue;
                bool is_weight = span_starts_nocase(word, weight);
                if (is_weight ? !set_weight(span_skip(word, weight.length), &list, may_weigh, ret_error)
                              : !append(word, &list, memory, directory, ret_error))
                        return false;
                may_weigh = !is_weight;
        }
        if (list.count == 0)
                return say(ret_error, "needs a next hop");
        list.hops = arena_take(memory, list.count * sizeof *list.hops);
        if (list.hops == NULL)
                return say(ret_error, "out of memory");
        memcpy(list.hops, hops, list.count * sizeof *list.hops);
        *field = list;
        return true;
}

bool next_hops_are_same(const struct next_hop_list *left, const struct next_hop_list *right)
{
        if (left->count != right->count)
                return false;
        for (size_t i = 0; i < left->count; i++)
                if (!is_same(&left->hops[i], &right->hops[i]) ||
                    left->hops[i].protocol != right->hops[i].protocol ||
                    left->hops[i].weight != right->hops[i].weight)
                        return false;
        return true;
}

/* ---- writing ------------------------------------------------------------------------------------------- */

void next_hop_write(struct text *text, const struct next_hop *hop)
{
        text_put_string(text, hop->protocol == HOP_LMTP ? "lmtp:" : "smtp:");
        text_put_string(text, hop->kind == NEXT_HOP_AT_PATH ? "unix:" : "//");
        if (hop->kind == NEXT_HOP_AT_ADDRESS)
                endpoint_put(text, &hop->endpoint);
        else
                text_put_string(text, hop->name);
        if (hop->kind == NEXT_HOP_AT_NAME) {
                text_put_char(text, ':');
                text_put_number(text, hop->endpoint.port);
        }
}

void next_hops_write(struct text *text, const struct next_hop_list *list)
{
        for (size_t i = 0; i < list->count; i++) {
                text_put_string(text, i == 0 ? "" : " ");
                next_hop_write(text, &list->hops[i]);
                if (list->hops[i].weight != 1) {
                        text_put_string(text, " weight=");
                        text_put_number(text, list->hops[i].weight);
                }
        }
}
