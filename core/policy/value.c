/* Values of options as people say them. A label stands in front, so that a word needs no case of its grammar. */
#include "core/policy/internal.h"

#include "conf/value/list.h"

static const void *field_of(const struct snapshot *snapshot, size_t option)
{
        return (const char *)&snapshot->options + option_rows[option].offset;
}

uint64_t option_number(const struct snapshot *snapshot, size_t option)
{
        const struct option_row *row = &option_rows[option];
        const void *field = field_of(snapshot, option);

        if (row->type == VALUE_FLAG)
                return *(const bool *)field;
        if (value_words(row) != NULL)
                return *(const unsigned *)field;
        if (value_is_list(row->type))
                return value_list_count(row->type, field);
        if (row->type == VALUE_TEXT || row->type == VALUE_PATH)
                return (*(const char *const *)field)[0] != '\0';
        if (row->type == VALUE_RATE)
                return ((const struct rate *)field)->events;
        return row->type == VALUE_WEIGHT ? *(const int64_t *)field != 0 : *(const uint64_t *)field;
}

static const struct unit {
        uint64_t factor;
        struct wording one, many;
} duration_units[] = {{86400000, {{"day", "Tag"}}, {{"days", "Tage"}}},
                      {3600000, {{"hour", "Stunde"}}, {{"hours", "Stunden"}}},
                      {60000, {{"minute", "Minute"}}, {{"minutes", "Minuten"}}},
                      {1000, {{"second", "Sekunde"}}, {{"seconds", "Sekunden"}}},
                      {1, {{"millisecond", "Millisekunde"}}, {{"milliseconds", "Millisekunden"}}}},
  size_units[] = {{1 << 30, {{"GiB", "GiB"}}, {{"GiB", "GiB"}}},
                  {1 << 20, {{"MiB", "MiB"}}, {{"MiB", "MiB"}}},
                  {1 << 10, {{"KiB", "KiB"}}, {{"KiB", "KiB"}}},
                  {1, {{"octet", "Byte"}}, {{"octets", "Bytes"}}}};

/* In the largest unit of which it is a multiple. The last unit is 1. */
static void put_measure(struct page *page, const struct unit *unit, uint64_t number)
{
        while (unit->factor > 1 && (number == 0 || number % unit->factor != 0))
                unit++;
        page_number(page, number / unit->factor);
        page_markup(page, "&nbsp;");
        page_wording(page, number == unit->factor ? &unit->one : &unit->many);
}

static void put_rate(struct page *page, const struct rate *rate)
{
        if (rate->events == 0) {
                page_word(page, WORD_value_none);
                return;
        }
        page_number(page, rate->events);
        page_word(page, WORD_value_within);
        put_measure(page, duration_units, rate->window_ms);
}

static void put_names(struct page *page, const struct text_list *list)
{
        for (size_t i = 0; i < list->count; i++) {
                page_markup(page, i == 0 ? "" : ", ");
                page_foreign(page, span_from(list->texts[i]));
        }
}

void page_value(struct page *page, size_t option)
{
        const struct option_row *row = &option_rows[option];
        const void *field = field_of(page->snapshot, option);
        const char *word = value_word(row, &page->snapshot->options);

        if (row->type == VALUE_DURATION)
                put_measure(page, duration_units, *(const uint64_t *)field);
        else if (row->type == VALUE_SIZE)
                put_measure(page, size_units, *(const uint64_t *)field);
        else if (row->type == VALUE_RATE)
                put_rate(page, field);
        else if (row->type == VALUE_NAMES)
                put_names(page, field);
        else if (word != NULL)
                page_text(page, word);
        else
                page_number(page, option_number(page->snapshot, option));
}
