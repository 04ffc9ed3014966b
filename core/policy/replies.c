/* Replies: what each says here, what it means, and the table of their codes. */
#include "core/policy/internal.h"

#include "conf/value/value.h"

/* A reply that is not given while an option has this value. */
static const struct exclusion {
        enum reply_id reply;
        size_t option;
        uint64_t value;
} exclusions[] = {
#define REPLY_UNLESS(reply, option, value) {REPLY_##reply, OPTION_AT_##option, value},
#include "core/policy/facts.def"
};

static bool tls_is_demanded(const struct terms_list *list)
{
        for (size_t i = 0; i < list->count; i++)
                if (list->sections[i].options.starttls == STARTTLS_REQUIRE)
                        return true;
        return false;
}

static bool is_excluded(const struct snapshot *snapshot, enum reply_id reply)
{
        bool is_of_tls = reply == REPLY_tls_required || reply == REPLY_tls_required_not_ready;

        for (size_t i = 0; i < sizeof exclusions / sizeof *exclusions; i++)
                if (exclusions[i].reply == reply &&
                    option_number(snapshot, exclusions[i].option) == exclusions[i].value)
                        return true;
        return is_of_tls && snapshot->options.starttls != STARTTLS_REQUIRE &&
               !tls_is_demanded(&snapshot->listener_terms) && !tls_is_demanded(&snapshot->network_terms);
}

bool reply_is_in_use(const struct page *page, enum reply_id reply)
{
        if (page->snapshot->replies[reply].code < 400)
                return false;
        enum check_id subject = subject_of_reply(reply);
        if (subject == SUBJECT_PROXIES || is_excluded(page->snapshot, reply))
                return false;
        return subject == SUBJECT_SERVER || page->standings[subject] >= STANDING_PARTLY;
}

/* ---- texts --------------------------------------------------------------------------------------------- */

static void put_placeholder(struct page *page, char which)
{
        static const struct {
                char letter;
                enum word word;
        } places[] = {{'r', WORD_place_recipient},
                      {'s', WORD_place_sender},
                      {'h', WORD_place_helo},
                      {'c', WORD_place_client},
                      {'v', WORD_place_subject}};

        for (size_t i = 0; i < sizeof places / sizeof *places; i++)
                if (places[i].letter == which) {
                        page_markup(page, "<var>");
                        page_word(page, places[i].word);
                        page_markup(page, "</var>");
                }
        if (which == 'n')
                page_text(page, page->snapshot->options.hostname);
        if (which == '%')
                page_text(page, "%");
}

/* Its text, without the code, which is English whatever the page is; an operator's may be anything. */
static void put_reply(struct page *page, enum reply_id reply)
{
        struct span rest = page->snapshot->replies[reply].text;
        size_t percent;

        while ((percent = span_find(rest, '%')) < rest.length) {
                page_foreign(page, span_of(rest.at, percent));
                put_placeholder(page, rest.at[percent + 1]);
                rest = span_skip(rest, percent + 2);
        }
        page_foreign(page, rest);
}

static void put_name(struct page *page, enum reply_id reply)
{
        page_markup(page, "<dt id=\"reply-");
        page_text(page, reply_infos[reply].name);
        page_markup(page, "\"><code lang=\"en\">");
        page_foreign(page, page->snapshot->replies[reply].status);
        put_reply(page, reply);
        page_markup(page, "</code></dt>\n");
}

/* Those that have the texts of their check stand together; what to do is told in its section. */
static void put_alike(struct page *page, enum check_id check)
{
        const struct advice *advice = &check_texts[check].advice;
        size_t count = 0;

        for (enum reply_id reply = 0; reply < REPLY_COUNT; reply++)
                if (reply_is_in_use(page, reply) && subject_of_reply(reply) == check &&
                    advice_of_reply(reply) == advice) {
                        put_name(page, reply);
                        count++;
                }
        if (count == 0)
                return;
        page_markup(page, "<dd>");
        page_sentence(page, &advice->why);
        page_markup(page, "</dd>\n");
}

static void put_others(struct page *page, enum check_id subject)
{
        for (enum reply_id reply = 0; reply < REPLY_COUNT; reply++) {
                const struct advice *advice = advice_of_reply(reply);
                if (!reply_is_in_use(page, reply) || subject_of_reply(reply) != subject ||
                    (subject < CHECK_COUNT && advice == &check_texts[subject].advice))
                        continue;
                put_name(page, reply);
                page_markup(page, "<dd>");
                page_sentence(page, &advice->why);
                page_markup(page, " ");
                page_wording(page, &advice->remedy);
                page_markup(page, "</dd>\n");
        }
}

void page_replies(struct page *page, enum check_id subject)
{
        page_markup(page, "<dl class=\"replies\">\n");
        if (subject < CHECK_COUNT)
                put_alike(page, subject);
        put_others(page, subject);
        page_markup(page, "</dl>\n");
}

/* ---- codes --------------------------------------------------------------------------------------------- */

static int compare(struct span left, struct span right)
{
        size_t length = left.length < right.length ? left.length : right.length;
        int order = length == 0 ? 0 : memcmp(left.at, right.at, length);

        return order != 0 ? order : (left.length > right.length) - (left.length < right.length);
}

static bool has_code(const struct page *page, enum reply_id reply, struct span status)
{
        return reply_is_in_use(page, reply) && span_equals(page->snapshot->replies[reply].status, status);
}

/* The smallest code behind `status` in the order of octets, which is that of numbers nearly; empty: there is none. */
static struct span next_code(const struct page *page, struct span status)
{
        struct span next = {0};

        for (enum reply_id reply = 0; reply < REPLY_COUNT; reply++) {
                struct span code = page->snapshot->replies[reply].status;
                if (reply_is_in_use(page, reply) && compare(code, status) > 0 &&
                    (next.length == 0 || compare(code, next) < 0))
                        next = code;
        }
        return next;
}

static void put_code(struct page *page, struct span status)
{
        struct span code = span_of(status.at, 3), enhanced = span_trim(span_skip(status, 4));
        page_markup(page, "<tr id=\"code-");
        page_foreign(page, code);
        page_markup(page, "-");
        page_foreign(page, enhanced);
        page_markup(page, "\"><th scope=\"row\"><code>");
        page_foreign(page, span_trim(status));
        page_markup(page, "</code></th><td><ul>\n");
        for (enum reply_id reply = 0; reply < REPLY_COUNT; reply++) {
                if (!has_code(page, reply, status))
                        continue;
                page_markup(page, "<li>");
                page_open_anchor(page, "reply-", reply_infos[reply].name);
                put_reply(page, reply);
                page_markup(page, "</a></li>\n");
        }
        page_markup(page, "</ul></td></tr>\n");
}

void page_codes(struct page *page)
{
        page_markup(page, "<table>\n<thead><tr><th scope=\"col\">");
        page_word(page, WORD_codes_code);
        page_markup(page, "</th><th scope=\"col\">");
        page_word(page, WORD_codes_meaning);
        page_markup(page, "</th></tr></thead>\n<tbody>\n");
        struct span status = SPAN("");
        while ((status = next_code(page, status)).length > 0)
                put_code(page, status);
        page_markup(page, "</tbody>\n</table>\n");
}
