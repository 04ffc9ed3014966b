/* DNS lists: which are asked, and how to get off them. */
#include "core/policy/internal.h"

#include "conf/value/dns_lists.h"
#include "conf/value/filter.h"

#define FILTER_TEXT_MAX 4096

/* ---- links --------------------------------------------------------------------------------------------- */

/* RFC 3986 2.3; a colon may stand in a query, too. */
static void put_encoded(struct page *page, struct span octets)
{
        for (size_t i = 0; i < octets.length; i++) {
                char octet = octets.at[i];
                if (ascii_is_alnum(octet) || (octet != '\0' && strchr("-._~:", octet) != NULL))
                        putc(octet, page->out);
                else
                        fprintf(page->out, "%%%02X", (unsigned char)octet);
        }
}

static void put_address(struct page *page, const char *pattern, struct span what)
{
        const char *place = strstr(pattern, "%a");
        struct span head = span_of(pattern, place == NULL ? strlen(pattern) : (size_t)(place - pattern));

        page_foreign(page, head);
        if (place == NULL)
                return;
        put_encoded(page, what);
        page_text(page, place + 2);
}

bool page_zone_link(struct page *page, const struct dnsbl_zone *zone, struct span what)
{
        const struct dns_list *known = dns_list_find(zone->name);
        const char *pattern = zone->options.removal;

        if (pattern[0] == '\0' && known == NULL)
                return false;
        if (pattern[0] == '\0')
                pattern = what.length > 0 && known->query[0] != '\0' ? known->query : known->page;
        page_markup(page, "<a rel=\"noreferrer\" href=\"");
        put_address(page, pattern, what);
        page_markup(page, "\">");
        if (what.length > 0) {
                page_word(page, WORD_list_lookup_this);
                page_foreign(page, what);
                page_markup(page, " – ");
                page_foreign(page, zone->shown);
        } else {
                page_word(page, zone->options.weight < 0 ? WORD_list_lookup_allow : WORD_list_lookup);
        }
        page_markup(page, "</a>");
        return true;
}

/* ---- the lists of a check ------------------------------------------------------------------------------ */

static bool asks(const struct dnsbl_zone *zone, enum check_id check)
{
        return check == CHECK_rhsbl            ? zone->options.names
               : check == CHECK_dnsbl          ? !zone->options.names
               : check == CHECK_dynamic_client ? zone->options.dynamic.count > 0
                                               : false;
}

bool check_has_lists(const struct snapshot *snapshot, enum check_id check)
{
        for (size_t i = 0; i < snapshot->zone_count; i++)
                if (asks(&snapshot->zones[i], check))
                        return true;
        return false;
}

/* The list's own reason, for those whose page is not known. */
static void put_generic(struct page *page, const struct dnsbl_zone *zone)
{
        if (!span_equals(zone->shown, zone->name)) {
                page_word(page, WORD_list_generic_hidden);
                return;
        }
        page_word(page, zone->options.names ? WORD_list_generic_name : WORD_list_generic);
        page_markup(page, "<br><code>dig +short TXT ");
        page_text(page, zone->options.names ? "example.com." : "7.2.0.192.");
        page_foreign(page, zone->name);
        page_markup(page, "</code>");
}

static void put_filters(struct page *page, enum word label, const struct filter_list *filters)
{
        char octets[FILTER_TEXT_MAX];
        struct text text;

        page_markup(page, "<br>");
        page_word(page, label);
        for (size_t i = 0; i < filters->count; i++) {
                text_over(&text, octets, sizeof octets);
                answer_filter_write(&text, &filters->filters[i]);
                page_markup(page, i == 0 ? "<code>" : ", <code>");
                page_foreign(page, text_span(&text));
                page_markup(page, "</code>");
        }
}

static void put_weight(struct page *page, int64_t weight)
{
        page_markup(page, "<br>");
        page_word(page, weight < 0 ? WORD_list_allow : WORD_list_weight);
        page_number(page, (uint64_t)(weight < 0 ? -weight : weight));
        page_markup(page, ".");
}

static void put_list(struct page *page, const struct dnsbl_zone *zone, enum check_id check)
{
        const struct dns_list *known = dns_list_find(zone->name);

        page_markup(page, "<li><strong>");
        page_foreign(page, zone->shown);
        page_markup(page, "</strong>");
        if (known != NULL) {
                page_markup(page, ", ");
                page_word(page, WORD_list_operator);
                page_text(page, known->operator);
        }
        page_markup(page, "<br>");
        if (!page_zone_link(page, zone, (struct span){0}))
                put_generic(page, zone);
        if (check == CHECK_dynamic_client) {
                put_filters(page, WORD_list_dynamic, &zone->options.dynamic);
        } else {
                put_weight(page, zone->options.weight);
                put_filters(page, WORD_list_answers, &zone->options.answers);
        }
        if (zone->is_suspended) {
                page_markup(page, "<br>");
                page_word(page, WORD_list_suspended);
        }
        page_markup(page, "</li>\n");
}

void page_lists(struct page *page, enum check_id check)
{
        page_markup(page, "<ul class=\"lists\">\n");
        for (size_t i = 0; i < page->snapshot->zone_count; i++)
                if (asks(&page->snapshot->zones[i], check))
                        put_list(page, &page->snapshot->zones[i], check);
        page_markup(page, "</ul>\n");
}
