/* Sections `milter` and `policy_service`: mail filters of others, and where they listen. */
#include "conf/build/internal.h"
#include "conf/value/list.h"

static void complain(struct builder *builder, const struct mail_filter *filter, const char *reason)
{
        conf_complain(builder->complaints, COMPLAINT_ERROR, &filter->place, "%s \"%.*s\": %s",
                      filter_kind_names[filter->kind], (int)filter->name.length, filter->name.at, reason);
}

struct mail_filter *build_filter(struct builder *builder, enum filter_kind kind, struct span name,
                                 struct place place)
{
        struct snapshot *snapshot = builder->snapshot;
        struct mail_filter *filter = &snapshot->filters[snapshot->filter_count++];

        filter->kind = kind;
        filter->place = place;
        const char *copy = arena_string(&snapshot->memory, name);
        if (copy == NULL)
                builder->out_of_memory = true;
        else
                filter->name = span_from(copy);
        for (const struct option_row *row = filter_option_rows(kind); row->name != NULL; row++)
                if (!value_set_default(row, &filter->options, &snapshot->memory))
                        builder->out_of_memory = true;
        return filter;
}

/* It stands in replies, in fields of mail and in labels of counters. */
static bool name_is_plain(struct span name)
{
        for (size_t i = 0; i < name.length; i++)
                if (!ascii_is_alnum(name.at[i]) && span_find(SPAN("-_."), name.at[i]) >= 3)
                        return false;
        return name.length > 0 && name.length <= 32;
}

static void read_path(struct builder *builder, struct mail_filter *filter, struct span path)
{
        filter->address.path = path_resolve(path, builder->directory, &builder->snapshot->memory);
        if (filter->address.path == NULL)
                builder->out_of_memory = true;
        else if (build_socket_path_fault(filter->address.path) != NULL)
                complain(builder, filter, build_socket_path_fault(filter->address.path));
}

static void read_address(struct builder *builder, struct mail_filter *filter)
{
        static const struct span inet = {"inet:", 5}, local = {"unix:", 5};
        struct span text = span_from(filter->options.connect);

        if (span_starts_nocase(text, local) && text.length > local.length)
                read_path(builder, filter, span_skip(text, local.length));
        else if (!span_starts_nocase(text, inet) ||
                 !endpoint_parse(span_skip(text, inet.length), &filter->address.endpoint))
                complain(builder, filter, "connect must be inet:ADDRESS:PORT or unix:PATH");
}

/* Counters, and the log, know all of them by their names alone. */
static void tell_of_twin(struct builder *builder, const struct mail_filter *filter)
{
        for (const struct mail_filter *other = builder->snapshot->filters; other < filter; other++)
                if (span_equals(other->name, filter->name)) {
                        conf_complain(builder->complaints, COMPLAINT_ERROR, &filter->place,
                                      "%s \"%.*s\" is given twice, first in %s:%u",
                                      filter_kind_names[filter->kind], (int)filter->name.length,
                                      filter->name.at, other->place.file, other->place.line);
                        return;
                }
}

/* ---- of domains ---------------------------------------------------------------------------------------- */

/* 0: there is no such filter. */
static uint32_t find_filter(const struct snapshot *snapshot, struct span name)
{
        for (size_t i = 0; i < snapshot->filter_count; i++)
                if (span_equals(snapshot->filters[i].name, name))
                        return UINT32_C(1) << i;
        return 0;
}

static void read_wanted(struct builder *builder, struct domain *domain, const struct place *place)
{
        struct span rest = span_from(domain->options.mail_filters), name;

        domain->filters = 0;
        if (span_equals(rest, SPAN("yes")))
                domain->filters = (UINT32_C(1) << builder->snapshot->filter_count) - 1;
        if (span_equals(rest, SPAN("yes")) || span_equals(rest, SPAN("no")))
                return;
        if (span_trim(rest).length == 0)
                conf_complain(builder->complaints, COMPLAINT_ERROR, place,
                              "mail_filters: must be yes, no or names of filters");
        while (rest.length > 0) {
                name = span_take_word(&rest);
                uint32_t filter = find_filter(builder->snapshot, name);
                if (filter == 0 && name.length > 0)
                        conf_complain(builder->complaints, COMPLAINT_ERROR, place,
                                      "mail_filters: there is no milter, and no policy_service, \"%.*s\"",
                                      (int)name.length, name.at);
                domain->filters |= filter;
        }
}

/* ---- all ----------------------------------------------------------------------------------------------- */

void build_finish_filters(struct builder *builder)
{
        struct snapshot *snapshot = builder->snapshot;

        for (size_t i = 0; i < snapshot->filter_count && !builder->out_of_memory; i++) {
                struct mail_filter *filter = &snapshot->filters[i];
                if (i == MAIL_FILTERS_MAX) {
                        complain(builder, filter, "there may be 8 milters and policy services at most");
                        return;
                }
                filter->count_index = (uint8_t)i;
                if (!name_is_plain(filter->name))
                        complain(builder, filter, "a name has 1 to 32 letters, digits, -, _ and .");
                read_address(builder, filter);
                tell_of_twin(builder, filter);
        }
        for (size_t i = 0; i < snapshot->domain_count && !builder->out_of_memory; i++)
                read_wanted(builder, &snapshot->domains[i],
                            &builder->domains[i].options[DOMAIN_OPTION_AT_mail_filters]);
}
