/* One refusal, in both languages. */
#include "core/policy/refusal.h"

#include "core/policy/internal.h"

#define EVIDENCE_MAX 1000 /* octets of it that are shown */

/* ---- evidence ------------------------------------------------------------------------------------------ */

static bool ends_local_part(char octet)
{
        return ascii_is_control(octet) || strchr(" <>()[],;:\"'", octet) != NULL;
}

/* Where the local part in front of this at sign begins. */
static size_t local_part_begin(struct span octets, size_t at)
{
        size_t begin = at;

        if (begin > 0 && octets.at[begin - 1] == '"') {
                begin--;
                while (begin > 0 && octets.at[begin - 1] != '"')
                        begin--;
                return begin == 0 ? 0 : begin - 1;
        }
        while (begin > 0 && !ends_local_part(octets.at[begin - 1]))
                begin--;
        return begin;
}

/* Leaves the local parts of all addresses out. */
static void put_without_local_parts(struct text *text, struct span octets)
{
        size_t at;

        while ((at = span_find(octets, '@')) != SIZE_MAX) {
                size_t begin = local_part_begin(octets, at);
                text_put(text, span_of(octets.at, begin));
                if (begin < at)
                        text_put(text, SPAN("…"));
                text_put_char(text, '@');
                octets = span_skip(octets, at + 1);
        }
        text_put(text, octets);
}

static size_t find_nocase(struct span whole, struct span part)
{
        for (size_t i = 0; part.length > 0 && i + part.length <= whole.length; i++)
                if (span_starts_nocase(span_skip(whole, i), part))
                        return i;
        return SIZE_MAX;
}

/* Puts the name that may be shown in the place of a zone's own. The text has room for EVIDENCE_MAX octets. */
static void hide_zone(struct text *evidence, const struct dnsbl_zone *zone)
{
        struct span shown = zone->shown, rest = text_span(evidence);
        char octets[EVIDENCE_MAX];
        struct text hidden;
        size_t at;

        if (span_equals(shown, zone->name))
                return;
        text_over(&hidden, octets, sizeof octets);
        while ((at = find_nocase(rest, zone->name)) != SIZE_MAX) {
                text_put(&hidden, span_of(rest.at, at));
                text_put(&hidden, shown);
                rest = span_skip(rest, at + zone->name.length);
        }
        text_put(&hidden, rest);
        if (hidden.length > 0)
                memcpy(evidence->at, hidden.at, hidden.length);
        evidence->length = hidden.length;
}

static void put_evidence(struct page *page, struct span evidence)
{
        const struct snapshot *snapshot = page->snapshot;
        char octets[EVIDENCE_MAX];
        struct text text;
        struct span bounded =
            span_of(evidence.at, evidence.length < EVIDENCE_MAX / 2 ? evidence.length : EVIDENCE_MAX / 2);

        text_over(&text, octets, sizeof octets);
        put_without_local_parts(&text, bounded);
        for (size_t i = 0; i < snapshot->zone_count; i++)
                hide_zone(&text, &snapshot->zones[i]);
        page_foreign(page, text_span(&text));
        if (bounded.length < evidence.length)
                page_markup(page, "…");
}

/* ---- what was seen ------------------------------------------------------------------------------------- */

static void open_row(struct page *page, enum word label)
{
        page_markup(page, "<tr><th scope=\"row\">");
        page_word(page, label);
        page_markup(page, "</th><td>");
}

static void close_row(struct page *page)
{
        page_markup(page, "</td></tr>\n");
}

/* Of an address the domain alone, whatever the caller has given. */
static struct span domain_in(struct span address)
{
        size_t at = span_find_last(address, '@');
        return at == SIZE_MAX ? address : span_skip(address, at + 1);
}

static void put_row(struct page *page, enum word label, struct span value)
{
        if (value.length == 0)
                return;
        open_row(page, label);
        page_markup(page, "<bdi>");
        page_foreign(page, value);
        page_markup(page, "</bdi>");
        close_row(page);
}

static void put_sender(struct page *page, const struct refusal *refusal)
{
        if (!refusal->has_null_sender) {
                put_row(page, WORD_seen_sender, domain_in(refusal->sender));
                return;
        }
        open_row(page, WORD_seen_sender);
        page_word(page, WORD_seen_null);
        close_row(page);
}

static struct span code_of(const struct page *page, const struct refusal *refusal)
{
        if (refusal->code.length > 0 || refusal->reply == REPLY_NONE)
                return refusal->code;
        return span_trim(page->snapshot->replies[refusal->reply].status);
}

static void put_seen(struct page *page, const struct refusal *refusal)
{
        page_markup(page, "<table class=\"seen\">\n<tbody>\n");
        put_row(page, WORD_seen_id, refusal->id);
        put_row(page, WORD_seen_time, refusal->time);
        put_row(page, WORD_seen_client, refusal->client);
        put_row(page, WORD_seen_helo, domain_in(refusal->helo));
        put_sender(page, refusal);
        for (size_t i = 0; i < refusal->recipient_count; i++)
                put_row(page, WORD_seen_recipient, domain_in(refusal->recipients[i]));
        put_row(page, WORD_seen_code, code_of(page, refusal));
        if (refusal->evidence.length > 0) {
                open_row(page, WORD_seen_evidence);
                page_markup(page, "<bdi>");
                put_evidence(page, refusal->evidence);
                page_markup(page, "</bdi>");
                close_row(page);
        }
        page_markup(page, "</tbody>\n</table>\n");
}

