/* Zones, their weights and the threshold. */
#include "workers/cli/import/rules/restrictions/zones.h"

#include "conf/value/filter.h"
#include "conf/value/list.h"
#include "core/base/domain_name.h"

#include <stdlib.h>

#define WEIGHT_MAX       1000000
#define TOO_MANY         "There are at most 32 lists."
#define TOO_MANY_FILTERS "A list has at most 16 different filters here."
#define OTHERWISE        "The list is asked otherwise already, and a zone is asked in one way."
#define ANY_ANSWER       "127.[0..255].[0..255].[0..255]" /* Postfix takes any answer for a listing */

bool zone_words_read(struct span text, struct zone_words *ret_words)
{
        struct zone_words words = {.name = text, .weight = 1};
        struct answer_filter filter;
        size_t star = span_find_last(text, '*'), equals = span_find(text, '=');
        uint64_t weight;

        if (star != SIZE_MAX) {
                struct span number = span_skip(text, star + 1);
                bool is_negative = number.length > 0 && number.at[0] == '-';
                if (!span_number(span_skip(number, is_negative || (number.length > 0 && number.at[0] == '+')),
                                 &weight) ||
                    weight > WEIGHT_MAX)
                        return false;
                words.weight = is_negative ? -(int64_t)weight : (int64_t)weight;
                text.length = star;
        }
        words.name = span_of(text.at, equals < text.length ? equals : text.length);
        words.filter = span_skip(text, words.name.length + (equals < text.length));
        if (equals < text.length && !answer_filter_parse(words.filter, &filter))
                return false;
        words.name = domain_name_without_dot(words.name);
        *ret_words = words;
        return domain_name_is_valid(words.name, false) && domain_name_is_qualified(words.name);
}

/* ---- one zone for all that ask it ---------------------------------------------------------------------- */

/* False: it has as many as it can have. */
static bool add_filter(struct import_zone *zone, struct span filter)
{
        for (size_t i = 0; i < zone->filter_count; i++)
                if (span_equals(zone->filters[i], filter))
                        return true;
        if (filter.length == 0)
                return zone->is_any_answer = true;
        if (zone->filter_count == IMPORT_FILTERS_MAX)
                return false;
        zone->filters[zone->filter_count++] = filter;
        return true;
}

/* NULL: there is no room for another one. */
static struct import_zone *zone_of(struct import *import, struct span name, bool *ret_is_new)
{
        size_t count = 0;

        *ret_is_new = false;
        for (struct import_zone *zone = import->zones; zone != NULL; zone = zone->next, count++)
                if (span_equals_nocase(zone->name, name))
                        return zone;
        if (count == DNSBL_ZONES_MAX)
                return NULL;
        struct import_zone *zone = keep_take(import->keep, sizeof *zone);
        zone->name = keep_span(import->keep, name);
        *import->zones_end = zone;
        import->zones_end = &zone->next;
        *ret_is_new = true;
        return zone;
}

static void judge_row(struct report_row *row, enum judgement judgement, const char *why)
{
        row->judgement = judgement;
        row->why = why;
        if (judgement == JUDGED_NOT_TRANSLATED)
                row->ours = "";
}

static void judge_all(const struct import_zone *zone, enum judgement judgement, const char *why)
{
        for (const struct import_asking *asking = zone->askings; asking != NULL; asking = asking->next)
                judge_row(asking->row, judgement, why);
}

static void note(struct import *import, struct import_zone *zone, struct report_row *row, int64_t weight)
{
        struct import_asking *asking = keep_take(import->keep, sizeof *asking);

        *asking = (struct import_asking){.next = zone->askings, .row = row, .weight = weight};
        zone->askings = asking;
}

/* postscreen counts it with others; a restriction refuses, or permits, whomever it has. */
static void decide_alone(struct import *import, struct import_zone *zone)
{
        for (const struct import_asking *asking = zone->askings; asking != NULL; asking = asking->next)
                if (asking->weight < 0)
                        judge_row(asking->row, JUDGED_LAXER,
                                  "A restriction permits whomever this list has, so it outweighs all "
                                  "blocklists here too.");
                else if (asking->weight > 0 && asking->weight < import->threshold)
                        judge_row(asking->row, JUDGED_STRICTER,
                                  "A restriction refuses whomever this list has, so it alone reaches the "
                                  "threshold here too.");
        zone->weight = 0;
}

/* What was only observed goes, for a zone has one mode. */
static void forget_observed(struct import_zone *zone)
{
        judge_all(zone, JUDGED_NOT_TRANSLATED,
                  "A restriction refuses by this list, and a zone has one mode: this only observes.");
        *zone = (struct import_zone){.next = zone->next, .name = zone->name, .origin = zone->origin};
}

