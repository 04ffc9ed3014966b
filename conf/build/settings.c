/* Settings become fields of the snapshot. */
#include "conf/build/internal.h"
#include "conf/text/habits.h"
#include "conf/value/list.h"
#include "core/base/expect.h"

#define WORD_MAX 900 /* octets of a value that are quoted in a report */

static void complain(struct builder *builder, const struct setting *setting, const char *reason)
{
        conf_complain(builder->complaints, COMPLAINT_ERROR, &setting->place, "%s: %s", setting->key, reason);
}

/* ---- defaults ------------------------------------------------------------------------------------------ */

static void set_defaults(struct builder *builder)
{
        struct snapshot *snapshot = builder->snapshot;
        const char *error;

        for (const struct option_row *row = option_rows; row->name != NULL; row++)
                if (!value_set_default(row, &snapshot->options, &snapshot->memory))
                        builder->out_of_memory = true;
        for (size_t check = 0; check < CHECK_COUNT; check++)
                snapshot->checks[check] =
                    (struct check_setting){check_infos[check].default_mode, {"default", 0}};
        for (size_t reply = 0; reply < REPLY_COUNT; reply++) {
                expect(reply_template_parse(span_from(reply_infos[reply].text), &snapshot->replies[reply],
                                            &error));
                snapshot->replies[reply].is_policy = reply_infos[reply].is_policy;
        }
}

static size_t sections_count(const struct settings *settings, enum scope_kind kind)
{
        size_t count = 0;
        for (const struct setting *setting = settings->first; setting != NULL; setting = setting->next)
                count += setting->kind == SETTING_SECTION && setting->scope->kind == kind;
        return count;
}

/* Zeroed room. */
static void *take(struct builder *builder, struct arena *arena, size_t size)
{
        void *piece = arena_take(arena, size);
        if (piece == NULL)
                builder->out_of_memory = true;
        else
                memset(piece, 0, size);
        return piece;
}

/* For what sections become, and for one zone that has none. */
static void take_sections(struct builder *builder, const struct settings *settings, struct arena *scratch)
{
        struct snapshot *snapshot = builder->snapshot;
        size_t domains = sections_count(settings, SCOPE_DOMAIN), zones = sections_count(settings, SCOPE_ZONE);

        snapshot->domains = take(builder, &snapshot->memory, domains * sizeof *snapshot->domains);
        builder->domains = take(builder, scratch, domains * sizeof *builder->domains);
        snapshot->zones = take(builder, &snapshot->memory, (zones + 1) * sizeof *snapshot->zones);
        snapshot->filters =
            take(builder, &snapshot->memory,
                 (sections_count(settings, SCOPE_MILTER) + sections_count(settings, SCOPE_SERVICE)) *
                     sizeof *snapshot->filters);
        snapshot->listener_terms.sections =
            take(builder, &snapshot->memory, sections_count(settings, SCOPE_LISTENER) * sizeof(struct terms));
        snapshot->network_terms.sections =
            take(builder, &snapshot->memory, sections_count(settings, SCOPE_NETWORK) * sizeof(struct terms));
}

/* ---- sections ------------------------------------------------------------------------------------------ */

static void begin_domain(struct builder *builder, const struct setting *setting)
{
        struct snapshot *snapshot = builder->snapshot;
        struct domain *domain = &snapshot->domains[snapshot->domain_count++];

        setting->scope->domain = domain;
        domain->place = setting->place;
        domain->name = arena_copy(&snapshot->memory, span_from(setting->scope->title));
        if (domain->name.at == NULL)
                builder->out_of_memory = true;
        for (const struct option_row *row = domain_option_rows; row->name != NULL; row++)
                if (!value_set_default(row, &domain->options, &snapshot->memory))
                        builder->out_of_memory = true;
}

/* A rule may have options, and never a mode. */
static void begin_check(struct builder *builder, const struct setting *setting)
{
        const struct scope *scope = setting->scope;
        enum check_kind kind = check_infos[scope->check].kind;

        if (kind == CHECK_KIND_RULE && !check_has_options(scope->check))
                complain(builder, setting, "is a rule that cannot be changed or switched off");
        else if (kind != CHECK_KIND_PURE && scope->parent->kind == SCOPE_DOMAIN)
                complain(builder, setting, "holds for whole sessions: set it outside of domains");
}

