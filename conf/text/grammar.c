/* Every value is a pointer option whose callback sees text, file and line: libConfuse itself knows only of
 * sections and lists. */
#include "conf/text/grammar.h"

#include "conf/text/habits.h"
#include "conf/text/nearest.h"
#include "conf/value/list.h"
#include "conf/value/value.h"

/* No text can name this option: a name with "|" in it is looked up as a path. */
#define OPENER "section|open"

static cfg_opt_t value_option(const struct grammar_calls *calls, const char *name, bool is_list)
{
        return (cfg_opt_t){.name = name,
                           .type = CFGT_PTR,
                           .flags = is_list ? CFGF_LIST : CFGF_NONE,
                           .parsecb = calls->value};
}

/* The library calls back at the begin of a section only to set defaults. */
static cfg_opt_t opener(const struct grammar_calls *calls)
{
        static char begins[] = "begins";
        return (cfg_opt_t){
            .name = OPENER, .type = CFGT_PTR, .def = {.parsed = begins}, .parsecb = calls->open};
}

/* Every section may be given many times for libConfuse, so that it makes a new one of each and calls back. */
static cfg_opt_t section_option(const struct grammar_calls *calls, const char *name, cfg_opt_t *options,
                                cfg_flag_t flags)
{
        return (cfg_opt_t){.name = name,
                           .type = CFGT_SEC,
                           .flags = CFGF_MULTI | flags,
                           .subopts = options,
                           .validcb = calls->close};
}

/* Room for `count` options, the opener and the end; zero octets are an end. */
static cfg_opt_t *options_take(const struct grammar_calls *calls, struct arena *memory, size_t count)
{
        cfg_opt_t *options = arena_take(memory, (count + 2) * sizeof *options);
        if (options == NULL)
                return NULL;
        memset(options, 0, (count + 2) * sizeof *options);
        options[0] = opener(calls);
        return options;
}

/* Returns how many were added. */
static size_t rows_add(const struct grammar_calls *calls, cfg_opt_t *options, const struct option_row *rows,
                       enum check_id check)
{
        size_t count = 0;
        for (; rows->name != NULL; rows++)
                if (rows->check == check)
                        options[count++] = value_option(calls, rows->name, value_is_list(rows->type));
        return count;
}

static size_t old_names_add(const struct grammar_calls *calls, cfg_opt_t *options)
{
        size_t count = 0;
        for (const struct old_option_name *old = old_option_names; old->old != NULL; old++) {
                const struct option_row *row = option_row_find(option_rows, CHECK_COUNT, old->name);
                options[count++] = value_option(calls, old->old, value_is_list(row->type));
        }
        return count;
}

/* A section that has these rows and nothing else; `count`: of rows, at most. */
static cfg_opt_t *rows_options(const struct grammar_calls *calls, struct arena *memory,
                               const struct option_row *rows, enum check_id section, size_t count)
{
        cfg_opt_t *options = options_take(calls, memory, count);
        if (options != NULL)
                rows_add(calls, options + 1, rows, section);
        return options;
}

/* What a check's section holds outside of domains. */
static bool check_options_add(const struct grammar_calls *calls, cfg_opt_t *options, enum check_id check,
                              struct arena *memory)
{
        size_t count = rows_add(calls, options, option_rows, check);
        if (check != CHECK_dnsbl)
                return true;
        cfg_opt_t *zone = rows_options(calls, memory, zone_option_rows, CHECK_COUNT, ZONE_OPTION_AT_END);
        options[count] = section_option(calls, "zone", zone, CFGF_TITLE);
        return zone != NULL;
}

/* A section for each check; in a domain it holds nothing but the mode. Returns how many were added; 0: no
 * memory. */
static size_t checks_add(const struct grammar_calls *calls, cfg_opt_t *options, bool in_domain,
                         struct arena *memory)
{
        for (unsigned check = 0; check < CHECK_COUNT; check++) {
                cfg_opt_t *own = options_take(calls, memory, 2 + OPTION_AT_END);
                if (own == NULL)
                        return 0;
                own[1] = value_option(calls, "mode", false);
                if (!in_domain && !check_options_add(calls, own + 2, (enum check_id)check, memory))
                        return 0;
                options[check] = section_option(calls, check_infos[check].name, own, CFGF_NONE);
        }
        return CHECK_COUNT;
}