/* NULL: the element has no zone, and says why. */
static struct import_zone *zone_for(struct import *import, struct element *element, struct span name,
                                    bool has_names, bool is_allowlist)
{
        bool is_new, enforces = is_allowlist || element->mode == CHECK_MODE_ENFORCE;
        struct import_zone *zone = zone_of(import, name, &is_new);

        if (zone == NULL) {
                element_not_translated(element, TOO_MANY);
                return NULL;
        }
        if (!is_new &&
            (zone->section != NULL || zone->has_names != has_names || zone->is_allowlist != is_allowlist)) {
                element_not_translated(element, OTHERWISE);
                return NULL;
        }
        if (!is_new && zone->is_enforced && !enforces) {
                element_not_translated(element, "The list is enforced already, and a zone has one mode.");
                return NULL;
        }
        if (!is_new && !zone->is_enforced && enforces && !is_allowlist)
                forget_observed(zone);
        if (zone->askings == NULL)
                zone->origin = keep_span(import->keep, element->origin);
        zone->has_names = has_names;
        zone->is_allowlist = is_allowlist;
        zone->is_enforced |= enforces;
        return zone;
}

static void add(struct import *import, struct element *element, bool has_names, bool is_allowlist)
{
        struct zone_words words;

        if (!zone_words_read(element->argument, &words)) {
                element_not_translated(element, "That is no name of a list with a filter of IPv4 addresses.");
                return;
        }
        struct import_zone *zone = zone_for(import, element, words.name, has_names, is_allowlist);
        if (zone == NULL)
                return;
        if (!add_filter(zone, words.filter)) {
                element_not_translated(element, TOO_MANY_FILTERS);
                return;
        }
        if (zone->weight != 0)
                decide_alone(import, zone);
        note(import, zone, element->row, 0);
}

void restrict_blocklist(struct import *import, struct element *element)
{
        add(import, element, false, false);
}

void restrict_allowlist(struct import *import, struct element *element)
{
        if (element->rejecting > 0) {
                element->judgement = JUDGED_LAXER;
                element->why = "It outweighs all blocklists, also those in front of it in Postfix, but "
                               "spares the client no other check.";
        }
        add(import, element, false, true);
}

void restrict_names_list(struct import *import, struct element *element)
{
        add(import, element, true, false);
}

/* One zone has one weight: the largest, which of blocklists is the strictest, and of allowlists the mildest. */
static void join_weights(struct import_zone *zone)
{
        zone->weight = 0;
        for (const struct import_asking *asking = zone->askings; asking != NULL; asking = asking->next)
                if (llabs(asking->weight) > llabs(zone->weight))
                        zone->weight = asking->weight;
        for (const struct import_asking *asking = zone->askings; asking != NULL; asking = asking->next)
                if (asking->weight != zone->weight)
                        judge_row(
                            asking->row, zone->is_allowlist ? JUDGED_LAXER : JUDGED_STRICTER,
                            "A zone has one weight here, and this one has the largest that is named for "
                            "any of its answers.");
}

void zones_add_weighted(struct import *import, struct span text, bool is_enforced, struct span origin,
                        struct report_row *row)
{
        struct zone_words words;
        bool is_new;

        if (!zone_words_read(text, &words) || words.weight == 0) {
                judge_row(row, JUDGED_NOT_TRANSLATED,
                          "That is no name of a list with a filter and a weight.");
                return;
        }
        struct import_zone *zone = zone_of(import, words.name, &is_new);
        if (zone == NULL) {
                judge_row(row, JUDGED_NOT_TRANSLATED, TOO_MANY);
                return;
        }
        if (!is_new && (zone->section != NULL || zone->is_allowlist != (words.weight < 0))) {
                judge_row(row, JUDGED_NOT_TRANSLATED, OTHERWISE);
                return;
        }
        if (!add_filter(zone, words.filter)) {
                judge_row(row, JUDGED_NOT_TRANSLATED, TOO_MANY_FILTERS);
                return;
        }
        if (is_new)
                zone->origin = keep_span(import->keep, origin);
        zone->is_allowlist = words.weight < 0;
        zone->is_enforced |= is_enforced;
        note(import, zone, row, words.weight);
        join_weights(zone);
}

bool zones_add_file(struct import *import, const char *name, const char *file, bool has_names,
                    struct span origin)
{
        bool is_new;
        struct import_zone *zone = zone_of(import, span_from(name), &is_new);

