/* Goes through the lists. */
#include "workers/cli/import/rules/restrictions/restrictions.h"

#include "workers/cli/import/cf/words.h"
#include "workers/cli/import/rules/restrictions/access.h"
#include "workers/cli/import/rules/restrictions/filters.h"
#include "workers/cli/import/rules/restrictions/restrict.h"
#include "workers/cli/import/rules/restrictions/zones.h"

#define CLASS_DEPTH_MAX 5
#define ELEMENTS_MAX    2000

struct row {
        const char *name, *ours, *why;
        void (*translate)(struct import *import, struct element *element);
        enum restriction_argument argument;
        enum judgement judgement;
        enum check_id check;
};

static const struct row rows[] = {
#define RESTRICTION(name, argument, judgement, ours, check, translate, why)                                  \
        {#name, ours, why, restrict_##translate, ARGUMENT_##argument, JUDGED_##judgement, check},
#include "workers/cli/import/rules/restrictions/restrictions.def"
};

/* In the order of Postfix; bare tables in a list mean this restriction. */
static const struct {
        const char *name, *access;
} lists[] = {
    {"smtpd_client_restrictions", "check_client_access"},
    {"smtpd_helo_restrictions", "check_helo_access"},
    {"smtpd_sender_restrictions", "check_sender_access"},
    {"smtpd_relay_restrictions", "check_recipient_access"},
    {"smtpd_recipient_restrictions", "check_recipient_access"},
    {"smtpd_data_restrictions", "check_client_access"},
    {"smtpd_end_of_data_restrictions", "check_client_access"},
};

/* The way through one list. */
struct way {
        struct import *import;
        struct report_list *report;
        const char *list, *access;
        size_t elements, rejecting;
        bool lets_networks_in; /* mynetworks */
        bool has_ended;
};

void element_not_translated(struct element *element, const char *why)
{
        element->judgement = JUDGED_NOT_TRANSLATED;
        element->ours = "";
        element->why = why;
}

static const struct row *find(struct span name)
{
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
                if (span_equals_nocase(name, span_from(rows[i].name)))
                        return &rows[i];
        return NULL;
}

static void tell(struct way *way, struct element *element)
{
        struct import *import = way->import;
        const char *warns = element->mode == CHECK_MODE_OBSERVE ? "warn_if_reject " : "";
        struct report_row row = {
            .place = import_place(import, way->list,
                                  element->argument.length > 0 ? element->argument : element->name),
            .theirs = keep_format(import->keep, "%s%.*s%s%.*s", warns, SPAN_ARG(element->name),
                                  element->argument.length > 0 ? " " : "", SPAN_ARG(element->argument)),
            .ours = element->ours,
            .why = element->why,
            .judgement = element->judgement,
            .is_restriction = true,
        };

        element->row = report_add(&import->report, way->report, &row);
}

/* Whether clients of mynetworks may be refused by it, whom ours lets in unjudged. */
static bool refuses_networks(const struct way *way, const struct element *element)
{
        return !way->lets_networks_in && element->mode == CHECK_MODE_ENFORCE &&
               !span_starts_nocase(element->name, SPAN("permit")) &&
               element->judgement != JUDGED_NOT_NEEDED && element->judgement != JUDGED_NOT_TRANSLATED &&
               !element->is_of_recipients;
}

static void judge(struct way *way, struct element *element, const struct row *row)
{
        element->judgement = row == NULL ? JUDGED_NOT_TRANSLATED : row->judgement;
        element->ours = row == NULL ? "" : row->ours;
        element->why = row == NULL ? "No such restriction is known." : row->why;
        if (way->has_ended) {
                element->judgement = JUDGED_NOT_NEEDED;
                element->ours = "";
                element->why = "Postfix never comes to it, by what stands in front.";
                tell(way, element);
                return;
        }
        /* A row is there before the translation, which may hand it to others who judge it anew. */
        tell(way, element);
        if (row != NULL)
                row->translate(way->import, element);
        if (row != NULL && row->check != CHECK_COUNT && element->judgement != JUDGED_NOT_TRANSLATED)
                draft_mode(&way->import->draft, row->check, element->mode, element->origin);
        element->row->ours = element->ours;
        element->row->why = element->why;
        element->row->judgement = element->judgement;
        way->lets_networks_in |= row != NULL && row->translate == restrict_mynetworks;
        if (refuses_networks(way, element))
                way->import->untrusting_list = way->list;
        way->has_ended = element->ends;
        way->rejecting += !span_starts_nocase(element->name, SPAN("permit"));
}

/* Whether the word is a class that the site has made; then its list is the value. */
static bool is_class(struct import *import, struct span word, struct span *ret_value)
{
        if (!import_list_has(import, "smtpd_restriction_classes", word))
                return false;
        *ret_value = import_value(import, keep_span(import->keep, word).at);
        return true;
}

static struct span take_argument(struct span *rest, enum restriction_argument kind)
{
        return kind == ARGUMENT_NONE ? span_of("", 0) : cf_take_word(rest);
}

static void go(struct way *way, struct span value, unsigned depth)
{
        enum check_mode mode = CHECK_MODE_ENFORCE;
        struct span word, inside;

        while ((word = cf_take_word(&value)).length > 0 && way->elements++ < ELEMENTS_MAX) {
                struct element element = {
                    .list = way->list, .name = word, .mode = mode, .rejecting = way->rejecting};
                if (span_equals_nocase(word, SPAN("warn_if_reject"))) {
                        mode = CHECK_MODE_OBSERVE;
                        continue;
                }
                if (depth < CLASS_DEPTH_MAX && is_class(way->import, word, &inside)) {
                        go(way, inside, depth + 1);
                        continue;
                }
                if (cf_is_table(word)) {
                        element.name = span_from(way->access);
                        element.argument = word;
                }
                const struct row *row = find(element.name);
                if (row != NULL && element.argument.length == 0)
                        element.argument = take_argument(&value, row->argument);
                element.origin = import_word_origin(way->import, way->list, element.name);
                judge(way, &element, row);
                mode = CHECK_MODE_ENFORCE;
        }
}

void restrictions_translate(struct import *import)
{
        for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
                struct span value = import_value(import, lists[i].name);
                if (value.length == 0)
                        continue;
                struct span place = import_place(import, lists[i].name, span_of("", 0));
                struct way way = {.import = import, .list = lists[i].name, .access = lists[i].access};
                way.report = report_begin_list(
                    &import->report, keep_format(import->keep, "%s (%.*s)", lists[i].name, SPAN_ARG(place)));
                go(&way, value, 0);
                if (way.elements >= ELEMENTS_MAX)
                        import_todo(import, "%s has more than %d elements; the rest was not looked at.",
                                    lists[i].name, ELEMENTS_MAX);
        }
        restrict_finish(import);
}