static cfg_opt_t *domain_options(const struct grammar_calls *calls, struct arena *memory)
{
        cfg_opt_t *options = options_take(calls, memory, DOMAIN_OPTION_AT_END + CHECK_COUNT);
        if (options == NULL)
                return NULL;
        size_t count = 1 + rows_add(calls, options + 1, domain_option_rows, CHECK_COUNT);
        return checks_add(calls, options + count, true, memory) > 0 ? options : NULL;
}

static cfg_opt_t *reply_options(const struct grammar_calls *calls, struct arena *memory)
{
        cfg_opt_t *options = options_take(calls, memory, REPLY_COUNT);
        for (size_t reply = 0; options != NULL && reply < REPLY_COUNT; reply++)
                options[1 + reply] = value_option(calls, reply_infos[reply].name, false);
        return options;
}

/* The section of a check is named as the check is. */
static const char *const section_names[] = {[SCOPE_ROOT] = "",
                                            [SCOPE_DOMAIN] = "domain",
                                            [SCOPE_CHECK] = "",
                                            [SCOPE_ZONE] = "zone",
                                            [SCOPE_REPLIES] = "replies",
                                            [SCOPE_TLS] = "tls",
                                            [SCOPE_HTTP] = "http",
                                            [SCOPE_PAGE] = "policy_page",
                                            [SCOPE_LISTENER] = "listener",
                                            [SCOPE_HOPS] = "next_hops",
                                            [SCOPE_NETWORK] = "network",
                                            [SCOPE_MILTER] = "milter",
                                            [SCOPE_SERVICE] = "policy_service"};

const char *grammar_section_name(enum scope_kind kind)
{
        return section_names[kind];
}

enum scope_kind grammar_scope_kind(const char *section)
{
        for (size_t kind = 0; kind < sizeof section_names / sizeof *section_names; kind++)
                if (strcmp(section, section_names[kind]) == 0)
                        return (enum scope_kind)kind;
        return SCOPE_CHECK;
}

/* Sections of options that are no check's, without a title. */
static const struct section {
        enum check_id at; /* in option_rows */
        enum scope_kind kind;
        const char *example;
} sections[] = {
    {SECTION_TLS, SCOPE_TLS, "certificate = {\"FILE\"} key = {\"FILE\"}"},
    {SECTION_HTTP, SCOPE_HTTP, "listen = \"127.0.0.1:8025\""},
    {SECTION_PAGE, SCOPE_PAGE, "organisation = \"NAME\""},
    {SECTION_HOPS, SCOPE_HOPS, "connections_max = 20"},
};

#define SECTION_COUNT (sizeof sections / sizeof *sections)

/* NULL: it is none of them. */
static const struct section *section_find(const char *name)
{
        enum scope_kind kind = grammar_scope_kind(name);

        for (size_t i = 0; i < SECTION_COUNT; i++)
                if (sections[i].kind == kind)
                        return &sections[i];
        return NULL;
}

/* Returns how many were added; fewer than SECTION_COUNT when memory is out. */
static size_t sections_add(const struct grammar_calls *calls, cfg_opt_t *options, struct arena *memory)
{
        for (size_t i = 0; i < SECTION_COUNT; i++) {
                cfg_opt_t *rows = rows_options(calls, memory, option_rows, sections[i].at, OPTION_AT_END);
                if (rows == NULL)
                        return i;
                options[i] = section_option(calls, section_names[sections[i].kind], rows, CFGF_NONE);
        }
        return SECTION_COUNT;
}

cfg_opt_t *grammar_build(const struct grammar_calls *calls, struct arena *memory)
{
        cfg_opt_t *domain = domain_options(calls, memory), *replies = reply_options(calls, memory);
        cfg_opt_t *terms = rows_options(calls, memory, terms_option_rows, CHECK_COUNT, TERMS_OPTION_AT_END);
        cfg_opt_t *milter =
            rows_options(calls, memory, milter_option_rows, CHECK_COUNT, MILTER_OPTION_AT_END);
        cfg_opt_t *service =
            rows_options(calls, memory, service_option_rows, CHECK_COUNT, SERVICE_OPTION_AT_END);
        cfg_opt_t *root = options_take(calls, memory, OPTION_AT_END + CHECK_COUNT + SECTION_COUNT + 7);

        if (domain == NULL || replies == NULL || terms == NULL || milter == NULL || service == NULL ||
            root == NULL || sections_add(calls, root, memory) < SECTION_COUNT)
                return NULL;
        size_t count = SECTION_COUNT; /* the root has no opener */
        root[count++] = (cfg_opt_t){.name = "include", .type = CFGT_FUNC, .func = calls->include};
        root[count++] = section_option(calls, "domain", domain, CFGF_TITLE);
        root[count++] = section_option(calls, "replies", replies, CFGF_NONE);
        root[count++] = section_option(calls, "listener", terms, CFGF_TITLE);
        root[count++] = section_option(calls, "network", terms, CFGF_TITLE);
        root[count++] = section_option(calls, "milter", milter, CFGF_TITLE);
        root[count++] = section_option(calls, "policy_service", service, CFGF_TITLE);
        count += rows_add(calls, root + count, option_rows, CHECK_COUNT);
        count += old_names_add(calls, root + count);
        return checks_add(calls, root + count, false, memory) > 0 ? root : NULL;
}

