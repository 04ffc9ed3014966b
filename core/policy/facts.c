/* What the options say, as sentences and labels. */
#include "core/policy/facts.h"

#define SERVER SUBJECT_SERVER
/* What a row needs, as the number of an option. */
#define OPTION_AT_NOTHING FACT_NEEDS_NOTHING

const struct fact facts[] = {
#define OPTION_AT_ITSELF (OPTION_AT_END + 1)
#define FACT(subject, option, needs, english, german)                                                        \
        {subject, OPTION_AT_##option, false, 0, OPTION_AT_##needs, {{english, german}}},
#define CHOICE(subject, option, value, needs, english, german)                                               \
        {subject, OPTION_AT_##option, true, value, OPTION_AT_##needs, {{english, german}}},
#include "core/policy/facts.def"
    {0}};

const size_t facts_quiet[] = {
#define QUIET(option, why) OPTION_AT_##option,
#include "core/policy/facts.def"
    OPTION_AT_END};

static bool fact_holds(const struct snapshot *snapshot, const struct fact *fact)
{
        size_t needs = fact->needs == OPTION_AT_ITSELF ? fact->option : fact->needs;

        if (needs != FACT_NEEDS_NOTHING && option_number(snapshot, needs) == 0)
                return false;
        return !fact->is_choice || option_number(snapshot, fact->option) == fact->value;
}

bool page_has_facts(const struct snapshot *snapshot, enum check_id subject)
{
        for (const struct fact *fact = facts; fact->label.in[0] != NULL; fact++)
                if (fact->subject == subject && fact_holds(snapshot, fact))
                        return true;
        return false;
}

static void put_fact(struct page *page, const struct fact *fact)
{
        page_markup(page, "<li>");
        page_wording(page, &fact->label);
        if (!fact->is_choice) {
                page_markup(page, ": <strong>");
                page_value(page, fact->option);
                page_markup(page, "</strong>");
        }
        page_markup(page, "</li>\n");
}

void page_facts(struct page *page, enum check_id subject)
{
        if (!page_has_facts(page->snapshot, subject))
                return;
        page_markup(page, "<ul class=\"facts\">\n");
        for (const struct fact *fact = facts; fact->label.in[0] != NULL; fact++)
                if (fact->subject == subject && fact_holds(page->snapshot, fact))
                        put_fact(page, fact);
        page_markup(page, "</ul>\n");
}
