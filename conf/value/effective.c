/* `check-config --effective`. */
#include "conf/value/effective.h"

#include "conf/value/next_hop.h"
#include "conf/value/write.h"

#include <inttypes.h>
#include <stdlib.h>

#define BLOCK_SIZE ((size_t)16 << 10)
#define SETS_SHOWN 20

/* What is printed, and the defaults that it is compared with. */
struct printer {
        FILE *file;
        struct arena memory;
        struct options defaults;
        struct domain_options domain_defaults;
        struct zone_options zone_defaults;
        struct filter_options filter_defaults;
};

static bool printer_begin(struct printer *printer, struct block_pool *pool)
{
        bool is_set = true;

        arena_init(&printer->memory, pool, SIZE_MAX / 2);
        for (const struct option_row *row = option_rows; row->name != NULL; row++)
                is_set = is_set && value_set_default(row, &printer->defaults, &printer->memory);
        for (const struct option_row *row = domain_option_rows; row->name != NULL; row++)
                is_set = is_set && value_set_default(row, &printer->domain_defaults, &printer->memory);
        for (const struct option_row *row = zone_option_rows; row->name != NULL; row++)
                is_set = is_set && value_set_default(row, &printer->zone_defaults, &printer->memory);
        for (enum filter_kind kind = FILTER_MILTER; kind <= FILTER_SERVICE; kind++)
                for (const struct option_row *row = filter_option_rows(kind); row->name != NULL; row++)
                        is_set =
                            is_set && value_set_default(row, &printer->filter_defaults, &printer->memory);
        return is_set;
}

static char *value_text(const struct option_row *row, const void *base)
{
        char *text = NULL;
        size_t length;
        FILE *file = open_memstream(&text, &length);

        if (file == NULL)
                return NULL;
        value_print(file, row, base);
        fclose(file);
        return text;
}

/* ---- options ------------------------------------------------------------------------------------------- */

static void print_option(const struct printer *printer, const struct option_row *row, const void *base,
                         const void *defaults, const char *indent)
{
        char *text = value_text(row, base), *usual = value_text(row, defaults);

        if (row == &option_rows[OPTION_AT_sender_password] && strcmp(text, "\"\"") != 0)
                fprintf(printer->file, "%s# %s is set, and not shown\n", indent, row->name);
        else if (text != NULL && usual != NULL)
                fprintf(printer->file, "%s%s = %s%s\n", indent, row->name, text,
                        strcmp(text, usual) == 0 ? "    # default" : "");
        free(text);
        free(usual);
}

static void print_options(const struct printer *printer, const struct snapshot *snapshot, enum check_id check,
                          const char *indent)
{
        for (const struct option_row *row = option_rows; row->name != NULL; row++)
                if (row->check == check)
                        print_option(printer, row, &snapshot->options, &printer->defaults, indent);
}

/* ---- sections ------------------------------------------------------------------------------------------ */

static void print_zones(const struct printer *printer, const struct snapshot *snapshot)
{
        for (size_t i = 0; i < snapshot->zone_count; i++) {
                const struct dnsbl_zone *zone = &snapshot->zones[i];
                fprintf(printer->file, "    zone \"%.*s\" {\n", (int)zone->name.length, zone->name.at);
                for (const struct option_row *row = zone_option_rows; row->name != NULL; row++)
                        print_option(printer, row, &zone->options, &printer->zone_defaults, "        ");
                fputs("    }\n", printer->file);
        }
}

/* The section alone makes somebody listen. */
static void print_http(const struct printer *printer, const struct snapshot *snapshot)
{
        if (!snapshot->has_http)
                return;
        fputs("http {\n", printer->file);
        print_options(printer, snapshot, SECTION_HTTP, "    ");
        fputs("}\n", printer->file);
}

/* What is not set holds as it does outside. */
static void print_terms(const struct printer *printer, const char *kind, const struct terms_list *list)
{
        for (const struct terms *terms = list->sections; terms < list->sections + list->count; terms++) {
                fprintf(printer->file, "%s ", kind);
                quoted_print(printer->file, span_from(terms->title));
                fputs(" {\n", printer->file);
                for (const struct option_row *row = terms_option_rows; row->name != NULL; row++)
                        if (terms->sets >> (row - terms_option_rows) & 1) {
                                fprintf(printer->file, "    %s = ", row->name);
                                value_print(printer->file, row, &terms->options);
                                putc('\n', printer->file);
                        }
                fputs("}\n", printer->file);
        }
}

static void print_filters(const struct printer *printer, const struct snapshot *snapshot)
{
        for (const struct mail_filter *filter = snapshot->filters;
             filter < snapshot->filters + snapshot->filter_count; filter++) {
                fprintf(printer->file, "%s ", filter_kind_names[filter->kind]);
                quoted_print(printer->file, filter->name);
                fputs(" {\n", printer->file);
                for (const struct option_row *row = filter_option_rows(filter->kind); row->name != NULL;
                     row++)
                        print_option(printer, row, &filter->options, &printer->filter_defaults, "    ");
                fputs("}\n", printer->file);
        }
}

static void print_mode(const struct printer *printer, const struct snapshot *snapshot, enum check_id check)
{
        const struct check_info *info = &check_infos[check];
        enum check_mode mode = snapshot->checks[check].mode;
        bool lacks_dns = snapshot_lacks_dns(snapshot, check);

        if (info->kind != CHECK_KIND_RULE)
                fprintf(printer->file, "    mode = %s%s%s\n", check_mode_name(mode),
                        mode == info->default_mode ? "    # default" : "",
                        lacks_dns ? "    # without resolvers it is off" : "");
}