        if (zone == NULL || !is_new)
                return zone != NULL && zone->section != NULL;
        zone->origin = keep_span(import->keep, origin);
        zone->has_names = has_names;
        zone->is_enforced = true;
        struct draft_section *dnsbl = draft_check(&import->draft, CHECK_dnsbl);
        zone->section = draft_section(&import->draft, dnsbl, "zone", zone->name);
        draft_item(&import->draft, zone->section, "file", span_from(file), origin);
        draft_word(&import->draft, zone->section, "format", SPAN("list"), origin);
        draft_word(&import->draft, zone->section, "max_age", SPAN("0s"), origin);
        draft_word(&import->draft, zone->section, "self_test", SPAN("no"), origin);
        draft_text(&import->draft, zone->section, "shown_as", SPAN("a list of this site"), origin);
        return true;
}

/* ---- when all are known -------------------------------------------------------------------------------- */

/* The check has one mode, so what only observes cannot stand beside what enforces. */
static bool is_left_out(const struct import *import, const struct import_zone *zone)
{
        const struct draft_mode *mode = &import->draft.modes[zone->has_names ? CHECK_rhsbl : CHECK_dnsbl];
        return !zone->is_enforced && !zone->is_allowlist && mode->is_set && mode->mode == CHECK_MODE_ENFORCE;
}

/* What counts by itself does so whatever the lists of postscreen take back, and what permits takes all back. */
struct weights {
        int64_t threshold, alone, all;
};

static int64_t weight_of(const struct import_zone *zone, const struct weights *weights)
{
        int64_t weight = zone->weight != 0    ? zone->weight
                         : zone->is_allowlist ? -(weights->all > 0 ? weights->all : weights->threshold)
                         : zone->has_names    ? weights->threshold
                                              : weights->alone;
        return weight > WEIGHT_MAX ? WEIGHT_MAX : weight < -WEIGHT_MAX ? -WEIGHT_MAX : weight;
}

static struct weights find_weights(const struct import *import)
{
        struct weights weights = {.threshold = import->threshold > 0 ? import->threshold : 1};

        weights.alone = weights.threshold;
        for (const struct import_zone *zone = import->zones; zone != NULL; zone = zone->next)
                weights.alone -= zone->weight < 0 ? zone->weight : 0;
        for (const struct import_zone *zone = import->zones; zone != NULL; zone = zone->next)
                if (!is_left_out(import, zone) && !zone->is_allowlist && !zone->has_names)
                        weights.all += weight_of(zone, &weights);
        return weights;
}

static void write_zone(struct import *import, struct import_zone *zone, int64_t weight)
{
        struct draft *draft = &import->draft;

        if (zone->section == NULL)
                zone->section = draft_section(draft, draft_check(draft, CHECK_dnsbl), "zone", zone->name);
        draft_word(draft, zone->section, "weight", keep_format(import->keep, "%lld", (long long)weight),
                   zone->origin);
        if (zone->has_names)
                draft_word(draft, zone->section, "names", SPAN("yes"), zone->origin);
        if (draft_find(zone->section, "file").at != NULL)
                return;
        if (zone->is_any_answer)
                draft_item(draft, zone->section, "answers", SPAN(ANY_ANSWER), zone->origin);
        for (size_t i = 0; !zone->is_any_answer && i < zone->filter_count; i++)
                draft_item(draft, zone->section, "answers", zone->filters[i], zone->origin);
}

void zones_finish(struct import *import)
{
        const struct weights weights = find_weights(import);
        struct draft_section *dnsbl = draft_check(&import->draft, CHECK_dnsbl);
        bool has_addresses = false, has_names = false;

        draft_word(&import->draft, dnsbl, "threshold",
                   keep_format(import->keep, "%lld", (long long)weights.threshold),
                   import->threshold > 0 ? import_origin(import, "postscreen_dnsbl_threshold")
                                         : SPAN("each blocklist refuses by itself"));
        for (struct import_zone *zone = import->zones; zone != NULL; zone = zone->next) {
                if (is_left_out(import, zone)) {
                        judge_all(zone, JUDGED_NOT_TRANSLATED,
                                  "Other lists are enforced, and all lists have one mode: one that only "
                                  "observes is left out.");
                        continue;
                }
                write_zone(import, zone, weight_of(zone, &weights));
                has_names |= zone->has_names;
                has_addresses |= !zone->has_names;
        }
        if (!has_addresses)
                draft_mode(&import->draft, CHECK_dnsbl, CHECK_MODE_OFF,
                           SPAN("Postfix asks no lists of addresses"));
        if (!has_names)
                draft_mode(&import->draft, CHECK_rhsbl, CHECK_MODE_OFF,
                           SPAN("Postfix asks no lists of names"));
}