/* Where an option of this name stands. False when there is none. */
static bool say_right_place(const char *section, const char *key, bool in_domain, struct text *text)
{
        enum check_id check = check_by_name(span_from(section));

        if (in_domain && check != CHECK_COUNT && option_row_find(option_rows, check, key) != NULL) {
                text_printf(text, "; a domain sets the mode of %s alone: set it outside of domains", section);
                return true;
        }
        if (option_row_find(option_rows, CHECK_COUNT, option_name_today(key)) != NULL) {
                text_put_string(text, "; it stands outside of all sections");
                return true;
        }
        if (option_row_find(domain_option_rows, CHECK_COUNT, key) != NULL) {
                text_put_string(text, "; it stands in a domain section");
                return true;
        }
        for (size_t i = 0; i < SECTION_COUNT; i++)
                if (option_row_find(option_rows, sections[i].at, key) != NULL) {
                        text_printf(text, "; it stands in section %s", section_names[sections[i].kind]);
                        return true;
                }
        for (check = 0; check < CHECK_COUNT; check++)
                if (option_row_find(option_rows, check, key) != NULL) {
                        text_printf(text, "; it stands in section %s", check_infos[check].name);
                        return true;
                }
        if (option_row_find(milter_option_rows, CHECK_COUNT, key) != NULL) {
                text_put_string(text, "; it stands in a milter section");
                return true;
        }
        if (option_row_find(service_option_rows, CHECK_COUNT, key) != NULL) {
                text_put_string(text, "; it stands in a policy_service section");
                return true;
        }
        if (option_row_find(zone_option_rows, CHECK_COUNT, key) == NULL)
                return false;
        text_put_string(text, "; it stands in a zone section of dnsbl");
        return true;
}

void grammar_say_unknown(const cfg_t *cfg, const char *key, bool in_domain, struct text *text)
{
        struct nearest nearest = {.wanted = key};

        for (const cfg_opt_t *option = cfg->opts; option->name != NULL; option++)
                if (strcmp(option->name, OPENER) != 0)
                        nearest_offer(&nearest, option->name);
        text_printf(text, "unknown key \"%.200s\"", key);
        if (strcmp(cfg->name, "root") != 0)
                text_printf(text, " in section %s", cfg->name);
        if (!habit_of_postfix(key, text) && !say_right_place(cfg->name, key, in_domain, text) &&
            nearest.name != NULL)
                text_printf(text, "; did you mean \"%s\"?", nearest.name);
}

void grammar_say_section(const char *section, struct span value, struct text *text)
{
        const struct section *known = section_find(section);
        enum check_id check = check_by_name(span_from(section));
        enum check_mode ignored;

        if (strcmp(section, "replies") == 0) {
                text_put_string(text, "replies is a section; write replies { NAME = \"TEXT\" }");
                return;
        }
        if (known != NULL) {
                text_printf(text, "%s is a section; write %s { %s }", section, section, known->example);
                return;
        }
        if (check == CHECK_COUNT) {
                text_printf(text, "%s is a section with a name; write %s \"NAME\" { ... }", section, section);
                return;
        }
        if (check_infos[check].kind == CHECK_KIND_RULE) {
                text_printf(text, "%s is a rule that cannot be switched off", section);
                return;
        }
        text_printf(text, "%s is a section; write %s { mode = ", section, section);
        if (check_mode_parse(value, &ignored))
                text_put(text, value);
        else
                text_put_string(text, habit_of_mode(value) == NULL ? "observe" : habit_of_mode(value));
        text_put_string(text, " }");
}
