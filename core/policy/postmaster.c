/* How to reach the postmaster, and whether the rules hold for that. */
#include "core/policy/internal.h"

static void put_item(struct page *page, enum word label, const char *scheme, const char *link,
                     const char *shown)
{
        page_markup(page, "<li>");
        page_word(page, label);
        page_markup(page, "<a href=\"");
        page_text(page, scheme);
        page_text(page, link);
        page_markup(page, "\">");
        page_foreign(page, span_from(shown));
        page_markup(page, "</a></li>\n");
}

/* RFC 3966: digits behind a plus sign. */
static void put_telephone(struct page *page, const char *number)
{
        char digits[64];
        struct text text;

        text_over(&text, digits, sizeof digits - 1);
        for (const char *at = number; *at != '\0'; at++)
                if (ascii_is_digit(*at) || (*at == '+' && text.length == 0))
                        text_put_char(&text, *at);
        digits[text.length] = '\0';
        put_item(page, WORD_postmaster_telephone, "tel:", digits, number);
}

static void put_ways(struct page *page)
{
        const struct options *options = &page->snapshot->options;

        page_markup(page, "<ul class=\"ways\">\n");
        if (options->policy_page_postmaster[0] != '\0') {
                put_item(page, WORD_postmaster_mail, "mailto:", options->policy_page_postmaster,
                         options->policy_page_postmaster);
        } else {
                page_markup(page, "<li>");
                page_word(page, WORD_postmaster_mail);
                page_word(page, WORD_postmaster_any);
                page_markup(page, "</li>\n");
        }
        if (options->policy_page_contact[0] != '\0')
                put_item(page, WORD_postmaster_contact, "", options->policy_page_contact,
                         options->policy_page_contact);
        if (options->policy_page_telephone[0] != '\0')
                put_telephone(page, options->policy_page_telephone);
        page_markup(page, "</ul>\n");
}

/* Of the address that the page names, what its readers may not take for granted. */
static void put_exception(struct page *page)
{
        struct span address = span_from(page->snapshot->options.policy_page_postmaster);
        size_t at = span_find_last(address, '@');

        if (address.length == 0 || at == SIZE_MAX)
                return;
        if (snapshot_find_domain(page->snapshot, span_skip(address, at + 1)) == NULL)
                page_paragraph(page, &words[WORD_postmaster_elsewhere]);
        else if (!span_equals_nocase(span_of(address.at, at), SPAN("postmaster")))
                page_paragraph(page, &words[WORD_postmaster_not_exempt]);
}

void page_postmaster(struct page *page)
{
        const struct snapshot *snapshot = page->snapshot;
        enum listed_moment moment = snapshot->options.refuse_listed_at;

        page_markup(page, "<section id=\"postmaster\">\n");
        page_heading(page, '2', WORD_postmaster_title);
        put_ways(page);
        page_paragraph(page, &words[WORD_postmaster_name]);
        page_paragraph(page, &words[snapshot->options.reject_at == REJECT_AT_RCPT ? WORD_postmaster_exempt
                                                                                  : WORD_postmaster_first]);
        if (snapshot->check_is_everywhere[CHECK_dnsbl] && moment != LISTED_AT_RCPT)
                page_paragraph(
                    page, &words[moment == LISTED_AT_ACCEPT ? WORD_postmaster_listed : WORD_postmaster_busy]);
        put_exception(page);
        page_markup(page, "</section>\n");
}
