/* Next hops as text. */
#include "conf/value/next_hop.h"

#include "conf/value/list.h"
#include "conf/value/path.h"
#include "conf/value/value.h"
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
        if (span_find(word, ',') != SIZE_MAX)
                return say(error, "next hops have blanks between them, and no commas");
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

/* ---- what stands behind one ----------------------------------------------------------------------------- */

static const struct setting {
        const char *name;
        size_t offset;                /* of an uint32_t, or of an enum */
        const struct option_row *row; /* of the option that it takes the place of, and whose values it has */
        uint32_t max;                 /* from 0, where there is no row */
} settings[NEXT_HOP_SETTINGS] = {
    [NEXT_HOP_WEIGHT] = {"weight", offsetof(struct next_hop, weight), NULL, NEXT_HOP_WEIGHT_MAX},
    [NEXT_HOP_TLS] = {"tls", offsetof(struct next_hop, starttls), &option_rows[OPTION_AT_next_hops_tls], 0},
    [NEXT_HOP_NAMING] = {"naming", offsetof(struct next_hop, naming),
                         &option_rows[OPTION_AT_next_hops_naming], 0},
    [NEXT_HOP_CONNECTIONS_MAX] = {"connections_max", offsetof(struct next_hop, connections_max),
                                  &option_rows[OPTION_AT_next_hops_connections_max], 0},
};

static const struct setting *setting_of(struct span word)
{
        size_t length = span_find(word, '=');

        for (size_t i = 0; length != SIZE_MAX && i < NEXT_HOP_SETTINGS; i++)
                if (span_equals_nocase(span_of(word.at, length), span_from(settings[i].name)))
                        return &settings[i];
        return NULL;
}

static bool say_of(struct text *error, const struct setting *setting, const char *reason)
{
        text_put_string(error, setting->name);
        return say(error, reason);
}

static bool read_word(const struct setting *setting, struct span text, uint32_t *ret_value,
                      struct text *error)
{
        const char *const *words = value_words(setting->row);

        for (uint32_t i = 0; words[i] != NULL; i++)
                if (span_equals_nocase(text, span_from(words[i]))) {
                        *ret_value = i;
                        return true;
                }
        say_of(error, setting, "= must be ");
        for (uint32_t i = 0; words[i] != NULL; i++) {
                text_put_string(error, i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ");
                text_put_string(error, words[i]);
        }
        return false;
}

static bool read_number(const struct setting *setting, struct span text, uint32_t *ret_value,
                        struct text *error)
{
        uint64_t least = setting->row == NULL ? 0 : (uint64_t)setting->row->min;
        uint64_t most = setting->row == NULL ? setting->max : (uint64_t)setting->row->max;
        uint64_t number;

        if (span_number(text, &number) && number >= least && number <= most) {
                *ret_value = (uint32_t)number;
                return true;
        }
        say_of(error, setting, "= must be from ");
        text_put_number(error, least);
        text_put_string(error, " to ");
        text_put_number(error, most);
        return false;
}

/* A word that is no next hop, but looks like what stands behind one. */
static bool say_unknown(struct text *error, struct span name)
{
        text_put(error, name);
        text_put_string(error, "= is unknown: behind a next hop may stand ");
        for (size_t i = 0; i < NEXT_HOP_SETTINGS; i++) {
                text_put_string(error, i == 0 ? "" : i + 1 == NEXT_HOP_SETTINGS ? " and " : ", ");
                say_of(error, &settings[i], "=");
        }
        return false;
}

/* To the last one of the list. */
static bool give(const struct setting *setting, struct span text, struct next_hop_list *list,
                 struct text *error)
{
        struct next_hop *hop = list->count == 0 ? NULL : &list->hops[list->count - 1];
        enum next_hop_setting number = (enum next_hop_setting)(setting - settings);
        bool is_word = setting->row != NULL && value_words(setting->row) != NULL;
        uint32_t value = 0;

        if (hop == NULL || next_hop_gives(hop, number))
                return say_of(error, setting, "= stands behind a next hop, once");
        if (number == NEXT_HOP_TLS && hop->kind == NEXT_HOP_AT_PATH)
                return say(error,
                           "tls= is for addresses and names: no network sees what goes to a unix socket");
        if (is_word ? !read_word(setting, text, &value, error) : !read_number(setting, text, &value, error))
                return false;
        memcpy((char *)hop + setting->offset, &value, sizeof value);
        hop->given |= 1u << number;
        return true;
}

/* ---- all ----------------------------------------------------------------------------------------------- */

bool next_hops_set(struct span text, struct next_hop_list *field, struct arena *memory, const char *directory,
                   struct text *ret_error)
{
        struct next_hop hops[NEXT_HOPS_MAX];
        struct next_hop_list list = {.hops = hops};

        while (text.length > 0) {
                struct span word = span_take_word(&text);
                if (word.length == 0)
                        continue;
                const struct setting *setting = setting_of(word);
                size_t sign = span_find(word, '=');
                if (setting == NULL && sign != SIZE_MAX && scheme_of(word) == NULL)
                        return say_unknown(ret_error, span_of(word.at, sign));
                if (setting != NULL
                        ? !give(setting, span_skip(word, strlen(setting->name) + 1), &list, ret_error)
                        : !append(word, &list, memory, directory, ret_error))
                        return false;
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

/* Those that are not given are zero. */
bool next_hop_equals(const struct next_hop *left, const struct next_hop *right)
{
        const uint32_t but_weight = ~(1u << NEXT_HOP_WEIGHT);

        return is_same(left, right) && left->protocol == right->protocol &&
               (left->given & but_weight) == (right->given & but_weight) &&
               left->starttls == right->starttls && left->naming == right->naming &&
               left->connections_max == right->connections_max;
}

bool next_hops_are_same(const struct next_hop_list *left, const struct next_hop_list *right)
{
        if (left->count != right->count)
                return false;
        for (size_t i = 0; i < left->count; i++)
                if (!next_hop_equals(&left->hops[i], &right->hops[i]) ||
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

void next_hop_write_string(const struct next_hop *hop, char ret_text[static NEXT_HOP_TEXT_MAX + 1])
{
        struct text text;

        text_over(&text, ret_text, NEXT_HOP_TEXT_MAX);
        next_hop_write(&text, hop);
        ret_text[text.length] = '\0';
}

static void write_setting(struct text *text, const struct setting *setting, const struct next_hop *hop)
{
        const char *const *words = setting->row == NULL ? NULL : value_words(setting->row);
        uint32_t value = 0;

        memcpy(&value, (const char *)hop + setting->offset, sizeof value);
        text_put_char(text, ' ');
        text_put_string(text, setting->name);
        text_put_char(text, '=');
        if (words != NULL)
                text_put_string(text, words[value]);
        else
                text_put_number(text, value);
}

static bool is_to_write(const struct next_hop *hop, enum next_hop_setting setting)
{
        return setting == NEXT_HOP_WEIGHT ? hop->weight != 1 : next_hop_gives(hop, setting);
}

void next_hops_write(struct text *text, const struct next_hop_list *list)
{
        for (size_t i = 0; i < list->count; i++) {
                text_put_string(text, i == 0 ? "" : " ");
                next_hop_write(text, &list->hops[i]);
                for (enum next_hop_setting j = 0; j < NEXT_HOP_SETTINGS; j++)
                        if (is_to_write(&list->hops[i], j))
                                write_setting(text, &settings[j], &list->hops[i]);
        }
}
