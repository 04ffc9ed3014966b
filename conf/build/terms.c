/* Sections `listener` and `network`: for whom what holds. */
#include "conf/build/internal.h"
#include "conf/value/list.h"

#include <stdlib.h>

static void complain(struct builder *builder, const struct terms *terms, const char *kind, const char *reason)
{
        conf_complain(builder->complaints, COMPLAINT_ERROR, &terms->place, "%s \"%.200s\": %s", kind,
                      terms->title, reason);
}

static struct terms *begin(struct builder *builder, struct terms_list *list, const char *title,
                           struct place place)
{
        struct arena *memory = &builder->snapshot->memory;
        struct terms *terms = &list->sections[list->count++];

        terms->place = place;
        if ((terms->title = arena_string(memory, span_from(title))) == NULL) {
                builder->out_of_memory = true;
                terms->title = "";
        }
        for (const struct option_row *row = terms_option_rows; row->name != NULL; row++)
                if (!value_set_default(row, &terms->options, memory))
                        builder->out_of_memory = true;
        return terms;
}

struct terms *build_listener_terms(struct builder *builder, const char *title, struct place place)
{
        struct terms *terms = begin(builder, &builder->snapshot->listener_terms, title, place);
        if (!endpoint_parse(span_from(title), &terms->listener))
                complain(builder, terms, "listener",
                         "needs an address with port, such as 192.0.2.1:25 or [2001:db8::1]:25");
        return terms;
}

struct terms *build_network_terms(struct builder *builder, const char *title, struct place place)
{
        struct terms *terms = begin(builder, &builder->snapshot->network_terms, title, place);
        if (!network_parse(span_from(title), &terms->network)) {
                complain(builder, terms, "network",
                         "needs a network such as 192.0.2.0/24 or 2001:db8::/32, host bits zero");
                terms->network.prefix = UINT8_MAX; /* like no other */
        }
        return terms;
}

/* ---- what they stand for ------------------------------------------------------------------------------- */

static void tell_of_twin(struct builder *builder, const struct terms *terms, const struct terms *twin,
                         const char *kind)
{
        conf_complain(builder->complaints, COMPLAINT_ERROR, &terms->place,
                      "%s \"%.200s\" is given twice, first in %s:%u", kind, terms->title, twin->place.file,
                      twin->place.line);
}

static void finish_listeners(struct builder *builder)
{
        const struct options *options = &builder->snapshot->options;
        const struct terms_list *list = &builder->snapshot->listener_terms;

        for (const struct terms *terms = list->sections; terms < list->sections + list->count; terms++) {
                const struct endpoint *endpoint = &terms->listener;
                if (endpoint->port == 0)
                        continue; /* that has been said */
                if (!endpoint_list_contains(&options->listen, endpoint) &&
                    !endpoint_list_contains(&options->proxy_listen, endpoint))
                        complain(builder, terms, "listener", "is neither in listen nor in proxy_listen");
                for (const struct terms *other = list->sections; other < terms; other++)
                        if (endpoint_equals(&other->listener, endpoint)) {
                                tell_of_twin(builder, terms, other, "listener");
                                break;
                        }
        }
}

/* The most specific first, and equal ones beside each other, in the order of the text. */
static int networks_compare(const void *left, const void *right)
{
        const struct terms *a = left, *b = right;
        int order = b->network.prefix - a->network.prefix;

        if (order == 0)
                order = memcmp(&a->network.address, &b->network.address, sizeof a->network.address);
        return order != 0 ? order : (a->place.line > b->place.line) - (a->place.line < b->place.line);
}

static void finish_networks(struct builder *builder)
{
        struct terms_list *list = &builder->snapshot->network_terms;

        if (list->count > 0)
                qsort(list->sections, list->count, sizeof *list->sections, networks_compare);
        for (size_t i = 1; i < list->count; i++) {
                const struct terms *terms = &list->sections[i], *before = terms - 1;
                if (terms->network.prefix != UINT8_MAX && terms->network.prefix == before->network.prefix &&
                    address_equals(&terms->network.address, &before->network.address))
                        tell_of_twin(builder, terms, before, "network");
        }
}

/* ---- TLS ----------------------------------------------------------------------------------------------- */

/* All mail would be refused. */
static void look_at_demand(struct builder *builder, enum starttls_policy policy, const struct place *place)
{
        if (policy == STARTTLS_REQUIRE && !snapshot_has_tls(builder->snapshot))
                conf_complain(builder->complaints, COMPLAINT_ERROR, place,
                              "starttls = require: needs certificates in section tls");
}

static void look_at_demands(struct builder *builder, const struct terms_list *list)
{
        for (const struct terms *terms = list->sections; terms < list->sections + list->count; terms++)
                look_at_demand(builder, terms->options.starttls, &terms->place);
}

void build_finish_terms(struct builder *builder)
{
        struct place place = build_option_place(builder, OPTION_AT_starttls);

        finish_listeners(builder);
        finish_networks(builder);
        look_at_demand(builder, builder->snapshot->options.starttls, &place);
        look_at_demands(builder, &builder->snapshot->listener_terms);
        look_at_demands(builder, &builder->snapshot->network_terms);
}