/* ---- why, and what to do ------------------------------------------------------------------------------- */

/* What is to be looked up in the list: of names the sender's domain, which is what most are listed for. */
static struct span subject_in(const struct dnsbl_zone *zone, const struct refusal *refusal)
{
        if (!zone->options.names)
                return refusal->client;
        return domain_in(refusal->sender.length > 0 ? refusal->sender : refusal->helo);
}

static void put_lists(struct page *page, const struct refusal *refusal)
{
        for (size_t i = 0; i < page->snapshot->zone_count; i++) {
                const struct dnsbl_zone *zone = &page->snapshot->zones[i];
                struct span what = subject_in(zone, refusal);
                if (find_nocase(refusal->evidence, zone->name) == SIZE_MAX || what.length == 0)
                        continue;
                page_markup(page, "<p>");
                if (!page_zone_link(page, zone, what))
                        page_foreign(page, zone->shown);
                page_markup(page, "</p>\n");
        }
}

static void put_advice(struct page *page, const struct refusal *refusal)
{
        const struct advice *advice = refusal->reply != REPLY_NONE   ? advice_of_reply(refusal->reply)
                                      : refusal->check < CHECK_COUNT ? &check_texts[refusal->check].advice
                                                                     : NULL;

        if (advice == NULL)
                return;
        page_heading(page, '3', WORD_seen_why);
        page_markup(page, "<p>");
        page_sentence(page, &advice->why);
        page_markup(page, "</p>\n");
        page_heading(page, '3', WORD_rule_todo);
        page_paragraph(page, &advice->remedy);
        put_lists(page, refusal);
}

static void put_more(struct page *page, const struct refusal *refusal, const char *link)
{
        page_markup(page, "<p>");
        if (refusal->check < CHECK_COUNT) {
                page_word(page, WORD_seen_rule);
                page_markup(page, ": ");
                page_open_link(page, link, check_infos[refusal->check].name);
                page_markup(page, ">");
                page_wording(page, &check_texts[refusal->check].title);
        } else {
                page_open_link(page, link, NULL);
                page_markup(page, ">");
                page_word(page, WORD_seen_all);
        }
        page_markup(page, "</a></p>\n<p>");
        page_open_link(page, link, "postmaster");
        page_markup(page, ">");
        page_word(page, WORD_postmaster_title);
        page_markup(page, "</a></p>\n");
}

/* False: put off, with a code of 4xx. */
static bool is_final(const struct page *page, const struct refusal *refusal)
{
        struct span code = code_of(page, refusal);
        return code.length == 0 || code.at[0] != '4';
}

static void open_section(struct page *page, enum language first, size_t i)
{
        page->language = (enum language)((first + i) % LANGUAGE_COUNT);
        page_markup(page, "<section lang=\"");
        page_word(page, WORD_language_code);
        page_markup(page, "\">\n");
}

void policy_refusal_write(FILE *out, const struct snapshot *snapshot, const struct refusal *refusal,
                          enum language first, const char *const links[static LANGUAGE_COUNT])
{
        struct page page = {.out = out, .snapshot = snapshot, .language = first};
        enum word title = is_final(&page, refusal) ? WORD_seen_title : WORD_seen_put_off;

        page_begin(&page, title);
        for (size_t i = 0; i < LANGUAGE_COUNT; i++) {
                open_section(&page, first, i);
                page_heading(&page, '2', i == 0 ? WORD_seen_what : title);
                put_seen(&page, refusal);
                put_advice(&page, refusal);
                put_more(&page, refusal, links[page.language]);
                page_markup(&page, "</section>\n");
        }
        page.language = first;
        page_end(&page);
}

/* ---- no refusal ---------------------------------------------------------------------------------------- */

/* For how long one is known. */
static void put_lifetime(struct page *page)
{
        page_markup(page, "<p>");
        page_word(page, WORD_absent_kept);
        page_number(page, page->snapshot->options.http_reject_ids);
        page_word(page, WORD_absent_kept_rest);
        page_markup(page, "</p>\n");
}

void policy_absence_write(FILE *out, const struct snapshot *snapshot, enum absence absence,
                          enum language first, const char *const links[static LANGUAGE_COUNT])
{
        static const enum word reasons[] = {
            [ABSENCE_UNKNOWN] = WORD_absent_unknown,
            [ABSENCE_NO_LOG] = WORD_absent_no_log,
            [ABSENCE_OFF] = WORD_absent_off,
            [ABSENCE_TOO_MANY] = WORD_absent_too_many,
        };
        static const struct refusal nothing = {.check = CHECK_COUNT, .reply = REPLY_NONE};
        struct page page = {.out = out, .snapshot = snapshot, .language = first};

        page_begin(&page, WORD_absent_title);
        for (size_t i = 0; i < LANGUAGE_COUNT; i++) {
                open_section(&page, first, i);
                page_heading(&page, '2', i == 0 ? WORD_seen_why : WORD_absent_title);
                page_paragraph(&page, &words[reasons[absence]]);
                if (absence == ABSENCE_UNKNOWN)
                        put_lifetime(&page);
                page_heading(&page, '3', WORD_rule_todo);
                page_paragraph(&page, &words[WORD_absent_todo]);
                put_more(&page, &nothing, links[page.language]);
                page_markup(&page, "</section>\n");
        }
        page.language = first;
        page_end(&page);
}
