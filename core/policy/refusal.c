/* One refusal, in both languages. */
#include "core/policy/refusal.h"

#include "conf/value/dns_lists.h"
#include "core/policy/internal.h"

#define EVIDENCE_READ_MAX ((size_t)1000)          /* octets of it that are looked at */
#define EVIDENCE_MAX      ((size_t)500)           /* octets of what is left of them that are shown */
#define EVIDENCE_ROOM     (4 * EVIDENCE_READ_MAX) /* a local part may be shorter than what stands for it */

/* ---- evidence ------------------------------------------------------------------------------------------ */

static bool ends_local_part(char octet)
{
        return ascii_is_control(octet) || strchr(" <>()[],;:\"", octet) != NULL;
}

/* Where the local part in front of this at sign begins. A quote with a backslash in front of it does not begin one. */
static size_t local_part_begin(struct span octets, size_t at)
{
        size_t begin = at;

        if (begin > 0 && octets.at[begin - 1] == '"') {
                begin--;
                while (begin > 0 &&
                       (octets.at[begin - 1] != '"' || (begin > 1 && octets.at[begin - 2] == '\\')))
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

static void put_back(struct text *evidence, const struct text *hidden)
{
        if (hidden->length > 0)
                memcpy(evidence->at, hidden->at, hidden->length);
        evidence->length = hidden->length;
}

/* Puts the name that may be shown in the place of a zone's own. The text has room for EVIDENCE_ROOM octets. */
static void hide_zone(struct text *evidence, const struct dnsbl_zone *zone)
{
        struct span shown = zone->shown, rest = text_span(evidence);
        char octets[EVIDENCE_ROOM];
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
        put_back(evidence, &hidden);
}

static size_t word_length(struct span octets)
{
        size_t length = 0;

        while (length < octets.length && strchr(" ,()", octets.at[length]) == NULL)
                length++;
        return length;
}

static bool is_configured(const struct snapshot *snapshot, struct span word)
{
        for (size_t i = 0; i < snapshot->zone_count; i++)
                if (span_equals_nocase(snapshot->zones[i].name, word))
                        return true;
        return false;
}

/* As the checks of lists write their evidence. */
static bool is_zone(struct span word, struct span behind)
{
        bool is_said =
            span_starts_nocase(behind, SPAN(" 127.")) || span_starts_nocase(behind, SPAN(" cannot be asked"));
        return is_said && span_find(word, '.') != SIZE_MAX && !span_starts_nocase(word, SPAN("127."));
}

/* The configuration may have changed since the line was written, and the key of a zone that it has no more may still be
 * in use. */
static struct span shown_of(const struct snapshot *snapshot, struct span word, struct span behind)
{
        if (is_configured(snapshot, word))
                return word;
        if (dns_list_find(word) != NULL)
                return dns_list_without_key(word);
        return is_zone(word, behind) ? SPAN("…") : word;
}

static void hide_former_zones(struct text *evidence, const struct snapshot *snapshot)
{
        struct span rest = text_span(evidence);
        char octets[EVIDENCE_ROOM];
        struct text hidden;

        text_over(&hidden, octets, sizeof octets);
        while (rest.length > 0) {
                size_t length = word_length(rest);
                struct span behind = span_skip(rest, length);
                text_put(&hidden, shown_of(snapshot, span_of(rest.at, length), behind));
                if (behind.length > 0)
                        text_put_char(&hidden, behind.at[0]);
                rest = span_skip(rest, length + (behind.length > 0));
        }
        put_back(evidence, &hidden);
}

/* Not within a character. */
static struct span cut(struct span octets, size_t most)
{
        if (octets.length <= most)
                return octets;
        while (most > 0 && (octets.at[most] & 0xc0) == 0x80)
                most--;
        return span_of(octets.at, most);
}

/* It is cut last, for half a name would not be known as one that is to be hidden. */
static void put_evidence(struct page *page, struct span evidence)
{
        const struct snapshot *snapshot = page->snapshot;
        char octets[EVIDENCE_ROOM];
        struct text text;

        text_over(&text, octets, sizeof octets);
        put_without_local_parts(&text, cut(evidence, EVIDENCE_READ_MAX));
        hide_former_zones(&text, snapshot);
        for (size_t i = 0; i < snapshot->zone_count; i++)
                hide_zone(&text, &snapshot->zones[i]);
        struct span shown = cut(text_span(&text), EVIDENCE_MAX);
        page_foreign(page, shown);
        if (shown.length < text.length || evidence.length > EVIDENCE_READ_MAX)
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

/* What is to be looked up in the list: of names the sender's domain, which is what most are listed for. Empty where the
 * log has a pseudonym in the place of the address. */
static struct span subject_in(const struct dnsbl_zone *zone, const struct refusal *refusal)
{
        struct address address;

        if (!zone->options.names)
                return address_parse(refusal->client, &address) ? refusal->client : SPAN("");
        return domain_in(refusal->sender.length > 0 ? refusal->sender : refusal->helo);
}

static void put_lists(struct page *page, const struct refusal *refusal)
{
        for (size_t i = 0; i < page->snapshot->zone_count; i++) {
                const struct dnsbl_zone *zone = &page->snapshot->zones[i];
                struct span what = subject_in(zone, refusal);
                if (find_nocase(refusal->evidence, zone->name) == SIZE_MAX)
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