static void begin_section(struct builder *builder, const struct setting *setting)
{
        const struct scope *scope = setting->scope;

        if (scope->kind == SCOPE_DOMAIN)
                begin_domain(builder, setting);
        if (scope->kind == SCOPE_ZONE)
                setting->scope->zone = build_zone(builder, span_from(scope->title), setting->place);
        if (scope->kind == SCOPE_MILTER)
                setting->scope->filter =
                    build_filter(builder, FILTER_MILTER, span_from(scope->title), setting->place);
        if (scope->kind == SCOPE_SERVICE)
                setting->scope->filter =
                    build_filter(builder, FILTER_SERVICE, span_from(scope->title), setting->place);
        if (scope->kind == SCOPE_HTTP)
                builder->snapshot->has_http = true;
        if (scope->kind == SCOPE_LISTENER)
                setting->scope->terms = build_listener_terms(builder, scope->title, setting->place);
        if (scope->kind == SCOPE_NETWORK)
                setting->scope->terms = build_network_terms(builder, scope->title, setting->place);
        if (scope->kind == SCOPE_CHECK)
                begin_check(builder, setting);
}

/* ---- values -------------------------------------------------------------------------------------------- */

static void set_option(struct builder *builder, const struct setting *setting, const struct option_row *row,
                       void *base, struct place *place)
{
        char octets[WORD_MAX + 256];
        struct text error;

        text_over(&error, octets, sizeof octets - 1);
        if (value_is_list(row->type) && !setting->continues_list)
                value_clear_list(row, base);
        *place = setting->place;
        if (setting->kind == SETTING_EMPTY_LIST ||
            value_set(row, span_from(setting->text), base, &builder->snapshot->memory, builder->directory,
                      &error))
                return;
        octets[error.length] = '\0';
        conf_complain(builder->complaints, COMPLAINT_ERROR, &setting->place, "%s = \"%.*s\": %s",
                      setting->key, WORD_MAX, setting->text, octets);
}

static void set_root_option(struct builder *builder, const struct setting *setting, enum check_id check)
{
        const struct option_row *row = option_row_find(option_rows, check, setting->key);
        set_option(builder, setting, row, &builder->snapshot->options, &builder->options[row - option_rows]);
}

static void set_domain_option(struct builder *builder, const struct setting *setting)
{
        const struct option_row *row = option_row_find(domain_option_rows, CHECK_COUNT, setting->key);
        struct domain *domain = setting->scope->domain;
        struct domain_places *places = &builder->domains[domain - builder->snapshot->domains];
        set_option(builder, setting, row, &domain->options, &places->options[row - domain_option_rows]);
}

static void set_zone_option(struct builder *builder, const struct setting *setting)
{
        const struct option_row *row = option_row_find(zone_option_rows, CHECK_COUNT, setting->key);
        struct place ignored;
        set_option(builder, setting, row, &setting->scope->zone->options, &ignored);
}

static void set_filter_option(struct builder *builder, const struct setting *setting)
{
        struct mail_filter *filter = setting->scope->filter;
        const struct option_row *row =
            option_row_find(filter_option_rows(filter->kind), CHECK_COUNT, setting->key);
        struct place ignored;
        set_option(builder, setting, row, &filter->options, &ignored);
}

static void set_terms_option(struct builder *builder, const struct setting *setting)
{
        const struct option_row *row = option_row_find(terms_option_rows, CHECK_COUNT, setting->key);
        struct place ignored;

        setting->scope->terms->sets |= UINT32_C(1) << (row - terms_option_rows);
        set_option(builder, setting, row, &setting->scope->terms->options, &ignored);
}

static void complain_of_mode(struct builder *builder, const struct setting *setting)
{
        const char *meant = habit_of_mode(span_from(setting->text));
        conf_complain(builder->complaints, COMPLAINT_ERROR, &setting->place,
                      "mode = \"%.*s\": must be enforce, observe (count and log only) or off%s%s%s", WORD_MAX,
                      setting->text, meant == NULL ? "" : "; did you mean ", meant == NULL ? "" : meant,
                      meant == NULL ? "" : "?");
}

