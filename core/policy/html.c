/* Markup and text. */
#include "core/policy/html_escape.h"
#include "core/policy/internal.h"

#include <inttypes.h>

#define FOREIGN_MAX 600 /* octets of one value */

void page_markup(struct page *page, const char *markup)
{
        fputs(markup, page->out);
}

static void put_escaped(struct page *page, struct span octets)
{
        for (size_t i = 0; i < octets.length; i++) {
                const char *escaped = html_escape(octets.at[i]);
                if (escaped == NULL)
                        putc(octets.at[i], page->out);
                else
                        fputs(escaped, page->out);
        }
}

void page_text(struct page *page, const char *text)
{
        put_escaped(page, span_from(text));
}

void page_wording(struct page *page, const struct wording *wording)
{
        page_text(page, wording->in[page->language]);
}

void page_paragraph(struct page *page, const struct wording *wording)
{
        page_markup(page, "<p>");
        page_wording(page, wording);
        page_markup(page, "</p>\n");
}

void page_sentence(struct page *page, const struct wording *wording)
{
        const char *text = wording->in[page->language];

        /* A German one has it, and its first letter need not be ASCII. */
        putc(*text >= 'a' && *text <= 'z' ? *text - 32 : *text, page->out);
        page_text(page, text + 1);
        putc('.', page->out);
}

void page_foreign(struct page *page, struct span octets)
{
        char room[FOREIGN_MAX];
        struct text text;

        text_over(&text, room, sizeof room);
        text_put_printable(&text, octets, true);
        put_escaped(page, text_span(&text));
        if (text.overflowed)
                page_markup(page, "…");
}

void page_number(struct page *page, uint64_t number)
{
        fprintf(page->out, "%" PRIu64, number);
}

void page_open_link(struct page *page, const char *base, const char *anchor)
{
        page_markup(page, "<a href=\"");
        page_text(page, base);
        if (anchor != NULL) {
                page_markup(page, "#");
                page_text(page, anchor);
        }
        page_markup(page, "\"");
}

void page_open_anchor(struct page *page, const char *prefix, const char *name)
{
        page_markup(page, "<a href=\"#");
        page_text(page, prefix);
        page_text(page, name);
        page_markup(page, "\">");
}