static void print_checks(const struct printer *printer, const struct snapshot *snapshot)
{
        for (enum check_id check = 0; check < CHECK_COUNT; check++) {
                if (check_infos[check].kind == CHECK_KIND_RULE && !check_has_options(check))
                        continue;
                fprintf(printer->file, "%s {\n", check_infos[check].name);
                print_mode(printer, snapshot, check);
                print_options(printer, snapshot, check, "    ");
                if (check == CHECK_dnsbl)
                        print_zones(printer, snapshot);
                fputs("}\n", printer->file);
        }
}

static void print_replies(const struct printer *printer, const struct snapshot *snapshot)
{
        fputs("replies {\n", printer->file);
        for (size_t id = 0; id < REPLY_COUNT; id++) {
                const struct reply_template *reply = &snapshot->replies[id];
                char octets[512];
                struct text text;
                if (reply->code < 400)
                        continue;
                text_over(&text, octets, sizeof octets);
                text_put(&text, reply->status);
                text_put(&text, reply->text);
                fprintf(printer->file, "    %s = ", reply_infos[id].name);
                quoted_print(printer->file, text_span(&text));
                fputs(span_equals(text_span(&text), span_from(reply_infos[id].text)) ? "    # default\n"
                                                                                     : "\n",
                      printer->file);
        }
        fputs("}\n", printer->file);
}

/* As it was resolved: relative to no file. */
static void print_deliver(const struct printer *printer, const struct deliver_target *deliver)
{
        char octets[NEXT_HOPS_TEXT_MAX];
        struct text text;

        text_over(&text, octets, sizeof octets);
        if (deliver->kind == DELIVER_DISCARD)
                text_put_string(&text, "discard:");
        else if (deliver->kind == DELIVER_HOPS)
                next_hops_write(&text, deliver->hops);
        fputs("    deliver = \"", printer->file);
        if (deliver->kind == DELIVER_MAILDIR)
                fprintf(printer->file, "maildir:%s", deliver->path);
        fprintf(printer->file, "%.*s\"\n", (int)text.length, text.at);
}

/* Settings of single recipients are no part of the configuration, but of their list. */
static void print_sets(const struct printer *printer, const struct recipient_sets *sets)
{
        for (size_t i = 0; sets != NULL && i < sets->count && i < SETS_SHOWN; i++)
                fprintf(printer->file, "    # some of them: %.*s\n", (int)sets->sets[i].text.length,
                        sets->sets[i].text.at);
        if (sets != NULL && sets->count > SETS_SHOWN)
                fprintf(printer->file, "    # and %zu more settings\n", sets->count - SETS_SHOWN);
}

/* A journal that is not there for the domain cannot be asked for. */
static bool is_said(const struct option_row *row, const struct domain *domain)
{
        return row != &domain_option_rows[DOMAIN_OPTION_AT_journal] ||
               domain->options.journal == domain->journal;
}

static void print_domain(const struct printer *printer, const struct domain *domain)
{
        uint64_t count = domain_of_mailboxes(domain)->recipient_count;

        fprintf(printer->file, "domain \"%.*s\" {\n    # %" PRIu64 " recipient%s\n", (int)domain->name.length,
                domain->name.at, count, count == 1 ? "" : "s");
        print_sets(printer, domain->sets);
        for (const struct option_row *row = domain_option_rows; row->name != NULL; row++) {
                if (!is_said(row, domain))
                        continue;
                if (row != &domain_option_rows[DOMAIN_OPTION_AT_deliver] || domain->alias_of != NULL) {
                        print_option(printer, row, &domain->options, &printer->domain_defaults, "    ");
                        continue;
                }
                print_deliver(printer, &domain->deliver);
        }
        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                if (check_infos[check].kind == CHECK_KIND_PURE)
                        fprintf(printer->file, "    %s { mode = %s }\n", check_infos[check].name,
                                check_mode_name(domain->checks[check].mode));
        fputs("}\n", printer->file);
}

void effective_print(FILE *file, const struct snapshot *snapshot)
{
        struct printer printer = {.file = file};
        struct block_pool pool;

        block_pool_init(&pool, BLOCK_SIZE, 0);
        if (printer_begin(&printer, &pool)) {
                print_options(&printer, snapshot, CHECK_COUNT, "");
                fputs("tls {\n", file);
                print_options(&printer, snapshot, SECTION_TLS, "    ");
                fputs("}\n", file);
                print_http(&printer, snapshot);
                fputs("policy_page {\n", file);
                print_options(&printer, snapshot, SECTION_PAGE, "    ");
                fputs("}\n", file);
                fputs("next_hops {\n", file);
                print_options(&printer, snapshot, SECTION_HOPS, "    ");
                fputs("}\n", file);
                print_filters(&printer, snapshot);
                print_terms(&printer, "listener", &snapshot->listener_terms);
                print_terms(&printer, "network", &snapshot->network_terms);
                print_checks(&printer, snapshot);
                print_replies(&printer, snapshot);
                for (size_t i = 0; i < snapshot->domain_count; i++)
                        print_domain(&printer, &snapshot->domains[i]);
        }
        arena_end(&printer.memory);
        block_pool_end(&pool);
}