static void set_mode(struct builder *builder, const struct setting *setting)
{
        const struct scope *scope = setting->scope;
        struct check_setting *checks =
            scope->parent->kind == SCOPE_DOMAIN ? scope->parent->domain->checks : builder->snapshot->checks;
        enum check_mode mode;

        if (check_mode_parse(span_from(setting->text), &mode))
                checks[scope->check] = (struct check_setting){mode, setting->place};
        else
                complain_of_mode(builder, setting);
}

/* Where the section as such is wrong that has been said. */
static void complain_of_rule(struct builder *builder, const struct setting *setting)
{
        const struct scope *scope = setting->scope;

        if (check_has_options(scope->check) && scope->parent->kind != SCOPE_DOMAIN)
                conf_complain(builder->complaints, COMPLAINT_ERROR, &setting->place,
                              "%s is a rule: it has options, but no mode", check_infos[scope->check].name);
}

static void set_check_option(struct builder *builder, const struct setting *setting)
{
        const struct scope *scope = setting->scope;

        if (strcmp(setting->key, "mode") != 0)
                set_root_option(builder, setting, scope->check);
        else if (check_infos[scope->check].kind == CHECK_KIND_RULE)
                complain_of_rule(builder, setting);
        else
                set_mode(builder, setting);
}

static void set_reply(struct builder *builder, const struct setting *setting)
{
        enum reply_id id = reply_by_name(span_from(setting->key));
        struct reply_template *reply = &builder->snapshot->replies[id], changed;
        const char *text = arena_string(&builder->snapshot->memory, span_from(setting->text)), *error = NULL;

        if (text == NULL)
                builder->out_of_memory = true;
        else if (reply->code < 400)
                complain(builder, setting, "only refusals (4xx and 5xx) can be changed");
        else if (!reply_template_parse(span_from(text), &changed, &error))
                complain(builder, setting, error);
        else if (changed.code < 400)
                complain(builder, setting, "a refusal must stay one (4xx or 5xx)");
        else if (changed.code == 421 && strncmp(reply_infos[id].text, "421", 3) != 0)
                complain(builder, setting,
                         "421 closes the session, which this reply does not (RFC 5321 3.8)");
        else {
                changed.is_policy = reply->is_policy;
                *reply = changed;
        }
}

static bool text_is_clean(struct span text)
{
        for (size_t i = 0; i < text.length; i++)
                if (ascii_is_control(text.at[i]))
                        return false;
        return span_is_utf8(text);
}

static void set_value(struct builder *builder, const struct setting *setting)
{
        if (setting->kind == SETTING_VALUE && !text_is_clean(span_from(setting->text))) {
                complain(builder, setting, "control character, or not UTF-8");
                return;
        }
        switch (setting->scope->kind) {
        case SCOPE_ROOT:
                set_root_option(builder, setting, CHECK_COUNT);
                break;
        case SCOPE_DOMAIN:
                set_domain_option(builder, setting);
                break;
        case SCOPE_CHECK:
                set_check_option(builder, setting);
                break;
        case SCOPE_ZONE:
                set_zone_option(builder, setting);
                break;
        case SCOPE_MILTER:
        case SCOPE_SERVICE:
                set_filter_option(builder, setting);
                break;
        case SCOPE_TLS:
                set_root_option(builder, setting, SECTION_TLS);
                break;
        case SCOPE_HTTP:
                set_root_option(builder, setting, SECTION_HTTP);
                break;
        case SCOPE_PAGE:
                set_root_option(builder, setting, SECTION_PAGE);
                break;
        case SCOPE_HOPS:
                set_root_option(builder, setting, SECTION_HOPS);
                break;
        case SCOPE_LISTENER:
        case SCOPE_NETWORK:
                set_terms_option(builder, setting);
                break;
        case SCOPE_REPLIES:
                set_reply(builder, setting);
                break;
        }
}

void build_from_settings(struct builder *builder, const struct settings *settings, struct arena *scratch)
{
        set_defaults(builder);
        take_sections(builder, settings, scratch);
        for (const struct setting *setting = settings->first; setting != NULL && !builder->out_of_memory;
             setting = setting->next) {
                if (setting->kind == SETTING_PROBLEM)
                        conf_complain(builder->complaints, COMPLAINT_ERROR, &setting->place, "%s",
                                      setting->text);
                else if (setting->kind == SETTING_SECTION)
                        begin_section(builder, setting);
                else
                        set_value(builder, setting);
        }
}
